//! Media types: what a layer of a manifest is.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What a layer holds. Unknown types are carried, not dropped.
///
/// ```
/// use modelkeep::MediaType;
///
/// let media = MediaType::from("application/vnd.ollama.image.license");
/// assert_eq!((&media, media.label()), (&MediaType::License, "license"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// The config blob: a JSON object of the model's facts.
    Config,
    /// A GGUF file: the weights.
    Model,
    /// A Go template; also under its old name `prompt`.
    Template,
    /// A system prompt.
    System,
    /// A JSON object of parameters.
    Params,
    /// A JSON array of messages.
    Messages,
    /// A license text.
    License,
    /// A GGUF file with an adapter.
    Adapter,
    /// A GGUF file with a projector.
    Projector,
    /// A GGUF file with a draft model.
    Draft,
    /// Embeddings; nothing reads them.
    Embed,
    /// A safetensors file with one tensor or a few.
    Tensor,
    /// A JSON file of a safetensors model, such as `config.json`.
    Json,
    /// Anything else, as it stands.
    Other(String),
}

const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER_PREFIX: &str = "application/vnd.ollama.image.";

impl From<&str> for MediaType {
    fn from(text: &str) -> Self {
        if text == CONFIG {
            return MediaType::Config;
        }
        match text.strip_prefix(LAYER_PREFIX) {
            Some("model") => MediaType::Model,
            Some("template" | "prompt") => MediaType::Template,
            Some("system") => MediaType::System,
            Some("params") => MediaType::Params,
            Some("messages") => MediaType::Messages,
            Some("license") => MediaType::License,
            Some("adapter") => MediaType::Adapter,
            Some("projector") => MediaType::Projector,
            Some("draft") => MediaType::Draft,
            Some("embed") => MediaType::Embed,
            Some("tensor") => MediaType::Tensor,
            Some("json") => MediaType::Json,
            _ => MediaType::Other(text.to_owned()),
        }
    }
}

/// Every text is a media type.
impl FromStr for MediaType {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl MediaType {
    /// Returns the short word for people: `model`, `template`, or the whole text of an unknown
    /// type.
    pub fn label(&self) -> &str {
        match self {
            MediaType::Config => "config",
            MediaType::Model => "model",
            MediaType::Template => "template",
            MediaType::System => "system",
            MediaType::Params => "params",
            MediaType::Messages => "messages",
            MediaType::License => "license",
            MediaType::Adapter => "adapter",
            MediaType::Projector => "projector",
            MediaType::Draft => "draft",
            MediaType::Embed => "embed",
            MediaType::Tensor => "tensor",
            MediaType::Json => "json",
            MediaType::Other(text) => text,
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MediaType::Config => f.write_str(CONFIG),
            MediaType::Other(text) => f.write_str(text),
            layer => write!(f, "{LAYER_PREFIX}{}", layer.label()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_back_as_they_print() {
        for label in [
            "model", "template", "system", "params", "license", "tensor", "json", "new",
        ] {
            let text = format!("{LAYER_PREFIX}{label}");
            assert_eq!(MediaType::from(text.as_str()).to_string(), text);
        }
        assert_eq!(
            MediaType::from(format!("{LAYER_PREFIX}prompt").as_str()),
            MediaType::Template
        );
        assert_eq!(MediaType::from(CONFIG), MediaType::Config);
    }
}
