//! Which blobs are in use. Delete, collect and everything else that removes ask here.

use std::collections::HashSet;

use crate::digest::Digest;
use crate::error::Error;
use crate::store::model::{read_manifest, was_deleted};
use crate::store::{Problem, Store};

/// The digests that the store's manifests name at one moment.
pub(crate) struct References {
    used: HashSet<Digest>,
    unreadable: Vec<Problem>,
}

impl References {
    /// Reads every manifest. One that vanishes while we look names nothing; a file whose path is
    /// not a valid name is a stranger and keeps no blob.
    pub(crate) fn scan(store: &Store) -> Self {
        let (mut used, mut unreadable) = (HashSet::new(), Vec::new());
        let files = store.layout().manifests(|path, e| {
            let error = Error::io("reading directory", path, e);
            unreadable.push(Problem::new(path, None, error));
        });
        for file in files {
            let Some(name) = file.name else { continue };
            match read_manifest(&file.path) {
                Ok((manifest, _)) => used.extend(manifest.digests()),
                Err(error) if was_deleted(&file.path, &error) => {}
                Err(error) => unreadable.push(Problem::new(&file.path, Some(&name), error)),
            }
        }
        References { used, unreadable }
    }

    pub(crate) fn uses(&self, digest: &Digest) -> bool {
        self.used.contains(digest)
    }

    /// The manifests that could not be read. While there is one, nobody knows what it uses, and
    /// no blob may be removed.
    pub(crate) fn unreadable(&self) -> &[Problem] {
        &self.unreadable
    }

    pub(crate) fn into_unreadable(self) -> Vec<Problem> {
        self.unreadable
    }
}
