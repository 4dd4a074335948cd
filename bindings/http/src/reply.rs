//! Replies, complete before they are sent.

use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, LOCATION};
use hyper::{Method, StatusCode, http};
use modelkeep::http_api::Response;

use crate::payload::Payload;

/// A reply that is complete.
pub(crate) type Reply = http::Response<String>;

/// Returns a reply whose body is in memory.
pub(crate) fn whole(reply: Reply) -> http::Response<Payload> {
    reply.map(|text| Payload::Bytes(text.into_bytes()))
}

/// Returns the reply of the engine. A refusal is JSON even where `HEAD` leaves its text out.
pub(crate) fn json(response: Response) -> Reply {
    let status = StatusCode::from_u16(response.status);
    let content_type = response.content_type;
    let mut reply = Reply::new(response.body);
    *reply.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if reply.body().is_empty() {
        return reply;
    }
    with(reply, CONTENT_TYPE, content_type)
}

/// Returns `{"error": text}`.
pub(crate) fn refusal(status: StatusCode, text: &str) -> Reply {
    json(Response::refusal(status.as_u16(), text))
}

/// Returns a reply without a body or a content type.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Reply::new(String::new());
    *reply.status_mut() = status;
    reply
}

pub(crate) fn text(status: StatusCode, body: &str) -> Reply {
    with(
        empty(status).map(|_| body.to_owned()),
        CONTENT_TYPE,
        "text/plain",
    )
}

/// Returns the refusal of a head that breaks the rules of HTTP: nothing after it can be trusted.
pub(crate) fn malformed(why: &str) -> Reply {
    let reply = text(StatusCode::BAD_REQUEST, &format!("400 Bad Request: {why}"));
    with(reply, CONNECTION, "close")
}

pub(crate) fn wrong_method(allowed: &str) -> Reply {
    let reply = text(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed");
    with(reply, ALLOW, allowed)
}

/// Returns a redirect as Go writes it: an HTML body for `GET`, its type for `HEAD`, else neither.
pub(crate) fn redirect(method: &Method, status: StatusCode, to: &str) -> Reply {
    let reply = with(empty(status), LOCATION, to);
    if !matches!(*method, Method::GET | Method::HEAD) {
        return reply;
    }
    let name = status.canonical_reason().unwrap_or_default();
    let body = format!("<a href=\"{}\">{name}</a>.\n\n", escaped(to));
    with(
        reply.map(|_| body),
        CONTENT_TYPE,
        "text/html; charset=utf-8",
    )
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('>', "&gt;").replace('"', "&#34;");
    text.replace('\'', "&#39;")
}

/// Sets a header; a value that HTTP cannot carry is left out.
pub(crate) fn with<B>(
    mut reply: http::Response<B>,
    name: HeaderName,
    value: &str,
) -> http::Response<B> {
    if let Ok(value) = value.parse() {
        reply.headers_mut().insert(name, value);
    }
    reply
}
