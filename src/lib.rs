//! The model store that Ollama writes to disk, as an embedded library.

mod error;
mod go;
mod human;
pub mod json;
mod parameters;
mod template;

pub use error::{Error, ErrorKind, Result};
pub use human::human_number;
pub use parameters::Parameters;
pub use template::{Template, TemplateError};
