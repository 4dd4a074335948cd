//! What is stored, as it is, for whoever sends it on.

use std::fs::File;

use crate::error::{Error, Result};
use crate::fs::read;
use crate::name::{Digest, ModelName};
use crate::store::handle::Store;
use crate::store::model::read_if_there;

impl Store {
    /// Returns the bytes of a model's manifest, which decodes; `None` where the model is not stored.
    pub(crate) fn manifest_bytes(&self, name: &ModelName) -> Result<Option<Vec<u8>>> {
        let store = self.holder_of(name)?;
        let Some(name) = store.locate(name)? else {
            return Ok(None);
        };
        let found = read_if_there(&store.layout().manifest(&name))?;
        Ok(found.map(|(_, text)| text.bytes))
    }

    /// Opens a blob; with its length in bytes. `None` where it is not there.
    pub(crate) fn open_blob(&self, digest: &Digest) -> Result<Option<(File, u64)>> {
        let mut failed = None;
        for layout in self.layouts() {
            match layout.with_blob(digest, read::open_stated) {
                Ok((file, stat)) => return Ok(Some((file, stat.len()))),
                Err((_, error)) if read::is_absence(&error) => {}
                Err((path, error)) => {
                    failed.get_or_insert_with(|| Error::io("opening blob", &path, error));
                }
            }
        }
        failed.map_or(Ok(None), Err)
    }

    /// Returns the names that differ from this one in their tags alone, itself among them where it is
    /// stored. Reads one directory of each store, and opens no file.
    pub(crate) fn tagged(&self, name: &ModelName) -> Result<Vec<ModelName>> {
        let mut all = Vec::new();
        for store in self.stores() {
            let names = store.layout().tagged(name);
            all.extend(names.map_err(|(path, e)| Error::io("reading directory", &path, e))?);
        }
        Ok(all)
    }
}
