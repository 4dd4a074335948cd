//! Arrays: a type, a count, and elements that are read when they are asked for.

use super::cursor::{Cursor, Endian, Read};
use super::value::{Text, Value};
use super::value_type::ValueType;

/// An array of a file, borrowed from its bytes.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// let array = file.view().get("tokenizer.ggml.scores").and_then(|value| value.as_array());
/// let scores: Vec<_> = array.iter().flat_map(|array| array.iter()).map(|one| one.as_f64()).collect();
/// assert_eq!(scores, [Some(0.5), Some(1.5)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Array<'a> {
    element: ValueType,
    len: u64,
    bytes: &'a [u8],
    endian: Endian,
}

impl<'a> Array<'a> {
    /// Returns an array of `len` elements that are in `bytes`: how a binding gets back what it let
    /// others borrow. Elements that `bytes` do not hold are not there.
    pub fn new(element: ValueType, len: u64, bytes: &'a [u8], endian: Endian) -> Self {
        Array {
            element,
            len,
            bytes,
            endian,
        }
    }

    /// Returns the type of every element.
    pub fn element_type(&self) -> ValueType {
        self.element
    }

    /// Returns the number of elements.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the byte order of the elements.
    pub fn endian(&self) -> Endian {
        self.endian
    }

    /// Returns the elements' bytes as they are in the file, unaligned: packed numbers, or strings
    /// with their lengths.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns one element. Costs nothing for numbers and bools; for strings and arrays it walks
    /// over those before it: take [`offsets`](Self::offsets) for many looks.
    pub fn get(&self, index: u64) -> Option<Value<'a>> {
        if index >= self.len {
            return None;
        }
        match self.element.size() {
            Some(size) => {
                let at = usize::try_from(index.checked_mul(size)?).ok()?;
                let mut cursor = self.cursor();
                cursor.seek(at);
                element(&mut cursor, self.element).ok()
            }
            None => self.iter().nth(usize::try_from(index).ok()?),
        }
    }

    /// Returns the elements in order.
    pub fn iter(&self) -> Elements<'a> {
        Elements {
            cursor: self.cursor(),
            element: self.element,
            left: self.len,
        }
    }

    /// Returns where each string begins within [`as_bytes`](Self::as_bytes), length included, for
    /// [`string_at`](Self::string_at). Walks over the array once; `None` for other types.
    pub fn offsets(&self) -> Option<Vec<u64>> {
        if self.element != ValueType::Str {
            return None;
        }
        let mut cursor = self.cursor();
        let mut offsets = Vec::new();
        for _ in 0..self.len {
            offsets.push(cursor.position());
            let length = cursor.u64().ok()?;
            cursor.skip(length).ok()?;
        }
        Some(offsets)
    }

    /// Returns the string that begins at an offset of [`offsets`](Self::offsets). Costs nothing.
    pub fn string_at(&self, offset: u64) -> Option<Text<'a>> {
        let mut cursor = self.cursor();
        cursor.seek(usize::try_from(offset).ok()?);
        let length = cursor.u64().ok()?;
        cursor.take(length).ok().map(Text::new)
    }

    pub(super) fn cursor(&self) -> Cursor<'a> {
        Cursor::new(self.bytes, self.bytes.len() as u64, self.endian)
    }
}

impl<'a> IntoIterator for Array<'a> {
    type Item = Value<'a>;
    type IntoIter = Elements<'a>;

    fn into_iter(self) -> Elements<'a> {
        self.iter()
    }
}

/// The elements of an [`Array`] in order.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let file = store.model("tiny")?.gguf()?;
/// let array = file.view().get("tokenizer.ggml.scores").and_then(|value| value.as_array());
/// assert_eq!(array.map(|array| array.iter().count()), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    cursor: Cursor<'a>,
    element: ValueType,
    left: u64,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.left = self.left.checked_sub(1)?;
        match self.element {
            // Of these there are hundreds of thousands, and what a fault would take to say costs each
            // of them as much as itself.
            ValueType::Str => {
                let length = self.cursor.u64().ok()?;
                let bytes = self.cursor.take(length).ok()?;
                Some(Value::Str(Text::new(bytes)))
            }
            kind => element(&mut self.cursor, kind).ok(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).ok();
        (left.unwrap_or(usize::MAX), left)
    }
}

/// Reads one value whose bytes were checked when the file was opened.
pub(super) fn element<'a>(cursor: &mut Cursor<'a>, kind: ValueType) -> Read<Value<'a>> {
    Ok(match kind {
        ValueType::U8 => Value::U8(bits8(cursor)?),
        ValueType::I8 => Value::I8(bits8(cursor)?.cast_signed()),
        ValueType::U16 => Value::U16(bits16(cursor)?),
        ValueType::I16 => Value::I16(bits16(cursor)?.cast_signed()),
        ValueType::U32 => Value::U32(cursor.u32()?),
        ValueType::I32 => Value::I32(cursor.u32()?.cast_signed()),
        ValueType::F32 => Value::F32(f32::from_bits(cursor.u32()?)),
        ValueType::Bool => Value::Bool(bits8(cursor)? != 0),
        ValueType::U64 => Value::U64(cursor.u64()?),
        ValueType::I64 => Value::I64(cursor.u64()?.cast_signed()),
        ValueType::F64 => Value::F64(f64::from_bits(cursor.u64()?)),
        ValueType::Str => {
            let length = cursor.u64()?;
            Value::Str(Text::new(cursor.take(length)?))
        }
        ValueType::Array => Value::Array(nested(cursor)?),
    })
}

fn bits8(cursor: &mut Cursor<'_>) -> Read<u8> {
    let [byte] = *cursor.array()?;
    Ok(byte)
}

fn bits16(cursor: &mut Cursor<'_>) -> Read<u16> {
    let bytes = *cursor.array()?;
    Ok(match cursor.endian {
        Endian::Little => u16::from_le_bytes(bytes),
        Endian::Big => u16::from_be_bytes(bytes),
    })
}

fn nested<'a>(cursor: &mut Cursor<'a>) -> Read<Array<'a>> {
    let (kind, len) = super::walk::array_head(cursor)?;
    let endian = cursor.endian;
    let bytes = super::walk::elements(cursor, kind, len)?;
    Ok(Array::new(kind, len, bytes, endian))
}
