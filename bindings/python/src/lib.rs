//! The Python binding: converts in, calls the engine once, converts out.

mod archive;
mod array;
mod buffer;
mod classes;
mod compare;
mod equality;
mod error;
mod exception;
mod gguf;
mod gguf_edit;
mod gguf_from;
mod gguf_split;
mod gguf_writer;
mod html;
mod http;
mod import;
mod json_base;
mod link;
mod listing;
mod maintain;
mod model;
mod models;
mod new_value;
mod numbers;
mod options;
mod parse_error;
mod path;
mod progress;
mod record;
mod registry;
mod results;
mod show;
mod split_gguf;
mod store;
mod store_import;
mod store_maintain;
mod store_registry;
mod stream;
mod tensor;
mod text;
mod uses;
mod value;
mod verify;

/// The extension module behind the package `modelkeep`.
#[pyo3::pymodule(gil_used = false)]
mod _modelkeep {
    use std::ffi::OsString;

    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::gguf_edit::edit_gguf;
    #[pymodule_export]
    use crate::gguf_split::{merge_gguf, split_gguf};
    #[pymodule_export]
    use crate::registry::ls_remote;
    #[pymodule_export]
    use crate::store::Store;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.setattr("__all__", crate::classes::NAMES.to_vec())
    }

    /// Returns a class that is made when it is first asked for: to make them all would be half of
    /// the time of an import.
    #[pyfunction]
    fn __getattr__<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        crate::classes::find(py, name)
    }

    /// The version of this package, which all of its bindings share.
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "this is Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Runs the command `modelkeep`; the first argument is its own name. Returns its exit status.
    #[pyfunction]
    fn _run(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
        py.detach(|| modelkeep_cli::run(arguments))
    }
}
