//! The door on a network: who is refused, what is bounded, and how it ends.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};

use modelkeep::{Store, StoreOptions};
use modelkeep_http::{Guard, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

struct Door {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    directory: tempfile::TempDir,
}

impl Door {
    fn open(change: impl FnOnce(StoreOptions) -> StoreOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = change(StoreOptions::new(directory.path()));
        let store = Store::open_with(options).unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                tell.send(address).unwrap();
                let guard = Guard::new(address, Vec::new());
                serve(store, listener, guard, async { drop(ended.await) })
                    .await
                    .unwrap();
            });
        });
        let address = told.recv().unwrap();
        Door {
            address,
            end: Some(end),
            thread: Some(thread),
            directory,
        }
    }

    fn send(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(&self, head: &str, body: &str) -> String {
        self.send(head, body)
            .split(' ')
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    }

    fn end(&mut self) {
        let _ = self.end.take().unwrap().send(());
        self.thread.take().unwrap().join().unwrap();
    }
}

const SHOW: &str = "POST /api/show HTTP/1.1\r\nhost: localhost";

#[test]
fn pages_of_elsewhere_are_refused() {
    let door = Door::open(|options| options);
    assert_eq!(
        door.status("GET /api/tags HTTP/1.1\r\nhost: localhost", ""),
        "200"
    );
    assert_eq!(
        door.status("GET /api/tags HTTP/1.1\r\nhost: evil.example", ""),
        "403"
    );
    let from = |origin| format!("GET /api/tags HTTP/1.1\r\nhost: localhost\r\norigin: {origin}");
    assert_eq!(door.status(&from("http://evil.example"), ""), "403");
    let answer = door.send(&from("http://localhost:3000"), "");
    assert!(
        answer.contains("access-control-allow-origin: http://localhost:3000"),
        "{answer}"
    );
}

#[test]
fn a_read_only_store_is_not_changed() {
    let door = Door::open(|options| options.read_only(true));
    let model = door
        .directory
        .path()
        .join("manifests/registry.ollama.ai/library/a/latest");
    std::fs::create_dir_all(model.parent().unwrap()).unwrap();
    std::fs::write(&model, "{}").unwrap();
    let copy = "POST /api/copy HTTP/1.1\r\nhost: localhost";
    let answer = door.send(copy, r#"{"source":"a","destination":"b"}"#);
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("read-only"),
        "{answer}"
    );
    let delete = "DELETE /api/delete HTTP/1.1\r\nhost: localhost";
    assert_eq!(door.status(delete, r#"{"model":"a"}"#), "400");
    assert!(model.exists() && !model.parent().unwrap().with_file_name("b").exists());
    assert!(!door.directory.path().join(".modelkeep").exists());
}

#[test]
fn a_body_has_a_bound() {
    let door = Door::open(|options| options);
    let mut stream = TcpStream::connect(door.address).unwrap();
    write!(stream, "{SHOW}\r\ncontent-length: 99999999999\r\n\r\n{{").unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[test]
fn silent_connections_keep_nobody_out() {
    let door = Door::open(|options| options);
    let silent: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(door.address).unwrap())
        .collect();
    for mut stream in &silent {
        write!(stream, "POST /api/show HTTP/1.1\r\nhost: loc").unwrap();
    }
    assert_eq!(door.status(SHOW, r#"{"model":"x"}"#), "404");
}

#[test]
fn what_is_no_http_is_refused_and_the_door_stays_open() {
    let door = Door::open(|options| options);
    let mut stream = TcpStream::connect(door.address).unwrap();
    stream
        .write_all(b"\x16\x03\x01\x02\x00\x01\xfc\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"),
        "{answer:?}"
    );
    assert_eq!(door.status("GET / HTTP/1.1\r\nhost: localhost", ""), "200");
}

#[test]
fn it_ends_when_it_is_told_to() {
    let mut door = Door::open(|options| options);
    let mut idle = TcpStream::connect(door.address).unwrap();
    write!(idle, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut first = [0; 15];
    idle.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    door.end();
    assert!(TcpStream::connect(door.address).is_err());
}
