//! The image layout of OCI, as a directory or as a tar archive of one.
//!
//! ```text
//! oci-layout            {"imageLayoutVersion":"1.0.0"}
//! index.json            the models: their names, and the digests of their image manifests
//! blobs/sha256/<hex>    everything else, by digest
//! ```
//!
//! A model's own manifest goes as it is, byte for byte, as the last layer of an image manifest that
//! lists the same blobs: tools of OCI read that one and take everything along.

mod image;
mod index;
mod member;
mod reader;
mod writer;

pub(crate) use image::{EMPTY_CONFIG, Image, manifest_layer};
pub(crate) use index::{Index, NewIndex};
pub(crate) use member::Member;
pub(crate) use reader::{Entry, each_entry, failed, is_archive};
pub(crate) use writer::{end, header, padding};

/// The text of the file `oci-layout`.
// image-layout.md of the OCI image specification 1.0
pub(crate) const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// The largest index or manifest that is read from an archive, in bytes: what registries take.
// distribution specification of OCI, "pushing manifests"
pub(crate) const LARGEST_DOCUMENT: u64 = 4 << 20;

const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// The media types of manifests, and of lists of them: those of Docker and of OCI.
pub(crate) const MANIFEST_TYPES: [&str; 4] =
    [DOCKER_MANIFEST, IMAGE_MANIFEST, DOCKER_LIST, IMAGE_INDEX];

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::go::decode::{self, Decode, DecodeError, Event, Reader};

/// Returns the type of a manifest as a client is told it: what it states, where that is one, and that of
/// Ollama's own where it states none.
pub(crate) fn manifest_type(bytes: &[u8]) -> &'static str {
    stated_type(bytes).unwrap_or(DOCKER_MANIFEST)
}

/// Returns the type of a manifest as a registry is told it: one that states none is OCI's, of which
/// alone that is true.
#[cfg(feature = "registry")]
pub(crate) fn pushed_type(bytes: &[u8]) -> &'static str {
    stated_type(bytes).unwrap_or(IMAGE_MANIFEST)
}

fn stated_type(bytes: &[u8]) -> Option<&'static str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Stated {
        media_type: String,
    }
    let stated: Option<Stated> = serde_json::from_slice(bytes).ok();
    let mut known = MANIFEST_TYPES.into_iter();
    stated.and_then(|it| known.find(|known| *known == it.media_type))
}

/// Reads `oci-layout`.
///
/// # Errors
/// [`Unsupported`](ErrorKind::Unsupported) for another version than 1,
/// [`Corrupt`](ErrorKind::Corrupt) for what does not decode.
pub(crate) fn check_layout(text: &[u8]) -> Result<()> {
    let mut layout = LayoutFile::default();
    decode::whole(text, &mut layout)
        .map_err(|e| Error::caused(ErrorKind::Corrupt, "decoding oci-layout", e))?;
    if layout.version.starts_with("1.") {
        return Ok(());
    }
    let text = format!("reading oci-layout: version {:?}", layout.version);
    Err(Error::new(ErrorKind::Unsupported, text))
}

#[derive(Default)]
struct LayoutFile {
    version: String,
}

impl Decode for LayoutFile {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        json.fields(first, &mut [("imageLayoutVersion", &mut self.version)])
    }
}

#[cfg(test)]
mod tests;
