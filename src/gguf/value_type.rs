//! The types of metadata values.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{self, Error};

/// The type of a value or of an array's elements.
///
/// ```
/// use modelkeep::gguf::ValueType;
///
/// assert_eq!(ValueType::from_code(4), Some(ValueType::U32));
/// assert_eq!((ValueType::U32.to_string().as_str(), ValueType::U32.size()), ("u32", Some(4)));
/// assert_eq!("f64".parse::<ValueType>()?, ValueType::F64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// gguf.h, enum gguf_type
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
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
    /// One byte, 0 or 1.
    Bool = 7,
    /// A length and that many bytes, usually UTF-8.
    Str = 8,
    /// A type, a count and that many elements.
    Array = 9,
    /// 64 bits without a sign.
    U64 = 10,
    /// 64 bits with a sign.
    I64 = 11,
    /// A double-precision number.
    F64 = 12,
}

impl ValueType {
    /// Every type, by number.
    pub const ALL: &'static [ValueType] = &[
        ValueType::U8,
        ValueType::I8,
        ValueType::U16,
        ValueType::I16,
        ValueType::U32,
        ValueType::I32,
        ValueType::F32,
        ValueType::Bool,
        ValueType::Str,
        ValueType::Array,
        ValueType::U64,
        ValueType::I64,
        ValueType::F64,
    ];

    /// Returns the type of a number in a file.
    pub fn from_code(code: u32) -> Option<Self> {
        ValueType::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// Returns the number in a file.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// Returns the short name, as in `u32`.
    pub const fn name(self) -> &'static str {
        match self {
            ValueType::U8 => "u8",
            ValueType::I8 => "i8",
            ValueType::U16 => "u16",
            ValueType::I16 => "i16",
            ValueType::U32 => "u32",
            ValueType::I32 => "i32",
            ValueType::F32 => "f32",
            ValueType::Bool => "bool",
            ValueType::Str => "str",
            ValueType::Array => "arr",
            ValueType::U64 => "u64",
            ValueType::I64 => "i64",
            ValueType::F64 => "f64",
        }
    }

    /// Returns the bytes of one value; `None` for strings and arrays, whose size is in the file.
    pub const fn size(self) -> Option<u64> {
        match self {
            ValueType::U8 | ValueType::I8 | ValueType::Bool => Some(1),
            ValueType::U16 | ValueType::I16 => Some(2),
            ValueType::U32 | ValueType::I32 | ValueType::F32 => Some(4),
            ValueType::U64 | ValueType::I64 | ValueType::F64 => Some(8),
            ValueType::Str | ValueType::Array => None,
        }
    }

    /// Returns the fewest bytes that one value takes.
    pub(super) const fn least(self) -> u64 {
        match self {
            ValueType::Str => 8,
            ValueType::Array => 12,
            _ => match self.size() {
                Some(size) => size,
                None => 1,
            },
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ValueType {
    type Err = Error;

    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other name.
    fn from_str(name: &str) -> Result<Self, Error> {
        error::one_of("value type", ValueType::ALL, name)
    }
}

impl Serialize for ValueType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
