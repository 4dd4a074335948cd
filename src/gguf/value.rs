//! Values of metadata, borrowed from the bytes of the file.

use std::borrow::Cow;
use std::fmt;

use super::array::Array;
use super::value_type::ValueType;

/// A text of a file: bytes that are UTF-8 by the format's description, and usually in fact.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// let name = file.view().get("general.name").and_then(|value| value.as_text());
/// assert_eq!(name.map(|name| (name.as_bytes(), name.as_str())), Some((&b"Tiny"[..], Some("Tiny"))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Text(bytes)
    }

    /// Returns the bytes as they are in the file.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Returns the text; `None` where the bytes are not UTF-8. Costs one pass over them.
    pub fn as_str(self) -> Option<&'a str> {
        simdutf8::basic::from_utf8(self.0).ok()
    }

    /// Returns the text with U+FFFD for each bad byte.
    pub fn lossy(self) -> Cow<'a, str> {
        match self.as_str() {
            Some(text) => Cow::Borrowed(text),
            None => {
                let mut text = String::with_capacity(self.0.len());
                for chunk in self.0.utf8_chunks() {
                    text.push_str(chunk.valid());
                    text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
                }
                Cow::Owned(text)
            }
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.lossy())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.lossy())
    }
}

/// A value of metadata. Nothing is copied but scalars.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::gguf::Value;
///
/// let file = store.model("tiny")?.gguf()?;
/// let value = file.view().get("llama.context_length");
/// assert_eq!(value, Some(Value::U32(128)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// 8 bits without a sign.
    U8(u8),
    /// 8 bits with a sign.
    I8(i8),
    /// 16 bits without a sign.
    U16(u16),
    /// 16 bits with a sign.
    I16(i16),
    /// 32 bits without a sign.
    U32(u32),
    /// 32 bits with a sign.
    I32(i32),
    /// 64 bits without a sign.
    U64(u64),
    /// 64 bits with a sign.
    I64(i64),
    /// A single-precision number, NaN and infinity among them.
    F32(f32),
    /// A double-precision number, NaN and infinity among them.
    F64(f64),
    /// A truth.
    Bool(bool),
    /// A text.
    Str(Text<'a>),
    /// An array, whose elements are read when they are asked for.
    Array(Array<'a>),
}

impl<'a> Value<'a> {
    /// Returns the type in the file.
    pub fn value_type(&self) -> ValueType {
        match self {
            Value::U8(_) => ValueType::U8,
            Value::I8(_) => ValueType::I8,
            Value::U16(_) => ValueType::U16,
            Value::I16(_) => ValueType::I16,
            Value::U32(_) => ValueType::U32,
            Value::I32(_) => ValueType::I32,
            Value::U64(_) => ValueType::U64,
            Value::I64(_) => ValueType::I64,
            Value::F32(_) => ValueType::F32,
            Value::F64(_) => ValueType::F64,
            Value::Bool(_) => ValueType::Bool,
            Value::Str(_) => ValueType::Str,
            Value::Array(_) => ValueType::Array,
        }
    }

    /// Returns the number of any integer type that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Value::U64(v) => Some(v),
            _ => u64::try_from(self.as_i64()?).ok(),
        }
    }

    /// Returns the number of any integer type that fits 64 bits with a sign.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Value::U8(v) => Some(v.into()),
            Value::I8(v) => Some(v.into()),
            Value::U16(v) => Some(v.into()),
            Value::I16(v) => Some(v.into()),
            Value::U32(v) => Some(v.into()),
            Value::I32(v) => Some(v.into()),
            Value::U64(v) => i64::try_from(v).ok(),
            Value::I64(v) => Some(v),
            _ => None,
        }
    }

    /// Returns the number of either floating-point type.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Value::F32(v) => Some(v.into()),
            Value::F64(v) => Some(v),
            _ => None,
        }
    }

    /// Returns the truth.
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Value::Bool(v) => Some(v),
            _ => None,
        }
    }

    /// Returns the text, bytes that are not UTF-8 included.
    pub fn as_text(&self) -> Option<Text<'a>> {
        match *self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the text, where it is UTF-8.
    pub fn as_str(&self) -> Option<&'a str> {
        self.as_text()?.as_str()
    }

    /// Returns the array.
    pub fn as_array(&self) -> Option<Array<'a>> {
        match *self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }
}
