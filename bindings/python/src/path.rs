//! Paths as Python programs name them.

use std::path::PathBuf;

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
