//! What a handle remembers of its last survey.
//!
//! Nothing of it is believed unseen. The names in a directory are those that it had while its
//! fingerprint is what it was, and of a manifest is believed what was read while its file has the
//! fingerprint that it had then; so every answer says what the disk says, and what was touched is read
//! again. What had changed less than a file system's clock is coarse before it was read could change
//! again and look the same: that is not remembered.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::facts::ManifestFacts;
use crate::fs::layout::ModelDirectory;
use crate::fs::stamp::FileStamp;

/// What the last survey of a handle found.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Arc<Remembered>>);

/// The directory of a model, what was seen in it, and how many bytes that takes.
pub(super) type Found = (PathBuf, Arc<KnownDirectory>, u64);

/// What one survey found, by the directories of models.
#[derive(Default)]
pub(super) struct Remembered(HashMap<PathBuf, Arc<KnownDirectory>, foldhash::fast::RandomState>);

/// The manifests of one directory.
pub(super) struct KnownDirectory {
    /// The fingerprint that the directory has while its names are those of the files; `None` where
    /// it holds anything else, or changed too shortly before it was read.
    stamp: Option<FileStamp>,
    /// By name.
    files: Box<[Arc<ManifestFacts>]>,
}

/// What a survey may believe, and what it begins with.
pub(super) struct Session {
    remembered: Arc<Remembered>,
    /// What had changed shortly before may change again and look the same.
    began: SystemTime,
    /// How many bytes may be remembered.
    limit: u64,
}

impl Memory {
    pub(super) fn begin(&self, limit: u64) -> Session {
        // A lock that another thread holds while the process forks is held in the child for good.
        let last = self.0.try_lock().map(|last| last.clone());
        Session {
            remembered: last.unwrap_or_default(),
            began: SystemTime::now(),
            limit,
        }
    }

    /// Takes what a survey found in place of what the last one did, as much as may be remembered.
    pub(super) fn end(&self, session: &Session, found: Vec<Found>) {
        let mut left = session.limit;
        let fitting = found.into_iter().take_while(|(path, _, bytes)| {
            let rest = left.checked_sub(bytes + path.as_os_str().len() as u64);
            left = rest.unwrap_or(0);
            rest.is_some()
        });
        let fitting = fitting.map(|(path, directory, _)| (path, directory));
        let remembered = Arc::new(Remembered(fitting.collect()));
        if let Ok(mut last) = self.0.try_lock() {
            *last = remembered;
        }
    }
}

impl Session {
    /// Returns a session that believes nothing, and of which nothing is remembered.
    pub(super) fn without_memory() -> Self {
        Session {
            remembered: Arc::default(),
            began: SystemTime::now(),
            limit: 0,
        }
    }

    /// Returns a session that believes nothing, and of which as much is remembered.
    pub(super) fn believing_nothing(self) -> Self {
        Session {
            remembered: Arc::default(),
            ..self
        }
    }

    pub(super) fn remembers(&self) -> bool {
        self.limit > 0
    }

    pub(super) fn directory(&self, path: &Path) -> Option<&Arc<KnownDirectory>> {
        self.remembered.0.get(path)
    }

    /// Returns whether every change since would show in a fingerprint.
    pub(super) fn tells(&self, stamp: &FileStamp) -> bool {
        stamp.is_complete() && stamp.is_settled(self.began)
    }
}

impl KnownDirectory {
    pub(super) fn new(
        session: &Session,
        stamp: Option<FileStamp>,
        mut files: Vec<Arc<ManifestFacts>>,
    ) -> Self {
        files.sort_by(|a, b| a.tag().cmp(b.tag()));
        KnownDirectory {
            stamp: stamp.filter(|stamp| session.tells(stamp)),
            files: files.into_boxed_slice(),
        }
    }

    /// Returns the same directory with what its files are now, and whether they are all.
    pub(super) fn with(&self, files: Vec<Arc<ManifestFacts>>, is_whole: bool) -> Self {
        KnownDirectory {
            stamp: self.stamp.filter(|_| is_whole),
            files: files.into_boxed_slice(),
        }
    }

    /// Returns the files of a directory whose names are still those that it had.
    pub(super) fn current(&self, directory: &ModelDirectory) -> Option<&[Arc<ManifestFacts>]> {
        let then = self.stamp?;
        (directory.stamp() == Some(then)).then_some(&*self.files)
    }

    pub(super) fn file(&self, tag: &std::ffi::OsStr) -> Option<&Arc<ManifestFacts>> {
        let at = self.files.binary_search_by(|file| file.tag().cmp(tag));
        self.files.get(at.ok()?)
    }

    /// Returns about how many bytes of memory it takes, its path not counted.
    pub(super) fn bytes(&self) -> u64 {
        let files = self
            .files
            .iter()
            .map(|file| file.bytes() + ARC)
            .sum::<u64>();
        size_of::<(PathBuf, Self)>() as u64 + files
    }
}

/// What is beside a value that is shared.
const ARC: u64 = 4 * size_of::<usize>() as u64;
