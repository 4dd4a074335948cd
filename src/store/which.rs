//! From a digest, an ID or a file to the models that it belongs to.

use std::path::Path;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::read;
use crate::go::json;
use crate::manifest::Manifest;
use crate::name::{ModelName, Reference, convert};
use crate::store::handle::Store;
use crate::store::model::read_manifest;
use crate::store::problem::Problem;

/// The models that a digest, an ID or a file belongs to.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let digest = store.model("tiny")?.manifest().layers()[0].digest()?;
/// for part in store.which(digest.to_string())? {
///     println!("{} of {}", part.kind, part.name);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Uses {
    /// What of which model it is, by name and then in the manifest's order.
    pub uses: Vec<Use>,
    /// Manifests that cannot be read, and may name it.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

/// A part of a model.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let id = store.list()?.models[0].digest.clone();
/// assert_eq!(store.which(&id)?.uses[0].kind, "manifest");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Use {
    /// The model.
    pub name: ModelName,
    /// `manifest`, or what the layer holds: `model`, `projector`, `template`, `config`, ...
    pub kind: String,
    /// The digest: of the layer's blob, or of the manifest as list prints it.
    pub digest: String,
}

impl Uses {
    /// Returns the result as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

/// The fewest digits of an ID: as many as list prints.
const ID_DIGITS: usize = 12;

impl Store {
    /// Returns the models that something belongs to: a digest or the ID of a model, in full or its
    /// first digits, at least 12; or the path of a blob, of a manifest, or of any other file, which
    /// is then hashed. Reads every manifest.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let weights = store.model("tiny")?.gguf_path()?;
    /// let found = store.which(&weights)?;
    /// assert_eq!((found.uses[0].name.to_string(), found.uses[0].kind.as_str()), ("tiny:latest".to_owned(), "model"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) for a path where no file is.
    pub fn which(&self, what: impl AsRef<Path>) -> Result<Uses> {
        let what = what.as_ref();
        if self.is_several() {
            return self.which_several(what);
        }
        let digits = match what.to_str().and_then(digits) {
            Some(digits) => digits,
            None => self.digits_of_file(what)?,
        };
        let mut found = Uses::default();
        for file in self.layout().walk().files {
            let Some(name) = file.name else { continue };
            match read_manifest(&file.path) {
                Ok((manifest, _)) => found.add(&name, &manifest, &digits),
                Err(_) if read::is_gone(&file.path) => {}
                // A file that a survey takes for an unknown one.
                Err(e) if !file.is_plausible && e.kind() == ErrorKind::Corrupt => {}
                Err(e) => found
                    .problems
                    .push(Problem::new(&file.path, Some(&name), e)),
            }
        }
        found.uses.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Returns the digest of a file: what its name says, where it is a blob's or a manifest's, or
    /// else that of its bytes.
    fn digits_of_file(&self, path: &Path) -> Result<String> {
        let failed = |e| Error::io("reading", path, e);
        let real = path
            .canonicalize()
            .map_err(|e| failed(read::dangling(path, e)))?;
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(digits) = name
            .filter(|name| name.starts_with("sha256"))
            .and_then(digits)
        {
            return Ok(digits);
        }
        let manifests = self.layout().walk().files;
        let is_same = |other: &Path| other.canonicalize().is_ok_and(|other| other == real);
        if manifests.iter().any(|file| is_same(&file.path)) {
            let (manifest, _) = read_manifest(&real)?;
            return Ok(manifest.id().to_owned());
        }
        Ok(self.hash_watched(path)?.hex())
    }

    /// Returns the stored name of a model, given by its name or by its ID as list prints it: 12
    /// digits or more. A stored name wins. Reads every manifest where the name is not stored.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let id: String = store.list()?.models[0].digest.chars().take(12).collect();
    /// assert_eq!(store.identify(&id)?.to_string(), "tiny:latest");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound); [`InvalidArgument`](ErrorKind::InvalidArgument) for the
    /// first digits of several IDs, and [`InvalidName`](ErrorKind::InvalidName) for a malformed
    /// name.
    pub fn identify(&self, name: impl TryInto<Reference, Error: Into<Error>>) -> Result<ModelName> {
        self.identify_reference(&convert::name(name)?)
    }

    fn identify_reference(&self, reference: &Reference) -> Result<ModelName> {
        if self.is_several() {
            return self.identify_in_one(reference);
        }
        match self.look_up(reference) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                match reference.name().map(|name| self.by_id(name)) {
                    Some(Ok(Some(name))) => Ok(name),
                    Some(Err(ambiguous)) => Err(ambiguous),
                    _ => self.must_find(reference).map(|(name, _)| name),
                }
            }
            found => found.map(|(name, _)| name),
        }
    }

    /// Returns the stored name in a view of several stores: a name of any of them wins over an ID.
    fn identify_in_one(&self, reference: &Reference) -> Result<ModelName> {
        let first = self.holder(reference)?;
        let others = self.stores().into_iter();
        let mut refusal = None;
        for store in std::iter::once(first).chain(others) {
            match store.identify_reference(reference) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    refusal = refusal.or(Some(error));
                }
                found => return found,
            }
        }
        Err(refusal.unwrap_or_else(|| reference.not_found()))
    }

    /// Returns the model whose ID a name looks like; of those with equal manifests the first.
    fn by_id(&self, name: &ModelName) -> Result<Option<ModelName>> {
        let Some(id) = id(name) else { return Ok(None) };
        let mut found: Vec<(String, ModelName)> = Vec::new();
        for file in self.layout().walk().files {
            if let (Some(name), Ok((manifest, _))) = (file.name, read_manifest(&file.path))
                && manifest.id().starts_with(&id)
            {
                found.push((manifest.id().to_owned(), name));
            }
        }
        found.sort();
        match (found.first(), found.last()) {
            (Some((first, _)), Some((last, _))) if first != last => {
                let names: Vec<String> = found.iter().map(|(_, name)| name.to_string()).collect();
                let text = format!("{id} begins the IDs of {}", names.join(", "));
                Err(Error::new(ErrorKind::InvalidArgument, text))
            }
            _ => Ok(found.into_iter().next().map(|(_, name)| name)),
        }
    }

    /// Whose ID a name is that is not stored, in words.
    pub(crate) fn owner_of_id(&self, name: &ModelName) -> Option<String> {
        let owner = self.by_id(name).ok()??;
        Some(format!("it is the ID of {owner}"))
    }
}

impl Uses {
    fn add(&mut self, name: &ModelName, manifest: &Manifest, digits: &str) {
        let mut add = |kind: &str, digest: String| {
            self.uses.push(Use {
                name: name.clone(),
                kind: kind.to_owned(),
                digest,
            });
        };
        if manifest.id().starts_with(digits) {
            add("manifest", manifest.id().to_owned());
        }
        for layer in manifest.entries() {
            if let Ok(digest) = layer.digest()
                && digest.hex().starts_with(digits)
            {
                add(layer.media().label(), digest.to_string());
            }
        }
    }
}

/// Returns the digits of a digest or of its beginning, in lower case.
fn digits(text: &str) -> Option<String> {
    let bare = text.strip_prefix("sha256:");
    let bare = bare.or_else(|| text.strip_prefix("sha256-"));
    let digits = bare.unwrap_or(text);
    let is_long = (ID_DIGITS..=64).contains(&digits.len());
    (is_long && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| digits.to_ascii_lowercase())
}

/// Returns the digits of an ID that was read as a model's name.
fn id(name: &ModelName) -> Option<String> {
    (name.to_string() == format!("{}:latest", name.model()))
        .then(|| digits(name.model()))
        .flatten()
}
