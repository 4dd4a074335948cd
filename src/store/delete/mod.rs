//! Deleting models, and the blobs that only they used.

mod plan;

use std::collections::HashSet;
use std::io;
use std::path::Path;

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};
use crate::fs::durability::Durability;
use crate::fs::staged;
use crate::fs::system::stat::Stat;
use crate::fs::{ops, owner};
use crate::go::json;
use crate::name::{Digest, ModelName, Reference, convert};
use crate::store::alias::Alias;
use crate::store::handle::Store;
use crate::store::live::LiveBlobs;
use crate::store::model::read_manifest;
use crate::store::outgoing::Outgoing;
use crate::store::problem::Problem;
use crate::store::several::DeletedFrom;

/// How to delete.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::DeleteOptions;
///
/// let would_be = store.delete_with(["tiny"], &DeleteOptions::new().dry_run(true))?;
/// assert!(would_be.dry_run && would_be.bytes > 0);
/// assert_eq!(store.list()?.models.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DeleteOptions {
    dry_run: bool,
}

impl DeleteOptions {
    /// Returns the options of a delete that deletes.
    pub fn new() -> Self {
        DeleteOptions::default()
    }

    /// Says what would be deleted, and changes nothing.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

/// What a delete did, or would do.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// store.copy("tiny", "a")?;
/// let deleted = store.delete("tiny")?;
/// assert_eq!(deleted.blobs, [], "the copy uses all of them");
/// assert!(!deleted.shared.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Deleted {
    /// Whether nothing was changed, and this is what would be.
    pub dry_run: bool,
    /// The models that are gone.
    pub models: Vec<ModelName>,
    /// The references that named no model, or one that could not be deleted, with the reason.
    #[serde(serialize_with = "failures")]
    pub failed: Vec<(Reference, Error)>,
    /// The blobs that went with them.
    pub blobs: Vec<Digest>,
    /// The bytes on the disk that became free.
    pub bytes: u64,
    /// Blobs that somebody began to use while they were being removed, by this call or by an
    /// interrupted one before it, and which were put back.
    pub restored: Vec<Digest>,
    /// Blobs of the models that other models use: why less became free than the models took.
    pub shared: Vec<SharedBlob>,
    /// Names that were aliases: only the link went, and the model stays.
    pub aliases: Vec<Alias>,
    /// Why blobs were kept: manifests that cannot be read may use any of them, or another program
    /// has one open ([`Busy`](crate::ErrorKind::Busy)), which a later collection removes; and why one
    /// that is in use could not be put back.
    pub kept: Vec<Problem>,
    /// From which store each model is gone, in a view of several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<DeletedFrom>,
}

/// A blob that stays because other models use it.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// store.copy("tiny", "a")?;
/// let deleted = store.delete("tiny")?;
/// let users: Vec<String> = deleted.shared[0].models.iter().map(ToString::to_string).collect();
/// assert_eq!(users, ["a:latest"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct SharedBlob {
    /// The blob.
    pub digest: Digest,
    /// Its bytes on the disk.
    pub bytes: u64,
    /// The models that use it.
    pub models: Vec<ModelName>,
}

impl Deleted {
    /// Adds what was deleted from another store, alone.
    pub(super) fn add(&mut self, other: Deleted) {
        self.dry_run |= other.dry_run;
        self.models.extend(other.models);
        self.failed.extend(other.failed);
        self.blobs.extend(other.blobs);
        self.bytes += other.bytes;
        self.restored.extend(other.restored);
        self.shared.extend(other.shared);
        self.aliases.extend(other.aliases);
        self.kept.extend(other.kept);
    }

    /// Returns the result as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a path that is not UTF-8, which JSON
    /// cannot carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
    }
}

/// What went with a name.
pub(crate) enum Removed {
    /// A manifest, which named these blobs.
    Model(Vec<Digest>),
    /// A link.
    Alias(Alias),
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
    /// Deletes a model and the blobs that no other model uses. Of an alias only the link is
    /// removed, and the model that it leads to stays.
    ///
    /// The manifest goes first, then blobs that no manifest names any more: a crash in between
    /// leaves orphans for a collection, never a model without its blobs. While any manifest of the
    /// store cannot be read, all blobs stay and [`Deleted::kept`] says why. A manifest that does
    /// not decode can be deleted; its blobs are then unknown and left to a collection. Reads every
    /// manifest once or twice, and waits [`delete_delay`](crate::StoreOptions::delete_delay) where
    /// a blob goes.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let deleted = store.delete("tiny")?;
    /// assert!(deleted.bytes > 0 && deleted.kept.is_empty());
    /// assert!(store.list()?.models.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where no such model is stored,
    /// [`InvalidName`](crate::ErrorKind::InvalidName) for a malformed name.
    pub fn delete(&self, name: impl TryInto<Reference, Error: Into<Error>>) -> Result<Deleted> {
        let mut deleted = self.delete_with([convert::name(name)?], &DeleteOptions::new())?;
        match deleted.failed.pop() {
            Some((_, error)) => Err(error),
            None => Ok(deleted),
        }
    }

    /// Deletes several models at the cost of one. Those that fail are named in the answer and
    /// stop nothing.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// store.copy("tiny", "a")?;
    /// let deleted = store.delete_all(["tiny", "a", "b"])?;
    /// assert_eq!((deleted.models.len(), deleted.failed.len()), (2, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where a name is malformed, the store cannot be changed at all, or its `blobs/` leads
    /// nowhere: then nothing was removed. Where a blob cannot be removed: then the models are gone,
    /// and all other blobs were removed or put back.
    pub fn delete_all<N>(&self, names: impl IntoIterator<Item = N>) -> Result<Deleted>
    where
        N: TryInto<Reference, Error: Into<Error>>,
    {
        self.delete_with(names, &DeleteOptions::new())
    }

    /// As [`delete_all`](Self::delete_all), or says what that would do, and changes nothing.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::DeleteOptions;
    ///
    /// store.copy("tiny", "a")?;
    /// let look = DeleteOptions::new().dry_run(true);
    /// assert_eq!(store.delete_with(["tiny"], &look)?.bytes, 0, "the copy uses all of it");
    /// assert!(store.delete_with(["tiny", "a"], &look)?.bytes > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`delete_all`](Self::delete_all); a dry run finds those of reading only.
    pub fn delete_with<N>(
        &self,
        names: impl IntoIterator<Item = N>,
        options: &DeleteOptions,
    ) -> Result<Deleted>
    where
        N: TryInto<Reference, Error: Into<Error>>,
    {
        let references: Result<_> = names.into_iter().map(convert::name).collect();
        if self.is_several() {
            return self.delete_several(references?, options);
        }
        match options.dry_run {
            true => self.plan_delete(references?),
            false => self.delete_references(references?),
        }
    }

    /// Returns which of the references name a model, and notes those that do not.
    fn find_to_delete(
        &self,
        references: Vec<Reference>,
        deleted: &mut Deleted,
    ) -> Result<Vec<(Reference, ModelName)>> {
        let mut found = Vec::new();
        for reference in references {
            match self.to_delete(&reference) {
                Ok(name) => found.push((reference, name)),
                Err(error) => deleted.failed.push((reference, error)),
            }
        }
        if found.is_empty() {
            self.must_exist()?;
        }
        Ok(found)
    }

    fn delete_references(&self, references: Vec<Reference>) -> Result<Deleted> {
        let mut deleted = Deleted::default();
        let found = self.find_to_delete(references, &mut deleted)?;
        if found.is_empty() {
            return Ok(deleted);
        }
        let change = self.lock()?;
        self.blobs_place()?;
        deleted.restored = change.recovered.restored;
        deleted.kept = change.recovered.stuck;
        let is_undecided = !change.undecided.is_empty();
        deleted.kept.extend(change.undecided);
        let mut digests = HashSet::new();
        for (reference, name) in found {
            match self.remove_name(&name) {
                Ok(Removed::Model(named)) => digests.extend(named),
                Ok(Removed::Alias(alias)) => deleted.aliases.push(alias),
                Err(error) => {
                    deleted.failed.push((reference, error));
                    continue;
                }
            }
            deleted.models.push(name);
        }
        if !is_undecided {
            self.remove_unused(&digests, &mut deleted)?;
        }
        Ok(deleted)
    }

    /// Returns the stored name that a reference means to delete: exactly the one that was typed.
    fn to_delete(&self, reference: &Reference) -> Result<ModelName> {
        let Some(name) = reference.name() else {
            return Err(reference.not_found());
        };
        let found = self.locate(name)?;
        found.ok_or_else(|| self.explained(reference.not_found(), name))
    }

    /// Removes an alias's link or a model's manifest.
    pub(crate) fn remove_name(&self, name: &ModelName) -> Result<Removed> {
        let Some(alias) = self.alias(name) else {
            return self.remove_manifest(name).map(Removed::Model);
        };
        ops::unlink(&alias.link).map_err(|e| owner::refused("removing link", &alias.link, e))?;
        self.sync_parent(&alias.link)?;
        Ok(Removed::Alias(alias))
    }

    /// Removes a manifest's name and the directories that it leaves empty; returns what it named.
    fn remove_manifest(&self, name: &ModelName) -> Result<Vec<Digest>> {
        let path = self.layout().manifest(name);
        let digests = digests_of(&path);
        ops::unlink(&path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => crate::name::missing(name),
            _ => owner::refused("removing manifest", &path, e),
        })?;
        self.sync_parent(&path)?;
        for directory in &self.layout().manifest_directories(name) {
            // Not empty, gone, or a link: all mean that it is not ours to remove.
            if ops::remove_directory(directory).is_err() {
                break;
            }
        }
        Ok(digests)
    }

    /// Makes it durable that a name is gone.
    pub(crate) fn sync_parent(&self, path: &Path) -> Result<()> {
        match (self.options().durability, path.parent()) {
            (Durability::Full, Some(directory)) => staged::sync_if_there(directory)
                .map_err(|e| Error::io("writing directory", directory, e)),
            _ => Ok(()),
        }
    }

    fn remove_unused(&self, digests: &HashSet<Digest>, deleted: &mut Deleted) -> Result<()> {
        if digests.is_empty() {
            return Ok(());
        }
        let live = LiveBlobs::scan_for(self, digests)?;
        if !live.problems().is_empty() {
            deleted.kept.extend(live.into_problems());
            return Ok(());
        }
        let mut digests: Vec<&Digest> = digests.iter().collect();
        digests.sort();
        let mut outgoing = Outgoing::new(self, &live);
        let mut failed = None;
        for digest in digests {
            if live.contains(digest) {
                deleted.shared.extend(self.shared_blob(digest, &live));
            } else if let Err(error) = outgoing.put(digest) {
                failed = failed.or(Some(error));
            }
        }
        let emptied = outgoing.empty()?;
        deleted.blobs = emptied.removed;
        deleted.bytes = emptied.bytes;
        deleted.restored.extend(emptied.restored);
        deleted.kept.extend(emptied.kept);
        failed.map_or(Ok(()), Err)
    }

    /// Returns a blob that stays; `None` where it is missing.
    fn shared_blob(&self, digest: &Digest, live: &LiveBlobs) -> Option<SharedBlob> {
        let stat = Stat::at(&self.layout().blob(digest)).ok()?;
        Some(SharedBlob {
            digest: *digest,
            bytes: stat.disk_bytes(),
            models: live.users(digest).to_vec(),
        })
    }
}

/// Returns what a manifest names; nothing where it does not decode.
fn digests_of(path: &Path) -> Vec<Digest> {
    let read = read_manifest(path);
    read.map_or(Vec::new(), |(manifest, _)| manifest.digests())
}
