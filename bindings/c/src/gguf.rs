//! GGUF files: index-based access to borrowed bytes.

use std::collections::BTreeMap;
use std::ffi::c_char;
use std::ptr;
use std::sync::LazyLock;

use engine::gguf::{Array, Endian, Gguf, Limits, TensorInfo, TensorType, Value, ValueType};
use engine::{GgufFile, GgufOptions, Reference};

use crate::boundary::{ask, borrow, end, enter, fetch, give, look, output, path, text};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::mkeep_store;
use crate::text::{Terminated, mkeep_str, mkeep_text};

/// A GGUF file that is open. Counted: what is borrowed lives until the last holder ends it.
pub struct mkeep_gguf(GgufFile);

/// The type of a value, as files have it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_value_type {
    /// 8 bits without a sign.
    U8 = 0,
    /// 8 bits with a sign.
    I8 = 1,
    /// 16 bits without a sign.
    U16 = 2,
    /// 16 bits with a sign.
    I16 = 3,
    /// 32 bits without a sign.
    U32 = 4,
    /// 32 bits with a sign.
    I32 = 5,
    /// A single-precision number.
    F32 = 6,
    /// A truth.
    Bool = 7,
    /// A text.
    Str = 8,
    /// An array.
    Array = 9,
    /// 64 bits without a sign.
    U64 = 10,
    /// 64 bits with a sign.
    I64 = 11,
    /// A double-precision number.
    F64 = 12,
}

/// A value of metadata. `type` says which of the others counts; the rest are zero.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_value {
    /// An mkeep_value_type.
    pub r#type: u32,
    /// The number, for the types without a sign; 0 or 1 for a truth.
    pub u: u64,
    /// The number, for the types with a sign.
    pub i: i64,
    /// The number, for the floating-point types.
    pub f: f64,
    /// The text: bytes that are usually UTF-8, without a NUL after them.
    pub str: mkeep_str,
    /// The array.
    pub array: mkeep_array,
}

/// An array of metadata.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_array {
    /// The type of its elements: an mkeep_value_type.
    pub element: u32,
    /// Whether its numbers are big-endian.
    pub big_endian: bool,
    /// How many elements.
    pub count: u64,
    /// The elements as they lie in the file, not aligned: numbers one after the other, or texts
    /// with their lengths, for mkeep_array_next_str.
    pub bytes: *const u8,
    /// How many bytes.
    pub len: usize,
}

/// A tensor.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_tensor {
    /// Its name, without a NUL after it.
    pub name: mkeep_str,
    /// The name of its type, as in `Q4_K`, with a NUL.
    pub type_name: mkeep_str,
    /// The number of its type.
    pub r#type: u32,
    /// How many dimensions.
    pub n_dims: u32,
    /// Its dimensions, the fastest-varying first; 1 beyond the last.
    pub dims: [u64; 4],
    /// Where its data begin, in bytes from the beginning of the file.
    pub offset: u64,
    /// The bytes of its data; 0 where the type is not known.
    pub size: u64,
    /// Its data; NULL where the file is not mapped or the type is not known.
    pub data: *const u8,
}

const NO_ARRAY: mkeep_array = mkeep_array {
    element: 0,
    big_endian: false,
    count: 0,
    bytes: ptr::null(),
    len: 0,
};

impl From<Array<'_>> for mkeep_array {
    fn from(array: Array<'_>) -> Self {
        mkeep_array {
            element: array.element_type().code(),
            big_endian: array.endian() == Endian::Big,
            count: array.len(),
            bytes: array.as_bytes().as_ptr(),
            len: array.as_bytes().len(),
        }
    }
}

impl From<Value<'_>> for mkeep_value {
    fn from(value: Value<'_>) -> Self {
        let is_signed = !matches!(value, Value::U8(_) | Value::U16(_) | Value::U32(_));
        let signed = value.as_i64().filter(|_| is_signed);
        let unsigned = value.as_u64().filter(|_| signed.is_none());
        let text = value
            .as_text()
            .map(|text| mkeep_str::borrowed(text.as_bytes()));
        mkeep_value {
            r#type: value.value_type().code(),
            u: unsigned.or(value.as_bool().map(u64::from)).unwrap_or(0),
            i: signed
                .filter(|_| !matches!(value, Value::U64(_)))
                .unwrap_or(0),
            f: value.as_f64().unwrap_or(0.0),
            str: text.unwrap_or(mkeep_str::EMPTY),
            array: value.as_array().map_or(NO_ARRAY, mkeep_array::from),
        }
    }
}

/// The names of the types that are known, by number.
static TYPE_NAMES: LazyLock<BTreeMap<u32, Terminated>> = LazyLock::new(|| {
    let types = TensorType::all();
    types
        .map(|kind| (kind.code(), Terminated::new(kind.name())))
        .collect()
});

fn type_name(kind: TensorType) -> mkeep_str {
    let name = TYPE_NAMES.get(&kind.code());
    name.map_or(mkeep_str::terminated(c"unknown"), Terminated::borrow)
}

fn tensor(gguf: Gguf<'_>, tensor: TensorInfo<'_>) -> mkeep_tensor {
    let mut dims = [1; 4];
    dims.iter_mut()
        .zip(tensor.dims)
        .for_each(|(to, from)| *to = *from);
    let data = gguf.tensor_data(&tensor);
    mkeep_tensor {
        name: mkeep_str::borrowed(tensor.name.as_bytes()),
        type_name: type_name(tensor.tensor_type),
        r#type: tensor.tensor_type.code(),
        n_dims: u32::try_from(tensor.dims.len()).unwrap_or(0),
        dims,
        offset: tensor.offset,
        size: tensor.size.unwrap_or(0),
        data: data.map_or(ptr::null(), <[u8]>::as_ptr),
    }
}

/// Opens a GGUF file: one pass over its head. `lenient` reads on where the format is broken without
/// harm; `no_mmap` reads the head into memory instead of mapping the file.
///
/// MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_UNSUPPORTED, MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_open(
    file: *const c_char,
    lenient: bool,
    no_mmap: bool,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (file, gguf) = (path(file, "file")?, output(gguf)?);
            let limits = if lenient {
                Limits::lenient()
            } else {
                Limits::strict()
            };
            let options = GgufOptions::new(limits).mmap(!no_mmap);
            give(gguf, mkeep_gguf(GgufFile::open(file, &options)?));
            Ok(())
        })
    }
}

/// Opens the GGUF file of a stored model, leniently.
///
/// As mkeep_store_path and mkeep_gguf_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_gguf(
    store: *const mkeep_store,
    name: *const c_char,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (store, gguf) = (borrow(store, "store")?, output(gguf)?);
            let reference: Reference = text(name, "name")?.parse()?;
            give(gguf, mkeep_gguf(store.0.model(&reference)?.gguf()?));
            Ok(())
        })
    }
}

/// One more holder of the same file, to be ended by mkeep_gguf_free as well; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_hold(gguf: *const mkeep_gguf) -> *mut mkeep_gguf {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe {
        look(gguf, ptr::null_mut(), |gguf| {
            Box::into_raw(Box::new(mkeep_gguf(gguf.0.clone())))
        })
    }
}

/// Ends a holder of a file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_free(gguf: *mut mkeep_gguf) {
    // SAFETY: by the header's contract NULL or a live file that is given up.
    unsafe { end(gguf) }
}

/// The version of the format.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_version(gguf: *const mkeep_gguf) -> u32 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.0.view().version()) }
}

/// The sum of the elements of all tensors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_parameter_count(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.0.view().parameter_count()) }
}

/// How many pairs of metadata.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_count(gguf: *const mkeep_gguf) -> usize {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.0.view().len()) }
}

/// The pair at a place; false, and nothing written, beyond the last. Costs nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_get(
    gguf: *const mkeep_gguf,
    index: usize,
    key: *mut mkeep_str,
    value: *mut mkeep_value,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    ask(false, || unsafe {
        let (gguf, key, value) = (borrow(gguf, "gguf")?, output(key)?, output(value)?);
        let Some((found_key, found)) = gguf.0.view().entry(index) else {
            return Ok(false);
        };
        key.write(mkeep_str::borrowed(found_key.as_bytes()));
        value.write(found.into());
        Ok(true)
    })
}

/// The value of a key, of duplicates the last; false, and nothing written, where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_find(
    gguf: *const mkeep_gguf,
    key: *const c_char,
    value: *mut mkeep_value,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    ask(false, || unsafe {
        let key = text(key, "key")?;
        Ok(fetch(gguf, value, |gguf| {
            gguf.0.view().get(key).map(mkeep_value::from)
        }))
    })
}

/// The next text of an array of texts. `at` is where it begins within the array's bytes: 0 for the
/// first; it is moved to the next. False after the last, and for other arrays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_array_next_str(
    array: *const mkeep_array,
    at: *mut usize,
    str: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use, and the bytes of an array
    // live as long as its file.
    let (array, at, str) = unsafe { (borrow(array, "array"), at.as_mut(), output(str)) };
    let (Ok(array), Some(at), Ok(str)) = (array, at, str) else {
        return false;
    };
    if array.element != ValueType::Str.code() || array.bytes.is_null() {
        return false;
    }
    // SAFETY: the bytes and their count come from a live file, see above.
    let bytes = unsafe { std::slice::from_raw_parts(array.bytes, array.len) };
    let Some((length, rest)) = bytes.get(*at..).and_then(<[u8]>::split_first_chunk) else {
        return false;
    };
    let length = match array.big_endian {
        true => u64::from_be_bytes(*length),
        false => u64::from_le_bytes(*length),
    };
    let Some(found) = usize::try_from(length)
        .ok()
        .and_then(|length| rest.get(..length))
    else {
        return false;
    };
    str.write(mkeep_str::borrowed(found));
    *at += size_of::<u64>() + found.len();
    true
}

/// How many tensors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_tensor_count(gguf: *const mkeep_gguf) -> usize {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.0.view().tensor_count()) }
}

/// The tensor at a place; false, and nothing written, beyond the last. Costs nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_tensor(
    gguf: *const mkeep_gguf,
    index: usize,
    found: *mut mkeep_tensor,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe {
        fetch(gguf, found, |gguf| {
            let gguf = gguf.0.view();
            Some(tensor(gguf, gguf.tensor(index)?))
        })
    }
}

/// The head and the warnings as JSON in which nothing is lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_json(
    gguf: *const mkeep_gguf,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (gguf, json) = (borrow(gguf, "gguf")?, output(json)?);
            give(json, mkeep_text::new(&gguf.0.view().to_json()));
            Ok(())
        })
    }
}
