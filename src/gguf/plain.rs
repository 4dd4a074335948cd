//! Values and tensors as plain JSON: numbers, texts and lists, as any program expects them.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::array::Array;
use super::cursor::Endian;
use super::owned::OwnedValue;
use super::tensor::TensorInfo;
use super::value::Value;
use super::value_type::ValueType;
use super::view::Gguf;
use crate::error::{Error, ErrorKind, Result};
use crate::near::near;

impl Serialize for Value<'_> {
    /// Writes a plain value: arrays whole, NaN and the infinities as what the format has for none
    /// (in JSON `null`), and U+FFFD for each byte that is not UTF-8. [`Lossless`](super::Lossless)
    /// loses nothing.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match *self {
            Value::U8(v) => serializer.serialize_u8(v),
            Value::I8(v) => serializer.serialize_i8(v),
            Value::U16(v) => serializer.serialize_u16(v),
            Value::I16(v) => serializer.serialize_i16(v),
            Value::U32(v) => serializer.serialize_u32(v),
            Value::I32(v) => serializer.serialize_i32(v),
            Value::U64(v) => serializer.serialize_u64(v),
            Value::I64(v) => serializer.serialize_i64(v),
            Value::F32(v) => serializer.serialize_f32(v),
            Value::F64(v) => serializer.serialize_f64(v),
            Value::Bool(v) => serializer.serialize_bool(v),
            Value::Str(text) => serializer.serialize_str(&text.lossy()),
            Value::Array(array) => array.serialize(serializer),
        }
    }
}

impl Serialize for Array<'_> {
    /// Writes the elements as a sequence.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.element_type() {
            ValueType::U8 => serializer.collect_seq(self.as_bytes()),
            ValueType::U16 => numbers(self, serializer, [u16::from_le_bytes, u16::from_be_bytes]),
            ValueType::I16 => numbers(self, serializer, [i16::from_le_bytes, i16::from_be_bytes]),
            ValueType::U32 => numbers(self, serializer, [u32::from_le_bytes, u32::from_be_bytes]),
            ValueType::I32 => numbers(self, serializer, [i32::from_le_bytes, i32::from_be_bytes]),
            ValueType::U64 => numbers(self, serializer, [u64::from_le_bytes, u64::from_be_bytes]),
            ValueType::I64 => numbers(self, serializer, [i64::from_le_bytes, i64::from_be_bytes]),
            ValueType::F32 => numbers(self, serializer, [f32::from_le_bytes, f32::from_be_bytes]),
            ValueType::F64 => numbers(self, serializer, [f64::from_le_bytes, f64::from_be_bytes]),
            ValueType::Str => serializer.collect_seq(self.texts()),
            // Arrays in arrays recurse; how deep they go was bounded when the file was opened.
            ValueType::I8 | ValueType::Bool | ValueType::Array => {
                serializer.collect_seq(self.iter())
            }
        }
    }
}

/// Writes numbers from where they are, by a reader for each byte order.
fn numbers<T: Serialize, const N: usize, S: Serializer>(
    array: &Array<'_>,
    serializer: S,
    [little, big]: [fn([u8; N]) -> T; 2],
) -> std::result::Result<S::Ok, S::Error> {
    let (items, _) = array.as_bytes().as_chunks::<N>();
    let read = match array.endian() {
        Endian::Little => little,
        Endian::Big => big,
    };
    serializer.collect_seq(items.iter().map(|item| read(*item)))
}

impl Value<'_> {
    /// Returns the value as plain JSON, arrays whole.
    ///
    /// ```
    /// use modelkeep::gguf::Value;
    ///
    /// assert_eq!(Value::F32(0.1).to_json(), "0.1");
    /// assert_eq!(Value::F32(f32::NAN).to_json(), "null");
    /// ```
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a value serializes")
    }
}

impl Serialize for OwnedValue {
    /// Writes a plain value, as [`Value`] does.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            OwnedValue::U8(v) => serializer.serialize_u8(*v),
            OwnedValue::I8(v) => serializer.serialize_i8(*v),
            OwnedValue::U16(v) => serializer.serialize_u16(*v),
            OwnedValue::I16(v) => serializer.serialize_i16(*v),
            OwnedValue::U32(v) => serializer.serialize_u32(*v),
            OwnedValue::I32(v) => serializer.serialize_i32(*v),
            OwnedValue::U64(v) => serializer.serialize_u64(*v),
            OwnedValue::I64(v) => serializer.serialize_i64(*v),
            OwnedValue::F32(v) => serializer.serialize_f32(*v),
            OwnedValue::F64(v) => serializer.serialize_f64(*v),
            OwnedValue::Bool(v) => serializer.serialize_bool(*v),
            OwnedValue::Str(text) => serializer.serialize_str(text),
            OwnedValue::Array(array) => serializer.collect_seq(&array.items),
        }
    }
}

impl<'a> Gguf<'a> {
    /// Returns the value of a key; of duplicates the last. As [`get`](Self::get), and where there is
    /// no such key the error names those that may have been meant.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let file = store.model("tiny")?.gguf()?;
    /// let error = file.view().require("llama.context_lenght").expect_err("a slip");
    /// assert_eq!(error.suggestions(), ["llama.context_length"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound).
    pub fn require(&self, key: &str) -> Result<Value<'a>> {
        self.get(key).ok_or_else(|| {
            let text = format!("no key {key:?}");
            Error::new(ErrorKind::NotFound, text).suggest(self.near_keys(key))
        })
    }

    /// Returns the keys that may have been meant: those that end with the word, as `chat_template`
    /// is written for `tokenizer.chat_template`, else those that it is a slip of.
    fn near_keys(&self, key: &str) -> Vec<String> {
        let keys: Vec<&str> = self
            .metadata()
            .filter_map(|(key, _)| key.as_str())
            .collect();
        let is_end = |whole: &&&str| {
            let rest = whole.strip_suffix(key);
            rest.is_some_and(|rest| rest.ends_with('.'))
        };
        let ends: Vec<String> = keys
            .iter()
            .filter(is_end)
            .map(ToString::to_string)
            .collect();
        match ends.is_empty() {
            true => near(key, keys),
            false => ends,
        }
    }

    /// Returns the metadata as one plain JSON object of keys and values, arrays whole.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let file = store.model("tiny")?.gguf()?;
    /// let json: serde_json::Value = serde_json::from_str(&file.view().metadata_json())?;
    /// assert_eq!(json["tokenizer.ggml.scores"][1], 1.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metadata_json(&self) -> String {
        serde_json::to_string(&Metadata(*self)).expect("a header serializes")
    }

    /// Returns the tensors as plain JSON: a list of `{"name", "type", "shape", "offset", "size"}`, the
    /// length of a row first in the shape, the offset from the beginning of the file, and `null` for
    /// a size that is not known.
    pub fn tensors_json(&self) -> String {
        let tensors: Vec<Tensor<'_>> = self.tensors().map(Tensor).collect();
        serde_json::to_string(&tensors).expect("a header serializes")
    }
}

struct Tensor<'a>(TensorInfo<'a>);

impl Serialize for Tensor<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Tensor(tensor) = self;
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("name", &tensor.name.lossy())?;
        map.serialize_entry("type", &tensor.tensor_type)?;
        map.serialize_entry("shape", tensor.dims)?;
        map.serialize_entry("offset", &tensor.offset)?;
        map.serialize_entry("size", &tensor.size)?;
        map.end()
    }
}

struct Metadata<'a>(Gguf<'a>);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let pairs = self.0.metadata();
        serializer.collect_map(pairs.map(|(key, value)| (key.lossy(), value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Text;

    #[test]
    fn plain_values_are_those_that_json_has() {
        let array = Array::new(ValueType::U8, 3, &[0, 1, 255], crate::gguf::Endian::Little);
        assert_eq!(Value::Array(array).to_json(), "[0,1,255]");
        assert_eq!(Value::F64(f64::INFINITY).to_json(), "null");
        assert_eq!(
            Value::Str(Text::new(b"<|a|>\xff")).to_json(),
            "\"<|a|>\u{fffd}\""
        );
        assert_eq!(Value::U64(u64::MAX).to_json(), u64::MAX.to_string());
    }
}
