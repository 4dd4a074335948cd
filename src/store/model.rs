//! One model: a snapshot of a manifest, and what it names.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::read::{self, Text};
use crate::manifest::{Config, Layer, Manifest, MediaType};
use crate::name::{ModelName, Reference, convert, missing};
use crate::store::handle::Store;
use crate::store::outgoing;

/// A snapshot of one manifest. Its blobs are read when they are asked for, each at most once.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let model = store.model("tiny")?;
/// assert_eq!(model.name().to_string(), "tiny:latest");
/// assert_eq!(model.config()?.family, "llama");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ErrorKind;
    ///
    /// println!("{}", store.model("tiny")?.gguf_path()?.display());
    ///
    /// let error = store.model("tinny").expect_err("there is no such model");
    /// assert_eq!(error.kind(), ErrorKind::NotFound);
    /// assert_eq!(error.suggestions(), ["tiny:latest"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound),
    /// [`InvalidName`](crate::ErrorKind::InvalidName) for a malformed name, or
    /// [`Corrupt`](crate::ErrorKind::Corrupt) for a manifest that does not decode.
    pub fn model(&self, name: impl TryInto<Reference, Error: Into<Error>>) -> Result<Model> {
        let reference = convert::name(name)?;
        let store = self.holder(&reference)?;
        let (name, _) = store.must_find(&reference)?;
        store.open_model(name)
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
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert_eq!(store.model("TINY")?.name().to_string(), "tiny:latest");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    /// Returns the manifest as it was read.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let model = store.model("tiny")?;
    /// assert_eq!(model.manifest().layers().len(), 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns the time of the manifest's last change, which is what list and show call
    /// `modified_at`.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let age = store.model("tiny")?.modified().elapsed()?;
    /// assert!(age.as_secs() < 3600);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn modified(&self) -> SystemTime {
        self.modified
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the facts of the config blob; all empty where the manifest names none. Opens one
    /// file, once.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let model = store.model("tiny")?;
    /// assert_eq!(model.config()?.quantization, "F16");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::MediaType;
    ///
    /// let licenses = store.model("tiny")?.paths(&MediaType::License)?;
    /// assert_eq!(std::fs::read_to_string(&licenses[0])?, "MIT");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) for a malformed digest.
    pub fn paths(&self, media: &MediaType) -> Result<Vec<PathBuf>> {
        let layers = self.layers_of(media);
        layers.map(|layer| self.path_of(layer)).collect()
    }

    /// Returns the paths of all blobs, the config's last, each once. Nothing is opened.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let paths = store.model("tiny")?.all_paths()?;
    /// assert!(paths.len() == 7 && paths.iter().all(|path| path.exists()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    pub(crate) fn path_of(&self, layer: &Layer) -> Result<PathBuf> {
        Ok(self.store.layout().blob(&layer.digest()?))
    }

    /// Returns the whole blob of a layer that is a text.
    pub(crate) fn read(&self, layer: &Layer) -> Result<Vec<u8>> {
        Ok(self.read_stamped(layer)?.bytes)
    }

    /// Returns the same with what tells whether the file changed since.
    pub(super) fn read_stamped(&self, layer: &Layer) -> Result<Text> {
        let layout = self.store.layout();
        let text = layout.with_blob(&layer.digest()?, read::read_text);
        text.map_err(|(path, e)| self.blob_error("reading blob", &path, e))
    }

    /// Returns the error of a blob that could not be used; of a missing one it says where it is
    /// instead, if that is known.
    pub(super) fn blob_error(&self, doing: &'static str, path: &Path, cause: io::Error) -> Error {
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
