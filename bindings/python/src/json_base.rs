//! What every answer can do: say itself in JSON, as the engine does.

use std::sync::Arc;

use modelkeep::Result;
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use serde::Serialize;

use crate::error::OrRaise;

/// What the store or a file answered; its attributes are its fields.
#[pyclass(frozen, subclass, module = "modelkeep")]
pub(crate) struct JsonBase {
    json: Box<dyn Fn() -> Result<String> + Send + Sync>,
}

impl JsonBase {
    /// The base of an answer whose JSON is made when it is asked for.
    pub(crate) fn new(json: impl Fn() -> Result<String> + Send + Sync + 'static) -> Self {
        JsonBase {
            json: Box::new(json),
        }
    }

    /// The base of the answer that stands for a value of the engine.
    pub(crate) fn of<T: Serialize + Send + Sync + 'static>(value: &Arc<T>) -> Self {
        let value = value.clone();
        JsonBase::new(move || modelkeep::json::try_to_string(&*value))
    }

    /// The whole answer, its fields included.
    pub(crate) fn with<T>(self, py: Python<'_>, fields: T) -> PyResult<Py<T>>
    where
        T: PyClass<BaseType = JsonBase>,
    {
        Py::new(py, PyClassInitializer::from(self).add_subclass(fields))
    }
}

#[pymethods]
impl JsonBase {
    /// The answer as JSON; that of list and show is the body of the HTTP call.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| (self.json)()).or_raise(py)
    }

    /// The same as Python values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json(py)?)
    }
}

/// JSON as Python values.
pub(crate) fn loads<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (json,))
}

/// The Python objects of some values of the engine.
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

/// The texts of some values.
pub(crate) fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
