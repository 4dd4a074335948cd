//! Errors are raised, with why a GGUF file is refused where that is the cause.

use modelkeep::{Error, ErrorKind, Result};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;

use crate::exception::plain;
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
    let exception = plain(py, error)?;
    if let Some(fault) = error.cause_of::<modelkeep::gguf::ParseError>() {
        let fault = ParseError::from(fault.clone());
        exception.value(py).setattr("parse_error", fault)?;
    }
    Ok(exception)
}

/// Returns the exception for a file that has changed since it was opened.
pub(crate) fn changed(py: Python<'_>) -> PyErr {
    let text = "reading GGUF: the file has changed since it was opened";
    exception(py, &Error::new(ErrorKind::Corrupt, text))
}
