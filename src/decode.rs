//! JSON as the writers of the store's files read it.
//!
//! Manifests, config blobs and parameters are read by the rules of Go's decoder: the first value
//! counts and what follows is ignored, names of fields match in any case, of duplicates the last
//! wins, `null` leaves a field as it was, and bytes that are not UTF-8 become U+FFFD.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// Why a text is not the JSON that was expected.
#[derive(Debug)]
pub struct DecodeError(String);

impl DecodeError {
    /// `wanted` names the type, `field` the place.
    fn mismatch(found: &Node, wanted: &str, field: &str) -> Self {
        DecodeError(format!(
            "field {field:?} holds {}, not {wanted}",
            found.kind()
        ))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

/// A JSON value that keeps the order and the duplicates of its fields.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The first value of `bytes`, and the offset just past it.
    pub(crate) fn first(bytes: &[u8]) -> Result<(Node, usize), DecodeError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => first(text).or_else(|error| match paired(text) {
                Some(text) => first(&text),
                None => Err(error),
            }),
            // One `?` for each bad byte keeps the offsets; the values come from the other reading.
            Err(_) => {
                let (_, end) = first(&mended(bytes, '?'))?;
                let (node, _) = first(&mended(bytes, char::REPLACEMENT_CHARACTER))?;
                Ok((node, end))
            }
        }
    }

    /// The fields of an object; `null` has none.
    pub(crate) fn fields(&self, what: &str) -> Result<&[(String, Node)], DecodeError> {
        match self {
            Node::Null => Ok(&[]),
            Node::Object(fields) => Ok(fields),
            other => Err(DecodeError::mismatch(other, "an object", what)),
        }
    }

    pub(crate) fn set_text(&self, field: &str, to: &mut String) -> Result<(), DecodeError> {
        match self {
            Node::Null => Ok(()),
            Node::Text(text) => {
                to.clone_from(text);
                Ok(())
            }
            other => Err(DecodeError::mismatch(other, "a string", field)),
        }
    }

    pub(crate) fn set_integer(&self, field: &str, to: &mut i64) -> Result<(), DecodeError> {
        match self {
            Node::Null => return Ok(()),
            Node::Number(number) => {
                if let Some(integer) = number.as_i64() {
                    *to = integer;
                    return Ok(());
                }
            }
            _ => {}
        }
        Err(DecodeError::mismatch(self, "a 64-bit integer", field))
    }

    pub(crate) fn set_bool(&self, field: &str, to: &mut bool) -> Result<(), DecodeError> {
        match self {
            Node::Null => {}
            Node::Bool(value) => *to = *value,
            other => return Err(DecodeError::mismatch(other, "a bool", field)),
        }
        Ok(())
    }

    /// The items of an array; `None` for `null`.
    pub(crate) fn items(&self, field: &str) -> Result<Option<&[Node]>, DecodeError> {
        match self {
            Node::Null => Ok(None),
            Node::Array(items) => Ok(Some(items)),
            other => Err(DecodeError::mismatch(other, "an array", field)),
        }
    }

    /// An array of strings, in which `null` is the empty string; `None` for `null` itself.
    pub(crate) fn texts(&self, field: &str) -> Result<Option<Vec<String>>, DecodeError> {
        let Some(items) = self.items(field)? else {
            return Ok(None);
        };
        let mut texts = vec![String::new(); items.len()];
        for (item, text) in items.iter().zip(&mut texts) {
            item.set_text(field, text)?;
        }
        Ok(Some(texts))
    }

    /// The same value without order; of duplicates the last stays.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Bool(value) => Value::Bool(value),
            Node::Number(number) => Value::Number(number),
            Node::Text(text) => Value::String(text),
            Node::Array(items) => items.into_iter().map(Node::into_value).collect(),
            Node::Object(fields) => fields
                .into_iter()
                .map(|(key, node)| (key, node.into_value()))
                .collect(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Bool(_) => "a bool",
            Node::Number(_) => "a number",
            Node::Text(_) => "a string",
            Node::Array(_) => "an array",
            Node::Object(_) => "an object",
        }
    }
}

/// Whether a field of the file is the field `name`, in any case.
pub(crate) fn is_field(key: &str, name: &str) -> bool {
    key.eq_ignore_ascii_case(name)
}

fn first(text: &str) -> Result<(Node, usize), DecodeError> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Node>();
    match values.next() {
        Some(Ok(node)) => Ok((node, values.byte_offset())),
        Some(Err(error)) => Err(DecodeError(error.to_string())),
        None => Err(DecodeError("the text is empty".to_owned())),
    }
}

/// The text with U+FFFD for each byte that is not UTF-8, as the reference prints it.
pub(crate) fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| mended(e.as_bytes(), char::REPLACEMENT_CHARACTER))
}

fn mended(bytes: &[u8], with: char) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| with));
    }
    text
}

/// The text with `\\ufffd` for each escaped half of a surrogate pair that lacks its other half;
/// `None` where there is none. As long as the text, so that offsets stay.
fn paired(text: &str) -> Option<String> {
    let half = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        (0xd800..0xe000).contains(&code).then_some(code)
    };
    let mut mended = String::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(found) = text.get(at..)?.find('\\') {
        at += found;
        match (half(at), half(at + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at += 12,
            (Some(_), _) => {
                mended.push_str(text.get(copied..at)?);
                mended.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            // An escape is at least two bytes long; the second is ASCII, or no JSON anyway.
            _ => at = (at + 2..=text.len()).find(|at| text.is_char_boundary(*at))?,
        }
    }
    if copied == 0 {
        return None;
    }
    mended.push_str(text.get(copied..)?);
    Some(mended)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_first_value_is_ignored() {
        let (_, end) = Node::first(b" {\"a\": 1} trailing").unwrap();
        assert_eq!(end, 9);
    }

    #[test]
    fn bad_bytes_are_replaced_one_by_one_and_keep_the_offset() {
        let (node, end) = Node::first(b"{\"a\":\"x\xff\xfe\"}\n").unwrap();
        let mut text = String::new();
        node.fields("").unwrap()[0]
            .1
            .set_text("a", &mut text)
            .unwrap();
        assert_eq!((text.as_str(), end), ("x\u{fffd}\u{fffd}", 11));
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        let text = br#"{"\\ud800":"\ud800\ud83d\ude00\udc00x"}"#;
        let (node, end) = Node::first(text).unwrap();
        let (key, value) = &node.fields("").unwrap()[0];
        let mut out = String::new();
        value.set_text(key, &mut out).unwrap();
        assert_eq!(
            (key.as_str(), out.as_str()),
            (r"\ud800", "\u{fffd}\u{1f600}\u{fffd}x")
        );
        assert_eq!(end, text.len());
    }

    #[test]
    fn a_text_that_is_no_json_is_refused() {
        for text in ["", " \n", "{", "{\"a\":", "\u{feff}{}", "nul", "{'a':1}"] {
            assert!(Node::first(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
