//! What Ollama does to a store when it starts, as a call.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::fs::durability::Durability;
use crate::fs::ops;
use crate::fs::stamp::FileStamp;
use crate::go::json;
use crate::name::Digest;
use crate::store::gc::{Collected, GcOptions};
use crate::store::handle::Store;

/// What maintenance did.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// assert_eq!(store.maintain()?, modelkeep::Maintained::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Maintained {
    /// The blobs that had an old name, under their new one.
    #[serde(serialize_with = "json::paths")]
    pub renamed: Vec<PathBuf>,
    /// What was collected.
    pub collected: Collected,
}

impl Maintained {
    /// Returns the result as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

impl Store {
    /// Renames blobs from `sha256:<hex>` to `sha256-<hex>`, and then collects as
    /// [`gc`](Self::gc) does with its default grace. Leftovers of downloads go as well, and so does
    /// every other file in `blobs/` that is no blob.
    ///
    /// Ollama does this whenever it starts; here it is done when it is asked for.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let maintained = store.maintain()?;
    /// assert!(maintained.renamed.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`gc`](Self::gc). The renaming is done by then, and harms nobody: both names are read.
    pub fn maintain(&self) -> Result<Maintained> {
        self.maintain_with(&GcOptions::default())
    }

    /// As [`maintain`](Self::maintain), with the grace of `options`, and its
    /// [`all`](GcOptions::all).
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use std::time::Duration;
    ///
    /// use modelkeep::GcOptions;
    ///
    /// std::fs::write(store.path().join("blobs/sha256-1234-partial"), "")?;
    /// let maintained = store.maintain_with(&GcOptions::new().grace(Duration::ZERO))?;
    /// assert_eq!(maintained.collected.partials.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`maintain`](Self::maintain).
    pub fn maintain_with(&self, options: &GcOptions) -> Result<Maintained> {
        self.blobs_place()?;
        let renamed = self.rename_old_blobs()?;
        let collected = self.gc(&options.clone().partials(true).unknown(true))?;
        Ok(Maintained { renamed, collected })
    }

    /// Gives blobs their present names. Where both names exist, each stays what it is: nobody has
    /// compared them. Two names of one file become one.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let new = store.model("tiny")?.gguf_path()?;
    /// let old = new.to_string_lossy().replace("sha256-", "sha256:");
    /// std::fs::rename(&new, &old)?;
    /// assert_eq!(store.rename_old_blobs()?, [new]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where a blob cannot be renamed. The others were.
    pub fn rename_old_blobs(&self) -> Result<Vec<PathBuf>> {
        let _change = self.lock()?;
        self.blobs_place()?;
        let directory = self.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        let (mut renamed, mut failed) = (Vec::new(), None);
        for file in self.layout().blobs().map_err(at)? {
            let Some(digest) = file.digest() else {
                continue;
            };
            if file.path == self.layout().old_blob(&digest) {
                match self.rename_old_blob(&file.path, &digest) {
                    Ok(new) => renamed.extend(new),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
        failed.map_or(Ok(renamed), Err)
    }

    /// Returns the new path; `None` where another file has it.
    fn rename_old_blob(&self, old: &Path, digest: &Digest) -> Result<Option<PathBuf>> {
        let new = self.layout().new_blob(digest);
        let at = |e| Error::io("renaming blob", old, e);
        match ops::rename_new(old, &new) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let stamps = (FileStamp::at(old), FileStamp::at(&new));
                // Two that cannot be read are equal as well, and prove nothing.
                let is_one = stamps.0.is_some() && stamps.0 == stamps.1 && !old.is_symlink();
                if !is_one || new.is_symlink() {
                    return Ok(None);
                }
                ops::unlink(old).map_err(at)?;
            }
            renamed => renamed.map_err(at)?,
        }
        if self.options().durability == Durability::Full {
            ops::sync_directory(&self.layout().blobs_directory()).map_err(at)?;
        }
        Ok(Some(new))
    }
}
