//! Paths as Python programs name them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A path that was given as `str`, `bytes` or `os.PathLike`.
pub(crate) struct FilePath(pub(crate) PathBuf);

impl<'py> FromPyObject<'_, 'py> for FilePath {
    type Error = PyErr;

    fn extract(path: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let encoded = path.py().import("os")?.call_method1("fsencode", (path,))?;
        let bytes = encoded.cast::<PyBytes>()?.as_bytes().to_vec();
        Ok(FilePath(OsString::from_vec(bytes).into()))
    }
}
