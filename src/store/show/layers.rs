//! The layers of a model, read in the order of its manifest.

use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};
use crate::go::decode::{self, DecodeError};
use crate::manifest::{Layer, MediaType, Parameters};
use crate::store::model::Model;
use crate::template::Template;

use super::message::{self, Message};

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
            MediaType::Params => {
                decode::first(&model.read(layer)?, &mut self.parameters)
                    .map_err(corrupt("decoding params"))?;
            }
            MediaType::Messages => {
                self.messages =
                    message::decode(&model.read(layer)?).map_err(corrupt("decoding messages"))?;
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

/// Returns a text of a blob, with U+FFFD for bytes that are not UTF-8.
fn text(model: &Model, layer: &Layer) -> Result<String> {
    Ok(decode::lossy(model.read(layer)?))
}

fn corrupt(what: &'static str) -> impl Fn(DecodeError) -> Error {
    move |e| Error::caused(ErrorKind::Corrupt, what, e)
}
