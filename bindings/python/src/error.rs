//! Errors become the exceptions of `modelkeep.errors`.

use modelkeep::{Error, ErrorKind, Result};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::parse_error::ParseError;

/// Returns the value, or raises the exception of the error's kind.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error))
    }
}

/// Returns the exception for an error; another one where even that cannot be made.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).unwrap_or_else(|other| other)
}

/// Returns the same as an object that is not raised.
pub(crate) fn exception_object(py: Python<'_>, error: &Error) -> Py<PyBaseException> {
    exception(py, error).into_value(py)
}

fn made(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
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
    if let Some(fault) = error.cause_of::<modelkeep::gguf::ParseError>() {
        value.setattr("parse_error", ParseError::from(fault.clone()))?;
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

/// Returns the exception for a file that has changed since it was opened.
pub(crate) fn changed(py: Python<'_>) -> PyErr {
    let text = "reading GGUF: the file has changed since it was opened";
    exception(py, &Error::new(ErrorKind::Corrupt, text))
}
