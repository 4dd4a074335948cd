//! The endpoints that clients of Ollama call: the body of a request in, a status and the body of
//! the response out. A binding that speaks HTTP, or any other, adds only the transport.

use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::go;
use crate::go::decode::{self, Decode, DecodeError, Event, Reader};
use crate::go::json;
use crate::manifest::Parameters;
use crate::name::{self, Digest, MalformedDigest, ModelName, Reference};
use crate::store::{InfoValue, Problem, ShowOptions, Store};

/// The response to a request.
///
/// ```
/// use modelkeep::http_api::Response;
///
/// let response = Response::refusal(400, "no");
/// assert_eq!((response.status, response.body.as_str()), (400, r#"{"error":"no"}"#));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "a response has to be sent"]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON, or nothing.
    pub body: String,
    /// What was passed over, for the log of a host.
    pub problems: Vec<Problem>,
}

impl Response {
    fn ok(body: String) -> Self {
        Response {
            status: 200,
            body,
            problems: Vec::new(),
        }
    }

    /// Returns a refusal: `{"error": text}`.
    pub fn refusal(status: u16, text: &str) -> Self {
        #[derive(Serialize)]
        struct Refusal<'a> {
            error: &'a str,
        }
        let body = json::to_string(&Refusal { error: text });
        Response {
            status,
            body,
            problems: Vec::new(),
        }
    }

    fn invalid(text: &str) -> Self {
        Response::refusal(400, text)
    }

    /// Returns the plain text of an error where a person is to blame, all of it otherwise.
    fn error(error: &Error) -> Self {
        let status = error.kind().http_status();
        let is_plain = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidName);
        if is_plain || error.cause_of::<MalformedDigest>().is_some() {
            Response::refusal(status, error.context())
        } else {
            Response::refusal(status, &error.to_string())
        }
    }
}

/// The release of Ollama that this library follows: clients compare it with the oldest one
/// that they can speak to. The library's own version is another number.
pub const OLLAMA_RELEASE: &str = "0.32.7";

/// Handles `GET /api/version`.
///
/// ```
/// assert!(modelkeep::http_api::version().body.contains(modelkeep::http_api::OLLAMA_RELEASE));
/// ```
pub fn version() -> Response {
    #[derive(Serialize)]
    struct Version {
        version: &'static str,
    }
    Response::ok(json::to_string(&Version {
        version: OLLAMA_RELEASE,
    }))
}

/// Handles `GET /api/tags`.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let response = modelkeep::http_api::tags(&store);
/// assert_eq!((response.status, response.body), (200, store.list()?.to_json()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn tags(store: &Store) -> Response {
    match store.list() {
        Ok(listing) => {
            let response = Response::ok(listing.to_json());
            Response {
                problems: listing.problems,
                ..response
            }
        }
        Err(error) => Response::error(&error),
    }
}

/// What a response of show has as `general.basename`.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::http_api::{self, Basename};
///
/// let response = http_api::show(&store, br#"{"model": "tiny"}"#, Basename::AsAsked);
/// assert!(response.body.contains(r#""general.basename":"tiny""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Basename {
    /// What the metadata of the file has, as Ollama has it.
    #[default]
    OfFile,
    /// The name that was asked for, which one client needs.
    AsAsked,
}

/// Handles `POST /api/show`.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::http_api::{self, Basename};
///
/// let response = http_api::show(&store, br#"{"model": "other"}"#, Basename::OfFile);
/// assert_eq!(response.status, 404);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn show(store: &Store, body: &[u8], basename: Basename) -> Response {
    let request = match parse::<ShowRequest>(body) {
        Ok(request) => request,
        Err(response) => return response,
    };
    let options = ShowOptions::default()
        .verbose(request.verbose)
        .system(request.system)
        .unchecked_options(request.options);
    let shown = request
        .model
        .parse::<Reference>()
        .and_then(|name| store.show(name, &options));
    match shown {
        Ok(mut show) => {
            if basename == Basename::AsAsked {
                show.model_info
                    .insert("general.basename", InfoValue::Text(request.model));
            }
            Response::ok(show.to_json())
        }
        Err(error) => not_shown(store, &request.model, &error),
    }
}

/// Ollama says of a stored model that lacks a file what it says of one that is missing.
fn not_shown(store: &Store, model: &str, error: &Error) -> Response {
    let lacks_a_part = match error.kind() {
        ErrorKind::FileNotFound => true,
        ErrorKind::NotFound => error.cause_of::<Error>().is_some(),
        _ => false,
    };
    match store.resolve(model) {
        Ok(name) if lacks_a_part => Response::refusal(404, &format!("model '{name}' not found")),
        _ => Response::error(error),
    }
}

/// Handles `POST /api/copy`.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let response = modelkeep::http_api::copy(&store, br#"{"source": "tiny", "destination": "a"}"#);
/// assert_eq!((response.status, response.body.as_str()), (200, ""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn copy(store: &Store, body: &[u8]) -> Response {
    let request = match parse::<CopyRequest>(body) {
        Ok(request) => request,
        Err(response) => return response,
    };
    let CopyRequest {
        source,
        destination,
    } = request;
    let Ok(from) = source.parse::<ModelName>() else {
        return Response::invalid(&format!("source {} is invalid", go::quote(&source)));
    };
    let Ok(to) = destination.parse::<ModelName>() else {
        return Response::invalid(&format!(
            "destination {} is invalid",
            go::quote(&destination)
        ));
    };
    match store.copy(&from, &to) {
        Ok(_) => Response::ok(String::new()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Response::refusal(404, &format!("model {} not found", go::quote(&source)))
        }
        Err(error) => Response::error(&error),
    }
}

/// Handles `DELETE /api/delete`.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// assert_eq!(modelkeep::http_api::delete(&store, br#"{"model": "tiny"}"#).status, 200);
/// assert!(store.list()?.models.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn delete(store: &Store, body: &[u8]) -> Response {
    let request = match parse::<DeleteRequest>(body) {
        Ok(request) => request,
        Err(response) => return response,
    };
    let model = request.model;
    let is_sayable = model.trim().is_empty() || name::says_both(&model);
    let reference = match model.parse::<Reference>() {
        Ok(reference) => reference,
        Err(error) if is_sayable => return Response::error(&error),
        Err(_) => return Response::invalid(&format!("name {} is invalid", go::quote(&model))),
    };
    match store.delete(&reference) {
        Ok(deleted) => Response {
            problems: deleted.kept,
            ..Response::ok(String::new())
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Response::refusal(404, &format!("model '{model}' not found"))
        }
        Err(error) => Response::error(&error),
    }
}

/// Handles `HEAD /api/blobs/DIGEST`.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let digest = store.model("tiny")?.manifest().layers()[0].digest()?;
/// assert_eq!(modelkeep::http_api::has_blob(&store, &digest.to_string()).status, 200);
/// assert_eq!(modelkeep::http_api::has_blob(&store, "none").status, 400);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn has_blob(store: &Store, digest: &str) -> Response {
    match digest.parse::<Digest>() {
        Ok(digest) if store.has_blob(&digest) => Response::ok(String::new()),
        Ok(_) => Response::refusal(404, "no such blob"),
        Err(error) => Response::error(&error),
    }
}

#[derive(Default)]
struct ShowRequest {
    model: String,
    verbose: bool,
    system: String,
    options: Parameters,
}

#[derive(Default)]
struct CopyRequest {
    source: String,
    destination: String,
}

#[derive(Default)]
struct DeleteRequest {
    model: String,
}

impl Decode for ShowRequest {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut name = String::new();
        let mut template = String::new();
        json.fields(
            first,
            &mut [
                ("model", &mut self.model),
                ("name", &mut name),
                ("verbose", &mut self.verbose),
                ("system", &mut self.system),
                ("template", &mut template),
                ("options", &mut self.options),
            ],
        )?;
        if self.model.is_empty() {
            self.model = name;
        }
        Ok(())
    }
}

impl Decode for CopyRequest {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        json.fields(
            first,
            &mut [
                ("source", &mut self.source),
                ("destination", &mut self.destination),
            ],
        )
    }
}

impl Decode for DeleteRequest {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut name = String::new();
        json.fields(
            first,
            &mut [("model", &mut self.model), ("name", &mut name)],
        )?;
        if self.model.is_empty() {
            self.model = name;
        }
        Ok(())
    }
}

fn parse<T: Decode + Default>(body: &[u8]) -> Result<T, Response> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Response::invalid("missing request body"));
    }
    let mut request = T::default();
    match decode::first(body, &mut request) {
        Ok(_) => Ok(request),
        Err(error) => Err(Response::invalid(&format!("decoding the request: {error}"))),
    }
}
