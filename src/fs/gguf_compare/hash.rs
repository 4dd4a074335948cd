//! The hashes of a file's tensors, as `llama-gguf-hash` defines them.

use std::ops::ControlFlow;

use serde::{Serialize, Serializer};

use crate::error::Result;
use crate::fs::gguf_data::TensorData;
use crate::fs::gguf_file::GgufFile;
use crate::fs::hash::Progress;
use crate::gguf::{Gguf, TensorType};
use crate::name::Digest;

use super::streams::{Streams, Wanted};
use super::work;

/// Which hashes of a GGUF file are computed.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::GgufHashOptions;
///
/// let hash = store.model("tiny")?.gguf()?.hash(&GgufHashOptions::new().sha256(false))?;
/// assert!(hash.sha256.is_none() && hash.xxh64.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GgufHashOptions {
    sha256: bool,
    xxh64: bool,
    tensors: bool,
    threads: usize,
}

impl GgufHashOptions {
    /// Returns the options of both hashes, of each tensor and of all together.
    pub const fn new() -> Self {
        GgufHashOptions {
            sha256: true,
            xxh64: true,
            tensors: true,
            threads: 0,
        }
    }

    /// Sets whether SHA-256 is computed.
    #[must_use]
    pub const fn sha256(mut self, sha256: bool) -> Self {
        self.sha256 = sha256;
        self
    }

    /// Sets whether XXH64 is computed.
    #[must_use]
    pub const fn xxh64(mut self, xxh64: bool) -> Self {
        self.xxh64 = xxh64;
        self
    }

    /// Sets whether each tensor is hashed, besides all of them together.
    #[must_use]
    pub const fn tensors(mut self, tensors: bool) -> Self {
        self.tensors = tensors;
        self
    }

    /// Sets how many threads work; zero, the default, is one for each processor.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
}

impl Default for GgufHashOptions {
    fn default() -> Self {
        GgufHashOptions::new()
    }
}

/// The hashes of a GGUF file: of its tensors, and not of its metadata, so that they stay where only
/// those are edited.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::GgufHashOptions;
///
/// let hash = store.model("tiny")?.gguf()?.hash(&GgufHashOptions::new())?;
/// assert_eq!(hash.tensors.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct GgufHash {
    /// The SHA-256 of the data of all tensors, one after the other in the order of the file.
    #[serde(serialize_with = "hex")]
    pub sha256: Option<Digest>,
    /// The XXH64 of the same, with the seed 0.
    #[serde(serialize_with = "hex64")]
    pub xxh64: Option<u64>,
    /// Those of each tensor, in the order of the file.
    pub tensors: Vec<TensorHash>,
}

/// The hashes of a tensor.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::GgufHashOptions;
///
/// let hash = store.model("tiny")?.gguf()?.hash(&GgufHashOptions::new())?;
/// assert!(hash.tensors.iter().all(|tensor| tensor.xxh64.is_some()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct TensorHash {
    /// Its name, with U+FFFD for each byte that is not UTF-8.
    pub name: String,
    /// The type of its elements.
    #[serde(rename = "type")]
    pub tensor_type: TensorType,
    /// Its dimensions as the file has them.
    pub shape: Vec<u64>,
    /// The bytes of its data.
    pub size: u64,
    /// The SHA-256 of its data.
    #[serde(serialize_with = "hex")]
    pub sha256: Option<Digest>,
    /// The XXH64 of its data, with the seed 0.
    #[serde(serialize_with = "hex64")]
    pub xxh64: Option<u64>,
}

fn hex<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
    digest.map(|digest| digest.hex()).serialize(serializer)
}

fn hex64<S: Serializer>(hash: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    hash.map(|hash| format!("{hash:016x}"))
        .serialize(serializer)
}

impl GgufHash {
    /// Returns the hashes as JSON; those that were not wanted are `null`.
    pub fn to_json(&self) -> String {
        crate::go::json::to_string(self)
    }

    /// Returns the lines that `llama-gguf-hash` prints of a file: the hash, its value in hexadecimal,
    /// and the file with the tensor; last those of all tensors together.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::GgufHashOptions;
    ///
    /// let hash = store.model("tiny")?.gguf()?.hash(&GgufHashOptions::new().sha256(false))?;
    /// assert!(hash.lines("tiny.gguf").last().is_some_and(|line| line.starts_with("xxh64     ")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lines(&self, file: &str) -> Vec<String> {
        let of_one = |sha256: Option<Digest>, xxh64: Option<u64>, what: &str| {
            let xxh64 = xxh64.map(|hash| format!("{:8}  {hash:016x}  {what}", "xxh64"));
            let sha256 = sha256.map(|hash| format!("{:8}  {}  {what}", "sha256", hash.hex()));
            [xxh64, sha256].into_iter().flatten()
        };
        let tensors = self.tensors.iter().flat_map(|tensor| {
            let what = format!("{file}:{}", tensor.name);
            of_one(tensor.sha256, tensor.xxh64, &what)
        });
        let whole = of_one(self.sha256, self.xxh64, file);
        tensors.chain(whole).collect()
    }
}

impl GgufFile {
    /// Hashes the data of all tensors, on several threads; see [`hash_with`](Self::hash_with).
    ///
    /// # Errors
    /// As [`hash_with`](Self::hash_with).
    pub fn hash(&self, options: &GgufHashOptions) -> Result<GgufHash> {
        self.hash_with(options, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`hash`](Self::hash), with `observe` told how far it is, 20 times a second; it may break to
    /// stop. Where tensors are hashed, each byte counts twice.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use std::ops::ControlFlow;
    ///
    /// use modelkeep::{ErrorKind, GgufHashOptions};
    ///
    /// let file = store.model("tiny")?.gguf()?;
    /// let stopped = file.hash_with(&GgufHashOptions::new(), &mut |_| ControlFlow::Break(()));
    /// assert_eq!(stopped.map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where the data of a tensor are not at hand: only the
    /// header was read, the file is incomplete, or the tensor's type has no size;
    /// [`Io`](crate::ErrorKind::Io) where they cannot be read;
    /// [`Cancelled`](crate::ErrorKind::Cancelled) where `observe` broke.
    pub fn hash_with(
        &self,
        options: &GgufHashOptions,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<GgufHash> {
        let data = self.view().tensors().map(|tensor| self.data_of(&tensor));
        let data = data.collect::<Result<Vec<TensorData<'_>>>>()?;
        let threads = work::threads(options.threads).min(1 + data.len());
        let wanted = Wanted {
            sha256: options.sha256,
            xxh64: options.xxh64,
            whole: true,
            tensors: options.tensors,
        };
        let streams = Streams::new(&data, wanted, threads);
        let passes = 1 + u64::from(options.tensors);
        let whole = Progress {
            total_bytes: passes.saturating_mul(data.iter().map(TensorData::len).sum()),
            total_files: 1,
            ..Progress::default()
        };
        work::watched(threads, whole, observe, &|meter| streams.run(meter))?;
        Ok(collected(self.view(), streams))
    }
}

fn collected(gguf: Gguf<'_>, streams: Streams<'_>) -> GgufHash {
    let done = streams.into_done();
    let tensors = gguf.tensors().zip(done.tensors);
    let tensors = tensors.map(|(tensor, hashes)| TensorHash {
        name: tensor.name.lossy().into_owned(),
        tensor_type: tensor.tensor_type,
        shape: tensor.dims.to_vec(),
        size: tensor.size.unwrap_or(0),
        sha256: hashes.sha256,
        xxh64: hashes.xxh64,
    });
    GgufHash {
        sha256: done.whole.sha256,
        xxh64: done.whole.xxh64,
        tensors: tensors.collect(),
    }
}
