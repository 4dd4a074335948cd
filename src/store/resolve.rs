//! From what a caller typed to what is stored.

use std::{fs, io};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{ops, read};
use crate::name::{ModelName, Reference, convert, missing};
use crate::store::handle::Store;

impl Store {
    /// Returns the stored spelling of a name: exactly it, or else the one that equals it but for
    /// the case of letters (the first of them in byte order), or else `None`.
    ///
    /// Costs one `stat` where the exact name is stored, and at most a directory read for each part
    /// of the name otherwise, however many models there are.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let stored = store.find("Tiny:Latest")?;
    /// assert_eq!(stored.map(|name| name.to_string()).as_deref(), Some("tiny:latest"));
    /// assert_eq!(store.find("other")?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where the name may be stored and a directory cannot be searched for it;
    /// [`InvalidName`](ErrorKind::InvalidName) for a malformed name.
    pub fn find(
        &self,
        name: impl TryInto<ModelName, Error: Into<Error>>,
    ) -> Result<Option<ModelName>> {
        let name = convert::name(name)?;
        self.holder_of(&name)?.locate(&name)
    }

    /// As [`find`](Self::find).
    pub(crate) fn locate(&self, name: &ModelName) -> Result<Option<ModelName>> {
        self.layout().admits(name)?;
        if self.layout().manifest(name).symlink_metadata().is_ok() {
            let (stored, is_certain) = self.layout().stored_as(name, self.known_names());
            return match stored {
                None if !is_certain => self.barrier(name).map_or(Ok(None), Err),
                stored => Ok(stored),
            };
        }
        let (folded, is_certain) = self.layout().folded(name, self.known_names());
        if let Some(folded) = folded.into_iter().next() {
            return Ok(Some(folded));
        }
        self.must_exist()?;
        if is_certain {
            return Ok(None);
        }
        self.barrier(name).map_or(Ok(None), Err)
    }

    /// Returns why a manifest may be stored although it is not found: a directory on its path is
    /// closed, cannot be read, or is a link that leads nowhere.
    fn barrier(&self, name: &ModelName) -> Option<Error> {
        let mut directories = self.layout().manifest_directories(name);
        directories.push(self.layout().manifests_directory());
        for directory in directories.iter().rev() {
            match fs::read_dir(directory) {
                Ok(_) => {}
                Err(e) if is_absence(&e) && !directory.is_symlink() => return None,
                Err(e) => {
                    let e = read::dangling(directory, e);
                    return Some(Error::io("reading directory", directory, e));
                }
            }
        }
        let path = self.layout().manifest(name);
        let refused = path.symlink_metadata().err().filter(|e| !is_absence(e));
        refused.map(|e| Error::io("looking for manifest", &path, e))
    }

    /// Returns the stored name that a reference means to show: the exact one, or the one without
    /// `:local`.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert_eq!(store.resolve("tiny:local")?.to_string(), "tiny:latest");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), or
    /// [`InvalidName`](crate::ErrorKind::InvalidName) for a text that no model can have.
    pub fn resolve(&self, name: impl TryInto<Reference, Error: Into<Error>>) -> Result<ModelName> {
        let reference = convert::name(name)?;
        let store = self.holder(&reference)?;
        store.look_up(&reference).map(|(name, _)| name)
    }

    /// Returns the stored name, and whether it was found only without `:local`.
    pub(crate) fn look_up(&self, reference: &Reference) -> Result<(ModelName, bool)> {
        for (name, is_local) in [(reference.name(), false), (reference.local(), true)] {
            if let Some(name) = name
                && let Some(found) = self.locate(name)?
            {
                return Ok((found, is_local));
            }
        }
        Err(reference.not_found())
    }

    /// As [`look_up`](Self::look_up), with an error that has suggestions.
    pub(crate) fn must_find(&self, reference: &Reference) -> Result<(ModelName, bool)> {
        self.look_up(reference).map_err(|error| {
            match reference.name().or_else(|| reference.local()) {
                Some(name) => self.explained(error, name),
                None => error,
            }
        })
    }

    /// Returns the stored spelling of a name that must be there. Where it is not, the error has
    /// suggestions, for which the store is walked.
    pub(crate) fn stored(&self, name: &ModelName) -> Result<ModelName> {
        let found = self.locate(name)?;
        found.ok_or_else(|| self.explained(missing(name), name))
    }

    /// Returns an error of absence with what the caller may have overlooked: that the store is
    /// none, that the text is a model's ID, or which stored names are near.
    pub(crate) fn explained(&self, error: Error, name: &ModelName) -> Error {
        if error.kind() != ErrorKind::NotFound {
            return error;
        }
        let no_store = self.emptiness();
        let no_store = no_store.map(|what| format!("{} {what}", self.path().display()));
        let overlooked = no_store.or_else(|| self.owner_of_id(name));
        match overlooked {
            Some(text) => Error::caused(error.kind(), error.context().to_owned(), text),
            None => error.suggest(self.near(name)),
        }
    }

    /// Returns the stored spelling, or the name as it is: where a new manifest goes.
    ///
    /// # Errors
    /// [`InvalidName`](ErrorKind::InvalidName) where the system or the file system has no such
    /// name, or has it for another model.
    pub(crate) fn spelling(&self, name: &ModelName) -> Result<ModelName> {
        self.layout().admits(name)?;
        match self.locate(name) {
            Ok(Some(found)) => Ok(found),
            Ok(None) if self.is_altered(name) => Err(altered(name)),
            _ => Ok(name.clone()),
        }
    }

    /// Returns whether the file system has the manifest of a name under another one. What comes or
    /// goes meanwhile, by another process, is taken for neither.
    fn is_altered(&self, name: &ModelName) -> bool {
        let layout = self.layout();
        let is_there = || layout.manifest(name).symlink_metadata().is_ok();
        layout.may_alter(name)
            && is_there()
            && layout.stored_as(name, self.known_names()) == (None, true)
            && is_there()
    }

    /// Takes back a manifest that was written where none was, and that the file system has given
    /// another name: it would be another model.
    pub(crate) fn must_keep_name(&self, name: &ModelName) -> Result<()> {
        let layout = self.layout();
        if !layout.may_alter(name)
            || layout.stored_as(name, self.known_names()).0.as_ref() == Some(name)
        {
            return Ok(());
        }
        let path = layout.manifest(name);
        if path.symlink_metadata().is_err_and(|e| is_absence(&e)) {
            // Another process has deleted it.
            return Ok(());
        }
        ops::unlink(&path).map_err(|e| Error::io("removing manifest", &path, e))?;
        Err(altered(name))
    }
}

fn altered(name: &ModelName) -> Error {
    let text = format!("model '{name}': the file system would store it under another name");
    Error::new(ErrorKind::InvalidName, text)
}

/// Returns whether nothing can be stored at a path: nothing is there, or the path is none.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}
