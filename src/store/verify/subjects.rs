//! All blobs of one verification, and the models that it finds broken.

use std::collections::{BTreeMap, HashSet};
use std::time::SystemTime;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::fs::hash;
use crate::fs::private::{Leftovers, Room};
use crate::fs::read;
use crate::manifest::{Manifest, MediaType};
use crate::name::{Digest, ModelName, Reference};
use crate::store::handle::Store;
use crate::store::model::{read_manifest, was_deleted};
use crate::store::outgoing;
use crate::store::problem::Problem;

use super::memory::{Lesson, Memory};
use super::report::{BlobStatus, BrokenModel, Finding, Report, Trusted};
use super::subject::Subject;

/// All subjects of one verification.
pub(super) struct Subjects {
    by_digest: BTreeMap<Digest, Subject>,
    models: BTreeMap<ModelName, Vec<String>>,
    problems: Vec<Problem>,
}

impl Subjects {
    /// The blobs of the named models, or every blob of the store and every one that a manifest
    /// names.
    pub(super) fn of(store: &Store, models: &[Reference]) -> Result<Self> {
        let mut subjects = Subjects {
            by_digest: BTreeMap::new(),
            models: BTreeMap::new(),
            problems: Vec::new(),
        };
        for reference in models {
            let model = store.model(reference)?;
            subjects.add(store, model.name(), model.manifest());
        }
        if models.is_empty() {
            subjects.add_all(store)?;
        }
        Ok(subjects)
    }

    fn add_all(&mut self, store: &Store) -> Result<()> {
        let survey = store.survey(|stored| Some((stored.file.name, stored.manifest)))?;
        self.problems = survey.problems;
        for (name, manifest) in survey.found {
            match name {
                Some(name) => self.add(store, &name, &manifest),
                // Nobody can use it here, and yet it keeps what it names.
                None => manifest.digests().into_iter().for_each(|digest| {
                    self.entry(store, digest);
                }),
            }
        }
        let directory = store.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        for blob in store.layout().blobs().map_err(at)? {
            if let Some(digest) = blob.digest() {
                self.entry(store, digest);
            }
        }
        Ok(())
    }

    fn add(&mut self, store: &Store, name: &ModelName, manifest: &Manifest) {
        for layer in manifest
            .entries()
            .filter(|layer| !layer.digest_text().is_empty())
        {
            match layer.digest() {
                Ok(digest) => {
                    let subject = self.entry(store, digest);
                    subject.sizes.push((name.clone(), layer.size));
                    let media = layer.media();
                    subject.is_gguf |= matches!(
                        media,
                        MediaType::Model
                            | MediaType::Adapter
                            | MediaType::Projector
                            | MediaType::Draft
                    );
                }
                Err(error) => self.blame(name, error.to_string()),
            }
        }
    }

    fn entry(&mut self, store: &Store, digest: Digest) -> &mut Subject {
        self.by_digest.entry(digest).or_insert_with(|| Subject {
            digest,
            path: store.layout().blob(&digest),
            sizes: Vec::new(),
            is_gguf: false,
            size: 0,
            verdict: None,
            failure: None,
            stamp: None,
            is_trusted: false,
            gguf: None,
        })
    }

    fn blame(&mut self, name: &ModelName, reason: String) {
        self.models.entry(name.clone()).or_default().push(reason);
    }

    /// Looks at every file, on the threads of the pool in which it is called; at what they were
    /// together too many for, one by one. Costs an `open` for each.
    ///
    /// # Errors
    /// Where the process lacks the means even then.
    pub(super) fn look(&mut self) -> Result<()> {
        let subjects: Vec<&mut Subject> = self.by_digest.values_mut().collect();
        subjects.into_par_iter().for_each(Subject::look);
        for subject in self.failed_in_passing() {
            (subject.verdict, subject.failure) = (None, None);
            subject.look();
        }
        self.refuse_exhaustion()
    }

    /// Hashes once more, one by one, what all threads together had too few descriptors for, or
    /// what was interrupted.
    pub(super) fn hash_again(&mut self) {
        for subject in self.failed_in_passing() {
            (subject.verdict, subject.failure) = (None, None);
            subject.judge(hash::hash_file(&subject.path));
        }
    }

    /// Returns the subjects that could not be read, and may be at another try.
    fn failed_in_passing(&mut self) -> impl Iterator<Item = &mut Subject> {
        let subjects = self.by_digest.values_mut();
        subjects.filter(|subject| subject.has_passing_failure())
    }

    /// # Errors
    /// Where a file could not be read for want of something that has nothing to do with the file.
    pub(super) fn refuse_exhaustion(&mut self) -> Result<()> {
        let is_exhausted =
            |subject: &&mut Subject| subject.failure.as_ref().is_some_and(read::is_exhaustion);
        let exhausted = self.by_digest.values_mut().find(is_exhausted);
        match exhausted.and_then(|subject| Some((subject.failure.take()?, &subject.path))) {
            Some((error, path)) => Err(Error::io("verifying blob", path, error)),
            None => Ok(()),
        }
    }

    pub(super) fn trust(&mut self, memory: &Memory) {
        let subjects = self.by_digest.values_mut();
        subjects.for_each(|subject| subject.trust(memory));
    }

    /// What a run that began to look at `moment` learned of the blobs.
    pub(super) fn lesson(&self, moment: SystemTime) -> Lesson {
        let mut lesson = Lesson::default();
        for subject in self
            .by_digest
            .values()
            .filter(|subject| !subject.is_trusted)
        {
            if subject.is_bad() {
                lesson.bad.push(subject.digest);
            } else if !subject.is_ok() {
                // What could not be read may be as good as ever.
            } else if let Some(stamp) = subject.stamp.filter(|stamp| stamp.is_settled(moment)) {
                lesson.good.push((subject.digest, stamp));
            }
        }
        lesson
    }

    /// The subjects that only their bytes can judge.
    pub(super) fn to_hash(&self) -> impl Iterator<Item = &Subject> {
        self.by_digest
            .values()
            .filter(|subject| subject.has_bytes())
    }

    pub(super) fn to_hash_mut(&mut self) -> impl Iterator<Item = &mut Subject> {
        self.by_digest
            .values_mut()
            .filter(|subject| subject.has_bytes())
    }

    /// Forgets the blobs that somebody deleted while the others were hashed, unless a manifest
    /// names them still, and those that somebody put back. Reads the manifests that named them once
    /// more.
    pub(super) fn forget_deleted(&mut self, store: &Store) {
        let missing = |subject: &&Subject| {
            let verdict = subject.verdict.as_ref();
            verdict.is_some_and(|(status, _)| *status == BlobStatus::Missing)
        };
        let mut named: BTreeMap<ModelName, Option<HashSet<Digest>>> = BTreeMap::new();
        for subject in self.by_digest.values().filter(missing) {
            for (name, _) in &subject.sizes {
                if !named.contains_key(name) {
                    named.insert(name.clone(), names_now(store, name));
                }
            }
        }
        self.by_digest.retain(|digest, subject| {
            if !missing(&&*subject) {
                return true;
            }
            let names = |name: &ModelName| match named.get(name) {
                Some(Some(named)) => named.contains(digest),
                _ => true,
            };
            subject.sizes.retain(|(name, _)| names(name));
            let is_link = subject.path.is_symlink();
            !subject.path.exists() && (is_link || !subject.sizes.is_empty())
        });
    }

    pub(super) fn read_gguf(&mut self, mmap: bool) {
        self.by_digest
            .values_mut()
            .filter(|subject| subject.is_gguf)
            .for_each(|subject| subject.read_gguf(mmap));
    }

    /// Says of each missing blob where it is instead, if that is known.
    pub(super) fn find_missing(&mut self, store: &Store) {
        let left = Leftovers::of(store.layout(), &[Room::Trash]).files;
        for file in left {
            let digest = store.layout().home(&file.path).map(|(_, digest)| digest);
            let subject = digest.and_then(|digest| self.by_digest.get_mut(&digest));
            if let Some(Subject {
                verdict: Some((BlobStatus::Missing, detail)),
                ..
            }) = subject
            {
                *detail = outgoing::trash_hint(&file.path);
            }
        }
    }

    pub(super) fn into_report(mut self, moment: SystemTime) -> Report {
        let by_digest = std::mem::take(&mut self.by_digest);
        let mut trusted = Trusted::default();
        for subject in by_digest.values() {
            if subject.is_trusted {
                trusted.blobs += 1;
                trusted.bytes += subject.size;
            }
            self.blame_manifests(subject);
        }
        let mut blobs: Vec<Finding> = by_digest.into_values().map(Subject::into_finding).collect();
        for finding in &mut blobs {
            finding.verified_at = Some(moment);
        }
        for finding in blobs
            .iter()
            .filter(|finding| finding.status != BlobStatus::Ok)
        {
            for name in &finding.models {
                self.blame(name, format!("{}: {}", finding.digest, finding.status));
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
            trusted,
            ..Report::default()
        }
    }

    /// A good blob whose size a manifest states wrongly is that manifest's fault alone.
    fn blame_manifests(&mut self, subject: &Subject) {
        if !subject.is_ok() {
            return;
        }
        for (name, stated) in &subject.sizes {
            if subject.contradicts(*stated) {
                let (digest, size) = (subject.digest, subject.size);
                let reason =
                    format!("{digest}: the manifest says {stated} bytes, and the blob has {size}");
                self.blame(name, reason);
            }
        }
    }
}

/// What a model's manifest names at this moment: nothing where it was deleted, `None` where it cannot
/// be read.
fn names_now(store: &Store, name: &ModelName) -> Option<HashSet<Digest>> {
    let path = store.layout().manifest(name);
    match read_manifest(&path) {
        Ok((manifest, _)) => Some(manifest.digests().into_iter().collect()),
        Err(error) => was_deleted(&path, &error).then(HashSet::new),
    }
}
