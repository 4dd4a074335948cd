//! The config blob: what a manifest says of the model as a whole.

use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::go::decode::{self, Decode, DecodeError, Event, Reader, Slice};

/// The facts of a config blob. What it does not say is empty or zero.
///
/// Serializes under the keys of the blob, every one of them.
///
/// ```
/// use modelkeep::Config;
///
/// let config = Config::parse(br#"{"model_family": "llama", "new": [1]}"#)?;
/// assert_eq!((config.family.as_str(), config.is_remote()), ("llama", false));
/// assert!(modelkeep::json::to_string(&config).contains(r#""model_family":"llama""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Config {
    /// `gguf`, `safetensors`, or empty.
    #[serde(rename = "model_format")]
    pub format: String,
    /// The architecture's family, as in `llama`.
    #[serde(rename = "model_family")]
    pub family: String,
    /// All families; `None` is JSON's `null`.
    #[serde(rename = "model_families")]
    pub families: Option<Vec<String>>,
    /// The size for people, as in `8.0B`.
    #[serde(rename = "model_type")]
    pub parameter_size: String,
    /// The quantization's name, as in `Q4_K_M`.
    #[serde(rename = "file_type")]
    pub quantization: String,
    /// The built-in renderer of prompts.
    pub renderer: String,
    /// The built-in parser of answers.
    pub parser: String,
    /// The oldest release of Ollama that can run the model.
    pub requires: String,
    /// The host that serves a remote model.
    pub remote_host: String,
    /// The model's name at that host.
    pub remote_model: String,
    /// Capabilities that the publisher states.
    pub capabilities: Vec<String>,
    /// Tokens of context; zero when not said.
    pub context_length: i64,
    /// Width of an embedding; zero when not said.
    pub embedding_length: i64,
    /// The base model's name.
    pub base_name: String,
}

impl Config {
    /// Reads a config blob.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where the bytes do not decode.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut config = Config::default();
        match decode::first(bytes, &mut config) {
            Ok(_) => Ok(config),
            Err(e) => Err(Error::caused(ErrorKind::Corrupt, "decoding config", e)),
        }
    }

    /// Returns whether another host serves the model: this store holds a stub. A host that is asked
    /// for no model serves none.
    pub fn is_remote(&self) -> bool {
        !self.remote_host.is_empty() && !self.remote_model.is_empty()
    }
}

impl Decode for Config {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut families = Slice::default();
        let mut capabilities = Slice::default();
        let mut unread = Unread::default();
        json.fields(
            first,
            &mut [
                ("model_format", &mut self.format),
                ("model_family", &mut self.family),
                ("model_families", &mut families),
                ("model_type", &mut self.parameter_size),
                ("file_type", &mut self.quantization),
                ("renderer", &mut self.renderer),
                ("parser", &mut self.parser),
                ("requires", &mut self.requires),
                ("remote_host", &mut self.remote_host),
                ("remote_model", &mut self.remote_model),
                ("capabilities", &mut capabilities),
                ("context_length", &mut self.context_length),
                ("embedding_length", &mut self.embedding_length),
                ("base_name", &mut self.base_name),
                ("draft", &mut unread.draft),
                ("architecture", &mut unread.architecture),
                ("os", &mut unread.os),
            ],
        )?;
        self.families = families.into_items();
        self.capabilities = capabilities.into_items().unwrap_or_default();
        Ok(())
    }
}

/// Fields that have a type and are not used.
#[derive(Default)]
struct Unread {
    draft: Draft,
    architecture: String,
    os: String,
}

/// What a config says of a draft model.
#[derive(Default)]
struct Draft;

impl Decode for Draft {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut texts: [String; 4] = Default::default();
        let [format, architecture, prefix, config] = &mut texts;
        json.fields(
            first,
            &mut [
                ("model_format", format),
                ("architecture", architecture),
                ("tensor_prefix", prefix),
                ("config", config),
            ],
        )
    }
}

/// A config blob to be written, in Ollama's order of fields.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NewConfig {
    pub model_format: String,
    pub model_family: String,
    /// `None`, which is `null`, where no layer has weights.
    pub model_families: Option<Vec<String>>,
    pub model_type: String,
    pub file_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub renderer: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parser: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub requires: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<NewDraft>,
    pub architecture: &'static str,
    pub os: &'static str,
}

/// What a [`NewConfig`] says of a draft model.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NewDraft {
    pub model_format: &'static str,
    pub architecture: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_an_empty_list_of_families_differ() {
        let families = |text: &str| Config::parse(text.as_bytes()).unwrap().families;
        assert_eq!(families(r#"{"model_families":null}"#), None);
        assert_eq!(families(r#"{"model_families":[]}"#), Some(vec![]));
        assert_eq!(
            families(r#"{"Model_Families":["a",null]}"#),
            Some(vec!["a".into(), "".into()])
        );
    }

    #[test]
    fn a_field_of_the_wrong_type_is_corrupt() {
        for text in [
            r#"{"model_format":1}"#,
            r#"{"context_length":1.5}"#,
            r#"{"draft":3}"#,
            "[]",
        ] {
            assert_eq!(
                Config::parse(text.as_bytes()).unwrap_err().kind(),
                ErrorKind::Corrupt
            );
        }
    }
}
