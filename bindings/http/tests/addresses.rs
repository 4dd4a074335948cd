//! Where a server listens: several addresses, names, and Unix sockets.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use modelkeep::{Store, StoreOptions};
use modelkeep_http::{Address, Limits, Log, Origins, Server};
use tokio::sync::oneshot;

fn server(directory: &Path) -> Server {
    let store = Store::open_with(StoreOptions::new(directory)).unwrap();
    let log = Log::new(std::io::stderr()).unwrap();
    Server::new(store, Origins::new(Vec::new()), Limits::default(), log).unwrap()
}

fn socket(path: &Path) -> Address {
    format!("unix:{}", path.display()).parse().unwrap()
}

/// Runs a server while `during` does.
fn run(server: Server, during: impl FnOnce()) {
    let (end, ended) = oneshot::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| server.run(async { drop(ended.await) }));
        during();
        drop(end);
    });
}

fn ask(mut stream: impl Read + Write, host: &str) -> String {
    write!(
        stream,
        "GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn several_addresses_are_served_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = server(directory.path());
    for _ in 0..2 {
        server.listen(&"127.0.0.1:0".parse().unwrap()).unwrap();
    }
    let urls = server.urls().unwrap();
    assert_eq!(urls.len(), 2);
    run(server, || {
        for url in &urls {
            let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
            assert!(ask(stream, "localhost").contains("200 OK"), "{url}");
        }
    });
}

#[test]
fn localhost_is_served_on_both_loopback_addresses() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = server(directory.path());
    server.listen(&"localhost:0".parse().unwrap()).unwrap();
    let ports: Vec<u16> = server.urls().unwrap().iter().map(|url| port(url)).collect();
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    assert_eq!(ports.len(), if has_ipv6 { 2 } else { 1 });
    assert!(ports.windows(2).all(|pair| pair.first() == pair.last()));
}

fn port(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn an_address_that_is_taken_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string().parse().unwrap();
    let error = server(directory.path()).listen(&address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    // Nor is half of what a name stands for enough.
    let port = taken.local_addr().unwrap().port();
    let name = format!("localhost:{port}").parse().unwrap();
    let error = server(directory.path()).listen(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_socket_is_for_its_owner_and_group_and_goes_with_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.sock");
    let mut server = server(directory.path());
    server.listen(&socket(&path)).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o660);
    run(server, || {
        let answer = ask(UnixStream::connect(&path).unwrap(), "any.example");
        assert!(answer.contains("200 OK"), "{answer}");
    });
    assert!(!path.exists());
}

#[test]
fn a_socket_that_took_the_place_of_a_servers_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.sock");
    let mut server = server(directory.path());
    server.listen(&socket(&path)).unwrap();
    std::fs::rename(&path, directory.path().join("old.sock")).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    run(server, || ());
    assert!(path.exists());
}

#[test]
fn a_socket_is_replaced_only_where_nobody_listens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.sock");
    let mut server = server(directory.path());
    let listening = UnixListener::bind(&path).unwrap();
    let error = server.listen(&socket(&path)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    drop(listening);
    server.listen(&socket(&path)).unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "text").unwrap();
    assert!(server.listen(&socket(&file)).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"text");
}
