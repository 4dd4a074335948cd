//! What has come in of an archive so far, and what is still to come.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::read;
use crate::fs::staged::{Place, Staged};
use crate::manifest::{Manifest, contradicts};
use crate::name::{Digest, ModelName};
use crate::oci::{self, Entry, Index, LARGEST_DOCUMENT, Member};
use crate::store::handle::Store;
use crate::store::import::Pinned;

use super::arrival::Arrival;
use super::checks::{check_manifest, wrapped};
use super::{ImportArchiveOptions, ImportedArchive};

/// The manifests and other small texts that are kept in memory, in bytes.
const MOST_KEPT: u64 = 32 << 20;

/// So many blobs are kept open: they can be put back if a program beside us removes them.
const MOST_PINNED: usize = 128;

/// A model that is whole in the archive.
pub(super) struct Incoming {
    pub name: ModelName,
    pub manifest: Vec<u8>,
}

/// An archive on its way in.
pub(in crate::store) struct Intake<'s> {
    pub(super) store: &'s Store,
    pub(super) options: &'s ImportArchiveOptions,
    has_layout: bool,
    index: Option<Index>,
    /// Every blob that came, and its size.
    seen: HashMap<Digest, u64>,
    /// Texts that are, or may be, manifests or images that wrap them.
    documents: HashMap<Digest, Vec<u8>>,
    kept: u64,
    /// Documents that are named, and have not come yet.
    awaited: BTreeSet<Digest>,
    /// The blobs that the models need, once that is known.
    needed: Option<BTreeSet<Digest>>,
    pub(in crate::store) pinned: Vec<Pinned>,
    pub(in crate::store) done: ImportedArchive,
}

impl<'s> Intake<'s> {
    /// # Errors
    /// Where nothing may be imported at all.
    pub(in crate::store) fn new(
        store: &'s Store,
        options: &'s ImportArchiveOptions,
    ) -> Result<Self> {
        if let Some(error) = &options.malformed {
            return Err(error.clone());
        }
        store.may_change()?;
        // Who we are is what an empty staged file says: root writes for the store's owner.
        let staged = Staged::new(store.layout(), Place::Blobs, Durability::None)?;
        store.refuse_foreign(staged.file(), "importing")?;
        Ok(Intake {
            store,
            options,
            has_layout: false,
            index: None,
            seen: HashMap::new(),
            documents: HashMap::new(),
            kept: 0,
            awaited: BTreeSet::new(),
            needed: None,
            pinned: Vec::new(),
            done: ImportedArchive::default(),
        })
    }

    /// Begins with the one manifest of a model, which comes from elsewhere than an archive.
    pub(in crate::store) fn of_manifest(
        store: &'s Store,
        options: &'s ImportArchiveOptions,
        manifest: Vec<u8>,
    ) -> Result<Self> {
        let mut intake = Intake::new(store, options)?;
        let digest = Digest::of(&manifest);
        let size = manifest.len();
        intake.has_layout = true;
        intake.seen.insert(digest, size as u64);
        intake.keep_document(digest, manifest)?;
        intake.take_index(Index::of_one(&digest, size))?;
        Ok(intake)
    }

    /// Returns a document that is named, and is needed before it is known what else is.
    #[cfg(feature = "registry")]
    pub(in crate::store) fn next_awaited(&self) -> Option<Digest> {
        self.awaited.iter().next().copied()
    }

    /// Returns the blobs that are needed and have not come yet, and the sizes that are stated.
    #[cfg(feature = "registry")]
    pub(in crate::store) fn missing(&self) -> Result<Vec<(Digest, u64)>> {
        let mut missing = std::collections::BTreeMap::new();
        for model in self.models()? {
            missing.extend(Manifest::parse(&model.manifest)?.sizes()?);
        }
        missing.retain(|digest, _| !self.seen.contains_key(digest));
        Ok(missing.into_iter().collect())
    }

    /// Notes that a blob came by another way, and is in its place.
    #[cfg(feature = "registry")]
    pub(in crate::store) fn hold(&mut self, digest: Digest, size: u64) {
        self.seen.insert(digest, size);
    }

    /// Takes the next file of the archive.
    pub(in crate::store) fn take(&mut self, entry: Entry, bytes: &mut dyn Read) -> Result<()> {
        match entry.member {
            Member::Layout => {
                if self.has_layout {
                    return Err(twice("oci-layout"));
                }
                self.has_layout = true;
                oci::check_layout(&self.text(entry, bytes)?)
            }
            Member::Index => {
                if self.index.is_some() {
                    return Err(twice("index.json"));
                }
                let text = self.text(entry, bytes)?;
                self.take_index(Index::parse(&text)?)
            }
            Member::Blob(digest) => {
                if self.seen.insert(digest, entry.size).is_some() {
                    return Err(twice(&format!("the blob {digest}")));
                }
                self.take_blob(digest, entry, bytes)
            }
            Member::Other => Ok(()),
        }
    }

    /// Returns a file that is needed and has not come yet; nothing where it is not known which.
    pub(in crate::store) fn next_needed(&self) -> Option<Digest> {
        let needed = self.needed.iter().flatten();
        let mut missing = self.awaited.iter().chain(needed);
        missing
            .find(|digest| !self.seen.contains_key(digest))
            .copied()
    }

    /// Reads a text of a size that may be kept in memory.
    fn text(&self, entry: Entry, bytes: &mut dyn Read) -> Result<Vec<u8>> {
        if entry.size > LARGEST_DOCUMENT {
            let (path, size) = (entry.member.path(), entry.size);
            let text = format!("{path} has {size} bytes, more than {LARGEST_DOCUMENT}");
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        let mut text = Vec::new();
        let mut bytes = bytes.take(LARGEST_DOCUMENT);
        bytes.read_to_end(&mut text).map_err(oci::failed)?;
        self.store.advance(text.len() as u64)?;
        Ok(text)
    }

    fn take_index(&mut self, index: Index) -> Result<()> {
        if self.options.name.is_some() && index.manifests.len() != 1 {
            let text = format!(
                "one name is given, and index.json names {} models",
                index.manifests.len()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, text));
        }
        let images = index.manifests.iter().map(|one| one.digest());
        let images = images.collect::<Result<Vec<_>>>()?;
        self.names_of(&index)?;
        self.index = Some(index);
        for image in images {
            self.expand(image)?;
        }
        self.resolve()
    }

    /// Follows an image to the manifest that it wraps, as far as they have come.
    fn expand(&mut self, image: Digest) -> Result<()> {
        let Some(bytes) = self.document(&image)? else {
            self.awaited.insert(image);
            return Ok(());
        };
        if let Some(own) = wrapped(&bytes)?
            && self.document(&own)?.is_none()
        {
            self.awaited.insert(own);
        }
        Ok(())
    }

    /// Returns the bytes of a document that has come, also of one that was too large to be kept.
    fn document(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.documents.get(digest) {
            return Ok(Some(bytes.clone()));
        }
        if !self.seen.contains_key(digest) {
            return Ok(None);
        }
        let path = self.store.blob_path(digest);
        let text = read::read_text(&path).map_err(|e| Error::io("reading blob", &path, e))?;
        if text.bytes.len() as u64 > LARGEST_DOCUMENT || Digest::of(&text.bytes) != *digest {
            let text = format!("the manifest {digest} is too large, or damaged");
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        Ok(Some(text.bytes))
    }

    fn take_blob(&mut self, digest: Digest, entry: Entry, bytes: &mut dyn Read) -> Result<()> {
        if let Some(needed) = &self.needed {
            // What no model needs is passed over.
            return match needed.contains(&digest) {
                true => self.store_blob(digest, entry.size, bytes),
                false => Ok(()),
            };
        }
        let is_awaited = self.awaited.contains(&digest);
        if !is_awaited && (entry.size > LARGEST_DOCUMENT || self.kept + entry.size > MOST_KEPT) {
            return self.store_blob(digest, entry.size, bytes);
        }
        let text = self.text(entry, bytes)?;
        must_be(&digest, &Digest::of(&text))?;
        if !is_awaited && text.first() != Some(&b'{') {
            let size = text.len() as u64;
            return self.store_blob_uncounted(digest, size, &mut &*text);
        }
        self.keep_document(digest, text)?;
        if self.awaited.remove(&digest) {
            self.expand(digest)?;
            self.resolve()?;
        }
        Ok(())
    }

    fn keep_document(&mut self, digest: Digest, text: Vec<u8>) -> Result<()> {
        self.kept += text.len() as u64;
        if self.kept > 2 * MOST_KEPT {
            let text = format!("its manifests have more than {} bytes", 2 * MOST_KEPT);
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        self.documents.insert(digest, text);
        Ok(())
    }

    /// Finds out what the models need, when all their manifests have come, and whether their names
    /// are free.
    fn resolve(&mut self) -> Result<()> {
        if self.index.is_none() || !self.awaited.is_empty() || self.needed.is_some() {
            return Ok(());
        }
        let mut needed = BTreeSet::new();
        for model in self.models()? {
            self.may_take(&model)?;
            needed.extend(Manifest::parse(&model.manifest)?.digests());
        }
        // What nobody needs after all is not kept any longer.
        self.needed = Some(needed);
        Ok(())
    }

    /// Returns the models of the archive, in its order.
    pub(super) fn models(&self) -> Result<Vec<Incoming>> {
        let Some(index) = &self.index else {
            let text = "it has no index.json: it is no archive of models";
            return Err(Error::new(ErrorKind::Corrupt, text));
        };
        let names = self.names_of(index)?.into_iter();
        let models = names.zip(&index.manifests).map(|(name, descriptor)| {
            let image = self.must_have(&descriptor.digest()?)?;
            descriptor.check_size(image.len())?;
            let manifest = match wrapped(&image)? {
                Some(own) => self.must_have(&own)?,
                None => image,
            };
            check_manifest(&name, &manifest)?;
            Ok(Incoming { name, manifest })
        });
        models.collect()
    }

    fn must_have(&self, digest: &Digest) -> Result<Vec<u8>> {
        self.document(digest)?.ok_or_else(|| {
            let text = format!("it lacks the manifest {digest}");
            Error::new(ErrorKind::Corrupt, text)
        })
    }

    /// Returns the names of the models, each for another one.
    fn names_of(&self, index: &Index) -> Result<Vec<ModelName>> {
        let mut names: Vec<ModelName> = Vec::with_capacity(index.manifests.len());
        let mut folded = BTreeSet::new();
        for descriptor in &index.manifests {
            let name = match &self.options.name {
                Some(name) => name.clone(),
                None => descriptor.name()?,
            };
            let name = self.store.spelling(&name)?;
            if !folded.insert(name.full().to_ascii_lowercase()) {
                let text = format!("index.json names '{name}' twice");
                return Err(Error::new(ErrorKind::Corrupt, text));
            }
            names.push(name);
        }
        Ok(names)
    }

    fn store_blob(&mut self, digest: Digest, size: u64, bytes: &mut dyn Read) -> Result<()> {
        self.store_arrival(Arrival::counted(self.store, digest, size), bytes)
    }

    /// As [`store_blob`](Self::store_blob), of bytes that were counted when they came.
    fn store_blob_uncounted(
        &mut self,
        digest: Digest,
        size: u64,
        bytes: &mut dyn Read,
    ) -> Result<()> {
        self.store_arrival(Arrival::uncounted(self.store, digest, size), bytes)
    }

    fn store_arrival(&mut self, arrival: Arrival<'_>, bytes: &mut dyn Read) -> Result<()> {
        let size = arrival.size;
        let (pinned, is_new) = arrival.take(bytes)?;
        if is_new {
            self.done.new_blobs += 1;
            self.done.new_bytes += size;
        } else {
            self.done.shared_blobs += 1;
        }
        if self.pinned.len() < MOST_PINNED {
            self.pinned.push(pinned);
        }
        Ok(())
    }

    /// Makes the models visible, when all of the archive has come.
    ///
    /// # Errors
    /// Where something is missing, or contradicts itself.
    pub(in crate::store) fn finish(mut self) -> Result<ImportedArchive> {
        if !self.has_layout {
            let text = "it has no oci-layout: it is no archive of models";
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        let models = self.models()?;
        let mut needed = BTreeSet::new();
        for model in &models {
            needed.extend(self.blobs_of(model)?);
        }
        for digest in &needed {
            if let Some(text) = self.documents.remove(digest) {
                let size = text.len() as u64;
                self.store_blob_uncounted(*digest, size, &mut &*text)?;
            }
        }
        self.commit(models, &needed)
    }

    /// Returns the blobs of a model, all of which have come, as large as it says.
    fn blobs_of(&self, model: &Incoming) -> Result<Vec<Digest>> {
        let manifest = Manifest::parse(&model.manifest)?;
        for layer in manifest.entries() {
            if layer.digest_text().is_empty() {
                continue;
            }
            let (digest, name) = (layer.digest()?, &model.name);
            let Some(size) = self.seen.get(&digest) else {
                let text = format!("it lacks the blob {digest} of '{name}'");
                return Err(Error::new(ErrorKind::Corrupt, text));
            };
            if contradicts(layer.size, *size) {
                let stated = layer.size;
                let text = format!("'{name}' states {stated} bytes of {digest}, which has {size}");
                return Err(Error::new(ErrorKind::Corrupt, text));
            }
        }
        Ok(manifest.digests())
    }
}

fn must_be(digest: &Digest, found: &Digest) -> Result<()> {
    if digest == found {
        return Ok(());
    }
    let text = format!("the bytes of the blob {digest} are {found}");
    Err(Error::new(ErrorKind::Corrupt, text))
}

fn twice(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("it has {what} twice"))
}
