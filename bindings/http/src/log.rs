//! The log: what was passed over, and a line for each request.
//!
//! A line of a request has seven fields with a space between them:
//!
//! `2026-11-26T19:20:01Z 127.0.0.1:40312 GET /api/tags 200 1843 1.204ms`
//!
//! the time of the reply, the peer, the method, the target, the status, the bytes of the body, and
//! the time from the head of the request to its reply. What is not known is `-`.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hyper::http::request::Parts;
use hyper::{StatusCode, Uri};
use modelkeep::{Problem, Timestamp, printable};

/// How many lines wait to be written at most.
const WAITING: usize = 4096;

/// The most of a target that is logged, in bytes.
const LONGEST: usize = 256;

/// The status of a request whose client left before the reply, as other servers log it.
const LEFT: u16 = 499;

/// A log. A thread of its own writes it, and lines that wait too long for that are left out and
/// counted: whoever reads a log slowly, or not at all, does not hold up the server.
#[derive(Clone, Debug)]
pub struct Log {
    lines: SyncSender<Line>,
    left_out: Arc<AtomicUsize>,
    requests: bool,
}

#[derive(Debug)]
enum Line {
    Text(String),
    /// Asks to be told when everything before it is written.
    Flush(SyncSender<()>),
}

impl Log {
    /// Makes a log that is written there, without requests.
    ///
    /// # Errors
    /// Where its thread cannot be started.
    pub fn new(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING);
        let left_out = Arc::new(AtomicUsize::new(0));
        let lost = left_out.clone();
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write(&waiting, &lost, to))?;
        Ok(Log {
            lines,
            left_out,
            requests: false,
        })
    }

    /// Sets whether requests are logged.
    #[must_use]
    pub fn requests(mut self, requests: bool) -> Self {
        self.requests = requests;
        self
    }

    fn line(&self, text: String) {
        if self.lines.try_send(Line::Text(text)).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Logs what was passed over.
    pub(crate) fn problems(&self, problems: &[Problem]) {
        for problem in problems {
            let text = problem.to_string();
            self.line(format!("modelkeep: {}", printable(&text)));
        }
    }

    /// Logs what became of something that no request waits for.
    pub(crate) fn notice(&self, text: &str) {
        self.line(format!("modelkeep: {}", printable(text)));
    }

    /// Begins the line of a request, which is written when that is dropped.
    pub(crate) fn request(&self, peer: Peer, head: &Parts) -> Entry<'_> {
        Entry {
            log: self,
            peer,
            method: head.method.to_string(),
            target: escaped(&without_credentials(&head.uri)),
            begun: Instant::now(),
            reply: None,
        }
    }

    /// Logs what is no request: nothing of it is known but who sent it.
    pub(crate) fn malformed(&self, peer: Peer, status: u16) {
        if self.requests {
            self.line(format!("{} {peer} - - {status} - -", now()));
        }
    }

    /// Waits until all lines are written, and no longer than `patience`.
    pub(crate) fn flush(&self, patience: Duration) {
        let (written, told) = sync_channel(1);
        if self.lines.try_send(Line::Flush(written)).is_ok() {
            // Who does not read has been waited for.
            let _ = told.recv_timeout(patience);
        }
    }
}

/// Writes lines until the log is gone.
fn write(waiting: &Receiver<Line>, left_out: &AtomicUsize, to: impl Write) {
    let mut to = io::BufWriter::new(to);
    while let Some(line) = next(waiting, &mut to) {
        let lost = left_out.swap(0, Ordering::Relaxed);
        // Nobody can be told that the log cannot be written.
        if lost > 0 {
            let _ = writeln!(to, "modelkeep: {lost} lines of the log were left out");
        }
        match line {
            Line::Text(text) => drop(writeln!(to, "{text}")),
            Line::Flush(written) => {
                let _ = to.flush();
                let _ = written.try_send(());
            }
        }
    }
}

/// Returns the next line; what is buffered is written before it is waited for.
fn next(waiting: &Receiver<Line>, to: &mut impl Write) -> Option<Line> {
    match waiting.try_recv() {
        Ok(line) => Some(line),
        Err(TryRecvError::Empty) => {
            let _ = to.flush();
            waiting.recv().ok()
        }
        Err(TryRecvError::Disconnected) => None,
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub Option<SocketAddr>);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(at) => SocketAddr::new(at.ip().to_canonical(), at.port()).fmt(f),
            None => f.write_str("unix"),
        }
    }
}

/// The line of a request.
pub(crate) struct Entry<'a> {
    log: &'a Log,
    peer: Peer,
    method: String,
    target: String,
    begun: Instant,
    reply: Option<(StatusCode, u64)>,
}

impl Entry<'_> {
    pub(crate) fn answered(&mut self, status: StatusCode, length: u64) {
        // The body of a reply to HEAD stays here.
        let bytes = match self.method.as_str() {
            "HEAD" => 0,
            _ => length,
        };
        self.reply = Some((status, bytes));
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if !self.log.requests {
            return;
        }
        let reply = self.reply.map(|(status, bytes)| (status.as_u16(), bytes));
        let (status, bytes) = reply.unwrap_or((LEFT, 0));
        let (now, peer, method, target) = (now(), self.peer, &self.method, &self.target);
        let milliseconds = self.begun.elapsed().as_secs_f64() * 1000.0;
        self.log.line(format!(
            "{now} {peer} {method} {target} {status} {bytes} {milliseconds:.3}ms"
        ));
    }
}

/// Returns this second as RFC 3339, in the local time zone.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let second = Duration::from_secs(since.unwrap_or_default().as_secs());
    (UNIX_EPOCH + second).into()
}

/// Returns a target without the user and the password that an absolute one may have.
fn without_credentials(target: &Uri) -> String {
    let text = target.to_string();
    let credentials = target.authority().and_then(|authority| {
        let (credentials, _) = authority.as_str().rsplit_once('@')?;
        Some(format!("{credentials}@"))
    });
    match credentials {
        Some(credentials) => text.replacen(&credentials, "", 1),
        None => text,
    }
}

/// Returns a target as one word of ASCII that steers no terminal, cut where it is long.
fn escaped(target: &str) -> String {
    let mut word = String::new();
    for byte in target.bytes() {
        if word.len() >= LONGEST {
            return word + "...";
        }
        match byte {
            byte if byte.is_ascii_graphic() => word.push(char::from(byte)),
            byte => word.push_str(&format!("%{byte:02X}")),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    #[test]
    fn a_target_is_one_word_that_steers_no_terminal() {
        assert_eq!(escaped("/api/tags?a=%20"), "/api/tags?a=%20");
        assert_eq!(escaped("/\u{1b}[2J \u{202e}"), "/%1B[2J%20%E2%80%AE");
        assert_eq!(escaped(&"x".repeat(300)), "x".repeat(256) + "...");
    }

    #[test]
    fn what_a_target_has_of_credentials_is_left_out() {
        let cases = [
            ("http://bob:secret@h:1/a@b", "http://h:1/a@b"),
            ("bob:secret@h:1", "h:1"),
            ("/a@b?c=d@e", "/a@b?c=d@e"),
            ("http://h/", "http://h/"),
        ];
        for (target, logged) in cases {
            assert_eq!(
                without_credentials(&target.parse().unwrap()),
                logged,
                "{target}"
            );
        }
    }

    #[test]
    fn an_address_of_ipv4_is_written_as_one() {
        let peer = |text: &str| Peer(Some(text.parse().unwrap())).to_string();
        assert_eq!(peer("[::ffff:10.1.2.3]:5"), "10.1.2.3:5");
        assert_eq!(peer("[::1]:5"), "[::1]:5");
        assert_eq!(Peer(None).to_string(), "unix");
    }

    /// Takes nothing until it is told to.
    struct Stalled(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_nobody_reads_holds_nobody_up_and_counts_what_it_lost() {
        let (go, told) = channel();
        let (taken, written) = channel();
        let log = Log::new(Stalled(told, taken)).unwrap();
        let begun = 3 * WAITING;
        (0..begun).for_each(|number| log.line(number.to_string()));
        log.flush(Duration::ZERO);
        drop((go, log));
        let text: Vec<u8> = written.iter().flatten().collect();
        let text = String::from_utf8(text).unwrap();
        let lost = text.lines().filter_map(|line| {
            let count = line.strip_prefix("modelkeep: ")?;
            count.split(' ').next()?.parse::<usize>().ok()
        });
        let lost: usize = lost.sum();
        let whole = text.lines().filter(|line| line.parse::<usize>().is_ok());
        assert!(lost > 0 && lost < begun, "{lost}");
        assert!(whole.count() + lost <= begun);
    }
}
