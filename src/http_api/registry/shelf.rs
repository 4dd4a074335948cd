//! What a registry has: a store, with another registry behind it or without.

use crate::error::Result;
use crate::name::{Digest, ModelName};
use crate::store::Store;
#[cfg(feature = "registry")]
use crate::store::Upstream;

use super::blob::RegistryBlob;

/// What a registry has.
pub(super) trait Shelf {
    fn store(&self) -> &Store;

    /// Returns the bytes of the manifest of a name.
    fn manifest(&self, name: &ModelName) -> Result<Option<Vec<u8>>>;

    /// Returns the manifest of a digest, in a repository, where it is known besides those that are
    /// stored.
    fn manifest_of(&self, _repository: &ModelName, _digest: &Digest) -> Option<Vec<u8>> {
        None
    }

    fn blob(&self, digest: &Digest) -> Result<Option<RegistryBlob>> {
        let opened = self.store().open_blob(digest)?;
        Ok(opened.map(|(file, size)| RegistryBlob::stored(file, size)))
    }
}

impl Shelf for Store {
    fn store(&self) -> &Store {
        self
    }

    fn manifest(&self, name: &ModelName) -> Result<Option<Vec<u8>>> {
        self.manifest_bytes(name)
    }
}

#[cfg(feature = "registry")]
impl Shelf for Upstream {
    fn store(&self) -> &Store {
        self.store()
    }

    fn manifest(&self, name: &ModelName) -> Result<Option<Vec<u8>>> {
        self.manifest(name)
    }

    fn manifest_of(&self, repository: &ModelName, digest: &Digest) -> Option<Vec<u8>> {
        self.manifest_of(repository, digest)
    }

    fn blob(&self, digest: &Digest) -> Result<Option<RegistryBlob>> {
        // It may be in its place between the two looks, and not the other way round.
        if let Some(arrival) = self.blob(digest) {
            return Ok(Some(RegistryBlob::arriving(arrival)));
        }
        Shelf::blob(self.store(), digest)
    }
}
