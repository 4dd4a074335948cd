//! A server on a store of its own, and clients that write raw requests.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use modelkeep::{Store, StoreOptions};
use modelkeep_http::{Limits, Log, Origins, Server};
use tokio::sync::oneshot;

pub const SHOW: &str = "POST /api/show HTTP/1.1\r\nhost: localhost";
/// Long enough that only a hang lasts longer.
const HANG: Duration = Duration::from_secs(20);

pub struct Running {
    pub address: SocketAddr,
    pub directory: tempfile::TempDir,
    end: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start(limits: Limits) -> Self {
        Self::start_with(limits, |options| options)
    }

    /// Starts a server whose requests are logged there.
    pub fn start_logged(limits: Limits, to: impl Write + Send + 'static) -> Self {
        Self::start_server(limits, to, |server| server)
    }

    /// Starts a server that is a registry, too.
    pub fn start_registry() -> Self {
        let limits = Limits::default();
        Self::start_server(limits, std::io::sink(), |server| server.registry(true))
    }

    /// Starts a server as `set` says, whose requests are logged there.
    pub fn start_server(
        limits: Limits,
        to: impl Write + Send + 'static,
        set: impl FnOnce(Server) -> Server,
    ) -> Self {
        let log = Log::new(to).unwrap().requests(true);
        Self::start_on(limits, log, |options| options, set)
    }

    /// Starts a server with a log that is as it is made.
    pub fn start_unlogged(to: impl Write + Send + 'static) -> Self {
        let log = Log::new(to).unwrap();
        Self::start_on(Limits::default(), log, |options| options, |server| server)
    }

    pub fn start_with(limits: Limits, with: impl FnOnce(StoreOptions) -> StoreOptions) -> Self {
        let log = Log::new(std::io::stderr()).unwrap();
        Self::start_on(limits, log, with, |server| server)
    }

    fn start_on(
        limits: Limits,
        log: Log,
        with: impl FnOnce(StoreOptions) -> StoreOptions,
        set: impl FnOnce(Server) -> Server,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = with(StoreOptions::new(directory.path()));
        let store = Store::open_with(options).unwrap();
        let server = Server::new(store, Origins::new(Vec::new()), limits, log).unwrap();
        let mut server = set(server);
        server.listen(&"127.0.0.1:0".parse().unwrap()).unwrap();
        let url = server.urls().unwrap().remove(0);
        let (end, told) = oneshot::channel::<()>();
        let (tell, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            server.run(async { drop(told.await) });
            tell.send(()).unwrap();
        });
        Running {
            address: url.strip_prefix("http://").unwrap().parse().unwrap(),
            directory,
            end: Some(end),
            ended,
            thread: Some(thread),
        }
    }

    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        Client(stream)
    }

    /// Sends a whole request on a connection of its own, and returns the whole answer.
    pub fn send(&self, head: &str, body: &str) -> String {
        let mut client = self.connect();
        let length = body.len();
        client.write(&format!(
            "{head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        client.rest()
    }

    /// Sends a request without a body, and returns the whole answer, which need not be text.
    pub fn send_for_bytes(&self, head: &str) -> Vec<u8> {
        let mut client = self.connect();
        client.write(&format!("{head}\r\nconnection: close\r\n\r\n"));
        let mut answer = Vec::new();
        client.0.read_to_end(&mut answer).unwrap();
        answer
    }

    pub fn status(&self, head: &str, body: &str) -> String {
        status(&self.send(head, body))
    }

    /// Makes a model whose manifest names nothing.
    pub fn model(&self, name: &str) -> std::path::PathBuf {
        let library = "manifests/registry.ollama.ai/library";
        let manifest = self
            .directory
            .path()
            .join(library)
            .join(name)
            .join("latest");
        std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
        std::fs::write(&manifest, "{}").unwrap();
        manifest
    }

    /// Tells the server to end, without waiting for it.
    pub fn tell_to_end(&mut self) {
        self.end.take().unwrap().send(()).unwrap();
    }

    pub fn wait(&mut self) {
        self.ended.recv_timeout(HANG).expect("the server ends");
        self.thread.take().unwrap().join().unwrap();
    }
}

pub fn status(answer: &str) -> String {
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// What was logged so far.
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct Client(TcpStream);

impl Client {
    pub fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// Writes where the server has not closed the connection yet.
    pub fn attempt(&mut self, text: &str) {
        let _ = self.0.write_all(text.as_bytes());
    }

    /// Returns what comes until the server closes the connection.
    pub fn rest(&mut self) -> String {
        let mut answer = Vec::new();
        match self.0.read_to_end(&mut answer) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            read => assert!(read.is_ok(), "{read:?} after {answer:?}"),
        }
        String::from_utf8(answer).unwrap()
    }

    /// Returns how many bytes come until the connection ends.
    pub fn count(&mut self) -> usize {
        let mut all = 0;
        let mut piece = vec![0; 64 << 10];
        while let Ok(read @ 1..) = self.0.read(&mut piece) {
            all += read;
        }
        all
    }

    /// Returns the head of the next answer.
    pub fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap()
    }
}
