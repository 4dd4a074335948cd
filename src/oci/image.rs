//! The image manifest that a model is wrapped in.

use serde::Serialize;

use crate::error::Result;
use crate::go::json;
use crate::manifest::{Layer, Manifest};
use crate::name::Digest;
use crate::oci::{DOCKER_MANIFEST, IMAGE_MANIFEST};

/// The config of a model that has none: an image needs one.
pub(crate) const EMPTY_CONFIG: &[u8] = b"{}";

const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// An image manifest: the blobs of a model, and its own manifest as the last layer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Image {
    schema_version: u32,
    media_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
}

impl Image {
    /// Returns the image of a model. `size` knows the sizes of blobs.
    ///
    /// # Errors
    /// Where a layer has no digest, and what `size` fails with.
    pub(crate) fn of(
        manifest: &Manifest,
        text: &[u8],
        mut size: impl FnMut(&Digest) -> Result<u64>,
    ) -> Result<Self> {
        let mut describe = |layer: &Layer, media_type: String| {
            let digest = layer.digest()?;
            let size = size(&digest)?;
            Ok(Descriptor {
                media_type,
                digest,
                size,
            })
        };
        let config = match manifest.config().digest_text() {
            "" => Descriptor {
                media_type: IMAGE_CONFIG.to_owned(),
                digest: Digest::of(EMPTY_CONFIG),
                size: EMPTY_CONFIG.len() as u64,
            },
            _ => describe(manifest.config(), IMAGE_CONFIG.to_owned())?,
        };
        let layers = manifest.layers().iter();
        let layers = layers.map(|layer| describe(layer, media_type(layer)));
        let mut layers = layers.collect::<Result<Vec<_>>>()?;
        layers.push(Descriptor {
            media_type: own_type(text).to_owned(),
            digest: Digest::of(text),
            size: text.len() as u64,
        });
        Ok(Image {
            schema_version: 2,
            media_type: IMAGE_MANIFEST,
            config,
            layers,
        })
    }

    /// Returns the text of the manifest.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        json::to_string(self).into_bytes()
    }
}

fn media_type(layer: &Layer) -> String {
    match layer.media().to_string() {
        text if text.is_empty() => "application/octet-stream".to_owned(),
        text => text,
    }
}

/// Returns the media type of a model's own manifest.
fn own_type(text: &[u8]) -> &'static str {
    match json::mentions(text, IMAGE_MANIFEST.as_bytes()) {
        true => IMAGE_MANIFEST,
        false => DOCKER_MANIFEST,
    }
}

/// Returns the layer that is the manifest of the model itself, where an image wraps one.
pub(crate) fn manifest_layer(manifest: &Manifest) -> Option<&Layer> {
    let mut layers = manifest.layers().iter().rev();
    layers.find(|layer| {
        let media = layer.media().to_string();
        media == DOCKER_MANIFEST || media == IMAGE_MANIFEST
    })
}
