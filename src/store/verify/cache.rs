//! What earlier runs found good: the record that lets a later one hash only what changed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::fs::durability::Durability;
use crate::fs::layout::Layout;
use crate::fs::lock::StoreLock;
use crate::fs::staged::{Place, Staged};
use crate::fs::stamp::FileStamp;
use crate::fs::{owner, read};
use crate::go::json;
use crate::name::Digest;

/// The form of the record; another one is none of ours.
const VERSION: u32 = 1;

/// The blobs that were good, as they were then.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyCache {
    version: u32,
    blobs: BTreeMap<Digest, FileStamp>,
}

impl VerifyCache {
    /// Returns what the store's record says; nothing where there is none that can be believed.
    pub(super) fn load(layout: &Layout) -> Self {
        let read = read::read_private(&layout.verified());
        let cache = read.and_then(|text| serde_json::from_slice::<VerifyCache>(&text).ok());
        cache
            .filter(|cache| cache.version == VERSION)
            .unwrap_or(VerifyCache {
                version: VERSION,
                blobs: BTreeMap::new(),
            })
    }

    #[cfg(test)]
    pub(super) fn of(blobs: impl Iterator<Item = (Digest, FileStamp)>) -> Self {
        VerifyCache {
            version: VERSION,
            blobs: blobs.collect(),
        }
    }

    /// Returns whether a blob that looks like `stamp` was good.
    pub(super) fn holds(&self, digest: &Digest, stamp: &FileStamp) -> bool {
        stamp.is_complete() && self.blobs.get(digest) == Some(stamp)
    }
}

/// How long a run waits to note what it learned: the note saves a later run time, and is not
/// worth more of this one's.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a run learned.
#[derive(Debug, Default)]
pub(super) struct CacheUpdate {
    /// The blobs that were hashed and found good, as they were before their first byte was read.
    pub good: Vec<(Digest, FileStamp)>,
    /// The blobs that are not good, whatever an earlier run says.
    pub bad: Vec<Digest>,
}

impl CacheUpdate {
    /// Returns the store's record with what was learned; `None` where that is nothing new.
    fn applied(&self, layout: &Layout) -> Option<VerifyCache> {
        let before = VerifyCache::load(layout);
        let mut blobs = before.blobs.clone();
        let good = self.good.iter().filter(|(_, stamp)| stamp.is_complete());
        blobs.extend(good.copied());
        for digest in &self.bad {
            blobs.remove(digest);
        }
        blobs.retain(|digest, stamp| FileStamp::at(&layout.blob(digest)) == Some(*stamp));
        (blobs != before.blobs).then_some(VerifyCache { blobs, ..before })
    }

    /// Brings the store's record up to date: also what other runs wrote in the meantime stays.
    /// Forgets what is gone or changed. Writes nothing where nothing is new. Waits for a change
    /// that is under way, but not for long.
    ///
    /// # Errors
    /// Where the record cannot be written, which holds what it held; also with nothing new, where the
    /// system lets no record be believed.
    pub(super) fn write(&self, layout: &Layout, durability: Durability) -> Result<()> {
        let at = |e| Error::io("writing", &layout.verified(), e);
        owner::must_be_known(layout.root()).map_err(at)?;
        if self.applied(layout).is_none() {
            return Ok(());
        }
        let _lock = StoreLock::acquire_within(layout, PATIENCE, || Ok(()))?;
        // Another run may have written since.
        let Some(cache) = self.applied(layout) else {
            return Ok(());
        };
        let text = json::to_string(&cache);
        let mut staged = Staged::new(layout, Place::Private, durability)?;
        staged.write(text.as_bytes())?;
        // What others may write is not believed, whatever the umask lets them.
        owner::keep_private(staged.file()).map_err(|e| Error::io("writing", staged.path(), e))?;
        staged.commit(&layout.verified(), &[])
    }
}
