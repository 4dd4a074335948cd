//! Deleting models, and the blobs that only they used.

use std::io;

use serde::{Serialize, Serializer};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::fs::ops;
use crate::fs::staged::{self, Durability};
use crate::json;
use crate::name::ModelName;
use crate::reference::Reference;
use crate::store::model::read_manifest;
use crate::store::refs::References;
use crate::store::trash::Trash;
use crate::store::{Problem, Store};

/// What a delete did.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Deleted {
    /// The models that are gone.
    pub models: Vec<ModelName>,
    /// The references that named no model, or one that could not be deleted, with the reason.
    #[serde(serialize_with = "failures")]
    pub failed: Vec<(Reference, Error)>,
    /// The blobs that went with them.
    pub blobs: Vec<Digest>,
    /// The bytes of those blobs.
    pub bytes: u64,
    /// Blobs that somebody began to use while they were being removed, and which were put back.
    pub restored: Vec<Digest>,
    /// Why every blob was kept: manifests that cannot be read may use any of them.
    pub kept: Vec<Problem>,
}

impl Deleted {
    /// The answer as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

/// `{"name", "error"}` for each.
fn failures<S: Serializer>(
    failed: &[(Reference, Error)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Failure<'a> {
        name: &'a str,
        error: String,
    }
    serializer.collect_seq(failed.iter().map(|(reference, error)| Failure {
        name: reference.text(),
        error: error.to_string(),
    }))
}

impl Store {
    /// Deletes a model and the blobs that no other model uses.
    ///
    /// The manifest goes first, then blobs that no manifest names any more: a crash in between
    /// leaves orphans for a collection, never a model without its blobs. While any manifest of the
    /// store cannot be read, all blobs stay and [`Deleted::kept`] says why. A manifest that does
    /// not decode can be deleted; its blobs are then unknown and left to a collection. Reads every
    /// manifest once or twice, and waits [`settle`](crate::StoreOptions::settle) where a blob goes.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where no such model is stored.
    pub fn delete(&self, reference: &Reference) -> Result<Deleted> {
        let mut deleted = self.delete_all(std::slice::from_ref(reference))?;
        match deleted.failed.pop() {
            Some((_, error)) => Err(error),
            None => Ok(deleted),
        }
    }

    /// Deletes several models at the cost of one. Those that fail are named in the answer and
    /// stop nothing.
    ///
    /// # Errors
    /// Where the store cannot be changed at all, or a blob cannot be removed.
    pub fn delete_all(&self, references: &[Reference]) -> Result<Deleted> {
        let mut deleted = Deleted::default();
        let mut found = Vec::new();
        for reference in references {
            match reference.name().and_then(|name| self.find(name)) {
                Some(name) => found.push((reference, name)),
                None => deleted
                    .failed
                    .push((reference.clone(), reference.not_found())),
            }
        }
        if found.is_empty() {
            return Ok(deleted);
        }
        let _lock = self.lock()?;
        let mut digests = Vec::new();
        for (reference, name) in found {
            match self.remove_manifest(&name) {
                Ok(named) => {
                    digests.extend(named);
                    deleted.models.push(name);
                }
                Err(error) => deleted.failed.push((reference.clone(), error)),
            }
        }
        digests.sort();
        digests.dedup();
        self.remove_unused(&digests, &mut deleted)?;
        Ok(deleted)
    }

    /// Removes a manifest's name and the directories that it leaves empty; answers what it named.
    fn remove_manifest(&self, name: &ModelName) -> Result<Vec<Digest>> {
        let path = self.layout().manifest(name);
        if path.is_dir() {
            let error = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(Error::io("reading manifest", &path, error));
        }
        let digests = match read_manifest(&path) {
            Ok((manifest, _)) => manifest
                .entries()
                .filter_map(|layer| layer.digest().ok())
                .collect(),
            Err(_) => Vec::new(),
        };
        ops::unlink(&path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => crate::reference::missing(name),
            _ => Error::io("removing manifest", &path, e),
        })?;
        let directories = self.layout().manifest_directories(name);
        if let (Durability::Full, Some(directory)) = (self.options().durability, path.parent()) {
            staged::sync_if_there(directory)
                .map_err(|e| Error::io("writing directory", directory, e))?;
        }
        for directory in &directories {
            // Not empty, gone, or a link: all mean that it is not ours to remove.
            if ops::remove_directory(directory).is_err() {
                break;
            }
        }
        Ok(digests)
    }

    fn remove_unused(&self, digests: &[Digest], deleted: &mut Deleted) -> Result<()> {
        if digests.is_empty() {
            return Ok(());
        }
        let references = References::scan(self);
        if !references.unreadable().is_empty() {
            deleted.kept = references.into_unreadable();
            return Ok(());
        }
        let mut trash = Trash::open(self)?;
        trash.adopt()?;
        for digest in digests.iter().filter(|digest| !references.uses(digest)) {
            trash.put(digest)?;
        }
        let emptied = trash.empty()?;
        deleted.blobs = emptied.removed;
        deleted.bytes = emptied.bytes;
        deleted.restored = emptied.restored;
        Ok(())
    }
}
