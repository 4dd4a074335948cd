//! One blob to verify, who uses it, and what is known of it.

use std::io;
use std::path::PathBuf;

use crate::error::Error;
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::hash::Job;
use crate::fs::read;
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::Stat;
use crate::gguf::{Limits, ParseError};
use crate::name::{Digest, ModelName};

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
    /// Whether an earlier run's word stands for the bytes.
    pub is_cached: bool,
    pub gguf: Option<GgufFinding>,
}

impl BlobCheck {
    pub(super) fn job(&self) -> Job<'_> {
        Job {
            path: &self.path,
            size: self.size,
        }
    }

    /// Looks at the file itself, before any byte is read.
    pub(super) fn stat(&mut self) {
        let stat = match read::open_regular(&self.path).and_then(|file| Stat::of(&file)) {
            Ok(stat) => stat,
            Err(e) => return self.fail(e),
        };
        self.size = stat.len();
        self.stamp = Some(FileStamp::of(&stat));
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

    pub(super) fn record(&mut self, hashed: io::Result<Digest>) {
        let digest = match hashed {
            Ok(digest) => digest,
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
            .find(|(_, size)| self.contradicts(*size))?;
        Some(format!("{} bytes, where {name} says {stated}", self.size))
    }

    /// Returns whether a manifest states another size than the file has. Zero states nothing: it is
    /// what a manifest without a size has.
    pub(super) fn contradicts(&self, stated: i64) -> bool {
        stated != 0 && u64::try_from(stated) != Ok(self.size)
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

    /// What the strict reader says of the file, where it is one of GGUF.
    pub(super) fn read_gguf(&mut self, mmap: bool) {
        let read =
            |limits| GgufFile::open(&self.path, &GgufOptions::new().limits(limits).mmap(mmap));
        let strict = read(Limits::strict());
        let fault = |error: &Error| error.cause_of::<ParseError>().cloned();
        let unsupported = strict.as_ref().err().and_then(fault);
        let unsupported = unsupported.filter(|fault| fault.kind().is_unsupported());
        let opened = match unsupported {
            Some(_) => read(Limits::lenient()),
            None => strict,
        };
        self.gguf = match opened {
            Ok(file) => Some(GgufFinding {
                error: None,
                unsupported,
                warnings: file.view().warnings().to_vec(),
            }),
            Err(error) => fault(&error).map(|fault| GgufFinding {
                error: Some(fault),
                ..GgufFinding::default()
            }),
        };
    }
}
