//! A model of another store, taken into this one.

use std::collections::HashSet;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::read;
use crate::fs::source::Source;
use crate::fs::staged::{Place, Staged};
use crate::name::{Digest, ModelName};
use crate::store::copy::Copied;
use crate::store::copy_mode::CopyMode;
use crate::store::form::ManifestForm;
use crate::store::handle::Store;
use crate::store::model::{Model, read_manifest};

use super::part::Bytes;

impl Store {
    /// Takes a model of another store into this one, its manifest byte for byte: blobs first, each
    /// hashed while it comes in and compared with its digest, and the manifest when all are there.
    /// Blocks are shared where the file system can; a file of two stores there is none, since each
    /// sets the times and the owner of its own. What is stored already is not written again.
    pub(in crate::store) fn take_model(
        &self,
        from: &Store,
        source: &ModelName,
        to: &ModelName,
        replace: bool,
    ) -> Result<Copied> {
        let to = self.spelling(to)?;
        self.may_import(&to, replace)?;
        let new = Staged::new(self.layout(), Place::Blobs, Durability::None)?;
        self.refuse_foreign(new.file(), "copying")?;
        drop(new);
        let path = from.layout().manifest(source);
        let (manifest, text) = read_manifest(&path)?;
        let form = ManifestForm::of(&manifest, &text.bytes);
        if form != ManifestForm::Model {
            let text = format!(
                "copying '{source}' into another store: it is {}",
                form.words()
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let model = Model::new(from, source.clone(), manifest, text.modified);
        let (mut staged, mut known) = (Vec::new(), HashSet::new());
        for layer in model.manifest().entries() {
            if !layer.digest_text().is_empty() && known.insert(layer.digest()?) {
                staged.push(self.take_blob(&model, &layer.digest()?)?);
            }
        }
        let change = self.lock()?;
        let replaced = self.may_import(&to, replace)?;
        let mut pins = Vec::with_capacity(staged.len());
        for bytes in staged {
            pins.push(match bytes {
                Bytes::Staged(new) => self.place_pinned(new)?,
                Bytes::Stored(pinned) => pinned,
            });
        }
        self.write_pinned(&change, &to, &text.bytes, &pins)?;
        Ok(Copied {
            from: source.clone(),
            to,
            replaced,
        })
    }

    fn take_blob(&self, model: &Model, digest: &Digest) -> Result<Bytes> {
        let path = model.store().blob_path(digest);
        let missing = |e| model.blob_error("looking for blob", &path, read::dangling(&path, e));
        path.metadata().map_err(missing)?;
        let mut source = Source::open(&path)?;
        source.sniffed()?;
        let bytes = self.stored_or_staged(&source, CopyMode::Auto)?;
        let found = match &bytes {
            Bytes::Staged(new) => new.blob.digest,
            Bytes::Stored(pinned) => pinned.blob.digest,
        };
        if found == *digest {
            return Ok(bytes);
        }
        let text = format!("copying blob {}: its bytes are {found}", path.display());
        Err(Error::new(ErrorKind::Corrupt, text).at(&path))
    }
}
