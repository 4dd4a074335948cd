//! Errors become the exceptions of `modelkeep.errors`.

use modelkeep::{Error, ErrorKind, Result};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::gguf::Fault;

/// Answers with the value, or raises the exception of the error's kind.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error))
    }
}

/// The exception for an error; another one where even that cannot be made.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).unwrap_or_else(|other| other)
}

/// The same as an object that is not raised.
pub(crate) fn exception_object(py: Python<'_>, error: &Error) -> Py<PyBaseException> {
    exception(py, error).into_value(py)
}

fn made(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let class = py
        .import("modelkeep.errors")?
        .getattr(error.kind().python_class())?;
    let class = class.cast_into::<PyType>()?;
    let text = error.to_string();
    let exception = match error.os_error() {
        Some(number) if error.kind() == ErrorKind::Io => PyErr::from_type(class, (number, text)),
        _ => PyErr::from_type(class, (text,)),
    };
    if let Some(fault) = error.cause_of::<modelkeep::gguf::Fault>() {
        exception
            .value(py)
            .setattr("fault", Fault::from(fault.clone()))?;
    }
    Ok(exception)
}

/// What was read when a file was opened is not there any more.
pub(crate) fn changed(py: Python<'_>) -> PyErr {
    let text = "reading GGUF: the file has changed since it was opened";
    exception(py, &Error::new(ErrorKind::Corrupt, text))
}
