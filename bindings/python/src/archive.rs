//! Models that travel: the results of export and of the import of an archive.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::json_base::{JsonBase, each, texts};
use crate::path::FilePath;
use crate::repr::shown;
use crate::stream::PyFile;

/// What an export wrote.
#[pyclass(frozen, get_all, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Exported {
    /// The models, by name.
    models: Vec<String>,
    /// How many blobs they have together.
    blobs: usize,
    /// The bytes of these blobs.
    bytes: u64,
}

impl Exported {
    pub(crate) fn of(py: Python<'_>, exported: modelkeep::Exported) -> PyResult<Py<Self>> {
        let fields = Exported {
            models: texts(&exported.models),
            blobs: exported.blobs,
            bytes: exported.bytes,
        };
        JsonBase::of(&Arc::new(exported)).with(py, fields)
    }
}

#[pymethods]
impl Exported {
    fn __repr__(&self) -> String {
        shown(
            "Exported",
            &[("models", &self.models), ("bytes", &self.bytes)],
        )
    }
}

/// What the import of an archive made.
#[pyclass(frozen, get_all, extends = JsonBase, module = "modelkeep")]
pub(crate) struct ImportedArchive {
    /// The models, in the order of the archive.
    models: Vec<Py<ArchivedModel>>,
    /// How many blobs were written.
    new_blobs: usize,
    /// The bytes of the blobs that were written.
    new_bytes: u64,
    /// How many blobs were there already, undamaged, and were not written again.
    shared_blobs: usize,
}

impl ImportedArchive {
    pub(crate) fn of(py: Python<'_>, imported: modelkeep::ImportedArchive) -> PyResult<Py<Self>> {
        let fields = ImportedArchive {
            models: each(py, &imported.models, |_, model| {
                Ok(ArchivedModel {
                    name: model.name.to_string(),
                    replaced: model.replaced,
                })
            })?,
            new_blobs: imported.new_blobs,
            new_bytes: imported.new_bytes,
            shared_blobs: imported.shared_blobs,
        };
        JsonBase::of(&Arc::new(imported)).with(py, fields)
    }
}

#[pymethods]
impl ImportedArchive {
    fn __repr__(&self) -> String {
        let models = self.models.len();
        shown(
            "ImportedArchive",
            &[("models", &models), ("new_bytes", &self.new_bytes)],
        )
    }
}

/// A model that came out of an archive.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct ArchivedModel {
    /// The model's name, in its stored spelling.
    name: String,
    /// Whether another model of that name was replaced.
    replaced: bool,
}

#[pymethods]
impl ArchivedModel {
    fn __repr__(&self) -> String {
        shown("ArchivedModel", &[("name", &self.name)])
    }
}

/// A path, or a binary file of Python.
pub(crate) enum Place {
    Path(PathBuf),
    File(PyFile),
}

impl Place {
    /// Takes what has the method of a file for one, and anything else for a path.
    pub(crate) fn of(given: &Bound<'_, PyAny>, method: &'static str) -> PyResult<Self> {
        if let Ok(path) = given.extract::<FilePath>() {
            return Ok(Place::Path(path.0));
        }
        if !given.hasattr(method)? {
            let text = format!("a path, or a binary file with the method {method}, is needed");
            return Err(PyTypeError::new_err(text));
        }
        Ok(Place::File(PyFile::new(given)))
    }
}
