//! A walk over the metadata that can end early.

use super::array::{Array, element};
use super::cursor::{Cursor, Endian, Read};
use super::limits::Limits;
use super::parse;
use super::value::{Text, Value};
use super::value_type::ValueType;
use super::walk::Walker;

/// A walk over keys and values in the order of the file. Values that are not asked for are passed
/// over, and nothing is read after the last that was.
pub(crate) struct Scan<'a, 'l> {
    cursor: Cursor<'a>,
    limits: &'l Limits,
    left: u64,
    pending: Option<ValueType>,
}

impl<'a, 'l> Scan<'a, 'l> {
    pub(crate) fn new(bytes: &'a [u8], file_size: u64, limits: &'l Limits) -> Read<Self> {
        let mut cursor = Cursor::new(bytes, file_size, Endian::Little);
        let header = parse::header(&mut cursor)?;
        cursor.endian = header.endian;
        Ok(Scan {
            cursor,
            limits,
            left: header.entries,
            pending: None,
        })
    }

    /// Returns the next key; `None` after the last.
    pub(crate) fn next_key(&mut self) -> Read<Option<Text<'a>>> {
        if let Some(kind) = self.pending.take() {
            Walker::new(self.limits).value(&mut self.cursor, kind)?;
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let key = Walker::new(self.limits).string(&mut self.cursor)?;
        self.pending = Some(parse::value_type(&mut self.cursor)?);
        Ok(Some(Text::new(key)))
    }

    /// Returns the value of the key that came last; `None` where it was read before.
    pub(crate) fn value(&mut self) -> Read<Option<Value<'a>>> {
        let Some(kind) = self.pending.take() else {
            return Ok(None);
        };
        if kind != ValueType::Array {
            Walker::new(self.limits).value(&mut self.cursor.clone(), kind)?;
            return element(&mut self.cursor, kind).map(Some);
        }
        let endian = self.cursor.endian;
        let (kind, len) = Walker::new(self.limits).head(&mut self.cursor)?;
        let start = self.cursor.clone();
        Walker::new(self.limits).elements(&mut self.cursor, kind, len)?;
        let length = self.cursor.position() - start.position();
        let bytes = start.clone().take(length)?;
        Ok(Some(Value::Array(Array::new(kind, len, bytes, endian))))
    }
}
