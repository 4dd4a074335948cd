//! The names in directories, which are read again where a directory was changed.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::fs::stamp::FileStamp;
use crate::fs::system::directory::Directory;
use crate::fs::system::stat::Stat;

/// What is remembered of the names in directories. They are believed while the directory has the
/// fingerprint that it had before they were read; of one that had just changed then, nothing is
/// remembered.
pub(crate) struct KnownNames {
    directories: Mutex<HashMap<PathBuf, Arc<Names>>>,
    /// How many bytes may be remembered.
    limit: u64,
}

struct Names {
    stamp: FileStamp,
    /// Those that are UTF-8, in the order of [`folded`], and those that it does not tell apart in
    /// byte order.
    names: Box<[Box<str>]>,
}

impl KnownNames {
    pub(crate) fn new(limit: u64) -> Self {
        KnownNames {
            directories: Mutex::default(),
            limit,
        }
    }

    /// Returns the names in a directory that equal `name` but for the case of ASCII letters, in byte
    /// order.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub(super) fn equal(&self, directory: &Path, name: &str) -> io::Result<Vec<String>> {
        let began = SystemTime::now();
        let stamp = FileStamp::of(&Stat::at(directory)?);
        if let Some(known) = self.known(directory).filter(|known| known.stamp == stamp) {
            return Ok(known.equal(name));
        }
        if self.limit > 0 && stamp.is_complete() && stamp.is_settled(began) {
            let known = Arc::new(Names::read(directory, stamp)?);
            self.keep(directory, &known);
            return Ok(known.equal(name));
        }
        let mut equal = Vec::new();
        each(directory, |found| {
            if found.eq_ignore_ascii_case(name) {
                equal.push(found.to_owned());
            }
        })?;
        equal.sort();
        Ok(equal)
    }

    fn known(&self, directory: &Path) -> Option<Arc<Names>> {
        // A lock that another thread holds while the process forks is held in the child for good.
        self.directories.try_lock().ok()?.get(directory).cloned()
    }

    /// Remembers the names in a directory; forgets all others where they are too many.
    fn keep(&self, directory: &Path, names: &Arc<Names>) {
        let Ok(mut known) = self.directories.try_lock() else {
            return;
        };
        known.remove(directory);
        let others: u64 = known.values().map(|names| names.bytes()).sum();
        if others + names.bytes() > self.limit {
            known.clear();
        }
        if names.bytes() <= self.limit {
            known.insert(directory.to_owned(), names.clone());
        }
    }
}

impl Names {
    fn read(directory: &Path, stamp: FileStamp) -> io::Result<Self> {
        let mut names: Vec<Box<str>> = Vec::new();
        each(directory, |name| names.push(name.into()))?;
        names.sort_unstable_by(|a, b| folded(a).cmp(folded(b)).then_with(|| a.cmp(b)));
        Ok(Names {
            stamp,
            names: names.into_boxed_slice(),
        })
    }

    fn equal(&self, name: &str) -> Vec<String> {
        let first = self
            .names
            .partition_point(|known| folded(known).lt(folded(name)));
        let rest = self.names.get(first..).unwrap_or_default().iter();
        let equal = rest.take_while(|known| known.eq_ignore_ascii_case(name));
        equal.map(|known| known.to_string()).collect()
    }

    fn bytes(&self) -> u64 {
        let text: usize = self.names.iter().map(|name| name.len()).sum();
        (size_of::<(PathBuf, Self)>() + size_of_val(&*self.names) + text) as u64
    }
}

/// What two names have in common that are one where the case of ASCII letters is of no account.
fn folded(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// Hands on every name in a directory that is UTF-8.
fn each(directory: &Path, mut take: impl FnMut(&str)) -> io::Result<()> {
    let take = &mut |name: &std::ffi::OsStr, _| {
        if let Some(name) = name.to_str() {
            take(name);
        }
    };
    Directory::open(directory)?.each(take)
}
