//! What the disk holds, and for whom.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use serde::Serialize;

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::fs::layout::BlobName;
use crate::json;
use crate::name::ModelName;
use crate::store::model::{read_manifest, was_deleted};
use crate::store::{Problem, Store};

/// The disk usage of a store. Bytes are real blocks on disk; each digest counts once.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// The models, by name.
    pub models: Vec<ModelUsage>,
    /// The bytes of all blobs that models use.
    pub used: u64,
    /// Blobs that no model uses.
    pub orphans: Files,
    /// Leftovers of interrupted downloads.
    pub partials: Files,
    /// Files in `blobs/` that are neither.
    pub strangers: Files,
    /// All of these bytes together.
    pub total: u64,
    /// Manifests that could not be read: what they use counts as orphaned.
    pub problems: Vec<Problem>,
}

/// The disk usage of one model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModelUsage {
    /// The model.
    pub name: ModelName,
    /// The bytes that it alone holds: what deleting it frees.
    pub exclusive: u64,
    /// The bytes that it shares with other models.
    pub shared: u64,
    /// How many of its blobs are missing.
    pub missing: usize,
}

/// Some files together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Files {
    /// How many.
    pub files: usize,
    /// Their bytes on disk.
    pub bytes: u64,
}

impl Files {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl Usage {
    /// The answer as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

/// A digest's bytes on disk, where there are any, and how many models use it.
#[derive(Default)]
struct Holding {
    bytes: Option<u64>,
    users: usize,
}

impl Store {
    /// Measures the disk. Reads every manifest once and looks at every file of `blobs/`.
    ///
    /// # Errors
    /// Where `blobs/` cannot be read.
    pub fn usage(&self) -> Result<Usage> {
        let mut usage = Usage::default();
        let mut holdings = self.holdings(&mut usage)?;
        let models = self.digests_by_model(&mut usage.problems);
        for digest in models.values().flatten() {
            holdings.entry(*digest).or_default().users += 1;
        }
        for (name, digests) in models {
            usage.models.push(model_usage(name, &digests, &holdings));
        }
        for holding in holdings.values() {
            let Some(bytes) = holding.bytes else { continue };
            match holding.users {
                0 => usage.orphans.add(bytes),
                _ => usage.used += bytes,
            }
        }
        let others = [usage.orphans, usage.partials, usage.strangers];
        usage.total = usage.used + others.iter().map(|files| files.bytes).sum::<u64>();
        Ok(usage)
    }

    fn holdings(&self, usage: &mut Usage) -> Result<BTreeMap<Digest, Holding>> {
        let directory = self.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        let mut holdings: BTreeMap<Digest, Holding> = BTreeMap::new();
        for file in self.layout().blobs().map_err(at)? {
            let Ok(metadata) = file.path.metadata() else {
                continue;
            };
            // stat(2): st_blocks counts 512-byte blocks, whatever the file system's are.
            let bytes = metadata.blocks().saturating_mul(512);
            match file.name {
                BlobName::Digest(digest) => {
                    let held = &mut holdings.entry(digest).or_default().bytes;
                    *held = Some(held.unwrap_or(0) + bytes);
                }
                BlobName::Partial => usage.partials.add(bytes),
                BlobName::Stranger => usage.strangers.add(bytes),
            }
        }
        Ok(holdings)
    }

    fn digests_by_model(&self, problems: &mut Vec<Problem>) -> BTreeMap<ModelName, Vec<Digest>> {
        let mut models = BTreeMap::new();
        let files = self.layout().manifests(|path, e| {
            problems.push(Problem::new(
                path,
                None,
                Error::io("reading directory", path, e),
            ));
        });
        for file in files {
            let Some(name) = file.name else { continue };
            match read_manifest(&file.path) {
                Ok((manifest, _)) => drop(models.insert(name, manifest.digests())),
                Err(error) if was_deleted(&file.path, &error) => {}
                Err(error) => problems.push(Problem::new(&file.path, Some(&name), error)),
            }
        }
        models
    }
}

fn model_usage(
    name: ModelName,
    digests: &[Digest],
    holdings: &BTreeMap<Digest, Holding>,
) -> ModelUsage {
    let mut model = ModelUsage {
        name,
        exclusive: 0,
        shared: 0,
        missing: 0,
    };
    for holding in digests.iter().filter_map(|digest| holdings.get(digest)) {
        match (holding.bytes, holding.users) {
            (Some(bytes), 1) => model.exclusive += bytes,
            (Some(bytes), _) => model.shared += bytes,
            (None, _) => model.missing += 1,
        }
    }
    model
}
