//! Errors become the exceptions of `modelkeep.errors`.

use modelkeep::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::PyType;

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

fn made(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let class = py
        .import("modelkeep.errors")?
        .getattr(error.kind().python_class())?;
    let class = class.cast_into::<PyType>()?;
    let text = error.to_string();
    Ok(match error.os_error() {
        Some(number) if error.kind() == modelkeep::ErrorKind::Io => {
            PyErr::from_type(class, (number, text))
        }
        _ => PyErr::from_type(class, (text,)),
    })
}
