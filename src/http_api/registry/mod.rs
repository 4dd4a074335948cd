//! What a registry answers, by the reading part of the OCI distribution specification 1.1: manifests
//! and blobs as they are stored, and which there are.
//!
//! A repository is `[host/][namespace/]model`, with the defaults of a model's name. A blob is the
//! store's, whichever repository it is asked of.

mod blob;
mod shelf;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::go::json;
use crate::name::{DEFAULT_HOST, DEFAULT_NAMESPACE, Digest, ModelName};
use crate::oci;
use crate::store::Store;
#[cfg(feature = "registry")]
use crate::store::Upstream;

pub use blob::RegistryBlob;
use shelf::Shelf;

const JSON: &str = "application/json";

/// The response of a registry, but for the ranges of a blob, which the transport cuts.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::http_api::{RegistryBody, registry};
///
/// let response = registry(&store, "library/tiny/tags/list", "");
/// let RegistryBody::Bytes(text) = response.body else { panic!("a list is text") };
/// assert_eq!(text, br#"{"name":"library/tiny","tags":["latest"]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "a response has to be sent"]
pub struct RegistryResponse {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: String,
    /// The digest of the body, where it is a manifest or a blob: `Docker-Content-Digest`.
    pub digest: Option<Digest>,
    /// Where the rest of a list is, as a target: the `Link` whose relation is `next`.
    pub next: Option<String>,
    /// The body.
    pub body: RegistryBody,
}

/// The body of a [`RegistryResponse`].
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::http_api::{RegistryBody, registry};
///
/// let digest = store.model("tiny")?.manifest().layers()[0].digest()?;
/// let response = registry(&store, &format!("library/tiny/blobs/{digest}"), "");
/// let RegistryBody::Blob(blob) = response.body else { panic!("it is stored") };
/// let mut magic = [0; 4];
/// blob.read_exact_at(&mut magic, 0)?;
/// assert_eq!(&magic, b"GGUF");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum RegistryBody {
    /// The bytes of a manifest, or a JSON text.
    Bytes(Vec<u8>),
    /// A blob: whoever reads it checks it against its digest.
    Blob(RegistryBlob),
}

/// The codes of the specification.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Code {
    BlobUnknown,
    DigestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    PaginationNumberInvalid,
    #[serde(rename = "TOOMANYREQUESTS")]
    TooManyRequests,
    Unauthorized,
    Unsupported,
    Unknown,
}

impl RegistryResponse {
    fn text(status: u16, value: &impl Serialize) -> Self {
        RegistryResponse {
            status,
            content_type: JSON.to_owned(),
            digest: None,
            next: None,
            body: RegistryBody::Bytes(json::to_string(value).into_bytes()),
        }
    }

    fn refusal(status: u16, code: Code, message: &str) -> Self {
        #[derive(Serialize)]
        struct Refusal<'a> {
            errors: [Fault<'a>; 1],
        }
        #[derive(Serialize)]
        struct Fault<'a> {
            code: Code,
            message: &'a str,
        }
        let errors = [Fault { code, message }];
        RegistryResponse::text(status, &Refusal { errors })
    }

    fn unknown(code: Code, message: &str) -> Self {
        RegistryResponse::refusal(404, code, message)
    }

    fn error(error: &Error) -> Self {
        let code = match error.kind() {
            ErrorKind::InvalidDigest => Code::DigestInvalid,
            ErrorKind::InvalidName => Code::NameInvalid,
            _ => Code::Unknown,
        };
        RegistryResponse::refusal(error.kind().http_status(), code, &error.to_string())
    }

    /// Returns the refusal of a request that would change the registry.
    pub fn read_only() -> Self {
        let text = "this registry is read only: `modelkeep import` adds models to its store";
        RegistryResponse::refusal(405, Code::Unsupported, text)
    }

    /// Returns the refusal of a request that brings no credentials which a host admits: 401.
    pub fn unauthorized(message: &str) -> Self {
        RegistryResponse::refusal(401, Code::Unauthorized, message)
    }

    /// Returns the refusal of a request that comes while a host has too many: 429.
    pub fn too_many_requests(message: &str) -> Self {
        RegistryResponse::refusal(429, Code::TooManyRequests, message)
    }
}

/// Handles `GET /v2/PATH?QUERY`: the check of the version (an empty path), `_catalog`, and of a
/// repository its tags, a manifest by tag or digest, or a blob. What is malformed or missing is a
/// refusal in the form of the specification.
///
/// A manifest by tag costs what [`Store::model`] costs, a blob one `open`; a manifest by digest
/// reads those of the repository, and `_catalog` walks the store.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::http_api::registry;
///
/// let manifest = registry(&store, "library/tiny/manifests/latest", "");
/// assert_eq!(manifest.digest.map(|digest| digest.hex()).as_deref(), Some(store.model("tiny")?.manifest().id()));
/// assert_eq!(registry(&store, "library/tiny/manifests/none", "").status, 404);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn registry(store: &Store, path: &str, query: &str) -> RegistryResponse {
    answer(store, path, query).unwrap_or_else(|error| RegistryResponse::error(&error))
}

/// As [`registry`], of a store with a registry behind it: a manifest is that of the registry as it is
/// now, and its blobs are sent while they come.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::http_api::registry_through;
/// use modelkeep::{RegistryOptions, Upstream};
///
/// // Nobody listens there: what is stored is served.
/// let upstream = Upstream::new(&store, "localhost:1", RegistryOptions::new(), |_| ())?;
/// assert_eq!(registry_through(&upstream, "library/tiny/manifests/latest", "").status, 200);
/// assert_eq!(registry_through(&upstream, "library/other/manifests/latest", "").status, 502);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "registry")]
pub fn registry_through(upstream: &Upstream, path: &str, query: &str) -> RegistryResponse {
    answer(upstream, path, query).unwrap_or_else(|error| RegistryResponse::error(&error))
}

fn answer(shelf: &impl Shelf, path: &str, query: &str) -> Result<RegistryResponse> {
    #[derive(Serialize)]
    struct Nothing {}
    if path.is_empty() {
        return Ok(RegistryResponse::text(200, &Nothing {}));
    }
    if path == "_catalog" {
        return catalog(shelf.store(), query);
    }
    if let Some(repository) = path.strip_suffix("/tags/list") {
        return tags(shelf.store(), repository, query);
    }
    let mut parts = path.rsplitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(reference), Some("manifests"), Some(repository)) => {
            manifest(shelf, repository, reference)
        }
        (Some(digest), Some("blobs"), Some(repository)) => {
            named(repository, "latest")?;
            blob(shelf, &digest.parse()?)
        }
        _ => Ok(RegistryResponse::unknown(
            Code::NameUnknown,
            "no such path: manifests, blobs and tags/list are those of a repository",
        )),
    }
}

/// Returns the name that a tag of a repository stands for.
fn named(repository: &str, tag: &str) -> Result<ModelName> {
    let parts: Vec<&str> = repository.split('/').collect();
    let name = match parts[..] {
        [host, namespace, model] => ModelName::from_parts(host, namespace, model, tag),
        [namespace, model] => ModelName::from_parts(DEFAULT_HOST, namespace, model, tag),
        [model] => ModelName::from_parts(DEFAULT_HOST, DEFAULT_NAMESPACE, model, tag),
        _ => None,
    };
    name.ok_or_else(|| {
        let text = format!("{repository}:{tag} is no name of a model");
        Error::new(ErrorKind::InvalidName, text)
    })
}

/// Returns the repository of a name, as [`named`] reads it.
fn repository(name: &ModelName) -> String {
    let [host, namespace, model, _] = name.parts();
    match host.eq_ignore_ascii_case(DEFAULT_HOST) {
        true => format!("{namespace}/{model}"),
        false => format!("{host}/{namespace}/{model}"),
    }
}

fn manifest(shelf: &impl Shelf, repository: &str, reference: &str) -> Result<RegistryResponse> {
    let found = match reference.contains(':') {
        true => manifest_of(shelf, repository, &reference.parse()?)?,
        false => shelf.manifest(&named(repository, reference)?)?.map(found),
    };
    Ok(found.unwrap_or_else(|| {
        let text = format!("{repository} has no manifest {reference}");
        RegistryResponse::unknown(Code::ManifestUnknown, &text)
    }))
}

fn found(bytes: Vec<u8>) -> RegistryResponse {
    RegistryResponse {
        status: 200,
        content_type: oci::manifest_type(&bytes).to_owned(),
        digest: Some(Digest::of(&bytes)),
        next: None,
        body: RegistryBody::Bytes(bytes),
    }
}

/// Returns the manifest of a repository that has a digest.
fn manifest_of(
    shelf: &impl Shelf,
    repository: &str,
    digest: &Digest,
) -> Result<Option<RegistryResponse>> {
    let repository = named(repository, "latest")?;
    if let Some(bytes) = shelf.manifest_of(&repository, digest) {
        return Ok(Some(found(bytes)));
    }
    for name in shelf.store().tagged(&repository)? {
        let stored = shelf.store().manifest_bytes(&name)?.map(found);
        if let Some(stored) = stored.filter(|it| it.digest.as_ref() == Some(digest)) {
            return Ok(Some(stored));
        }
    }
    Ok(None)
}

fn blob(shelf: &impl Shelf, digest: &Digest) -> Result<RegistryResponse> {
    let Some(blob) = shelf.blob(digest)? else {
        let text = format!("{digest} is not stored");
        return Ok(RegistryResponse::unknown(Code::BlobUnknown, &text));
    };
    Ok(RegistryResponse {
        status: 200,
        content_type: "application/octet-stream".to_owned(),
        digest: Some(*digest),
        next: None,
        body: RegistryBody::Blob(blob),
    })
}

fn tags(store: &Store, of: &str, query: &str) -> Result<RegistryResponse> {
    #[derive(Serialize)]
    struct Tags<'a> {
        name: &'a str,
        tags: &'a [String],
    }
    let names = store.tagged(&named(of, "latest")?)?;
    if names.is_empty() {
        let text = format!("{of} is not stored");
        return Ok(RegistryResponse::unknown(Code::NameUnknown, &text));
    }
    let all = names.iter().map(|name| name.tag().to_owned()).collect();
    Ok(page(all, query, &format!("/v2/{of}/tags/list"), |tags| {
        RegistryResponse::text(200, &Tags { name: of, tags })
    }))
}

fn catalog(store: &Store, query: &str) -> Result<RegistryResponse> {
    #[derive(Serialize)]
    struct Catalog<'a> {
        repositories: &'a [String],
    }
    let all = store.names()?.names.iter().map(repository).collect();
    Ok(page(all, query, "/v2/_catalog", |repositories| {
        RegistryResponse::text(200, &Catalog { repositories })
    }))
}

/// Returns the part of a list that a query asks for: at most `n` entries after `last`, in the order
/// of their bytes. No entry has a character that a query would have to escape.
fn page(
    mut all: Vec<String>,
    query: &str,
    target: &str,
    respond: impl Fn(&[String]) -> RegistryResponse,
) -> RegistryResponse {
    all.sort();
    all.dedup();
    let asked = |key: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    if let Some(last) = asked("last") {
        all.retain(|entry| entry.as_str() > last);
    }
    let most = match asked("n").map(str::parse::<usize>) {
        None => all.len(),
        Some(Ok(most)) => most,
        Some(Err(_)) => {
            let text = "n is the number of entries";
            return RegistryResponse::refusal(400, Code::PaginationNumberInvalid, text);
        }
    };
    let shown = all.get(..most).unwrap_or(&all);
    let next = shown.last().filter(|_| shown.len() < all.len());
    let next = next.map(|last| format!("{target}?n={most}&last={last}"));
    RegistryResponse {
        next,
        ..respond(shown)
    }
}
