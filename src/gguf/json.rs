//! A file as JSON in which nothing is lost: the bits of floats, the bytes of bad texts.

use std::fmt::Write;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use sha2::{Digest, Sha256};

use super::array::Array;
use super::cursor::Endian;
use super::parse_error::ParseError;
use super::tensor::TensorInfo;
use super::value::{Text, Value};
use super::view::Gguf;
use super::warning::Warning;

/// The most elements of an array that are written out; of longer ones only a digest is.
const WRITTEN_OUT: u64 = 64;

/// The whole header of a file for [`Serialize`]: version, byte order, alignment, metadata, tensors.
///
/// Floats are `{"f32": bits}` and `{"f64": bits}`, texts that are not UTF-8 `{"bytes": hex}`;
/// arrays are `{"elem", "n", "items"}`, and beyond 64 elements `{"elem", "n", "sha256"}` of the
/// elements' bytes as they are in the file.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::gguf::Lossless;
///
/// let file = store.model("tiny")?.gguf()?;
/// let json = serde_json::to_value(Lossless(file.view()))?;
/// assert_eq!(json["version"], 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lossless<'a>(pub Gguf<'a>);

impl Serialize for Lossless<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let gguf = self.0;
        let mut map = serializer.serialize_map(Some(7))?;
        map.serialize_entry("version", &gguf.version())?;
        let endian = match gguf.endian() {
            Endian::Little => "little",
            Endian::Big => "big",
        };
        map.serialize_entry("endian", endian)?;
        map.serialize_entry("alignment", &gguf.alignment())?;
        map.serialize_entry("meta_end", &gguf.header_len())?;
        map.serialize_entry("data_offset", &gguf.data_offset())?;
        map.serialize_entry("kv", &Pairs(gguf))?;
        map.serialize_entry("tensors", &Tensors(gguf))?;
        map.end()
    }
}

impl Gguf<'_> {
    /// Returns the header and the warnings as JSON: `{"gguf": ..., "warnings": [...]}`.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Whole<'a> {
            gguf: Lossless<'a>,
            warnings: &'a [Warning],
        }
        let warnings = self.warnings();
        serde_json::to_string(&Whole {
            gguf: Lossless(*self),
            warnings,
        })
        .expect("a header serializes")
    }
}

impl ParseError {
    /// Returns the refusal as JSON: `{"error": {"kind", "offset", "path", "message"}}`.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Refusal<'a> {
            error: &'a ParseError,
        }
        serde_json::to_string(&Refusal { error: self }).expect("a header serializes")
    }
}

struct Pairs<'a>(Gguf<'a>);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.metadata().map(|(key, value)| Pair(key, value)))
    }
}

struct Pair<'a>(Text<'a>, Value<'a>);

impl Serialize for Pair<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("key", &Exact(&Value::Str(self.0)))?;
        map.serialize_entry("type", self.1.value_type().name())?;
        map.serialize_entry("value", &Exact(&self.1))?;
        map.end()
    }
}

struct Exact<'a, 'b>(&'b Value<'a>);

impl Serialize for Exact<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self.0 {
            Value::F32(v) => single(serializer, "f32", &format!("{:#010x}", v.to_bits())),
            Value::F64(v) => single(serializer, "f64", &format!("{:#018x}", v.to_bits())),
            Value::Str(text) => match text.as_str() {
                Some(text) => serializer.serialize_str(text),
                None => single(serializer, "bytes", &hex(text.as_bytes())),
            },
            Value::Array(array) => exact_array(&array, serializer),
            // Of these the plain value loses nothing.
            plain => plain.serialize(serializer),
        }
    }
}

fn single<S: Serializer>(serializer: S, key: &str, value: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn exact_array<S: Serializer>(array: &Array<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(3))?;
    map.serialize_entry("elem", array.element_type().name())?;
    map.serialize_entry("n", &array.len())?;
    if array.len() > WRITTEN_OUT {
        map.serialize_entry("sha256", &hex(&Sha256::digest(array.as_bytes())))?;
    } else {
        map.serialize_entry("items", &Items(array))?;
    }
    map.end()
}

struct Items<'a, 'b>(&'b Array<'a>);

impl Serialize for Items<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Arrays in arrays recurse; how deep they go was bounded when the file was opened.
        let mut items = serializer.serialize_seq(usize::try_from(self.0.len()).ok())?;
        for value in self.0.iter() {
            items.serialize_element(&Exact(&value))?;
        }
        items.end()
    }
}

struct Tensors<'a>(Gguf<'a>);

impl Serialize for Tensors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let data_offset = self.0.data_offset();
        serializer.collect_seq(self.0.tensors().map(|tensor| Row(tensor, data_offset)))
    }
}

struct Row<'a>(TensorInfo<'a>, u64);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Row(tensor, data_offset) = self;
        let mut map = serializer.serialize_map(Some(7))?;
        map.serialize_entry("name", &Exact(&Value::Str(tensor.name)))?;
        map.serialize_entry("shape", tensor.dims)?;
        map.serialize_entry("type_id", &tensor.tensor_type.code())?;
        map.serialize_entry("type", tensor.tensor_type.name())?;
        map.serialize_entry("offset", &(tensor.offset - data_offset))?;
        map.serialize_entry("abs_offset", &tensor.offset)?;
        map.serialize_entry("nbytes", &tensor.size)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_bytes_survive() {
        let text = |value: Value<'_>| serde_json::to_string(&Exact(&value)).unwrap();
        assert_eq!(text(Value::F32(f32::NAN)), r#"{"f32":"0x7fc00000"}"#);
        assert_eq!(text(Value::F64(-0.0)), r#"{"f64":"0x8000000000000000"}"#);
        assert_eq!(text(Value::Str(Text::new(b"a\xff"))), r#"{"bytes":"61ff"}"#);
    }
}
