//! From a request to a reply.

use hyper::header::{ALLOW, CONTENT_TYPE, LOCATION};
use hyper::{HeaderMap, Method, StatusCode, http};
use modelkeep::Store;
use modelkeep::wire::{self, Answer};

/// A request whose body has arrived.
pub type Request = http::Request<Vec<u8>>;
/// A reply that is complete.
pub type Reply = http::Response<String>;

/// A path of the API.
enum Route<'a> {
    Root,
    Version,
    Tags,
    Show,
    Copy,
    Delete,
    Blob(&'a str),
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        Some(match path {
            "/" => Route::Root,
            "/api/version" => Route::Version,
            "/api/tags" => Route::Tags,
            "/api/show" => Route::Show,
            "/api/copy" => Route::Copy,
            "/api/delete" => Route::Delete,
            _ => Route::Blob(
                path.strip_prefix("/api/blobs/")
                    .filter(|rest| !rest.contains('/'))?,
            ),
        })
    }

    fn methods(&self) -> &'static [Method] {
        match self {
            Route::Root | Route::Version | Route::Tags => &[Method::GET, Method::HEAD],
            Route::Show | Route::Copy => &[Method::POST],
            Route::Delete => &[Method::DELETE],
            Route::Blob(_) => &[Method::HEAD],
        }
    }
}

/// Answers a request. Blocks while the store works.
pub fn answer(store: &Store, request: &Request) -> Reply {
    let path = request.uri().path();
    let Some(route) = Route::of(path) else {
        return elsewhere(request.method(), path);
    };
    if !route.methods().contains(request.method()) {
        let methods: Vec<&str> = route.methods().iter().map(Method::as_str).collect();
        let reply = text(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed");
        return with(reply, ALLOW, &methods.join(", "));
    }
    let body = request.body();
    match route {
        Route::Root => with(
            text(StatusCode::OK, "Ollama is running"),
            CONTENT_TYPE,
            "text/plain; charset=utf-8",
        ),
        Route::Version => json(wire::version()),
        Route::Tags => json(wire::tags(store)),
        Route::Show => json(wire::show(store, body, wants_basename(request.headers()))),
        Route::Copy => json(wire::copy(store, body)),
        Route::Delete => json(wire::delete(store, body)),
        Route::Blob(digest) => json(wire::has_blob(store, digest)),
    }
}

/// One client looks for the name that it asked for in the metadata.
fn wants_basename(headers: &HeaderMap) -> bool {
    let agent = headers.get(http::header::USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(b"GitHubCopilotChat/"))
}

/// A path that is none, or one with a slash too many: the reference sends its clients on.
fn elsewhere(method: &Method, path: &str) -> Reply {
    let trimmed = path
        .strip_suffix('/')
        .filter(|path| Route::of(path).is_some());
    let (status, name, to) = match (trimmed, clean(path)) {
        (Some(to), _) if method == Method::GET => (
            StatusCode::MOVED_PERMANENTLY,
            "Moved Permanently",
            to.to_owned(),
        ),
        (Some(to), _) => (
            StatusCode::TEMPORARY_REDIRECT,
            "Temporary Redirect",
            to.to_owned(),
        ),
        (None, Some(to)) => (StatusCode::TEMPORARY_REDIRECT, "Temporary Redirect", to),
        (None, None) => return text(StatusCode::NOT_FOUND, "404 page not found"),
    };
    let body = if method == Method::GET {
        format!("<a href=\"{to}\">{name}</a>.\n\n")
    } else {
        String::new()
    };
    let reply = with(text(status, &body), LOCATION, &to);
    with(reply, CONTENT_TYPE, "text/html; charset=utf-8")
}

/// The path without doubled slashes, where that is one of ours.
fn clean(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let cleaned = format!("/{}", parts.join("/"));
    (cleaned != path && Route::of(&cleaned).is_some()).then_some(cleaned)
}

/// What the store answers. A refusal is JSON even where `HEAD` leaves its text out.
fn json(answer: Answer) -> Reply {
    for problem in &answer.problems {
        let problem = problem.to_string();
        eprintln!("modelkeep: {}", modelkeep::printable(&problem));
    }
    let mut reply = Reply::new(answer.body);
    *reply.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if reply.body().is_empty() {
        return reply;
    }
    with(reply, CONTENT_TYPE, "application/json; charset=utf-8")
}

pub(crate) fn text(status: StatusCode, body: &str) -> Reply {
    let mut reply = Reply::new(body.to_owned());
    *reply.status_mut() = status;
    with(reply, CONTENT_TYPE, "text/plain")
}

pub(crate) fn refusal(status: StatusCode, text: &str) -> Reply {
    json(Answer::refusal(status.as_u16(), text))
}

/// Sets a header; a value that HTTP cannot carry is left out.
pub(crate) fn with(mut reply: Reply, name: http::HeaderName, value: &str) -> Reply {
    if let Ok(value) = value.parse() {
        reply.headers_mut().insert(name, value);
    }
    reply
}
