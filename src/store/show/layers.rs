//! The layers of a model, read in the order of its manifest.

use std::path::PathBuf;

use crate::error::Result;
use crate::manifest::{Layer, MediaType, Parameters};
use crate::store::model::Model;
use crate::template::Template;

use super::message::Message;

/// What the layers of a manifest say, in the order in which they say it: of texts the last counts,
/// licenses and files add up.
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
        let digest = layer.digest()?;
        let path = || model.store().layout().blob(&digest);
        match layer.media() {
            MediaType::Model => {
                self.model = Some(path());
                self.parent.clone_from(&layer.from);
            }
            MediaType::Draft => self.draft = Some(path()),
            MediaType::Adapter => self.adapters.push(path()),
            MediaType::Projector => self.projectors.push(path()),
            MediaType::Template => self.template = Some(Template::parse(model.text_of(layer)?)?),
            MediaType::System => self.system = model.text_of(layer)?,
            MediaType::License => self.licenses.push(model.text_of(layer)?),
            MediaType::Params => model.add_parameters(layer, &mut self.parameters)?,
            MediaType::Messages => self.messages = model.messages_of(layer)?,
            MediaType::Tensor => {
                self.tensors.push(TensorLayer {
                    name: layer.name.clone(),
                    path: path(),
                    size: layer.size,
                });
            }
            MediaType::Json if layer.name == "config.json" && self.config_json.is_none() => {
                self.config_json = Some(path());
            }
            _ => {}
        }
        Ok(())
    }
}
