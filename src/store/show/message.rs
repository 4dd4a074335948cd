//! The messages that belong to a model.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use std::collections::BTreeMap;

use crate::go::decode::{self, Any, Decode, DecodeError, Event, Reader, Slice};

/// A message that belongs to the model.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::Message;
///
/// assert_eq!(store.model("tiny")?.messages()?, [Message::new("user", "Hello")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// `system`, `user`, `assistant`, or what the file has, in lower case.
    pub role: String,
    /// The text.
    pub content: String,
}

impl Message {
    /// Returns a message of a role, as in `user` or `assistant`.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Message {
            role: role.into(),
            content: content.into(),
        }
    }
}

/// Decodes a layer of messages.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Message>, DecodeError> {
    let mut messages = Slice::default();
    decode::first(bytes, &mut messages)?;
    Ok(messages.into_items().unwrap_or_default())
}

impl Decode for Message {
    /// What is not kept has its type, too.
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut texts: [String; 3] = Default::default();
        let [thinking, tool_name, tool_call_id] = &mut texts;
        let mut images = Slice::<Image>::default();
        let mut calls = Slice::<ToolCall>::default();
        json.fields(
            first,
            &mut [
                ("role", &mut self.role),
                ("content", &mut self.content),
                ("thinking", thinking),
                ("images", &mut images),
                ("tool_calls", &mut calls),
                ("tool_name", tool_name),
                ("tool_call_id", tool_call_id),
            ],
        )?;
        self.role = decode::lower(&self.role);
        Ok(())
    }
}

/// An image: base64 text, or an array of bytes.
#[derive(Default)]
struct Image;

// Go's decoder needs the padding and does not look at the bits that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

impl Decode for Image {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let Event::Text(text) = first else {
            return Slice::<u8>::default().decode(first, json);
        };
        let text = text.decoded().replace(['\r', '\n'], "");
        let decoded = BASE64.decode(text);
        let refused = |_| DecodeError::new("text that is not base64");
        decoded.map(drop).map_err(refused)
    }
}

#[derive(Default)]
struct ToolCall;

impl Decode for ToolCall {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let (mut id, mut function) = (String::new(), Function);
        json.fields(first, &mut [("id", &mut id), ("function", &mut function)])
    }
}

struct Function;

impl Decode for Function {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let (mut index, mut name) = (0_i64, String::new());
        json.fields(
            first,
            &mut [
                ("index", &mut index),
                ("name", &mut name),
                ("arguments", &mut Arguments),
            ],
        )
    }
}

/// The arguments of a tool's call, by name.
struct Arguments;

impl Decode for Arguments {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        if matches!(first, Event::Null) {
            return Err(DecodeError::new("null instead of an object"));
        }
        BTreeMap::<String, Any>::new().decode(first, json)
    }
}
