//! Models that travel: the answers of export and of the import of an archive, and files of Python as
//! streams.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::json_base::{JsonBase, each, texts};
use crate::path::FilePath;
use crate::repr::shown;

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
        let file = given.clone().unbind();
        let raised = Mutex::new(None);
        Ok(Place::File(PyFile { file, raised }))
    }
}

/// A file of Python, and what it raised.
pub(crate) struct PyFile {
    file: Py<PyAny>,
    raised: Mutex<Option<PyErr>>,
}

/// The bytes that are asked of a file at once.
const CHUNK: usize = 1 << 20;

impl PyFile {
    /// Returns what the file raised, if it did.
    pub(crate) fn raised(self) -> Option<PyErr> {
        self.raised.into_inner().unwrap_or_default()
    }

    fn call<T>(&self, call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> io::Result<T> {
        Python::attach(|py| call(self.file.bind(py))).map_err(|raised| {
            if let Ok(mut place) = self.raised.lock() {
                *place = Some(raised);
            }
            io::Error::other("the file raised an exception")
        })
    }
}

impl Read for PyFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(CHUNK);
        self.call(|file| {
            let read = file.call_method1("read", (most,))?;
            let read = read.cast::<PyBytes>()?.as_bytes();
            let Some(place) = into.get_mut(..read.len()) else {
                return Err(PyValueError::new_err(
                    "read() gave more than it was asked for",
                ));
            };
            place.copy_from_slice(read);
            Ok(read.len())
        })
    }
}

impl Write for PyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = bytes.get(..CHUNK).unwrap_or(bytes);
        self.call(|file| {
            let written = file.call_method1("write", (PyBytes::new(file.py(), chunk),))?;
            match written.is_none() {
                true => Ok(chunk.len()),
                false => Ok(written.extract::<usize>()?.min(chunk.len())),
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call(|file| match file.hasattr("flush")? {
            true => file.call_method0("flush").map(drop),
            false => Ok(()),
        })
    }
}
