//! The metadata of a GGUF file as show prints it.

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::ser::{Serialize, SerializeSeq, Serializer};

use crate::fs::gguf_file::GgufFile;
use crate::gguf::{Array, Gguf, Text, Value, ValueType};

/// The metadata of a model: sorted by the bytes of the keys, read from the GGUF file when it is
/// printed or asked for. Its JSON hides arrays as `[]` unless `verbose` was set; iterating gives
/// them whole.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ShowOptions;
///
/// let info = store.show("tiny", &ShowOptions::new())?.model_info;
/// let architecture = info.get("general.architecture").and_then(|value| value.as_str());
/// assert_eq!(architecture, Some("llama"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ModelInfo {
    values: BTreeMap<String, InfoValue>,
    file: Option<Source>,
}

/// A value that stands in no GGUF file.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{InfoValue, ShowOptions};
///
/// let mut info = store.show("tiny", &ShowOptions::new())?.model_info;
/// info.insert("general.basename", InfoValue::Text("tiny".to_owned()));
/// assert_eq!(info.get("general.basename").and_then(|value| value.as_str()), Some("tiny"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InfoValue {
    /// A text.
    Text(String),
    /// A count.
    Number(u64),
}

#[derive(Clone, Debug)]
struct Source {
    file: GgufFile,
    verbose: bool,
    hidden: &'static [&'static str],
}

impl From<Vec<(String, InfoValue)>> for ModelInfo {
    fn from(values: Vec<(String, InfoValue)>) -> Self {
        ModelInfo {
            values: values.into_iter().collect(),
            file: None,
        }
    }
}

/// What show prints elsewhere, and so leaves out of a model's metadata.
pub(super) const PRINTED_ELSEWHERE: &[&str] = &["general.name", "tokenizer.chat_template"];

impl ModelInfo {
    /// Returns the metadata of a file without the keys of `hidden`, and with the computed count of
    /// its parameters, which replaces one that the file states.
    pub(super) fn of(file: GgufFile, verbose: bool, hidden: &'static [&'static str]) -> Self {
        let count = InfoValue::Number(file.view().parameter_count());
        let values = BTreeMap::from([("general.parameter_count".to_owned(), count)]);
        ModelInfo {
            values,
            file: Some(Source {
                file,
                verbose,
                hidden,
            }),
        }
    }

    /// Adds what stands in no file, in place of a value of the file.
    pub fn insert(&mut self, key: &str, value: InfoValue) {
        self.values.insert(key.to_owned(), value);
    }

    /// Returns the file that the metadata comes from; `None` for remote and safetensors models.
    pub fn gguf(&self) -> Option<Gguf<'_>> {
        self.file.as_ref().map(|source| source.file.view())
    }

    /// Returns the value of a key: what stands in no file before what the file has. Keys that the
    /// JSON form leaves out, because show prints them elsewhere, have theirs as well.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ShowOptions;
    ///
    /// let info = store.show("tiny", &ShowOptions::new())?.model_info;
    /// let count = info.get("general.parameter_count").and_then(|value| value.as_u64());
    /// assert_eq!(count, Some(8 * 4 + 8));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get(&self, key: &str) -> Option<Value<'_>> {
        match self.values.get(key) {
            Some(value) => Some(value.into()),
            None => self.gguf()?.get(key),
        }
    }

    /// Returns each key with its value, sorted by the bytes of the keys, as the JSON form has them
    /// but for the arrays, which are whole. Of keys that are not UTF-8, bad bytes are replaced.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ShowOptions;
    ///
    /// let info = store.show("tiny", &ShowOptions::new())?.model_info;
    /// for (key, value) in &info {
    ///     println!("{key}: {:?}", value.value_type());
    /// }
    /// assert!(info.iter().any(|(key, _)| key == "llama.context_length"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> btree_map::IntoIter<Cow<'_, str>, Value<'_>> {
        let mut entries = BTreeMap::new();
        if let Some(source) = &self.file {
            let pairs = source.file.view().metadata();
            let pairs = pairs.map(|(key, value)| (key.lossy(), value));
            entries.extend(pairs.filter(|(key, _)| !source.hidden.contains(&&**key)));
        }
        let values = self.values.iter();
        entries.extend(values.map(|(key, value)| (key.into(), Value::from(value))));
        entries.into_iter()
    }

    /// Returns a number of the architecture's own, as in `llama.context_length`.
    pub(super) fn own_number(&self, key: &str) -> Option<u64> {
        let architecture = self.get("general.architecture")?.as_text()?;
        self.get(&format!("{}.{key}", architecture.lossy()))?
            .as_u64()
    }

    /// Returns what stands in no file, by key.
    pub fn values(&self) -> &BTreeMap<String, InfoValue> {
        &self.values
    }
}

impl<'a> From<&'a InfoValue> for Value<'a> {
    fn from(value: &'a InfoValue) -> Self {
        match value {
            InfoValue::Text(text) => Value::Str(Text::new(text.as_bytes())),
            InfoValue::Number(number) => Value::U64(*number),
        }
    }
}

impl<'a> IntoIterator for &'a ModelInfo {
    type Item = (Cow<'a, str>, Value<'a>);
    type IntoIter = btree_map::IntoIter<Cow<'a, str>, Value<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for ModelInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_verbose = self.file.as_ref().is_some_and(|source| source.verbose);
        let entries = self.iter();
        serializer.collect_map(entries.map(|(key, value)| (key, Printed(value, is_verbose))))
    }
}

impl Serialize for InfoValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Printed(self.into(), true).serialize(serializer)
    }
}

/// A value in Ollama's JSON form.
struct Printed<'a>(Value<'a>, bool);

impl Serialize for Printed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Printed(value, verbose) = self;
        match value {
            Value::U8(v) => serializer.serialize_u8(*v),
            Value::I8(v) => serializer.serialize_i8(*v),
            Value::U16(v) => serializer.serialize_u16(*v),
            Value::I16(v) => serializer.serialize_i16(*v),
            Value::U32(v) => serializer.serialize_u32(*v),
            Value::I32(v) => serializer.serialize_i32(*v),
            Value::U64(v) => serializer.serialize_u64(*v),
            Value::I64(v) => serializer.serialize_i64(*v),
            Value::F32(v) => serializer.serialize_f32(*v),
            Value::F64(v) => serializer.serialize_f64(*v),
            Value::Bool(v) => serializer.serialize_bool(*v),
            Value::Str(text) => serializer.serialize_str(&text.lossy()),
            Value::Array(array) => array_form(array, *verbose, serializer),
        }
    }
}

/// Ollama prints arrays of bytes as base64 text, as Go does its `[]byte`; other arrays are plain.
fn array_form<S: Serializer>(
    array: &Array<'_>,
    verbose: bool,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let shown = verbose || array.is_empty();
    match array.element_type() {
        ValueType::U8 if shown => serializer.serialize_str(&BASE64.encode(array.as_bytes())),
        ValueType::Array if shown => {
            let mut items = serializer.serialize_seq(usize::try_from(array.len()).ok())?;
            for value in array.iter() {
                items.serialize_element(&Printed(value, verbose))?;
            }
            items.end()
        }
        _ if shown => array.serialize(serializer),
        _ => serializer.serialize_seq(Some(0))?.end(),
    }
}
