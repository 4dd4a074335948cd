//! Loose downloads: a manifest, and blobs under whatever names a browser gave them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::sorted_entries;
use crate::fs::read;
use crate::go::human::human_size;
use crate::manifest::{Layer, Manifest};
use crate::name::Digest;
use crate::oci::Member;
use crate::store::handle::Store;

use super::intake::Intake;
use super::{ImportArchiveOptions, ImportedArchive};

impl Store {
    /// Makes a model of a manifest that was fetched by itself, and of those files in a directory
    /// that have the blobs' bytes, whatever their names. Files of a size that the manifest states are
    /// hashed, and what is stored is not needed there. The name has to be in the options.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{ErrorKind, ImportArchiveOptions};
    ///
    /// let manifest = directory.path().join("data");
    /// let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// std::fs::write(&manifest, format!(r#"{{"layers":[{{"digest":"{digest}","size":0}}]}}"#))?;
    /// let options = ImportArchiveOptions::new().name("fetched");
    /// let missing = store.import_manifest(&manifest, directory.path(), &options).map(drop);
    /// assert_eq!(missing.map_err(|error| error.kind()), Err(ErrorKind::FileNotFound));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where blobs are neither there nor stored: their
    /// digests are in the text, and nothing was changed. [`Corrupt`](ErrorKind::Corrupt) for what is
    /// no manifest, and otherwise as [`import_archive`](Self::import_archive).
    pub fn import_manifest(
        &self,
        manifest: impl AsRef<Path>,
        from: impl AsRef<Path>,
        options: &ImportArchiveOptions,
    ) -> Result<ImportedArchive> {
        let (path, from) = (manifest.as_ref(), from.as_ref());
        if self.is_several() {
            return self.target().import_manifest(path, from, options);
        }
        let imported = self.take_manifest(path, from, options);
        imported.map_err(|error| {
            let text = format!("importing the manifest {}", path.display());
            Error::caused(error.kind(), text, error)
        })
    }

    fn take_manifest(
        &self,
        path: &Path,
        from: &Path,
        options: &ImportArchiveOptions,
    ) -> Result<ImportedArchive> {
        let text = read::read_text(path).map_err(|e| Error::io("reading", path, e))?;
        let mut intake = Intake::of_manifest(self, options, text.bytes.clone())?;
        let mut found = self.find_loose(&Manifest::parse(&text.bytes)?, from)?;
        while let Some(digest) = intake.next_needed() {
            let path = found.remove(&digest);
            let path = path.unwrap_or_else(|| self.layout().blob(&digest));
            self.take_file(&mut intake, Member::Blob(digest), &path)?;
        }
        intake.finish()
    }

    /// Returns which files of a directory are blobs of a manifest.
    ///
    /// # Errors
    /// Where blobs are missing there and in the store.
    fn find_loose(&self, manifest: &Manifest, from: &Path) -> Result<BTreeMap<Digest, PathBuf>> {
        let sizes: BTreeSet<i64> = manifest.entries().map(|layer| layer.size).collect();
        let may_be_one = |size: u64| {
            sizes.contains(&0) || i64::try_from(size).is_ok_and(|size| sizes.contains(&size))
        };
        let mut found = BTreeMap::new();
        let entries = sorted_entries(from).map_err(|e| Error::io("reading directory", from, e))?;
        for (name, _) in entries {
            let path = self.layout().inside(from, &name);
            if path
                .metadata()
                .is_ok_and(|it| it.is_file() && may_be_one(it.len()))
            {
                found.insert(self.hash_watched(&path)?, path);
            }
        }
        let is_missing = |layer: &&Layer| {
            let digest = layer.digest();
            digest.is_ok_and(|digest| !found.contains_key(&digest) && !self.has_blob(&digest))
        };
        let missing: Vec<String> = manifest.entries().filter(is_missing).map(told).collect();
        match missing.is_empty() {
            true => Ok(found),
            false => {
                let text = format!("not in {}: {}", from.display(), missing.join(", "));
                Err(Error::new(ErrorKind::FileNotFound, text))
            }
        }
    }
}

/// A blob, as whoever has to fetch it knows it.
fn told(layer: &Layer) -> String {
    let size = u64::try_from(layer.size).unwrap_or(0);
    let (media, digest) = (layer.media(), layer.digest_text());
    format!("{digest} ({}, {})", media.label(), human_size(size))
}
