//! Blobs on their way out: moved into the trash first, and removed when nobody came back for them.
//!
//! What is in the trash is in one of two states. During a call that removes, it waits for the
//! second look. After one that was interrupted, it waits for the next call that changes the store,
//! which first of all puts back what is in use.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::Room;
use crate::fs::ops;
use crate::fs::private::{self, Expected, Leftover, Leftovers};
use crate::fs::system::stat::{FileId, Stat};
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::live::LiveBlobs;
use crate::store::problem::Problem;

/// Blobs that are about to be removed.
pub(crate) struct Outgoing<'a> {
    store: &'a Store,
    entries: Vec<Entry>,
    /// The blobs that cannot leave, since another program has them open.
    busy: Vec<Problem>,
}

struct Entry {
    digest: Digest,
    aside: PathBuf,
}

/// What became of the blobs.
#[derive(Debug, Default)]
pub(crate) struct Emptied {
    pub removed: Vec<Digest>,
    pub bytes: u64,
    pub restored: Vec<Digest>,
    /// Why blobs were put back: a manifest became unreadable meanwhile, or another program has one
    /// open.
    pub kept: Vec<Problem>,
}

impl<'a> Outgoing<'a> {
    /// Begins with what an interrupted call left in the trash, and which nobody uses.
    pub(crate) fn new(store: &'a Store, live: &LiveBlobs) -> Self {
        let left = unused_trash(store, live).into_iter();
        let entries = left.map(|(digest, file)| Entry {
            digest,
            aside: file.path,
        });
        Outgoing {
            store,
            entries: entries.collect(),
            busy: Vec::new(),
        }
    }

    /// Moves a blob into the trash, under each of its names.
    ///
    /// # Errors
    /// Where one cannot be moved. What was moved before is known and goes on.
    pub(crate) fn put(&mut self, digest: &Digest) -> Result<()> {
        let layout = self.store.layout();
        for home in [layout.new_blob(digest), layout.old_blob(digest)] {
            self.put_file(&home, *digest, Expected::Any)?;
        }
        Ok(())
    }

    /// As [`put`](Self::put), for one file, if it still is the one that is expected.
    pub(crate) fn put_file(
        &mut self,
        home: &Path,
        digest: Digest,
        expected: Expected<'_>,
    ) -> Result<()> {
        let durability = self.store.options().durability;
        let layout = self.store.layout();
        match private::move_out(layout, home, expected, Room::Trash, durability) {
            Err(e) if e.kind() == ErrorKind::Busy => self.busy.push(Problem::new(home, None, e)),
            moved => self
                .entries
                .extend(moved?.map(|aside| Entry { digest, aside })),
        }
        Ok(())
    }

    /// Waits for servers that were just about to use a blob, looks again who uses what, puts those
    /// back, and only then removes the others for good.
    ///
    /// A server that creates a model checks that a blob is there before it writes the manifest;
    /// the wait is for those that checked just before we moved it.
    ///
    /// # Errors
    /// The first one, after everything was tried: one bad entry stops no other.
    pub(crate) fn empty(self) -> Result<Emptied> {
        let mut emptied = Emptied {
            kept: self.busy,
            ..Emptied::default()
        };
        if self.entries.is_empty() {
            return Ok(emptied);
        }
        ops::wait(self.store.options().delete_delay);
        let live = LiveBlobs::scan(self.store);
        let is_live = |entry: &Entry| match &live {
            Ok(live) => live.contains(&entry.digest) || !live.problems().is_empty(),
            Err(_) => true,
        };
        let (live_entries, unused): (Vec<Entry>, Vec<Entry>) =
            self.entries.into_iter().partition(is_live);
        let mut failed = None;
        for entry in live_entries {
            match bring_back(self.store, &entry.aside) {
                Ok(restored) => emptied.restored.extend(restored),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        for entry in unused {
            match remove(&entry.aside) {
                Ok(bytes) => {
                    emptied.removed.push(entry.digest);
                    emptied.bytes += bytes;
                }
                // It was to be whole or gone: as an unused blob it is for a later collection.
                Err(error) if error.kind() == ErrorKind::Busy => {
                    let home = bring_back(self.store, &entry.aside);
                    failed = failed.or(home.err());
                    emptied.kept.push(Problem::new(&entry.aside, None, error));
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        emptied.removed.sort();
        emptied.removed.dedup();
        emptied.kept.extend(live?.into_problems());
        failed.map_or(Ok(emptied), Err)
    }
}

/// Returns what an interrupted removal left in the trash, and nobody uses.
pub(crate) fn unused_trash(store: &Store, live: &LiveBlobs) -> Vec<(Digest, Leftover)> {
    let left = Leftovers::of(store.layout(), &[Room::Trash]).files;
    let blobs = left.into_iter().filter_map(|file| {
        let (_, digest) = store.layout().home(&file.path)?;
        Some((digest, file))
    });
    blobs.filter(|(digest, _)| !live.contains(digest)).collect()
}

/// What became of the blobs in the trash when a change began.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub restored: Vec<Digest>,
    /// Why blobs that are in use are in the trash still.
    pub stuck: Vec<Problem>,
}

/// Puts back from the trash whatever is in use, or may be, whatever else is wrong with the store.
/// Every change begins with this. Costs a failing directory read where nothing is in the trash.
pub(crate) fn recover(store: &Store) -> Recovered {
    let left = Leftovers::of(store.layout(), &[Room::Trash]).files;
    let mut recovered = Recovered::default();
    if left.is_empty() {
        return recovered;
    }
    let live = LiveBlobs::scan(store);
    for file in left {
        let Some((_, digest)) = store.layout().home(&file.path) else {
            continue;
        };
        let is_unused = live
            .as_ref()
            .is_ok_and(|live| live.problems().is_empty() && !live.contains(&digest));
        if is_unused {
            continue;
        }
        // What cannot go home stays where it is: nothing that is in use is removed from there.
        match bring_back(store, &file.path) {
            Ok(restored) => recovered.restored.extend(restored),
            Err(error) => recovered.stuck.push(Problem::new(&file.path, None, error)),
        }
    }
    recovered
}

/// Returns where a blob is that is missing at home, if an interrupted removal left it in the trash.
pub(crate) fn in_trash(store: &Store, digest: &Digest) -> Option<PathBuf> {
    let left = Leftovers::of(store.layout(), &[Room::Trash]).files;
    let is_it = |path: &PathBuf| {
        let home = store.layout().home(path);
        home.is_some_and(|(_, found)| found == *digest)
    };
    left.into_iter().map(|file| file.path).find(is_it)
}

/// Says that a blob is in the trash, and how it comes home.
pub(crate) fn trash_hint(aside: &Path) -> String {
    let path = aside.display();
    format!(
        "in the trash of an interrupted removal, {path}: the next change, such as `modelkeep gc`, \
         puts it back"
    )
}

fn bring_back(store: &Store, aside: &Path) -> Result<Option<Digest>> {
    private::bring_back(store.layout(), aside, store.options().durability)
}

/// Removes a file for good; returns the bytes that became free.
pub(crate) fn remove(path: &Path) -> Result<u64> {
    let bytes = Stat::of_entry(path).map(|stat| freed(&stat));
    match bytes {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(0),
        bytes => {
            let bytes = bytes.map_err(|e| Error::io("removing blob", path, e))?;
            private::remove(path).map(|()| bytes)
        }
    }
}

/// Returns the bytes that become free when one name of a file is removed: its blocks where it is
/// the last one, else none. A link has its own.
pub(crate) fn freed(stat: &Stat) -> u64 {
    match stat.links() {
        0 | 1 => stat.disk_bytes(),
        _ => 0,
    }
}

/// Returns the bytes that become free when all of these names are removed: the blocks of each file
/// of which no other name is left.
pub(crate) fn freed_together<'s>(names: impl Iterator<Item = &'s Stat>) -> u64 {
    let mut left: HashMap<FileId, (u64, u64)> = HashMap::new();
    let mut bytes = 0;
    for stat in names {
        // What cannot be told from others is a file of its own.
        let Some(id) = stat.id() else {
            bytes += freed(stat);
            continue;
        };
        let entry = left
            .entry(id)
            .or_insert((stat.links().max(1), stat.disk_bytes()));
        entry.0 = entry.0.saturating_sub(1);
    }
    let gone = left.values().filter(|(names, _)| *names == 0);
    bytes + gone.map(|(_, bytes)| bytes).sum::<u64>()
}
