//! A collection that is being carried out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fs::layout::{BlobFile, Room};
use crate::fs::private::{Expected, Leftover};
use crate::fs::staged;
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::Stat;
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::live::LiveBlobs;
use crate::store::outgoing::{self, Outgoing};
use crate::store::problem::Problem;

use super::Collected;

/// What went, and the first thing that did not.
pub(super) struct Removal<'s> {
    store: &'s Store,
    pub(super) collected: Collected,
    pub(super) failed: Option<Error>,
}

impl<'s> Removal<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Removal {
            store,
            collected: Collected::default(),
            failed: None,
        }
    }

    /// Returns whether whoever watches wants to stop.
    fn is_stopped(&mut self) -> bool {
        match self.store.advance(0) {
            Ok(()) => false,
            Err(error) => {
                self.failed = Some(error);
                true
            }
        }
    }

    fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
    }

    /// Counts a file as done. A stop takes effect before the next one.
    fn finish(&self, bytes: u64) {
        let _ = self.store.advance(bytes);
        self.store.finish_file();
    }

    /// Moves unused blobs into the trash, and empties it. What has left already goes its way, also
    /// where the rest is not to go.
    pub(super) fn blobs(
        &mut self,
        blobs: &[(BlobFile, Digest, Stat)],
        live: &LiveBlobs,
    ) -> Result<()> {
        let mut outgoing = Outgoing::new(self.store, live);
        for (file, digest, stat) in blobs {
            if self.is_stopped() {
                break;
            }
            let stamp = FileStamp::of(stat);
            let expected = match stat.is_symlink() {
                true => Expected::Any,
                false => Expected::File(&stamp),
            };
            let path = self.store.layout().blob_file(file);
            if let Err(error) = outgoing.put_file(&path, *digest, expected) {
                self.fail(error);
            }
            self.finish(stat.len());
        }
        let emptied = outgoing.empty()?;
        self.collected.blobs = emptied.removed;
        self.collected.bytes = emptied.bytes;
        self.collected.restored = emptied.restored;
        self.collected.kept = emptied.kept.iter().map(Problem::to_string).collect();
        Ok(())
    }

    pub(super) fn others(&mut self, others: Vec<(PathBuf, Stat)>) {
        for (path, stat) in others {
            if self.is_stopped() {
                return;
            }
            if self.remove(&path) {
                self.collected.partials.push(path);
            }
            self.finish(stat.len());
        }
    }

    pub(super) fn leftovers(&mut self, leftovers: Vec<Leftover>) {
        for file in leftovers {
            if self.is_stopped() {
                return;
            }
            // Held while it goes, so that nobody claims it.
            let held =
                (file.room == Room::Staging).then(|| staged::abandoned(&file.path, Duration::ZERO));
            if !matches!(held, Some(None)) && self.remove(&file.path) {
                self.collected.leftovers.push(file.path);
            }
            self.finish(file.stat.len());
        }
    }

    /// Removes a file; `false` where that fails, which stops no other.
    fn remove(&mut self, path: &Path) -> bool {
        match outgoing::remove(path) {
            Ok(bytes) => {
                self.collected.bytes += bytes;
                true
            }
            Err(error) => {
                self.fail(error);
                false
            }
        }
    }
}
