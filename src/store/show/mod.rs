//! Showing: everything about one model.

mod answer;
mod info;
mod layers;
mod message;
mod safetensors;

pub use answer::{Show, ShownDetails, ShownTensor};
pub use info::{Fact, ModelInfo};
pub use message::Message;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::parameters::Parameters;
use crate::reference::{Reference, missing};
use crate::store::{Model, Store};

/// What show is asked for besides the model.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ShowOptions {
    pub(crate) verbose: bool,
    pub(crate) system: String,
    pub(crate) options: Parameters,
}

impl ShowOptions {
    /// Whether arrays are printed in full, and the tensors of safetensors models are listed.
    #[must_use]
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }

    /// A system prompt to show in place of the model's; an empty one replaces nothing.
    #[must_use]
    pub fn system(mut self, system: impl Into<String>) -> Self {
        self.system = system.into();
        self
    }

    /// Parameters to lay over the model's in the Modelfile.
    #[must_use]
    pub fn options(self, options: Map<String, Value>) -> Self {
        self.parameters(options.into())
    }

    pub(crate) fn parameters(mut self, parameters: Parameters) -> Self {
        self.options = parameters;
        self
    }
}

impl Store {
    /// Everything about one model. Opens its manifest and each blob that is needed once, and maps
    /// the GGUF file; does not depend on how many models there are.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) where the model, or a blob that the answer needs, is
    /// missing; [`Corrupt`](ErrorKind::Corrupt), [`InvalidGguf`](ErrorKind::InvalidGguf) and
    /// [`InvalidTemplate`](ErrorKind::InvalidTemplate) for what does not decode.
    pub fn show(&self, reference: &Reference, options: &ShowOptions) -> Result<Show> {
        let (name, must_be_local) = self.look_up(reference)?;
        let shown = self.open_model(name.clone()).and_then(|model| {
            let is_stub = model.config()?.is_remote();
            let show = || model.show(options).map(Some);
            if is_stub && must_be_local {
                Ok(None)
            } else {
                show()
            }
        });
        match shown {
            Ok(Some(show)) => Ok(show),
            Ok(None) => Err(missing(&reference.text().trim())),
            // The name is there and something under it is not: to a caller the model is missing.
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::caused(
                ErrorKind::NotFound,
                missing(&name).to_string(),
                error,
            )),
            Err(error) => Err(error),
        }
    }
}

impl Model {
    /// Everything about this model, as [`Store::show`] answers it.
    ///
    /// # Errors
    /// As [`Store::show`].
    pub fn show(&self, options: &ShowOptions) -> Result<Show> {
        answer::of(self, options)
    }
}
