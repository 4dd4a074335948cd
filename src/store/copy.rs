//! Copying a model: one more name for the same blobs.

use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::ops;
use crate::fs::read::{self, Text};
use crate::fs::staged::{Place, Staged};
use crate::go::json;
use crate::name::{ModelName, convert, missing};
use crate::store::handle::{Change, Store};

/// How to copy.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{CopyOptions, ErrorKind};
///
/// store.copy("tiny", "a")?;
/// let taken = store.copy_with("tiny", "a", &CopyOptions::new().replace(false));
/// assert_eq!(taken.map_err(|error| error.kind()), Err(ErrorKind::AlreadyExists));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CopyOptions {
    replace: bool,
}

impl Default for CopyOptions {
    fn default() -> Self {
        CopyOptions { replace: true }
    }
}

impl CopyOptions {
    /// Returns the options of a copy that replaces a model of the new name, as Ollama's does.
    pub fn new() -> Self {
        CopyOptions::default()
    }

    /// Sets whether a model of the new name is replaced; otherwise it is an error that there is one.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }
}

/// What a copy did.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// assert!(!store.copy("tiny", "a")?.replaced);
/// assert!(store.copy("tiny", "a")?.replaced);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Copied {
    /// The stored spelling of the source.
    pub from: ModelName,
    /// The stored spelling of the destination; that of an existing model which differs only in
    /// case.
    pub to: ModelName,
    /// Whether a model of that name was replaced. Its blobs stay until they are collected.
    pub replaced: bool,
}

impl Copied {
    /// Returns the result as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

/// How often a source that somebody keeps changing is copied anew.
const ATTEMPTS: usize = 16;

impl Store {
    /// Copies the manifest of `from` to `to`; blobs are shared, so this costs one small file.
    ///
    /// The bytes are copied as they are, even those of a manifest that does not decode. The new
    /// manifest appears whole or not at all, and a link in its place is replaced. A copy to itself
    /// changes nothing.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let copied = store.copy("tiny", "tiny-backup")?;
    /// assert_eq!(copied.to.to_string(), "tiny-backup:latest");
    /// assert_eq!(store.list()?.models.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) where the source is missing, or was deleted while it was
    /// being copied; the destination is then as it was before.
    /// [`InvalidName`](ErrorKind::InvalidName) for a malformed name.
    pub fn copy(
        &self,
        from: impl TryInto<ModelName, Error: Into<Error>>,
        to: impl TryInto<ModelName, Error: Into<Error>>,
    ) -> Result<Copied> {
        self.copy_with(from, to, &CopyOptions::new())
    }

    /// As [`copy`](Self::copy), by these options.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::CopyOptions;
    ///
    /// let copied = store.copy_with("tiny", "new", &CopyOptions::new().replace(false))?;
    /// assert!(!copied.replaced);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`copy`](Self::copy), and [`AlreadyExists`](ErrorKind::AlreadyExists) where the name is
    /// taken and was not to be replaced.
    pub fn copy_with(
        &self,
        from: impl TryInto<ModelName, Error: Into<Error>>,
        to: impl TryInto<ModelName, Error: Into<Error>>,
        options: &CopyOptions,
    ) -> Result<Copied> {
        self.copy_manifest(&convert::name(from)?, &convert::name(to)?, options)
    }

    /// Gives a model another name. Its blobs stay where they are: the new name is there before the
    /// old one goes, and a crash in between leaves both.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// store.rename("tiny", "small")?;
    /// let names: Vec<String> = store.list()?.into_iter().map(|it| it.name.to_string()).collect();
    /// assert_eq!(names, ["small:latest"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`copy_with`](Self::copy_with) without replacing, and as [`delete`](Self::delete): the
    /// model has both names then. [`AlreadyExists`](ErrorKind::AlreadyExists) also where the two
    /// names differ in case only, as they mean one model.
    pub fn rename(
        &self,
        from: impl TryInto<ModelName, Error: Into<Error>>,
        to: impl TryInto<ModelName, Error: Into<Error>>,
    ) -> Result<Copied> {
        let (from, to) = (convert::name(from)?, convert::name(to)?);
        if self.is_several() {
            return self.rename_in_one(&from, &to);
        }
        let from = self.stored(&from)?;
        let change = self.lock()?;
        let copied = self.copy_locked(&change, from, &to, &CopyOptions::new().replace(false))?;
        // The copy has just seen that the old name still has what the new one got, and uses all
        // of its blobs: none goes.
        self.remove_name(&copied.from)?;
        Ok(copied)
    }

    fn copy_manifest(
        &self,
        from: &ModelName,
        to: &ModelName,
        options: &CopyOptions,
    ) -> Result<Copied> {
        if self.is_several() {
            return self.copy_among(from, to, options);
        }
        let from = self.stored(from)?;
        let change = self.lock()?;
        self.copy_locked(&change, from, to, options)
    }

    /// Renames a model in the store in which it is, to a name that no store has.
    fn rename_in_one(&self, from: &ModelName, to: &ModelName) -> Result<Copied> {
        let store = self.holder_of(from)?;
        if let Some(taken) = self.holder_of(to)?.locate(to)? {
            let text = format!("renaming model '{from}': model '{taken}' already exists");
            return Err(Error::new(ErrorKind::AlreadyExists, text));
        }
        store.rename(from, to)
    }

    /// Copies a model within its store where that may be written to, else to the first store that
    /// may, blobs and all.
    fn copy_among(
        &self,
        from: &ModelName,
        to: &ModelName,
        options: &CopyOptions,
    ) -> Result<Copied> {
        let holder = self.holder_of(from)?;
        let target = match holder.is_writable() {
            true => holder.clone(),
            false => self.target(),
        };
        let source = holder.stored(from)?;
        self.must_show(&target, to)?;
        match holder.path() == target.path() {
            true => holder.copy_manifest(&source, to, options),
            false => target.take_model(&holder, &source, to, options.replace),
        }
    }

    fn copy_locked(
        &self,
        change: &Change,
        from: ModelName,
        to: &ModelName,
        options: &CopyOptions,
    ) -> Result<Copied> {
        let to = self.spelling(to)?;
        let mut text = self.manifest_text(&from)?;
        let target = self.layout().manifest(&to);
        let copied = Copied {
            replaced: !read::is_gone(&target),
            from: from.clone(),
            to,
        };
        if copied.replaced && !options.replace {
            let text = format!(
                "copying model '{from}': model '{}' already exists",
                copied.to
            );
            return Err(Error::new(ErrorKind::AlreadyExists, text));
        }
        if from == copied.to {
            return Ok(copied);
        }
        self.provisionally(change, |manifests| {
            for _ in 0..ATTEMPTS {
                manifests.write(&copied.to, &text.bytes)?;
                ops::wait(Duration::ZERO);
                // A delete elsewhere takes the name first and looks for users of its blobs then. If
                // the source is still what we copied, that look is yet to come and sees the copy.
                let now = self.manifest_text(&from)?;
                if now.bytes == text.bytes {
                    return Ok(copied);
                }
                text = now;
            }
            let text = format!("copying model '{from}', which somebody keeps changing");
            Err(Error::new(ErrorKind::Busy, text))
        })
    }

    fn manifest_text(&self, name: &ModelName) -> Result<Text> {
        let path = self.layout().manifest(name);
        read::read_text(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => missing(name),
            _ => Error::io("reading manifest", &path, read::dangling(&path, e)),
        })
    }

    /// Puts a manifest in its place, whole. A link on the way that makes the name an alias of
    /// another model is replaced by a directory: the other model stays as it is.
    pub(crate) fn write_manifest(&self, name: &ModelName, bytes: &[u8]) -> Result<()> {
        let durability = self.options().durability;
        let mut staged = Staged::new(self.layout(), Place::Manifests, durability)?;
        staged.write(bytes)?;
        if let Some(alias) = self.alias(name) {
            ops::unlink(&alias.link).map_err(|e| Error::io("removing link", &alias.link, e))?;
        }
        let mut directories = self.layout().manifest_directories(name);
        directories.push(self.layout().manifests_directory());
        staged.commit(&self.layout().manifest(name), &directories)?;
        self.must_keep_name(name)
    }
}
