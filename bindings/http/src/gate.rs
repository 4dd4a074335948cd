//! What the head of a request decides before its body is read.

use hyper::header::{
    ALLOW, CONNECTION, CONTENT_TYPE, EXPECT, RETRY_AFTER, TRANSFER_ENCODING, USER_AGENT,
    WWW_AUTHENTICATE,
};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, http};
use modelkeep::http_api::{Basename, RegistryResponse, Response};

use crate::auth::{Authenticator, Refusal};
use crate::host::{self, Place};
use crate::origin::{Origins, Page};
use crate::payload::Payload;
use crate::registry;
use crate::reply::{
    Reply, empty, json, malformed, redirect, refusal, text, whole, with, wrong_method,
};
use crate::router::{Endpoint, Routed, route};

/// A request that is to be answered from the store, or about it.
pub(crate) struct Call<'a> {
    pub target: Target,
    /// Where the client looks for the name that it asked for.
    pub basename: Basename,
    pub page: Page<'a>,
}

/// What is asked for.
pub(crate) enum Target {
    /// An endpoint, and the segment that stands for the `*` of its path.
    Endpoint(Endpoint, String),
    /// What the registry has at a path.
    Registry(String),
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
    let target = match routed {
        Routed::Registry(path) => Ok(Target::Registry(path)),
        routed => served(routed).map(|(endpoint, segment)| Target::Endpoint(endpoint, segment)),
    };
    Ok(Call {
        target: target.map_err(|reply| Box::new(page.mark(*reply)))?,
        basename: basename(head),
        page,
    })
}

/// Decides who asks. That a server is there is told to everybody.
///
/// # Errors
/// The reply to whoever is not admitted, or not yet.
pub(crate) async fn authenticate(
    head: &Parts,
    target: &Target,
    by: &Authenticator,
) -> Result<(), Box<http::Response<Payload>>> {
    if matches!(target, Target::Endpoint(Endpoint::Root, _)) {
        return Ok(());
    }
    let Err(refusal) = by.authenticate(&head.headers).await else {
        return Ok(());
    };
    let mut reply = refused(target, refusal);
    match refusal {
        Refusal::Busy => reply = with(reply, RETRY_AFTER, "1"),
        Refusal::Unauthorized => by.credentials().challenges().for_each(|challenge| {
            reply.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }),
    }
    Err(reply.into())
}

fn refused(target: &Target, refusal: Refusal) -> http::Response<Payload> {
    let (status, text) = match refusal {
        Refusal::Unauthorized => (401, "authentication required"),
        Refusal::Busy => (429, "too many passwords are being compared: try again"),
    };
    match (target, refusal) {
        (Target::Endpoint(endpoint, _), _) => {
            whole(json(Response::refusal_of(endpoint.api(), status, text)))
        }
        (Target::Registry(_), Refusal::Unauthorized) => {
            registry::refusal(RegistryResponse::unauthorized(text))
        }
        (Target::Registry(_), Refusal::Busy) => {
            registry::refusal(RegistryResponse::too_many_requests(text))
        }
    }
}

/// Refuses what would change the store.
///
/// # Errors
/// The reply.
pub(crate) fn forbid_changes(target: &Target) -> Result<(), Box<http::Response<Payload>>> {
    match target {
        Target::Endpoint(Endpoint::Copy | Endpoint::Delete, _) => {
            let why =
                "a registry is read-only to its clients: --allow-changes admits copy and delete";
            Err(whole(refusal(StatusCode::FORBIDDEN, why)).into())
        }
        _ => Ok(()),
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
