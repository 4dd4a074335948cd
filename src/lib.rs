//! The model store that Ollama writes to disk, as an embedded library.

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
mod name;
mod output_parser;
mod parameters;
mod reference;
mod template;
mod timestamp;

mod fs;
mod store;

pub use capability::Capability;
pub use config::Config;
pub use digest::Digest;
pub use error::{Error, ErrorKind, Result};
pub use fs::staged::Durability;
pub use human::human_number;
pub use manifest::{Layer, Manifest};
pub use media::MediaType;
pub use name::ModelName;
pub use parameters::Parameters;
pub use reference::Reference;
pub use store::{
    Blob, Collected, Copied, Deleted, Files, GcOptions, Maintained, Model, ModelUsage, Problem,
    Store, StoreOptions, Transfer, Usage,
};
pub use template::{Template, TemplateError};
pub use timestamp::Timestamp;
