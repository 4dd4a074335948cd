//! What a model says, part by part. Each reads what it needs and no more.

use crate::capability::Capability;
use crate::error::{Error, ErrorKind, Result};
use crate::go::decode::{self, DecodeError};
use crate::manifest::{Layer, MediaType, Parameters};
use crate::store::model::Model;
use crate::template::Template;

use super::message::{self, Message};
use super::{ShowOptions, ShownDetails};

impl Model {
    /// Returns the Go template that the model brings, if it brings one; the chat template of its
    /// weights is [`Gguf::chat_template`](crate::gguf::Gguf::chat_template). Opens one file.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let template = store.model("tiny")?.template()?;
    /// assert!(template.is_some_and(|template| template.uses("prompt")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where the blob is missing,
    /// [`InvalidTemplate`](ErrorKind::InvalidTemplate) where it does not parse.
    pub fn template(&self) -> Result<Option<Template>> {
        let text = self.last_text(&MediaType::Template)?;
        Ok(text.map(Template::parse).transpose()?)
    }

    /// Returns the system prompt, if the model has one. Opens one file.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert_eq!(store.model("tiny")?.system()?.as_deref(), Some("Be brief."));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where the blob is missing.
    pub fn system(&self) -> Result<Option<String>> {
        self.last_text(&MediaType::System)
    }

    /// Returns the parameters that the model runs with. Opens one file.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let parameters = store.model("tiny")?.parameters()?;
    /// let temperature = parameters.get("temperature").and_then(|value| value.as_f64());
    /// assert_eq!(temperature, Some(0.5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where the blob is missing,
    /// [`Corrupt`](ErrorKind::Corrupt) where it does not decode.
    pub fn parameters(&self) -> Result<Parameters> {
        let mut parameters = Parameters::default();
        for layer in self.layers_of(&MediaType::Params) {
            self.add_parameters(layer, &mut parameters)?;
        }
        Ok(parameters)
    }

    /// Returns the texts of the licenses, in the manifest's order. Opens a file for each.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert_eq!(store.model("tiny")?.licenses()?, ["MIT"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where a blob is missing.
    pub fn licenses(&self) -> Result<Vec<String>> {
        let layers = self.layers_of(&MediaType::License);
        layers.map(|layer| self.text_of(layer)).collect()
    }

    /// Returns the messages that belong to the model. Opens one file.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert_eq!(store.model("tiny")?.messages()?[0].content, "Hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where the blob is missing,
    /// [`Corrupt`](ErrorKind::Corrupt) where it does not decode.
    pub fn messages(&self) -> Result<Vec<Message>> {
        let Some(layer) = self.manifest().last(&MediaType::Messages) else {
            return Ok(Vec::new());
        };
        self.messages_of(layer)
    }

    /// Returns what the model can do, as [`show`](Self::show) has it, and costs what that costs.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::Capability;
    ///
    /// assert!(store.model("tiny")?.capabilities()?.contains(&Capability::Completion));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`show`](Self::show).
    pub fn capabilities(&self) -> Result<Vec<Capability>> {
        Ok(self.show(&ShowOptions::new())?.capabilities)
    }

    /// Returns the format, the family and the sizes, as [`show`](Self::show) has them, and costs
    /// what that costs.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert_eq!(store.model("tiny")?.details()?.family, "llama");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`show`](Self::show).
    pub fn details(&self) -> Result<ShownDetails> {
        Ok(self.show(&ShowOptions::new())?.details)
    }

    pub(crate) fn layers_of(&self, media: &MediaType) -> impl Iterator<Item = &Layer> {
        let layers = self.manifest().layers().iter();
        layers.filter(move |layer| layer.media() == *media)
    }

    fn last_text(&self, media: &MediaType) -> Result<Option<String>> {
        let layer = self.manifest().last(media);
        layer.map(|layer| self.text_of(layer)).transpose()
    }

    /// Returns the text of a blob, with U+FFFD for bytes that are not UTF-8.
    pub(super) fn text_of(&self, layer: &Layer) -> Result<String> {
        Ok(decode::lossy(self.read(layer)?))
    }

    /// Decodes the parameters of a layer into what earlier ones left, as Ollama does.
    pub(super) fn add_parameters(&self, layer: &Layer, to: &mut Parameters) -> Result<()> {
        decode::first(&self.read(layer)?, to).map_err(corrupt("decoding params"))?;
        Ok(())
    }

    pub(super) fn messages_of(&self, layer: &Layer) -> Result<Vec<Message>> {
        message::decode(&self.read(layer)?).map_err(corrupt("decoding messages"))
    }
}

fn corrupt(what: &'static str) -> impl Fn(DecodeError) -> Error {
    move |e| Error::caused(ErrorKind::Corrupt, what, e)
}
