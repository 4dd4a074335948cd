//! What Ollama does to a store when it starts, as a call.

use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::fs::durability::Durability;
use crate::fs::layout::BlobFile;
use crate::fs::stamp::FileStamp;
use crate::fs::{ops, read};
use crate::go::json;
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
    /// The blobs that had an old name, or have it where nothing was changed, under their new one.
    #[serde(serialize_with = "json::paths")]
    pub renamed: Vec<PathBuf>,
    /// What was collected.
    pub collected: Collected,
}

impl Maintained {
    /// Returns the result as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a path that is not UTF-8, which JSON
    /// cannot carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
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

    /// As [`maintain`](Self::maintain), with the grace of `options`, its [`all`](GcOptions::all)
    /// and its [`dry_run`](GcOptions::dry_run): what would be renamed and collected is in the
    /// answer then, and nothing is changed.
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
        self.must_be_one("maintenance")?;
        self.blobs_place()?;
        let mut options = options.clone().partials(true).unknown(true);
        let renamed = if options.is_dry_run() {
            let old = self.renamable_blobs()?;
            let names = old.iter().flat_map(|blob| [&blob.old, &blob.new]);
            options = options.renamed(names.cloned().collect());
            old.into_iter().map(|blob| blob.new).collect()
        } else {
            self.rename_old_blobs()?
        };
        let collected = self.gc(&options)?;
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
        let (mut renamed, mut failed) = (Vec::new(), None);
        for blob in self.old_blobs()? {
            match self.rename_old_blob(&blob) {
                Ok(true) => renamed.push(blob.new),
                Ok(false) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(renamed), Err)
    }

    /// Returns the blobs that have an old name.
    fn old_blobs(&self) -> Result<Vec<OldBlob>> {
        let directory = self.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        let files = self.layout().blobs().map_err(at)?.into_iter();
        let old = files.filter(BlobFile::is_old).filter_map(|file| {
            let old = self.layout().blob_file(&file);
            let new = self.layout().new_blob(&file.digest()?);
            Some(OldBlob { old, new })
        });
        Ok(old.collect())
    }

    /// Returns those of them that get their present name, as it looks now.
    fn renamable_blobs(&self) -> Result<Vec<OldBlob>> {
        let mut old = self.old_blobs()?;
        old.retain(|blob| read::is_gone(&blob.new) || blob.is_one_file());
        Ok(old)
    }

    /// Returns whether the blob has its present name now; another file may have it.
    fn rename_old_blob(&self, blob: &OldBlob) -> Result<bool> {
        let OldBlob { old, new } = blob;
        let at = |e| Error::io("renaming blob", old, e);
        match ops::rename_new(old, new) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                if !blob.is_one_file() {
                    return Ok(false);
                }
                ops::unlink(old).map_err(at)?;
            }
            renamed => renamed.map_err(at)?,
        }
        if self.options().durability == Durability::Full {
            ops::sync_directory(&self.layout().blobs_directory()).map_err(at)?;
        }
        Ok(true)
    }
}

/// A blob with an old name, and its present one.
struct OldBlob {
    old: PathBuf,
    new: PathBuf,
}

impl OldBlob {
    /// Returns whether both names are those of one file, and neither is a link.
    fn is_one_file(&self) -> bool {
        let stamps = (FileStamp::at(&self.old), FileStamp::at(&self.new));
        // Two that cannot be read are equal as well, and prove nothing.
        let is_one = stamps.0.is_some() && stamps.0 == stamps.1;
        is_one && !self.old.is_symlink() && !self.new.is_symlink()
    }
}
