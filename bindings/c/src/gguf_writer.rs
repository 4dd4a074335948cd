//! Writing GGUF files: metadata, and tensors whose data the caller has in memory.

use std::ffi::{c_char, c_void};
use std::slice as slices;
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::gguf::{Array, Endian, OwnedArray, OwnedValue, TensorType, Value, ValueType, Writer};

use crate::boundary::{Fault, borrow, free, invalid, out, output, path, slice, text};
use crate::gguf_edit::mkeep_gguf_edit_options;
use crate::growing::{Options, growing, options};
use crate::progress::observer;
use crate::status::{call, mkeep_error, mkeep_status};
use crate::value::mkeep_value;

/// A GGUF file that is to be written. Any thread may add to it, one at a time.
pub struct mkeep_gguf_writer {
    collected: Mutex<Collected>,
}

struct Collected {
    writer: Writer,
    /// The data of the tensors in their order.
    data: Vec<Lent>,
}

/// Bytes of the caller's, which stay until the writer is freed.
#[derive(Clone, Copy)]
struct Lent {
    bytes: *const u8,
    len: usize,
}

// SAFETY: by the header's contract the bytes do not change, and nothing here writes to them.
unsafe impl Send for Lent {}

/// How to write a GGUF file.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_gguf_writer_options {
    /// `sizeof(mkeep_gguf_writer_options)`.
    pub size: usize,
    /// The version of the format, 2 or 3; 0 for 3.
    pub version: u32,
    /// The alignment of the data in bytes, a power of two; 0 for 32.
    pub alignment: u32,
    /// Not 0 for a big-endian file. The data of tensors are written as they are.
    pub big_endian: u64,
}

growing!(mkeep_gguf_writer_options: big_endian);
// SAFETY: numbers.
unsafe impl Options for mkeep_gguf_writer_options {}

impl mkeep_gguf_writer {
    fn collected(&self) -> MutexGuard<'_, Collected> {
        let collected = self.collected.lock();
        collected.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a writer with neither metadata nor tensors. `options` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_writer_new(
    options: *const mkeep_gguf_writer_options,
    writer: *mut *mut mkeep_gguf_writer,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let place = output(writer)?;
            let how = self::options(options)?;
            let mut writer = Writer::new();
            if how.version != 0 {
                writer.version(how.version);
            }
            if how.alignment != 0 {
                writer.alignment(how.alignment);
            }
            if how.big_endian != 0 {
                writer.endian(Endian::Big);
            }
            let data = Vec::new();
            let collected = Mutex::new(Collected { writer, data });
            out(place, mkeep_gguf_writer { collected });
            Ok(())
        })
    }
}

/// Frees a writer; what was written stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_writer_free(writer: *mut mkeep_gguf_writer) {
    // SAFETY: by the header's contract NULL or a live writer that is given up.
    unsafe { free(writer) }
}

/// Sets the value of a key, which may be one of another file: `type` says which of its fields counts.
/// Nothing of it is borrowed.
///
/// MKEEP_STATUS_INVALID_ARGUMENT for a number that is not of its type, and for a type that there is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_writer_set(
    writer: *const mkeep_gguf_writer,
    key: *const c_char,
    value: *const mkeep_value,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (writer, key) = (borrow(writer, "writer")?, text(key, "key")?);
            let value = owned(borrow(value, "value")?)?;
            writer.collected().writer.set(key, value);
            Ok(())
        })
    }
}

/// Sets the value of a key to a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_writer_set_str(
    writer: *const mkeep_gguf_writer,
    key: *const c_char,
    value: *const c_char,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (writer, key) = (borrow(writer, "writer")?, text(key, "key")?);
            let value = text(value, "value")?;
            writer.collected().writer.set(key, value);
            Ok(())
        })
    }
}

/// Sets the value of a key to an array of numbers or truths, `count` of them as C has them: of `element`,
/// an mkeep_value_type, such as `int32_t` for MKEEP_VALUE_TYPE_I32; a truth is a byte. Nothing of it is
/// borrowed.
///
/// MKEEP_STATUS_INVALID_ARGUMENT for other types of elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_writer_set_array(
    writer: *const mkeep_gguf_writer,
    key: *const c_char,
    element: u32,
    items: *const c_void,
    count: usize,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use, and there are `count`
    // items of the size of that type.
    unsafe {
        call(error, || {
            let (writer, key) = (borrow(writer, "writer")?, text(key, "key")?);
            let element = ValueType::from_code(element);
            let sized = element.and_then(|element| Some((element, element.size()?)));
            let (element, size) = sized.ok_or_else(|| invalid("an array of numbers or truths"))?;
            let len = usize::try_from(size).ok();
            let len = len.and_then(|size| size.checked_mul(count));
            let len = len.ok_or_else(|| invalid("an array larger than memory"))?;
            let bytes: &[u8] = slice(items.cast::<u8>(), len, "items")?;
            let array = Array::new(element, count as u64, bytes, NATIVE);
            let value = OwnedValue::from(Value::Array(array));
            writer.collected().writer.set(key, value);
            Ok(())
        })
    }
}

/// The byte order of this machine.
const NATIVE: Endian = match cfg!(target_endian = "big") {
    true => Endian::Big,
    false => Endian::Little,
};

/// Sets the value of a key to an array of strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_writer_set_strs(
    writer: *const mkeep_gguf_writer,
    key: *const c_char,
    strings: *const *const c_char,
    count: usize,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (writer, key) = (borrow(writer, "writer")?, text(key, "key")?);
            let strings = slice(strings, count, "strings")?.iter();
            let strings = strings.map(|it| Ok(OwnedValue::from(text(*it, "a string")?)));
            let strings = strings.collect::<Result<Vec<_>, Fault>>()?;
            let array = OwnedArray::new(ValueType::Str, strings);
            writer.collected().writer.set(key, array);
            Ok(())
        })
    }
}

/// Adds a tensor of `len` bytes of data, which are not copied: they have to stay, unchanged, until the
/// writer is freed. `dims` are in the order of the file, the length of a row first; `type` is the number
/// of a type, as of mkeep_tensor_type_get.
///
/// MKEEP_STATUS_INVALID_ARGUMENT for a type that is not known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_writer_tensor(
    writer: *const mkeep_gguf_writer,
    name: *const c_char,
    dims: *const u64,
    dim_count: usize,
    r#type: u32,
    data: *const c_void,
    len: usize,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (writer, name) = (borrow(writer, "writer")?, text(name, "name")?);
            let dims = slice(dims, dim_count, "dims")?;
            let kind = TensorType::from_code(r#type).filter(|kind| kind.is_known());
            let kind = kind.ok_or_else(|| invalid("a type of tensors that is not known"))?;
            let data: &[u8] = slice(data.cast::<u8>(), len, "data")?;
            let mut collected = writer.collected();
            collected.writer.declare(name, dims, kind);
            collected.data.push(Lent {
                bytes: data.as_ptr(),
                len: data.len(),
            });
            Ok(())
        })
    }
}

/// Writes the file, which appears whole, or not at all. What the strict reader would refuse is not written.
/// `options` may be NULL; `no_padding` means nothing here.
///
/// MKEEP_STATUS_INVALID_ARGUMENT for what would be refused, and for a tensor whose data do not have the size
/// of its shape; MKEEP_STATUS_ALREADY_EXISTS, MKEEP_STATUS_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_writer_write(
    writer: *const mkeep_gguf_writer,
    file: *const c_char,
    options: *const mkeep_gguf_edit_options,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (writer, file) = (borrow(writer, "writer")?, path(file, "file")?);
            let how = self::options(options)?;
            let (with, mut observe) = (how.read()?, observer(how.progress, how.user));
            let Collected { writer, data } = &*writer.collected();
            let mut write = |at: usize, to: &mut dyn std::io::Write| {
                let Some(Lent { bytes, len }) = data.get(at) else {
                    return Ok(());
                };
                // SAFETY: made of a slice, which by the header's contract lives as long as the writer.
                to.write_all(slices::from_raw_parts(*bytes, *len))
            };
            writer.write_file_with(file, &with, &mut write, &mut observe)?;
            Ok(())
        })
    }
}

/// Returns the value that a caller has filled in, or got of a file.
///
/// # Safety
/// The pointers of the value are NULL or good for what it says.
unsafe fn owned(value: &mkeep_value) -> Result<OwnedValue, Fault> {
    let kind = ValueType::from_code(value.r#type);
    let kind = kind.ok_or_else(|| invalid("a type of values that there is not"))?;
    let (u, i) = (value.u, value.i);
    let out_of_range = |_| invalid(format!("a number that is no {kind}"));
    Ok(match kind {
        ValueType::U8 => OwnedValue::U8(u.try_into().map_err(out_of_range)?),
        ValueType::U16 => OwnedValue::U16(u.try_into().map_err(out_of_range)?),
        ValueType::U32 => OwnedValue::U32(u.try_into().map_err(out_of_range)?),
        ValueType::U64 => OwnedValue::U64(u),
        ValueType::I8 => OwnedValue::I8(i.try_into().map_err(out_of_range)?),
        ValueType::I16 => OwnedValue::I16(i.try_into().map_err(out_of_range)?),
        ValueType::I32 => OwnedValue::I32(i.try_into().map_err(out_of_range)?),
        ValueType::I64 => OwnedValue::I64(i),
        ValueType::F32 => OwnedValue::F32(value.f as f32),
        ValueType::F64 => OwnedValue::F64(value.f),
        ValueType::Bool => OwnedValue::Bool(u != 0),
        // SAFETY: by the contract.
        ValueType::Str => unsafe { value.str.text() }?.into(),
        // SAFETY: by the contract.
        ValueType::Array => match unsafe { value.array.back() } {
            Some(array) => OwnedValue::from(Value::Array(array)),
            None => return Err(invalid("an array of what there is not")),
        },
        _ => return Err(invalid(format!("a value of the type {kind}"))),
    })
}
