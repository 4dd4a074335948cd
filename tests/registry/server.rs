//! A registry on loopback that does what a test wants, good and bad.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use modelkeep::Digest;

/// A request, as far as a registry looks at it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// With its query.
    pub target: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first byte and the one after the last that are asked for.
    pub fn range(&self, size: usize) -> Option<(usize, usize)> {
        let (first, last) = self
            .header("range")?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let last = last.parse().unwrap_or(size - 1);
        Some((first.parse().unwrap(), size.min(last + 1)))
    }

    pub fn is_blob(&self) -> bool {
        self.method == "GET" && self.target.contains("/blobs/")
    }

    pub fn is_manifest(&self) -> bool {
        self.method == "GET" && self.target.contains("/manifests/")
    }
}

/// What is sent back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// After so many bytes of the body nothing more comes.
    pub ends_after: Option<usize>,
    /// How long the connection stays open then.
    pub stalls: Duration,
    /// In place of the true length.
    pub length: Option<usize>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply {
            status,
            headers: Vec::new(),
            body: body.into(),
            ends_after: None,
            stalls: Duration::ZERO,
            length: None,
        }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn ends_after(mut self, bytes: usize) -> Self {
        self.ends_after = Some(bytes);
        self
    }

    fn send(&self, to: &mut TcpStream, has_body: bool) -> std::io::Result<bool> {
        let mut head = format!("HTTP/1.1 {} x\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let length = self.length.unwrap_or(self.body.len());
        if self.status != 204 {
            head += &format!("content-length: {length}\r\n");
        }
        head += "\r\n";
        to.write_all(head.as_bytes())?;
        if has_body {
            let end = self
                .ends_after
                .unwrap_or(self.body.len())
                .min(self.body.len());
            for piece in self.body[..end].chunks(1 << 16) {
                to.write_all(piece)?;
            }
        }
        to.flush()?;
        thread::sleep(self.stalls);
        Ok(self.ends_after.is_none() && length == self.body.len())
    }
}

/// What a registry has, and what was asked of it.
#[derive(Default)]
pub struct Shelf {
    pub manifests: Mutex<HashMap<String, Vec<u8>>>,
    pub blobs: Mutex<HashMap<Digest, Vec<u8>>>,
    /// Uploads that have begun, by number.
    pub uploads: Mutex<Vec<Vec<u8>>>,
    pub asked: Mutex<Vec<Request>>,
}

impl Shelf {
    /// How many requests were of some kind.
    pub fn count(&self, is_one: impl Fn(&Request) -> bool) -> usize {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .filter(|it| is_one(it))
            .count()
    }

    /// Answers as a registry should.
    pub fn answer(&self, request: &Request) -> Reply {
        let path = request.target.split('?').next().unwrap();
        if path == "/v2/" {
            return Reply::new(200, "{}");
        }
        if path.contains("/blobs/uploads/") {
            return self.upload(request, path);
        }
        let last = path.rsplit('/').next().unwrap();
        if path.contains("/blobs/") {
            let blobs = self.blobs.lock().unwrap();
            let Some(blob) = last
                .parse()
                .ok()
                .and_then(|digest: Digest| blobs.get(&digest))
            else {
                return Reply::new(404, r#"{"errors":[{"code":"BLOB_UNKNOWN"}]}"#);
            };
            return match request.range(blob.len()) {
                None => Reply::new(200, blob.clone()),
                Some((from, to)) => {
                    let range = format!("bytes {from}-{}/{}", to - 1, blob.len());
                    Reply::new(206, &blob[from..to]).header("content-range", range)
                }
            };
        }
        let mut manifests = self.manifests.lock().unwrap();
        if request.method == "PUT" {
            manifests.insert(last.to_owned(), request.body.clone());
            return Reply::new(201, "");
        }
        match manifests.get(last) {
            Some(manifest) => Reply::new(200, manifest.clone()),
            None => {
                let refusal =
                    r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
                Reply::new(404, refusal)
            }
        }
    }

    fn upload(&self, request: &Request, path: &str) -> Reply {
        let mut uploads = self.uploads.lock().unwrap();
        let number = path.rsplit('/').next().unwrap().parse::<usize>();
        let Ok(number) = number else {
            uploads.push(Vec::new());
            let place = format!("{path}{}?state=x", uploads.len() - 1);
            return Reply::new(202, "").header("location", place);
        };
        let upload = &mut uploads[number];
        if matches!(request.method.as_str(), "PATCH" | "PUT") {
            // Each answer says where the next bytes go.
            let state = request.target.split("state=").nth(1).unwrap_or_default();
            let state = state.split('&').next().unwrap_or_default();
            let begins = upload.is_empty() && state == "x";
            if !begins && state != upload.len().to_string() {
                return Reply::new(404, r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#);
            }
        }
        upload.extend(&request.body);
        let place = format!("{path}?state={}", upload.len());
        let range = format!("0-{}", upload.len().saturating_sub(1));
        match request.method.as_str() {
            "PATCH" => Reply::new(202, "").header("location", place),
            "GET" => Reply::new(204, "")
                .header("location", place)
                .header("range", range),
            _ => {
                let digest = request
                    .target
                    .split("digest=")
                    .nth(1)
                    .unwrap()
                    .parse()
                    .unwrap();
                if Digest::of(upload) != digest {
                    return Reply::new(400, r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#);
                }
                self.blobs.lock().unwrap().insert(digest, upload.clone());
                Reply::new(201, "")
            }
        }
    }
}

type Behavior = dyn Fn(&Shelf, &Request) -> Reply + Send + Sync;
type Cuts = dyn Fn(&Shelf, &Request) -> Option<usize> + Send + Sync;

/// A registry that listens until it is dropped.
pub struct Server {
    pub shelf: Arc<Shelf>,
    address: SocketAddr,
    ends: Arc<AtomicBool>,
}

impl Server {
    pub fn new(behavior: impl Fn(&Shelf, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Server::cutting(behavior, |_, _| None)
    }

    /// `cuts` says after how many bytes of a request's body the connection ends.
    pub fn cutting(
        behavior: impl Fn(&Shelf, &Request) -> Reply + Send + Sync + 'static,
        cuts: impl Fn(&Shelf, &Request) -> Option<usize> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shelf = Arc::new(Shelf::default());
        let ends = Arc::new(AtomicBool::new(false));
        let (given, stop) = (shelf.clone(), ends.clone());
        let behavior: Arc<Behavior> = Arc::new(behavior);
        let cuts: Arc<Cuts> = Arc::new(cuts);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (shelf, behavior, cuts) = (given.clone(), behavior.clone(), cuts.clone());
                thread::spawn(move || {
                    let _ = serve(stream, &shelf, &*behavior, &*cuts);
                });
            }
        });
        Server {
            shelf,
            address,
            ends,
        }
    }

    /// A registry as it should be.
    pub fn good() -> Self {
        Server::new(Shelf::answer)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The reference of a tag.
    pub fn reference(&self, tag: &str) -> String {
        format!("127.0.0.1:{}/team/model:{tag}", self.port())
    }

    /// Puts a model on the shelf, with these layers; returns the manifest.
    pub fn model(&self, tag: &str, layers: &[&[u8]]) -> Vec<u8> {
        let config = br#"{"model_format":"gguf"}"#.as_slice();
        let describe = |media: &str, blob: &[u8]| {
            let digest = self.blob(blob);
            format!(
                r#"{{"mediaType":"{media}","digest":"{digest}","size":{}}}"#,
                blob.len()
            )
        };
        let config = describe("application/vnd.docker.container.image.v1+json", config);
        let media = "application/vnd.ollama.image.model";
        let layers: Vec<String> = layers.iter().map(|layer| describe(media, layer)).collect();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{config},"layers":[{}]}}"#,
            layers.join(",")
        );
        self.manifest(tag, manifest.as_bytes());
        manifest.into_bytes()
    }

    /// Puts a blob on the shelf.
    pub fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let mut blobs = self.shelf.blobs.lock().unwrap();
        blobs.insert(digest, bytes.to_vec());
        digest
    }

    pub fn manifest(&self, tag: &str, manifest: &[u8]) {
        let mut manifests = self.shelf.manifests.lock().unwrap();
        manifests.insert(tag.to_owned(), manifest.to_vec());
        manifests.insert(Digest::of(manifest).to_string(), manifest.to_vec());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    mut stream: TcpStream,
    shelf: &Shelf,
    behavior: &Behavior,
    cuts: &Cuts,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(());
        };
        let mut request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            ..Request::default()
        };
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            let name = name.to_ascii_lowercase();
            request.headers.insert(name, value.trim().to_owned());
        }
        let length = request
            .header("content-length")
            .map_or(0, |it| it.parse().unwrap());
        let cut = cuts(shelf, &request);
        let taken = cut.unwrap_or(length).min(length);
        request.body = vec![0; taken];
        reader.read_exact(&mut request.body)?;
        shelf.asked.lock().unwrap().push(request.clone());
        if cut.is_some() {
            // What came is kept, as registries do.
            let _ = shelf.answer(&request);
            return Ok(());
        }
        let goes_on = behavior(shelf, &request).send(&mut stream, request.method != "HEAD")?;
        if !goes_on {
            return stream.shutdown(std::net::Shutdown::Both);
        }
    }
}
