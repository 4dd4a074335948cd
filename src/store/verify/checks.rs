//! All blobs of one verification, and the models that it finds broken.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::time::SystemTime;

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::hash::{self, Job, Progress};
use crate::fs::layout::{BlobFile, Room};
use crate::fs::private::Leftovers;
use crate::fs::read;
use crate::manifest::{Manifest, MediaType, contradicts};
use crate::name::{Digest, ModelName, Reference};
use crate::store::handle::Store;
use crate::store::model::read_if_there;
use crate::store::outgoing;
use crate::store::problem::Problem;
use crate::store::provisional;

use super::blob_check::{BlobCheck, GgufInspection};
use super::cache::{CacheUpdate, VerifyCache};
use super::report::{BlobStatus, BrokenModel, Cached, Finding, Report};

/// What a manifest says of a blob.
struct BlobUse {
    digest: std::result::Result<Digest, String>,
    size: i64,
    is_gguf: bool,
}

/// Returns what a manifest says of its blobs: much less than it is itself, of which a store may have
/// thousands.
fn uses(manifest: &Manifest) -> Vec<BlobUse> {
    use MediaType::{Adapter, Draft, Model, Projector};
    let named = manifest
        .entries()
        .filter(|layer| !layer.digest_text().is_empty());
    let used = named.map(|layer| BlobUse {
        digest: layer.digest().map_err(|error| error.to_string()),
        size: layer.size,
        is_gguf: matches!(layer.media(), Model | Adapter | Projector | Draft),
    });
    used.collect()
}

/// All checks of one verification.
pub(super) struct Checks {
    by_digest: BTreeMap<Digest, BlobCheck>,
    models: BTreeMap<ModelName, Vec<String>>,
    problems: Vec<Problem>,
}

impl Checks {
    /// Returns the blobs of the named models, or every blob of the store and every one that a
    /// manifest names.
    pub(super) fn of(store: &Store, models: &[Reference]) -> Result<Self> {
        let mut checks = Checks {
            by_digest: BTreeMap::new(),
            models: BTreeMap::new(),
            problems: Vec::new(),
        };
        for reference in models {
            let model = store.model(reference)?;
            checks.add(store, model.name(), uses(model.manifest()));
        }
        if models.is_empty() {
            checks.by_digest = Checks::of_files(store)?;
            checks.add_all(store)?;
        }
        Ok(checks)
    }

    fn add_all(&mut self, store: &Store) -> Result<()> {
        // What a manifest names that nobody can use here is verified where there is a file of it.
        let survey = store.survey(|met| {
            let stored = met.stored()?;
            Ok(stored.and_then(|stored| Some((stored.file.name?, uses(&stored.manifest)))))
        })?;
        self.problems = survey.problems;
        for (name, used) in survey.found {
            self.add(store, &name, used);
        }
        Ok(())
    }

    /// Returns the blobs that are there, so that none of them has to be looked for.
    fn of_files(store: &Store) -> Result<BTreeMap<Digest, BlobCheck>> {
        let directory = store.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        let check = |blob: BlobFile| {
            let digest = blob.digest()?;
            let path = match blob.is_home() {
                true => store.layout().blob_file(&blob),
                // No blob's name, unless the file system takes it for one.
                false => store.layout().blob(&digest),
            };
            Some((digest, BlobCheck::new(digest, path)))
        };
        let blobs = store.layout().blobs().map_err(at)?;
        // Made at once, a tree takes half of what it does made one by one. Of two names of a blob the
        // new one comes last here, and stays.
        Ok(blobs.into_iter().rev().filter_map(check).collect())
    }

    fn add(&mut self, store: &Store, name: &ModelName, used: Vec<BlobUse>) {
        for blob in used {
            match blob.digest {
                Ok(digest) => {
                    let check = self.entry(store, digest);
                    check.sizes.push((name.clone(), blob.size));
                    check.is_gguf |= blob.is_gguf;
                }
                Err(error) => self.mark_broken(name, error),
            }
        }
    }

    fn entry(&mut self, store: &Store, digest: Digest) -> &mut BlobCheck {
        let new = || BlobCheck::new(digest, store.layout().blob(&digest));
        self.by_digest.entry(digest).or_insert_with(new)
    }

    fn mark_broken(&mut self, name: &ModelName, reason: String) {
        self.models.entry(name.clone()).or_default().push(reason);
    }

    /// Looks at every file, on the threads of the pool in which it is called; at what failed only for
    /// the moment, once more, one by one. Costs a `stat` for each.
    ///
    /// # Errors
    /// Where the process lacks the means even then.
    pub(super) fn stat(&mut self) -> Result<()> {
        let checks: Vec<&mut BlobCheck> = self.by_digest.values_mut().collect();
        checks.into_par_iter().for_each(BlobCheck::stat);
        for check in self.failed_in_passing() {
            (check.verdict, check.failure) = (None, None);
            check.stat();
        }
        self.refuse_exhaustion()
    }

    /// Hashes the blobs that only their bytes can decide, and inspects them while they are open: one
    /// `open` for each.
    ///
    /// # Errors
    /// [`Cancelled`](ErrorKind::Cancelled) where `observe` broke.
    pub(super) fn hash(
        &mut self,
        pool: &ThreadPool,
        streams: Option<NonZeroUsize>,
        inspection: Option<&GgufInspection>,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<()> {
        let checks = self.by_digest.values();
        let checks: Vec<&BlobCheck> = checks.filter(|check| check.has_bytes()).collect();
        let jobs: Vec<Job> = checks.iter().map(|check| check.job()).collect();
        let inspect = |index, file: &File| {
            if let (Some(inspection), Some(check)) = (inspection, checks.get(index).copied()) {
                inspection.read(check, file);
            }
        };
        let hashed = hash::hash_files(pool, &jobs, streams, &inspect, observe)
            .map_err(|_| Error::new(ErrorKind::Cancelled, "verifying was cancelled"))?;
        let checks = self.by_digest.values_mut();
        for (check, hashed) in checks.filter(|check| check.has_bytes()).zip(hashed) {
            check.record(hashed);
        }
        Ok(())
    }

    /// Hashes once more, one by one, what all threads together had too few descriptors for, or
    /// what was interrupted.
    pub(super) fn hash_again(&mut self, inspection: Option<&GgufInspection>) {
        for check in self.failed_in_passing() {
            (check.verdict, check.failure) = (None, None);
            let hashed = hash::hash_file(&check.path, |file| {
                if let Some(inspection) = inspection {
                    inspection.read(check, file);
                }
            });
            check.record(hashed);
        }
    }

    /// Returns the checks that could not be read, and may be at another try.
    fn failed_in_passing(&mut self) -> impl Iterator<Item = &mut BlobCheck> {
        let checks = self.by_digest.values_mut();
        checks.filter(|check| check.has_passing_failure())
    }

    /// # Errors
    /// Where a file could not be read for want of something that has nothing to do with the file.
    pub(super) fn refuse_exhaustion(&mut self) -> Result<()> {
        let is_exhausted =
            |check: &&mut BlobCheck| check.failure.as_ref().is_some_and(read::is_exhaustion);
        let exhausted = self.by_digest.values_mut().find(is_exhausted);
        match exhausted.and_then(|check| Some((check.failure.take()?, &check.path))) {
            Some((error, path)) => Err(Error::io("verifying blob", path, error)),
            None => Ok(()),
        }
    }

    pub(super) fn apply_cache(&mut self, cache: &VerifyCache) {
        let checks = self.by_digest.values_mut();
        checks.for_each(|check| check.apply_cache(cache));
    }

    /// Returns what a run that began to look at `moment` learned of the blobs.
    pub(super) fn update(&self, moment: SystemTime) -> CacheUpdate {
        let mut update = CacheUpdate::default();
        for check in self.by_digest.values().filter(|check| !check.is_cached) {
            if check.is_bad() {
                update.bad.push(check.digest);
            } else if !check.is_ok() {
                // What could not be read may be as good as ever.
            } else if let Some(stamp) = check.stamp.filter(|stamp| stamp.is_settled(moment)) {
                update.good.push((check.digest, stamp));
            }
        }
        update
    }

    /// Forgets the blobs that somebody deleted while the others were hashed, unless a manifest
    /// names them still, and those that somebody put back. Reads the manifests that named them once
    /// more.
    pub(super) fn forget_deleted(&mut self, store: &Store) {
        let missing = |check: &&BlobCheck| {
            let verdict = check.verdict.as_ref();
            verdict.is_some_and(|(status, _)| *status == BlobStatus::Missing)
        };
        let mut named: BTreeMap<ModelName, Option<HashSet<Digest>>> = BTreeMap::new();
        for check in self.by_digest.values().filter(missing) {
            for (name, _) in &check.sizes {
                if !named.contains_key(name) {
                    named.insert(name.clone(), names_now(store, name));
                }
            }
        }
        self.by_digest.retain(|digest, check| {
            if !missing(&&*check) {
                return true;
            }
            let names = |name: &ModelName| match named.get(name) {
                Some(Some(named)) => named.contains(digest),
                _ => true,
            };
            check.sizes.retain(|(name, _)| names(name));
            let is_link = check.path.is_symlink();
            !check.path.exists() && (is_link || !check.sizes.is_empty())
        });
    }

    /// Returns the bytes that were hashed.
    pub(super) fn hashed_bytes(&self) -> u64 {
        let hashed = self.by_digest.values().filter(|check| check.is_hashed);
        hashed.map(|check| check.size).sum()
    }

    /// Takes what an inspection found, and has it read the GGUF files that were not hashed.
    pub(super) fn take_gguf(&mut self, inspection: GgufInspection) {
        let unread = |check: &&BlobCheck| check.is_gguf && !check.is_hashed;
        for check in self.by_digest.values().filter(unread) {
            if let Ok(file) = read::open_regular(&check.path) {
                inspection.read(check, &file);
            }
        }
        for (digest, found) in inspection.into_found() {
            if let Some(check) = self.by_digest.get_mut(&digest) {
                check.gguf = Some(found);
            }
        }
    }

    /// Says of each missing blob where it is instead, if that is known.
    pub(super) fn find_missing(&mut self, store: &Store) {
        let left = Leftovers::of(store.layout(), &[Room::Trash]).files;
        for file in left {
            let digest = store.layout().home(&file.path).map(|(_, digest)| digest);
            let check = digest.and_then(|digest| self.by_digest.get_mut(&digest));
            if let Some(BlobCheck {
                verdict: Some((BlobStatus::Missing, detail)),
                ..
            }) = check
            {
                *detail = outgoing::trash_hint(&file.path);
            }
        }
        let uncertain = provisional::uncertain(store);
        for check in self.by_digest.values_mut() {
            let is_of_one = check.sizes.iter().any(|(name, _)| uncertain.contains(name));
            if let Some((BlobStatus::Missing, detail)) = &mut check.verdict
                && is_of_one
            {
                *detail = provisional::UNCERTAIN.to_owned();
            }
        }
    }

    pub(super) fn into_report(mut self, moment: SystemTime) -> Report {
        let by_digest = std::mem::take(&mut self.by_digest);
        let mut cached = Cached::default();
        for check in by_digest.values() {
            if check.is_cached {
                cached.blobs += 1;
                cached.bytes += check.size;
            }
            self.mark_manifests(check);
        }
        let mut blobs: Vec<Finding> = by_digest
            .into_values()
            .map(BlobCheck::into_finding)
            .collect();
        for finding in &mut blobs {
            finding.verified_at = Some(moment);
        }
        for finding in blobs
            .iter()
            .filter(|finding| finding.status != BlobStatus::Ok)
        {
            for name in &finding.models {
                self.mark_broken(name, format!("{}: {}", finding.digest, finding.status));
            }
        }
        let models = self.models.into_iter();
        let models = models
            .map(|(name, reasons)| BrokenModel { name, reasons })
            .collect();
        Report {
            blobs,
            models,
            problems: self.problems,
            cached,
            ..Report::default()
        }
    }

    /// A good blob whose size a manifest states wrongly is that manifest's fault alone.
    fn mark_manifests(&mut self, check: &BlobCheck) {
        if !check.is_ok() {
            return;
        }
        for (name, stated) in &check.sizes {
            if contradicts(*stated, check.size) {
                let (digest, size) = (check.digest, check.size);
                let reason =
                    format!("{digest}: the manifest says {stated} bytes, and the blob has {size}");
                self.mark_broken(name, reason);
            }
        }
    }
}

/// Returns what a model's manifest names at this moment: nothing where it was deleted, `None` where
/// it cannot be read.
fn names_now(store: &Store, name: &ModelName) -> Option<HashSet<Digest>> {
    let path = store.layout().manifest(name);
    let found = read_if_there(&path).ok()?;
    let digests = found.map(|(manifest, _)| manifest.digests());
    Some(digests.unwrap_or_default().into_iter().collect())
}
