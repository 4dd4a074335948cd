//! Values that borrow nothing.

use super::value::Value;
use super::value_type::ValueType;

/// A value that borrows nothing: to be written, or kept when its file is closed.
///
/// ```
/// use modelkeep::gguf::{OwnedValue, ValueType};
///
/// assert_eq!(OwnedValue::from("text").value_type(), ValueType::Str);
/// assert_eq!(OwnedValue::from(vec![1_u8, 2]).value_type(), ValueType::Array);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the value type of its name")]
pub enum OwnedValue {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    U64(u64),
    I64(i64),
    F32(f32),
    F64(f64),
    Bool(bool),
    Str(String),
    Array(OwnedArray),
}

/// An array that borrows nothing: elements of one type.
///
/// ```
/// use modelkeep::gguf::{OwnedArray, OwnedValue, ValueType};
///
/// let array = OwnedArray::new(ValueType::U8, vec![OwnedValue::U8(1), OwnedValue::U8(2)]);
/// assert_eq!(OwnedValue::from(array), OwnedValue::from(vec![1_u8, 2]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedArray {
    pub(super) element: ValueType,
    pub(super) items: Vec<OwnedValue>,
}

impl OwnedArray {
    /// Returns an array of elements of one type. An element of another type is left out of no file:
    /// writing it fails.
    pub fn new(element: ValueType, items: Vec<OwnedValue>) -> Self {
        OwnedArray { element, items }
    }
}

impl OwnedValue {
    /// Returns the type in the file.
    pub fn value_type(&self) -> ValueType {
        match self {
            OwnedValue::U8(_) => ValueType::U8,
            OwnedValue::I8(_) => ValueType::I8,
            OwnedValue::U16(_) => ValueType::U16,
            OwnedValue::I16(_) => ValueType::I16,
            OwnedValue::U32(_) => ValueType::U32,
            OwnedValue::I32(_) => ValueType::I32,
            OwnedValue::U64(_) => ValueType::U64,
            OwnedValue::I64(_) => ValueType::I64,
            OwnedValue::F32(_) => ValueType::F32,
            OwnedValue::F64(_) => ValueType::F64,
            OwnedValue::Bool(_) => ValueType::Bool,
            OwnedValue::Str(_) => ValueType::Str,
            OwnedValue::Array(_) => ValueType::Array,
        }
    }
}

macro_rules! from {
    ($($kind:ident: $type:ty),*) => {$(
        impl From<$type> for OwnedValue {
            fn from(value: $type) -> Self {
                OwnedValue::$kind(value)
            }
        }

        impl From<Vec<$type>> for OwnedValue {
            fn from(items: Vec<$type>) -> Self {
                let items = items.into_iter().map(OwnedValue::$kind).collect();
                OwnedValue::Array(OwnedArray::new(ValueType::$kind, items))
            }
        }
    )*};
}

from!(U8: u8, I8: i8, U16: u16, I16: i16, U32: u32, I32: i32, U64: u64, I64: i64);
from!(F32: f32, F64: f64, Bool: bool, Str: String, Array: OwnedArray);

impl From<&str> for OwnedValue {
    fn from(text: &str) -> Self {
        OwnedValue::Str(text.to_owned())
    }
}

impl From<Value<'_>> for OwnedValue {
    /// Copies the value; a text that is not UTF-8 gets U+FFFD for each bad byte.
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::U8(v) => v.into(),
            Value::I8(v) => v.into(),
            Value::U16(v) => v.into(),
            Value::I16(v) => v.into(),
            Value::U32(v) => v.into(),
            Value::I32(v) => v.into(),
            Value::U64(v) => v.into(),
            Value::I64(v) => v.into(),
            Value::F32(v) => v.into(),
            Value::F64(v) => v.into(),
            Value::Bool(v) => v.into(),
            Value::Str(text) => text.lossy().into_owned().into(),
            // Arrays in arrays recurse; how deep they go was bounded when they were read.
            Value::Array(array) => {
                let items = array.iter().map(OwnedValue::from).collect();
                OwnedArray::new(array.element_type(), items).into()
            }
        }
    }
}
