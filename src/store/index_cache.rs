//! The indexes of GGUF files that a handle has read.
//!
//! An index is used again only for a file with the fingerprint that the file had which it was read
//! from; so what a file says is what the disk holds now, and only the pass over its header is saved.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::read;
use crate::fs::stamp::FileStamp;
use crate::gguf::Index;
use crate::sync::lock;

/// The indexes that were used last, as many as may be remembered.
pub(crate) struct IndexCache {
    /// How many bytes of memory they may take.
    limit: u64,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    entries: HashMap<FileStamp, Entry>,
    bytes: u64,
    /// How many looks there were.
    looks: u64,
}

struct Entry {
    index: Arc<Index>,
    bytes: u64,
    /// The number of the last look that found it.
    used: u64,
}

impl IndexCache {
    pub(super) fn new(limit: u64) -> Self {
        let held = Mutex::default();
        IndexCache { limit, held }
    }

    /// Opens a file by options that must be the same in every call, since they decide what is refused.
    ///
    /// # Errors
    /// As [`GgufFile::open`].
    pub(super) fn open(&self, path: &Path, options: &GgufOptions) -> Result<GgufFile> {
        let began = SystemTime::now();
        let opened = read::open_stated(path);
        let (file, stat) = opened.map_err(|e| Error::io("opening", path, e))?;
        let stamp = FileStamp::of(&stat);
        if let Some(index) = self.get(&stamp) {
            return GgufFile::of_index(index, (&file, stat.len()), path, options);
        }
        let gguf = GgufFile::of(&file, path, options)?;
        // What had changed shortly before could change again and look the same.
        if stamp.is_complete() && stamp.is_settled(began) {
            self.keep(stamp, gguf.index());
        }
        Ok(gguf)
    }

    fn get(&self, stamp: &FileStamp) -> Option<Arc<Index>> {
        let mut held = self.held();
        held.looks += 1;
        let used = held.looks;
        let entry = held.entries.get_mut(stamp)?;
        entry.used = used;
        Some(entry.index.clone())
    }

    fn keep(&self, stamp: FileStamp, index: &Arc<Index>) {
        let entry = size_of::<(FileStamp, Entry)>() as u64;
        let bytes = entry.saturating_add(index.memory());
        if bytes > self.limit {
            return;
        }
        let mut held = self.held();
        let entry = Entry {
            index: index.clone(),
            bytes,
            used: held.looks,
        };
        held.bytes += bytes;
        if let Some(before) = held.entries.insert(stamp, entry) {
            held.bytes -= before.bytes;
        }
        while held.bytes > self.limit {
            held.drop_oldest();
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }
}

impl Held {
    fn drop_oldest(&mut self) {
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
        let oldest = oldest.map(|(stamp, _)| *stamp);
        let dropped = oldest.and_then(|stamp| self.entries.remove(&stamp));
        self.bytes -= dropped.map_or(self.bytes, |entry| entry.bytes);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::PathBuf;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::gguf::Writer;

    const LIMIT: u64 = 1 << 20;

    fn bytes(name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new();
        writer.set("general.architecture", "llama");
        writer.set("general.name", name);
        writer.set("tokens", vec![name.to_owned(); 3]);
        writer.write_to(&mut bytes).unwrap();
        bytes
    }

    /// What opening a file through a cache says of it.
    fn told(cache: &IndexCache, path: &Path) -> std::result::Result<String, String> {
        let file = cache.open(path, &GgufOptions::new());
        file.map(|file| file.view().to_json())
            .map_err(|error| error.to_string())
    }

    /// Overwrites a file where it is, and gives it the time that it had.
    fn overwrite(path: &Path, bytes: &[u8]) {
        let mut file = File::options().write(true).open(path).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        file.write_all(bytes).unwrap();
        file.set_modified(modified).unwrap();
    }

    #[test]
    fn a_file_is_what_it_is_now_however_it_was_changed() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        let names = ["kept", "rewritten", "cut", "replaced", "removed", "touched"];
        for name in names {
            fs::write(path(name), bytes("one")).unwrap();
        }
        let cache = IndexCache::new(LIMIT);
        let is_known = |path: PathBuf| cache.get(&FileStamp::at(&path).unwrap()).is_some();
        let young = told(&cache, &path("kept")).unwrap();
        assert!(!is_known(path("kept")), "it may change in the same tick");
        thread::sleep(Duration::from_millis(2_100));
        for name in names {
            assert_eq!(told(&cache, &path(name)).as_ref(), Ok(&young));
            assert!(is_known(path(name)), "{name}");
            assert_eq!(told(&cache, &path(name)).as_ref(), Ok(&young));
        }
        overwrite(&path("rewritten"), &bytes("two"));
        overwrite(&path("cut"), &bytes("one")[..40]);
        fs::write(path("new"), bytes("two")).unwrap();
        fs::rename(path("new"), path("replaced")).unwrap();
        fs::remove_file(path("removed")).unwrap();
        File::open(path("touched"))
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        for name in names {
            let fresh = told(&IndexCache::new(0), &path(name));
            assert_eq!(told(&cache, &path(name)), fresh, "{name}");
        }
        assert!(is_known(path("kept")) && !is_known(path("touched")));
    }

    #[test]
    fn no_more_is_remembered_than_may_be() {
        let file = GgufFile::from_bytes(bytes("x"), &GgufOptions::new()).unwrap();
        let index = file.index();
        let root = tempfile::tempdir().unwrap();
        let stamps: Vec<FileStamp> = (0..100)
            .map(|number| {
                let path = root.path().join(number.to_string());
                File::create(&path).unwrap();
                FileStamp::at(&path).unwrap()
            })
            .collect();
        let each = index.memory() + size_of::<(FileStamp, Entry)>() as u64;
        let cache = IndexCache::new(10 * each);
        for stamp in &stamps {
            cache.keep(*stamp, index);
            // The first is used all the time.
            assert!(cache.get(&stamps[0]).is_some());
        }
        let known = stamps.iter().filter(|stamp| cache.get(stamp).is_some());
        assert_eq!(known.count(), 10);
        assert_eq!(cache.held().bytes, 10 * each);
        let none = IndexCache::new(0);
        none.keep(stamps[0], index);
        assert!(none.get(&stamps[0]).is_none());
    }
}
