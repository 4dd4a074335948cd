//! Importing: a GGUF file, or what a Modelfile says, becomes a model.

mod config;
mod edited;
mod options;
mod part;
mod pinned;
mod plan;
mod staged_model;
#[cfg(test)]
mod tests;
mod transfer;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::source::{Incoming, Source};
use crate::fs::staged::{Place, Staged};
use crate::gguf;
use crate::go::json;
use crate::manifest::NewManifest;
use crate::modelfile::Modelfile;
use crate::name::{Digest, ModelName, convert};
use crate::store::handle::Store;
pub use options::ImportOptions;
use part::{Bytes, Part};
pub(super) use pinned::Pinned;
use plan::ImportPlan;

/// What an import made.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ImportOptions;
///
/// let file = directory.path().join("tiny.gguf");
/// let imported = store.import(&file, "a", &ImportOptions::new())?;
/// assert_eq!(imported.bytes, file.metadata()?.len());
/// assert!(imported.warnings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Imported {
    /// The model's name, in its stored spelling.
    pub name: ModelName,
    /// The digest of the weights: of the first layer.
    pub digest: Digest,
    /// The bytes of the weights.
    pub bytes: u64,
    /// Whether a model of that name was replaced.
    pub replaced: bool,
    /// The parameters that say nothing any more, and are left out.
    pub ignored: Vec<String>,
    /// What is unusual in the files, and may be refused elsewhere.
    pub warnings: Vec<FileWarning>,
}

/// Something unusual in a file that was imported.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ImportOptions;
///
/// let file = directory.path().join("tiny.gguf");
/// let mut bytes = std::fs::read(&file)?;
/// bytes.extend([0; 7]);
/// std::fs::write(&file, bytes)?;
/// let imported = store.import(&file, "a", &ImportOptions::new())?;
/// assert_eq!(imported.warnings[0].warning.code().to_string(), "trailing_bytes");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct FileWarning {
    /// The file, as it was named.
    #[serde(serialize_with = "json::path")]
    pub file: PathBuf,
    /// What is unusual in it.
    #[serde(flatten)]
    pub warning: gguf::Warning,
}

impl fmt::Display for FileWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.warning)
    }
}

impl Imported {
    /// Returns the result as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for a path that is not UTF-8, which JSON cannot
    /// carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
    }
}

impl Store {
    /// Makes a model of a GGUF file. Opens the file once and reads each byte once: the header
    /// strictly, before anything is written, then all of it, hashed while it is copied. Blobs are
    /// staged, hashed, flushed and moved into place, then the
    /// manifest is; what goes wrong before that leaves the store as it was, but for blobs that
    /// nothing uses.
    ///
    /// Any part of a [split](crate::GgufParts) model stands for all of them: they are stored as the one
    /// file that [`GgufParts::merge_file`](crate::GgufParts::merge_file) would write, each byte of
    /// their data read once, which takes the copy mode `Auto` or `Copy`.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{ErrorKind, ImportOptions};
    ///
    /// let file = directory.path().join("tiny.gguf");
    /// let imported = store.import(&file, "tiny:again", &ImportOptions::new())?;
    /// assert_eq!(imported.name.to_string(), "tiny:again");
    ///
    /// let taken = store.import(&file, "tiny:again", &ImportOptions::new());
    /// assert_eq!(taken.map_err(|error| error.kind()), Err(ErrorKind::AlreadyExists));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) where the name is taken and was not to be
    /// replaced, [`InvalidName`](ErrorKind::InvalidName) for a malformed one;
    /// [`InvalidGguf`](ErrorKind::InvalidGguf) for a file that the strict reader refuses, and for
    /// parts that do not belong together; [`FileNotFound`](ErrorKind::FileNotFound) for a missing one;
    /// [`Unsupported`](ErrorKind::Unsupported) for a projector or an adapter without the model that it
    /// belongs to;
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for parameters that are unknown or not of
    /// their type, for unknown roles, and for a store whose blobs belong to another user.
    pub fn import(
        &self,
        file: impl AsRef<Path>,
        name: impl TryInto<ModelName, Error: Into<Error>>,
        options: &ImportOptions,
    ) -> Result<Imported> {
        let name = convert::name(name)?;
        self.make(
            &name,
            ImportPlan::of_file(file.as_ref(), options.checked()?),
        )
    }

    /// Makes a model as a Modelfile says, which is read as Ollama reads it: from GGUF files
    /// or directories of them, whose paths begin where the Modelfile lies, or from a model of this
    /// store, whose blobs are used once more. Options win over what the Modelfile says, and add to
    /// its licenses. Otherwise as [`import`](Self::import); no template is guessed.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ImportOptions;
    ///
    /// let modelfile = directory.path().join("Modelfile");
    /// std::fs::write(&modelfile, "FROM tiny.gguf\nPARAMETER temperature 0.1")?;
    /// store.import_modelfile(&modelfile, "cool", &ImportOptions::new())?;
    /// assert_eq!(store.model("cool")?.parameters()?.text().split_whitespace().last(), Some("0.1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`import`](Self::import); [`InvalidArgument`](ErrorKind::InvalidArgument), with the line,
    /// for a Modelfile that cannot be read so; [`FileNotFound`](ErrorKind::FileNotFound) for a file
    /// and [`NotFound`](ErrorKind::NotFound) for a model that is missing;
    /// [`Unsupported`](ErrorKind::Unsupported) for weights that are no GGUF.
    pub fn import_modelfile(
        &self,
        file: impl AsRef<Path>,
        name: impl TryInto<ModelName, Error: Into<Error>>,
        options: &ImportOptions,
    ) -> Result<Imported> {
        let name = convert::name(name)?;
        let options = options.checked()?;
        self.make_of_modelfile(&Source::open(file.as_ref())?, &name, options)
    }

    fn make_of_modelfile(
        &self,
        source: &Source,
        name: &ModelName,
        options: ImportOptions,
    ) -> Result<Imported> {
        let path = source.path();
        let directory = path.parent().unwrap_or(Path::new(""));
        let plan = Modelfile::lines(&source.text()?)
            .and_then(|commands| ImportPlan::of_modelfile(commands, directory, options));
        let plan = plan.map_err(|error| {
            let text = format!("reading Modelfile {}", path.display());
            Error::caused(error.kind(), text, error)
        })?;
        self.make(name, plan)
    }

    /// Makes a model of a file that is a Modelfile where it is a text that is nothing else, and a
    /// GGUF file otherwise. A web page, say, is neither, and is refused as what it is.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ImportOptions;
    ///
    /// let modelfile = directory.path().join("Modelfile");
    /// std::fs::write(&modelfile, "FROM tiny")?;
    /// for file in [modelfile, directory.path().join("tiny.gguf")] {
    ///     store.import_file(file, "a", &ImportOptions::new().replace(true))?;
    /// }
    /// assert!(store.find("a")?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`import`](Self::import) or [`import_modelfile`](Self::import_modelfile).
    pub fn import_file(
        &self,
        file: impl AsRef<Path>,
        name: impl TryInto<ModelName, Error: Into<Error>>,
        options: &ImportOptions,
    ) -> Result<Imported> {
        let (name, options) = (convert::name(name)?, options.checked()?);
        let mut source = Source::open(file.as_ref())?;
        let format = gguf::sniff(source.sniffed()?);
        if format.is_some_and(|format| format.is_plain_text()) {
            self.make_of_modelfile(&source, &name, options)
        } else {
            self.make(&name, ImportPlan::of_source(source, options))
        }
    }

    fn make(&self, name: &ModelName, plan: ImportPlan) -> Result<Imported> {
        if self.is_several() {
            let target = self.target();
            self.must_show(&target, name)?;
            return target.make(name, plan);
        }
        let name = self.spelling(name)?;
        let replace = plan.with.replace;
        self.may_import(&name, replace)?;
        // Who we are is what a new file says: root writes for the store's owner.
        let new = Staged::new(self.layout(), Place::Blobs, Durability::None)?;
        self.refuse_foreign(new.file(), "importing")?;
        drop(new);
        let ignored = plan.with.ignored.clone();
        let mut staged = self.stage(plan)?;
        let warnings = staged.parts.iter_mut();
        let warnings = warnings.flat_map(|part| std::mem::take(&mut part.warnings));
        let warnings = warnings.collect();
        let change = self.lock()?;
        let replaced = self.may_import(&name, replace)?;
        let weights = staged.parts.first().unwrap_or(&staged.config).blob();
        let layers = staged.parts.iter().map(Part::layer).collect();
        let manifest = NewManifest::new(staged.config.layer(), layers);
        let mut pins = Vec::with_capacity(staged.parts.len());
        for part in staged.parts.into_iter().chain([staged.config]) {
            pins.push(match part.bytes {
                Bytes::Staged(new) => self.place_pinned(new)?,
                Bytes::Stored(pinned) => pinned,
            });
        }
        self.write_pinned(&change, &name, &manifest.to_bytes(), &pins)?;
        Ok(Imported {
            name,
            digest: weights.digest,
            bytes: weights.size,
            replaced,
            ignored,
            warnings,
        })
    }

    /// Returns whether the name is taken.
    fn may_import(&self, name: &ModelName, replace: bool) -> Result<bool> {
        self.may_change()?;
        let taken = self.layout().manifest(name).symlink_metadata().is_ok();
        if taken && !replace {
            let text = format!("model '{name}' already exists");
            return Err(Error::new(ErrorKind::AlreadyExists, text));
        }
        Ok(taken)
    }
}
