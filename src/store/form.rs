//! What kind of manifest a file is, where it is not that of a model.

use std::fmt;
use std::str::FromStr;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{self, Error, Result};
use crate::go::json;
use crate::manifest::Manifest;

/// The kind of a manifest.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ManifestForm;
///
/// let form = store.list()?.models[0].form;
/// assert_eq!((form, form.as_str()), (ManifestForm::Model, "model"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManifestForm {
    /// A config and layers, as models have them.
    #[default]
    Model,
    /// A list of other manifests, one for each platform: an index of OCI, a manifest list of
    /// Docker.
    Index,
    /// An artifact of OCI: a type and blobs.
    Artifact,
    /// A manifest of Docker's first schema.
    Schema1,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    manifests: Option<IgnoredAny>,
    fs_layers: Option<IgnoredAny>,
    blobs: Option<IgnoredAny>,
    artifact_type: Option<IgnoredAny>,
}

impl ManifestForm {
    /// Every form.
    pub const ALL: &'static [ManifestForm] = &[
        ManifestForm::Model,
        ManifestForm::Index,
        ManifestForm::Artifact,
        ManifestForm::Schema1,
    ];

    /// Returns the word for it: `model`, `index`, `artifact` or `schema1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ManifestForm::Model => "model",
            ManifestForm::Index => "index",
            ManifestForm::Artifact => "artifact",
            ManifestForm::Schema1 => "schema1",
        }
    }

    /// Returns what it is in words, as in `an artifact (OCI)`.
    pub const fn words(self) -> &'static str {
        match self {
            ManifestForm::Model => "a model",
            ManifestForm::Index => "an index of other manifests (OCI or Docker)",
            ManifestForm::Artifact => "an artifact (OCI)",
            ManifestForm::Schema1 => "an image of Docker's first schema",
        }
    }

    /// Returns the kind of a manifest, which was read from a text. Costs a search in the text, and
    /// another pass over it where it has no layers.
    pub(crate) fn of(manifest: &Manifest, text: &[u8]) -> Self {
        let is_artifact = || json::mentions(text, b"\"artifactType\"");
        if !manifest.layers().is_empty() && !is_artifact() {
            return ManifestForm::Model;
        }
        let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Keys>();
        match values.next() {
            Some(Ok(keys)) if keys.manifests.is_some() => ManifestForm::Index,
            Some(Ok(keys)) if keys.fs_layers.is_some() => ManifestForm::Schema1,
            Some(Ok(keys)) if keys.blobs.is_some() || keys.artifact_type.is_some() => {
                ManifestForm::Artifact
            }
            _ => ManifestForm::Model,
        }
    }
}

impl fmt::Display for ManifestForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ManifestForm {
    type Err = Error;

    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other word.
    fn from_str(word: &str) -> Result<Self> {
        error::one_of("form of a manifest", ManifestForm::ALL, word)
    }
}

impl Serialize for ManifestForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
