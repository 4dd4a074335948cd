//! Collecting what nobody uses.

use std::fs::Metadata;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::{BlobFile, BlobName};
use crate::fs::private::{Expected, Leftover, Leftovers, Room};
use crate::fs::staged;
use crate::fs::stamp::{self, FileStamp};
use crate::go::json;
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::live::LiveBlobs;
use crate::store::outgoing::{self, Outgoing};
use crate::store::problem::Problem;

/// What to collect.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GcOptions {
    grace: Duration,
    dry_run: bool,
    partials: bool,
    strangers: bool,
    quarantine: bool,
    all: bool,
}

impl Default for GcOptions {
    fn default() -> Self {
        GcOptions {
            grace: Duration::from_secs(3600),
            dry_run: false,
            partials: false,
            strangers: false,
            quarantine: false,
            all: false,
        }
    }
}

impl GcOptions {
    /// Returns the options of a collection of what has been unused for an hour.
    pub fn new() -> Self {
        GcOptions::default()
    }

    /// How long a file must not have changed before it counts as forgotten; one hour by default,
    /// as Ollama has it. Both its bytes and its inode count: a file that was copied a minute ago
    /// with its old time is a minute old. Zero collects everything that is unused at this moment,
    /// also what a server is just about to use.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Says what would be collected, and changes nothing.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Whether the leftovers of interrupted downloads go as well.
    #[must_use]
    pub fn partials(mut self, partials: bool) -> Self {
        self.partials = partials;
        self
    }

    /// Whether the damaged blobs that a repair moved into quarantine go as well.
    #[must_use]
    pub fn quarantine(mut self, quarantine: bool) -> Self {
        self.quarantine = quarantine;
        self
    }

    /// Whether all blobs go where the store has no manifest at all. Without it that is an error:
    /// manifests that are missing altogether are more often on a disk that is not there than
    /// deleted.
    #[must_use]
    pub fn all(mut self, all: bool) -> Self {
        self.all = all;
        self
    }

    /// Whether files that are no blob go as well: only [`Store::maintain`] takes them.
    pub(crate) fn strangers(mut self, strangers: bool) -> Self {
        self.strangers = strangers;
        self
    }
}

/// What a collection removed, or would remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Collected {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Blobs that no manifest names.
    pub blobs: Vec<Digest>,
    /// Leftovers of interrupted downloads, and what else was no blob.
    #[serde(serialize_with = "json::paths")]
    pub partials: Vec<PathBuf>,
    /// Files of our own: what interrupted imports staged, and, where it was asked for, what
    /// repairs put into quarantine.
    #[serde(serialize_with = "json::paths")]
    pub leftovers: Vec<PathBuf>,
    /// The bytes on the disk that became free, or would.
    pub bytes: u64,
    /// Unused blobs and leftovers that are still within the grace period.
    pub young: usize,
    /// Blobs that somebody began to use while they were being removed, by this call or by an
    /// interrupted one before it, and which were put back.
    pub restored: Vec<Digest>,
    /// Why every blob was kept, where a manifest became unreadable meanwhile.
    pub kept: Vec<String>,
}

impl Collected {
    /// The answer as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a path that is not UTF-8, which JSON
    /// cannot carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
    }
}

impl Store {
    /// Removes the blobs that no manifest names and that have not changed for the grace period,
    /// and what interrupted runs of ours left in our own directories. Nothing else of anybody's is
    /// touched. First of all it puts back what an interrupted removal left in the trash and is in
    /// use. Reads every manifest twice.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) while a manifest cannot be read, or an entry hides some:
    /// nobody knows what is used. The text names it, and nothing was removed.
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a store with blobs and no manifest at
    /// all, without [`GcOptions::all`].
    pub fn gc(&self, options: &GcOptions) -> Result<Collected> {
        let change = match options.dry_run {
            true => None,
            false => Some(self.lock()?),
        };
        self.must_exist()?;
        self.blobs_place()?;
        let live = LiveBlobs::scan(self)?;
        if let Some(problem) = live.problems().first() {
            let text = format!("collecting nothing while a manifest is unreadable: {problem}");
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        let mut plan = Plan::new(self, options, &live)?;
        if live.has_no_manifest() && plan.has_blobs() && !options.all {
            return Err(no_manifest(self));
        }
        let mut collected = match options.dry_run {
            true => plan.preview(),
            false => plan.carry_out(self, &live)?,
        };
        collected.dry_run = options.dry_run;
        collected.young = plan.young;
        let restored = change.map(|change| change.restored).unwrap_or_default();
        collected.restored.splice(0..0, restored);
        Ok(collected)
    }
}

fn no_manifest(store: &Store) -> Error {
    let text = format!(
        "collecting nothing: {} has blobs and no model at all, so everything would go; \
         is a disk not mounted? To remove all blobs, say so (gc --all)",
        store.path().display()
    );
    Error::new(ErrorKind::InvalidArgument, text)
}

/// What a collection is going to remove.
#[derive(Default)]
struct Plan {
    blobs: Vec<(BlobFile, Digest, Metadata)>,
    others: Vec<(PathBuf, Metadata)>,
    leftovers: Vec<Leftover>,
    /// What lies in the trash since an interrupted removal, and nobody uses.
    trashed: Vec<(Digest, Metadata)>,
    young: usize,
}

impl Plan {
    fn new(store: &Store, options: &GcOptions, live: &LiveBlobs) -> Result<Self> {
        let mut plan = Plan::default();
        plan.add_blobs(store, options, live)?;
        plan.add_leftovers(store, options, live);
        Ok(plan)
    }

    fn add_blobs(&mut self, store: &Store, options: &GcOptions, live: &LiveBlobs) -> Result<()> {
        let directory = store.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        for file in store.layout().blobs().map_err(at)? {
            let unused = match file.name {
                BlobName::Digest(digest) => {
                    !live.contains(&digest) && is_home(store, &file, &digest)
                }
                BlobName::Partial => options.partials,
                BlobName::Stranger => options.strangers,
                BlobName::Dropping => false,
            };
            // What vanished since the directory was read concerns nobody any more.
            let Ok(metadata) = file.path.symlink_metadata() else {
                continue;
            };
            if !unused || self.is_young(&metadata, options.grace) {
                continue;
            }
            match file.digest() {
                Some(digest) => self.blobs.push((file, digest, metadata)),
                None => self.others.push((file.path, metadata)),
            }
        }
        Ok(())
    }

    fn add_leftovers(&mut self, store: &Store, options: &GcOptions, live: &LiveBlobs) {
        let layout = store.layout();
        for file in Leftovers::of(layout, &Room::ALL).files {
            match (file.room, layout.home(&file.path)) {
                (Room::Trash, Some((_, digest))) if !live.contains(&digest) => {
                    self.trashed.push((digest, file.metadata));
                }
                (Room::Staging, _) => self.add_staged(file, options.grace),
                (Room::Quarantine, _)
                    if options.quarantine && !self.is_young(&file.metadata, options.grace) =>
                {
                    self.leftovers.push(file);
                }
                _ => {}
            }
        }
        for path in live.staged() {
            if let Ok(metadata) = path.symlink_metadata() {
                let (room, path) = (Room::Staging, path.clone());
                let file = Leftover {
                    room,
                    path,
                    metadata,
                };
                self.add_staged(file, options.grace);
            }
        }
    }

    fn add_staged(&mut self, file: Leftover, grace: Duration) {
        match staged::abandoned(&file.path, grace) {
            Some(_) => self.leftovers.push(file),
            None => self.young += 1,
        }
    }

    /// Whether a file is within the grace period; counts it then. Only a grace of nothing takes a
    /// file from the future.
    fn is_young(&mut self, metadata: &Metadata, grace: Duration) -> bool {
        let is_young = stamp::age(metadata).map_or(!grace.is_zero(), |age| age < grace);
        self.young += usize::from(is_young);
        is_young
    }

    fn has_blobs(&self) -> bool {
        !self.blobs.is_empty() || !self.trashed.is_empty()
    }

    /// Returns what would be removed.
    fn preview(&self) -> Collected {
        let mut digests: Vec<Digest> = self.blobs.iter().map(|(_, digest, _)| *digest).collect();
        digests.extend(self.trashed.iter().map(|(digest, _)| *digest));
        digests.dedup();
        let blobs = self.blobs.iter().map(|(_, _, metadata)| metadata);
        let trashed = self.trashed.iter().map(|(_, metadata)| metadata);
        let others = self.others.iter().map(|(_, metadata)| metadata);
        let leftovers = self.leftovers.iter().map(|file| &file.metadata);
        let all = blobs.chain(trashed).chain(others).chain(leftovers);
        Collected {
            blobs: digests,
            partials: self.others.iter().map(|(path, _)| path.clone()).collect(),
            leftovers: self
                .leftovers
                .iter()
                .map(|file| file.path.clone())
                .collect(),
            bytes: outgoing::freed_together(all),
            ..Collected::default()
        }
    }

    /// Removes what was planned, as far as it still is what it was. One bad entry stops no other.
    fn carry_out(&mut self, store: &Store, live: &LiveBlobs) -> Result<Collected> {
        let mut collected = Collected::default();
        let mut failed = None;
        let mut outgoing = Outgoing::new(store, live);
        for (file, digest, metadata) in &self.blobs {
            if let Err(error) = store.advance(0) {
                // What has left already goes its way.
                failed = Some(error);
                break;
            }
            let stamp = FileStamp::of(metadata);
            let expected = match metadata.is_symlink() {
                true => Expected::Any,
                false => Expected::File(&stamp),
            };
            if let Err(error) = outgoing.put_file(&file.path, *digest, expected) {
                failed = failed.or(Some(error));
            }
        }
        let emptied = outgoing.empty()?;
        collected.blobs = emptied.removed;
        collected.bytes = emptied.bytes;
        collected.restored = emptied.restored;
        collected.kept = emptied.kept.iter().map(Problem::to_string).collect();
        for (path, _) in self.others.drain(..) {
            match outgoing::remove(&path) {
                Ok(bytes) => {
                    collected.bytes += bytes;
                    collected.partials.push(path);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        for file in self.leftovers.drain(..) {
            // Held while it goes, so that nobody claims it.
            let held =
                (file.room == Room::Staging).then(|| staged::abandoned(&file.path, Duration::ZERO));
            if matches!(held, Some(None)) {
                continue;
            }
            match outgoing::remove(&file.path) {
                Ok(bytes) => {
                    collected.bytes += bytes;
                    collected.leftovers.push(file.path);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(collected), Err)
    }
}

/// Whether a blob is read from there. A digest in capitals names another file, which Ollama may
/// use.
fn is_home(store: &Store, file: &BlobFile, digest: &Digest) -> bool {
    let layout = store.layout();
    file.path == layout.new_blob(digest) || file.path == layout.old_blob(digest)
}
