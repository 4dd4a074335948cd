//! The model store that Ollama writes to disk, as an embedded library.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod error;

mod capability;
mod chat_template;
mod config;
mod decode;
mod digest;
pub mod gguf;
mod go;
mod human;
pub mod json;
mod manifest;
mod media;
mod modelfile;
mod name;
mod output_parser;
mod parameters;
mod reference;
mod sha256;
mod template;
mod timestamp;

mod fs;
mod store;
pub mod wire;

pub use capability::Capability;
pub use config::Config;
pub use digest::Digest;
pub use error::{Error, ErrorKind, Result};
pub use fs::gguf_file::{GgufFile, GgufOptions};
pub use fs::gguf_parts::{GgufParts, PartTensor};
pub use fs::staged::Durability;
pub use human::{human_number, printable};
pub use manifest::{Layer, Manifest};
pub use media::MediaType;
pub use modelfile::{Command, Modelfile};
pub use name::ModelName;
pub use parameters::Parameters;
pub use reference::Reference;
#[doc(hidden)]
pub use sha256::probe;
pub use store::{
    Alias, Blob, BlobStatus, BrokenModel, Collected, Complaint, Copied, Deleted, Diagnosis, Fact,
    FileWarning, Files, Finding, GcOptions, GgufFinding, ImportOptions, Imported, IncompleteBlob,
    ListOptions, ListedDetails, Listing, Maintained, ManifestForm, Message, Model, ModelInfo,
    ModelUsage, Moved, Problem, Progress, Repaired, Report, Root, SharedBlob, Show, ShowOptions,
    ShownDetails, ShownTensor, Store, StoreOptions, Summary, Transfer, Trusted, Usage,
    VerifyOptions,
};
pub use template::{Template, TemplateError};
pub use timestamp::Timestamp;
