//! Collecting what nobody uses.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::{BlobFile, BlobName};
use crate::fs::ops;
use crate::fs::staged;
use crate::json;
use crate::store::Store;
use crate::store::refs::References;
use crate::store::trash::Trash;

/// What to collect.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GcOptions {
    grace: Duration,
    dry_run: bool,
    partials: bool,
    strangers: bool,
}

impl Default for GcOptions {
    fn default() -> Self {
        GcOptions {
            grace: Duration::from_secs(3600),
            dry_run: false,
            partials: false,
            strangers: false,
        }
    }
}

impl GcOptions {
    /// How long a file must not have changed before it counts as forgotten; one hour by default,
    /// as the reference has it. Zero collects everything that is unused at this moment, also what
    /// a server is just about to use.
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
    /// The bytes of both.
    pub bytes: u64,
    /// Unused blobs and leftovers that are still too young.
    pub young: usize,
    /// Blobs that somebody began to use while they were being removed, and which were put back.
    pub restored: Vec<Digest>,
}

impl Collected {
    /// The answer as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

impl Store {
    /// Removes the blobs that no manifest names and that have not changed for the grace period,
    /// and what crashed runs of ours left in our own directory. Nothing else of anybody's is
    /// touched. Reads every manifest twice.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) while a manifest cannot be read: nobody knows what it uses.
    /// The text names it, and nothing was removed.
    pub fn gc(&self, options: &GcOptions) -> Result<Collected> {
        let _lock = if options.dry_run {
            None
        } else {
            Some(self.lock()?)
        };
        let references = References::scan(self);
        if let Some(problem) = references.unreadable().first() {
            let text = format!("collecting nothing while a manifest is unreadable: {problem}");
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        let mut collected = Collected {
            dry_run: options.dry_run,
            ..Collected::default()
        };
        let forgotten = self.forgotten(options, &references, &mut collected)?;
        if options.dry_run {
            for (file, bytes) in forgotten {
                collected.bytes += bytes;
                match file.name {
                    BlobName::Digest(digest) => collected.blobs.push(digest),
                    _ => collected.partials.push(file.path),
                }
            }
            return Ok(collected);
        }
        self.collect(forgotten, &mut collected)?;
        self.sweep_own();
        Ok(collected)
    }

    /// The files that a collection takes, with their sizes.
    fn forgotten(
        &self,
        options: &GcOptions,
        references: &References,
        collected: &mut Collected,
    ) -> Result<Vec<(BlobFile, u64)>> {
        let directory = self.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        let mut forgotten = Vec::new();
        for file in self.layout().blobs().map_err(at)? {
            let unused = match &file.name {
                BlobName::Digest(digest) => {
                    !references.uses(digest) && self.is_home(&file.path, digest)
                }
                BlobName::Partial => options.partials,
                BlobName::Stranger => options.strangers,
            };
            // What vanished since we looked is nobody's business any more.
            let Ok(metadata) = file.path.symlink_metadata() else {
                continue;
            };
            if unused && is_older(&metadata, options.grace) {
                forgotten.push((file, metadata.len()));
            } else if unused {
                collected.young += 1;
            }
        }
        Ok(forgotten)
    }

    /// Whether a blob is read from there. A digest in capitals names another file, which the
    /// reference may use.
    fn is_home(&self, path: &Path, digest: &Digest) -> bool {
        let layout = self.layout();
        [layout.new_blob(digest), layout.old_blob(digest)].contains(&path.to_owned())
    }

    fn collect(&self, forgotten: Vec<(BlobFile, u64)>, collected: &mut Collected) -> Result<()> {
        let mut trash = Trash::open(self)?;
        trash.adopt()?;
        for (file, bytes) in forgotten {
            match file.name {
                BlobName::Digest(digest) => trash.put(&digest)?,
                _ => {
                    remove(&file.path)?;
                    collected.bytes += bytes;
                    collected.partials.push(file.path);
                }
            }
        }
        let emptied = trash.empty()?;
        collected.blobs = emptied.removed;
        collected.bytes += emptied.bytes;
        collected.restored = emptied.restored;
        Ok(())
    }

    /// Removes what crashed runs left. Whatever resists is left for the next time.
    fn sweep_own(&self) {
        let directories = self.layout().staging_directories();
        for directory in directories.iter().filter(|path| staged::is_own(path)) {
            for path in self.layout().entries(directory) {
                if staged::is_abandoned(&path) {
                    let _ = ops::unlink(&path);
                }
            }
        }
    }
}

fn is_older(metadata: &Metadata, grace: Duration) -> bool {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    // A time in the future has no age; only a grace of nothing takes such a file.
    modified
        .elapsed()
        .map_or(grace.is_zero(), |age| age >= grace)
}

fn remove(path: &Path) -> Result<()> {
    match ops::unlink(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("removing", path, e)),
        _ => Ok(()),
    }
}
