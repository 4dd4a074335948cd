//! The model store that Ollama writes to disk, as an embedded library.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod capability;
mod error;
mod fs;
pub mod gguf;
mod go;
mod manifest;
mod modelfile;
mod name;
mod sha256;
mod store;
mod template;
pub mod wire;

pub use capability::Capability;
pub use error::{Error, ErrorKind, Result};
pub use fs::durability::Durability;
pub use fs::gguf_file::{GgufFile, GgufOptions};
pub use fs::gguf_parts::{GgufParts, PartTensor};
pub use go::human::{human_number, printable};
pub use go::json;
pub use go::time::Timestamp;
pub use manifest::{Config, Layer, Manifest, MediaType, ParameterValue, Parameters};
pub use modelfile::{Command, Modelfile};
pub use name::{Digest, ModelName, Reference};
pub use store::{
    Alias, Blob, BlobStatus, BrokenModel, Cached, Collected, Copied, CopyMode, Deleted, Diagnosis,
    FileWarning, Files, Finding, GcOptions, GgufFinding, ImportOptions, Imported, IncompleteBlob,
    InfoValue, Issue, ListOptions, ListedDetails, Listing, Location, LocationState, Maintained,
    ManifestForm, Message, Model, ModelInfo, ModelUsage, MovedBlob, Problem, Progress, Repaired,
    Report, SharedBlob, Show, ShowOptions, ShownDetails, ShownTensor, Store, StoreOptions, Summary,
    Usage, Use, Uses, VerifyOptions,
};
pub use template::{Template, TemplateError};

/// What the fuzzers, the benchmarks and some tests of this library reach for. Here only with the
/// feature `internal`; it may change or go with any release.
#[cfg(feature = "internal")]
pub mod internal {
    pub use crate::gguf::fuzz_read::fuzz_read;
    pub use crate::sha256::bench_hash;
}
