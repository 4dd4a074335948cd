//! The reading part of a registry: the engine's responses as HTTP has them, with parts of blobs, and
//! with the redirect that Ollama waits for.

use http_range_header::parse_range_header;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_RANGE, LINK,
    LOCATION, RANGE, USER_AGENT,
};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, http};
use modelkeep::http_api::{RegistryBody, RegistryResponse, registry, registry_through};
use modelkeep::{Digest, Store, Upstream};

use crate::host;
use crate::payload::{Part, Payload};
use crate::reply::with;

/// A reply of a registry.
pub(crate) type Reply = http::Response<Payload>;

const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What a target has that was redirected, and is not again.
const DIRECT: &str = "direct";

/// What is asked of a registry.
pub(crate) struct Question {
    /// The path after `/v2/`.
    path: String,
    query: String,
    method: Method,
    headers: HeaderMap,
    host: String,
}

impl Question {
    /// Returns what a request asks; `path` is what stands after `/v2/` in its path.
    pub(crate) fn new(head: &Parts, path: String) -> Self {
        Question {
            path,
            query: head.uri.query().unwrap_or_default().to_owned(),
            method: head.method.clone(),
            headers: head.headers.clone(),
            host: host::host(head).unwrap_or_default().to_owned(),
        }
    }

    /// Asks the store, and the registry behind it where there is one. Opens a file, and reads none but
    /// manifests.
    pub(crate) fn answer(&self, store: &Store, upstream: Option<&Upstream>) -> Reply {
        let response = match self.method {
            Method::GET | Method::HEAD => match upstream {
                Some(upstream) => registry_through(upstream, &self.path, &self.query),
                None => registry(store, &self.path, &self.query),
            },
            _ => RegistryResponse::read_only(),
        };
        let reply = head(&response);
        match response.body {
            RegistryBody::Blob(blob) => self.blob(reply, response.digest, Part::whole(blob)),
            body => text(reply, body),
        }
    }

    fn blob(&self, reply: http::Response<()>, digest: Option<Digest>, part: Part) -> Reply {
        if let Some(to) = self.elsewhere() {
            let reply = with(reply, LOCATION, &to).map(|()| Payload::Bytes(Vec::new()));
            return status(reply, StatusCode::TEMPORARY_REDIRECT);
        }
        let tag = digest
            .map(|digest| format!("\"{digest}\""))
            .unwrap_or_default();
        let reply = with(with(reply, ACCEPT_RANGES, "bytes"), ETAG, &tag);
        self.cut(reply, &tag, part)
    }

    /// Returns the part of a blob that is asked for. Who asks for several, or for none that can be
    /// read, gets the whole, as the specification of HTTP lets a server do.
    fn cut(&self, reply: http::Response<()>, tag: &str, part: Part) -> Reply {
        let whole = |part| reply.clone().map(|()| Payload::Part(part));
        let stale = self.text(IF_RANGE).is_some_and(|known| known != tag);
        let range = self
            .text(RANGE)
            .filter(|_| !stale && self.method == Method::GET);
        let Some(Ok(ranges)) = range.map(parse_range_header) else {
            return whole(part);
        };
        let size = part.length;
        match ranges.validate(size).as_deref() {
            Ok([range]) => {
                let (start, end) = (*range.start(), *range.end());
                let cut = format!("bytes {start}-{end}/{size}");
                let part = Part {
                    start,
                    length: (end - start).saturating_add(1),
                    ..part
                };
                let reply = with(whole(part), CONTENT_RANGE, &cut);
                status(reply, StatusCode::PARTIAL_CONTENT)
            }
            Ok(_) => whole(part),
            Err(_) => {
                let reply = reply.clone().map(|()| Payload::Bytes(Vec::new()));
                let reply = with(reply, CONTENT_RANGE, &format!("bytes */{size}"));
                status(reply, StatusCode::RANGE_NOT_SATISFIABLE)
            }
        }
    }

    /// Returns where Ollama is sent for a blob. It downloads only from where a redirect leads to a
    /// host of another name (download.go, Aug 2026), so it is the same host, spelled otherwise.
    fn elsewhere(&self) -> Option<String> {
        let is_ollama = self.text(USER_AGENT)?.starts_with("ollama/");
        let is_first = !self.query.split('&').any(|part| part == DIRECT);
        if !is_ollama || !is_first || self.method != Method::GET || self.text(RANGE).is_some() {
            return None;
        }
        let host = host::respelled(&self.host)?;
        Some(format!("//{host}/v2/{}?{DIRECT}", self.path))
    }

    fn text(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Returns a refusal, in the form of the specification.
pub(crate) fn refusal(response: RegistryResponse) -> Reply {
    text(head(&response), response.body)
}

fn text(reply: http::Response<()>, body: RegistryBody) -> Reply {
    let bytes = match body {
        RegistryBody::Bytes(bytes) => bytes,
        _ => Vec::new(),
    };
    reply.map(|()| Payload::Bytes(bytes))
}

/// Returns the reply without its body.
fn head(response: &RegistryResponse) -> http::Response<()> {
    let status = StatusCode::from_u16(response.status);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = http::Response::new(());
    *reply.status_mut() = status;
    reply = with(reply, VERSION, "registry/2.0");
    reply = with(reply, CONTENT_TYPE, &response.content_type);
    if let Some(digest) = &response.digest {
        reply = with(reply, DIGEST, &digest.to_string());
    }
    if let Some(next) = &response.next {
        reply = with(reply, LINK, &format!("<{next}>; rel=\"next\""));
    }
    match status {
        StatusCode::METHOD_NOT_ALLOWED => with(reply, ALLOW, "GET, HEAD"),
        _ => reply,
    }
}

fn status(mut reply: Reply, status: StatusCode) -> Reply {
    *reply.status_mut() = status;
    reply
}
