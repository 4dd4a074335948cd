//! Paths as Python programs name them.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A path that was given as `str`, `bytes` or `os.PathLike`.
pub(crate) struct FilePath(pub(crate) PathBuf);

impl<'py> FromPyObject<'_, 'py> for FilePath {
    type Error = PyErr;

    fn extract(path: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let decoded = path.py().import("os")?.call_method1("fsdecode", (path,))?;
        decoded.extract().map(FilePath)
    }
}

/// The paths of the directories of a store: one, or several in a sequence.
pub(crate) struct Roots(pub(crate) Vec<PathBuf>);

impl<'py> FromPyObject<'_, 'py> for Roots {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let refusal = match given.extract::<FilePath>() {
            Ok(path) => return Ok(Roots(vec![path.0])),
            Err(refusal) => refusal,
        };
        let Ok(paths) = given.try_iter() else {
            return Err(refusal);
        };
        let paths = paths.map(|path| Ok(path?.extract::<FilePath>()?.0));
        let paths = paths.collect::<PyResult<Vec<PathBuf>>>()?;
        match paths.is_empty() {
            true => Err(PyValueError::new_err("no directory is in the sequence")),
            false => Ok(Roots(paths)),
        }
    }
}
