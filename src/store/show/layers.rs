//! The layers of a model, read in the order of its manifest.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use crate::decode::{self, DecodeError, Node, is_field};
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Layer;
use crate::media::MediaType;
use crate::parameters::Parameters;
use crate::store::Model;
use crate::template::Template;

/// What the layers of a manifest say, in the order in which they say it: of texts the last counts,
/// licences and files add up.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// The last model layer's blob.
    pub model: Option<PathBuf>,
    /// Where that layer came from.
    pub parent: String,
    pub draft: Option<PathBuf>,
    pub adapters: Vec<PathBuf>,
    pub projectors: Vec<PathBuf>,
    pub template: Option<Template>,
    pub system: String,
    pub parameters: Parameters,
    pub messages: Vec<Message>,
    pub licenses: Vec<String>,
    pub tensors: Vec<TensorLayer>,
    /// The file `config.json` of a safetensors model.
    pub config_json: Option<PathBuf>,
}

/// A safetensors blob, as its layer names it.
#[derive(Debug)]
pub(crate) struct TensorLayer {
    pub name: String,
    pub path: PathBuf,
    pub size: i64,
}

/// A message that belongs to the model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// `system`, `user`, `assistant`, or what the file has, in lower case.
    pub role: String,
    /// The text.
    pub content: String,
}

impl Layers {
    /// Reads every text layer; of the others only the paths. A malformed digest on any layer is an
    /// error, and so is a text that is missing.
    pub(crate) fn read(model: &Model) -> Result<Self> {
        let mut layers = Layers::default();
        for layer in model.manifest().layers() {
            layers.add(model, layer)?;
        }
        Ok(layers)
    }

    fn add(&mut self, model: &Model, layer: &Layer) -> Result<()> {
        let path = model.path_of(layer)?;
        match layer.media() {
            MediaType::Model => {
                self.model = Some(path);
                self.parent.clone_from(&layer.from);
            }
            MediaType::Draft => self.draft = Some(path),
            MediaType::Adapter => self.adapters.push(path),
            MediaType::Projector => self.projectors.push(path),
            MediaType::Template => self.template = Some(Template::parse(text(model, layer)?)?),
            MediaType::System => self.system = text(model, layer)?,
            MediaType::License => self.licenses.push(text(model, layer)?),
            MediaType::Params => self.parameters.merge(parameters(&model.read(layer)?)?),
            MediaType::Messages => {
                self.messages =
                    decode_messages(&model.read(layer)?).map_err(corrupt("decoding messages"))?
            }
            MediaType::Tensor => {
                self.tensors.push(TensorLayer {
                    name: layer.name.clone(),
                    path,
                    size: layer.size,
                });
            }
            MediaType::Json if layer.name == "config.json" && self.config_json.is_none() => {
                self.config_json = Some(path);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A text of a blob, with U+FFFD for bytes that are not UTF-8.
fn text(model: &Model, layer: &Layer) -> Result<String> {
    Ok(decode::lossy(model.read(layer)?))
}

fn corrupt(what: &'static str) -> impl Fn(DecodeError) -> Error {
    move |e| Error::caused(ErrorKind::Corrupt, what, e)
}

fn parameters(bytes: &[u8]) -> Result<serde_json::Map<String, Value>> {
    let (node, _) = Node::first(bytes).map_err(corrupt("decoding params"))?;
    node.fields("params").map_err(corrupt("decoding params"))?;
    match node.into_value() {
        Value::Object(map) => Ok(map),
        _ => Ok(serde_json::Map::new()),
    }
}

fn decode_messages(bytes: &[u8]) -> Result<Vec<Message>, DecodeError> {
    let (node, _) = Node::first(bytes)?;
    let items = node.items("messages")?.unwrap_or_default();
    let mut messages = vec![Message::default(); items.len()];
    for (item, message) in items.iter().zip(&mut messages) {
        for (key, value) in item.fields("message")? {
            if is_field(key, "role") {
                value.set_text(key, &mut message.role)?;
                message.role = message.role.to_lowercase();
            } else if is_field(key, "content") {
                value.set_text(key, &mut message.content)?;
            }
        }
    }
    Ok(messages)
}
