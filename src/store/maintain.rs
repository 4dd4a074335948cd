//! What the reference does to a store when it starts, as a call.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::fs::ops;
use crate::store::Store;
use crate::store::gc::{Collected, GcOptions};

/// What maintenance did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintained {
    /// The blobs that had an old name, under their new one.
    pub renamed: Vec<PathBuf>,
    /// What was collected.
    pub collected: Collected,
}

impl Store {
    /// Renames blobs from `sha256:<hex>` to `sha256-<hex>`, and then collects as
    /// [`gc`](Self::gc) does with its default grace. Leftovers of downloads go as well, and so does
    /// every other file in `blobs/` that is no blob.
    ///
    /// The reference does this whenever it starts; here it is done when it is asked for.
    ///
    /// # Errors
    /// As [`gc`](Self::gc). The renaming is done by then, and harms nobody: both names are read.
    pub fn maintain(&self) -> Result<Maintained> {
        let renamed = self.rename_old_blobs()?;
        let collected = self.gc(&GcOptions::default().partials(true).strangers(true))?;
        Ok(Maintained { renamed, collected })
    }

    /// Gives blobs their present names. Where both names exist, the old one goes.
    ///
    /// # Errors
    /// Where a blob cannot be renamed.
    pub fn rename_old_blobs(&self) -> Result<Vec<PathBuf>> {
        let _lock = self.lock()?;
        let directory = self.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        let mut renamed = Vec::new();
        for file in self.layout().blobs().map_err(at)? {
            let Some(digest) = file.digest() else {
                continue;
            };
            let home = self.layout().new_blob(&digest);
            if file.path == self.layout().old_blob(&digest) {
                let at = |e| Error::io("renaming blob", &file.path, e);
                ops::rename(&file.path, &home).map_err(at)?;
                renamed.push(home);
            }
        }
        Ok(renamed)
    }
}
