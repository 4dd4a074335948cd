//! Blobs that a new manifest names, held so that no delete elsewhere can take their bytes.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::hash::hash_stream;
use crate::fs::source::Incoming;
use crate::fs::{ops, read};
use crate::name::{Digest, ModelName};
use crate::store::blobs::{Blob, NewBlob};
use crate::store::handle::{Change, Store};
use crate::store::watch::FileWork;

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

    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

/// A blob that may be the one that is imported: it has the same bytes so far.
struct Candidate {
    digest: Digest,
    file: File,
    chunk: Vec<u8>,
}

/// More blobs of one size and one header are not held open together.
const MOST_CANDIDATES: usize = 16;

/// Why a file is none of the stored blobs.
enum Unlike {
    Differs,
    Failed(Error),
}

impl From<Error> for Unlike {
    fn from(error: Error) -> Self {
        Unlike::Failed(error)
    }
}

impl Candidate {
    /// Reads on; returns whether these bytes are the next ones.
    fn goes_on_with(&mut self, bytes: &[u8]) -> bool {
        self.chunk.resize(bytes.len(), 0);
        self.file.read_exact(&mut self.chunk).is_ok() && self.chunk == bytes
    }

    fn has_ended(&self) -> bool {
        matches!((&self.file).read(&mut [0]), Ok(0))
    }
}

impl Store {
    /// Holds the blob that has the bytes of a file, where one is stored and undamaged: the file is
    /// hashed, and compared with the blobs that may be it. Ends at the first byte that none of them
    /// has; then the file has to be read again from there where the byte is not in memory, which
    /// `work` is told. Looks at each blob's inode, and writes nothing.
    pub(super) fn stored_copy(
        &self,
        source: &dyn Incoming,
        work: &mut FileWork<'_>,
    ) -> Result<Option<Pinned>> {
        let candidates = self.candidates(source);
        if candidates.is_empty() {
            return Ok(None);
        }
        match compare(source, candidates, work) {
            Ok(pinned) => Ok(Some(pinned)),
            Err(Unlike::Failed(error)) => Err(error),
            Err(Unlike::Differs) => {
                work.restart();
                Ok(None)
            }
        }
    }

    /// Returns the blobs that have the size and the first bytes of a file, read as far as these. One
    /// that cannot be read is none: it is written anew, like a damaged one.
    fn candidates(&self, source: &dyn Incoming) -> Vec<Candidate> {
        let blobs = self.layout().blobs().unwrap_or_default().into_iter();
        let of_size = blobs.filter_map(|blob| {
            let digest = blob.digest()?;
            let path = self.layout().blob_file(&blob);
            let size = path.metadata().ok()?.len();
            (size == source.size() && path == self.blob_path(&digest)).then_some(digest)
        });
        let opened = of_size.filter_map(|digest| {
            let file = read::open_regular(&self.blob_path(&digest)).ok()?;
            let mut candidate = Candidate {
                digest,
                file,
                chunk: Vec::new(),
            };
            let mut chunks = source.first().chunks(1 << 20);
            let begins = chunks.all(|chunk| candidate.goes_on_with(chunk));
            begins.then_some(candidate)
        });
        opened.take(MOST_CANDIDATES).collect()
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

    /// Puts a manifest in its place whose blobs are held. What takes long to put back is back before
    /// it is there.
    pub(super) fn write_pinned(
        &self,
        change: &Change,
        name: &ModelName,
        manifest: &[u8],
        pins: &[Pinned],
    ) -> Result<()> {
        self.provisionally(change, |manifests| {
            self.put_back(pins)?;
            manifests.write(name, manifest)?;
            self.keep(pins)
        })
    }

    /// Puts back what is held and no longer in its place.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where what is held has other bytes than its name says: then
    /// nothing can take its place.
    pub(in crate::store) fn put_back(&self, pins: &[Pinned]) -> Result<()> {
        for pinned in pins {
            if !self.has_blob(&pinned.blob.digest) {
                let mut file = &pinned.file;
                file.rewind()
                    .map_err(|e| Error::io("reading", &self.blob_path(&pinned.blob.digest), e))?;
                let new = self.stage_stream(&mut file, Path::new("a pinned blob"))?;
                if new.blob.digest != pinned.blob.digest {
                    let text = format!(
                        "the blob {} was damaged, and another program removed it meanwhile: pull \
                         the model it is from again",
                        pinned.blob.digest
                    );
                    return Err(Error::new(ErrorKind::Corrupt, text));
                }
                self.place(new)?;
            }
        }
        Ok(())
    }
}

/// Hashes a file, and returns the candidate that has all of its bytes and their digest for its name.
fn compare(
    source: &dyn Incoming,
    mut candidates: Vec<Candidate>,
    work: &mut FileWork<'_>,
) -> Result<Pinned, Unlike> {
    // These were compared when the candidates were found.
    let mut compared = source.first().len();
    let at = |e| Unlike::Failed(Error::io("reading", source.path(), e));
    let (digest, size) = hash_stream(&mut source.bytes()?, at, |chunk| {
        let (_, rest) = chunk.split_at(compared.min(chunk.len()));
        compared -= chunk.len() - rest.len();
        candidates.retain_mut(|candidate| candidate.goes_on_with(rest));
        match candidates.is_empty() {
            true => Err(Unlike::Differs),
            false => Ok(work.advance(chunk.len() as u64)?),
        }
    })?;
    source.must_be_unchanged(size)?;
    let is_it = |candidate: &Candidate| candidate.digest == digest && candidate.has_ended();
    let found = candidates.into_iter().find(is_it).ok_or(Unlike::Differs)?;
    Ok(Pinned {
        blob: Blob { digest, size },
        file: found.file,
        was_there: true,
    })
}
