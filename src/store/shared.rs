//! Which models share tensors: what is the same in files of weights that are not the same.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_compare::{self, SharedSet};
use crate::fs::gguf_file::GgufFile;
use crate::fs::hash::Progress;
use crate::go::json;
use crate::manifest::MediaType;
use crate::name::{Digest, ModelName, Reference};
use crate::store::handle::Store;
use crate::store::model::Model;
use crate::store::problem::Problem;

/// Which tensors the models of a store share, although they are in different files.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::EditOptions;
/// use modelkeep::gguf::Editor;
///
/// let mut editor = Editor::new();
/// editor.set("general.name", "Other");
/// store.edit("tiny", "other", &editor, &EditOptions::new())?;
///
/// let shared = store.shared_tensors(&[])?;
/// assert_eq!((shared.files.len(), shared.sets.len()), (2, 1));
/// assert_eq!(shared.sets[0].tensors.len(), 2);
/// assert_eq!(shared.repeated, shared.sets[0].bytes, "stored twice");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SharedTensors {
    /// The files of weights that were compared, in the order of their models.
    pub files: Vec<WeightsFile>,
    /// The tensors that are the same in several of them, those with the most bytes first.
    pub sets: Vec<SharedSet>,
    /// The bytes of tensors that files name again: all but the first of each. Blocks that the file
    /// system shares, as those of an edited copy may be, count as well.
    pub repeated: u64,
    /// The models whose weights could not be read, where none were named.
    pub problems: Vec<Problem>,
}

/// A file of weights, of one model or of several.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// store.copy("tiny", "b")?;
/// let file = &store.shared_tensors(&[])?.files[0];
/// assert_eq!((file.models.len(), file.tensors), (2, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct WeightsFile {
    /// The digest of the file.
    pub digest: Digest,
    /// The models that use it, by name.
    pub models: Vec<ModelName>,
    /// How many tensors it has.
    pub tensors: usize,
    /// Its bytes.
    pub size: u64,
}

impl SharedTensors {
    /// Returns the result as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

impl Store {
    /// Returns which tensors some models share, or all models where none is named: those of one name,
    /// type and shape whose data are the same, in files that are not the same, such as a model and its
    /// edited copy. Models that use one blob share all of it anyhow, and count as one file.
    ///
    /// What only one file has is not read, and of other tensors only the beginning where that tells
    /// them apart; the rest is hashed on several threads.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// store.copy("tiny", "b")?;
    /// let shared = store.shared_tensors(&["tiny".parse()?, "b".parse()?])?;
    /// assert_eq!((shared.files.len(), shared.repeated), (1, 0), "they use one file");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for a named model that is missing or has no GGUF file; those of
    /// [`GgufFile::open`].
    pub fn shared_tensors(&self, models: &[Reference]) -> Result<SharedTensors> {
        self.shared_tensors_with(models, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`shared_tensors`](Self::shared_tensors), with `observe` told how far it is, 20 times a
    /// second; it may break to stop.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use std::ops::ControlFlow;
    ///
    /// let mut last = modelkeep::Progress::default();
    /// store.shared_tensors_with(&[], &mut |progress| {
    ///     last = *progress;
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(last.bytes, last.total_bytes);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`shared_tensors`](Self::shared_tensors); [`Cancelled`](ErrorKind::Cancelled) where `observe`
    /// broke.
    pub fn shared_tensors_with(
        &self,
        models: &[Reference],
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<SharedTensors> {
        let mut opened = Opened::default();
        for model in models {
            opened.add(&self.model(model.clone())?)?;
        }
        if models.is_empty() {
            self.open_all(&mut opened)?;
        }
        let Opened {
            files,
            weights,
            problems,
            ..
        } = opened;
        let sets = gguf_compare::shared(&weights, observe)?;
        let again = |set: &SharedSet| set.bytes.saturating_mul(set.files.len() as u64 - 1);
        Ok(SharedTensors {
            repeated: sets.iter().map(again).sum(),
            files,
            sets,
            problems,
        })
    }

    fn open_all(&self, opened: &mut Opened) -> Result<()> {
        let names = self.names()?;
        opened.problems = names.problems;
        for name in names.names {
            let holder = self.holder_of(&name)?;
            let added = holder.open_model(name.clone()).and_then(|model| {
                let is_there = model.has_weights();
                if is_there { opened.add(&model) } else { Ok(()) }
            });
            match added {
                // It was deleted meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let path = holder.layout().manifest(&name);
                    opened
                        .problems
                        .push(Problem::new(&path, Some(&name), error));
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }
}

impl Model {
    fn has_weights(&self) -> bool {
        let mut layers = self.manifest().layers().iter();
        layers.any(|layer| layer.media() == MediaType::Model)
    }
}

/// The files of weights, each opened once.
#[derive(Default)]
struct Opened {
    places: BTreeMap<PathBuf, usize>,
    files: Vec<WeightsFile>,
    weights: Vec<GgufFile>,
    problems: Vec<Problem>,
}

impl Opened {
    /// Opens the weights of a model, where no other model had them.
    fn add(&mut self, model: &Model) -> Result<()> {
        let layers = model.manifest().layers().iter();
        let layers: Vec<_> = layers
            .filter(|layer| layer.media() == MediaType::Model)
            .collect();
        if layers.is_empty() {
            let text = format!("model '{}' has no GGUF file", model.name());
            return Err(Error::new(ErrorKind::NotFound, text));
        }
        for layer in layers {
            let path = model.path_of(layer)?;
            let at = match self.places.get(&path) {
                Some(at) => *at,
                None => self.open(model, path, layer.digest()?)?,
            };
            if let Some(file) = self.files.get_mut(at)
                && !file.models.contains(model.name())
            {
                file.models.push(model.name().clone());
            }
        }
        Ok(())
    }

    fn open(&mut self, model: &Model, path: PathBuf, digest: Digest) -> Result<usize> {
        let weights = model.open_gguf(&path)?;
        let at = self.files.len();
        self.files.push(WeightsFile {
            digest,
            models: Vec::new(),
            tensors: weights.view().tensor_count(),
            size: weights.size(),
        });
        self.weights.push(weights);
        self.places.insert(path, at);
        Ok(at)
    }
}
