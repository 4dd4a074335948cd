//! Values of a GGUF file as Python objects.

use modelkeep::gguf::{Array, Value, ValueType};
use modelkeep::{Error, ErrorKind};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use crate::error::{changed, exception};
use crate::text::{Decoder, text};

/// An element that was looked for, on its way into a list.
pub(crate) struct Element<'a>(pub(crate) Option<Value<'a>>);

impl<'py> IntoPyObject<'py> for Element<'_> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.0.ok_or_else(|| changed(py))? {
            Value::U8(v) => v.into_bound_py_any(py),
            Value::I8(v) => v.into_bound_py_any(py),
            Value::U16(v) => v.into_bound_py_any(py),
            Value::I16(v) => v.into_bound_py_any(py),
            Value::U32(v) => v.into_bound_py_any(py),
            Value::I32(v) => v.into_bound_py_any(py),
            Value::U64(v) => v.into_bound_py_any(py),
            Value::I64(v) => v.into_bound_py_any(py),
            Value::F32(v) => v.into_bound_py_any(py),
            Value::F64(v) => v.into_bound_py_any(py),
            Value::Bool(v) => v.into_bound_py_any(py),
            Value::Str(v) => Ok(text(py, v)?.into_any()),
            // How deep arrays lie in arrays was bounded when the file was opened.
            Value::Array(v) => Ok(list(py, &v)?.into_any()),
            other => {
                let text = format!("reading GGUF: a value of type {}", other.value_type());
                Err(exception(py, &Error::new(ErrorKind::Unsupported, text)))
            }
        }
    }
}

/// Returns all elements of an array in one pass.
pub(crate) fn list<'py>(py: Python<'py>, array: &Array<'_>) -> PyResult<Bound<'py, PyList>> {
    let len = usize::try_from(array.len()).map_err(|_| changed(py))?;
    let mut elements = array.iter();
    if array.element_type() != ValueType::Str {
        return PyList::new(py, (0..len).map(|_| Element(elements.next())));
    }
    let mut decoder = Decoder::new();
    let strings = (0..len).map(|_| match elements.next() {
        Some(Value::Str(text)) => Made(decoder.text(py, text)),
        _ => Made(Err(changed(py))),
    });
    PyList::new(py, strings)
}

/// A string that was made, or could not be, on its way into a list.
struct Made<'py>(PyResult<Bound<'py, PyString>>);

impl<'py> IntoPyObject<'py> for Made<'py> {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = PyErr;

    fn into_pyobject(self, _: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.0
    }
}
