//! One blob to verify, who uses it, and what is known of it.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::hash::{Hashed, Job};
use crate::fs::read;
use crate::fs::stamp::FileStamp;
use crate::gguf::{Limits, ParseError};
use crate::manifest::contradicts;
use crate::name::{Digest, ModelName};
use crate::sync::lock;

use super::cache::VerifyCache;
use super::report::{BlobStatus, Finding, GgufFinding};

/// A digest, the file of that name, and what manifests say of it.
pub(super) struct BlobCheck {
    pub digest: Digest,
    pub path: PathBuf,
    pub sizes: Vec<(ModelName, i64)>,
    pub is_gguf: bool,
    pub size: u64,
    pub verdict: Option<(BlobStatus, String)>,
    /// Why it could not be read.
    pub failure: Option<io::Error>,
    /// What the file looked like before any byte was read.
    pub stamp: Option<FileStamp>,
    /// Whether all of its bytes were hashed.
    pub is_hashed: bool,
    /// Whether an earlier run's word stands for the bytes.
    pub is_cached: bool,
    pub gguf: Option<GgufFinding>,
}

impl BlobCheck {
    /// Returns a check of the file at `path`, of which nothing is known yet.
    pub(super) fn new(digest: Digest, path: PathBuf) -> Self {
        BlobCheck {
            digest,
            path,
            // Most blobs have one user.
            sizes: Vec::with_capacity(1),
            is_gguf: false,
            size: 0,
            verdict: None,
            failure: None,
            stamp: None,
            is_hashed: false,
            is_cached: false,
            gguf: None,
        }
    }

    pub(super) fn job(&self) -> Job<'_> {
        Job {
            path: &self.path,
            size: self.size,
        }
    }

    /// Looks at the file itself, without opening it.
    pub(super) fn stat(&mut self) {
        match read::stat_regular(&self.path) {
            Ok(stat) => self.saw(FileStamp::of(&stat)),
            Err(e) => self.fail(e),
        }
    }

    fn saw(&mut self, stamp: FileStamp) {
        self.size = stamp.size();
        self.stamp = Some(stamp);
    }

    /// Notes that the file could not be read. What this process lacks says nothing about the file,
    /// and is kept for another try.
    pub(super) fn fail(&mut self, error: io::Error) {
        let error = read::dangling(&self.path, error);
        self.verdict = Some(match error.kind() {
            _ if read::is_passing(&error) => {
                let text = format!("could not be read, try again: {error}");
                (BlobStatus::Unreadable, text)
            }
            _ if self.path.is_symlink() && !self.path.exists() => {
                (BlobStatus::Missing, error.to_string())
            }
            io::ErrorKind::NotFound => (BlobStatus::Missing, "no such file".to_owned()),
            _ => (BlobStatus::Unreadable, error.to_string()),
        });
        self.failure = Some(error);
    }

    pub(super) fn has_passing_failure(&self) -> bool {
        self.failure.as_ref().is_some_and(read::is_passing)
    }

    /// Takes an earlier run's word where nothing speaks against it.
    pub(super) fn apply_cache(&mut self, cache: &VerifyCache) {
        let is_known = |stamp| cache.holds(&self.digest, stamp);
        if self.stamp.as_ref().is_some_and(is_known) {
            self.verdict = Some((BlobStatus::Ok, String::new()));
            self.is_cached = true;
        }
    }

    pub(super) fn is_ok(&self) -> bool {
        matches!(self.verdict, Some((BlobStatus::Ok, _)))
    }

    /// Returns whether the bytes are known not to be those of the digest.
    pub(super) fn is_bad(&self) -> bool {
        use BlobStatus::{Missing, WrongDigest, WrongSize};
        matches!(self.verdict, Some((Missing | WrongDigest | WrongSize, _)))
    }

    pub(super) fn record(&mut self, hashed: io::Result<Hashed>) {
        let digest = match hashed {
            Ok(Hashed { digest, stamp }) => {
                self.saw(stamp);
                self.is_hashed = true;
                digest
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let text = "vanished while it was verified".to_owned();
                self.verdict = Some((BlobStatus::Missing, text));
                return;
            }
            Err(e) => return self.fail(e),
        };
        self.verdict = Some(match self.wrong_size() {
            _ if digest == self.digest => (BlobStatus::Ok, String::new()),
            Some(text) => (BlobStatus::WrongSize, text),
            None => (BlobStatus::WrongDigest, format!("the bytes are {digest}")),
        });
    }

    /// Returns how a manifest contradicts the size of the file, where one does.
    pub(super) fn wrong_size(&self) -> Option<String> {
        let (name, stated) = self
            .sizes
            .iter()
            .find(|(_, stated)| contradicts(*stated, self.size))?;
        Some(format!("{} bytes, where {name} says {stated}", self.size))
    }

    /// Returns whether only the bytes can tell.
    pub(super) fn has_bytes(&self) -> bool {
        self.verdict.is_none()
    }

    pub(super) fn into_finding(self) -> Finding {
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
            is_intact: status == BlobStatus::Ok,
            stamp: self.stamp,
            verified_at: None,
            models,
            gguf: self.gguf,
        }
    }
}

/// Reads the GGUF files among the blobs, strictly, while they are open.
pub(super) struct GgufInspection {
    mmap: bool,
    found: Mutex<HashMap<Digest, GgufFinding>>,
}

impl GgufInspection {
    pub(super) fn new(mmap: bool) -> Self {
        GgufInspection {
            mmap,
            found: Mutex::default(),
        }
    }

    /// Reads a blob, where it is a GGUF file. One of which nothing can be said has no finding.
    pub(super) fn read(&self, check: &BlobCheck, file: &File) {
        if check.is_gguf {
            let found = gguf_finding(file, &check.path, self.mmap);
            let found = found.map(|found| (check.digest, found));
            let mut all = lock(&self.found);
            all.extend(found);
        }
    }

    pub(super) fn into_found(self) -> HashMap<Digest, GgufFinding> {
        let found = self.found.into_inner();
        found.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what the strict reader says of an open file; `None` where it cannot be read.
fn gguf_finding(file: &File, path: &Path, mmap: bool) -> Option<GgufFinding> {
    let read = |limits| GgufFile::of(file, path, &GgufOptions::new().limits(limits).mmap(mmap));
    let strict = read(Limits::strict());
    let fault = |error: &Error| error.cause_of::<ParseError>().cloned();
    let unsupported = strict.as_ref().err().and_then(fault);
    let unsupported = unsupported.filter(|fault| fault.kind().is_unsupported());
    let opened = match unsupported {
        Some(_) => read(Limits::lenient()),
        None => strict,
    };
    match opened {
        Ok(file) => Some(GgufFinding {
            error: None,
            unsupported,
            warnings: file.view().warnings().to_vec(),
        }),
        Err(error) => fault(&error).map(|fault| GgufFinding {
            error: Some(fault),
            ..GgufFinding::default()
        }),
    }
}
