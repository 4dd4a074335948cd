//! What kind of manifest a file is, where it is not that of a model.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::go::json;
use crate::manifest::Manifest;

/// The kind of a manifest.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ManifestForm;
///
/// assert_eq!(store.list()?.models[0].form, ManifestForm::Model);
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
        f.write_str(match self {
            ManifestForm::Model => "a model",
            ManifestForm::Index => "an index of other manifests (OCI or Docker)",
            ManifestForm::Artifact => "an artifact (OCI)",
            ManifestForm::Schema1 => "an image of Docker's first schema",
        })
    }
}
