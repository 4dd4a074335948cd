//! The result of show, field by field.

use std::path::PathBuf;

use serde::Serialize;

use crate::capability::{Capability, Facts, GgufFacts, InfoSource, ProjectorFacts};
use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_file::GgufFile;
use crate::gguf::{Gguf, Text, Value};
use crate::go::json;
use crate::go::time::Timestamp;
use crate::manifest::{Config, Parameters};
use crate::modelfile::{self, Command, Modelfile};
use crate::store::model::Model;
use crate::template::Template;

use super::ShowOptions;
use super::info::ModelInfo;
use super::layers::Layers;
use super::message::Message;
use super::safetensors;
use super::weights::Weights;

/// Everything about one model: the body of `POST /api/show`.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{Capability, ShowOptions};
///
/// let show = store.show("tiny", &ShowOptions::new())?;
/// assert!(show.capabilities.contains(&Capability::Completion));
/// assert_eq!(show.licenses, ["MIT"]);
/// assert_eq!(show.tensors[0].name, "token_embd.weight");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Show {
    /// The license texts, a newline between them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub license: String,
    /// The same texts one by one.
    #[serde(skip)]
    pub licenses: Vec<String>,
    /// A Modelfile that makes the model again.
    pub modelfile: String,
    /// The parameters, a line for each value.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parameters: String,
    /// The same parameters as values.
    #[serde(skip)]
    pub parameter_values: Parameters,
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
    /// The oldest release of Ollama that can run the model.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub requires: String,
}

/// The facts of a shown model.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let details = store.model("tiny")?.details()?;
/// assert_eq!((details.format.as_str(), details.quantization_level.as_str()), ("gguf", "F16"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
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
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ShowOptions;
///
/// let tensor = &store.show("tiny", &ShowOptions::new())?.tensors[0];
/// assert_eq!((tensor.r#type.as_str(), tensor.shape.as_slice()), ("F16", &[8, 4][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
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
    /// Returns the body of `POST /api/show`.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }

    /// Returns the tokens of context that the model was made for; `None` where nothing states them.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ShowOptions;
    ///
    /// assert_eq!(store.show("tiny", &ShowOptions::new())?.context_length(), Some(128));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn context_length(&self) -> Option<u64> {
        self.model_info.own_number("context_length")
    }

    /// Returns the width of an embedding; `None` where nothing states it.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ShowOptions;
    ///
    /// assert_eq!(store.show("tiny", &ShowOptions::new())?.embedding_length(), Some(8));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn embedding_length(&self) -> Option<u64> {
        self.model_info.own_number("embedding_length")
    }
}

/// What the files of a model say of it.
struct Opened {
    capabilities: Vec<Capability>,
    template: String,
    weights: Weights,
    projector_info: Option<ModelInfo>,
}

/// Opens the files of a model. What is opened, and in which order, decides which of several faults
/// of a model is named.
fn open(model: &Model, config: &Config, layers: &Layers, verbose: bool) -> Result<Opened> {
    let open = |path: &PathBuf| model.open_gguf(path);
    let gguf = layers.model.as_ref().map(open);
    let projectors: Vec<_> = layers.projectors.iter().map(open).collect();
    let projector_facts: Vec<_> = projectors.iter().map(projector_facts).collect();
    let facts = Facts {
        config,
        template: layers.template.as_ref(),
        gguf: gguf
            .as_ref()
            .and_then(|file| file.as_ref().ok())
            .map(gguf_facts),
        projectors: &projector_facts,
        go_template: model.store().options().go_template,
    };
    let capabilities = facts.capabilities();
    let template = facts.shown_template().to_owned();
    let source = facts.info_source();
    let files = Files { gguf, projectors };
    let (weights, projector_info) = files.read(source, config, layers, verbose)?;
    Ok(Opened {
        capabilities,
        template,
        weights,
        projector_info,
    })
}

/// Assembles the result.
pub(super) fn of(model: &Model, options: &ShowOptions) -> Result<Show> {
    let laid_over = options.checked()?;
    let config = model.config()?;
    let layers = Layers::read(model)?;
    let opened = open(model, config, &layers, options.verbose)?;
    let weights = opened.weights;
    let system = Some(&options.system).filter(|system| !system.is_empty());
    let system = system.unwrap_or(&layers.system).clone();
    let remote = |text: &String| match config.remote_host.is_empty() {
        true => String::new(),
        false => text.clone(),
    };
    Ok(Show {
        license: layers.licenses.join("\n"),
        modelfile: modelfile(model, config, &layers, &system, laid_over),
        parameters: layers.parameters.text(),
        template: opened.template,
        system,
        remote_model: remote(&config.remote_model),
        remote_host: remote(&config.remote_host),
        details: ShownDetails::of(config, &layers, &weights),
        licenses: layers.licenses,
        parameter_values: layers.parameters,
        messages: layers.messages,
        model_info: weights.info,
        projector_info: opened.projector_info,
        tensors: weights.tensors,
        capabilities: opened.capabilities,
        modified_at: model.modified().into(),
        requires: config.requires.clone(),
    })
}

/// The GGUF files of a model, opened as far as they could be.
struct Files {
    gguf: Option<Result<GgufFile>>,
    projectors: Vec<Result<GgufFile>>,
}

impl Files {
    /// Reads the weights from where the model has them, and the first projector.
    fn read(
        self,
        source: InfoSource,
        config: &Config,
        layers: &Layers,
        verbose: bool,
    ) -> Result<(Weights, Option<ModelInfo>)> {
        let weights = match source {
            InfoSource::Remote => Weights::remote(config),
            InfoSource::Safetensors => safetensors::read(layers, config, verbose),
            InfoSource::Image => safetensors::only_tensors(layers, verbose),
            InfoSource::Gguf => {
                // A placeholder that names no model at its host has nothing to show.
                let nothing = || Err(Error::new(ErrorKind::NotFound, "the model has no weights"));
                let file = self.gguf.unwrap_or_else(nothing)?;
                let weights = Weights::of_gguf(file, config, verbose);
                let projector = self.projectors.into_iter().next().transpose()?;
                let info = projector.map(|projector| ModelInfo::of(projector, verbose, &[]));
                return Ok((weights, info));
            }
        };
        Ok((weights, None))
    }
}

impl ShownDetails {
    /// Returns the details: what the weights say of themselves replaces what the config says of
    /// them.
    fn of(config: &Config, layers: &Layers, weights: &Weights) -> Self {
        let or = |read: &Option<String>, stated: &String| read.as_ref().unwrap_or(stated).clone();
        ShownDetails {
            parent_model: layers.parent.clone(),
            format: config.format.clone(),
            family: or(&weights.family, &config.family),
            families: config.families.clone(),
            parameter_size: or(&weights.parameter_size, &config.parameter_size),
            quantization_level: or(&weights.quantization, &config.quantization),
        }
    }
}

fn modelfile(
    model: &Model,
    config: &Config,
    layers: &Layers,
    system: &str,
    laid_over: Parameters,
) -> String {
    // As Ollama has it, also for a store whose own path is relative.
    let path = |path: &PathBuf| {
        let absolute = std::path::absolute(path);
        absolute.as_ref().unwrap_or(path).display().to_string()
    };
    let template = layers
        .template
        .as_ref()
        .map_or(Template::DEFAULT, Template::text);
    let mut parameters = layers.parameters.clone();
    parameters.merge(laid_over);
    let weights = layers.model.as_ref().map(path).unwrap_or_default();
    let mut commands = vec![Command::From(weights)];
    commands.extend(layers.adapters.iter().map(path).map(Command::Adapter));
    commands.extend(layers.draft.iter().map(path).map(Command::Draft));
    commands.extend(layers.projectors.iter().map(path).map(Command::From));
    commands.push(Command::Template(template.to_owned()));
    let stated = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    commands.extend(stated(system).map(Command::System));
    commands.extend(stated(&config.renderer).map(Command::Renderer));
    commands.extend(stated(&config.parser).map(Command::Parser));
    commands.extend(
        parameters
            .commands()
            .map(|(key, value)| Command::parameter(key, value)),
    );
    commands.extend(layers.licenses.iter().cloned().map(Command::License));
    let messages = layers.messages.iter();
    commands.extend(messages.map(|message| Command::message(&message.role, &message.content)));
    let is_safetensors = config.format == "safetensors";
    modelfile::generated(
        &Modelfile { commands },
        &model.name().to_string(),
        is_safetensors,
    )
}

fn gguf_facts(file: &GgufFile) -> GgufFacts<'_> {
    let view = file.view();
    let architecture = text(view.get("general.architecture"));
    let has = |key: &str| find(view, &own_key(architecture, key)).is_some();
    GgufFacts {
        architecture: architecture.map(Text::lossy).unwrap_or_default(),
        chat_template: text(view.get("tokenizer.chat_template"))
            .map(Text::lossy)
            .unwrap_or_default(),
        pooling: has("pooling_type"),
        vision: has("vision.block_count"),
        audio: has("audio.block_count"),
    }
}

fn projector_facts(file: &Result<GgufFile>) -> ProjectorFacts<'_> {
    let Ok(file) = file else {
        return ProjectorFacts::default();
    };
    let view = file.view();
    let architecture = text(view.get("general.architecture"));
    let kind = text(find(view, &own_key(architecture, "vision.projector_type")));
    let hears = |(key, value): (Text<'_>, Value<'_>)| {
        key.as_bytes().ends_with(b".has_audio_encoder") && value.as_bool() == Some(true)
    };
    ProjectorFacts {
        audio_encoder: view.metadata().any(hears),
        kind: kind.map(Text::lossy).unwrap_or_default(),
    }
}

/// Returns the key of the architecture's own metadata. Both may be any bytes.
fn own_key(architecture: Option<Text<'_>>, key: &str) -> Vec<u8> {
    let architecture = architecture.map(Text::as_bytes).unwrap_or_default();
    [architecture, b".", key.as_bytes()].concat()
}

/// Returns the value of a key, whatever its bytes; of duplicates the last.
fn find<'a>(view: Gguf<'a>, key: &[u8]) -> Option<Value<'a>> {
    let same = view.metadata().filter(|(found, _)| found.as_bytes() == key);
    same.last().map(|(_, value)| value)
}

fn text(value: Option<Value<'_>>) -> Option<Text<'_>> {
    value.and_then(|value| value.as_text())
}
