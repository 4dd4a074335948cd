//! The class `ParseError`: why a GGUF file is refused.

use pyo3::prelude::*;

use crate::repr::shown;

/// Why a file is refused: what is wrong, where in its structure, and at which byte.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct ParseError {
    /// The class of the fault, a word that never changes, as in `bad_magic`.
    kind: &'static str,
    /// The offset in the file, in bytes, of the item that is wrong.
    offset: u64,
    /// The place in the structure.
    path: String,
    /// What is wrong, in words.
    message: String,
}

impl From<modelkeep::gguf::ParseError> for ParseError {
    fn from(fault: modelkeep::gguf::ParseError) -> Self {
        ParseError {
            kind: fault.kind().code(),
            offset: fault.offset(),
            path: fault.path().to_owned(),
            message: fault.message().to_owned(),
        }
    }
}

#[pymethods]
impl ParseError {
    fn __repr__(&self) -> String {
        shown(
            "ParseError",
            &[
                ("kind", &self.kind),
                ("offset", &self.offset),
                ("path", &self.path),
                ("message", &self.message),
            ],
        )
    }
}
