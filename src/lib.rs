//! The model store that Ollama writes to disk, as an embedded library.

mod error;

pub use error::{Error, ErrorKind, Result};
