//! What a response says: its status, its few headers that count, and its body, of a size that is
//! known beforehand.

use std::io::Read;
use std::time::Duration;

use serde::Deserialize;
use ureq::Body;
use ureq::http::Response;

use crate::error::{Error, ErrorKind, Result};

use super::retry::Fault;

/// So much of a refusal is read for its message, in bytes.
const MOST_OF_A_REFUSAL: u64 = 16 << 10;

/// So much of a message of a registry's is repeated.
const MOST_TOLD: usize = 300;

/// Returns the value of a header, where it is there once and is text.
pub(super) fn header<'r>(response: &'r Response<Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

/// Returns the number that a header is.
pub(super) fn number(response: &Response<Body>, name: &str) -> Option<u64> {
    header(response, name)?.trim().parse().ok()
}

/// Reads a body whole, of at most so many bytes.
pub(super) fn read_whole(
    response: Response<Body>,
    most: u64,
    what: &str,
) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut body = response.into_body().into_reader().take(most + 1);
    body.read_to_end(&mut bytes)
        .map_err(|e| Fault::cut(format!("reading {what}: {e}")))?;
    match bytes.len() as u64 > most {
        true => {
            let text = format!("{what} has more than {most} bytes");
            Err(Error::new(ErrorKind::Corrupt, text).into())
        }
        false => Ok(bytes),
    }
}

/// Returns what a response is, where its status is not one of those that were hoped for.
pub(super) fn refusal(response: Response<Body>, doing: &str) -> Fault {
    let status = response.status().as_u16();
    let after = header(&response, "retry-after").and_then(pause_of);
    let told = told(response);
    let (kind, advice) = match status {
        401 => (
            ErrorKind::PermissionDenied,
            "; `docker login` or `podman login` store credentials, --username takes a user",
        ),
        403 => (ErrorKind::PermissionDenied, ""),
        404 => (ErrorKind::NotFound, ""),
        429 => (ErrorKind::Busy, ""),
        _ => (ErrorKind::Network, ""),
    };
    let text = match told {
        Some(told) => format!("{doing}: status {status}: {told}{advice}"),
        None => format!("{doing}: status {status}{advice}"),
    };
    let error = Error::new(kind, text);
    match status {
        408 | 429 | 500 | 502 | 503 | 504 => Fault::Passing(error, after),
        _ => Fault::Final(error),
    }
}

/// Reads a `Retry-After`: seconds, or a date.
fn pause_of(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let left = date.timestamp().duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(left).unwrap_or_default())
}

/// Returns the messages of a refusal in the form of the specification, without what a terminal would
/// obey.
fn told(response: Response<Body>) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        errors: Vec<Reason>,
    }
    #[derive(Deserialize)]
    struct Reason {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let mut text = Vec::new();
    let mut body = response.into_body().into_reader().take(MOST_OF_A_REFUSAL);
    body.read_to_end(&mut text).ok()?;
    let refusal: Refusal = serde_json::from_slice(&text).ok()?;
    let reasons = refusal
        .errors
        .iter()
        .map(|reason| match reason.message.as_str() {
            "" => reason.code.to_ascii_lowercase(),
            message => message.to_owned(),
        });
    let told = reasons.collect::<Vec<_>>().join(", ");
    let clean = told.chars().filter(|c| !c.is_control()).take(MOST_TOLD);
    Some(clean.collect::<String>()).filter(|told| !told.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, text: &str) -> Response<Body> {
        let body = Body::builder().data(text);
        Response::builder().status(status).body(body).unwrap()
    }

    #[test]
    fn a_body_may_be_as_long_as_its_bound_and_no_longer() {
        let read = |text: &str| read_whole(response(200, text), 4, "it").map_err(Fault::into_error);
        assert_eq!(read("1234").ok().as_deref(), Some(b"1234".as_slice()));
        let longer = read("12345").map_err(|error| error.kind());
        assert_eq!(longer, Err(ErrorKind::Corrupt));
    }

    #[test]
    fn a_refusal_without_a_message_is_told_by_its_code() {
        let text = r#"{"errors":[{"code":"DENIED"},{"code":"X","message":"a\u001bb"}]}"#;
        let error = refusal(response(403, text), "asking").into_error();
        assert!(error.to_string().contains("denied, ab"), "{error}");
    }

    #[test]
    fn a_pause_is_seconds_or_a_date() {
        assert_eq!(pause_of(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(
            pause_of("Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(Duration::ZERO)
        );
        let far = pause_of("Wed, 21 Oct 2099 07:28:00 GMT").expect("it is a date");
        assert!(far > Duration::from_secs(3600 * 24 * 365));
        assert_eq!(pause_of("soon"), None);
    }
}
