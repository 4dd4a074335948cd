//! The blobs to verify, who uses them, and what is known of each.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use rayon::prelude::*;

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::hash::Job;
use crate::fs::read;
use crate::gguf::{Fault, Limits};
use crate::manifest::Manifest;
use crate::media::MediaType;
use crate::name::ModelName;
use crate::reference::Reference;
use crate::store::model::{read_manifest, was_deleted};
use crate::store::{Problem, Store};

use super::memory::{Lesson, Memory, Stamp};
use super::report::{BlobStatus, BrokenModel, Finding, GgufFinding, Report, Trusted};

/// A digest, the file of that name, and what manifests say of it.
pub(super) struct Subject {
    digest: Digest,
    path: PathBuf,
    sizes: Vec<(ModelName, i64)>,
    is_gguf: bool,
    size: u64,
    verdict: Option<(BlobStatus, String)>,
    /// Whether its bytes have the digest, whatever a manifest says of its size.
    is_intact: bool,
    /// What the file looked like before any byte was read.
    stamp: Option<Stamp>,
    /// Whether an earlier run's word stands for the bytes.
    is_trusted: bool,
    gguf: Option<GgufFinding>,
}

impl Subject {
    pub(super) fn job(&self) -> Job<'_> {
        Job {
            path: &self.path,
            size: self.size,
        }
    }

    /// What the file itself shows, before any byte is read.
    fn look(&mut self) {
        let metadata = match read::open_regular(&self.path).and_then(|file| file.metadata()) {
            Ok(metadata) => metadata,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                self.verdict = Some((BlobStatus::Missing, "no such file".to_owned()));
                return;
            }
            Err(e) => {
                self.verdict = Some((BlobStatus::Unreadable, e.to_string()));
                return;
            }
        };
        self.size = metadata.len();
        self.stamp = Some(Stamp::of(&metadata));
        let stated = self
            .sizes
            .iter()
            .find(|(_, size)| u64::try_from(*size) != Ok(self.size));
        if let Some((name, stated)) = stated {
            let text = format!("{} bytes, where {name} says {stated}", self.size);
            self.verdict = Some((BlobStatus::WrongSize, text));
        }
    }

    /// Takes an earlier run's word where nothing speaks against it.
    fn trust(&mut self, memory: &Memory) {
        let is_known = |stamp| memory.trusts(&self.digest, stamp);
        if self.verdict.is_none() && self.stamp.as_ref().is_some_and(is_known) {
            self.verdict = Some((BlobStatus::Ok, String::new()));
            (self.is_intact, self.is_trusted) = (true, true);
        }
    }

    fn is_ok(&self) -> bool {
        matches!(self.verdict, Some((BlobStatus::Ok, _)))
    }

    pub(super) fn judge(&mut self, hashed: io::Result<Digest>) {
        self.is_intact = hashed.as_ref().is_ok_and(|digest| *digest == self.digest);
        if self.verdict.is_some() {
            return;
        }
        self.verdict = Some(match hashed {
            Ok(_) if self.is_intact => (BlobStatus::Ok, String::new()),
            Ok(digest) => (BlobStatus::WrongDigest, format!("the bytes are {digest}")),
            Err(e) if e.kind() == io::ErrorKind::NotFound => (
                BlobStatus::Missing,
                "vanished while it was verified".to_owned(),
            ),
            Err(e) => (BlobStatus::Unreadable, e.to_string()),
        });
    }

    /// Whether there are bytes to hash. A wrong size does not tell whether the blob or the
    /// manifest is wrong; the digest does.
    fn has_bytes(&self) -> bool {
        matches!(self.verdict, None | Some((BlobStatus::WrongSize, _)))
    }

    fn into_finding(self) -> Finding {
        let unseen = || (BlobStatus::Unreadable, "was not read".to_owned());
        let (status, detail) = self.verdict.unwrap_or_else(unseen);
        let mut models: Vec<ModelName> = self.sizes.into_iter().map(|(name, _)| name).collect();
        models.dedup();
        Finding {
            digest: self.digest,
            path: self.path,
            status,
            size: self.size,
            detail,
            is_intact: self.is_intact,
            models,
            gguf: self.gguf,
        }
    }

    /// What the strict reader says of the file, where it is one of GGUF.
    fn read_gguf(&mut self) {
        let read = |limits| GgufFile::open(&self.path, &GgufOptions::new(limits));
        let strict = read(Limits::strict());
        let fault = |error: &Error| error.cause_of::<Fault>().cloned();
        let unsupported = strict.as_ref().err().and_then(fault);
        let unsupported = unsupported.filter(|fault| fault.kind().is_unsupported());
        let opened = match unsupported {
            Some(_) => read(Limits::lenient()),
            None => strict,
        };
        self.gguf = match opened {
            Ok(file) => Some(GgufFinding {
                fault: None,
                unsupported,
                warnings: file.view().warnings().to_vec(),
            }),
            Err(error) => fault(&error).map(|fault| GgufFinding {
                fault: Some(fault),
                ..GgufFinding::default()
            }),
        };
    }
}

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
        let mut problems = Vec::new();
        let files = store.layout().manifests(|path, e| {
            problems.push(Problem::new(
                path,
                None,
                Error::io("reading directory", path, e),
            ));
        });
        for file in files {
            let Some(name) = file.name else { continue };
            match read_manifest(&file.path) {
                Ok((manifest, _)) => self.add(store, &name, &manifest),
                Err(error) if was_deleted(&file.path, &error) => {}
                Err(error) => problems.push(Problem::new(&file.path, Some(&name), error)),
            }
        }
        self.problems = problems;
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
            is_intact: false,
            stamp: None,
            is_trusted: false,
            gguf: None,
        })
    }

    fn blame(&mut self, name: &ModelName, reason: String) {
        self.models.entry(name.clone()).or_default().push(reason);
    }

    /// Costs an `open` for each; on the threads of the pool in which it is called.
    pub(super) fn look(&mut self) {
        let subjects: Vec<&mut Subject> = self.by_digest.values_mut().collect();
        subjects.into_par_iter().for_each(Subject::look);
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
            if !subject.is_ok() {
                lesson.bad.push(subject.digest);
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

    pub(super) fn read_gguf(&mut self) {
        self.by_digest
            .values_mut()
            .filter(|subject| subject.is_gguf)
            .for_each(Subject::read_gguf);
    }

    pub(super) fn into_report(mut self) -> Report {
        let by_digest = std::mem::take(&mut self.by_digest);
        let mut trusted = Trusted::default();
        for subject in by_digest.values().filter(|subject| subject.is_trusted) {
            trusted.blobs += 1;
            trusted.bytes += subject.size;
        }
        let blobs: Vec<Finding> = by_digest.into_values().map(Subject::into_finding).collect();
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
