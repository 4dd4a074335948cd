//! Moving damaged blobs out of the way.

use std::ffi::c_void;

use engine::{MovedBlob, Repaired, Store};

use crate::boundary::{borrow, free, get};
use crate::growing::{Options, get_sized, growing, options};
use crate::progress::{mkeep_progress, watched};
use crate::report::mkeep_report;
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// How to repair.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_repair_options {
    /// `sizeof(mkeep_repair_options)`.
    pub size: usize,
    /// Tells how far it is, or NULL. What was moved when it cancels stays moved.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

/// What a repair moved.
pub struct mkeep_repaired {
    repaired: Repaired,
    quarantined: Vec<mkeep_moved_blob>,
    renamed: Vec<mkeep_moved_blob>,
    changed: Vec<mkeep_str>,
    restored: Vec<mkeep_str>,
    _strings: Strings,
}

/// A blob that was moved.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_moved_blob {
    /// `sizeof(mkeep_moved_blob)`.
    pub size: usize,
    /// The digest by which it is known, as in `sha256:...`.
    pub digest: mkeep_str,
    /// Where its bytes are now.
    pub path: mkeep_str,
}

growing!(mkeep_repair_options: user, mkeep_moved_blob: path);
// SAFETY: a number and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_repair_options {}

impl mkeep_moved_blob {
    fn all(strings: &mut Strings, blobs: &[MovedBlob]) -> Vec<Self> {
        let blobs = blobs.iter();
        blobs
            .map(|blob| mkeep_moved_blob {
                size: size_of::<Self>(),
                digest: strings.display(&blob.digest),
                path: strings.path(&blob.to),
            })
            .collect()
    }
}

impl From<Repaired> for mkeep_repaired {
    fn from(repaired: Repaired) -> Self {
        let mut strings = Strings::default();
        mkeep_repaired {
            quarantined: mkeep_moved_blob::all(&mut strings, &repaired.quarantined),
            renamed: mkeep_moved_blob::all(&mut strings, &repaired.renamed),
            changed: strings.displays(&repaired.changed),
            restored: strings.displays(&repaired.restored),
            repaired,
            _strings: strings,
        }
    }
}

/// Moves the damaged blobs of a report of the same store into quarantine, so that a pull or an
/// import can put the right ones in their place, and gives misnamed blobs their names. Nothing is
/// deleted. `options` may be NULL.
///
/// MKEEP_STATUS_CANCELLED, MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_repair(
    store: *const mkeep_store,
    report: *const mkeep_report,
    options: *const mkeep_repair_options,
    repaired: *mut *mut mkeep_repaired,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, repaired, error, |store| {
            let report = borrow(report, "report")?.report();
            let options = self::options(options)?;
            let call = |store: &Store| store.repair(report);
            Ok(watched(store, options.progress, options.user, call)?.into())
        })
    }
}

/// Gets a damaged blob and where it is now; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_repaired_quarantined(
    repaired: *const mkeep_repaired,
    index: usize,
    blob: *mut mkeep_moved_blob,
) -> bool {
    let nth = |repaired: &mkeep_repaired| repaired.quarantined.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(repaired, blob, nth) }
}

/// Gets a blob that was there under another name, and its path now; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_repaired_renamed(
    repaired: *const mkeep_repaired,
    index: usize,
    blob: *mut mkeep_moved_blob,
) -> bool {
    let nth = |repaired: &mkeep_repaired| repaired.renamed.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(repaired, blob, nth) }
}

/// Gets the digest of a blob that has changed since it was verified, and was left alone: verify
/// again. False beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_repaired_changed(
    repaired: *const mkeep_repaired,
    index: usize,
    digest: *mut mkeep_str,
) -> bool {
    let nth = |repaired: &mkeep_repaired| repaired.changed.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(repaired, digest, nth) }
}

/// Gets the digest of a blob in use that an interrupted removal had left in the trash, and which was
/// put back; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_repaired_restored(
    repaired: *const mkeep_repaired,
    index: usize,
    digest: *mut mkeep_str,
) -> bool {
    let nth = |repaired: &mkeep_repaired| repaired.restored.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(repaired, digest, nth) }
}

/// Makes the JSON of the result.
///
/// MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_repaired_json(
    repaired: *const mkeep_repaired,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |repaired: &mkeep_repaired| engine::json::try_to_string(&repaired.repaired);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(repaired, json, error, made) }
}

/// Frees the result of a repair.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_repaired_free(repaired: *mut mkeep_repaired) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(repaired) }
}
