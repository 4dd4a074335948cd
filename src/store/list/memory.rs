//! What a handle remembers of its last list.
//!
//! A line is used again only while the manifest and every blob that it was made of are the files that
//! they were, by their stamps; so each list says what the disk says, and a file that is touched costs
//! that it is read again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::Summary;
use super::line::Line;
use super::reading::Source;
use crate::fs::stamp::FileStamp;

/// A line, and what it was made of.
pub(super) struct Known {
    pub manifest: FileStamp,
    pub blobs: Vec<Source>,
    pub summary: Summary,
    /// Whether the manifest's file has other names.
    pub has_other_names: bool,
    path: PathBuf,
}

type Remembered = HashMap<PathBuf, Arc<Known>>;

/// The lines of the last list.
#[derive(Default)]
pub(crate) struct LastList(Mutex<Arc<Remembered>>);

/// What was remembered when a list began.
pub(super) struct Memory {
    lines: Arc<Remembered>,
    /// When the list began: what had changed shortly before may change again and look the same.
    began: SystemTime,
    /// How many bytes may be remembered.
    limit: u64,
}

impl LastList {
    pub(super) fn begin(&self, limit: u64) -> Memory {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Memory {
            lines: last.clone(),
            began: SystemTime::now(),
            limit,
        }
    }

    /// Takes the lines of a list in place of those of the last, as many as may be remembered.
    pub(super) fn end(&self, memory: &Memory, lines: &[Line]) {
        let known = || lines.iter().filter_map(|line| line.known.as_ref());
        let is_same = |known: &Arc<Known>| {
            let before = memory.get(&known.path);
            before.is_some_and(|before| Arc::ptr_eq(before, known))
        };
        if known().count() == memory.lines.len() && known().all(is_same) {
            return;
        }
        let mut left = memory.limit;
        let fitting = known().take_while(|known| {
            let rest = left.checked_sub(known.bytes());
            left = rest.unwrap_or(0);
            rest.is_some()
        });
        let lines = fitting.map(|known| (known.path.clone(), known.clone()));
        let lines = Arc::new(lines.collect());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = lines;
    }
}

impl Memory {
    pub(super) fn get(&self, path: &Path) -> Option<&Arc<Known>> {
        self.lines.get(path)
    }

    /// Returns what may be remembered of a line: nothing, where a change of one of its files might
    /// not show.
    pub(super) fn known(
        &self,
        path: &Path,
        manifest: FileStamp,
        blobs: Vec<Source>,
        summary: &Summary,
        has_other_names: bool,
    ) -> Option<Arc<Known>> {
        let tells = |stamp: &FileStamp| stamp.is_complete() && stamp.is_settled(self.began);
        let blobs_tell = blobs
            .iter()
            .all(|(_, stamp)| stamp.as_ref().is_some_and(tells));
        let may_be = self.limit > 0 && tells(&manifest) && blobs_tell;
        may_be.then(|| {
            Arc::new(Known {
                manifest,
                blobs,
                summary: summary.clone(),
                has_other_names,
                path: path.to_owned(),
            })
        })
    }
}

impl Known {
    /// Returns about how many bytes of memory it takes, its place in the map included.
    fn bytes(&self) -> u64 {
        let own = size_of::<Self>() + self.blobs.len() * size_of::<Source>();
        let path = size_of::<(PathBuf, Arc<Self>)>() + 2 * self.path.as_os_str().len();
        (own + path) as u64 + self.summary.text_bytes()
    }
}
