//! What a collection is going to remove.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Result;
use crate::fs::layout::{BlobFile, BlobName, Room};
use crate::fs::private::{Leftover, Leftovers};
use crate::fs::staged;
use crate::fs::system::stat::Stat;
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::inventory::Item;
use crate::store::live::LiveBlobs;
use crate::store::outgoing;

use super::removal::Removal;
use super::{Collected, GcOptions};

/// What a collection is going to remove.
#[derive(Default)]
pub(super) struct Plan {
    blobs: Vec<(BlobFile, Digest, Stat)>,
    others: Vec<(PathBuf, Stat)>,
    leftovers: Vec<Leftover>,
    /// What lies in the trash since an interrupted removal, and nobody uses.
    trashed: Vec<(Digest, Stat)>,
    pub(super) young: usize,
}

impl Plan {
    pub(super) fn new(store: &Store, options: &GcOptions, live: &LiveBlobs) -> Result<Self> {
        let mut plan = Plan::default();
        plan.add_blobs(store, options, live)?;
        plan.add_leftovers(store, options, live);
        Ok(plan)
    }

    fn add_blobs(&mut self, store: &Store, options: &GcOptions, live: &LiveBlobs) -> Result<()> {
        // A blob that has its old name and its present one is one blob.
        let mut young = HashSet::new();
        for Item { file, stat } in store.inventory()?.items {
            let unused = match file.name {
                BlobName::Digest(digest) => !live.contains(&digest) && file.is_home(),
                BlobName::Partial => options.partials,
                BlobName::Unknown => options.unknown,
                BlobName::Dropping => false,
            };
            if !unused {
                continue;
            }
            let path = store.layout().blob_file(&file);
            match (file.digest(), options.spares(&path, &stat)) {
                (Some(digest), true) => drop(young.insert(digest)),
                (None, true) => self.young += 1,
                (Some(digest), false) => self.blobs.push((file, digest, stat)),
                (None, false) => self.others.push((path, stat)),
            }
        }
        self.young += young.len();
        Ok(())
    }

    fn add_leftovers(&mut self, store: &Store, options: &GcOptions, live: &LiveBlobs) {
        let layout = store.layout();
        for file in Leftovers::of(layout, &Room::ALL).files {
            match (file.room, layout.home(&file.path)) {
                (Room::Trash, Some((_, digest))) if !live.contains(&digest) => {
                    self.trashed.push((digest, file.stat));
                }
                (Room::Staging, _) => self.add_staged(file, options.grace),
                (Room::Quarantine, _) if options.quarantine => {
                    match options.spares(&file.path, &file.stat) {
                        true => self.young += 1,
                        false => self.leftovers.push(file),
                    }
                }
                _ => {}
            }
        }
        for path in live.staged() {
            if let Ok(stat) = Stat::of_entry(path) {
                let (room, path) = (Room::Staging, path.clone());
                let file = Leftover { room, path, stat };
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

    pub(super) fn has_blobs(&self) -> bool {
        !self.blobs.is_empty() || !self.trashed.is_empty()
    }

    /// Returns what would be removed.
    pub(super) fn preview(&self) -> Collected {
        let mut digests: Vec<Digest> = self.blobs.iter().map(|(_, digest, _)| *digest).collect();
        digests.extend(self.trashed.iter().map(|(digest, _)| *digest));
        digests.sort();
        digests.dedup();
        let trashed = self.trashed.iter().map(|(_, stat)| stat);
        Collected {
            blobs: digests,
            partials: self.others.iter().map(|(path, _)| path.clone()).collect(),
            leftovers: self
                .leftovers
                .iter()
                .map(|file| file.path.clone())
                .collect(),
            bytes: outgoing::freed_together(self.files().chain(trashed)),
            ..Collected::default()
        }
    }

    /// Removes what was planned, as far as it still is what it was. One bad entry stops no other.
    pub(super) fn carry_out(self, store: &Store, live: &LiveBlobs) -> Result<Collected> {
        self.files().for_each(|stat| store.expect(stat.len()));
        let mut removal = Removal::new(store);
        removal.blobs(&self.blobs, live)?;
        removal.others(self.others);
        removal.leftovers(self.leftovers);
        removal.failed.map_or(Ok(removal.collected), Err)
    }

    /// Returns the files that are still in their places.
    fn files(&self) -> impl Iterator<Item = &Stat> {
        let blobs = self.blobs.iter().map(|(_, _, stat)| stat);
        let others = self.others.iter().map(|(_, stat)| stat);
        let leftovers = self.leftovers.iter().map(|file| &file.stat);
        blobs.chain(others).chain(leftovers)
    }
}
