//! The class `Array`: the elements of a GGUF array, read when they are asked for.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use modelkeep::GgufFile;
use modelkeep::gguf::{self, Value, ValueType, WarningCode};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyBool, PyIterator, PyList, PyNotImplemented, PySlice, PyString, PyTuple};

use crate::buffer::{Buffer, Layout, Part};
use crate::equality::{all_equal, is_instance};
use crate::error::changed;
use crate::value::{Element, list};

/// An array of a GGUF file: a sequence whose elements are read when they are asked for, and, of numbers,
/// memory without a copy. It is equal to a sequence of the same elements.
///
/// >>> gguf = modelkeep.Gguf("llama3.2.gguf")
/// >>> tokens = gguf["tokenizer.ggml.tokens"]
/// >>> len(tokens), tokens[0], tokens[-2:], list(tokens) == tokens
/// (4, '<s>', ['hello', 'world'], True)
/// >>> memoryview(gguf["tokenizer.ggml.scores"]).format
/// 'f'
#[pyclass(frozen, sequence, extends = Buffer, module = "modelkeep")]
pub(crate) struct Array {
    file: GgufFile,
    at: usize,
    element: ValueType,
    len: usize,
    /// Where the strings begin, from the first look at one of them on.
    offsets: OnceLock<Option<Vec<u64>>>,
}

/// What an array is asked for.
#[derive(FromPyObject)]
enum Place<'py> {
    Slice(Bound<'py, PySlice>),
    Index(isize),
}

impl Array {
    pub(crate) fn of(
        py: Python<'_>,
        file: &GgufFile,
        at: usize,
        array: gguf::Array<'_>,
    ) -> PyResult<Py<Self>> {
        let fields = Array {
            file: file.clone(),
            at,
            element: array.element_type(),
            len: usize::try_from(array.len()).map_err(|_| changed(py))?,
            offsets: OnceLock::new(),
        };
        let buffer = Buffer::new(file.clone(), Part::Entry(at), layout(file, &array));
        Py::new(py, PyClassInitializer::from(buffer).add_subclass(fields))
    }

    /// Returns whether the bytes are the same, NaN included; two files may hold one array.
    fn is_same(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        let (own, theirs) = (self.view(py)?, other.view(py)?);
        let kind = |array: &gguf::Array<'_>| (array.element_type(), array.endian(), array.len());
        Ok(kind(&own) == kind(&theirs) && own.as_bytes() == theirs.as_bytes())
    }

    fn view(&self, py: Python<'_>) -> PyResult<gguf::Array<'_>> {
        let entry = self.file.view().entry(self.at);
        let array = entry.and_then(|(_, value)| value.as_array());
        array.ok_or_else(|| changed(py))
    }

    fn element<'a>(&self, array: &gguf::Array<'a>, index: usize) -> Option<Value<'a>> {
        if self.element != ValueType::Str {
            return array.get(index as u64);
        }
        let offsets = self.offsets.get_or_init(|| array.offsets()).as_ref()?;
        array.string_at(*offsets.get(index)?).map(Value::Str)
    }

    fn some<'py>(
        &self,
        py: Python<'py>,
        indices: impl ExactSizeIterator<Item = usize>,
    ) -> PyResult<Bound<'py, PyList>> {
        let array = self.view(py)?;
        PyList::new(
            py,
            indices.map(|index| Element(self.element(&array, index))),
        )
    }

    fn slice<'py>(&self, slice: &Bound<'py, PySlice>) -> PyResult<Bound<'py, PyList>> {
        let py = slice.py();
        let found = slice.indices(isize::try_from(self.len).map_err(|_| changed(py))?)?;
        let places = (0..found.slicelength).map(|step| {
            // Within the array, by what `indices` promises.
            let offset = found.step.wrapping_mul(step.cast_signed());
            found.start.wrapping_add(offset).cast_unsigned()
        });
        self.some(py, places)
    }
}

/// Returns how the numbers of an array are laid out in memory; `None` for strings and arrays.
fn layout(file: &GgufFile, array: &gguf::Array<'_>) -> Option<Layout> {
    let mut warnings = file.view().warnings().iter();
    let code = match array.element_type() {
        ValueType::U8 => 'B',
        ValueType::I8 => 'b',
        ValueType::U16 => 'H',
        ValueType::I16 => 'h',
        ValueType::U32 => 'I',
        ValueType::I32 => 'i',
        ValueType::U64 => 'Q',
        ValueType::I64 => 'q',
        ValueType::F32 => 'f',
        ValueType::F64 => 'd',
        // A bool of C that is neither 0 nor 1 is undefined.
        ValueType::Bool if warnings.any(|it| it.code() == WarningCode::BadBool) => 'B',
        ValueType::Bool => '?',
        _ => return None,
    };
    let size = array.element_type().size()?;
    Layout::new(code, size, array.endian(), &[array.len()])
}

#[pymethods]
impl Array {
    /// The type of every element, as in `u32` or `str`.
    #[getter]
    fn element_type(&self) -> &'static str {
        self.element.name()
    }

    /// Returns all elements as a list, in one pass.
    ///
    /// >>> modelkeep.Gguf("llama3.2.gguf")["tokenizer.ggml.tokens"].tolist()[2]
    /// 'hello'
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        list(py, &self.view(py)?)
    }

    /// Returns the first place of a value, from a place on and up to another one where they are given.
    ///
    /// Raises `ValueError` where there is none.
    ///
    /// >>> modelkeep.Gguf("llama3.2.gguf")["tokenizer.ggml.tokens"].index("world")
    /// 3
    #[pyo3(signature = (value, *range))]
    fn index<'py>(
        &self,
        value: Bound<'py, PyAny>,
        range: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        let arguments = PyTuple::new(py, [value])?.add(range)?;
        self.tolist(py)?
            .getattr("index")?
            .call1(arguments.cast::<PyTuple>()?)
    }

    /// Returns how often a value occurs.
    ///
    /// >>> modelkeep.Gguf("llama3.2.gguf")["tokenizer.ggml.tokens"].count("hello")
    /// 1
    fn count<'py>(&self, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.tolist(value.py())?.call_method1("count", (value,))
    }

    fn __len__(&self) -> usize {
        self.len
    }

    fn __getitem__<'py>(&self, py: Python<'py>, place: Place<'py>) -> PyResult<Bound<'py, PyAny>> {
        let index = match place {
            Place::Slice(slice) => return Ok(self.slice(&slice)?.into_any()),
            Place::Index(index) if index < 0 => index.checked_add_unsigned(self.len),
            Place::Index(index) => Some(index),
        };
        let index = index.and_then(|index| usize::try_from(index).ok());
        match index.filter(|index| *index < self.len) {
            Some(index) => Element(self.element(&self.view(py)?, index)).into_pyobject(py),
            None => Err(PyIndexError::new_err("array index out of range")),
        }
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyIterator>> {
        let py = slf.py();
        if slf.get().element == ValueType::Array {
            // They are found only by walking over those before them.
            return slf.get().tolist(py)?.try_iter();
        }
        let chunks = Chunks {
            array: slf.clone().unbind(),
            next: AtomicUsize::new(0),
        };
        let chain = py.import("itertools")?.getattr("chain")?;
        Ok(chain
            .call_method1("from_iterable", (chunks,))?
            .cast_into()?)
    }

    /// Returns whether another sequence has the same elements; a string is none.
    fn __eq__<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if !is_instance(other, "Sequence")? || other.is_instance_of::<PyString>() {
            return Ok(PyNotImplemented::get(py).to_owned().into_any());
        }
        let same = match other.cast::<Self>() {
            Ok(other) => slf.get().is_same(py, other.get())?,
            Err(_) => false,
        };
        let equal = same
            || (slf.get().len == other.len()?
                && all_equal(Array::__iter__(slf)?, other.try_iter()?)?);
        Ok(PyBool::new(py, equal).to_owned().into_any())
    }

    fn __repr__(&self) -> String {
        format!("<Array of {} {}>", self.len, self.element.name())
    }
}

/// An array in pieces, each of which is made in one pass: neither a call for each element, nor the
/// whole array for somebody who stops early.
#[pyclass(frozen)]
pub(crate) struct Chunks {
    array: Py<Array>,
    next: AtomicUsize,
}

/// Elements of a piece.
const CHUNK: usize = 4096;

#[pymethods]
impl Chunks {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let array = self.array.get();
        let start = self.next.fetch_add(CHUNK, Ordering::Relaxed);
        if start >= array.len {
            return Ok(None);
        }
        array
            .some(py, start..array.len.min(start + CHUNK))
            .map(Some)
    }
}
