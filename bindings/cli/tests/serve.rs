//! `modelkeep serve`: what it reads from the environment, and how a signal ends it.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

// By `htpasswd -nbB -C 4 bob password`.
const USERS: &str = "bob:$2y$04$hkOznkIaL0XMAt67V.LcueZeJ777qFSmxtoPJkIVHc/tOa9.db8hu\n";

/// A command that serves, killed when dropped.
struct Serving {
    child: Child,
    address: String,
    said: BufReader<ChildStderr>,
}

impl Serving {
    fn start(store: &Path, words: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::of(command(store, words, variables))
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        said.read_line(&mut line).unwrap();
        let (_, address) = line.trim().rsplit_once("http://").unwrap();
        Serving {
            address: address.to_owned(),
            child,
            said,
        }
    }

    fn ask(&self, head: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(stream, "{head}\r\nconnection: close\r\n").unwrap();
        write!(stream, "content-length: {length}\r\n\r\n{body}").unwrap();
        stream
    }

    /// Ends it, and returns what it said besides where it serves.
    fn ended(mut self) -> String {
        self.signal("TERM");
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success());
        said
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(store: &Path, words: &[&str], variables: &[(&str, &str)]) -> Command {
    let program = Command::new(env!("CARGO_BIN_EXE_modelkeep"));
    to_serve(program, store, words, variables)
}

fn to_serve(
    mut command: Command,
    store: &Path,
    words: &[&str],
    variables: &[(&str, &str)],
) -> Command {
    command.arg("--store").arg(store).arg("serve").args(words);
    command
        .env_remove("OLLAMA_HOST")
        .env_remove("OLLAMA_ORIGINS");
    command
        .envs(variables.iter().copied())
        .stderr(Stdio::piped());
    command
}

fn text(mut stream: impl Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_signal_ends_it_while_a_delete_waits_for_the_lock() {
    for name in ["TERM", "INT"] {
        let store = tempfile::tempdir().unwrap();
        let model = store
            .path()
            .join("manifests/registry.ollama.ai/library/a/latest");
        fs::create_dir_all(model.parent().unwrap()).unwrap();
        fs::write(&model, "{}").unwrap();
        fs::create_dir(store.path().join(".modelkeep")).unwrap();
        let lock = File::create(store.path().join(".modelkeep/lock")).unwrap();
        lock.lock().unwrap();
        let mut serving = Serving::start(store.path(), &["--addr", "127.0.0.1:0"], &[]);
        let delete = "DELETE /api/delete HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue";
        let mut waiting = serving.ask(delete, r#"{"model":"a"}"#);
        // The server has read the head, and so answers whatever comes.
        waiting.read_exact(&mut [0; 25]).unwrap();
        serving.signal(name);
        let answer = text(waiting);
        assert!(
            answer.contains("HTTP/1.1 503") && answer.contains("ending"),
            "{answer}"
        );
        assert!(serving.child.wait().unwrap().success(), "{name}");
        assert!(model.exists());
    }
}

/// Where the system gives no more descriptors, the connection whose client has been waited for the
/// longest makes room.
#[test]
fn more_silent_connections_than_descriptors_keep_nobody_out() {
    let store = tempfile::tempdir().unwrap();
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 32 && exec \"$@\"", "sh"]);
    few.arg(env!("CARGO_BIN_EXE_modelkeep"));
    let words = ["--addr", "127.0.0.1:0"];
    let serving = Serving::of(to_serve(few, store.path(), &words, &[]));
    let connect = || TcpStream::connect(&serving.address).unwrap();
    let silent: Vec<TcpStream> = (0..60).map(|_| connect()).collect();
    let answer = text(serving.ask("GET / HTTP/1.1\r\nhost: localhost", ""));
    assert!(answer.contains("200 OK"), "{answer}");
    drop(silent);
    serving.ended();
}

#[test]
fn ollama_host_is_where_it_listens() {
    let store = tempfile::tempdir().unwrap();
    let variables = [("OLLAMA_HOST", " \"http://127.0.0.1:0/x\" ")];
    let serving = Serving::start(store.path(), &[], &variables);
    assert!(
        serving.address.starts_with("127.0.0.1:"),
        "{}",
        serving.address
    );
    let answer = text(serving.ask("GET / HTTP/1.1\r\nhost: localhost", ""));
    assert!(answer.contains("200 OK"), "{answer}");
}

#[test]
fn ollama_origins_may_ask() {
    let store = tempfile::tempdir().unwrap();
    let variables = [("OLLAMA_ORIGINS", "http://a.example,https://*.b.example")];
    let words = ["--addr", "127.0.0.1:0", "--origin", "http://c.example"];
    let serving = Serving::start(store.path(), &words, &variables);
    let from = |origin: &str| {
        let head = format!("GET / HTTP/1.1\r\nhost: localhost\r\norigin: {origin}");
        text(serving.ask(&head, ""))
    };
    for origin in [
        "http://a.example",
        "https://x.b.example",
        "http://c.example",
    ] {
        assert!(from(origin).contains("200 OK"), "{origin}");
    }
    assert!(from("http://d.example").contains("403"));
}

#[test]
fn requests_are_logged_on_standard_error_unless_it_is_quiet() {
    let store = tempfile::tempdir().unwrap();
    let said = |words: &[&str]| {
        let words = [&["--addr", "127.0.0.1:0"], words].concat();
        let serving = Serving::start(store.path(), &words, &[]);
        text(serving.ask("GET /api/ps HTTP/1.1\r\nhost: localhost", ""));
        serving.ended()
    };
    let line = said(&[]);
    assert!(line.contains(" GET /api/ps 200 13 "), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    for quiet in ["--quiet", "-q"] {
        assert_eq!(said(&[quiet]), "");
    }
}

#[test]
fn it_warns_where_other_machines_may_ask() {
    let store = tempfile::tempdir().unwrap();
    let said = |words: &[&str]| Serving::start(store.path(), words, &[]).ended();
    let warned = said(&["--addr", "0.0.0.0:0"]);
    assert!(
        warned.contains("warning: every machine that reaches http://"),
        "{warned}"
    );
    assert!(warned.contains("copy and delete"), "{warned}");
    assert!(warned.contains("--read-only refuses changes"), "{warned}");
    let warned = said(&["--addr", "0.0.0.0:0", "--read-only"]);
    assert!(warned.contains("may read the models"), "{warned}");
    let warned = said(&["--addr", "0.0.0.0:0", "--registry"]);
    assert!(warned.contains("may read the models"), "{warned}");
    let warned = said(&["--addr", "0.0.0.0:0", "--registry", "--allow-changes"]);
    assert!(warned.contains("copy and delete"), "{warned}");
    for address in ["127.0.0.1:0", "localhost:0"] {
        assert!(!said(&["--addr", address]).contains("warning"), "{address}");
    }
}

#[test]
fn a_file_of_users_closes_it_and_one_of_tokens() {
    let store = tempfile::tempdir().unwrap();
    let (users, tokens) = (store.path().join("users"), store.path().join("tokens"));
    fs::write(&users, USERS).unwrap();
    fs::write(&tokens, "0123456789abcdef\n").unwrap();
    let (users, tokens) = (users.to_str().unwrap(), tokens.to_str().unwrap());
    let words = [
        "--addr",
        "127.0.0.1:0",
        "--htpasswd",
        users,
        "--token-file",
        tokens,
    ];
    let serving = Serving::start(store.path(), &words, &[]);
    for (authorization, status) in [
        ("Basic Ym9iOnBhc3N3b3Jk", "200 OK"),
        ("Bearer 0123456789abcdef", "200 OK"),
        ("Basic Ym9iOnBhc3N3b3Jl", "401 Unauthorized"),
    ] {
        let head = "GET /api/tags HTTP/1.1\r\nhost: localhost";
        let answer = text(serving.ask(&format!("{head}\r\nauthorization: {authorization}"), ""));
        assert!(answer.contains(status), "{answer}");
    }
    let said = serving.ended();
    assert!(
        !said.contains("0123456789abcdef") && !said.contains("Ym9i"),
        "{said}"
    );
    let words = [&["--token-file", tokens][..], &["--addr", "0.0.0.0:0"]].concat();
    let warned = Serving::start(store.path(), &words, &[]).ended();
    assert!(warned.contains("encrypted"), "{warned}");
}

/// Returns what a pull of `tiny` from a server says at its end, and whether it succeeded, as whom the
/// options and the secret on standard input say.
fn pulled(address: &str, words: &[&str], secret: &str) -> (bool, String) {
    let store = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_modelkeep"))
        .arg("--store")
        .arg(store.path())
        .arg("pull")
        .arg(format!("{address}/library/tiny"))
        .args(words)
        // What whoever runs this has stored is not asked for.
        .env("DOCKER_CONFIG", store.path())
        .env("HOME", store.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{secret}").unwrap();
    let said = text(child.stderr.take().unwrap());
    (child.wait().unwrap().success(), said)
}

#[test]
fn a_registry_that_asks_who_it_is_is_pulled_from() {
    let store = tempfile::tempdir().unwrap();
    let tiny = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/tiny.gguf");
    let import = [
        "--store".as_ref(),
        store.path().as_os_str(),
        "import".as_ref(),
    ];
    let imported = Command::new(env!("CARGO_BIN_EXE_modelkeep"))
        .args(import)
        .args([tiny, "tiny"])
        .output();
    assert!(imported.unwrap().status.success());
    let (users, tokens) = (store.path().join("users"), store.path().join("tokens"));
    fs::write(&users, USERS).unwrap();
    fs::write(&tokens, "0123456789abcdef\n").unwrap();
    let passwords = ["--htpasswd", users.to_str().unwrap()];
    let bearers = ["--token-file", tokens.to_str().unwrap()];
    let user: &[&str] = &["--username", "bob", "--password-stdin"];
    let token: &[&str] = &["--password-stdin"];
    for (closed, takes_user, takes_token) in [
        (&passwords[..], true, false),
        (&bearers, false, true),
        (&[passwords, bearers].concat(), true, true),
    ] {
        let words = [&["--registry", "--addr", "127.0.0.1:0"], closed].concat();
        let serving = Serving::start(store.path(), &words, &[]);
        for (words, secret, admitted) in [
            (user, "password", takes_user),
            (user, "passwore", false),
            (token, "0123456789abcdef", takes_token),
            (token, "0123456789abcdeg", false),
        ] {
            let (succeeded, said) = pulled(&serving.address, words, secret);
            assert_eq!(succeeded, admitted, "{closed:?} {words:?} {secret}: {said}");
            assert!(admitted || said.contains("401"), "{said}");
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[test]
fn a_file_that_is_none_of_credentials_is_refused_at_the_start() {
    let store = tempfile::tempdir().unwrap();
    let file = store.path().join("file");
    fs::write(&file, "bob:$apr1$secret\n").unwrap();
    let file = file.to_str().unwrap();
    for (words, status, told) in [
        (
            &["--htpasswd", file][..],
            1,
            "only bcrypt: `htpasswd -B FILE USER`",
        ),
        (&["--token-file", file], 1, "line 1 has a character"),
        (&["--htpasswd", "/none"], 1, "reading credentials /none: "),
        (&["--allow-changes"], 2, "--registry"),
    ] {
        let words = [words, &["--addr", "127.0.0.1:0"]].concat();
        let mut child = command(store.path(), &words, &[]).spawn().unwrap();
        let said = text(child.stderr.take().unwrap());
        assert_eq!(child.wait().unwrap().code(), Some(status), "{said}");
        assert!(said.contains(told) && !said.contains("secret"), "{said}");
    }
}

#[test]
fn what_is_no_origin_or_no_port_is_refused() {
    let store = tempfile::tempdir().unwrap();
    let none: &[&str] = &[];
    let cases = [
        (none, "foo", 1),
        (&["--origin", "http://*.a*"], "", 2),
        (&["--addr", "localhost:x"], "", 2),
    ];
    for (words, origins, status) in cases {
        let variables = [("OLLAMA_ORIGINS", origins), ("OLLAMA_HOST", "127.0.0.1:0")];
        let mut child = command(store.path(), words, &variables).spawn().unwrap();
        let said = text(child.stderr.take().unwrap());
        assert_eq!(
            child.wait().unwrap().code(),
            Some(status),
            "{words:?} {origins} {said}"
        );
    }
}
