//! Blobs that a new manifest names, held so that no delete elsewhere can take their bytes.

use std::fs::File;
use std::io::Seek;
use std::path::Path;

use crate::error::{Error, Result};
use crate::fs::{ops, read};
use crate::name::Digest;
use crate::store::blobs::{self, Blob, NewBlob};
use crate::store::handle::Store;

/// A blob that is in its place, and an open file that keeps its bytes whatever happens to the name.
pub(in crate::store) struct Pinned {
    pub blob: Blob,
    file: File,
    /// Whether it was there before us: only then can somebody else be about to delete it.
    was_there: bool,
}

impl Pinned {
    /// Holds a blob of another model.
    pub(in crate::store) fn open(store: &Store, digest: Digest) -> Result<Self> {
        let path = store.blob_path(&digest);
        let file = read::open_regular(&path).map_err(|e| Error::io("opening blob", &path, e))?;
        let size = file
            .metadata()
            .map_err(|e| Error::io("opening blob", &path, e))?;
        Ok(Pinned {
            blob: Blob {
                digest,
                size: size.len(),
            },
            file,
            was_there: true,
        })
    }
}

impl Store {
    /// Holds the blob that has the bytes of a file, where one is stored and undamaged. Hashes the
    /// file where a blob of its size is there, and that blob where it has the same digest; looks
    /// at each blob's inode otherwise. Writes nothing.
    pub(super) fn stored_copy(&self, path: &Path) -> Result<Option<Pinned>> {
        let mut file = read::open_regular(path).map_err(|e| Error::io("opening", path, e))?;
        let size = file.metadata().map_err(|e| Error::io("opening", path, e))?;
        if !self.has_blob_of_size(size.len()) {
            return Ok(None);
        }
        let wanted = blobs::hash(&mut file, path, |_| Ok(()))?;
        // A blob that cannot be read is written anew, like a damaged one.
        let stored = Pinned::open(self, wanted.digest).ok();
        let is_whole = |pinned: &Pinned| {
            let found = blobs::hash(&mut &pinned.file, path, |_| Ok(()));
            found.is_ok_and(|found| found == wanted)
        };
        Ok(stored.filter(is_whole))
    }

    fn has_blob_of_size(&self, size: u64) -> bool {
        let blobs = self.layout().blobs().unwrap_or_default();
        blobs.iter().any(|blob| {
            let length = || blob.path.metadata().map(|metadata| metadata.len());
            blob.digest().is_some() && length().is_ok_and(|length| length == size)
        })
    }

    pub(in crate::store) fn place_pinned(&self, new: NewBlob) -> Result<Pinned> {
        let was_there = self.has_blob(&new.blob.digest);
        let file = new.pin()?;
        let blob = self.place(new)?;
        Ok(Pinned {
            blob,
            file,
            was_there,
        })
    }

    /// Looks again, after the manifest is there, whether a delete elsewhere has taken a blob that
    /// was there before us, and puts it back from the file that we still hold.
    pub(in crate::store) fn keep(&self, pins: &[Pinned]) -> Result<()> {
        if pins.iter().any(|pinned| pinned.was_there) {
            ops::wait(self.options().delete_delay);
        }
        self.put_back(pins)
    }

    /// Puts back what is held and no longer in its place.
    pub(in crate::store) fn put_back(&self, pins: &[Pinned]) -> Result<()> {
        for pinned in pins {
            if !self.has_blob(&pinned.blob.digest) {
                let mut file = &pinned.file;
                file.rewind()
                    .map_err(|e| Error::io("reading", &self.blob_path(&pinned.blob.digest), e))?;
                self.place(self.stage_stream(&mut file, Path::new("a pinned blob"))?)?;
            }
        }
        Ok(())
    }
}
