//! The class `Tensor`: what a GGUF file says of a tensor, and its data as memory.

use modelkeep::GgufFile;
use modelkeep::gguf::{Endian, TensorInfo};
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyDict, PyMappingProxy, PyString, PyTuple};

use crate::buffer::{Buffer, Layout, Part};
use crate::error::changed;
use crate::numbers::{Rows, array};
use crate::record::shown;
use crate::text::text;

/// A tensor of a GGUF file. `memoryview(tensor)` and `numpy.asarray(tensor)` are its data without a
/// copy, read-only: of its shape for plain numbers, and rows of bytes for types of blocks, and for those
/// that Python has no number for.
///
/// >>> tensor = modelkeep.Gguf("llama3.2.gguf").tensors["token_embd.weight"]
/// >>> tensor.type, tensor.shape, tensor.nbytes, memoryview(tensor).format
/// ('F32', (4, 8), 128, 'f')
#[pyclass(frozen, get_all, extends = Buffer, module = "modelkeep")]
pub(crate) struct Tensor {
    /// Its name.
    name: Py<PyString>,
    /// The name of its type, as in `F32` or `Q4_K`; `unknown` for a type whose size is not known.
    r#type: &'static str,
    /// The number of its type in the file.
    type_code: u32,
    /// Its dimensions in numpy's order: the length of a row last.
    shape: Py<PyTuple>,
    /// The number of its elements.
    size: u64,
    /// Where its data begin, in bytes from the beginning of the file.
    offset: u64,
    /// The bytes of its data; `None` for a type that is not known.
    nbytes: Option<u64>,
}

impl Tensor {
    fn of(
        py: Python<'_>,
        file: &GgufFile,
        at: usize,
        tensor: &TensorInfo<'_>,
    ) -> PyResult<Py<Self>> {
        let shape: Vec<u64> = tensor.dims.iter().rev().copied().collect();
        let layout = layout(tensor, shape.clone(), file.view().endian());
        let fields = Tensor {
            name: text(py, tensor.name)?.unbind(),
            r#type: tensor.tensor_type.name(),
            type_code: tensor.tensor_type.code(),
            shape: PyTuple::new(py, shape)?.unbind(),
            size: tensor.elements(),
            offset: tensor.offset,
            nbytes: tensor.size,
        };
        let buffer = Buffer::new(file.clone(), Part::Tensor(at), layout);
        Py::new(py, PyClassInitializer::from(buffer).add_subclass(fields))
    }

    /// Returns the tensors of some files by name, in their order; of duplicates the last.
    pub(crate) fn by_name(py: Python<'_>, files: &[GgufFile]) -> PyResult<Py<PyMappingProxy>> {
        let tensors = PyDict::new(py);
        for file in files {
            for (at, tensor) in file.view().tensors().enumerate() {
                let tensor = Tensor::of(py, file, at, &tensor)?;
                tensors.set_item(&tensor.get().name, &tensor)?;
            }
        }
        Ok(PyMappingProxy::new(py, tensors.as_mapping()).unbind())
    }
}

/// Returns how the data are laid out in memory; `None` where their size is not known.
fn layout(tensor: &TensorInfo<'_>, shape: Vec<u64>, endian: Endian) -> Option<Layout> {
    let numbers = match tensor.tensor_type.name() {
        "F32" => Some(('f', 4)),
        "F16" => Some(('e', 2)),
        "F64" => Some(('d', 8)),
        "I8" => Some(('b', 1)),
        "I16" => Some(('h', 2)),
        "I32" => Some(('i', 4)),
        "I64" => Some(('q', 8)),
        _ => None,
    };
    let layout = match numbers {
        Some((code, item)) => Layout::new(code, item, endian, &shape),
        None => Layout::new('B', 1, endian, &rows(tensor, shape)?),
    };
    let size = tensor.size?;
    layout
        .filter(|layout| layout.bytes() == size)
        .or_else(|| Layout::new('B', 1, endian, &[size]))
}

/// Returns the shape with the bytes of a row in place of its elements.
fn rows(tensor: &TensorInfo<'_>, mut shape: Vec<u64>) -> Option<Vec<u64>> {
    let (elements, bytes) = tensor
        .tensor_type
        .block_elements()
        .zip(tensor.tensor_type.block_bytes())?;
    if let Some(row) = shape.last_mut() {
        *row = row.checked_div(elements)?.checked_mul(bytes)?;
    }
    Some(shape)
}

#[pymethods]
impl Tensor {
    /// Returns its numbers as an array of numpy of float32, whatever they are packed in: dequantized as
    /// GGML does, bit for bit as gguf-py. `rows` is a slice or a range of the first dimension, and no
    /// more than that is read: `to_numpy(rows=slice(0, 8))` is `to_numpy()[0:8]`.
    ///
    /// Other threads run meanwhile. Raises `UnsupportedError` for a type that is not dequantized, such as
    /// integers: `numpy.asarray(tensor)` has them as they are.
    ///
    /// >>> tensor = modelkeep.Gguf("llama3.2.gguf").tensors["token_embd.weight"]
    /// >>> tensor.to_numpy().shape, tensor.to_numpy(rows=range(1, 3)).shape
    /// ((4, 8), (2, 8))
    #[pyo3(signature = (rows=None))]
    fn to_numpy<'py>(
        slf: &Bound<'py, Self>,
        rows: Option<Rows<'py>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let buffer = slf.as_super().get();
        match buffer.part() {
            Part::Tensor(at) => array(slf.py(), buffer.file(), at, rows),
            Part::Entry(_) => Err(changed(slf.py())),
        }
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf.as_any(), &["name", "type", "shape"])
    }
}
