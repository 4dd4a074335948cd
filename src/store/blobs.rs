//! Blobs on their way in: hashed while they are written, and in place only when they are whole.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::staged::{Place, Staged};
use crate::fs::{self, ops, owner, read, space, user};
use crate::go::human::human_size;
use crate::name::Digest;
use crate::store::copy_mode::CopyMode;
use crate::store::handle::Store;

/// A blob that was added.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::Digest;
///
/// let blob = store.add_blob(&mut &b"bytes"[..], None)?;
/// assert_eq!((blob.size, blob.digest), (5, Digest::of(b"bytes")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Blob {
    /// Its name.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A blob that is written and hashed, and not yet in its place.
pub(crate) struct NewBlob {
    staged: Staged,
    pub blob: Blob,
    /// Whether its file is the caller's as well, by a hard link.
    is_shared: bool,
}

impl Store {
    /// Adds a blob from a stream. Writes it beside the store, hashes it on the way, and moves it
    /// into its place when the digest is right; a blob of that name is replaced, so a damaged one
    /// is healed. Others may change the store while the stream is read.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{Digest, ErrorKind};
    ///
    /// let digest = Digest::of(b"bytes");
    /// store.add_blob(&mut &b"bytes"[..], Some(&digest))?;
    /// assert!(store.has_blob(&digest));
    ///
    /// let other = store.add_blob(&mut &b"other"[..], Some(&digest));
    /// assert_eq!(other.map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where the bytes have another digest than `expected`; the
    /// store is then as it was.
    pub fn add_blob(&self, from: &mut dyn Read, expected: Option<&Digest>) -> Result<Blob> {
        self.may_change()?;
        let new = self.stage_stream(from, Path::new("the stream"))?;
        if let Some(expected) = expected.filter(|expected| **expected != new.blob.digest) {
            let text = format!("adding blob {expected}: the bytes are {}", new.blob.digest);
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        let _lock = self.lock()?;
        self.place(new)
    }

    pub(crate) fn stage_bytes(&self, bytes: &[u8]) -> Result<NewBlob> {
        self.stage_stream(&mut &*bytes, Path::new("memory"))
    }

    /// Writes and hashes a file of the caller's.
    pub(crate) fn stage_file(&self, path: &Path, copy_mode: CopyMode) -> Result<NewBlob> {
        let mut file = read::open_regular(path).map_err(|e| Error::io("opening", path, e))?;
        self.expect(file.metadata().map_or(0, |metadata| metadata.len()));
        if copy_mode != CopyMode::Copy {
            match self.stage_link(path, copy_mode) {
                Ok(staged) => {
                    // What was linked is hashed, not what the path may name by now.
                    let blob = hash(&mut staged.file(), staged.path(), |piece| {
                        self.advance(piece.len() as u64)
                    })?;
                    self.finish_file();
                    let is_shared = copy_mode == CopyMode::HardLink;
                    return Ok(NewBlob {
                        staged,
                        blob,
                        is_shared,
                    });
                }
                Err(error) if copy_mode != CopyMode::Auto => return Err(error),
                Err(_) => {}
            }
        }
        self.must_fit(&file, path)?;
        self.stage_stream(&mut file, path)
    }

    /// Hashes a file of the store or of the caller's, and counts its bytes for who watches.
    ///
    /// # Errors
    /// Where it cannot be read, and [`Cancelled`](ErrorKind::Cancelled) where the hashing is to
    /// stop.
    pub(crate) fn hash_watched(&self, path: &Path) -> Result<Digest> {
        let mut file = read::open_regular(path).map_err(|e| Error::io("opening", path, e))?;
        self.expect(file.metadata().map_or(0, |metadata| metadata.len()));
        let blob = hash(&mut file, path, |chunk| self.advance(chunk.len() as u64))?;
        self.finish_file();
        Ok(blob.digest)
    }

    /// Fails where there is no room for a copy of a file, before its first byte is written.
    fn must_fit(&self, file: &File, path: &Path) -> Result<()> {
        let at = |e| Error::io("looking at", path, e);
        let needed = file.metadata().map_err(at)?.len();
        self.must_have_room(needed, &format!("importing {}", path.display()))
    }

    /// Fails where there is no room for so many bytes of a blob.
    pub(crate) fn must_have_room(&self, needed: u64, doing: &str) -> Result<()> {
        let directory = self.layout().own_for_blobs();
        let free = space::free(&directory).map_err(|e| Error::io("looking at", &directory, e))?;
        match free {
            Some(free) if free < needed => {
                let (needed, free) = (human_size(needed), human_size(free));
                let text = format!("{doing}: needs {needed}, {free} free");
                let cause = io::Error::from_raw_os_error(libc::ENOSPC);
                Err(Error::caused(ErrorKind::Io, text, cause))
            }
            _ => Ok(()),
        }
    }

    fn stage_link(&self, path: &Path, copy_mode: CopyMode) -> Result<Staged> {
        let durability = self.options().durability;
        let link = if copy_mode == CopyMode::HardLink {
            ops::hard_link
        } else {
            ops::reflink
        };
        // A symbolic link is followed: what is linked is the file behind it.
        let source = path
            .canonicalize()
            .map_err(|e| Error::io("opening", path, e))?;
        let staged = Staged::linked(self.layout(), durability, |to| link(&source, to))?;
        if copy_mode == CopyMode::HardLink {
            self.refuse_foreign(staged.file(), "linking")?;
        } else {
            self.make_ours(&staged)?;
        }
        Ok(staged)
    }

    /// Gives a clone, which has the mode of its source, the mode and the owner of a new file.
    fn make_ours(&self, clone: &Staged) -> Result<()> {
        let at = |e| Error::io("setting the mode of", clone.path(), e);
        let new = Staged::new(self.layout(), Place::Blobs, Durability::None)?;
        let mode = new.file().metadata().map_err(at)?.mode() & 0o7777;
        ops::set_mode(clone.file(), mode).map_err(at)?;
        clone.adopt_owner(&self.layout().blobs_directory())
    }

    /// Refuses a blob that the server's user could not use: every later use of it there would fail.
    pub(crate) fn refuse_foreign(&self, file: &File, doing: &str) -> Result<()> {
        let blobs = self.layout().blobs_directory();
        let at = |e| Error::io("looking at", &blobs, e);
        let Some(owner) = owner::locked_out(file, &blobs).map_err(at)? else {
            return Ok(());
        };
        if self.options().foreign_owner {
            return Ok(());
        }
        let text = format!(
            "{doing}: the blobs belong to {}, whose server could not use ours again; \
             import as that user, or with the option foreign_owner (--allow-foreign-owner)",
            user::describe(owner)
        );
        Err(Error::new(ErrorKind::InvalidArgument, text))
    }

    pub(crate) fn stage_stream(&self, from: &mut dyn Read, source: &Path) -> Result<NewBlob> {
        let mut staged = Staged::new(self.layout(), Place::Blobs, self.options().durability)?;
        let blob = hash(from, source, |piece| {
            self.advance(piece.len() as u64)?;
            staged.write(piece)
        })?;
        self.finish_file();
        Ok(NewBlob {
            staged,
            blob,
            is_shared: false,
        })
    }

    /// Moves a blob into its place. Its time is now, whatever the source's was: a starting server
    /// collects unused blobs that are older than an hour. A file that is the caller's as well keeps
    /// its time: a collection of ours sees when it was linked.
    pub(crate) fn place(&self, new: NewBlob) -> Result<Blob> {
        let at = |e| Error::io("setting the time of", new.staged.path(), e);
        if !new.is_shared {
            ops::touch(new.staged.file()).map_err(at)?;
        }
        let path = self.layout().new_blob(&new.blob.digest);
        new.staged
            .commit(&path, &[self.layout().blobs_directory()])?;
        Ok(new.blob)
    }
}

impl NewBlob {
    /// Returns what was written and hashed elsewhere.
    pub(crate) fn new(staged: Staged, blob: Blob) -> Self {
        let is_shared = false;
        NewBlob {
            staged,
            blob,
            is_shared,
        }
    }

    pub(crate) fn file(&self) -> &File {
        self.staged.file()
    }

    /// Returns where the bytes lie until they are placed.
    pub(crate) fn path(&self) -> &Path {
        self.staged.path()
    }

    /// Returns the bytes, open for reading, whatever becomes of the name.
    pub(crate) fn pin(&self) -> Result<File> {
        File::open(self.path()).map_err(|e| Error::io("opening", self.path(), e))
    }
}

/// Reads to the end, and hands each piece on.
pub(crate) fn hash(
    from: &mut dyn Read,
    source: &Path,
    sink: impl FnMut(&[u8]) -> Result<()>,
) -> Result<Blob> {
    let at = |e| Error::io("reading", source, e);
    let (digest, size) = fs::hash::hash_stream(from, at, sink)?;
    Ok(Blob { digest, size })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_clone_has_the_mode_of_a_new_file_and_not_of_its_source() {
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::open(scratch.path()).unwrap();
        let mode = |file: &File| file.metadata().unwrap().mode() & 0o7777;
        let new = std::fs::File::create(scratch.path().join("new")).unwrap();
        for source in [0o400, 0o755, 0o4777, 0o600] {
            // As a reflink does it, where there is none.
            let clone = |to: &Path| {
                std::fs::write(to, "bytes")?;
                std::fs::set_permissions(to, PermissionsExt::from_mode(source))
            };
            let staged = Staged::linked(store.layout(), Durability::None, clone).unwrap();
            store.make_ours(&staged).unwrap();
            assert_eq!(mode(staged.file()), mode(&new), "{source:o}");
        }
    }
}
