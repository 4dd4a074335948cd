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
pub use fs::gguf_file::{GgufFile, GgufOptions};
pub use fs::gguf_parts::{GgufParts, PartTensor};
pub use fs::staged::Durability;
pub use go::human::{human_number, printable};
pub use go::json;
pub use go::time::Timestamp;
pub use manifest::{Config, Layer, Manifest, MediaType, Parameters};
pub use modelfile::{Command, Modelfile};
pub use name::{Digest, ModelName, Reference};
#[doc(hidden)]
pub use sha256::bench_hash;
pub use store::{
    Alias, Blob, BlobStatus, BrokenModel, Cached, Collected, Complaint, Copied, Deleted, Diagnosis,
    Fact, FileWarning, Files, Finding, GcOptions, GgufFinding, ImportOptions, Imported,
    IncompleteBlob, ListOptions, ListedDetails, Listing, Maintained, ManifestForm, Message, Model,
    ModelInfo, ModelUsage, Moved, Problem, Progress, Repaired, Report, Root, RootState, SharedBlob,
    Show, ShowOptions, ShownDetails, ShownTensor, Store, StoreOptions, Summary, Transfer, Usage,
    Use, Uses, VerifyOptions,
};
pub use template::{Template, TemplateError};
