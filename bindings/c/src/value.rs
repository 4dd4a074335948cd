//! Values of metadata, and arrays of them.

use std::ptr;

use engine::gguf::{Array, Endian, Value, ValueType};

use crate::boundary::{borrow, borrow_mut, get, output, query};
use crate::str::mkeep_str;

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
    /// True or false.
    Bool = 7,
    /// A string.
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
    /// The number, for the types without a sign; of a truth 0 or 1.
    pub u: u64,
    /// The number, for the types with a sign.
    pub i: i64,
    /// The number, for the floating-point types.
    pub f: f64,
    /// The string: bytes that are usually UTF-8, without a NUL after them.
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
    /// Not 0 where its numbers are big-endian.
    pub big_endian: u8,
    /// How many elements.
    pub count: u64,
    /// The elements as they are in the file, not aligned: numbers one after the other, or strings
    /// with their lengths, for mkeep_array_next_str.
    pub bytes: *const u8,
    /// How many bytes.
    pub len: usize,
}

// SAFETY: a pointer to bytes of a file that nobody changes, as of an `mkeep_str`.
unsafe impl Send for mkeep_array {}
// SAFETY: as above.
unsafe impl Sync for mkeep_array {}

const NO_ARRAY: mkeep_array = mkeep_array {
    element: 0,
    big_endian: 0,
    count: 0,
    bytes: ptr::null(),
    len: 0,
};

impl From<Array<'_>> for mkeep_array {
    fn from(array: Array<'_>) -> Self {
        mkeep_array {
            element: array.element_type().code(),
            big_endian: u8::from(array.endian() == Endian::Big),
            count: array.len(),
            bytes: array.as_bytes().as_ptr(),
            len: array.as_bytes().len(),
        }
    }
}

impl mkeep_array {
    /// Returns the array that was borrowed; `None` for one that cannot have been.
    ///
    /// # Safety
    /// The bytes are those of a live file for as long as `'a`.
    pub(crate) unsafe fn back<'a>(self) -> Option<Array<'a>> {
        let bytes: &'a [u8] = match self.bytes.is_null() {
            true => &[],
            // SAFETY: by the contract `len` bytes of a live file.
            false => unsafe { std::slice::from_raw_parts(self.bytes, self.len) },
        };
        let endian = match self.big_endian {
            0 => Endian::Little,
            _ => Endian::Big,
        };
        let element = ValueType::from_code(self.element)?;
        Some(Array::new(element, self.count, bytes, endian))
    }
}

impl From<Value<'_>> for mkeep_value {
    fn from(value: Value<'_>) -> Self {
        use Value::{I8, I16, I32, I64};
        let is_signed = matches!(value, I8(_) | I16(_) | I32(_) | I64(_));
        let unsigned = value.as_u64().filter(|_| !is_signed);
        let text = value.as_text();
        mkeep_value {
            r#type: value.value_type().code(),
            u: unsigned.or(value.as_bool().map(u64::from)).unwrap_or(0),
            i: value.as_i64().filter(|_| is_signed).unwrap_or(0),
            f: value.as_f64().unwrap_or(0.0),
            str: text.map_or(mkeep_str::EMPTY, |text| {
                mkeep_str::borrowed(text.as_bytes())
            }),
            array: value.as_array().map_or(NO_ARRAY, mkeep_array::from),
        }
    }
}

/// Gets an element of an array, whatever its type and the byte order; false beyond the last. Costs
/// nothing for numbers and truths; for strings and arrays it walks over those before: take
/// mkeep_array_next_str for many strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_array_get(
    array: *const mkeep_array,
    index: u64,
    value: *mut mkeep_value,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use, and the bytes of an array
    // live as long as its file.
    unsafe {
        get(array, value, |array| {
            array.back()?.get(index).map(mkeep_value::from)
        })
    }
}

/// Gets the next string of an array of strings. `at` is where it begins within the array's bytes: 0
/// for the first; it is moved to the next, and may be kept to come back. False after the last, and
/// for other arrays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_array_next_str(
    array: *const mkeep_array,
    at: *mut usize,
    str: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use, and the bytes of an array
    // live as long as its file.
    query(false, || unsafe {
        let (array, at, str) = (borrow(array, "array")?, borrow_mut(at)?, output(str)?);
        let array = array
            .back()
            .filter(|array| array.element_type() == ValueType::Str);
        let Some((text, next)) = array.and_then(|array| next(array, *at)) else {
            return Ok(false);
        };
        str.write(text);
        *at = next;
        Ok(true)
    })
}

/// Returns the string that begins at a place of an array, and where the one after it does.
fn next(array: Array<'_>, at: usize) -> Option<(mkeep_str, usize)> {
    let text = array.string_at(at as u64)?.as_bytes();
    // gguf.md: a string is a u64 and that many bytes.
    let next = at.checked_add(size_of::<u64>())?.checked_add(text.len())?;
    Some((mkeep_str::borrowed(text), next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::gguf::{Endian, Index, Limits, OwnedArray, OwnedValue, Writer};

    /// Every type's number as C sees it: without a sign, with one, floating.
    #[test]
    fn a_number_is_where_its_type_says() {
        let cases = [
            (Value::U8(200), (200, 0, 0.0)),
            (Value::U16(60_000), (60_000, 0, 0.0)),
            (Value::U32(4_000_000_000), (4_000_000_000, 0, 0.0)),
            (Value::U64(5), (5, 0, 0.0)),
            (Value::U64(u64::MAX), (u64::MAX, 0, 0.0)),
            (Value::I8(-1), (0, -1, 0.0)),
            (Value::I16(2), (0, 2, 0.0)),
            (Value::I32(i32::MIN), (0, i32::MIN.into(), 0.0)),
            (Value::I64(7), (0, 7, 0.0)),
            (Value::F32(0.5), (0, 0, 0.5)),
            (Value::F64(-2.5), (0, 0, -2.5)),
            (Value::Bool(true), (1, 0, 0.0)),
        ];
        for (value, expected) in cases {
            let found = mkeep_value::from(value);
            assert_eq!((found.u, found.i, found.f), expected, "{value:?}");
            assert_eq!(found.r#type, value.value_type().code());
            assert_eq!((found.str.len, found.array.count), (0, 0));
        }
    }

    #[test]
    fn the_types_have_the_numbers_of_files() {
        let types = [
            (mkeep_value_type::U8, ValueType::U8),
            (mkeep_value_type::I8, ValueType::I8),
            (mkeep_value_type::U16, ValueType::U16),
            (mkeep_value_type::I16, ValueType::I16),
            (mkeep_value_type::U32, ValueType::U32),
            (mkeep_value_type::I32, ValueType::I32),
            (mkeep_value_type::F32, ValueType::F32),
            (mkeep_value_type::Bool, ValueType::Bool),
            (mkeep_value_type::Str, ValueType::Str),
            (mkeep_value_type::Array, ValueType::Array),
            (mkeep_value_type::U64, ValueType::U64),
            (mkeep_value_type::I64, ValueType::I64),
            (mkeep_value_type::F64, ValueType::F64),
        ];
        for (ours, theirs) in types {
            assert_eq!(ours as u32, theirs.code());
        }
    }

    /// What C finds at a place of the array.
    fn element(array: &mkeep_array, index: u64) -> Option<mkeep_value> {
        let mut value = std::mem::MaybeUninit::uninit();
        // SAFETY: a live array, and a place for a value, which is read where it was written.
        unsafe { mkeep_array_get(array, index, value.as_mut_ptr()).then(|| value.assume_init()) }
    }

    #[test]
    fn elements_are_found_in_either_byte_order_and_in_arrays_of_arrays() {
        for endian in [Endian::Little, Endian::Big] {
            let inner = |n: u32| OwnedValue::from(vec![n, n + 1]);
            let nested = OwnedArray::new(ValueType::Array, vec![inner(1), inner(3)]);
            let mut writer = Writer::new();
            writer.endian(endian).set("n", OwnedValue::Array(nested));
            let mut bytes = Vec::new();
            writer.write_to(&mut bytes).unwrap();
            let index = Index::parse(&bytes, bytes.len() as u64, &Limits::lenient()).unwrap();
            let array: mkeep_array = index
                .view(&bytes)
                .get("n")
                .unwrap()
                .as_array()
                .unwrap()
                .into();
            let second = element(&array, 1).unwrap();
            assert_eq!(element(&second.array, 1).unwrap().u, 4);
            assert!(element(&second.array, 2).is_none() && element(&array, 2).is_none());
        }
    }

    #[test]
    fn an_array_that_was_never_borrowed_holds_nothing() {
        let mut array = NO_ARRAY;
        array.count = 9;
        assert!(element(&array, 0).is_none());
        array.element = 99;
        assert!(element(&array, 0).is_none());
    }
}
