//! The buffer protocol: parts of a file as memory, and memory as a file, without a copy. The one file of
//! this binding with `unsafe` in it.
#![expect(
    unsafe_code,
    reason = "a buffer is handed over through a pointer of the interpreter's"
)]

use std::ffi::{CString, c_int};
use std::ptr;

use modelkeep::GgufFile;
use modelkeep::gguf::Endian;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

/// What lends its bytes as memory, and holds the file as long as anybody looks at them.
#[pyclass(frozen, subclass, module = "modelkeep")]
pub(crate) struct Buffer {
    file: GgufFile,
    part: Part,
    layout: Option<Layout>,
}

/// A part of a file, by its place in the file's order.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    Entry(usize),
    Tensor(usize),
}

/// What the bytes of a part are: items in C order.
pub(crate) struct Layout {
    format: CString,
    item: isize,
    shape: Box<[isize]>,
    strides: Box<[isize]>,
    bytes: isize,
}

impl Layout {
    /// Items of a type of the module `struct`; `None` for a shape that no memory has.
    pub(crate) fn new(code: char, item: u64, endian: Endian, shape: &[u64]) -> Option<Self> {
        let native = cfg!(target_endian = "big") == (endian == Endian::Big);
        let order = match (native || item == 1, endian) {
            (true, _) => "",
            (false, Endian::Little) => "<",
            (false, Endian::Big) => ">",
        };
        let item = isize::try_from(item).ok()?;
        let sizes = shape.iter().map(|size| isize::try_from(*size).ok());
        let shape: Box<[isize]> = sizes.collect::<Option<_>>()?;
        let mut bytes = item;
        let mut strides = vec![0; shape.len()].into_boxed_slice();
        for (stride, size) in strides.iter_mut().zip(&shape).rev() {
            *stride = bytes;
            bytes = bytes.checked_mul(*size)?;
        }
        Some(Layout {
            format: CString::new(format!("{order}{code}")).ok()?,
            item,
            shape,
            strides,
            bytes,
        })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.unsigned_abs() as u64
    }
}

impl Buffer {
    /// Refuses to be looked at as memory: the part has no layout.
    pub(crate) fn new(file: GgufFile, part: Part, layout: Option<Layout>) -> Self {
        Buffer { file, part, layout }
    }

    pub(crate) fn file(&self) -> &GgufFile {
        &self.file
    }

    pub(crate) fn part(&self) -> Part {
        self.part
    }

    /// Returns why a part has no layout.
    fn no_layout(&self) -> &'static str {
        match self.part {
            Part::Entry(_) => "only arrays of numbers are memory of items",
            Part::Tensor(_) => "the size of the tensor's type is not known, nor that of its data",
        }
    }

    /// Returns why the bytes of a part are not at hand.
    fn no_bytes(&self) -> &'static str {
        let Part::Tensor(at) = self.part else {
            return "the file has changed since it was opened";
        };
        let tensor = self.file.view().tensor(at);
        let end = tensor.and_then(|tensor| tensor.offset.checked_add(tensor.size?));
        match end {
            Some(end) if end <= self.file.size() => {
                "the file is not mapped: the data of tensors are not at hand"
            }
            _ => "the file is incomplete: it ends before the data of the tensor do",
        }
    }

    /// Returns the bytes as they are in the file.
    fn bytes(&self) -> Option<&[u8]> {
        let view = self.file.view();
        match self.part {
            Part::Entry(at) => Some(view.entry(at)?.1.as_array()?.as_bytes()),
            Part::Tensor(at) => view.tensor_data(&view.tensor(at)?),
        }
    }

    fn export(&self) -> Result<(&[u8], &Layout), &'static str> {
        let layout = self.layout.as_ref();
        let layout = layout.ok_or_else(|| self.no_layout())?;
        let bytes = self.bytes().ok_or_else(|| self.no_bytes())?;
        // The layout is that of the file as it was opened; a stranger may have changed it since.
        if isize::try_from(bytes.len()) == Ok(layout.bytes) {
            Ok((bytes, layout))
        } else {
            Err("the file has changed since it was opened")
        }
    }
}

#[pymethods]
impl Buffer {
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("nowhere to write the view to"));
        }
        // SAFETY: the interpreter gives a `Py_buffer` of its own that we alone write to; a refusal
        // has to leave its owner NULL.
        unsafe { (&raw mut (*view).obj).write(ptr::null_mut()) };
        let asks = |flag: c_int| flags & flag == flag;
        if asks(ffi::PyBUF_WRITABLE) {
            return Err(PyBufferError::new_err("a file of the store is read-only"));
        }
        let (bytes, layout) = slf.get().export().map_err(PyBufferError::new_err)?;
        let dimensions = layout.shape.len();
        if asks(ffi::PyBUF_F_CONTIGUOUS) && dimensions > 1 {
            return Err(PyBufferError::new_err("the items are in C order"));
        }
        let shaped = asks(ffi::PyBUF_ND) && dimensions > 0;
        let dimensions = if asks(ffi::PyBUF_ND) { dimensions } else { 1 };
        let filled = ffi::Py_buffer {
            buf: bytes.as_ptr().cast_mut().cast(),
            obj: slf.as_ptr(),
            len: layout.bytes,
            itemsize: layout.item,
            readonly: 1,
            ndim: c_int::try_from(dimensions).unwrap_or(c_int::MAX),
            format: pointer(asks(ffi::PyBUF_FORMAT), layout.format.as_ptr()),
            shape: pointer(shaped, layout.shape.as_ptr()),
            strides: pointer(shaped && asks(ffi::PyBUF_STRIDES), layout.strides.as_ptr()),
            suboffsets: ptr::null_mut(),
            internal: ptr::null_mut(),
        };
        // SAFETY: as above. Every pointer in it leads into the file's bytes, which do not move, or
        // into our layout; both live as long as `obj`, to which the view holds a reference: the one
        // that is given up here. The interpreter writes through none of them: `readonly` is set,
        // and format, shape and strides are the exporter's by the protocol.
        unsafe { view.write(filled) };
        let _ = slf.into_ptr();
        Ok(())
    }
}

fn pointer<T>(wanted: bool, to: *const T) -> *mut T {
    if wanted {
        to.cast_mut()
    } else {
        ptr::null_mut()
    }
}

/// The bytes of an object that lends them, which stay exported as long as this lives.
pub(crate) struct Lent(PyBuffer<u8>);

impl Lent {
    /// Borrows the bytes of an object, in C order.
    pub(crate) fn of(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let view = PyMemoryView::from(data)?.into_any();
        let dimensions: usize = view.getattr("ndim")?.extract()?;
        let is_plain = dimensions == 1 && view.getattr("format")?.extract::<String>()? == "B";
        let view = match is_plain {
            true => view,
            false => view.call_method1("cast", ("B",))?,
        };
        let buffer = PyBuffer::get(&view)?;
        match buffer.is_c_contiguous() {
            true => Ok(Lent(buffer)),
            false => Err(PyBufferError::new_err("the bytes are not contiguous")),
        }
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        let (start, len) = (self.0.buf_ptr().cast::<u8>(), self.0.len_bytes());
        if start.is_null() {
            return &[];
        }
        // SAFETY: the buffer is contiguous and stays exported, so that its memory neither moves nor
        // goes away, as long as `self` lives. Nothing here writes to it. Of one that others may write
        // to, `Gguf.from_buffer` states the condition of a mapped file: that it stays as it is.
        unsafe { std::slice::from_raw_parts(start, len) }
    }
}

/// Lets `fill` write the numbers of an array of floats that was made just now, while other threads
/// run: nobody else has seen it.
pub(crate) fn fill_array(
    array: &Bound<'_, PyAny>,
    fill: impl FnOnce(&mut [f32]) + Send,
) -> PyResult<()> {
    let py = array.py();
    let buffer = PyBuffer::<f32>::get(array)?;
    if buffer.readonly() || !buffer.is_c_contiguous() {
        return Err(PyBufferError::new_err("the array is not one to write to"));
    }
    if buffer.item_count() == 0 {
        py.detach(|| fill(&mut []));
        return Ok(());
    }
    let first = buffer.buf_ptr().cast::<f32>();
    // SAFETY: `PyBuffer<f32>` has checked that the items are floats and aligned; there are
    // `item_count` of them in a row, writable, as was just checked. The array was made by the caller
    // and is in no other hands, and the buffer keeps it from being moved or freed until it is dropped
    // below, after the slice.
    let room = unsafe { std::slice::from_raw_parts_mut(first, buffer.item_count()) };
    py.detach(|| fill(room));
    drop(buffer);
    Ok(())
}
