//! Where the files of an image layout are, in a directory outside of any store.

use std::io;
use std::path::{Path, PathBuf};

use crate::fs::{layout, read};
use crate::name::Digest;

/// The paths of one image layout.
#[derive(Clone, Debug)]
pub(crate) struct OciLayout {
    root: PathBuf,
}

impl OciLayout {
    pub(crate) fn new(root: &Path) -> Self {
        OciLayout {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the file that says that the directory is one.
    pub(crate) fn layout_file(&self) -> PathBuf {
        self.root.join("oci-layout")
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.root.join("index.json")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs").join("sha256")
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// Returns the directories that are missing, outermost first.
    pub(crate) fn missing_directories(&self) -> Vec<PathBuf> {
        let blobs = self.blobs();
        let missing = blobs.ancestors().take_while(|path| read::is_gone(path));
        let missing = missing.filter(|path| !path.as_os_str().is_empty());
        let mut missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        missing.reverse();
        missing
    }

    /// Returns whether the directory holds anything but files that an export was writing when it was
    /// killed.
    pub(crate) fn holds_something(&self) -> io::Result<bool> {
        match layout::sorted_entries(&self.root) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            entries => {
                let mut entries = entries?.into_iter();
                Ok(entries.any(|(name, kind)| !layout::is_staged(&name, kind)))
            }
        }
    }
}
