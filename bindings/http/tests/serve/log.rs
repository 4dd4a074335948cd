//! The log of requests: one line for each, whatever was sent.
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, SystemTime};

use modelkeep_http::Limits;

use crate::common::{Running, SHOW, Written, status};

/// Returns the lines of the log of a server after what is done with it, each in its fields.
fn logged(limits: Limits, during: impl FnOnce(&Running)) -> Vec<Vec<String>> {
    let written = Written::default();
    let mut server = Running::start_logged(limits, written.clone());
    during(&server);
    server.tell_to_end();
    server.wait();
    let text = written.text();
    assert!(
        text.bytes()
            .all(|byte| byte == b'\n' || byte == b' ' || byte.is_ascii_graphic()),
        "{text}"
    );
    let fields = |line: &str| line.split(' ').map(str::to_owned).collect();
    text.lines().map(fields).collect()
}

#[test]
fn a_request_is_a_line_of_seven_fields() {
    let before = SystemTime::now() - Duration::from_secs(1);
    let lines = logged(Limits::default(), |server| {
        server.send("GET /api/ps?a=b HTTP/1.1\r\nhost: localhost", "");
        server.send(SHOW, r#"{"model":"x"}"#);
        server.send("HEAD /api/version HTTP/1.1\r\nhost: localhost", "");
        server.send("POST /api/chat HTTP/1.1\r\nhost: evil.example", "");
    });
    let expected = [
        ["GET", "/api/ps?a=b", "200", "13"],
        ["POST", "/api/show", "404", "38"],
        ["HEAD", "/api/version", "200", "0"],
        ["POST", "/api/chat", "403", "86"],
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert_eq!(line.len(), 7, "{line:?}");
        assert_eq!(line[2..6], expected);
        let at = line[0].parse::<modelkeep::Timestamp>().unwrap();
        let during = modelkeep::Timestamp::from(before)..=SystemTime::now().into();
        assert!(during.contains(&at), "{line:?}");
        assert!(line[1].starts_with("127.0.0.1:"), "{line:?}");
        let milliseconds = line[6].strip_suffix("ms").unwrap();
        assert!(milliseconds.parse::<f64>().is_ok(), "{line:?}");
    }
}

#[test]
fn no_request_is_logged_unless_that_is_said() {
    let written = Written::default();
    let mut server = Running::start_unlogged(written.clone());
    server.send("GET / HTTP/1.1\r\nhost: localhost", "");
    server.tell_to_end();
    server.wait();
    assert_eq!(written.text(), "");
}

#[test]
fn what_is_no_request_is_a_line_as_well() {
    let lines = logged(Limits::default(), |server| {
        for text in ["\x16\x03\x01\x02\r\n\r\n", "GET /\x1b[2J HTTP/1.1\r\n\r\n"] {
            let mut client = server.connect();
            client.write(text);
            client.rest();
        }
        let mut client = server.connect();
        client.write(&format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000)));
        client.rest();
    });
    let statuses: Vec<_> = lines.iter().map(|line| line[2..].join(" ")).collect();
    assert_eq!(statuses, ["- - 400 - -", "- - 400 - -", "- - 431 - -"]);
}

#[test]
fn a_path_cannot_steer_a_terminal() {
    let lines = logged(Limits::default(), |server| {
        let head = "GET /a\u{202e}\u{9b}31m HTTP/1.1\r\nhost: localhost";
        server.send(head, "");
        let long = "y".repeat(10_000);
        server.send(&format!("GET /{long} HTTP/1.1\r\nhost: localhost"), "");
    });
    assert!(
        lines[0][3].is_ascii() && !lines[0][3].contains('\u{202e}'),
        "{lines:?}"
    );
    assert!(
        lines[1][3].ends_with("yyy...") && lines[1][3].len() < 300,
        "{lines:?}"
    );
}

#[test]
fn a_client_that_leaves_is_logged_as_one() {
    let limits = Limits::default().body_patience(Duration::from_secs(3600));
    let lines = logged(limits, |server| {
        let mut client = server.connect();
        client.write(&format!(
            "{SHOW}\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n"
        ));
        assert_eq!(status(&client.head()), "100");
        drop(client);
        // The server answers one request of this after another.
        while server.status("GET / HTTP/1.1\r\nhost: localhost", "") != "200" {}
    });
    let show: Vec<_> = lines.iter().filter(|line| line[3] == "/api/show").collect();
    assert_eq!(show.len(), 1, "{lines:?}");
}

#[test]
fn what_a_list_passed_over_is_logged() {
    let written = Written::default();
    let mut server = Running::start_logged(Limits::default(), written.clone());
    std::fs::write(server.model("torn"), "{").unwrap();
    server.send("GET /api/tags HTTP/1.1\r\nhost: localhost", "");
    server.tell_to_end();
    server.wait();
    let text = written.text();
    let line = text.lines().find(|line| line.starts_with("modelkeep: "));
    assert!(line.is_some_and(|line| line.contains("torn")), "{text}");
}

/// A log that takes its time.
struct Slow(Written);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        thread::sleep(Duration::from_millis(100));
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_last_line_is_written_before_the_server_has_ended() {
    let written = Written::default();
    let mut server = Running::start_logged(Limits::default(), Slow(written.clone()));
    server.send(SHOW, r#"{"model":"x"}"#);
    server.tell_to_end();
    server.wait();
    assert!(written.text().contains("/api/show 404"));
}
