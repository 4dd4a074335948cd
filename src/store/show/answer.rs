//! The answer of show, field by field.

use serde::Serialize;

use crate::capability::{self, Capability};
use crate::chat_template;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_file::GgufFile;
use crate::gguf::{FileType, Gguf, Strictness, Value};
use crate::json;
use crate::modelfile;
use crate::store::Model;
use crate::template::Template;
use crate::timestamp::Timestamp;

use super::info::{Fact, ModelInfo, PRINTED_ELSEWHERE};
use super::layers::{Layers, Message};
use super::ShowOptions;

/// Everything about one model: the body of `POST /api/show`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Show {
    /// The licence texts, a newline between them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub license: String,
    /// A Modelfile that makes the model again.
    pub modelfile: String,
    /// The parameters, a line for each value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parameters: String,
    /// The template that renders prompts: the chat template of the GGUF file, or a Go template.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub template: String,
    /// The system prompt.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub system: String,
    /// The facts.
    pub details: ShownDetails,
    /// The messages that belong to the model.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    /// The name at the host that serves a remote model; empty for a local one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_model: String,
    /// The host that serves a remote model; empty for a local one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_host: String,
    /// The metadata.
    pub model_info: ModelInfo,
    /// The metadata of the first projector, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projector_info: Option<ModelInfo>,
    /// The tensors in the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tensors: Vec<ShownTensor>,
    /// What the model can do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// The time of the manifest's last change.
    pub modified_at: Timestamp,
    /// The oldest release of the reference that can run the model.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub requires: String,
}

/// The facts of a shown model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownDetails {
    /// The model that this one was made from.
    pub parent_model: String,
    /// `gguf`, `safetensors`, or empty.
    pub format: String,
    /// The architecture's family.
    pub family: String,
    /// All families; `None` where the config has none.
    pub families: Option<Vec<String>>,
    /// The size for people.
    pub parameter_size: String,
    /// The quantization's name.
    pub quantization_level: String,
}

/// A tensor, without its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownTensor {
    /// Its name.
    pub name: String,
    /// The name of its type, as in `Q4_K`; `unknown` for types of the future.
    pub r#type: String,
    /// Its dimensions in the order of the file; none for a scalar.
    pub shape: Vec<u64>,
}

impl Show {
    /// The body of `POST /api/show`.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}
