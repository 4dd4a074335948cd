//! What is remembered of a line, beside what the survey remembers of its manifest.
//!
//! A line is used again only while its manifest and every blob that it was made of are the files that
//! they were, by their fingerprints.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ListedDetails;
use crate::capability::Capability;
use crate::fs::stamp::FileStamp;
use crate::name::Digest;

/// What a line holds that its manifest does not say.
pub(crate) struct KnownLine {
    pub(super) told: Arc<Told>,
    pub(super) blobs: Box<[Arc<ReadBlob>]>,
    /// Whether the weights among these blobs are known to be whole, and no part of a split model.
    has_all_parts: AtomicBool,
}

/// What config, template and header tell: models of one kind have it in common.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Told {
    pub remote_model: String,
    pub remote_host: String,
    pub details: ListedDetails,
    pub capabilities: Vec<Capability>,
}

/// A blob that something was read from, as its file was then.
#[derive(Debug)]
pub(crate) struct ReadBlob {
    pub digest: Digest,
    pub stamp: FileStamp,
    /// Which call has looked at it last, and whether it was still the same file.
    looked: AtomicU64,
}

impl ReadBlob {
    pub(super) fn new(digest: Digest, stamp: FileStamp) -> Self {
        ReadBlob {
            digest,
            stamp,
            looked: AtomicU64::new(0),
        }
    }

    /// Returns whether the file is unchanged, of which one call asks `look` once.
    pub(super) fn is_unchanged(&self, call: Call, look: impl FnOnce(&Self) -> bool) -> bool {
        let (this, other) = (call.0 << 1, self.looked.load(Ordering::Relaxed));
        if other | 1 == this | 1 {
            return other & 1 == 1;
        }
        let is_same = look(self);
        self.looked
            .store(this | u64::from(is_same), Ordering::Relaxed);
        is_same
    }
}

/// What tells one call from all others.
#[derive(Clone, Copy)]
pub(super) struct Call(u64);

impl Call {
    pub(super) fn begin() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Call(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl KnownLine {
    pub(super) fn new(told: Arc<Told>, blobs: Box<[Arc<ReadBlob>]>) -> Self {
        KnownLine {
            told,
            blobs,
            has_all_parts: AtomicBool::new(false),
        }
    }

    pub(super) fn has_all_parts(&self) -> bool {
        self.has_all_parts.load(Ordering::Relaxed)
    }

    pub(super) fn note_all_parts(&self) {
        self.has_all_parts.store(true, Ordering::Relaxed);
    }

    /// Returns about how many bytes of memory it takes, and its share of what others have as well.
    pub(crate) fn bytes(&self) -> u64 {
        let told = share(&self.told, size_of::<Told>() + self.told.text_bytes());
        let blobs = self.blobs.iter();
        let blobs = blobs.map(|blob| size_of_val(blob) + share(blob, size_of::<ReadBlob>()));
        (size_of::<Self>() + told + blobs.sum::<usize>()) as u64
    }
}

/// Returns what each of those who have a value pays for it.
fn share<T>(value: &Arc<T>, bytes: usize) -> usize {
    bytes / Arc::strong_count(value).max(1)
}

impl Told {
    fn text_bytes(&self) -> usize {
        let details = &self.details;
        let texts = [
            &self.remote_model,
            &self.remote_host,
            &details.parent_model,
            &details.format,
            &details.family,
            &details.parameter_size,
            &details.quantization_level,
        ];
        let families = details.families.iter().flatten();
        let texts = texts.into_iter().chain(families);
        let bytes: usize = texts.map(|text| size_of::<String>() + text.len()).sum();
        bytes + self.capabilities.len() * size_of::<Capability>()
    }
}
