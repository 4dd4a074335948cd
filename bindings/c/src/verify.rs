//! Verification.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;

use engine::{BlobStatus, Finding, Progress, Reference, Report, VerifyOptions};

use crate::boundary::{Fault, borrow, end, enter, fetch, give, look, options, output, slice, text};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::mkeep_store;
use crate::text::{Terminated, mkeep_str, mkeep_text};

/// Called on the calling thread before the first byte, then at most 20 times a second, and after
/// the last byte. `user` is what the caller gave. Answering false ends the call with
/// MKEEP_STATUS_CANCELLED. It must return: neither longjmp nor an exception may leave it.
pub type mkeep_progress =
    Option<unsafe extern "C" fn(user: *mut c_void, bytes: u64, total_bytes: u64) -> bool>;

/// Makes a call of the store, and tells a callback how far it is where there is one.
///
/// # Safety
/// `progress` is NULL or a function that can be called with `user`.
pub(crate) unsafe fn watched<T: Send>(
    store: &engine::Store,
    progress: mkeep_progress,
    user: *mut c_void,
    call: impl FnOnce(&engine::Store) -> engine::Result<T> + Send,
) -> engine::Result<T> {
    let Some(progress) = progress else {
        return call(store);
    };
    let mut observe = |state: &Progress| {
        // SAFETY: by the contract.
        match unsafe { progress(user, state.bytes, state.total_bytes) } {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    };
    store.watch(&mut observe, call)
}

/// What to verify, and how. Set all of it to zero, then `size`, then what you want.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_verify_options {
    /// `sizeof(mkeep_verify_options)`, by which later releases know what you know.
    pub size: usize,
    /// Whether GGUF files are read strictly, too.
    pub gguf: bool,
    /// Whether blobs are taken for good that an earlier run found good and nothing touched since,
    /// and what this run finds good is noted in the store for later ones. What cannot be noted, in
    /// a read-only store for one, is not. The report's JSON has under `cached` how much it was. A
    /// write through a shared mapping may not move the times by which a touch is told.
    pub use_cache: bool,
}

impl mkeep_verify_options {
    fn read(&self) -> VerifyOptions {
        VerifyOptions::default()
            .gguf(self.gguf)
            .use_cache(self.use_cache)
    }
}

/// The state of a blob.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_blob_status {
    /// Its bytes have the digest that names it.
    Ok = 0,
    /// No file is there.
    Missing = 1,
    /// The file has another size than a manifest says.
    WrongSize = 2,
    /// The file's bytes have another digest.
    WrongDigest = 3,
    /// The file cannot be read.
    Unreadable = 4,
}

impl From<BlobStatus> for mkeep_blob_status {
    fn from(status: BlobStatus) -> Self {
        match status {
            BlobStatus::Ok => mkeep_blob_status::Ok,
            BlobStatus::Missing => mkeep_blob_status::Missing,
            BlobStatus::WrongSize => mkeep_blob_status::WrongSize,
            BlobStatus::WrongDigest => mkeep_blob_status::WrongDigest,
            _ => mkeep_blob_status::Unreadable,
        }
    }
}

/// One blob of a report. Its texts live as long as the report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_finding {
    /// What is wrong with it.
    pub status: mkeep_blob_status,
    /// The digest that names it, as in `sha256:...`.
    pub digest: mkeep_str,
    /// Where it lies, or should lie.
    pub path: mkeep_str,
    /// The reason in words; empty where nothing is wrong.
    pub detail: mkeep_str,
    /// Its size on disk in bytes; 0 where it is missing.
    pub size: u64,
    /// Whether its bytes have the digest: then a wrong size is the manifest's fault.
    pub is_intact: bool,
}

/// What a verification found.
pub struct mkeep_report {
    is_ok: bool,
    json: Terminated,
    findings: Vec<Kept>,
}

struct Kept {
    status: mkeep_blob_status,
    texts: [Terminated; 3],
    size: u64,
    is_intact: bool,
}

impl From<&Finding> for Kept {
    fn from(finding: &Finding) -> Self {
        let texts = [
            Terminated::new(&finding.digest.to_string()),
            Terminated::path(&finding.path),
            Terminated::new(&finding.detail),
        ];
        Kept {
            status: finding.status.into(),
            texts,
            size: finding.size,
            is_intact: finding.is_intact,
        }
    }
}

impl Kept {
    fn lend(&self) -> mkeep_finding {
        let [digest, path, detail] = self.texts.each_ref().map(Terminated::borrow);
        mkeep_finding {
            status: self.status,
            digest,
            path,
            detail,
            size: self.size,
            is_intact: self.is_intact,
        }
    }
}

impl From<Report> for mkeep_report {
    fn from(report: Report) -> Self {
        mkeep_report {
            is_ok: report.is_ok(),
            json: Terminated::new(&report.to_json().unwrap_or_default()),
            findings: report.blobs.iter().map(Kept::from).collect(),
        }
    }
}

/// # Safety
/// `names` is NULL or points to `count` texts.
pub(crate) unsafe fn references(
    names: *const *const c_char,
    count: usize,
) -> Result<Vec<Reference>, Fault> {
    // SAFETY: by the contract NULL or `count` pointers to texts.
    let names = unsafe { slice(names, count, "names") }?.iter();
    // SAFETY: as above.
    names
        .map(|name| Ok(unsafe { text(*name, "a name") }?.parse()?))
        .collect()
}

/// Compares every blob of the store with its digest, or, where `count` is not 0, those of the named
/// models. `options` and `progress` may be NULL. What is wrong with a blob is a finding of the
/// report, not an error.
///
/// MKEEP_STATUS_NOT_FOUND and MKEEP_STATUS_INVALID_NAME for a named model, MKEEP_STATUS_CORRUPT for
/// its manifest, MKEEP_STATUS_CANCELLED, MKEEP_STATUS_INVALID_ARGUMENT for options of a later
/// release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_verify(
    store: *const mkeep_store,
    names: *const *const c_char,
    count: usize,
    options: *const mkeep_verify_options,
    progress: mkeep_progress,
    user: *mut c_void,
    report: *mut *mut mkeep_report,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (store, report) = (borrow(store, "store")?, output(report)?);
            let options = self::options(options)?
                .map_or_else(VerifyOptions::default, mkeep_verify_options::read)
                .models(references(names, count)?);
            let mut observe = |state: &Progress| match progress {
                Some(progress) if !progress(user, state.bytes, state.total_bytes) => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            };
            give(report, store.0.verify_with(&options, &mut observe)?.into());
            Ok(())
        })
    }
}

/// Whether nothing is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_is_ok(report: *const mkeep_report) -> bool {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { look(report, false, |report| report.is_ok) }
}

/// How many blobs were looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_count(report: *const mkeep_report) -> usize {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { look(report, 0, |report| report.findings.len()) }
}

/// The blob at a place; false, and nothing written, beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_get(
    report: *const mkeep_report,
    index: usize,
    finding: *mut mkeep_finding,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe {
        fetch(report, finding, |report| {
            report.findings.get(index).map(Kept::lend)
        })
    }
}

/// The whole report as JSON; empty where a path in it is not UTF-8, which JSON cannot carry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_json(report: *const mkeep_report) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { look(report, mkeep_str::EMPTY, |report| report.json.borrow()) }
}

/// Ends a report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_free(report: *mut mkeep_report) {
    // SAFETY: by the header's contract NULL or a live report that is given up.
    unsafe { end(report) }
}

/// Verifies as mkeep_store_verify does, and moves damaged blobs aside so that a pull or an import
/// can put the right ones in their place. `json` is what was moved.
///
/// As mkeep_store_verify.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_repair_json(
    store: *const mkeep_store,
    names: *const *const c_char,
    count: usize,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        crate::store::answer(store, json, error, |store| {
            let options = VerifyOptions::default().models(references(names, count)?);
            let report = store.verify(&options)?;
            Ok(store.repair(&report)?.to_json()?)
        })
    }
}
