//! Blobs on their way out: moved aside first, and removed when nobody came back for them.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::fs::{ops, staged};
use crate::store::Store;
use crate::store::refs::References;

/// Where trashed blobs lie under their own names.
pub(crate) struct Trash<'a> {
    store: &'a Store,
    directory: PathBuf,
    entries: Vec<Entry>,
}

struct Entry {
    digest: Digest,
    home: PathBuf,
    aside: PathBuf,
    bytes: u64,
}

/// What became of the blobs.
#[derive(Debug, Default)]
pub(crate) struct Emptied {
    pub removed: Vec<Digest>,
    pub bytes: u64,
    pub restored: Vec<Digest>,
}

impl<'a> Trash<'a> {
    pub(crate) fn open(store: &'a Store) -> Result<Self> {
        let directory = store.layout().trash();
        if let Some(own) = directory.parent() {
            staged::make_own_directory(own)?;
        }
        staged::make_own_directory(&directory)?;
        Ok(Trash {
            store,
            directory,
            entries: Vec::new(),
        })
    }

    /// Moves a blob aside, under each of its names. What is missing, or no file, is passed over.
    pub(crate) fn put(&mut self, digest: &Digest) -> Result<()> {
        let layout = self.store.layout();
        for home in [layout.new_blob(digest), layout.old_blob(digest)] {
            let Ok(metadata) = home.symlink_metadata() else {
                continue;
            };
            if metadata.is_dir() {
                continue;
            }
            let aside = layout.aside(&self.directory, &home);
            match ops::rename(&home, &aside) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                moved => moved.map_err(|e| Error::io("removing blob", &home, e))?,
            }
            self.entries.push(Entry {
                digest: *digest,
                home,
                aside,
                bytes: metadata.len(),
            });
        }
        Ok(())
    }

    /// Takes over what an interrupted run of ours left in the trash.
    pub(crate) fn adopt(&mut self) -> Result<()> {
        let at = |e| Error::io("reading trash", &self.directory, e);
        for (aside, home, digest) in self.store.layout().trashed(&self.directory).map_err(at)? {
            let bytes = aside
                .symlink_metadata()
                .map_or(0, |metadata| metadata.len());
            self.entries.push(Entry {
                digest,
                home,
                aside,
                bytes,
            });
        }
        Ok(())
    }

    /// Waits for servers that were just about to use a blob, looks again who uses what, puts those
    /// back and removes the others for good.
    ///
    /// A server that creates a model checks that a blob is there before it writes the manifest;
    /// the wait is for those that checked just before we moved it.
    pub(crate) fn empty(self) -> Result<Emptied> {
        if self.entries.is_empty() {
            return Ok(Emptied::default());
        }
        thread::sleep(self.store.options().settle);
        let references = References::scan(self.store);
        let mut emptied = Emptied::default();
        for entry in &self.entries {
            if references.uses(&entry.digest) || !references.unreadable().is_empty() {
                restore(entry)?;
                emptied.restored.push(entry.digest);
            } else {
                remove(&entry.aside)?;
                emptied.removed.push(entry.digest);
                emptied.bytes += entry.bytes;
            }
        }
        Ok(emptied)
    }
}

/// Links a blob back; one that somebody wrote there in the meantime stays.
fn restore(entry: &Entry) -> Result<()> {
    match ops::hard_link(&entry.aside, &entry.home) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) if !entry.home.exists() => {
            let _ = e;
            return ops::rename(&entry.aside, &entry.home)
                .map_err(|e| Error::io("putting back blob", &entry.home, e));
        }
        _ => {}
    }
    remove(&entry.aside)
}

fn remove(path: &Path) -> Result<()> {
    match ops::unlink(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("removing blob", path, e)),
        _ => Ok(()),
    }
}
