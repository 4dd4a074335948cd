//! What earlier runs found good: the record that lets a later one hash only what changed.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Result;
use crate::fs::layout::Layout;
use crate::fs::read;
use crate::fs::staged::{Durability, Place, Staged};
use crate::json;

/// What tells whether a file was touched, without a look at its bytes. The time of the change of
/// the inode is what nobody can set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The stamp of the file that lies at `path` now.
    fn at(path: &Path) -> Option<Self> {
        path.metadata().ok().as_ref().map(Stamp::of)
    }

    /// Whether a write after `moment` must show in the stamp: the last change is older than a
    /// file system's clock is coarse. One that is in the future tells nothing.
    ///
    /// ext4 and tmpfs of Linux 6.18 lag at most 1.1 ms behind the clock, older kernels 10 ms;
    /// ext3 and HFS+ count seconds, and FAT pairs of them.
    pub(super) fn is_settled(&self, moment: SystemTime) -> bool {
        let (Ok(seconds), Ok(nanoseconds)) =
            (u64::try_from(self.changed.0), u32::try_from(self.changed.1))
        else {
            return false;
        };
        let since =
            Duration::from_secs(seconds).checked_add(Duration::from_nanos(nanoseconds.into()));
        let changed = since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        changed.is_some_and(|changed| {
            moment
                .duration_since(changed)
                .is_ok_and(|age| age > COARSEST_CLOCK)
        })
    }
}

/// How far apart two changes may be and still get the same time.
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

/// The form of the record; another one is none of ours.
const VERSION: u32 = 1;

/// The blobs that were good, as they were then.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    version: u32,
    blobs: BTreeMap<Digest, Stamp>,
}

impl Memory {
    /// What the store's record says; nothing where there is none that can be believed.
    pub(super) fn load(layout: &Layout) -> Self {
        let read = read::read_own(&layout.verified());
        let memory = read.and_then(|text| serde_json::from_slice::<Memory>(&text).ok());
        memory
            .filter(|memory| memory.version == VERSION)
            .unwrap_or(Memory {
                version: VERSION,
                blobs: BTreeMap::new(),
            })
    }

    /// Whether a blob that looks like `stamp` was good.
    pub(super) fn trusts(&self, digest: &Digest, stamp: &Stamp) -> bool {
        self.blobs.get(digest) == Some(stamp)
    }
}

/// What a run learned.
#[derive(Debug, Default)]
pub(super) struct Lesson {
    /// The blobs that were hashed and found good, as they were before their first byte was read.
    pub good: Vec<(Digest, Stamp)>,
    /// The blobs that are not good, whatever an earlier run says.
    pub bad: Vec<Digest>,
}

impl Lesson {
    /// Brings the store's record up to date: also what other runs wrote in the meantime stays.
    /// Forgets what is gone or changed. Writes nothing where nothing is new.
    ///
    /// # Errors
    /// Where the record cannot be written. It holds what it held.
    pub(super) fn write(self, layout: &Layout, durability: Durability) -> Result<()> {
        let before = Memory::load(layout);
        let mut blobs = before.blobs.clone();
        blobs.extend(self.good);
        for digest in &self.bad {
            blobs.remove(digest);
        }
        blobs.retain(|digest, stamp| Stamp::at(&layout.blob(digest)) == Some(*stamp));
        if blobs == before.blobs {
            return Ok(());
        }
        let text = json::to_string(&Memory { blobs, ..before });
        let mut staged = Staged::new(layout, Place::Own, durability)?;
        staged.write(text.as_bytes())?;
        staged.commit(&layout.verified(), &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_long_at_rest_is_settled() {
        let stamp = |changed| Stamp {
            device: 1,
            inode: 2,
            size: 3,
            modified: (0, 0),
            changed,
        };
        let moment = SystemTime::UNIX_EPOCH + Duration::new(1_000, 500);
        let cases = [
            ((0, 0), true),
            ((998, 499), true),
            ((998, 500), false),
            ((1_000, 0), false),
            ((1_001, 0), false),
            ((-1, 0), false),
            ((i64::MAX, 0), false),
            ((998, -1), false),
            ((998, i64::MAX), false),
        ];
        for (changed, expected) in cases {
            assert_eq!(stamp(changed).is_settled(moment), expected, "{changed:?}");
        }
    }
}
