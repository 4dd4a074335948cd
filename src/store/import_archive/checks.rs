//! What a manifest must be to come in.

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Manifest;
use crate::name::{Digest, ModelName};
use crate::oci;
use crate::store::form::ManifestForm;

/// The parts of one manifest: more are in none.
const MOST_LAYERS: usize = 50_000;

/// Returns the digest of the manifest that an image wraps, if it does.
pub(super) fn wrapped(image: &[u8]) -> Result<Option<Digest>> {
    refuse_bomb(image)?;
    let manifest = Manifest::parse(image)?;
    oci::manifest_layer(&manifest)
        .map(|layer| layer.digest())
        .transpose()
}

/// Fails for a manifest that would fill the memory, or keep a store from being collected.
pub(super) fn check_manifest(name: &ModelName, text: &[u8]) -> Result<()> {
    refuse_bomb(text)?;
    let refused = |kind, what: &str| Err(Error::new(kind, format!("'{name}' {what}")));
    let manifest = Manifest::parse(text)?;
    let form = ManifestForm::of(&manifest, text);
    if form != ManifestForm::Model {
        return refused(ErrorKind::Unsupported, &format!("is {}", form.words()));
    }
    let media = |prefix: &str| {
        let mut layers = manifest.layers().iter();
        layers.any(|layer| layer.media().to_string().starts_with(prefix))
    };
    if media("application/vnd.oci.image.layer.") || media("application/vnd.docker.image.rootfs.") {
        return refused(ErrorKind::Unsupported, "is an image of a container");
    }
    for layer in manifest.entries() {
        let is_config = std::ptr::eq(layer, manifest.config());
        if !(is_config && layer.digest_text().is_empty()) {
            layer.digest()?;
        }
    }
    if Digest::all_in(text).is_none() {
        let what = "has a manifest that nobody could collect garbage beside";
        return refused(ErrorKind::Corrupt, what);
    }
    Ok(())
}

/// Fails for a text of more parts than any manifest has, before they are all in memory.
pub(in crate::store) fn refuse_bomb(text: &[u8]) -> Result<()> {
    if text.iter().filter(|byte| **byte == b'{').count() <= MOST_LAYERS {
        return Ok(());
    }
    let text = format!("a manifest with more than {MOST_LAYERS} parts");
    Err(Error::new(ErrorKind::Corrupt, text))
}
