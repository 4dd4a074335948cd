//! Showing: everything about one model.

mod answer;
mod info;
mod layers;
mod message;
mod parts;
mod safetensors;
mod weights;

pub use answer::{Show, ShownDetails, ShownTensor};
pub use info::{InfoValue, ModelInfo};
pub use message::Message;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Parameters;
use crate::modelfile;
use crate::name::{Reference, convert, missing};
use crate::store::handle::Store;
use crate::store::model::Model;

/// What show is asked for besides the model.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ShowOptions;
///
/// let verbose = ShowOptions::new().verbose(true).system("Be kind.");
/// let show = store.show("tiny", &verbose)?;
/// assert_eq!(show.system, "Be kind.");
/// assert!(show.to_json().contains(r#""tokenizer.ggml.scores":[0.5,1.5]"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ShowOptions {
    pub(crate) verbose: bool,
    pub(crate) system: String,
    pub(crate) options: Parameters,
    /// What a program gave, to be checked.
    typed: Map<String, Value>,
}

impl ShowOptions {
    /// Returns the options of a result without the contents of arrays.
    pub fn new() -> Self {
        ShowOptions::default()
    }

    /// Sets whether arrays are printed in full, and the tensors of safetensors models are listed.
    #[must_use]
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }

    /// Sets a system prompt to show in place of the model's; an empty one replaces nothing.
    #[must_use]
    pub fn system(mut self, system: impl Into<String>) -> Self {
        self.system = system.into();
        self
    }

    /// Sets parameters to lay over the model's in the Modelfile. Show refuses a slip: a name that
    /// is near a known one, and a value that a known one cannot have.
    #[must_use]
    pub fn options(mut self, options: Map<String, Value>) -> Self {
        self.typed = options;
        self
    }

    /// Sets parameters of a request, of which Ollama takes any.
    pub(crate) fn unchecked_options(mut self, options: Parameters) -> Self {
        self.options = options;
        self
    }

    /// Returns all parameters to lay over the model's.
    fn checked(&self) -> Result<Parameters> {
        for (key, value) in &self.typed {
            modelfile::check_override(key, value)?;
        }
        let mut options = self.options.clone();
        options.merge(self.typed.clone().into());
        Ok(options)
    }
}

impl Store {
    /// Returns everything about one model. Opens its manifest and each blob that is needed once,
    /// and maps the GGUF file; does not depend on how many models there are.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ShowOptions;
    ///
    /// let show = store.show("tiny", &ShowOptions::new())?;
    /// assert_eq!(show.details.family, "llama");
    /// assert_eq!(show.system, "Be brief.");
    /// println!("{}", show.to_json());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) where the model is missing, or has no weights;
    /// [`InvalidName`](ErrorKind::InvalidName) for a malformed name;
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for options that are a slip;
    /// [`FileNotFound`](ErrorKind::FileNotFound) where a blob that the result needs is missing;
    /// [`Corrupt`](ErrorKind::Corrupt), [`InvalidGguf`](ErrorKind::InvalidGguf) and
    /// [`InvalidTemplate`](ErrorKind::InvalidTemplate) for what does not decode.
    pub fn show(
        &self,
        name: impl TryInto<Reference, Error: Into<Error>>,
        options: &ShowOptions,
    ) -> Result<Show> {
        let reference = convert::name(name)?;
        self.holder(&reference)?.show_named(&reference, options)
    }

    fn show_named(&self, reference: &Reference, options: &ShowOptions) -> Result<Show> {
        let (name, must_be_local) = self.must_find(reference)?;
        let model = self.open_model(name)?;
        let is_absent = |kind| matches!(kind, ErrorKind::NotFound | ErrorKind::FileNotFound);
        let shown = model.config().and_then(|config| {
            if config.is_remote() && must_be_local {
                return Ok(None);
            }
            model.show(options).map(Some)
        });
        match shown {
            Ok(Some(show)) => Ok(show),
            Ok(None) => Err(missing(&reference.text().trim())),
            // The model is stored, and something under it is not.
            Err(error) if is_absent(error.kind()) => {
                let text = format!("showing model '{}'", model.name());
                Err(Error::caused(error.kind(), text, error))
            }
            Err(error) => Err(error),
        }
    }
}

impl Model {
    /// Returns everything about this model, as [`Store::show`] returns it.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ShowOptions;
    ///
    /// let show = store.model("tiny")?.show(&ShowOptions::new())?;
    /// assert_eq!(show.parameter_values.get("seed"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Store::show`].
    pub fn show(&self, options: &ShowOptions) -> Result<Show> {
        answer::of(self, options)
    }
}
