//! How a model is pushed, and what came of it.

use serde::Serialize;

use crate::error::Error;
use crate::go::json;
use crate::name::{Digest, ModelName};
use crate::registry::{RegistryOptions, RegistryReference};

/// How a model is pushed.
///
/// ```
/// use modelkeep::{PushOptions, RegistryOptions};
///
/// let options = PushOptions::new()
///     .to("registry.example.com/team/model:q4")
///     .registry(RegistryOptions::new().username_password("me", "secret"));
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PushOptions {
    pub(super) to: Option<RegistryReference>,
    /// The error of a malformed reference, for the call to return.
    pub(super) malformed: Option<Error>,
    pub(super) registry: RegistryOptions,
}

impl PushOptions {
    /// Returns the options of a push to where the model's name says.
    pub fn new() -> Self {
        PushOptions::default()
    }

    /// Sets where the model is sent: `REGISTRY/REPOSITORY:TAG`; by default where its name says,
    /// `HOST/NAMESPACE/MODEL:TAG`. A malformed one is the error of the push.
    #[must_use]
    pub fn to(mut self, reference: impl TryInto<RegistryReference, Error: Into<Error>>) -> Self {
        (self.to, self.malformed) = match reference.try_into().map_err(Into::into) {
            Ok(to) => (Some(to), None),
            Err(error) => (None, Some(error)),
        };
        self
    }

    /// Sets how the registry is reached.
    #[must_use]
    pub fn registry(mut self, registry: RegistryOptions) -> Self {
        self.registry = registry;
        self
    }
}

/// What a push did.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{ErrorKind, PushOptions};
///
/// // Its name says no registry that takes it.
/// let pushed = store.push("tiny", &PushOptions::new()).map(|pushed| pushed.sent_bytes);
/// assert_eq!(pushed.map_err(|error| error.kind()), Err(ErrorKind::InvalidArgument));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Pushed {
    /// The model's name, in its stored spelling.
    pub name: ModelName,
    /// Where it is.
    pub reference: RegistryReference,
    /// The digest of its manifest.
    pub digest: Digest,
    /// How many blobs were sent.
    pub sent_blobs: usize,
    /// The bytes of the blobs that were sent.
    pub sent_bytes: u64,
    /// How many blobs the registry had in another repository.
    pub mounted_blobs: usize,
    /// How many blobs were there already.
    pub shared_blobs: usize,
}

impl Pushed {
    /// Returns the result as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}
