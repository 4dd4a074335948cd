//! What every result has: its JSON, as the engine makes it.

use std::sync::Arc;

use modelkeep::Result;
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use serde::Serialize;

use crate::error::OrRaise;

/// A result of the store or of a file; its attributes are its fields.
#[pyclass(frozen, subclass, module = "modelkeep")]
pub(crate) struct JsonBase {
    json: Box<dyn Fn() -> Result<String> + Send + Sync>,
}

impl JsonBase {
    /// Returns the base of a result whose JSON is made when it is asked for.
    pub(crate) fn new(json: impl Fn() -> Result<String> + Send + Sync + 'static) -> Self {
        JsonBase {
            json: Box::new(json),
        }
    }

    /// Returns the base of the result that stands for a value of the engine.
    pub(crate) fn of<T: Serialize + Send + Sync + 'static>(value: &Arc<T>) -> Self {
        let value = value.clone();
        JsonBase::new(move || modelkeep::json::try_to_string(&*value))
    }

    /// Returns the whole result, its fields included.
    pub(crate) fn with<T>(self, py: Python<'_>, fields: T) -> PyResult<Py<T>>
    where
        T: PyClass<BaseType = JsonBase>,
    {
        Py::new(py, PyClassInitializer::from(self).add_subclass(fields))
    }
}

#[pymethods]
impl JsonBase {
    /// Returns the result as JSON; that of list and show is the body of the HTTP call.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| (self.json)()).or_raise(py)
    }

    /// Returns the same as Python values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json(py)?)
    }
}

/// Returns JSON as Python values.
pub(crate) fn loads<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (json,))
}

/// Returns the Python objects of some values of the engine.
pub(crate) fn each<T, U>(
    py: Python<'_>,
    values: impl IntoIterator<Item = T>,
    convert: impl Fn(Python<'_>, T) -> PyResult<U>,
) -> PyResult<Vec<Py<U>>>
where
    U: PyClass + Into<PyClassInitializer<U>>,
{
    let values = values.into_iter();
    values
        .map(|value| Py::new(py, convert(py, value)?))
        .collect()
}

/// Returns the texts of some values.
pub(crate) fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
