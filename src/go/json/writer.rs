//! A serializer of serde that writes JSON as Go does: compact, into one buffer.

use serde::ser::{self, Error as _, Serialize};
use serde_json::Error;

use super::{number, text};

type Result<T = (), E = Error> = std::result::Result<T, E>;

/// JSON that is being written.
pub(super) struct Writer(pub String);

impl Writer {
    fn put(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn integer(&mut self, value: impl itoa::Integer) -> Result {
        self.put(itoa::Buffer::new().format(value));
        Ok(())
    }

    /// Begins a list or a map, whose items follow.
    fn begin(&mut self, begin: &str, end: &'static str) -> Result<Items<'_>> {
        self.put(begin);
        Ok(Items {
            writer: self,
            is_first: true,
            is_literal: false,
            end,
        })
    }

    /// Begins what a variant holds: an object of its name alone.
    fn begin_variant(
        &mut self,
        variant: &str,
        begin: &str,
        end: &'static str,
    ) -> Result<Items<'_>> {
        self.put("{");
        text::write(&mut self.0, variant);
        self.put(":");
        self.begin(begin, end)
    }

    /// Writes the key of a map: a string, or what is printed as one.
    fn key(&mut self, key: &(impl Serialize + ?Sized)) -> Result {
        let start = self.0.len();
        key.serialize(&mut *self)?;
        match self.0.as_bytes().get(start) {
            Some(b'"') => Ok(()),
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                self.0.insert(start, '"');
                self.0.push('"');
                Ok(())
            }
            _ => Err(Error::custom("key must be a string")),
        }
    }

    /// Writes a value that holds its own JSON as a string, as it is.
    fn literal(&mut self, value: &(impl Serialize + ?Sized)) -> Result {
        let start = self.0.len();
        value.serialize(&mut *self)?;
        let literal: String = serde_json::from_str(self.0.get(start..).unwrap_or_default())?;
        self.0.truncate(start);
        self.put(&literal);
        Ok(())
    }
}

/// What serde_json calls its values that hold their own JSON: numbers of any size, and texts that
/// are no more parsed, where a program has such.
const LITERAL: &str = "$serde_json::private::";

impl<'a> ser::Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = Items<'a>;

    fn serialize_bool(self, value: bool) -> Result {
        self.put(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result {
        self.integer(value)
    }

    fn serialize_i16(self, value: i16) -> Result {
        self.integer(value)
    }

    fn serialize_i32(self, value: i32) -> Result {
        self.integer(value)
    }

    fn serialize_i64(self, value: i64) -> Result {
        self.integer(value)
    }

    fn serialize_i128(self, value: i128) -> Result {
        self.integer(value)
    }

    fn serialize_u8(self, value: u8) -> Result {
        self.integer(value)
    }

    fn serialize_u16(self, value: u16) -> Result {
        self.integer(value)
    }

    fn serialize_u32(self, value: u32) -> Result {
        self.integer(value)
    }

    fn serialize_u64(self, value: u64) -> Result {
        self.integer(value)
    }

    fn serialize_u128(self, value: u128) -> Result {
        self.integer(value)
    }

    fn serialize_f32(self, value: f32) -> Result {
        number::write(&mut self.0, value);
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result {
        number::write(&mut self.0, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result {
        text::write(&mut self.0, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        self.put("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        let items = self.begin_variant(variant, "", "}")?;
        value.serialize(&mut *items.writer)?;
        items.end()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Items<'a>> {
        self.begin("[", "]")
    }

    fn serialize_tuple(self, _len: usize) -> Result<Items<'a>> {
        self.begin("[", "]")
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Items<'a>> {
        self.begin("[", "]")
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Items<'a>> {
        self.begin_variant(variant, "[", "]}")
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Items<'a>> {
        self.begin("{", "}")
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Items<'a>> {
        if name.starts_with(LITERAL) {
            let items = self.begin("", "")?;
            let is_literal = true;
            return Ok(Items {
                is_literal,
                ..items
            });
        }
        self.begin("{", "}")
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Items<'a>> {
        self.begin_variant(variant, "{", "}}")
    }
}

/// The items of a list or a map.
pub(super) struct Items<'a> {
    writer: &'a mut Writer,
    is_first: bool,
    /// Whether its one field is its own JSON.
    is_literal: bool,
    end: &'static str,
}

impl Items<'_> {
    fn separate(&mut self) {
        if !self.is_first {
            self.writer.put(",");
        }
        self.is_first = false;
    }

    fn element(&mut self, value: &(impl Serialize + ?Sized)) -> Result {
        self.separate();
        value.serialize(&mut *self.writer)
    }

    fn value(&mut self, value: &(impl Serialize + ?Sized)) -> Result {
        self.writer.put(":");
        value.serialize(&mut *self.writer)
    }

    fn field(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result {
        if self.is_literal {
            return self.writer.literal(value);
        }
        self.separate();
        text::write(&mut self.writer.0, key);
        self.value(value)
    }

    fn end(self) -> Result {
        self.writer.put(self.end);
        Ok(())
    }
}

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.separate();
        self.writer.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.value(value)
    }

    fn end(self) -> Result {
        self.end()
    }
}

/// The other traits of items, which differ in the name of their method.
macro_rules! items {
    ($($kind:ident $item:ident ($($key:ident)?) $by:ident;)*) => {$(
        impl ser::$kind for Items<'_> {
            type Ok = ();
            type Error = Error;

            fn $item<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Result {
                self.$by($($key,)? value)
            }

            fn end(self) -> Result {
                self.end()
            }
        }
    )*};
}

items! {
    SerializeSeq serialize_element () element;
    SerializeTuple serialize_element () element;
    SerializeTupleStruct serialize_field () element;
    SerializeTupleVariant serialize_field () element;
    SerializeStruct serialize_field (key) field;
    SerializeStructVariant serialize_field (key) field;
}
