//! The exceptions of `modelkeep.errors`, one for each kind of error.

use modelkeep::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyType;

/// Returns the exception for an error of the engine: its class, its text, and the near names.
pub(crate) fn plain(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let class = py
        .import("modelkeep.errors")?
        .getattr(error.kind().python_class())?;
    let class = class.cast_into::<PyType>()?;
    let text = error.to_string();
    let exception = match (refusal(error), error.path()) {
        (Some(number), Some(path)) => {
            // The last is the number as Windows has it; elsewhere it is ignored.
            let path = path.as_os_str().to_owned();
            PyErr::from_type(class, (number, text, path, number))
        }
        (Some(number), None) => PyErr::from_type(class, (number, text)),
        (None, _) => PyErr::from_type(class, (text,)),
    };
    let value = exception.value(py);
    if !error.suggestions().is_empty() {
        value.setattr("suggestions", error.suggestions().to_vec())?;
    }
    Ok(exception)
}

/// Returns the system's number, for the classes that are an `OSError` of it.
fn refusal(error: &Error) -> Option<i32> {
    use ErrorKind::{FileNotFound, Io, PermissionDenied, ReadOnly};
    let is_system = matches!(
        error.kind(),
        FileNotFound | Io | PermissionDenied | ReadOnly
    );
    error.os_error().filter(|_| is_system)
}
