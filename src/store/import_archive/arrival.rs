//! One blob of an archive, while its bytes come.

use std::fs::File;
use std::io::{Read, Seek};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::staged::{Place, Staged};
use crate::fs::{hash, read};
use crate::name::Digest;
use crate::oci;
use crate::store::blobs::{Blob, NewBlob};
use crate::store::handle::Store;
use crate::store::import::Pinned;

/// A blob that is about to come.
pub(super) struct Arrival<'s> {
    store: &'s Store,
    digest: Digest,
    pub size: u64,
    is_counted: bool,
}

/// Where the bytes that come are compared, or written.
enum Way {
    /// The blob that is stored has had these bytes so far.
    Same(File, u64),
    Written(Staged),
}

impl<'s> Arrival<'s> {
    /// Tells who watches how many bytes come.
    pub(super) fn counted(store: &'s Store, digest: Digest, size: u64) -> Self {
        Arrival {
            store,
            digest,
            size,
            is_counted: true,
        }
    }

    pub(super) fn uncounted(store: &'s Store, digest: Digest, size: u64) -> Self {
        Arrival {
            is_counted: false,
            ..Arrival::counted(store, digest, size)
        }
    }

    /// Takes the bytes, which must be those of the digest, and puts them into their place; where
    /// the very same are stored, nothing is written. Returns whether something was.
    pub(super) fn take(self, from: &mut dyn Read) -> Result<(Pinned, bool)> {
        let mut way = match self.stored() {
            Some(file) => Way::Same(file, 0),
            None => {
                let doing = format!("the blob {}", self.digest);
                self.store.must_have_room(self.size, &doing)?;
                Way::Written(self.stage()?)
            }
        };
        let (digest, size) = hash::hash_stream(from, oci::failed, |piece| {
            let count = if self.is_counted {
                piece.len() as u64
            } else {
                0
            };
            self.store.advance(count)?;
            self.go(&mut way, piece)
        })?;
        self.must_be(&digest, size)?;
        match way {
            Way::Same(..) => Ok((Pinned::open(self.store, self.digest)?, false)),
            Way::Written(staged) => {
                let new = NewBlob::new(staged, Blob { digest, size });
                let _lock = self.store.lock()?;
                Ok((self.store.place_pinned(new)?, true))
            }
        }
    }

    /// Returns the stored blob of that name, if it has the size.
    fn stored(&self) -> Option<File> {
        let file = read::open_regular(&self.store.blob_path(&self.digest)).ok()?;
        let metadata = file.metadata().ok()?;
        (metadata.len() == self.size).then_some(file)
    }

    fn stage(&self) -> Result<Staged> {
        let durability = self.store.options().durability;
        Staged::new(self.store.layout(), Place::Blobs, durability)
    }

    fn go(&self, way: &mut Way, piece: &[u8]) -> Result<()> {
        match way {
            Way::Written(staged) => staged.write(piece),
            Way::Same(file, at) => {
                if has_next(file, piece) {
                    *at += piece.len() as u64;
                    return Ok(());
                }
                // The stored blob is damaged from here on: what has come so far is what it has.
                let mut staged = self.stage()?;
                self.copy_start(file, *at, &mut staged)?;
                staged.write(piece)?;
                *way = Way::Written(staged);
                Ok(())
            }
        }
    }

    fn copy_start(&self, file: &mut File, length: u64, staged: &mut Staged) -> Result<()> {
        let path = self.store.blob_path(&self.digest);
        let at = |e| Error::io("reading blob", &path, e);
        file.rewind().map_err(at)?;
        let copied = hash::hash_stream(&mut file.take(length), at, |piece| {
            self.store.advance(0)?;
            staged.write(piece)
        });
        copied.map(drop)
    }

    fn must_be(&self, digest: &Digest, size: u64) -> Result<()> {
        if *digest == self.digest && size == self.size {
            return Ok(());
        }
        let text = format!(
            "the {size} bytes of the blob {} are {digest}: it was damaged on its way",
            self.digest
        );
        Err(Error::new(ErrorKind::Corrupt, text))
    }
}

/// Returns whether the next bytes of a file are these.
fn has_next(file: &mut File, piece: &[u8]) -> bool {
    let mut own = vec![0; piece.len()];
    file.read_exact(&mut own).is_ok() && own == piece
}
