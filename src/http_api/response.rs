//! Responses, and how each API words a refusal.

use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::go::json;
use crate::name::MalformedDigest;
use crate::store::Problem;

/// Whose API an endpoint belongs to: each words its refusals in its own way.
///
/// ```
/// use modelkeep::http_api::{Api, Response};
///
/// let response = Response::refusal_of(Api::OpenAi, 404, "no");
/// assert!(response.body.starts_with(r#"{"error":{"message":"no","type":"not_found_error""#));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Api {
    /// Ollama's own, under `/api/`: `{"error": text}`.
    #[default]
    Ollama,
    /// That of OpenAI, under `/v1/`: `{"error": {"message": text, "type": ...}}`.
    OpenAi,
    /// That of Anthropic, at `/v1/messages`: `{"type": "error", "error": {"message": text, ...}}`.
    Anthropic,
}

/// The response to a request.
///
/// ```
/// use modelkeep::http_api::Response;
///
/// let response = Response::refusal(400, "no");
/// assert_eq!((response.status, response.body.as_str()), (400, r#"{"error":"no"}"#));
/// assert_eq!(response.content_type, "application/json; charset=utf-8");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "a response has to be sent"]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body, where there is one.
    pub content_type: &'static str,
    /// The body: JSON, or nothing.
    pub body: String,
    /// What was passed over, for the log of a host.
    pub problems: Vec<Problem>,
}

impl Response {
    pub(super) fn ok(body: String) -> Self {
        Response {
            status: 200,
            content_type: "application/json; charset=utf-8",
            body,
            problems: Vec::new(),
        }
    }

    /// Returns a value as Ollama's middleware for other APIs writes it: its type names no character
    /// set, and a line feed ends it (Aug 2026).
    pub(super) fn line(status: u16, value: &impl Serialize) -> Self {
        Response {
            status,
            content_type: "application/json",
            ..Response::ok(json::to_string(value) + "\n")
        }
    }

    /// Returns a refusal of Ollama's own API: `{"error": text}`.
    pub fn refusal(status: u16, text: &str) -> Self {
        #[derive(Serialize)]
        struct Refusal<'a> {
            error: &'a str,
        }
        Response {
            status,
            ..Response::ok(json::to_string(&Refusal { error: text }))
        }
    }

    /// Returns a refusal in the form of an API.
    pub fn refusal_of(api: Api, status: u16, text: &str) -> Self {
        match api {
            Api::Ollama => Response::refusal(status, text),
            Api::OpenAi => openai_refusal(status, text),
            Api::Anthropic => anthropic_refusal(status, text),
        }
    }

    pub(super) fn invalid(text: &str) -> Self {
        Response::refusal(400, text)
    }

    /// Returns the refusal that stands for an error.
    pub(super) fn error(error: &Error) -> Self {
        let (status, text) = words(error);
        Response::refusal(status, &text)
    }
}

/// Returns the status of an error and its text: the plain one where a person is to blame, all of it
/// otherwise.
pub(super) fn words(error: &Error) -> (u16, String) {
    let is_plain = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidName);
    let text = match is_plain || error.cause_of::<MalformedDigest>().is_some() {
        true => error.context().to_owned(),
        false => error.to_string(),
    };
    (error.kind().http_status(), text)
}

/// Returns what both APIs call a kind of refusal.
fn kind(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        404 => "not_found_error",
        _ => "api_error",
    }
}

fn openai_refusal(status: u16, message: &str) -> Response {
    #[derive(Serialize)]
    struct Refusal<'a> {
        error: Fault<'a>,
    }
    #[derive(Serialize)]
    struct Fault<'a> {
        message: &'a str,
        r#type: &'static str,
        param: Option<()>,
        code: Option<()>,
    }
    let error = Fault {
        message,
        r#type: kind(status),
        param: None,
        code: None,
    };
    Response::line(status, &Refusal { error })
}

fn anthropic_refusal(status: u16, message: &str) -> Response {
    #[derive(Serialize)]
    struct Refusal<'a> {
        r#type: &'static str,
        error: Fault<'a>,
    }
    #[derive(Serialize)]
    struct Fault<'a> {
        r#type: &'static str,
        message: &'a str,
    }
    let error = Fault {
        r#type: kind(status),
        message,
    };
    let r#type = "error";
    Response::line(status, &Refusal { r#type, error })
}
