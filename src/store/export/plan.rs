//! What goes into an archive, found before a byte of it is written.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::read;
use crate::manifest::Manifest;
use crate::name::{Digest, ModelName, Reference};
use crate::oci::{EMPTY_CONFIG, Image};
use crate::store::form::ManifestForm;
use crate::store::handle::Store;
use crate::store::model::{Model, read_manifest};

use super::Exported;

/// A blob of the store.
pub(super) struct PlannedBlob {
    pub digest: Digest,
    pub size: u64,
    /// A model that uses it.
    pub user: ModelName,
}

/// The parts of an archive, in their order.
#[derive(Default)]
pub(super) struct Plan {
    /// The models, by name, and the digest and size of the image of each.
    pub images: Vec<(ModelName, Digest, usize)>,
    /// What is no blob of the store, or small: manifests, and the images that wrap them.
    pub documents: Vec<(Digest, Vec<u8>)>,
    /// From the largest on: who breaks off an import soon has taken in nothing yet.
    pub blobs: Vec<PlannedBlob>,
}

impl Plan {
    pub(super) fn of(store: &Store, names: &[Reference]) -> Result<Self> {
        let names = names.iter().map(|name| Ok(store.must_find(name)?.0));
        let mut names = names.collect::<Result<Vec<ModelName>>>()?;
        names.sort();
        names.dedup();
        if names.is_empty() {
            let text = "exporting: no model is named";
            return Err(Error::new(ErrorKind::InvalidArgument, text));
        }
        let (mut plan, mut blobs) = (Plan::default(), BTreeMap::new());
        for name in names {
            plan.add(store, name, &mut blobs)?;
        }
        plan.blobs = blobs.into_values().collect();
        plan.blobs
            .sort_by_key(|blob| (Reverse(blob.size), blob.digest));
        Ok(plan)
    }

    fn add(
        &mut self,
        store: &Store,
        name: ModelName,
        blobs: &mut BTreeMap<Digest, PlannedBlob>,
    ) -> Result<()> {
        let path = store.layout().manifest(&name);
        let (manifest, text) = read_manifest(&path)?;
        let form = ManifestForm::of(&manifest, &text.bytes);
        if form != ManifestForm::Model {
            let text = format!("exporting '{name}': it is {}", form.words());
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let model = Model::new(store, name.clone(), manifest, text.modified);
        let size = |digest: &Digest| {
            let known = blobs.get(digest).map(|blob| blob.size);
            let size = known.map_or_else(|| size(&model, digest), Ok)?;
            let (digest, user) = (*digest, name.clone());
            blobs.insert(digest, PlannedBlob { digest, size, user });
            Ok(size)
        };
        let image = Image::of(model.manifest(), &text.bytes, size).map_err(|error| {
            let text = format!("exporting '{name}'");
            Error::caused(error.kind(), text, error)
        })?;
        let image = image.to_bytes();
        let size = image.len();
        let digest = self.document(image);
        if needs_config(model.manifest()) {
            self.document(EMPTY_CONFIG.to_vec());
        }
        self.document(text.bytes);
        self.images.push((name, digest, size));
        Ok(())
    }

    /// Adds a document; one that is there already is told apart where it is written.
    fn document(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.documents.push((digest, bytes));
        digest
    }

    /// Tells who watches how much there is to do.
    pub(super) fn expect(&self, store: &Store) {
        self.blobs.iter().for_each(|blob| store.expect(blob.size));
    }

    pub(super) fn exported(&self) -> Exported {
        Exported {
            models: self
                .images
                .iter()
                .map(|(name, _, _)| name.clone())
                .collect(),
            blobs: self.blobs.len(),
            bytes: self.blobs.iter().map(|blob| blob.size).sum(),
        }
    }
}

fn needs_config(manifest: &Manifest) -> bool {
    manifest.config().digest_text().is_empty()
}

/// Looks at a blob of a model.
fn size(model: &Model, digest: &Digest) -> Result<u64> {
    let path = model.store().blob_path(digest);
    let metadata = read::open_regular(&path).and_then(|file| file.metadata());
    metadata
        .map(|metadata| metadata.len())
        .map_err(|e| model.blob_error("opening blob", &path, e))
}
