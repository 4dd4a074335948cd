//! Which endpoint a request asks for, by its method and path.

use hyper::{Method, StatusCode, Uri};
use modelkeep::http_api::Api;

use crate::target;

/// What answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Root,
    Version,
    Tags,
    Show,
    Copy,
    Delete,
    Blob,
    Running,
    Models,
    Model,
    /// An endpoint of Ollama that is not served here, whose it is, and what to do instead.
    NotServed(Api, &'static str),
}

// Each ends the sentence "modelkeep keeps models and does not run them".
const RUN: &str = ": use `llama-server -m \"$(modelkeep path NAME)\"`, or Ollama itself on the same \
    store";
const CREATE: &str = ", nor create them over HTTP: use `modelkeep import FILE NAME`";
const EXCHANGE: &str = ", nor exchange them with a registry: use Ollama itself on the same store, or \
    `modelkeep export` and `modelkeep import` between machines";
const CLOUD: &str = ", nor speak to a cloud: use Ollama itself on the same store";

const fn ollama(what: &'static str) -> Endpoint {
    Endpoint::NotServed(Api::Ollama, what)
}

const OPENAI: Endpoint = Endpoint::NotServed(Api::OpenAi, RUN);

/// Every endpoint of Ollama, in the order of its `Allow` headers; a `*` stands for one segment.
const ROUTES: &[(Method, &str, Endpoint)] = &[
    (Method::HEAD, "/", Endpoint::Root),
    (Method::GET, "/", Endpoint::Root),
    (Method::HEAD, "/api/version", Endpoint::Version),
    (Method::GET, "/api/version", Endpoint::Version),
    (Method::HEAD, "/api/tags", Endpoint::Tags),
    (Method::GET, "/api/tags", Endpoint::Tags),
    (Method::POST, "/api/show", Endpoint::Show),
    (Method::POST, "/api/copy", Endpoint::Copy),
    (Method::DELETE, "/api/delete", Endpoint::Delete),
    (Method::HEAD, "/api/blobs/*", Endpoint::Blob),
    (Method::POST, "/api/blobs/*", ollama(CREATE)),
    (Method::POST, "/api/create", ollama(CREATE)),
    (Method::POST, "/api/pull", ollama(EXCHANGE)),
    (Method::POST, "/api/push", ollama(EXCHANGE)),
    (Method::GET, "/api/ps", Endpoint::Running),
    (Method::POST, "/api/generate", ollama(RUN)),
    (Method::POST, "/api/chat", ollama(RUN)),
    (Method::POST, "/api/embed", ollama(RUN)),
    (Method::POST, "/api/embeddings", ollama(RUN)),
    (Method::GET, "/api/status", ollama(CLOUD)),
    (Method::POST, "/api/me", ollama(CLOUD)),
    (Method::POST, "/api/signout", ollama(CLOUD)),
    (Method::DELETE, "/api/user/keys/*", ollama(CLOUD)),
    (Method::POST, "/api/experimental/web_search", ollama(CLOUD)),
    (Method::POST, "/api/experimental/web_fetch", ollama(CLOUD)),
    (
        Method::GET,
        "/api/experimental/model-recommendations",
        ollama(CLOUD),
    ),
    (Method::POST, "/v1/chat/completions", OPENAI),
    (Method::POST, "/v1/completions", OPENAI),
    (Method::POST, "/v1/embeddings", OPENAI),
    (Method::POST, "/v1/responses", OPENAI),
    (Method::POST, "/v1/audio/transcriptions", OPENAI),
    (
        Method::POST,
        "/v1/messages",
        Endpoint::NotServed(Api::Anthropic, RUN),
    ),
    (Method::GET, "/v1/models", Endpoint::Models),
    (Method::GET, "/v1/models/*", Endpoint::Model),
];

impl Endpoint {
    /// Returns whose API it belongs to.
    pub(crate) fn api(self) -> Api {
        match self {
            Endpoint::Models | Endpoint::Model => Api::OpenAi,
            Endpoint::NotServed(api, _) => api,
            _ => Api::Ollama,
        }
    }
}

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Routed {
    /// An endpoint, and the segment that stands for its `*`.
    Endpoint(Endpoint, String),
    /// What a registry has at a path, whatever the method.
    Registry(String),
    /// A path of another form of the same resource.
    Redirect(StatusCode, String),
    /// A path with other methods than this one.
    WrongMethod(String),
    /// No path of the API.
    Unknown,
    /// The server itself: `*`.
    Server,
    /// A malformed path.
    Malformed,
}

/// Routes a request as Ollama does: its multiplexer cleans the path as it is written, its router
/// then reads it decoded, and knows a path with a slash too many only under the same method. Where
/// the multiplexer sends a client on, it escapes the escapes that were written (Aug 2026).
pub(crate) fn route(method: &Method, uri: &Uri, is_registry: bool) -> Routed {
    let written = uri.path();
    if written == "*" {
        return Routed::Server;
    }
    let Some(path) = target::decode(written) else {
        return Routed::Malformed;
    };
    let cleaned = target::clean(written);
    if cleaned != written && *method != Method::CONNECT {
        let query = uri.query().filter(|query| !query.is_empty());
        let to = with_query(target::encode(cleaned.as_bytes()), query);
        return Routed::Redirect(StatusCode::TEMPORARY_REDIRECT, to);
    }
    if is_registry && let Some(rest) = below(&path, b"/v2") {
        return Routed::Registry(rest);
    }
    find(method, &path).unwrap_or_else(|| missed(method, &path, uri))
}

/// Returns what a path has below another.
fn below(path: &[u8], top: &[u8]) -> Option<String> {
    let rest = match path.strip_prefix(top)? {
        [] => &[],
        [b'/', rest @ ..] => rest,
        _ => return None,
    };
    Some(String::from_utf8_lossy(rest).into_owned())
}

fn find(method: &Method, path: &[u8]) -> Option<Routed> {
    let routes = ROUTES.iter().filter(|(known, ..)| known == method);
    let mut found = routes.filter_map(|(_, pattern, endpoint)| {
        let segment = segment(pattern, path)?;
        Some(Routed::Endpoint(*endpoint, segment))
    });
    found.next()
}

fn missed(method: &Method, path: &[u8], uri: &Uri) -> Routed {
    let shorter = path.strip_suffix(b"/");
    if let Some(shorter) = shorter.filter(|path| find(method, path).is_some()) {
        let status = match *method {
            Method::GET => StatusCode::MOVED_PERMANENTLY,
            _ => StatusCode::TEMPORARY_REDIRECT,
        };
        let to = format!("{}{}", base(uri), target::encode(shorter));
        return Routed::Redirect(status, with_query(to, uri.query()));
    }
    let routes = ROUTES
        .iter()
        .filter(|(_, pattern, _)| segment(pattern, path).is_some());
    let methods: Vec<&str> = routes.map(|(method, ..)| method.as_str()).collect();
    if methods.is_empty() {
        return Routed::Unknown;
    }
    Routed::WrongMethod(methods.join(", "))
}

/// Returns what stands for the `*` of a pattern that a path matches, or nothing where it has none.
fn segment(pattern: &str, path: &[u8]) -> Option<String> {
    let Some(start) = pattern.strip_suffix('*') else {
        return (pattern.as_bytes() == path).then(String::new);
    };
    let rest = path.strip_prefix(start.as_bytes())?;
    let is_one = !rest.is_empty() && !rest.contains(&b'/');
    is_one.then(|| String::from_utf8_lossy(rest).into_owned())
}

/// Returns what stands before the path of an absolute target.
fn base(uri: &Uri) -> String {
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => String::new(),
    }
}

fn with_query(path: String, query: Option<&str>) -> String {
    match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(method: Method, path: &str) -> Routed {
        route(&method, &path.parse().unwrap(), false)
    }

    #[test]
    fn a_path_is_read_decoded() {
        let blob = Routed::Endpoint(Endpoint::Blob, "sha256:a".to_owned());
        assert_eq!(routed(Method::HEAD, "/api/blobs/sha256%3Aa"), blob);
        let tags = Routed::Endpoint(Endpoint::Tags, String::new());
        assert_eq!(routed(Method::GET, "/%61pi%2Ftags?x=%zz"), tags);
        assert_eq!(routed(Method::GET, "/api/tags%zz"), Routed::Malformed);
    }

    #[test]
    fn a_slash_too_many_is_known_under_the_same_method_only() {
        let to = |status, path: &str| Routed::Redirect(status, path.to_owned());
        let moved = to(StatusCode::MOVED_PERMANENTLY, "/api/tags?a=b");
        assert_eq!(routed(Method::GET, "/api/tags/?a=b"), moved);
        let temporary = to(StatusCode::TEMPORARY_REDIRECT, "/api/version");
        assert_eq!(routed(Method::HEAD, "/api/version/"), temporary);
        assert_eq!(routed(Method::DELETE, "/api/version/"), Routed::Unknown);
        let absolute = to(StatusCode::MOVED_PERMANENTLY, "http://a:1/api/tags");
        assert_eq!(routed(Method::GET, "http://a:1/api/tags/"), absolute);
        let cleaned = |path: &str| to(StatusCode::TEMPORARY_REDIRECT, path);
        assert_eq!(routed(Method::GET, "/x/../api/tags?"), cleaned("/api/tags"));
        assert_eq!(routed(Method::GET, "//api/tags?a"), cleaned("/api/tags?a"));
        assert_eq!(routed(Method::HEAD, "/api/blobs/"), Routed::Unknown);
    }

    #[test]
    fn a_wrong_method_learns_the_right_ones() {
        let allowed = |methods: &str| Routed::WrongMethod(methods.to_owned());
        assert_eq!(routed(Method::PUT, "/api/tags"), allowed("HEAD, GET"));
        assert_eq!(routed(Method::GET, "/api/blobs/x"), allowed("HEAD, POST"));
        assert_eq!(routed(Method::GET, "/api/create"), allowed("POST"));
    }
}
