//! The endpoints that clients of Ollama call: the body of a request in, a status and the body of
//! the response out. A binding that speaks HTTP, or any other, adds only the transport.

mod openai;
mod registry;
mod request;
mod response;

use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::go;
use crate::go::json;
use crate::name::{self, Digest, ModelName, Reference};
use crate::store::{InfoValue, Show, ShowOptions, Store};

use request::{CopyRequest, DeleteRequest, ShowRequest, parse};

pub use openai::{model, models};
#[cfg(feature = "registry")]
pub use registry::registry_through;
pub use registry::{RegistryBlob, RegistryBody, RegistryResponse, registry};
pub use response::{Api, Response};

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

/// Handles `GET /`, by which clients see whether somebody is there.
///
/// ```
/// assert_eq!(modelkeep::http_api::root().body, "Ollama is running");
/// ```
pub fn root() -> Response {
    Response {
        content_type: "text/plain; charset=utf-8",
        ..Response::ok("Ollama is running".to_owned())
    }
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
    match store.list_json() {
        Ok((body, problems)) => Response {
            problems,
            ..Response::ok(body)
        },
        Err(error) => Response::error(&error),
    }
}

/// Handles `GET /api/ps`: no model runs here.
///
/// ```
/// assert_eq!(modelkeep::http_api::running().body, r#"{"models":[]}"#);
/// ```
pub fn running() -> Response {
    #[derive(Serialize)]
    struct Running {
        models: [(); 0],
    }
    Response::ok(json::to_string(&Running { models: [] }))
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
    match shown(store, &request.model, &options) {
        Ok(mut show) => {
            if basename == Basename::AsAsked {
                show.model_info
                    .insert("general.basename", InfoValue::Text(request.model));
            }
            Response::ok(show.to_json())
        }
        Err((status, text)) => Response::refusal(status, &text),
    }
}

/// Returns what is shown of a model, or the status and the text of a refusal.
fn shown(store: &Store, model: &str, options: &ShowOptions) -> Result<Show, (u16, String)> {
    let shown = model
        .parse::<Reference>()
        .and_then(|name| store.show(name, options));
    shown.map_err(|error| not_shown(store, model, &error))
}

/// Ollama says of a stored model that lacks a file what it says of one that is missing.
fn not_shown(store: &Store, model: &str, error: &Error) -> (u16, String) {
    let lacks_a_part = match error.kind() {
        ErrorKind::FileNotFound => true,
        ErrorKind::NotFound => error.cause_of::<Error>().is_some(),
        _ => false,
    };
    match store.resolve(model) {
        Ok(name) if lacks_a_part => (404, format!("model '{name}' not found")),
        _ => response::words(error),
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
