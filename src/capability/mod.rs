//! What a model can do, derived from what its parts say; and which template speaks for it.

mod jinja;
mod parsers;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::manifest::Config;
use crate::template::Template;

/// Something that a model can do.
///
/// ```
/// use modelkeep::Capability;
///
/// assert_eq!(Capability::from("tools"), Capability::Tools);
/// assert_eq!(Capability::from("new").to_string(), "new");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// It continues a text.
    Completion,
    /// It calls tools.
    Tools,
    /// It fills a gap before a suffix.
    Insert,
    /// It sees images.
    Vision,
    /// It embeds texts.
    Embedding,
    /// It thinks before it answers.
    Thinking,
    /// It makes images.
    Image,
    /// It hears audio.
    Audio,
    /// What a config states beyond these, verbatim.
    Other(String),
}

impl Capability {
    /// Returns the word that list and show print.
    pub fn as_str(&self) -> &str {
        match self {
            Capability::Completion => "completion",
            Capability::Tools => "tools",
            Capability::Insert => "insert",
            Capability::Vision => "vision",
            Capability::Embedding => "embedding",
            Capability::Thinking => "thinking",
            Capability::Image => "image",
            Capability::Audio => "audio",
            Capability::Other(word) => word,
        }
    }
}

impl From<&str> for Capability {
    fn from(word: &str) -> Self {
        match word {
            "completion" => Capability::Completion,
            "tools" => Capability::Tools,
            "insert" => Capability::Insert,
            "vision" => Capability::Vision,
            "embedding" => Capability::Embedding,
            "thinking" => Capability::Thinking,
            "image" => Capability::Image,
            "audio" => Capability::Audio,
            other => Capability::Other(other.to_owned()),
        }
    }
}

/// Every word is a capability.
impl FromStr for Capability {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(word.into())
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Capability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What the metadata of a GGUF file says of abilities.
#[derive(Clone, Debug, Default)]
pub(crate) struct GgufFacts<'a> {
    pub architecture: Cow<'a, str>,
    /// `tokenizer.chat_template`, empty where it is no string.
    pub chat_template: Cow<'a, str>,
    /// Whether the architecture has the key `pooling_type`.
    pub pooling: bool,
    /// Whether it has `vision.block_count`.
    pub vision: bool,
    /// Whether it has `audio.block_count`.
    pub audio: bool,
}

/// What the metadata of a projector says; the default for one that cannot be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProjectorFacts<'a> {
    /// Whether a key `has_audio_encoder` or one ending in `.has_audio_encoder` is true.
    pub audio_encoder: bool,
    /// The architecture's `vision.projector_type`.
    pub kind: Cow<'a, str>,
}

/// All that show's capabilities depend on.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    pub config: &'a Config,
    /// The Go template that the model brings, if it brings one.
    pub template: Option<&'a Template>,
    /// The model layer's file; `None` where there is none or it cannot be read.
    pub gguf: Option<GgufFacts<'a>>,
    pub projectors: &'a [ProjectorFacts<'a>],
    /// Whether the host asked for Go templates (`OLLAMA_GO_TEMPLATE`), if it said anything.
    pub go_template: Option<bool>,
}

/// Where show takes `model_info` from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InfoSource {
    /// The config of a stub.
    Remote,
    /// The `config.json` of a safetensors model.
    Safetensors,
    /// Nowhere: a model that makes images.
    Image,
    /// The GGUF file.
    Gguf,
}

impl<'a> Facts<'a> {
    /// Returns the capabilities that show prints, in its order.
    pub fn capabilities(&self) -> Vec<Capability> {
        let mut found = Found::default();
        found.extend(
            self.config
                .capabilities
                .iter()
                .map(|word| word.as_str().into()),
        );
        if let Some(gguf) = self.own_gguf() {
            if !self.is_rendered() {
                found.add(Capability::Tools, jinja::has_tools(&gguf.chat_template));
                found.add(
                    Capability::Thinking,
                    jinja::has_thinking(&gguf.chat_template),
                );
            }
            found.add_kind(gguf.pooling);
            found.add(Capability::Vision, gguf.vision);
            found.add(Capability::Audio, gguf.audio);
        }
        found.add(Capability::Vision, !self.projectors.is_empty());
        let hears = |file: &ProjectorFacts<'_>| file.audio_encoder && file.kind != "gemma3nv";
        found.add(Capability::Audio, self.projectors.iter().any(hears));
        let parser = parsers::named(&self.config.parser);
        if let Some(template) = self.template.filter(|_| self.uses_go_template()) {
            found.add(Capability::Tools, template.uses("tools"));
            found.add(Capability::Insert, template.uses("suffix"));
            found.add(Capability::Thinking, template.thinking_tags().is_some());
        }
        found.add(Capability::Tools, parser.tools);
        found.add(
            Capability::Thinking,
            parser.thinking || is_gpt_oss(self.config),
        );
        let architecture = self.own_gguf().map_or("", |gguf| &gguf.architecture);
        let is_omni = architecture == NEMOTRON_OMNI || is_nemotron_omni(self.config);
        let mut unserved = unserved(self.config);
        unserved.audio |= is_omni;
        found.without(unserved)
    }

    /// Returns the template that show prints: the chat template of the GGUF file where Ollama would
    /// render with it, else the Go template.
    pub fn shown_template(&self) -> &str {
        let go = self.template.map_or(Template::DEFAULT, Template::text);
        let chat = self.own_gguf().map_or("", |gguf| &gguf.chat_template);
        match self.info_source() {
            InfoSource::Gguf if !chat.is_empty() && !self.is_rendered() => chat,
            _ => go,
        }
    }

    /// Returns where `model_info` comes from.
    pub fn info_source(&self) -> InfoSource {
        let config = self.config;
        let completes = || config.capabilities.iter().any(|word| word == "completion");
        if config.is_remote() {
            InfoSource::Remote
        } else if config.format == SAFETENSORS && completes() {
            InfoSource::Safetensors
        } else if self.capabilities().contains(&Capability::Image) {
            InfoSource::Image
        } else {
            InfoSource::Gguf
        }
    }

    /// Returns the file, where the format is one that has its facts in GGUF.
    fn own_gguf(&self) -> Option<&GgufFacts<'a>> {
        self.gguf
            .as_ref()
            .filter(|_| matches!(self.config.format.as_str(), "" | "gguf"))
    }

    /// Returns whether Ollama renders prompts itself instead of with the chat template.
    fn is_rendered(&self) -> bool {
        self.has_built_in() || self.is_harmony() || self.uses_go_template()
    }

    fn has_built_in(&self) -> bool {
        !self.config.renderer.is_empty() || !self.config.parser.is_empty()
    }

    fn is_harmony(&self) -> bool {
        let tags = |template: &Template| {
            template.text().contains("<|start|>") && template.text().contains("<|end|>")
        };
        is_gpt_oss(self.config) && self.template.is_some_and(tags)
    }

    fn uses_go_template(&self) -> bool {
        let Some(template) = self.template else {
            return false;
        };
        self.go_template
            .unwrap_or_else(|| !self.prefers_chat(template))
    }

    fn prefers_chat(&self, template: &Template) -> bool {
        let chat = self.own_gguf().map_or("", |gguf| &gguf.chat_template);
        let free = !chat.is_empty() && !self.has_built_in() && !self.is_harmony();
        free && jinja::is_preferred(chat, template)
    }
}

/// Returns the capabilities that list prints, in its order.
///
/// `header` is what that of the GGUF file tells: senses in its order, and whether its output is
/// pooled. Its chat template does not count, which is why list and show can disagree.
pub(crate) fn listed(
    config: &Config,
    template: Option<&Template>,
    header: Option<(&[Capability], bool)>,
    has_projector: bool,
) -> Vec<Capability> {
    let mut found = Found::default();
    if let Some((senses, pooling)) = header {
        found.extend(senses.iter().cloned());
        found.add_kind(pooling);
    }
    let stated = config.capabilities.iter().filter(|word| !word.is_empty());
    found.extend(stated.map(|word| word.as_str().into()));
    let parser = parsers::named(&config.parser);
    let uses = |name| template.is_some_and(|template| template.uses(name));
    let thinks = template.is_some_and(|template| template.thinking_tags().is_some());
    found.add(Capability::Tools, uses("tools") || parser.tools);
    found.add(Capability::Insert, uses("suffix"));
    found.add(
        Capability::Thinking,
        thinks || is_gpt_oss(config) || parser.thinking,
    );
    found.add(Capability::Vision, has_projector);
    found.without(unserved(config))
}

/// Capabilities in the order in which they were found, each once.
#[derive(Default)]
struct Found(Vec<Capability>);

impl Found {
    fn add(&mut self, capability: Capability, is_there: bool) {
        if is_there && !self.0.contains(&capability) {
            self.0.push(capability);
        }
    }

    fn extend(&mut self, capabilities: impl Iterator<Item = Capability>) {
        capabilities.for_each(|capability| self.add(capability, true));
    }

    /// A file with pooled output embeds; any other completes.
    fn add_kind(&mut self, pooling: bool) {
        self.add(
            if pooling {
                Capability::Embedding
            } else {
                Capability::Completion
            },
            true,
        );
    }

    fn without(self, unserved: Unserved) -> Vec<Capability> {
        let mut found = self.0;
        found.retain(|capability| match capability {
            Capability::Vision => !unserved.vision,
            Capability::Audio => !unserved.audio,
            _ => true,
        });
        found
    }
}

/// Abilities of the weights that Ollama's runner does not serve.
struct Unserved {
    vision: bool,
    audio: bool,
}

const SAFETENSORS: &str = "safetensors";
const NEMOTRON_NANO: &str = "nemotron-3-nano";
const NEMOTRON_OMNI: &str = "nemotron_h_omni";

fn unserved(config: &Config) -> Unserved {
    let is_safetensors = config.format == SAFETENSORS;
    let renderer = config.renderer.as_str();
    let is_gemma = matches!(renderer, "gemma4" | "gemma4-small" | "gemma4-large");
    let is_nemotron = config.parser == NEMOTRON_NANO || renderer == NEMOTRON_NANO;
    let vision = is_safetensors && (is_gemma || is_nemotron || is_nemotron_omni(config));
    let audio = vision || (is_safetensors && renderer == "glimmer");
    Unserved { vision, audio }
}

fn is_nemotron_omni(config: &Config) -> bool {
    let mut families = config.families.iter().flatten();
    config.family == NEMOTRON_OMNI || families.any(|family| family == NEMOTRON_OMNI)
}

fn is_gpt_oss(config: &Config) -> bool {
    matches!(config.family.as_str(), "gptoss" | "gpt-oss")
}
