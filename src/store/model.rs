//! One model: a snapshot of a manifest, and what lies under it.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::read::{self, Text};
use crate::gguf::Limits;
use crate::manifest::{Layer, Manifest};
use crate::media::MediaType;
use crate::name::ModelName;
use crate::reference::Reference;
use crate::store::{Store, outgoing};

/// A snapshot of one manifest. Its blobs are read when they are asked for, each at most once.
#[derive(Debug)]
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
    /// [`NotFound`](crate::ErrorKind::NotFound), or [`Corrupt`](crate::ErrorKind::Corrupt) for a
    /// manifest that does not decode.
    pub fn model(&self, reference: &Reference) -> Result<Model> {
        let name = self.resolve(reference)?;
        self.open_model(name)
    }

    pub(crate) fn open_model(&self, name: ModelName) -> Result<Model> {
        let (manifest, text) = read_manifest(&self.layout().manifest(&name))?;
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

    /// The name under which it is stored.
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    /// The manifest as it was read.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The time of the manifest's last change, which is what list and show call `modified_at`.
    pub fn modified(&self) -> SystemTime {
        self.modified
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The facts of the config blob; all empty where the manifest names none. Opens one file, once.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where the blob is missing,
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

    /// The paths of the blobs of one type, in the manifest's order. Nothing is opened.
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

    /// The paths of all blobs, the config's last, each once. Nothing is opened.
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

    /// The path of the GGUF file with the weights: the last model layer's blob.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where the model has none or the blob is missing.
    pub fn gguf_path(&self) -> Result<PathBuf> {
        let path = match self.manifest.last(&MediaType::Model) {
            Some(layer) => self.path_of(layer)?,
            None => {
                let text = format!("model '{}' has no GGUF file", self.name);
                return Err(Error::new(ErrorKind::NotFound, text));
            }
        };
        match path.metadata() {
            Ok(_) => Ok(path),
            Err(e) => Err(self.blob_error("looking for blob", &path, e)),
        }
    }

    /// Opens the GGUF file with the weights, leniently, mapped or read as the store is.
    ///
    /// # Errors
    /// As [`gguf_path`](Self::gguf_path) and [`GgufFile::open`].
    pub fn gguf(&self) -> Result<GgufFile> {
        self.open_gguf(&self.gguf_path()?)
    }

    pub(crate) fn open_gguf(&self, path: &Path) -> Result<GgufFile> {
        let options = GgufOptions::new(Limits::lenient()).mmap(self.store.options().mmap);
        GgufFile::open(path, &options)
    }

    pub(crate) fn path_of(&self, layer: &Layer) -> Result<PathBuf> {
        Ok(self.store.layout().blob(&layer.digest()?))
    }

    /// The whole blob of a layer that is a text.
    pub(crate) fn read(&self, layer: &Layer) -> Result<Vec<u8>> {
        let path = self.path_of(layer)?;
        let text = read::read_text(&path).map_err(|e| self.blob_error("reading blob", &path, e))?;
        Ok(text.bytes)
    }

    /// The error of a blob that could not be used; of a missing one it says where it is instead,
    /// if that is known.
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

/// How often and how long to look again at a manifest that seems torn.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(4);

/// Reads and decodes a manifest.
///
/// The reference writes manifests in place, and an eighth of all looks at one that it is just
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

/// Whether [`read_manifest`] failed because somebody has deleted the manifest since a walk saw it. A
/// link that leads nowhere is there, and what may not be looked at is not deleted.
pub(crate) fn was_deleted(path: &Path, error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && !path.is_symlink()
}

fn is_young(modified: SystemTime) -> bool {
    modified
        .elapsed()
        .map_or(true, |age| age < Duration::from_secs(2))
}
