//! The models of an archive become visible: all of them, or none.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::read;
use crate::name::Digest;
use crate::store::provisional::Provisional;

use super::intake::{Incoming, Intake};
use super::{ArchivedModel, ImportedArchive};

/// What is in the place of a manifest that is going to be written.
enum Taken {
    Free,
    /// The very same.
    Same,
    Other,
}

impl Intake<'_> {
    /// Fails where another model has the name and is not to be replaced.
    pub(super) fn may_take(&self, model: &Incoming) -> Result<()> {
        match self.taken(model) {
            Taken::Other if !self.options.replace => {
                let text = format!("model '{}' already exists", model.name);
                Err(Error::new(ErrorKind::AlreadyExists, text))
            }
            _ => Ok(()),
        }
    }

    fn taken(&self, model: &Incoming) -> Taken {
        let path = self.store.layout().manifest(&model.name);
        match read::read_text(&path) {
            Ok(text) if text.bytes == model.manifest => Taken::Same,
            Err(_) if read::is_gone(&path) => Taken::Free,
            _ => Taken::Other,
        }
    }

    /// Writes the manifests, when every blob is in its place.
    pub(super) fn commit(
        mut self,
        models: Vec<Incoming>,
        needed: &BTreeSet<Digest>,
    ) -> Result<ImportedArchive> {
        let change = self.store.lock()?;
        for model in &models {
            self.may_take(model)?;
        }
        // A call with an age of nothing, or an import that took longer than the grace period:
        // somebody may have collected what no manifest named yet.
        self.store.put_back(&self.pinned)?;
        self.must_be_there(needed)?;
        let store = self.store;
        store.provisionally(&change, |manifests| self.write(models, needed, manifests))?;
        Ok(self.done)
    }

    fn write(
        &mut self,
        models: Vec<Incoming>,
        needed: &BTreeSet<Digest>,
        manifests: &mut Provisional<'_>,
    ) -> Result<()> {
        for model in models {
            let taken = self.taken(&model);
            let replaced = matches!(taken, Taken::Other);
            if !matches!(taken, Taken::Same) {
                manifests.write(&model.name, &model.manifest)?;
            }
            let name = model.name;
            self.done.models.push(ArchivedModel { name, replaced });
        }
        self.store.keep(&self.pinned)?;
        self.must_be_there(needed)
    }

    fn must_be_there(&self, needed: &BTreeSet<Digest>) -> Result<()> {
        match needed.iter().find(|digest| !self.store.has_blob(digest)) {
            None => Ok(()),
            Some(digest) => {
                let text = format!(
                    "the blob {digest} was removed by another program meanwhile; import again: \
                     what is there is not written again"
                );
                Err(Error::new(ErrorKind::Busy, text))
            }
        }
    }
}
