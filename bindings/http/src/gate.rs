//! What the head of a request decides before its body is read.

use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, EXPECT, TRANSFER_ENCODING, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use modelkeep::http_api::Basename;

use crate::host::{self, Place};
use crate::origin::{Origins, Page};
use crate::reply::{Reply, empty, malformed, redirect, refusal, text, with, wrong_method};
use crate::router::{Endpoint, Routed, route};

/// A request that is to be answered from the store, or about it.
pub(crate) struct Call<'a> {
    pub endpoint: Endpoint,
    /// The segment of the path that names a blob, or all of it that a registry reads.
    pub segment: String,
    /// Where the client looks for the name that it asked for.
    pub basename: Basename,
    pub page: Page<'a>,
}

/// Who may ask a server, and for what.
pub(crate) struct Rules<'s> {
    pub origins: &'s Origins,
    /// Whether the host of a request has to be this machine.
    pub checks_host: bool,
    /// Whether there is a registry.
    pub is_registry: bool,
}

/// Decides who may ask, and for what, in the order of Ollama: redirects come before the checks of
/// origin and host, unknown paths and wrong methods after them.
///
/// # Errors
/// The reply to a request that is not answered from the store.
pub(crate) fn admit<'a>(head: &'a Parts, rules: &Rules<'_>) -> Result<Call<'a>, Box<Reply>> {
    let routed = route(&head.method, &head.uri, rules.is_registry);
    let host = framing(head, &routed)?;
    let allow = |reply| match &routed {
        Routed::WrongMethod(allowed) => with(reply, ALLOW, allowed),
        _ => reply,
    };
    match &routed {
        Routed::Server if is_options(head) => return Err(empty(StatusCode::OK).into()),
        Routed::Server => return Err(empty(StatusCode::BAD_REQUEST).into()),
        Routed::Redirect(status, to) => return Err(redirect(&head.method, *status, to).into()),
        _ => {}
    }
    let page = check(head, host, rules).map_err(|reply| allow(*reply))?;
    match served(routed) {
        Ok((endpoint, segment)) => Ok(Call {
            endpoint,
            segment,
            basename: basename(head),
            page,
        }),
        Err(reply) => Err(page.mark(*reply).into()),
    }
}

/// Returns the endpoint of a path that is no redirect, and the segment that stands for its `*`.
///
/// # Errors
/// The reply to a path or a method that is none of the API's.
pub(crate) fn served(routed: Routed) -> Result<(Endpoint, String), Box<Reply>> {
    match routed {
        Routed::Endpoint(endpoint, segment) => Ok((endpoint, segment)),
        Routed::WrongMethod(allowed) => Err(wrong_method(&allowed).into()),
        _ => Err(text(StatusCode::NOT_FOUND, "404 page not found").into()),
    }
}

/// Returns the host of a request that keeps the rules of HTTP, checked in the order of Go's server.
fn framing<'a>(head: &'a Parts, routed: &Routed) -> Result<&'a str, Box<Reply>> {
    if *routed == Routed::Malformed {
        return Err(malformed("malformed path").into());
    }
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let (coding, second) = (codings.next(), codings.next());
    let is_chunked = coding.is_none_or(|text| text.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if !is_chunked || second.is_some() {
        let reply = text(StatusCode::NOT_IMPLEMENTED, "Unsupported transfer encoding");
        let reply = with(reply, CONTENT_TYPE, "text/plain; charset=utf-8");
        return Err(with(reply, CONNECTION, "close").into());
    }
    let host = host::host(head).map_err(malformed)?;
    let mut expected = head.headers.get(EXPECT).into_iter();
    if expected.any(|text| !text.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err(empty(StatusCode::EXPECTATION_FAILED).into());
    }
    Ok(host)
}

/// Returns whose page asks, where it may.
fn check<'a>(head: &'a Parts, host: &str, rules: &Rules<'_>) -> Result<Page<'a>, Box<Reply>> {
    let page = rules.origins.page(&head.headers, host).map_err(|origin| {
        let why =
            format!("pages of {origin:?} may not ask: OLLAMA_ORIGINS or --origin admits them");
        refusal(StatusCode::FORBIDDEN, &why)
    })?;
    if page != Page::None && is_options(head) {
        return Err(page.preflight().into());
    }
    match Place::of(host) {
        _ if !rules.checks_host => Ok(page),
        Place::Elsewhere => {
            let why = format!("{host:?} is no name of this machine: use localhost, or its address");
            Err(page.mark(refusal(StatusCode::FORBIDDEN, &why)).into())
        }
        Place::Name if is_options(head) => Err(empty(StatusCode::NO_CONTENT).into()),
        Place::Name | Place::Address => Ok(page),
    }
}

fn is_options(head: &Parts) -> bool {
    head.method == Method::OPTIONS
}

pub(crate) fn basename(head: &Parts) -> Basename {
    match head.headers.get(USER_AGENT) {
        Some(agent) if agent.as_bytes().starts_with(b"GitHubCopilotChat/") => Basename::AsAsked,
        _ => Basename::OfFile,
    }
}
