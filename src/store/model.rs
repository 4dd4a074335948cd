//! One model: a snapshot of a manifest, and what lies under it.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::read::{self, Text};
use crate::gguf::Limits;
use crate::manifest::{Config, Layer, Manifest, MediaType};
use crate::name::{ModelName, Reference, convert, missing};
use crate::store::handle::Store;
use crate::store::outgoing;

/// A snapshot of one manifest. Its blobs are read when they are asked for, each at most once.
#[derive(Clone, Debug)]
pub struct Model {
    store: Store,
    name: ModelName,
    manifest: Manifest,
    modified: SystemTime,
    config: OnceLock<Config>,
}

impl Store {
    /// Takes a snapshot of a model's manifest. Opens one file.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound),
    /// [`InvalidName`](crate::ErrorKind::InvalidName) for a malformed name, or
    /// [`Corrupt`](crate::ErrorKind::Corrupt) for a manifest that does not decode.
    pub fn model(&self, name: impl TryInto<Reference, Error: Into<Error>>) -> Result<Model> {
        let (name, _) = self.must_find(&convert::name(name)?)?;
        self.open_model(name)
    }

    pub(crate) fn open_model(&self, name: ModelName) -> Result<Model> {
        let path = self.layout().manifest(&name);
        let Some((manifest, text)) = read_if_there(&path)? else {
            // Deleted since its name was looked up.
            return Err(missing(&name));
        };
        let store = self.clone();
        Ok(Model {
            store,
            name,
            manifest,
            modified: text.modified,
            config: OnceLock::new(),
        })
    }
}

impl Model {
    pub(crate) fn new(
        store: &Store,
        name: ModelName,
        manifest: Manifest,
        modified: SystemTime,
    ) -> Self {
        Model {
            store: store.clone(),
            name,
            manifest,
            modified,
            config: OnceLock::new(),
        }
    }

    /// Returns the name under which it is stored.
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    /// Returns the manifest as it was read.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns the time of the manifest's last change, which is what list and show call
    /// `modified_at`.
    pub fn modified(&self) -> SystemTime {
        self.modified
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the facts of the config blob; all empty where the manifest names none. Opens one
    /// file, once.
    ///
    /// # Errors
    /// [`FileNotFound`](crate::ErrorKind::FileNotFound) where the blob is missing,
    /// [`Corrupt`](crate::ErrorKind::Corrupt) where it does not decode.
    pub fn config(&self) -> Result<&Config> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let layer = self.manifest.config();
        let config = match layer.digest_text() {
            "" => Config::default(),
            _ => Config::parse(&self.read(layer)?)?,
        };
        Ok(self.config.get_or_init(|| config))
    }

    /// Returns the paths of the blobs of one type, in the manifest's order. Nothing is opened.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) for a malformed digest.
    pub fn paths(&self, media: &MediaType) -> Result<Vec<PathBuf>> {
        let layers = self
            .manifest
            .layers()
            .iter()
            .filter(|layer| layer.media() == *media);
        layers.map(|layer| self.path_of(layer)).collect()
    }

    /// Returns the paths of all blobs, the config's last, each once. Nothing is opened.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) for a malformed digest.
    pub fn all_paths(&self) -> Result<Vec<PathBuf>> {
        let layers = self
            .manifest
            .layers()
            .iter()
            .chain([self.manifest.config()]);
        let named = layers.filter(|layer| !layer.digest_text().is_empty());
        let (mut paths, mut known) = (Vec::new(), HashSet::new());
        for layer in named {
            if known.insert(layer.digest()?) {
                paths.push(self.path_of(layer)?);
            }
        }
        Ok(paths)
    }

    /// Returns the path of the GGUF file with the weights.
    ///
    /// # Errors
    /// As [`gguf_paths`](Self::gguf_paths); [`Unsupported`](crate::ErrorKind::Unsupported) where
    /// the weights are in several files: one of them is not the model.
    pub fn gguf_path(&self) -> Result<PathBuf> {
        let mut paths = self.gguf_paths()?;
        match (paths.pop(), paths.len()) {
            (Some(path), 0) => Ok(path),
            (_, others) => {
                let (name, files) = (&self.name, others + 1);
                let text =
                    format!("the weights of model '{name}' are in {files} files, not in one");
                Err(Error::new(ErrorKind::Unsupported, text))
            }
        }
    }

    /// Returns the paths of the GGUF files with the weights: one, or all parts of a split model in
    /// their order. Opens each of several.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where the model has none,
    /// [`FileNotFound`](crate::ErrorKind::FileNotFound) where a blob is missing,
    /// [`Corrupt`](crate::ErrorKind::Corrupt) where parts are missing from the manifest.
    pub fn gguf_paths(&self) -> Result<Vec<PathBuf>> {
        let paths = self.paths(&MediaType::Model)?;
        if paths.is_empty() {
            let text = format!("model '{}' has no GGUF file", self.name);
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
            let text = format!("model '{}': {what}", self.name);
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
    /// # Errors
    /// As [`gguf_path`](Self::gguf_path) and [`GgufFile::open`].
    pub fn gguf(&self) -> Result<GgufFile> {
        self.open_gguf(&self.gguf_path()?)
    }

    pub(crate) fn open_gguf(&self, path: &Path) -> Result<GgufFile> {
        let options = GgufOptions::new()
            .limits(Limits::lenient())
            .mmap(self.store.options().mmap);
        GgufFile::open(path, &options)
    }

    pub(crate) fn path_of(&self, layer: &Layer) -> Result<PathBuf> {
        Ok(self.store.layout().blob(&layer.digest()?))
    }

    /// Returns the whole blob of a layer that is a text.
    pub(crate) fn read(&self, layer: &Layer) -> Result<Vec<u8>> {
        let path = self.path_of(layer)?;
        let text = read::read_text(&path).map_err(|e| self.blob_error("reading blob", &path, e))?;
        Ok(text.bytes)
    }

    /// Returns the error of a blob that could not be used; of a missing one it says where it is
    /// instead, if that is known.
    fn blob_error(&self, doing: &'static str, path: &Path, cause: io::Error) -> Error {
        let digest = self.store.layout().home(path).map(|(_, digest)| digest);
        let aside = digest
            .filter(|_| cause.kind() == io::ErrorKind::NotFound)
            .and_then(|digest| outgoing::in_trash(&self.store, &digest));
        match aside {
            Some(aside) => Error::io(
                doing,
                path,
                io::Error::new(cause.kind(), outgoing::trash_hint(&aside)),
            ),
            None => Error::io(doing, path, cause),
        }
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
            set.indices.push(split.map(|split| split.no));
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

/// How often and how long to look again at a manifest that seems torn.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(4);

/// Reads and decodes a manifest.
///
/// Ollama writes manifests in place, and an eighth of all looks at one that it is just
/// writing see an empty file. So a young manifest that does not decode is read again.
pub(crate) fn read_manifest(path: &Path) -> Result<(Manifest, Text)> {
    for look in 1.. {
        let text = read::read_text(path).map_err(|e| Error::io("reading manifest", path, e))?;
        match Manifest::parse(&text.bytes) {
            Ok(manifest) => return Ok((manifest, text)),
            Err(_) if look < LOOKS && is_young(text.modified) => thread::sleep(PAUSE),
            Err(error) => {
                let text = format!("reading manifest {}", path.display());
                return Err(Error::caused(error.kind(), text, error));
            }
        }
    }
    unreachable!("the last look returns")
}

/// As [`read_manifest`]; `None` where somebody has deleted the manifest since a walk saw it.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<(Manifest, Text)>> {
    read::anew(
        path,
        || read_manifest(path),
        |error| error.kind() == ErrorKind::FileNotFound,
    )
}

fn is_young(modified: SystemTime) -> bool {
    modified
        .elapsed()
        .map_or(true, |age| age < Duration::from_secs(2))
}
