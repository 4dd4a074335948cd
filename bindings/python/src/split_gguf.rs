//! The class `GgufParts`: a model that was split into several GGUF files.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use modelkeep::GgufFile;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyIterator, PyList, PyMapping, PyMappingProxy, PyTuple};

use crate::equality::register_as;
use crate::error::OrRaise;
use crate::gguf::Gguf;
use crate::options::{bad, gguf_options};
use crate::path::FilePath;

/// The parts of a split model, open and in order, given the path of any of them; the others lie beside
/// it. A file that is whole is a model of one part. The options are those of `Gguf`.
///
/// It is a mapping of the model's metadata, which are those of the first part, as `Gguf` is one of a
/// file's; `tensors` are those of all parts. Raises `MissingFileError` for the first part that is
/// missing, and `GgufError` for one that belongs to another model; both name it. `with` closes all.
///
/// >>> with modelkeep.GgufParts("llama3.2.gguf") as parts:
/// ...     print(parts["general.architecture"], len(parts.paths), parts.parameter_count)
/// llama 1 40
/// >>> modelkeep.GgufParts("llama3.2.gguf").tensors["output_norm.weight"].shape
/// (8,)
#[pyclass(frozen, mapping, module = "modelkeep")]
pub(crate) struct GgufParts {
    first: Py<Gguf>,
    parts: Vec<Py<Gguf>>,
    paths: Vec<PathBuf>,
    /// Those of all parts, from the first look at them on until the parts are closed.
    tensors: Mutex<Option<Py<PyMappingProxy>>>,
    parameter_count: u64,
    size: u64,
}

static REGISTERED: PyOnceLock<()> = PyOnceLock::new();

impl GgufParts {
    /// Nothing of Python runs while it is held.
    fn known_tensors(&self) -> MutexGuard<'_, Option<Py<PyMappingProxy>>> {
        self.tensors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the first part, if none is closed.
    fn first<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, Gguf>> {
        if self.closed() {
            let closed = bad("reading GGUF: a part is closed".to_owned());
            return Err(closed).or_raise(py);
        }
        Ok(self.first.bind(py))
    }
}

#[pymethods]
impl GgufParts {
    /// Opens all parts, given the path of any of them; the others lie beside it.
    #[new]
    #[pyo3(signature = (path, *, lenient=false, mmap=true, header_only=false))]
    fn new(
        py: Python<'_>,
        path: FilePath,
        lenient: bool,
        mmap: bool,
        header_only: bool,
    ) -> PyResult<Self> {
        REGISTERED.get_or_try_init(py, || register_as::<GgufParts>(py, "Mapping"))?;
        let options = gguf_options(lenient, mmap, header_only);
        let inner = py.detach(|| modelkeep::GgufParts::open(path.0, &options));
        let inner = inner.or_raise(py)?;
        let parts = inner.parts().iter().cloned();
        let parts: Vec<_> = parts
            .map(|part| Gguf::of(py, part))
            .collect::<PyResult<_>>()?;
        let first = parts.first().map(|first| first.clone_ref(py));
        let none = || bad("reading GGUF: there is no part".to_owned());
        Ok(GgufParts {
            first: first.ok_or_else(none).or_raise(py)?,
            parts,
            paths: inner.paths().to_vec(),
            tensors: Mutex::default(),
            parameter_count: inner.parameter_count(),
            size: inner
                .parts()
                .iter()
                .map(GgufFile::size)
                .fold(0, u64::saturating_add),
        })
    }

    /// The parts in order, as a list of `Gguf`; the first holds the metadata of the model.
    #[getter]
    fn parts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, &self.parts)
    }

    /// The paths of the parts in order, as a list of `pathlib.Path`.
    ///
    /// >>> [path.name for path in modelkeep.GgufParts("llama3.2.gguf").paths]
    /// ['llama3.2.gguf']
    #[getter]
    fn paths(&self) -> Vec<PathBuf> {
        self.paths.clone()
    }

    /// The tensors of all parts by name, in their order; made when they are first asked for.
    #[getter]
    fn tensors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        self.first(py)?;
        if let Some(tensors) = &*self.known_tensors() {
            return Ok(tensors.bind(py).clone());
        }
        let all = PyDict::new(py);
        for part in &self.parts {
            let tensors = part.get().tensors(py)?.into_bound(py);
            all.update(&tensors.into_any().cast_into::<PyMapping>()?)?;
        }
        let tensors = PyMappingProxy::new(py, all.as_mapping());
        *self.known_tensors() = Some(tensors.clone().unbind());
        Ok(tensors)
    }

    /// The sum of the elements of all tensors.
    #[getter]
    fn parameter_count(&self) -> u64 {
        self.parameter_count
    }

    /// Closes all parts; see `Gguf.close`.
    fn close(&self) {
        let tensors = self.known_tensors().take();
        drop(tensors);
        self.parts.iter().for_each(|part| part.get().close());
    }

    /// Whether a part was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.parts.iter().any(|part| part.get().is_closed())
    }

    fn __enter__(slf: Py<Self>, py: Python<'_>) -> PyResult<Py<Self>> {
        slf.get().first(py)?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    /// Returns the value of a key, as `Gguf.get` does; `default` where there is no such key.
    ///
    /// >>> modelkeep.GgufParts("llama3.2.gguf").get("llama.context_length")
    /// 128
    #[pyo3(signature = (key, default=None, /))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.first(py)?.get().get(py, key, default)
    }

    /// Returns the type of a value in the file, as `Gguf.value_type` does.
    ///
    /// >>> modelkeep.GgufParts("llama3.2.gguf").value_type("general.architecture")
    /// 'str'
    fn value_type(&self, key: &Bound<'_, PyAny>) -> PyResult<&'static str> {
        self.first(key.py())?.get().value_type(key)
    }

    /// Returns a view of the keys, in the file's order.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Gguf::keys(self.first(py)?)
    }

    /// Returns a view of the values, in the file's order.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Gguf::values(self.first(py)?)
    }

    /// Returns a view of the pairs of key and value, in the file's order.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Gguf::items(self.first(py)?)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.first(py)?.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.first(py)?.try_iter()
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.first(key.py())?.contains(key)
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.first(py)?.as_any().get_item(key)
    }

    fn _ipython_key_completions_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.first(py)?.get()._ipython_key_completions_(py)
    }

    /// Returns whether another mapping has the same keys and values.
    fn __eq__<'py>(
        &self,
        py: Python<'py>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(other) = other.cast::<GgufParts>() {
            return Gguf::__eq__(self.first(py)?, other.get().first(py)?);
        }
        Gguf::__eq__(self.first(py)?, other)
    }

    fn __repr__(&self) -> String {
        format!(
            "<GgufParts: {} files, {} bytes>",
            self.parts.len(),
            self.size
        )
    }
}
