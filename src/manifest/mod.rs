//! Manifests: the JSON files that make blobs a model.

mod config;
mod media_type;
mod parameters;

#[cfg(feature = "registry")]
use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::go::decode::{self, Decode, DecodeError, Event, Reader, Slice};
use crate::name::Digest;

pub use config::Config;
pub(crate) use config::{NewConfig, NewDraft};
pub use media_type::MediaType;
pub use parameters::{ParameterValue, Parameters};

/// A manifest as it was read.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::MediaType;
///
/// let model = store.model("tiny")?;
/// let weights = model.manifest().last(&MediaType::Model).expect("it has weights");
/// assert_eq!(store.blob_path(&weights.digest()?), model.gguf_path()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Manifest {
    config: Layer,
    layers: Vec<Layer>,
    id: String,
}

/// One entry of a manifest. Nothing of it is checked against the blob it names.
///
/// Serializes under the keys of the manifest.
///
/// ```
/// use modelkeep::Manifest;
///
/// let manifest = Manifest::parse(br#"{"layers": [{"digest": "none", "size": 7}]}"#)?;
/// let layer = &manifest.layers()[0];
/// assert_eq!((layer.size, layer.digest_text()), (7, "none"));
/// assert!(layer.digest().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Layer {
    media_type: String,
    digest: String,
    /// The digest that the text is.
    #[serde(skip)]
    parsed: Option<Digest>,
    /// Bytes of the blob, as the manifest has it; may be any number.
    pub size: i64,
    /// The model that this layer came from; empty when not said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The name of the tensor or file, in safetensors models; empty elsewhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl Manifest {
    /// Reads a manifest from the bytes of its file.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where the bytes do not decode. `null`, `{}` and manifests
    /// without layers do decode.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        decode(bytes).map_err(|e| match foreign(bytes) {
            Some(what) => Error::caused(ErrorKind::Corrupt, "decoding manifest", what),
            None => Error::caused(ErrorKind::Corrupt, "decoding manifest", e),
        })
    }

    /// Returns the entry that names the config blob; all empty where the manifest has none.
    pub fn config(&self) -> &Layer {
        &self.config
    }

    /// Returns the layers in the order of the file.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Returns the layers and then the config: everything that may name a blob.
    pub fn entries(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().chain([&self.config])
    }

    /// Returns the distinct digests that it names, in order; malformed ones are passed over.
    pub fn digests(&self) -> Vec<Digest> {
        let digests = self.entries().filter_map(|layer| layer.digest().ok());
        let mut digests: Vec<Digest> = digests.collect();
        digests.sort();
        digests.dedup();
        digests
    }

    /// Returns the last layer of a type, which is the one that counts.
    pub fn last(&self, media: &MediaType) -> Option<&Layer> {
        self.layers
            .iter()
            .rev()
            .find(|layer| layer.media() == *media)
    }

    /// Returns the sum of all sizes, config included, as list shows it: 64 bits that wrap.
    pub fn size(&self) -> i64 {
        self.entries()
            .fold(0, |sum, layer| sum.wrapping_add(layer.size))
    }

    /// Returns the digest that list shows, 64 hexadecimal digits: that of what Ollama's decoder had
    /// buffered when the first value ended, usually the whole file.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Manifest {
    /// Returns the blobs that it names, and how many bytes it states of each; of several numbers the
    /// last.
    ///
    /// # Errors
    /// For a malformed digest, and [`Corrupt`](ErrorKind::Corrupt) for a negative number.
    #[cfg(feature = "registry")]
    pub(crate) fn sizes(&self) -> Result<BTreeMap<Digest, u64>, Error> {
        let named = self.entries().filter(|it| !it.digest_text().is_empty());
        let sizes = named.map(|layer| {
            let digest = layer.digest()?;
            let size = u64::try_from(layer.size).map_err(|_| {
                let text = format!("it states {} bytes of {digest}", layer.size);
                Error::new(ErrorKind::Corrupt, text)
            });
            Ok((digest, size?))
        });
        sizes.collect()
    }

    /// As [`id`](Self::id), in 32 bytes.
    pub(crate) fn id_digest(&self) -> Digest {
        Digest::of_hex(&self.id).expect("it was printed from a digest")
    }
}

/// Returns what a file is that was written where a manifest belongs, told from its first bytes.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.trim_ascii_start();
    let is_page = |start: &&[u8]| {
        text.get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Some("it begins with a byte order mark: save it without one"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{', 0, ..] | [0, b'{', ..] => {
            Some("it is UTF-16: save it as UTF-8")
        }
        [0x1f, 0x8b, ..] => Some("it is compressed with gzip: unpack it"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("it is compressed with zstd: unpack it"),
        [b'P', b'K', 3, 4, ..] => Some("it is a zip archive, not a manifest"),
        [b'G', b'G', b'U', b'F', ..] => Some("it is a GGUF file: import it"),
        _ if !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0) => {
            Some("it holds nothing but zeros: its bytes were lost")
        }
        _ if text.starts_with(b"<") => Some("it is an HTML or XML page: fetch the manifest itself"),
        _ if text.starts_with(b"version https://git-lfs") => {
            Some("it is a pointer of Git LFS: fetch the file that it stands for")
        }
        _ if is_page(&b"entry not found".as_slice()) || is_page(&b"not found".as_slice()) => {
            Some("it is the text of a failed download")
        }
        _ => None,
    }
}

/// Returns whether a manifest states another size than a file has. Zero states nothing: it is what
/// a manifest without a size has.
pub(crate) fn contradicts(stated: i64, length: u64) -> bool {
    stated != 0 && u64::try_from(stated) != Ok(length)
}

impl Layer {
    /// Returns what the blob holds.
    pub fn media(&self) -> MediaType {
        self.media_type.as_str().into()
    }

    /// Returns the digest as the manifest spells it; may be empty or malformed.
    pub fn digest_text(&self) -> &str {
        &self.digest
    }

    /// Returns the digest of the blob.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where the manifest's text is no digest.
    pub fn digest(&self) -> Result<Digest, Error> {
        self.parsed.map_or_else(|| Digest::stored(&self.digest), Ok)
    }
}

impl Decode for Layer {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        json.fields(
            first,
            &mut [
                ("mediaType", &mut self.media_type),
                ("digest", &mut self.digest),
                ("size", &mut self.size),
                ("from", &mut self.from),
                ("name", &mut self.name),
            ],
        )?;
        self.parsed = Digest::stored(&self.digest).ok();
        Ok(())
    }
}

impl Decode for Manifest {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut layers = Slice::default();
        let (mut schema_version, mut media_type) = (0_i64, String::new());
        json.fields(
            first,
            &mut [
                ("config", &mut self.config),
                ("layers", &mut layers),
                ("schemaVersion", &mut schema_version),
                ("mediaType", &mut media_type),
            ],
        )?;
        self.layers = layers.into_items().unwrap_or_default();
        Ok(())
    }
}

fn decode(bytes: &[u8]) -> Result<Manifest, DecodeError> {
    let mut manifest = Manifest::default();
    let end = decode::first(bytes, &mut manifest)?;
    // Only the byte after `null` tells that it has ended.
    let closes = bytes.get(..end).is_some_and(|value| value.ends_with(b"}"));
    let seen = if closes {
        end
    } else {
        bytes.len().min(end + 1)
    };
    manifest.id = id(bytes, seen);
    Ok(manifest)
}

/// Ollama (August 2026) lists the hash of what its streaming decoder had buffered when the
/// first value ended, not of the file: its buffer grows 512, 1536, 3584, ... bytes. A 513-byte
/// file whose value ends at byte 512 is hashed without its last byte.
fn id(bytes: &[u8], end: usize) -> String {
    let mut buffered = 512_usize;
    while buffered < end {
        buffered = buffered.saturating_mul(2).saturating_add(512);
    }
    Digest::of(bytes.get(..buffered).unwrap_or(bytes)).hex()
}

/// A manifest to be written: compact JSON in Ollama's order of fields.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewManifest {
    schema_version: u32,
    media_type: &'static str,
    config: NewLayer,
    layers: Vec<NewLayer>,
}

/// An entry of a [`NewManifest`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewLayer {
    media_type: String,
    digest: Digest,
    size: u64,
    /// Where the bytes came from; empty for most.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The file's name inside a safetensors model.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl NewManifest {
    pub(crate) fn new(config: NewLayer, layers: Vec<NewLayer>) -> Self {
        // docker distribution, image manifest version 2, schema 2
        let media_type = "application/vnd.docker.distribution.manifest.v2+json";
        NewManifest {
            schema_version: 2,
            media_type,
            config,
            layers,
        }
    }

    /// Returns the bytes of the file, with the newline that Ollama ends it with.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = crate::go::json::to_string(self).into_bytes();
        bytes.push(b'\n');
        bytes
    }
}

impl NewLayer {
    pub(crate) fn new(media: &MediaType, digest: Digest, size: u64) -> Self {
        NewLayer {
            media_type: media.to_string(),
            digest,
            size,
            from: String::new(),
            name: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_513_byte_manifest_lists_like_the_reference() {
        let mut bytes = b"{\"layers\":[]".to_vec();
        bytes.resize(511, b' ');
        bytes.extend(b"}\n");
        let manifest = Manifest::parse(&bytes).unwrap();
        assert_eq!(
            (bytes.len(), manifest.id()),
            (513, &*Digest::of(&bytes[..512]).hex())
        );
    }

    #[test]
    fn fields_match_in_any_case_and_the_last_one_wins() {
        let text = br#"{"Config":{"digest":"a"},"config":{"SIZE":3},"layers":[{}],"LAYERS":null}"#;
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!((manifest.config().digest_text(), manifest.size()), ("a", 3));
        assert!(manifest.layers().is_empty());
    }

    #[test]
    fn what_does_not_decode_is_corrupt() {
        let cases = [
            "",
            "[]",
            "1",
            "\"x\"",
            "{\"layers\":{}}",
            "{\"config\":[]}",
            "{\"layers\":[1]}",
        ];
        for text in cases {
            let error = Manifest::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{text}");
        }
        for text in ["null", "{}", "{\"layers\":null} x"] {
            Manifest::parse(text.as_bytes()).unwrap();
        }
    }
}
