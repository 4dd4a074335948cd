//! What is as it is because Ollama is a Go program: how it prints, decodes, encodes and counts.

pub(crate) mod decode;
mod float;
pub(crate) mod fmt;
pub mod human;
pub mod json;
pub mod time;

pub use fmt::{code_point, is_print, quote};
pub(crate) use fmt::{plain, syntax};
