//! What every call that looks at all manifests asks of one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::fs::layout::{Layout, ManifestFile};
use crate::fs::stamp::FileStamp;
use crate::go::decode::Quoted;
use crate::manifest::{Layer, Manifest};
use crate::name::{Digest, ModelName};
use crate::store::form::ManifestForm;
use crate::store::list::KnownLine;

use super::Stored;

/// What was read of one manifest, as its file was then.
pub(crate) struct ManifestFacts {
    place: Place,
    pub stamp: FileStamp,
    /// The time of its last change.
    pub modified: SystemTime,
    /// As [`Manifest::size`] and [`Manifest::id`].
    pub size: i64,
    pub id: Digest,
    /// The digests that its entries name, with the sizes that it states, in order.
    pub named: Box<[(Digest, i64)]>,
    /// What else in its text may be a digest.
    others: Box<[Digest]>,
    /// What of it nobody understands, so that it may name more.
    pub unclear: Option<Box<str>>,
    /// Whether a blob that it names may be a manifest itself.
    pub is_index: bool,
    pub form: ManifestForm,
    /// Whether the way to it leads through a link.
    pub is_behind_link: bool,
    pub has_other_names: bool,
    /// Its line in a list, once one was made.
    line: Mutex<Option<Arc<KnownLine>>>,
}

/// Where a manifest is.
enum Place {
    Model(ModelName),
    /// Under a name that cannot be used here.
    Other(PathBuf),
}

impl ManifestFacts {
    pub(super) fn of(stored: &Stored) -> Self {
        let Stored {
            file,
            manifest,
            text,
        } = stored;
        let entries = manifest.entries();
        let named = entries.filter_map(|layer| Some((layer.digest().ok()?, layer.size)));
        let named: Box<[(Digest, i64)]> = named.collect();
        let in_text = Digest::all_in(&text.bytes);
        let too_long = "a row of hexadecimal digits that is too long for a digest";
        let unclear = match &in_text {
            None => Some(too_long.into()),
            Some(_) => malformed(manifest),
        };
        let mut others = in_text.unwrap_or_default();
        others.retain(|digest| !named.iter().any(|(known, _)| known == digest));
        ManifestFacts {
            place: Place::of(file),
            stamp: text.stamp,
            modified: text.modified,
            size: manifest.size(),
            id: manifest.id_digest(),
            named,
            others: others.into_boxed_slice(),
            unclear,
            is_index: is_index(&text.bytes),
            form: ManifestForm::of(manifest, &text.bytes),
            is_behind_link: file.link.is_some(),
            has_other_names: text.links > 1,
            line: Mutex::default(),
        }
    }

    /// Returns the name of its model; `None` where it cannot be used here.
    pub(crate) fn name(&self) -> Option<&ModelName> {
        match &self.place {
            Place::Model(name) => Some(name),
            Place::Other(_) => None,
        }
    }

    pub(crate) fn path(&self, layout: &Layout) -> PathBuf {
        match &self.place {
            Place::Model(name) => layout.manifest(name),
            Place::Other(path) => path.clone(),
        }
    }

    /// Returns the file, of which it is known that it is a manifest, and no link.
    pub(super) fn file(&self, layout: &Layout) -> ManifestFile {
        ManifestFile {
            path: self.path(layout),
            name: self.name().cloned(),
            link: None,
            is_plausible: true,
        }
    }

    /// Returns the name of its file.
    pub(super) fn tag(&self) -> &OsStr {
        match &self.place {
            Place::Model(name) => OsStr::new(name.tag()),
            Place::Other(path) => path.file_name().unwrap_or_default(),
        }
    }

    /// Returns every digest that keeps a blob; some more than once.
    pub(crate) fn live(&self) -> impl Iterator<Item = Digest> {
        let named = self.named.iter().map(|(digest, _)| *digest);
        named.chain(self.others.iter().copied())
    }

    /// Returns the distinct digests that its entries name, in order.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        let mut digests: Vec<Digest> = self.named.iter().map(|(digest, _)| *digest).collect();
        digests.sort_unstable();
        digests.dedup();
        digests
    }

    pub(crate) fn line(&self) -> Option<Arc<KnownLine>> {
        // A lock that another thread holds while the process forks is held in the child for good.
        self.line.try_lock().ok()?.clone()
    }

    pub(crate) fn keep_line(&self, line: Option<Arc<KnownLine>>) {
        if let Ok(mut place) = self.line.try_lock() {
            *place = line;
        }
    }

    /// Returns about how many bytes of memory it takes.
    pub(super) fn bytes(&self) -> u64 {
        let place = match &self.place {
            Place::Model(name) => name.as_full().len(),
            Place::Other(path) => path.as_os_str().len(),
        };
        let digests = size_of_val(&*self.named) + size_of_val(&*self.others);
        let line = self.line().map_or(0, |line| line.bytes());
        (size_of::<Self>() + place + digests) as u64 + line
    }
}

impl Place {
    fn of(file: &ManifestFile) -> Self {
        match &file.name {
            Some(name) => Place::Model(name.clone()),
            None => Place::Other(file.path.clone()),
        }
    }
}

/// Returns what is wrong with the last entry that has a malformed digest.
fn malformed(manifest: &Manifest) -> Option<Box<str>> {
    let said = |layer: &&Layer| !layer.digest_text().is_empty();
    let errors = manifest.entries().filter(said);
    let errors = errors.filter_map(|layer| layer.digest().err());
    errors.last().map(|error| error.to_string().into())
}

/// Returns whether a manifest may name other manifests: an index of OCI or Docker names them under
/// `manifests`, and a manifest of OCI the one that it belongs to under `subject`. A decoder takes a
/// key in any case, and however it is escaped.
fn is_index(text: &[u8]) -> bool {
    const KEYS: [&[u8]; 2] = [b"\"manifests\"", b"\"subject\""];
    let text = Quoted(text).decoded();
    let mut quotes = text.match_indices('"');
    quotes.any(|(at, _)| {
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let begins = |key: &&[u8]| {
            rest.get(..key.len())
                .is_some_and(|it| it.eq_ignore_ascii_case(key))
        };
        KEYS.iter().any(begins)
    })
}

/// Returns the error's subject of a manifest in words.
pub(crate) fn reading(path: &Path) -> String {
    format!("reading manifest {}", path.display())
}
