//! Blobs on their way in: hashed while they are written, and in place only when they are whole.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::source::{Incoming, Source};
use crate::fs::staged::{Place, Staged};
use crate::fs::system::code;
use crate::fs::system::open;
use crate::fs::{self, ops, owner, read, space, user};
use crate::go::human::human_size;
use crate::name::Digest;
use crate::store::copy_mode::CopyMode;
use crate::store::handle::Store;
use crate::store::watch::FileWork;

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
        if self.is_several() {
            return self.target().add_blob(from, expected);
        }
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
        let work = self.begin_file(bytes.len() as u64);
        self.stage_reader(&mut &*bytes, Path::new("memory"), work)
    }

    /// Writes and hashes a file of the caller's.
    ///
    /// # Errors
    /// Also where somebody changed the file meanwhile.
    pub(crate) fn stage_file(
        &self,
        source: &Source,
        copy_mode: CopyMode,
        mut work: FileWork<'_>,
    ) -> Result<NewBlob> {
        let linked = match copy_mode {
            CopyMode::Copy => None,
            CopyMode::Auto => self.stage_link(source, copy_mode).ok(),
            CopyMode::Reflink | CopyMode::HardLink => Some(self.stage_link(source, copy_mode)?),
        };
        let new = match linked {
            Some(staged) => {
                let blob = hash_linked(&staged, source, &mut work)?;
                work.finish();
                let is_shared = copy_mode == CopyMode::HardLink;
                NewBlob {
                    staged,
                    blob,
                    is_shared,
                }
            }
            None => return self.stage_copy(source, work),
        };
        source.must_be_unchanged(new.blob.size)?;
        Ok(new)
    }

    /// Writes and hashes bytes, each read once.
    ///
    /// # Errors
    /// Also where somebody changed what they are read from meanwhile.
    pub(crate) fn stage_copy(&self, from: &dyn Incoming, work: FileWork<'_>) -> Result<NewBlob> {
        let doing = format!("importing {}", from.path().display());
        self.must_have_room(from.size(), &doing)?;
        let new = self.stage_reader(&mut from.bytes()?, from.path(), work)?;
        from.must_be_unchanged(new.blob.size)?;
        Ok(new)
    }

    /// Hashes a file of the store or of the caller's, and counts its bytes for who watches.
    ///
    /// # Errors
    /// Where it cannot be read, and [`Cancelled`](ErrorKind::Cancelled) where the hashing is to
    /// stop.
    pub(crate) fn hash_watched(&self, path: &Path) -> Result<Digest> {
        let mut file = read::open_regular(path).map_err(|e| Error::io("opening", path, e))?;
        let mut work = self.begin_file(file.metadata().map_or(0, |metadata| metadata.len()));
        let blob = hash(&mut file, path, |chunk| work.advance(chunk.len() as u64))?;
        work.finish();
        Ok(blob.digest)
    }

    /// Fails where there is no room for so many bytes of a blob.
    pub(crate) fn must_have_room(&self, needed: u64, doing: &str) -> Result<()> {
        let directory = self.layout().own_for_blobs();
        let free = space::free(&directory).map_err(|e| Error::io("looking at", &directory, e))?;
        match free {
            Some(free) if free < needed => {
                let (needed, free) = (human_size(needed), human_size(free));
                let text = format!("{doing}: needs {needed}, {free} free");
                Err(Error::caused(ErrorKind::Io, text, code::no_space()))
            }
            _ => Ok(()),
        }
    }

    fn stage_link(&self, source: &Source, copy_mode: CopyMode) -> Result<Staged> {
        let (layout, durability) = (self.layout(), self.options().durability);
        let path = source.path();
        if copy_mode == CopyMode::HardLink {
            // A symbolic link is followed: what is linked is the file behind it.
            let named = path.canonicalize();
            let named = named.map_err(|e| Error::io("opening", path, e))?;
            let staged = Staged::linked(layout, durability, |to| ops::hard_link(&named, to))?;
            self.refuse_foreign(staged.file(), "linking")?;
            return Ok(staged);
        }
        let clone = |to: &Path| ops::reflink(source.file(), path, to);
        let staged = Staged::linked(layout, durability, clone)?;
        self.make_ours(&staged)?;
        Ok(staged)
    }

    /// Gives a clone, which has the mode of its source, the mode and the owner of a new file.
    fn make_ours(&self, clone: &Staged) -> Result<()> {
        let at = |e| Error::io("setting the mode of", clone.path(), e);
        let new = Staged::new(self.layout(), Place::Blobs, Durability::None)?;
        owner::take_mode_of(new.file(), clone.file()).map_err(at)?;
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

    /// Writes and hashes a stream, of whose length nothing is known.
    pub(crate) fn stage_stream(&self, from: &mut dyn Read, source: &Path) -> Result<NewBlob> {
        self.stage_reader(from, source, self.begin_file(0))
    }

    fn stage_reader(
        &self,
        from: &mut dyn Read,
        source: &Path,
        mut work: FileWork<'_>,
    ) -> Result<NewBlob> {
        let mut staged = Staged::new(self.layout(), Place::Blobs, self.options().durability)?;
        let blob = hash(from, source, |piece| {
            work.advance(piece.len() as u64)?;
            staged.write(piece)
        })?;
        work.finish();
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
        let directories = [self.layout().blobs_directory()];
        match new.staged.commit(&path, &directories) {
            Ok(()) => Ok(new.blob),
            Err(error) if error.kind() == ErrorKind::Busy && renew(&path, &new.blob) => {
                Ok(new.blob)
            }
            Err(error) => Err(error),
        }
    }
}

/// Gives a blob that another program has open, so that it cannot be replaced, the time that a new one
/// would have. `false` where its bytes are not those of its name, or nobody knows.
fn renew(path: &Path, blob: &Blob) -> bool {
    let hashed = fs::hash::hash_file(path, |_| {});
    let is_good = hashed.is_ok_and(|hashed| hashed.digest == blob.digest);
    is_good
        && open::to_adjust(path)
            .and_then(|file| ops::touch(&file))
            .is_ok()
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

    /// Returns where the bytes lie until they are placed.
    pub(crate) fn path(&self) -> &Path {
        self.staged.path()
    }

    /// Returns the bytes, open for reading, whatever becomes of the name.
    pub(crate) fn pin(&self) -> Result<File> {
        File::open(self.path()).map_err(|e| Error::io("opening", self.path(), e))
    }
}

/// Hashes what was linked, and not what the path of the source may name by now. One file of two
/// names is read as the source, whose first bytes are in memory; a clone is read whole, and its
/// first bytes must be those that were looked at.
fn hash_linked(staged: &Staged, source: &Source, work: &mut FileWork<'_>) -> Result<Blob> {
    if source.is(staged.file()) {
        return hash(&mut source.bytes()?, source.path(), |piece| {
            work.advance(piece.len() as u64)
        });
    }
    let mut at = 0;
    hash(&mut staged.file(), staged.path(), |piece| {
        if !source.agrees(at, piece) {
            return Err(source.changed());
        }
        at += piece.len() as u64;
        work.advance(piece.len() as u64)
    })
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
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

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

    #[test]
    fn a_clone_is_hashed_itself_and_begins_with_the_bytes_that_were_checked() {
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::open(scratch.path()).unwrap();
        let file = scratch.path().join("file");
        let bytes = [7; 200_000];
        std::fs::write(&file, bytes).unwrap();
        let mut source = Source::open(&file).unwrap();
        let known = source.sniffed().unwrap().len();
        assert!(known < bytes.len());
        // What the clone took is what the file had at its moment, not what we read.
        for (at, is_taken) in [(None, true), (Some(known), true), (Some(known - 1), false)] {
            let mut content = bytes;
            if let Some(at) = at {
                content[at] = 8;
            }
            let clone = |to: &Path| std::fs::write(to, content);
            let staged = Staged::linked(store.layout(), Durability::None, clone).unwrap();
            let mut work = store.begin_file(source.size());
            match hash_linked(&staged, &source, &mut work) {
                Ok(blob) => assert_eq!((blob.digest, is_taken), (Digest::of(&content), true)),
                Err(error) => {
                    assert!(
                        !is_taken && error.to_string().contains("was changed"),
                        "{error}"
                    );
                }
            }
        }
    }
}
