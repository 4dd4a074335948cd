//! What an import is told besides the file.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::error::Result;
use crate::modelfile;
use crate::store::copy_mode::CopyMode;
use crate::store::show::Message;

/// What a model is made of besides its weights, and how they come into the store.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{CopyMode, ImportOptions};
///
/// let options = ImportOptions::new()
///     .replace(true)
///     .copy_mode(CopyMode::Copy)
///     .system("Be kind.");
/// store.import(directory.path().join("tiny.gguf"), "tiny", &options)?;
/// assert_eq!(store.model("tiny")?.system()?.as_deref(), Some("Be kind."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ImportOptions {
    pub(super) replace: bool,
    pub(super) copy_mode: CopyMode,
    pub(super) adapters: Vec<PathBuf>,
    pub(super) projectors: Vec<PathBuf>,
    pub(super) template: Option<String>,
    pub(super) system: Option<String>,
    pub(super) licenses: Vec<String>,
    pub(super) parameters: Map<String, Value>,
    pub(super) messages: Vec<Message>,
    pub(super) renderer: Option<String>,
    pub(super) parser: Option<String>,
    pub(super) requires: Option<String>,
    /// Parameters that were left out because they say nothing any more.
    pub(super) ignored: Vec<String>,
}

impl ImportOptions {
    /// Returns the options of an import that adds nothing to the file.
    pub fn new() -> Self {
        ImportOptions::default()
    }

    /// Sets whether a model of that name is replaced; otherwise it is an error. The blobs of the
    /// one that is replaced stay until they are collected.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Sets how the bytes of the files come into the store.
    #[must_use]
    pub fn copy_mode(mut self, copy_mode: CopyMode) -> Self {
        self.copy_mode = copy_mode;
        self
    }

    /// Sets the GGUF files of adapters.
    #[must_use]
    pub fn adapters(mut self, files: impl IntoIterator<Item: Into<PathBuf>>) -> Self {
        self.adapters = files.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the GGUF files of projectors.
    #[must_use]
    pub fn projectors(mut self, files: impl IntoIterator<Item: Into<PathBuf>>) -> Self {
        self.projectors = files.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the Go template; none is guessed.
    #[must_use]
    pub fn template(mut self, template: impl Into<String>) -> Self {
        self.template = Some(template.into());
        self
    }

    /// Sets the system prompt.
    #[must_use]
    pub fn system(mut self, system: impl Into<String>) -> Self {
        self.system = Some(system.into());
        self
    }

    /// Sets the texts of the licenses.
    #[must_use]
    pub fn licenses(mut self, texts: impl IntoIterator<Item: Into<String>>) -> Self {
        self.licenses = texts.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the parameters. An import checks their names and the types of their values; of `stop`,
    /// a single text is a list of one.
    #[must_use]
    pub fn parameters(mut self, parameters: Map<String, Value>) -> Self {
        self.parameters = parameters;
        self
    }

    /// Sets the messages that belong to the model. An import checks their roles.
    #[must_use]
    pub fn messages(mut self, messages: impl IntoIterator<Item = Message>) -> Self {
        self.messages = messages.into_iter().collect();
        self
    }

    /// Sets the built-in renderer of prompts; without it the model gets the one that Ollama has for
    /// the architecture, if it has one.
    #[must_use]
    pub fn renderer(mut self, renderer: impl Into<String>) -> Self {
        self.renderer = Some(renderer.into());
        self
    }

    /// Sets the built-in parser of answers; as [`renderer`](Self::renderer).
    #[must_use]
    pub fn parser(mut self, parser: impl Into<String>) -> Self {
        self.parser = Some(parser.into());
        self
    }

    /// Sets the oldest release of Ollama that can run the model.
    #[must_use]
    pub fn requires(mut self, release: impl Into<String>) -> Self {
        self.requires = Some(release.into());
        self
    }

    /// Returns the same with values as they are stored, and without parameters that say nothing any
    /// more.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an unknown parameter, a value of
    /// another type than its parameter's, and an unknown role.
    pub(super) fn checked(&self) -> Result<Self> {
        let mut checked = self.clone();
        for (key, value) in std::mem::take(&mut checked.parameters) {
            match modelfile::typed_parameter(&key, &value)? {
                Some(value) => drop(checked.parameters.insert(key, value)),
                None => checked.ignored.push(key),
            }
        }
        for message in &self.messages {
            modelfile::check_role(&message.role)?;
        }
        Ok(checked)
    }
}
