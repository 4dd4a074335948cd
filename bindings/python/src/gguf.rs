//! The class `Gguf`: a GGUF file as a mapping of its metadata.

use std::path::PathBuf;

use modelkeep::GgufFile;
use modelkeep::gguf::{Endian, Lossless, Value};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyIterator, PyMappingProxy, PyNotImplemented};

use crate::array::Array;
use crate::equality::is_instance;
use crate::error::{OrRaise, changed};
use crate::json_base::{JsonBase, each};
use crate::options::gguf_options;
use crate::path::FilePath;
use crate::repr::shown;
use crate::tensor::Tensor;
use crate::text::text;
use crate::value::Element;

/// A GGUF file: its metadata by key, read when they are asked for, and its tensors.
///
/// Its JSON is lossless: the bits of floats, the bytes of texts that are not UTF-8, and a digest
/// in place of long arrays.
#[pyclass(frozen, mapping, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Gguf {
    file: GgufFile,
    /// The places of the keys in the file's order; of duplicates the last.
    places: PyOnceLock<Py<PyDict>>,
    tensors: PyOnceLock<Py<PyMappingProxy>>,
}

impl Gguf {
    fn whole(file: GgufFile) -> PyClassInitializer<Self> {
        let shared = file.clone();
        let json = move || modelkeep::json::try_to_string(&Lossless(shared.view()));
        let gguf = Gguf {
            file,
            places: PyOnceLock::new(),
            tensors: PyOnceLock::new(),
        };
        PyClassInitializer::from(JsonBase::new(json)).add_subclass(gguf)
    }

    pub(crate) fn of(py: Python<'_>, file: GgufFile) -> PyResult<Py<Self>> {
        Py::new(py, Gguf::whole(file))
    }

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

    fn view_of_class<'py>(slf: &Bound<'py, Self>, class: &str) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("collections.abc")?
            .getattr(class)?
            .call1((slf,))
    }
}

#[pymethods]
impl Gguf {
    /// Opens any GGUF file: one pass over its header, never over the data of its tensors.
    ///
    /// `lenient` accepts what does no harm and warns of it; `mmap=False` reads the header into
    /// memory in place of mapping the file, and leaves the data of tensors alone;
    /// `header_only` accepts a file whose data are not all there yet.
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

    /// The version of the format, 2 or 3.
    #[getter]
    fn version(&self) -> u32 {
        self.file.view().version()
    }

    /// The byte order, `little` or `big`.
    #[getter]
    fn byteorder(&self) -> &'static str {
        match self.file.view().endian() {
            Endian::Little => "little",
            Endian::Big => "big",
        }
    }

    /// The alignment of the data, in bytes.
    #[getter]
    fn alignment(&self) -> u64 {
        self.file.view().alignment()
    }

    /// Where the data of the tensors begin, in bytes.
    #[getter]
    fn data_offset(&self) -> u64 {
        self.file.view().data_offset()
    }

    /// The sum of the elements of all tensors.
    #[getter]
    fn parameter_count(&self) -> u64 {
        self.file.view().parameter_count()
    }

    /// The size of the file in bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.file.size()
    }

    /// The number of this file among the parts of a model, from 0, and the number of parts;
    /// `None` for a file that is whole.
    #[getter]
    fn split(&self) -> Option<(u64, u64)> {
        self.file
            .view()
            .split()
            .map(|split| (split.index, split.count))
    }

    /// What is unusual.
    #[getter]
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<Py<GgufWarning>>> {
        each(py, self.file.view().warnings(), |_, warning| {
            Ok(warning.into())
        })
    }

    /// The tensors by name, in the order of the file; made when they are first asked for.
    #[getter]
    fn tensors(&self, py: Python<'_>) -> PyResult<Py<PyMappingProxy>> {
        let collect = || Tensor::by_name(py, std::slice::from_ref(&self.file));
        let tensors = self.tensors.get_or_try_init(py, collect)?;
        Ok(tensors.clone_ref(py))
    }

    /// Returns the type of a value in the file, as in `u32`, `str` or `arr`.
    fn value_type(&self, key: &Bound<'_, PyAny>) -> PyResult<&'static str> {
        match self.find(key)? {
            Some((_, value)) => Ok(value.value_type().name()),
            None => Err(PyKeyError::new_err(key.clone().unbind())),
        }
    }

    #[pyo3(signature = (key, default=None, /))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.find(key)? {
            Some((place, Value::Array(array))) => {
                let array = Array::of(py, &self.file, place, array)?;
                Ok(Some(array.into_bound(py).into_any()))
            }
            Some((_, value)) => Element(Some(value)).into_pyobject(py).map(Some),
            None => Ok(default),
        }
    }

    fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Gguf::view_of_class(slf, "KeysView")
    }

    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Gguf::view_of_class(slf, "ValuesView")
    }

    fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Gguf::view_of_class(slf, "ItemsView")
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.places(py)?.len())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.places(py)?.try_iter()
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.places(key.py())?.contains(key)
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let value = self.get(py, key, None)?;
        value.ok_or_else(|| PyKeyError::new_err(key.clone().unbind()))
    }

    /// Returns whether another mapping has the same keys and values.
    fn __eq__<'py>(
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
        let places = slf.get().places(py)?;
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
        let view = self.file.view();
        let (pairs, tensors) = (view.len(), view.tensor_count());
        format!("<Gguf of {pairs} values, {tensors} tensors>")
    }
}

/// Something that the reader accepts and others may not.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct GgufWarning {
    /// What is unusual, a word that never changes, as in `nested_array`.
    code: &'static str,
    /// The place in the structure; the first of several.
    path: String,
    /// What is unusual, in words.
    message: String,
}

impl From<&modelkeep::gguf::Warning> for GgufWarning {
    fn from(warning: &modelkeep::gguf::Warning) -> Self {
        GgufWarning {
            code: warning.code().code(),
            path: warning.path().to_owned(),
            message: warning.message().to_owned(),
        }
    }
}

/// Something unusual in a file that was imported.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct FileWarning {
    /// The file, as it was named.
    file: PathBuf,
    /// What is unusual, a word that never changes, as in `nested_array`.
    code: &'static str,
    /// The place in the structure; the first of several.
    path: String,
    /// What is unusual, in words.
    message: String,
}

impl From<&modelkeep::FileWarning> for FileWarning {
    fn from(found: &modelkeep::FileWarning) -> Self {
        let warning = GgufWarning::from(&found.warning);
        FileWarning {
            file: found.file.clone(),
            code: warning.code,
            path: warning.path,
            message: warning.message,
        }
    }
}

#[pymethods]
impl FileWarning {
    fn __repr__(&self) -> String {
        let fields: [(&str, &dyn std::fmt::Debug); 3] = [
            ("file", &self.file),
            ("code", &self.code),
            ("message", &self.message),
        ];
        shown("FileWarning", &fields)
    }
}

#[pymethods]
impl GgufWarning {
    fn __repr__(&self) -> String {
        let fields: [(&str, &dyn std::fmt::Debug); 3] = [
            ("code", &self.code),
            ("path", &self.path),
            ("message", &self.message),
        ];
        shown("GgufWarning", &fields)
    }
}
