//! How a model is pulled, and what came of it.

use serde::Serialize;

use crate::error::Error;
use crate::go::json;
use crate::name::{Digest, ModelName, convert};
use crate::registry::{RegistryOptions, RegistryReference};

/// How a model is pulled.
///
/// ```
/// use modelkeep::{PullOptions, RegistryOptions};
///
/// let options = PullOptions::new()
///     .name("model")
///     .replace(false)
///     .registry(RegistryOptions::new().plain_http(true));
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PullOptions {
    pub(super) name: Option<ModelName>,
    /// The error of a malformed name, for the call to return.
    pub(super) malformed: Option<Error>,
    pub(super) replace: bool,
    pub(in crate::store) registry: RegistryOptions,
}

impl Default for PullOptions {
    fn default() -> Self {
        PullOptions {
            name: None,
            malformed: None,
            replace: true,
            registry: RegistryOptions::new(),
        }
    }
}

impl PullOptions {
    /// Returns the options of a pull that replaces a model of the name, as Ollama's does.
    pub fn new() -> Self {
        PullOptions::default()
    }

    /// Sets the name of the model here; by default it is that of the registry, of a repository of two
    /// parts: `HOST/NAMESPACE/MODEL:TAG`. A malformed one is the error of the pull.
    #[must_use]
    pub fn name(mut self, name: impl TryInto<ModelName, Error: Into<Error>>) -> Self {
        (self.name, self.malformed) = match convert::name(name) {
            Ok(name) => (Some(name), None),
            Err(error) => (None, Some(error)),
        };
        self
    }

    /// Sets whether another model of that name is replaced; otherwise it is an error that there is
    /// one. Its blobs stay until they are collected.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Sets how the registry is reached.
    #[must_use]
    pub fn registry(mut self, registry: RegistryOptions) -> Self {
        self.registry = registry;
        self
    }
}

/// What a pull did.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{ErrorKind, PullOptions};
///
/// // Nobody listens there.
/// let pulled = store.pull("localhost:1/team/model", &PullOptions::new());
/// let name = pulled.map(|pulled| pulled.name);
/// assert_eq!(name.map_err(|error| error.kind()), Err(ErrorKind::Network));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Pulled {
    /// What was asked for.
    pub reference: RegistryReference,
    /// The model's name, in its stored spelling.
    pub name: ModelName,
    /// The digest of the registry's manifest.
    pub digest: Digest,
    /// Whether another model of that name was replaced.
    pub replaced: bool,
    /// How many blobs came.
    pub new_blobs: usize,
    /// The bytes of the blobs that came.
    pub new_bytes: u64,
    /// How many of these bytes an earlier pull had fetched, before it broke off.
    pub resumed_bytes: u64,
    /// How many blobs were there already.
    pub shared_blobs: usize,
}

impl Pulled {
    /// Returns the result as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}
