//! What every result has: its JSON, as the engine makes it.

use std::sync::Arc;

use modelkeep::Result;
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::PyList;
use serde::Serialize;

use crate::exception::plain;

/// A result of the store or of a file. Its attributes are its fields; `to_json` and `to_dict` give
/// it whole.
///
/// >>> modelkeep.Store().list().to_dict()["models"][0]["name"]
/// 'llama3.2:latest'
#[pyclass(frozen, subclass, module = "modelkeep")]
pub(crate) struct JsonBase(Json);

/// Makes the JSON of the result of a number among others, or of the only one.
pub(crate) type MakeJson = Arc<dyn Fn(usize) -> Result<String> + Send + Sync>;

enum Json {
    Engine(MakeJson, usize),
    Pickled(String),
}

impl JsonBase {
    /// Returns the base of a result whose JSON is made when it is asked for.
    pub(crate) fn new(json: impl Fn() -> Result<String> + Send + Sync + 'static) -> Self {
        JsonBase(Json::Engine(Arc::new(move |_| json()), 0))
    }

    /// Returns the base of one of several results.
    pub(crate) fn nth(json: &MakeJson, number: usize) -> Self {
        JsonBase(Json::Engine(json.clone(), number))
    }

    /// Returns the base of the result that stands for a value of the engine.
    pub(crate) fn of<T: Serialize + Send + Sync + 'static>(value: &Arc<T>) -> Self {
        let value = value.clone();
        JsonBase::new(move || modelkeep::json::try_to_string(&*value))
    }

    /// Returns the base of a result that was pickled.
    pub(crate) fn pickled(json: String) -> Self {
        JsonBase(Json::Pickled(json))
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
    /// Returns the result as JSON, as the engine and the command's `--json` print it; that of a
    /// list and of a show is the body of the HTTP call.
    ///
    /// Raises `UnsupportedError` for a path that is not UTF-8, which JSON cannot carry.
    ///
    /// >>> modelkeep.Store().list().to_json()[:35]
    /// '{"models":[{"name":"llama3.2:latest'
    pub(crate) fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        match &self.0 {
            Json::Engine(json, number) => py
                .detach(|| json(*number))
                .map_err(|error| plain(py, &error).unwrap_or_else(|other| other)),
            Json::Pickled(json) => Ok(json.clone()),
        }
    }

    /// Returns the same as dictionaries, lists, strings and numbers.
    ///
    /// >>> modelkeep.Store().show("llama3.2").to_dict()["details"]["family"]
    /// 'llama'
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json(py)?)
    }
}

/// Returns JSON as Python values.
pub(crate) fn loads<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (json,))
}

/// Returns the Python objects of some values of the engine.
pub(crate) fn each<'py, T, U>(
    py: Python<'py>,
    values: impl IntoIterator<Item = T>,
    convert: impl Fn(T) -> U,
) -> PyResult<Bound<'py, PyList>>
where
    U: PyClass + Into<PyClassInitializer<U>>,
{
    let values = values.into_iter();
    let objects: Vec<Py<U>> = values
        .map(|value| Py::new(py, convert(value)))
        .collect::<PyResult<_>>()?;
    PyList::new(py, objects)
}

/// Returns the texts of some values.
pub(crate) fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
