//! Writing GGUF files.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use modelkeep::EditOptions;
use modelkeep::gguf::{Endian, TensorType, ValueType, Writer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyMemoryView, PySlice, PyTuple};

use crate::error::OrRaise;
use crate::gguf_edit::Edited;
use crate::new_value::new_value;
use crate::options::bad;
use crate::path::FilePath;
use crate::tensor::Tensor;

/// What is to be written.
struct Collected {
    writer: Writer,
    /// The data of the tensors in their order, or what returns them.
    data: Vec<Py<PyAny>>,
    types: Vec<TensorType>,
    is_written: bool,
}

/// Writes a GGUF file: metadata that are set as in a dictionary, and tensors. `with` writes it at its end,
/// unless there was an exception; the file appears whole, or not at all.
///
/// - `alignment` is that of the data, a power of two, and `byteorder` is `"little"` or `"big"`.
/// - `version` is that of the format, 2 or 3.
/// - `replace=True` lets a file at `path` be replaced, which is an `ExistsError` otherwise.
/// - `durability="none"` leaves it to the system when the file is on the disk.
///
/// >>> with modelkeep.GgufWriter("new.gguf") as writer:
/// ...     writer["general.architecture"] = "llama"
/// ...     writer["tokenizer.ggml.tokens"] = ["hello", "world"]
/// ...     writer.add("token_embd.weight", numpy.zeros((2, 8), dtype="float32"))
/// >>> modelkeep.Gguf("new.gguf").tensors["token_embd.weight"].shape
/// (2, 8)
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct GgufWriter {
    path: PathBuf,
    options: EditOptions,
    endian: Endian,
    collected: Mutex<Collected>,
}

impl GgufWriter {
    fn collected(&self) -> MutexGuard<'_, Collected> {
        self.collected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl GgufWriter {
    #[new]
    #[pyo3(signature = (path, *, alignment=32, byteorder="little", version=3, replace=false,
        durability="full"))]
    fn new(
        py: Python<'_>,
        path: FilePath,
        alignment: u32,
        byteorder: &str,
        version: u32,
        replace: bool,
        durability: &str,
    ) -> PyResult<Self> {
        let endian = match byteorder {
            "little" => Endian::Little,
            "big" => Endian::Big,
            other => {
                let text = format!("byteorder: 'little' or 'big', not {other:?}");
                return Err(bad(text)).or_raise(py);
            }
        };
        let mut writer = Writer::new();
        writer.version(version).endian(endian);
        if alignment != 32 {
            writer.alignment(alignment);
        }
        Ok(GgufWriter {
            path: path.0,
            options: EditOptions::new()
                .replace(replace)
                .durability(durability.parse().or_raise(py)?),
            endian,
            collected: Mutex::new(Collected {
                writer,
                data: Vec::new(),
                types: Vec::new(),
                is_written: false,
            }),
        })
    }

    /// Sets a key: to a `bool`, an `int`, a `float`, a `str`, or a list or an array of them. `type` is its
    /// type in the file, as `"u64"`, and of an array that of its elements; without it a number is `u32` or
    /// another integer in which it fits, or `f32`, and an array of numpy has its own.
    ///
    /// >>> writer = modelkeep.GgufWriter("new.gguf")
    /// >>> writer.set("llama.context_length", 8192, type="u64")
    #[pyo3(signature = (key, value, *, r#type=None))]
    fn set(
        &self,
        py: Python<'_>,
        key: &str,
        value: &Bound<'_, PyAny>,
        r#type: Option<&str>,
    ) -> PyResult<()> {
        let (value, is_typed) = new_value(key, value)?;
        let value = match r#type {
            Some(stated) => {
                let stated: ValueType = stated.parse().or_raise(py)?;
                value.converted(stated).or_raise(py)?
            }
            None if is_typed => value,
            None => value.narrowed(),
        };
        if key == "general.alignment" {
            let text = "general.alignment: say alignment=... to GgufWriter".to_owned();
            return Err(bad(text)).or_raise(py);
        }
        self.collected().writer.set(key, value);
        Ok(())
    }

    fn __setitem__(&self, py: Python<'_>, key: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set(py, key, value, None)
    }

    /// Adds a tensor: an array of numpy, or anything else that lends a buffer, such as the data of another
    /// file's tensor; nothing is copied before the file is written. `data` may be a function without
    /// arguments that returns it: it is called when its turn has come, so that no more than one has to be in
    /// memory.
    ///
    /// `shape` is in numpy's order, the row last, and `dtype` is the name of a type such as `"Q4_0"`, whose
    /// blocks the bytes of `data` are then; both are those of `data` by default, and a function needs them.
    /// Numbers are written in the byte order of the file; the bytes of blocks are as they are.
    ///
    /// >>> with modelkeep.GgufWriter("new.gguf", replace=True) as writer:
    /// ...     writer["general.architecture"] = "llama"
    /// ...     writer.add("a", bytes(18), shape=(32,), dtype="Q4_0")
    /// ...     writer.add("b", lambda: numpy.ones(4, "float32"), shape=(4,), dtype="F32")
    /// >>> modelkeep.Gguf("new.gguf").parameter_count
    /// 36
    #[pyo3(signature = (name, data, *, shape=None, dtype=None))]
    fn add(
        &self,
        py: Python<'_>,
        name: &str,
        data: &Bound<'_, PyAny>,
        shape: Option<Vec<u64>>,
        dtype: Option<&str>,
    ) -> PyResult<()> {
        if data.is_callable() && (shape.is_none() || dtype.is_none()) {
            let text = format!("{name}: a function needs the shape and the dtype");
            return Err(PyTypeError::new_err(text));
        }
        let is_ours = data.is_instance_of::<Tensor>();
        let tensor_type = match dtype {
            Some(dtype) => dtype.parse().or_raise(py)?,
            None if is_ours => {
                let word = data.getattr("type")?.extract::<String>()?;
                word.parse().or_raise(py)?
            }
            None => type_of(name, data)?,
        };
        let mut dims = match shape {
            Some(shape) => shape,
            None if is_ours => data.getattr("shape")?.extract()?,
            None if is_block(tensor_type) => {
                let text =
                    format!("{name}: the shape of {tensor_type} does not follow from its bytes");
                return Err(PyTypeError::new_err(text));
            }
            None => shape_of(data)?,
        };
        dims.reverse();
        let mut collected = self.collected();
        collected.writer.declare(name, &dims, tensor_type);
        collected.data.push(data.clone().unbind());
        collected.types.push(tensor_type);
        Ok(())
    }

    /// Writes the file, and returns what was made, an `Edited`. `with` does it at its end.
    ///
    /// >>> writer = modelkeep.GgufWriter("new.gguf", replace=True)
    /// >>> writer["general.architecture"] = "llama"
    /// >>> writer.write().size
    /// 96
    fn write(&self, py: Python<'_>) -> PyResult<Py<Edited>> {
        let (writer, data, types) = {
            let mut collected = self.collected();
            if std::mem::replace(&mut collected.is_written, true) {
                let text = "writing GGUF: the file was written already".to_owned();
                return Err(bad(text)).or_raise(py);
            }
            let data = std::mem::take(&mut collected.data);
            (collected.writer.clone(), data, collected.types.clone())
        };
        let mut data: Vec<Option<Py<PyAny>>> = data.into_iter().map(Some).collect();
        let mut raised = None;
        let endian = self.endian;
        let written = py.detach(|| {
            writer.write_file(&self.path, &self.options, &mut |at, to| {
                let own = data.get_mut(at).and_then(Option::take);
                let tensor_type = types.get(at).copied().unwrap_or(TensorType::F32);
                let Some(own) = own else { return Ok(()) };
                write_tensor(own, tensor_type, endian, to).map_err(|error| match error {
                    Failed::Raised(error) => {
                        raised = Some(error);
                        io::Error::other("the data could not be had")
                    }
                    Failed::Io(error) => error,
                })
            })
        });
        match raised {
            Some(raised) => Err(raised),
            None => Edited::of(py, written.or_raise(py)?),
        }
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let failed = exception.get_item(0).is_ok_and(|kind| !kind.is_none());
        if !failed && !self.collected().is_written {
            self.write(py)?;
        }
        Ok(())
    }
}

enum Failed {
    Raised(PyErr),
    Io(io::Error),
}

impl From<PyErr> for Failed {
    fn from(error: PyErr) -> Self {
        Failed::Raised(error)
    }
}

/// How many bytes are taken at once: whole items of any type.
const CHUNK: isize = 8 << 20;

/// Writes the data of a tensor, piece by piece; the interpreter is held only while one is taken.
fn write_tensor(
    data: Py<PyAny>,
    tensor_type: TensorType,
    endian: Endian,
    to: &mut dyn Write,
) -> Result<(), Failed> {
    let item = match is_block(tensor_type) {
        true => 1,
        false => tensor_type.block_bytes().unwrap_or(1),
    };
    let item = usize::try_from(item).unwrap_or(1);
    let (view, len, order) = Python::attach(|py| bytes_of(py, data))?;
    let mut at = 0;
    while at < len {
        let end = len.min(at + CHUNK);
        let mut piece = Python::attach(|py| {
            py.check_signals()?;
            let slice = PySlice::new(py, at, end, 1);
            let piece = view.bind(py).get_item(slice)?.call_method0("tobytes")?;
            piece.extract::<Vec<u8>>()
        })?;
        if item > 1 && order != endian {
            piece.chunks_mut(item).for_each(<[u8]>::reverse);
        }
        to.write_all(&piece).map_err(Failed::Io)?;
        at = end;
    }
    Python::attach(|_| drop(view));
    Ok(())
}

/// Returns the byte order that a format of the buffer protocol says.
fn order_of(format: &str) -> Endian {
    let is_native_little = 1_u16.to_ne_bytes() == 1_u16.to_le_bytes();
    match format.as_bytes().first() {
        Some(b'>' | b'!') => Endian::Big,
        Some(b'<') => Endian::Little,
        _ if is_native_little => Endian::Little,
        _ => Endian::Big,
    }
}

/// Returns a view of the bytes of some data in C order, how many they are, and their byte order.
/// Numbers of numpy are brought to the order of this machine.
fn bytes_of(py: Python<'_>, data: Py<PyAny>) -> PyResult<(Py<PyAny>, isize, Endian)> {
    let mut data = data.into_bound(py);
    if data.is_callable() {
        data = data.call0()?;
    }
    if let Some(dtype) = data.getattr_opt("dtype")?
        && dtype.hasattr("newbyteorder")?
    {
        let native = dtype.call_method1("newbyteorder", ("=",))?;
        if !dtype.eq(&native)? {
            data = data.call_method1("astype", (native,))?;
        }
        // What numpy does not lend, as bfloat16, it views as bytes.
        let module = py.import("numpy")?;
        data = module.call_method1("ascontiguousarray", (data,))?;
        data = data
            .call_method1("reshape", (-1,))?
            .call_method1("view", ("uint8",))?;
    }
    let view = PyMemoryView::from(&data)?.into_any();
    let order = order_of(&view.getattr("format")?.extract::<String>()?);
    let view = match view.getattr("c_contiguous")?.extract::<bool>()? {
        true => view,
        false => PyMemoryView::from(&view.call_method0("tobytes")?)?.into_any(),
    };
    let len: isize = view.getattr("nbytes")?.extract()?;
    let is_plain = len == 0 || view.getattr("format")?.extract::<String>()? == "B";
    let view = match is_plain && view.getattr("ndim")?.extract::<usize>()? == 1 {
        true => view,
        false => as_bytes(&view)?,
    };
    Ok((view.unbind(), len, order))
}

/// Returns the bytes of a view. One whose format says its byte order cannot be cast.
fn as_bytes<'py>(view: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match view.call_method1("cast", ("B",)) {
        Ok(view) => Ok(view),
        Err(_) => Ok(PyMemoryView::from(&view.call_method0("tobytes")?)?.into_any()),
    }
}

/// Returns whether the bytes of a type are blocks and not numbers.
fn is_block(tensor_type: TensorType) -> bool {
    tensor_type.block_elements() != Some(1)
}

/// Returns the type of an array or of a buffer.
fn type_of(name: &str, data: &Bound<'_, PyAny>) -> PyResult<TensorType> {
    let word = match data.getattr_opt("dtype")? {
        Some(dtype) => match dtype.getattr_opt("name")? {
            Some(name) => name.extract::<String>()?,
            None => dtype.str()?.to_string(),
        },
        None => {
            let view = PyMemoryView::from(data)?;
            view.getattr("format")?.extract::<String>()?
        }
    };
    Ok(match word.as_str() {
        "float32" | "f" | "<f" | "F32" => TensorType::F32,
        "float16" | "e" | "<e" | "F16" => TensorType::F16,
        "bfloat16" | "BF16" => TensorType::BF16,
        "float64" | "d" | "<d" | "F64" => TensorType::F64,
        "int8" | "b" | "I8" => TensorType::I8,
        "int16" | "h" | "<h" | "I16" => TensorType::I16,
        "int32" | "i" | "<i" | "I32" => TensorType::I32,
        "int64" | "q" | "<q" | "l" | "I64" => TensorType::I64,
        other => match other.parse() {
            Ok(tensor_type) => tensor_type,
            Err(_) => {
                let text = format!("{name}: no tensor has the type {other}; say dtype=...");
                return Err(PyTypeError::new_err(text));
            }
        },
    })
}

fn shape_of(data: &Bound<'_, PyAny>) -> PyResult<Vec<u64>> {
    match data.getattr_opt("shape")? {
        Some(shape) => shape.extract(),
        None => PyMemoryView::from(data)?.getattr("shape")?.extract(),
    }
}
