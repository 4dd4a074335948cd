//! What a verification found.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use crate::error::{self, Error, Result};
use crate::fs::stamp::FileStamp;
use crate::gguf;
use crate::go::json;
use crate::name::{Digest, ModelName};
use crate::store::problem::Problem;

/// What a verification found: every blob it looked at, and what is broken.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::VerifyOptions;
///
/// for blob in &store.verify(&VerifyOptions::new())? {
///     println!("{} {}", blob.status, blob.path.display());
///     assert!(blob.is_intact);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
#[must_use = "what is wrong with a blob is in the report, not an error"]
pub struct Report {
    /// One finding for each distinct digest, in the order of digests; in a view of several stores, of
    /// one store after another.
    pub blobs: Vec<Finding>,
    /// The models that lack something, in the order of names.
    pub models: Vec<BrokenModel>,
    /// Manifests that could not be read.
    pub problems: Vec<Problem>,
    /// The bytes that were hashed.
    pub hashed_bytes: u64,
    /// What was not hashed, because an earlier run found it good and nothing touched it since.
    pub cached: Cached,
    /// Why what is found good cannot be noted for later runs, where that was asked for. On Windows it
    /// never can, as nothing says who else may write to the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_error: Option<String>,
}

/// How much a verification took an earlier one's word for.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::VerifyOptions;
///
/// let report = store.verify(&VerifyOptions::new())?;
/// assert_eq!(report.cached, modelkeep::Cached::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Cached {
    /// The blobs.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Report {
    /// Returns whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        let sound = |finding: &Finding| {
            finding.status == BlobStatus::Ok && finding.gguf.as_ref().is_none_or(|g| g.is_ok())
        };
        self.blobs.iter().all(sound) && self.models.is_empty() && self.problems.is_empty()
    }

    /// Adds what was found in another store.
    pub(super) fn add(&mut self, other: Report) {
        self.blobs.extend(other.blobs);
        self.models.extend(other.models);
        self.problems.extend(other.problems);
        self.hashed_bytes += other.hashed_bytes;
        self.cached.blobs += other.cached.blobs;
        self.cached.bytes += other.cached.bytes;
        self.cache_error = self.cache_error.take().or(other.cache_error);
    }

    /// Returns the report as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a path that is not UTF-8, which JSON
    /// cannot carry.
    pub fn to_json(&self) -> crate::error::Result<String> {
        json::try_to_string(self)
    }
}

/// One blob.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::VerifyOptions;
///
/// let report = store.verify(&VerifyOptions::new())?;
/// let finding = &report.blobs[0];
/// assert_eq!((finding.models.len(), finding.detail.as_str()), (1, ""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The digest that names the blob.
    pub digest: Digest,
    /// Where it lies, or should lie.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// What is wrong with it.
    pub status: BlobStatus,
    /// Its size on disk in bytes; zero where it is missing.
    pub size: u64,
    /// The reason in words; empty where nothing is wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Whether its bytes have the digest, whatever manifests say of its size.
    #[serde(skip)]
    pub is_intact: bool,
    /// What the file looked like when it was verified.
    #[serde(skip)]
    pub(crate) stamp: Option<FileStamp>,
    /// When that was.
    #[serde(skip)]
    pub(crate) verified_at: Option<SystemTime>,
    /// The models that use it.
    pub models: Vec<ModelName>,
    /// What the strict GGUF reader says, where it was asked and the blob is a GGUF file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gguf: Option<GgufFinding>,
}

/// The state of a blob.
///
/// ```
/// use modelkeep::BlobStatus;
///
/// assert_eq!(BlobStatus::WrongDigest.to_string(), "wrong_digest");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BlobStatus {
    /// Its bytes have the digest that names it.
    Ok,
    /// No file is there.
    Missing,
    /// The file has another size than a manifest says, and another digest.
    WrongSize,
    /// The file's bytes have another digest.
    WrongDigest,
    /// The file cannot be read. That is not damage of its bytes, and may pass.
    Unreadable,
}

impl BlobStatus {
    /// Every status.
    pub const ALL: &'static [BlobStatus] = &[
        BlobStatus::Ok,
        BlobStatus::Missing,
        BlobStatus::WrongSize,
        BlobStatus::WrongDigest,
        BlobStatus::Unreadable,
    ];

    /// Returns the word for it: `ok`, `missing`, `wrong_size`, `wrong_digest` or `unreadable`.
    pub const fn as_str(self) -> &'static str {
        match self {
            BlobStatus::Ok => "ok",
            BlobStatus::Missing => "missing",
            BlobStatus::WrongSize => "wrong_size",
            BlobStatus::WrongDigest => "wrong_digest",
            BlobStatus::Unreadable => "unreadable",
        }
    }
}

impl std::fmt::Display for BlobStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for BlobStatus {
    type Err = Error;

    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other word.
    fn from_str(word: &str) -> Result<Self> {
        error::one_of("status of a blob", BlobStatus::ALL, word)
    }
}

impl Serialize for BlobStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What the strict reader says of a GGUF file.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::VerifyOptions;
///
/// let report = store.verify(&VerifyOptions::new().gguf(true))?;
/// let mut files = report.blobs.iter().filter_map(|blob| blob.gguf.as_ref());
/// assert!(files.all(|file| file.is_ok()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct GgufFinding {
    /// Why it is refused, where something is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<gguf::ParseError>,
    /// Why only strict readers refuse it: a tensor type or a number of dimensions that they do not
    /// support. Nothing is wrong with the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<gguf::ParseError>,
    /// What is unusual, or would be refused elsewhere.
    pub warnings: Vec<gguf::Warning>,
}

impl GgufFinding {
    /// Returns whether nothing is wrong with the file.
    pub fn is_ok(&self) -> bool {
        self.error.is_none()
    }
}

/// A model that cannot be whole.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::VerifyOptions;
///
/// std::fs::remove_file(store.model("tiny")?.gguf_path()?)?;
/// let broken = &store.verify(&VerifyOptions::new())?.models[0];
/// assert_eq!(broken.name.to_string(), "tiny:latest");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct BrokenModel {
    /// The model.
    pub name: ModelName,
    /// What it lacks, a line for each layer.
    pub reasons: Vec<String>,
}
