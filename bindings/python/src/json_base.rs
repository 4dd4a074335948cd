//! What every result has: its JSON, as the engine makes it.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyList, PyString};

use crate::exception::plain;

/// A result of the store or of a file. Its attributes are its fields; `to_json` and `to_dict` give
/// it whole.
///
/// >>> modelkeep.Store().list().to_dict()["models"][0]["name"]
/// 'llama3.2:latest'
#[pyclass(frozen, subclass, module = "modelkeep")]
pub(crate) struct JsonBase(fn(&Bound<'_, Self>) -> PyResult<String>);

/// A class of results.
pub(crate) trait HasJson: PyClass<BaseType = JsonBase> {
    /// Returns the result as JSON.
    fn json(slf: &Bound<'_, Self>) -> PyResult<String>;
}

impl JsonBase {
    /// Returns a result with its base, which costs a pointer: the JSON is made of the result itself,
    /// when it is asked for.
    pub(crate) fn beneath<T: HasJson>(result: T) -> PyClassInitializer<T> {
        let json = |base: &Bound<'_, Self>| T::json(base.cast()?);
        PyClassInitializer::from(JsonBase(json)).add_subclass(result)
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
    pub(crate) fn to_json<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyString>> {
        long_string(slf.py(), &(slf.get().0)(slf)?)
    }

    /// Returns the same as dictionaries, lists, strings and numbers.
    ///
    /// >>> modelkeep.Store().show("llama3.2").to_dict()["details"]["family"]
    /// 'llama'
    fn to_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        loads(slf.py(), &(slf.get().0)(slf)?)
    }
}

/// Returns a value of the engine as JSON, without the GIL.
pub(crate) fn to_json(py: Python<'_>, value: &(impl serde::Serialize + Sync)) -> PyResult<String> {
    py.detach(|| modelkeep::json::try_to_string(value))
        .map_err(|error| plain(py, &error).unwrap_or_else(|other| other))
}

/// Returns JSON as Python values.
pub(crate) fn loads<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    let json = long_string(py, json)?;
    py.import("json")?.call_method1("loads", (json,))
}

/// Up to how many bytes are decoded together.
const PART: usize = 256 << 10;

/// Returns a text as a string. A long one is decoded in parts: Python copies a part that is ASCII, but
/// goes on character by character behind the first other one.
fn long_string<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyString>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PART));
        parts.push(PyString::new(py, part));
        rest = after;
    }
    let joined = PyString::new(py, "").call_method1("join", (parts,))?;
    Ok(joined.cast_into()?)
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
