//! Passwords and tokens: who is admitted, what everybody else is told, and what a registry admits.

use std::fs;
use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};

use modelkeep_http::{Credentials, Limits};

use crate::common::{Running, status};

// By `htpasswd -nbB -C 4 bob secret-word`.
const USERS: &str = "bob:$2y$04$yBadFgTuTfgvY3BmLhjh3.7AK8g69JlSq32ax7QUQG2Newbm6ZHuS\n";
const BOB: &str = "Basic Ym9iOnNlY3JldC13b3Jk";
const TOKEN: &str = "Bearer 0123456789-secret-token";

fn credentials() -> Credentials {
    let directory = tempfile::tempdir().unwrap();
    let (users, tokens) = (
        directory.path().join("users"),
        directory.path().join("tokens"),
    );
    fs::write(&users, USERS).unwrap();
    fs::write(&tokens, "# of the nodes\n0123456789-secret-token\n").unwrap();
    let credentials = Credentials::default().htpasswd(&users).unwrap();
    credentials.token_file(&tokens).unwrap()
}

fn guarded(limits: Limits) -> Running {
    Running::start_server(limits, std::io::sink(), |server| {
        server.registry(true).credentials(credentials())
    })
}

fn get(server: &Running, path: &str, authorization: &str) -> String {
    let mut head = format!("GET {path} HTTP/1.1\r\nhost: localhost");
    if !authorization.is_empty() {
        head += &format!("\r\nauthorization: {authorization}");
    }
    server.send(&head, "")
}

#[test]
fn who_brings_no_credentials_is_told_which_are_asked_for() {
    let server = guarded(Limits::default());
    let forms = [
        ("/api/tags", r#"{"error":"authentication required"}"#),
        ("/api/version", r#"{"error":"authentication required"}"#),
        (
            "/v1/models",
            r#"{"error":{"message":"authentication required""#,
        ),
        (
            "/v2/",
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
        ),
        (
            "/v2/library/a/manifests/b",
            r#"{"errors":[{"code":"UNAUTHORIZED""#,
        ),
    ];
    for (path, form) in forms {
        let answer = get(&server, path, "");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 401") && body.starts_with(form),
            "{answer}"
        );
        let basic = head.find("www-authenticate: Basic realm=\"modelkeep\"\r\n");
        let bearer = head.find("www-authenticate: Bearer\r\n");
        assert!(basic.is_some() && basic < bearer, "{head}");
        let is_registry = head.contains("docker-distribution-api-version: registry/2.0");
        assert_eq!(is_registry, path.starts_with("/v2/"), "{head}");
    }
    let chat = server.send("POST /v1/messages HTTP/1.1\r\nhost: localhost", "{}");
    assert!(
        chat.contains(r#"{"type":"error","error":{"#) && status(&chat) == "401",
        "{chat}"
    );
}

#[test]
fn that_a_server_is_there_is_told_to_everybody() {
    let server = guarded(Limits::default());
    assert!(get(&server, "/", "").ends_with("Ollama is running"));
    assert!(get(&server, "/", "Basic !").ends_with("Ollama is running"));
    let preflight = "OPTIONS /api/tags HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost:1";
    assert_eq!(server.status(preflight, ""), "204");
}

#[test]
fn a_user_and_a_token_are_admitted_everywhere() {
    let server = guarded(Limits::default());
    for path in [
        "/api/tags",
        "/api/version",
        "/api/ps",
        "/v1/models",
        "/v2/",
        "/v2/_catalog",
    ] {
        for known in [BOB, TOKEN, &BOB.replace("Basic", "basic"), BOB] {
            assert_eq!(status(&get(&server, path, known)), "200", "{path} {known}");
        }
    }
}

#[test]
fn what_is_nearly_right_is_not_admitted() {
    let server = guarded(Limits::default());
    assert_eq!(status(&get(&server, "/api/tags", BOB)), "200");
    let (_, bob) = BOB.split_once(' ').unwrap();
    let (_, token) = TOKEN.split_once(' ').unwrap();
    for nearly in [
        // bob:secret-worD, Bob:secret-word, bob:, nobody:secret-word
        "Basic Ym9iOnNlY3JldC13b3JE",
        "Basic Qm9iOnNlY3JldC13b3Jk",
        "Basic Ym9iOg==",
        "Basic bm9ib2R5OnNlY3JldC13b3Jk",
        &format!("Bearer {bob}"),
        &format!("Basic {token}"),
        &TOKEN[..TOKEN.len() - 1],
        &format!("{TOKEN}n"),
        &format!("{BOB}\r\nauthorization: {TOKEN}"),
        "Bearer",
    ] {
        assert_eq!(
            status(&get(&server, "/api/tags", nearly)),
            "401",
            "{nearly}"
        );
    }
}

#[test]
fn a_body_is_not_read_of_whom_nobody_knows() {
    let server = guarded(Limits::default());
    let mut client = server.connect();
    let show = "POST /api/show HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n";
    client.write(show);
    assert_eq!(status(&client.head()), "401");
}

#[test]
fn a_password_that_cannot_be_compared_now_is_asked_for_again_and_tokens_are_not() {
    let server = guarded(Limits::default().passwords(0, 0));
    let answer = get(&server, "/v2/", BOB);
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    assert!(
        answer.contains(r#"{"errors":[{"code":"TOOMANYREQUESTS""#),
        "{answer}"
    );
    assert_eq!(status(&get(&server, "/api/tags", BOB)), "429");
    assert_eq!(status(&get(&server, "/v2/", TOKEN)), "200");
    assert_eq!(status(&get(&server, "/v2/", "")), "401");
}

struct Sink(Sender<Vec<u8>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes.to_owned()).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_secret_is_logged() {
    let (sink, lines): (_, Receiver<Vec<u8>>) = channel();
    let mut server = Running::start_server(Limits::default(), Sink(sink), |server| {
        server.registry(true).credentials(credentials())
    });
    let mut answers = String::new();
    for authorization in [BOB, TOKEN, "", "Basic secret", "Bearer secret"] {
        for target in ["/v2/", "http://bob:secret-word@localhost/api/tags"] {
            answers += &get(&server, target, authorization);
        }
    }
    server.tell_to_end();
    server.wait();
    drop(server);
    let text = String::from_utf8(lines.iter().flatten().collect()).unwrap();
    assert!(
        text.contains("GET http://localhost/api/tags 401 "),
        "{text}"
    );
    for secret in ["secret", "Ym9iOnNlY3JldC13b3Jk"] {
        assert!(!text.contains(secret), "{text}");
        assert!(!answers.contains(secret), "{answers}");
    }
}

#[test]
fn a_read_only_server_changes_nothing_whoever_asks() {
    let with = |is_read_only| {
        Running::start_server(Limits::default(), std::io::sink(), move |server| {
            let server = server.registry(true).credentials(credentials());
            server.read_only(is_read_only)
        })
    };
    let copy = |server: &Running, known: &str| {
        let head = format!("POST /api/copy HTTP/1.1\r\nhost: localhost\r\nauthorization: {known}");
        server.send(&head, r#"{"source":"a","destination":"b"}"#)
    };
    let delete = |server: &Running| {
        let head =
            format!("DELETE /api/delete HTTP/1.1\r\nhost: localhost\r\nauthorization: {TOKEN}");
        server.send(&head, r#"{"model":"a"}"#)
    };
    let closed = with(true);
    let model = closed.model("a");
    for answer in [copy(&closed, BOB), delete(&closed)] {
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(answer.contains("--allow-changes"), "{answer}");
    }
    assert_eq!(status(&copy(&closed, "Bearer unknown")), "401");
    assert!(model.exists() && !model.parent().unwrap().with_file_name("b").exists());
    let open = with(false);
    let model = open.model("a");
    assert_eq!(status(&copy(&open, BOB)), "200");
    assert_eq!(status(&delete(&open)), "200");
    assert!(!model.exists() && model.parent().unwrap().with_file_name("b").exists());
}
