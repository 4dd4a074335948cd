//! Collecting what nobody uses.

mod plan;
mod removal;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::stamp;
use crate::fs::system::stat::Stat;
use crate::go::json;
use crate::name::Digest;
use crate::store::handle::{Change, Store};
use crate::store::live::LiveBlobs;
use crate::store::problem::Problem;

use plan::Plan;

/// What to collect.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use std::time::Duration;
///
/// use modelkeep::GcOptions;
///
/// let look = GcOptions::new().grace(Duration::ZERO).dry_run(true);
/// assert!(store.gc(&look)?.dry_run);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GcOptions {
    grace: Duration,
    dry_run: bool,
    partials: bool,
    unknown: bool,
    quarantine: bool,
    all: bool,
    renamed: Vec<PathBuf>,
}

impl Default for GcOptions {
    fn default() -> Self {
        GcOptions {
            grace: Duration::from_secs(3600),
            dry_run: false,
            partials: false,
            unknown: false,
            quarantine: false,
            all: false,
            renamed: Vec::new(),
        }
    }
}

impl GcOptions {
    /// Returns the options of a collection of what has been unused for an hour.
    pub fn new() -> Self {
        GcOptions::default()
    }

    /// Sets how long a file must not have changed before it counts as forgotten; one hour by
    /// default, as Ollama has it. Both its bytes and its inode count: a file that was copied a
    /// minute ago with its old time is a minute old. Zero collects everything that is unused at
    /// this moment, also what a server is just about to use.
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

    /// Sets whether the leftovers of interrupted downloads go as well.
    #[must_use]
    pub fn partials(mut self, partials: bool) -> Self {
        self.partials = partials;
        self
    }

    /// Sets whether the damaged blobs that a repair moved into quarantine go as well.
    #[must_use]
    pub fn quarantine(mut self, quarantine: bool) -> Self {
        self.quarantine = quarantine;
        self
    }

    /// Sets whether all blobs go where the store has no manifest at all. Without it that is an
    /// error: manifests that are missing altogether are more often on a disk that is not there than
    /// deleted.
    #[must_use]
    pub fn all(mut self, all: bool) -> Self {
        self.all = all;
        self
    }

    /// Sets whether files that are no blob go as well: only [`Store::maintain`] takes them.
    pub(crate) fn unknown(mut self, unknown: bool) -> Self {
        self.unknown = unknown;
        self
    }

    /// Sets the blobs that are renamed before what a dry run describes: a rename makes them young.
    pub(crate) fn renamed(mut self, renamed: Vec<PathBuf>) -> Self {
        self.renamed = renamed;
        self
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Returns whether a file is within the grace period. Only a grace of nothing takes a file from
    /// the future.
    fn spares(&self, path: &Path, stat: &Stat) -> bool {
        let is_young = |age| age < self.grace || self.renamed.iter().any(|renamed| renamed == path);
        !self.grace.is_zero() && stamp::age(stat).is_none_or(is_young)
    }
}

/// What a collection removed, or would remove.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::GcOptions;
///
/// store.add_blob(&mut &b"of no model"[..], None)?;
/// let collected = store.gc(&GcOptions::new())?;
/// assert_eq!((collected.bytes, collected.young), (0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
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
    /// Why blobs were kept: a manifest became unreadable meanwhile, or another program has one open;
    /// and why one that is in use could not be put back.
    pub kept: Vec<String>,
}

impl Collected {
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
    /// Removes the blobs that no manifest names and that have not changed for the grace period,
    /// and what interrupted runs of ours left in our own directories. Nothing else of anybody's is
    /// touched. First of all it puts back what an interrupted removal left in the trash and is in
    /// use. Reads every manifest twice.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use std::time::Duration;
    ///
    /// use modelkeep::GcOptions;
    ///
    /// store.add_blob(&mut &b"of no model"[..], None)?;
    /// assert!(store.gc(&GcOptions::new())?.blobs.is_empty(), "it is too young");
    /// let collected = store.gc(&GcOptions::new().grace(Duration::ZERO))?;
    /// assert_eq!(collected.blobs.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) while a manifest cannot be read, or an entry hides some:
    /// nobody knows what is used. The text names it, and nothing was removed.
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a store with blobs and no manifest at
    /// all, without [`GcOptions::all`].
    pub fn gc(&self, options: &GcOptions) -> Result<Collected> {
        self.must_be_one("a collection")?;
        let change = match options.dry_run {
            true => None,
            false => Some(self.lock()?),
        };
        self.blobs_place()?;
        if let Some(problem) = change.iter().flat_map(|it| &it.undecided).next() {
            let text = format!("collecting nothing while an interrupted change is open: {problem}");
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        let live = LiveBlobs::scan(self)?;
        if let Some(problem) = live.problems().first() {
            let text = format!("collecting nothing while a manifest is unreadable: {problem}");
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        let plan = Plan::new(self, options, &live)?;
        if live.has_no_manifest() && plan.has_blobs() && !options.all {
            return Err(no_manifest(self));
        }
        let young = plan.young;
        let mut collected = match options.dry_run {
            true => plan.preview(),
            false => plan.carry_out(self, &live)?,
        };
        collected.dry_run = options.dry_run;
        collected.young = young;
        if let Some(Change { recovered, .. }) = change {
            collected.restored.splice(0..0, recovered.restored);
            let stuck = recovered.stuck.iter().map(Problem::to_string);
            collected.kept.extend(stuck);
        }
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

#[cfg(test)]
mod tests;
