//! The model store that Ollama writes to disk, as an embedded library.
//!
//! Ollama keeps models as content-addressed blobs and small manifests in a directory of files.
//! This crate reads and changes that directory in process, with no server running: it lists and
//! shows models, copies, deletes, imports and verifies them, collects what nobody uses, and opens
//! their GGUF files without copying. Other programs may use the store at the same time, a running
//! Ollama among them.
//!
//! # A first example
//!
//! ```
//! # let (directory, _) =
//! #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
//! # let models = directory.path().join("models");
//! use modelkeep::{ShowOptions, Store};
//!
//! let store = Store::open(models)?; // or Store::open_default()
//! for model in store.list()? {
//!     println!("{} {} bytes {:?}", model.name, model.size, model.capabilities);
//! }
//!
//! let model = store.model("tiny")?;
//! let weights = model.gguf()?; // mapped, not read
//! assert_eq!(weights.view().architecture(), Some("llama"));
//! assert_eq!(model.system()?.as_deref(), Some("Be brief."));
//!
//! store.copy("tiny", "tiny-backup")?;
//! let deleted = store.delete("tiny")?;
//! assert_eq!(deleted.bytes, 0, "the backup uses the same blobs");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Store`] is where everything begins. It is cheap to clone, and safe to share among threads.
//!
//! | to | call | to | call |
//! |--|--|--|--|
//! | list models | [`list`](Store::list) | add one | [`import`](Store::import), [`import_modelfile`](Store::import_modelfile) |
//! | read all about one | [`show`](Store::show) | compare blobs with their digests | [`verify`](Store::verify) |
//! | read parts of one | [`model`](Store::model) | set damaged blobs aside | [`repair`](Store::repair) |
//! | give one another name | [`copy`](Store::copy) | find what is wrong | [`doctor`](Store::doctor) |
//! | remove some | [`delete`](Store::delete), [`delete_all`](Store::delete_all) | remove what is unused | [`gc`](Store::gc), [`maintain`](Store::maintain) |
//! | measure the disk | [`usage`](Store::usage) | find whose a file is | [`which`](Store::which) |
//! | name their files for other programs | [`link`](Store::link) | see whether these names are current | [`check_links`](Store::check_links) |
//! | write models to an archive | [`export`](Store::export) | take them back | [`import_archive`](Store::import_archive) |
//! | edit the metadata of one | [`edit`](Store::edit) | edit those of a file | [`gguf::Editor`] |
//! | split a file | [`GgufParts::split_file`] | merge its parts | [`GgufParts::merge_file`] |
//!
//! Names are strings as people type them, such as `llama3.2` or `hf.co/team/model:Q4`, or what was
//! parsed from one before: a [`ModelName`], or a [`Reference`], which may say with `:local` where
//! the model is to be served. What a call can be told besides stands in options with a setter for
//! each, such as [`VerifyOptions`]. Long calls are observed and stopped by [`Store::watch`] and
//! [`Store::verify_with`].
//!
//! Results are plain values. Where a client of Ollama's HTTP API wants JSON, `to_json` gives the
//! bytes that the server would have sent; [`http_api`] does that for whole requests, and [`gguf`]
//! reads and writes GGUF files without any store.
//!
//! # What holds
//!
//! * **Reading changes nothing.** Opening, listing and showing create no file and take no lock.
//!   Nothing is cached between calls: each reads what the disk holds now.
//! * **A change is made completely or not at all.** A file is staged, flushed and renamed, in an
//!   order in which a crash or a power cut leaves the old state or the new one. [`Durability::None`]
//!   gives up the power cut for speed.
//! * **A blob that a model uses is not removed.** While a manifest cannot be read, all blobs are
//!   kept, and the result says why. Blobs on their way out wait in a trash for as long as
//!   [`StoreOptions::delete_delay`] says, and go back where a server began to use them.
//! * **One bad model hides no others.** What cannot be read is a [`Problem`] beside the result.
//! * **No file is trusted.** Counts, lengths and offsets are compared with what is left of a file
//!   before they are used. A hostile one ends in an error that says where, and does not panic.
//! * **Errors can be acted on.** An [`Error`] has a [kind](ErrorKind), the file that it is about, the
//!   number of the operating system's error, and names that may have been meant.
//!
//! One thing no library can promise: a file that is mapped has to stay as it is. The blobs of a
//! store do; [`GgufFile::open`] says what that means for others, and how to read them instead.
//!
//! # Platforms
//!
//! The tests run on Linux, on x86-64. The code uses what Unix systems have in common, so it does
//! not build for Windows, and on other Unix systems, macOS among them, nothing has been run. SHA-256
//! is computed with the processor's own instructions where there are any.
//!
//! # Features
//!
//! None is needed, and none is on by default. `internal` is for the fuzzers, the benchmarks and the
//! tests of this repository: what it adds may change or go with any release.
//!
//! # More
//!
//! The repository has the same engine for C, C++, Python, the shell and HTTP, and under `docs/` the
//! reasons for how it is built, the format of a store, the few deliberate differences from Ollama,
//! and measurements.

mod capability;
mod error;
mod fs;
pub mod gguf;
mod go;
pub mod http_api;
mod manifest;
mod modelfile;
mod name;
mod near;
mod oci;
#[cfg(feature = "registry")]
mod registry;
mod sha256;
#[cfg(test)]
#[allow(dead_code, reason = "tests of other crates call the rest of it")]
mod skip;
mod store;
mod sync;
mod template;

pub use capability::Capability;
pub use error::{Error, ErrorKind, Result};
pub use fs::durability::Durability;
pub use fs::gguf_at::ReadAt;
pub use fs::gguf_compare::{
    GgufDiff, GgufHash, GgufHashOptions, KeyDiff, SharedSet, SharedTensor, TensorDiff, TensorHash,
    TensorShape, TypeDiff, WeightSize,
};
pub use fs::gguf_file::{GgufFile, GgufOptions};
pub use fs::gguf_parts::{GgufParts, PartTensor};
pub use fs::system::paths::path_of_bytes;
pub use go::human::{human_number, human_size, printable};
pub use go::json;
pub use go::time::Timestamp;
pub use manifest::{Config, Layer, Manifest, MediaType, ParameterValue, Parameters};
pub use modelfile::{Command, Modelfile};
pub use name::{Digest, ModelName, Reference};
#[cfg(feature = "registry")]
pub use registry::{RegistryOptions, RegistryReference, ls_remote};
pub use store::{
    Alias, ArchivedModel, Blob, BlobStatus, BrokenModel, Cached, CheckedLink, Collected, Copied,
    CopyMode, CopyOptions, DeleteOptions, Deleted, DeletedFrom, Diagnosis, EditOptions, Edited,
    ExportOptions, Exported, FileWarning, Files, Finding, GcOptions, GgufFinding,
    ImportArchiveOptions, ImportOptions, Imported, ImportedArchive, IncompleteBlob, InfoValue,
    Issue, Link, LinkLayout, LinkMode, LinkOptions, LinkReport, LinkState, Linked, ListOptions,
    ListedDetails, Listing, Location, LocationState, Maintained, ManifestForm, Message, Model,
    ModelInfo, ModelUsage, MovedBlob, Names, Problem, Progress, Repaired, Report, SharedBlob,
    SharedTensors, Show, ShowOptions, ShownDetails, ShownTensor, SplitOptions, Store, StoreOptions,
    Summary, Usage, Use, Uses, VerifyOptions, WeightsFile,
};
#[cfg(feature = "registry")]
pub use store::{PullOptions, Pulled, PushOptions, Pushed, Upstream, ls_remote_with};
pub use template::{Template, TemplateError};

/// What the fuzzers, the benchmarks and some tests of this library reach for. Here only with the
/// feature `internal`; it may change or go with any release.
#[cfg(feature = "internal")]
pub mod internal {
    pub use crate::fs::gguf_compare::fuzz_compare;
    pub use crate::gguf::fuzz_read::fuzz_read;
    pub use crate::sha256::bench_hash;
}
