//! The Python binding: converts in, calls the engine once, converts out.

mod archive;
mod array;
mod buffer;
mod equality;
mod error;
mod gguf;
mod http;
mod import;
mod json_base;
mod listing;
mod maintain;
mod model;
mod models;
mod options;
mod parse_error;
mod path;
mod progress;
mod record;
mod results;
mod show;
mod split_gguf;
mod store;
mod store_import;
mod store_maintain;
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
    use crate::archive::{ArchivedModel, Exported, ImportedArchive};
    #[pymodule_export]
    use crate::array::Array;
    #[pymodule_export]
    use crate::gguf::{FileWarning, Gguf, GgufWarning};
    #[pymodule_export]
    use crate::json_base::JsonBase;
    #[pymodule_export]
    use crate::listing::{Details, IncompleteBlob, Listing, Problem, Summary};
    #[pymodule_export]
    use crate::maintain::{
        Collected, Diagnosis, Files, Issue, Location, Maintained, ModelUsage, MovedBlob, Repaired,
        Usage,
    };
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::parse_error::ParseError;
    #[pymodule_export]
    use crate::progress::Progress;
    #[pymodule_export]
    use crate::results::{Alias, Copied, Deleted, Imported, SharedBlob};
    #[pymodule_export]
    use crate::show::{Message, Show, ShownTensor};
    #[pymodule_export]
    use crate::split_gguf::GgufParts;
    #[pymodule_export]
    use crate::store::Store;
    #[pymodule_export]
    use crate::tensor::Tensor;
    #[pymodule_export]
    use crate::uses::{Use, Uses};
    #[pymodule_export]
    use crate::verify::{BrokenModel, Cached, Finding, GgufFinding, Report};

    /// Runs the command `modelkeep`; the first argument is its own name. Returns its exit status.
    #[pyfunction]
    fn _run(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
        py.detach(|| modelkeep_cli::run(arguments))
    }
}
