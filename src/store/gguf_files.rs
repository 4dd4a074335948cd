//! The GGUF files of a model: one, or the parts of a split one.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::read;
use crate::gguf::Limits;
use crate::manifest::MediaType;
use crate::store::model::Model;

impl Model {
    /// Returns the path of the GGUF file with the weights.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let path = store.model("tiny")?.gguf_path()?;
    /// assert!(std::fs::read(path)?.starts_with(b"GGUF"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`gguf_paths`](Self::gguf_paths); [`Unsupported`](crate::ErrorKind::Unsupported) where
    /// the weights are in several files: one of them is not the model.
    pub fn gguf_path(&self) -> Result<PathBuf> {
        let mut paths = self.gguf_paths()?;
        match (paths.pop(), paths.len()) {
            (Some(path), 0) => Ok(path),
            (_, others) => {
                let (name, files) = (self.name(), others + 1);
                let text =
                    format!("the weights of model '{name}' are in {files} files, not in one");
                Err(Error::new(ErrorKind::Unsupported, text))
            }
        }
    }

    /// Returns the paths of the GGUF files with the weights: one, or all parts of a split model in
    /// their order. Opens each of several.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert_eq!(store.model("tiny")?.gguf_paths()?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where the model has none,
    /// [`FileNotFound`](crate::ErrorKind::FileNotFound) where a blob is missing,
    /// [`Corrupt`](crate::ErrorKind::Corrupt) where parts are missing from the manifest.
    pub fn gguf_paths(&self) -> Result<Vec<PathBuf>> {
        let paths = self.paths(&MediaType::Model)?;
        if paths.is_empty() {
            let text = format!("model '{}' has no GGUF file", self.name());
            return Err(Error::new(ErrorKind::NotFound, text));
        }
        for path in &paths {
            let found = path.metadata();
            found
                .map_err(|e| self.blob_error("looking for blob", path, read::dangling(path, e)))?;
        }
        match paths.len() {
            1 => Ok(paths),
            _ => self.in_order(paths),
        }
    }

    /// Puts the parts of a split model in their order; several files that are no parts stay as they
    /// are in the manifest.
    fn in_order(&self, paths: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
        let set = PartSet::of(self, &paths)?;
        if let Some(what) = set.lack() {
            let text = format!("model '{}': {what}", self.name());
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        let mut parts: Vec<_> = set.indices.into_iter().zip(paths).collect();
        parts.sort_by_key(|(index, _)| *index);
        Ok(parts.into_iter().map(|(_, path)| path).collect())
    }

    /// Returns what a split model lacks, in words: parts that its manifest does not name.
    pub(crate) fn missing_parts(&self) -> Option<String> {
        let paths = self.paths(&MediaType::Model).ok()?;
        PartSet::of(self, &paths).ok()?.lack()
    }

    /// Opens the GGUF file with the weights, leniently, mapped or read as the store's
    /// [options](crate::StoreOptions::mmap) say. A mapped blob must [stay as it
    /// is](GgufFile::open).
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let file = store.model("tiny")?.gguf()?;
    /// assert_eq!(file.view().architecture(), Some("llama"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`gguf_path`](Self::gguf_path) and [`GgufFile::open`].
    pub fn gguf(&self) -> Result<GgufFile> {
        self.open_gguf(&self.gguf_path()?)
    }

    pub(crate) fn open_gguf(&self, path: &Path) -> Result<GgufFile> {
        let cache = self.store().index_cache();
        cache.open(path, &self.gguf_options())
    }

    /// As [`open_gguf`](Self::open_gguf), of a file that is open.
    pub(crate) fn read_gguf(&self, file: &File, path: &Path) -> Result<GgufFile> {
        GgufFile::of(file, path, &self.gguf_options())
    }

    fn gguf_options(&self) -> GgufOptions {
        let mmap = self.store().options().mmap;
        GgufOptions::new().limits(Limits::lenient()).mmap(mmap)
    }
}

/// Which parts of a split model several files are.
struct PartSet {
    /// Of each file, in the manifest's order; `None` where it is no part.
    indices: Vec<Option<u64>>,
    /// How many parts the model has.
    count: u64,
}

impl PartSet {
    fn of(model: &Model, paths: &[PathBuf]) -> Result<Self> {
        let mut set = PartSet {
            indices: Vec::with_capacity(paths.len()),
            count: 0,
        };
        for path in paths {
            let file = model.open_gguf(path)?;
            let split = file.view().split().filter(|split| split.count > 1);
            set.count = set.count.max(split.map_or(0, |split| split.count));
            set.indices.push(split.map(|split| split.index));
        }
        Ok(set)
    }

    fn lack(&self) -> Option<String> {
        let known: BTreeSet<u64> = self.indices.iter().flatten().copied().collect();
        let known: Vec<u64> = known.range(..self.count).copied().collect();
        if u64::try_from(known.len()) == Ok(self.count) {
            return None;
        }
        let present: Vec<String> = known.iter().map(|index| (index + 1).to_string()).collect();
        let (present, count) = (present.join(", "), self.count);
        Some(format!(
            "only the parts {present} of {count} of a split model are in its manifest"
        ))
    }
}
