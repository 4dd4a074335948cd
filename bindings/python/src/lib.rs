//! The Python door: converts in, calls the engine once, converts out.

mod error;
mod options;
mod store;

/// The extension module behind the package `modelkeep`.
#[pyo3::pymodule(gil_used = false)]
mod _modelkeep {
    #[pymodule_export]
    use crate::store::{Copied, Deleted, Store};
}
