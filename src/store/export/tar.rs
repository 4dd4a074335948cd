//! One archive of models, written from the beginning to the end.

use std::collections::HashSet;
use std::io::Read;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::read;
use crate::name::Digest;
use crate::oci::{self, LAYOUT, Member, NewIndex};
use crate::store::blobs::{self, Blob};
use crate::store::handle::Store;

use super::plan::{Plan, PlannedBlob};

/// An archive under way.
pub(super) struct Archive<'s, W> {
    store: &'s Store,
    write: W,
}

impl<'s, W: FnMut(&[u8]) -> Result<()>> Archive<'s, W> {
    pub(super) fn new(store: &'s Store, write: W) -> Self {
        Archive { store, write }
    }

    /// Writes all of an archive. The index comes first: who imports it knows from the beginning
    /// what belongs to a model, and whether a name is taken.
    pub(super) fn write(&mut self, plan: &Plan) -> Result<()> {
        self.file(Member::Layout, LAYOUT)?;
        let mut index = NewIndex::new();
        for (name, digest, size) in &plan.images {
            index.add(name, *digest, *size, true);
        }
        self.file(Member::Index, &index.to_bytes())?;
        let mut written = HashSet::new();
        for (digest, bytes) in &plan.documents {
            if written.insert(*digest) {
                self.file(Member::Blob(*digest), bytes)?;
            }
        }
        for blob in &plan.blobs {
            if written.insert(blob.digest) {
                self.blob(blob)?;
            }
        }
        (self.write)(&oci::end())
    }

    fn file(&mut self, member: Member, bytes: &[u8]) -> Result<()> {
        let size = bytes.len() as u64;
        (self.write)(&oci::header(&member.path(), size))?;
        (self.write)(bytes)?;
        (self.write)(&oci::padding(size))
    }

    fn blob(&mut self, blob: &PlannedBlob) -> Result<()> {
        let path = Member::Blob(blob.digest).path();
        (self.write)(&oci::header(&path, blob.size))?;
        read_blob(self.store, blob, &mut self.write)?;
        (self.write)(&oci::padding(blob.size))
    }
}

/// Hands on the bytes of a blob, and fails where they are not those of its digest.
pub(super) fn read_blob(
    store: &Store,
    blob: &PlannedBlob,
    mut write: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let path = store.blob_path(&blob.digest);
    let file = read::open_regular(&path).map_err(|e| Error::io("opening blob", &path, e))?;
    // What grows meanwhile is cut where its header says that it ends.
    let found = blobs::hash(&mut file.take(blob.size), &path, |piece| {
        store.advance(piece.len() as u64)?;
        write(piece)
    })?;
    store.finish_file();
    must_be(blob, &found.digest, found)
}

fn must_be(blob: &PlannedBlob, digest: &Digest, found: Blob) -> Result<()> {
    if *digest == blob.digest && found.size == blob.size {
        return Ok(());
    }
    let text = format!(
        "exporting '{}': the blob {} is damaged, its {} bytes are {digest}",
        blob.user, blob.digest, found.size
    );
    Err(Error::new(ErrorKind::Corrupt, text))
}
