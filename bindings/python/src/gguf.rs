//! The class `Gguf`: a GGUF file as a mapping of its metadata.

use std::sync::{Arc, Mutex, PoisonError};

use modelkeep::gguf::{self, Endian, Lossless, Value};
use modelkeep::{GgufFile, Result};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyIterator, PyList, PyMappingProxy, PyNotImplemented, PyTuple};

use crate::array::Array;
use crate::equality::{is_instance, register_as};
use crate::error::{OrRaise, changed};
use crate::json_base::{HasJson, JsonBase, each, to_json};
use crate::options::{bad, gguf_options};
use crate::path::FilePath;
use crate::record::record;
use crate::tensor::Tensor;
use crate::text::text;
use crate::value::Element;

/// What is open, and what was made of it.
struct Open {
    file: GgufFile,
    /// The places of the keys in the file's order; of duplicates the last.
    places: PyOnceLock<Py<PyDict>>,
    tensors: PyOnceLock<Py<PyMappingProxy>>,
}

impl Open {
    fn places<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyDict>> {
        let collect = || {
            let places = PyDict::new(py);
            for (place, (key, _)) in self.file.view().metadata().enumerate() {
                places.set_item(text(py, key)?, place)?;
            }
            Ok::<_, PyErr>(places.unbind())
        };
        Ok(self.places.get_or_try_init(py, collect)?.bind(py))
    }

    /// Returns the place and the value of a key.
    fn find(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<(usize, Value<'_>)>> {
        let py = key.py();
        let Some(place) = self.places(py)?.get_item(key)? else {
            return Ok(None);
        };
        let place = place.extract()?;
        let entry = self.file.view().entry(place);
        let (_, value) = entry.ok_or_else(|| changed(py))?;
        Ok(Some((place, value)))
    }
}

/// An open file, until it is closed.
struct Handle(Mutex<Option<Arc<Open>>>);

impl Handle {
    fn new(file: GgufFile) -> Self {
        let open = Open {
            file,
            places: PyOnceLock::new(),
            tensors: PyOnceLock::new(),
        };
        Handle(Mutex::new(Some(Arc::new(open))))
    }

    fn open(&self) -> Result<Arc<Open>> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.clone()
            .ok_or_else(|| bad("reading GGUF: the file is closed".to_owned()))
    }
}

/// A GGUF file: its metadata by key, read when they are asked for, and its tensors.
///
/// Opening reads the header once, never the data of the tensors. `Gguf(path)` is strict:
///
/// - `lenient=True` accepts what does no harm and names it in `warnings`: duplicates, tensor types
///   whose size is not known, up to eight dimensions. `Model.gguf` is lenient.
/// - `mmap=False` reads the header into memory in place of mapping the file, and leaves the data of
///   tensors alone: for network file systems, and for files that somebody may truncate.
/// - `header_only=True` accepts a file whose data are not all there yet, as in a download.
///
/// Raises `GgufError`, whose `parse_error` says what is wrong and at which byte. `with` closes the
/// file at its end; memory that was handed out keeps it mapped. Its JSON is lossless: the bits of
/// floats, the bytes of texts that are not UTF-8, and a digest in place of long arrays.
///
/// >>> with modelkeep.Gguf("llama3.2.gguf") as gguf:
/// ...     print(gguf["general.architecture"], len(gguf), gguf.version)
/// llama 9 3
#[pyclass(frozen, mapping, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Gguf(Handle);

impl Gguf {
    fn whole(file: GgufFile) -> PyClassInitializer<Self> {
        JsonBase::beneath(Gguf(Handle::new(file)))
    }

    pub(crate) fn of(py: Python<'_>, file: GgufFile) -> PyResult<Py<Self>> {
        register(py)?;
        Py::new(py, Gguf::whole(file))
    }

    fn open(&self, py: Python<'_>) -> PyResult<Arc<Open>> {
        self.0.open().or_raise(py)
    }

    /// Returns the file, which stays open as long as this.
    pub(crate) fn file(&self, py: Python<'_>) -> PyResult<GgufFile> {
        Ok(self.open(py)?.file.clone())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.open().is_err()
    }

    fn view_of_class<'py>(slf: &Bound<'py, Self>, class: &str) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("collections.abc")?
            .getattr(class)?
            .call1((slf,))
    }
}

impl HasJson for Gguf {
    fn json(slf: &Bound<'_, Self>) -> PyResult<String> {
        let open = slf.get().open(slf.py())?;
        to_json(slf.py(), &Lossless(open.file.view()))
    }
}

#[pymethods]
impl Gguf {
    #[new]
    #[pyo3(signature = (path, *, lenient=false, mmap=true, header_only=false))]
    fn new(
        py: Python<'_>,
        path: FilePath,
        lenient: bool,
        mmap: bool,
        header_only: bool,
    ) -> PyResult<PyClassInitializer<Self>> {
        let options = gguf_options(lenient, mmap, header_only);
        let file = py
            .detach(|| GgufFile::open(path.0, &options))
            .or_raise(py)?;
        Ok(Gguf::whole(file))
    }

    /// Closes the file; every further look at it is an `ArgumentError`. Arrays, tensors and memory
    /// that were handed out stay good, and keep the file mapped until they are gone.
    ///
    /// >>> gguf = modelkeep.Gguf("llama3.2.gguf")
    /// >>> gguf.close()
    /// >>> gguf.closed
    /// True
    pub(crate) fn close(&self) {
        let open = self
            .0
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(open);
    }

    /// Whether the file was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.is_closed()
    }

    fn __enter__(slf: Py<Self>, py: Python<'_>) -> PyResult<Py<Self>> {
        slf.get().open(py)?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    /// The version of the format, 2 or 3.
    #[getter]
    fn version(&self, py: Python<'_>) -> PyResult<u32> {
        Ok(self.open(py)?.file.view().version())
    }

    /// The byte order, `little` or `big`.
    #[getter]
    fn byteorder(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(match self.open(py)?.file.view().endian() {
            Endian::Little => "little",
            Endian::Big => "big",
        })
    }

    /// The alignment of the data, in bytes.
    #[getter]
    fn alignment(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.open(py)?.file.view().alignment())
    }

    /// Where the data of the tensors begin, in bytes from the beginning of the file.
    #[getter]
    fn data_offset(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.open(py)?.file.view().data_offset())
    }

    /// The sum of the elements of all tensors.
    #[getter]
    fn parameter_count(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.open(py)?.file.view().parameter_count())
    }

    /// The size of the file in bytes.
    #[getter]
    fn size(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.open(py)?.file.size())
    }

    /// The number of this file among the parts of a model, from 0, and the number of parts;
    /// `None` for a file that is whole.
    #[getter]
    fn split(&self, py: Python<'_>) -> PyResult<Option<(u64, u64)>> {
        let open = self.open(py)?;
        let split = open.file.view().split();
        Ok(split.map(|split| (split.index, split.count)))
    }

    /// What is unusual, as a list of `GgufWarning`.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let open = self.open(py)?;
        let warnings = open.file.view().warnings();
        each(py, warnings, |warning| GgufWarning::from(warning.clone()))
    }

    /// The tensors by name, in the order of the file, each a `Tensor`; made when they are first
    /// asked for.
    ///
    /// >>> modelkeep.Gguf("llama3.2.gguf").tensors["token_embd.weight"].shape
    /// (4, 8)
    #[getter]
    pub(crate) fn tensors(&self, py: Python<'_>) -> PyResult<Py<PyMappingProxy>> {
        let open = self.open(py)?;
        let collect = || Tensor::by_name(py, std::slice::from_ref(&open.file));
        let tensors = open.tensors.get_or_try_init(py, collect)?;
        Ok(tensors.clone_ref(py))
    }

    /// Returns the type of a value in the file, as in `u32`, `str` or `arr`.
    ///
    /// Raises `KeyError` where there is no such key.
    ///
    /// >>> modelkeep.Gguf("llama3.2.gguf").value_type("general.architecture")
    /// 'str'
    pub(crate) fn value_type(&self, key: &Bound<'_, PyAny>) -> PyResult<&'static str> {
        match self.open(key.py())?.find(key)? {
            Some((_, value)) => Ok(value.value_type().name()),
            None => Err(PyKeyError::new_err(key.clone().unbind())),
        }
    }

    /// Returns the value of a key: a number, a string, a boolean, or an `Array`; `default` where
    /// there is no such key.
    ///
    /// >>> modelkeep.Gguf("llama3.2.gguf").get("llama.context_length")
    /// 128
    #[pyo3(signature = (key, default=None, /))]
    pub(crate) fn get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let open = self.open(py)?;
        match open.find(key)? {
            Some((place, Value::Array(array))) => {
                let array = Array::of(py, &open.file, place, array)?;
                Ok(Some(array.into_bound(py).into_any()))
            }
            Some((_, value)) => Element(Some(value)).into_pyobject(py).map(Some),
            None => Ok(default),
        }
    }

    /// Returns a view of the keys, in the file's order.
    pub(crate) fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Gguf::view_of_class(slf, "KeysView")
    }

    /// Returns a view of the values, in the file's order.
    pub(crate) fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Gguf::view_of_class(slf, "ValuesView")
    }

    /// Returns a view of the pairs of key and value, in the file's order.
    pub(crate) fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Gguf::view_of_class(slf, "ItemsView")
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.open(py)?.places(py)?.len())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.open(py)?.places(py)?.try_iter()
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = key.py();
        self.open(py)?.places(py)?.contains(key)
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let value = self.get(py, key, None)?;
        value.ok_or_else(|| PyKeyError::new_err(key.clone().unbind()))
    }

    pub(crate) fn _ipython_key_completions_<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyList>> {
        Ok(self.open(py)?.places(py)?.keys())
    }

    /// Returns whether another mapping has the same keys and values.
    pub(crate) fn __eq__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if slf.is(other) {
            return Ok(PyBool::new(py, true).to_owned().into_any());
        }
        if !is_instance(other, "Mapping")? {
            return Ok(PyNotImplemented::get(py).to_owned().into_any());
        }
        let open = slf.get().open(py)?;
        let places = open.places(py)?;
        let mut equal = places.len() == other.len()?;
        for key in places.keys() {
            equal = equal && other.contains(&key)? && {
                let (own, theirs) = (slf.get().__getitem__(py, &key)?, other.get_item(&key)?);
                own.eq(theirs)?
            };
        }
        Ok(PyBool::new(py, equal).to_owned().into_any())
    }

    fn __repr__(&self) -> String {
        let Ok(open) = self.0.open() else {
            return "<Gguf: closed>".to_owned();
        };
        let view = open.file.view();
        let (pairs, tensors) = (view.len(), view.tensor_count());
        format!("<Gguf of {pairs} values, {tensors} tensors>")
    }
}

record! {
    /// Something that the reader accepts and others may not.
    ///
    /// >>> for warning in modelkeep.Gguf("llama3.2.gguf", lenient=True).warnings:
    /// ...     print(warning.code, warning.path, warning.message)
    GgufWarning(py, it: gguf::Warning) shows [code, path, message] {
        /// What is unusual, a word that never changes, as in `nested_array`.
        code => it.code().code();
        /// The place in the structure; the first of several.
        path => it.path().to_owned();
        /// What is unusual, in words.
        message => it.message().to_owned();
    }
}

record! {
    /// Something unusual in a file that was imported.
    ///
    /// >>> for warning in store.import_gguf("llama3.2.gguf", "other").warnings:
    /// ...     print(warning.file, warning.code, warning.message)
    FileWarning(py, it: modelkeep::FileWarning) shows [file, code, message] {
        /// The file, as it was named.
        file => it.file.clone();
        /// What is unusual, a word that never changes, as in `nested_array`.
        code => it.warning.code().code();
        /// The place in the structure; the first of several.
        path => it.warning.path().to_owned();
        /// What is unusual, in words.
        message => it.warning.message().to_owned();
    }
}

static REGISTERED: PyOnceLock<()> = PyOnceLock::new();

/// Makes files mappings and arrays sequences, in the words of `collections.abc`.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    let register = || {
        register_as::<Gguf>(py, "Mapping")?;
        register_as::<Array>(py, "Sequence")
    };
    REGISTERED.get_or_try_init(py, register).copied()
}
