//! Requests of clients of the HTTP API, in process.

use hyper::Request;
use hyper::header::USER_AGENT;
use modelkeep::{Result, Store};

use crate::options::bad;

/// A status, headers and a body.
pub(crate) type Reply = (u16, Vec<(String, String)>, String);

/// Returns the reply to a request: its method, its target and the name of its client.
///
/// # Errors
/// Where HTTP has no such request.
pub(crate) fn respond(
    store: &Store,
    [method, target, agent]: [&str; 3],
    body: &[u8],
) -> Result<Reply> {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(USER_AGENT, agent);
    let request = request
        .body(body)
        .map_err(|e| bad(format!("request: {e}")))?;
    let reply = modelkeep_http::reply_to(store, request);
    let headers = reply.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.to_string(), value.into_owned())
    });
    let headers = headers.collect();
    Ok((reply.status().as_u16(), headers, reply.into_body()))
}
