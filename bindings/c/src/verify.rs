//! Verification.

use std::ffi::{c_char, c_void};

use engine::VerifyOptions;

use crate::boundary::references;
use crate::growing::{Options, growing, options};
use crate::progress::{mkeep_progress, observer};
use crate::report::mkeep_report;
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, result_out};

/// How to verify.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_verify_options {
    /// `sizeof(mkeep_verify_options)`.
    pub size: usize,
    /// Whether GGUF files are read strictly, too.
    pub gguf: u8,
    /// Whether blobs are taken for good that an earlier run found good and nothing touched since,
    /// and what this run finds good is noted in the store's verification cache for later ones. What
    /// cannot be noted, in a read-only store for one, is not. A write through a shared mapping may
    /// not move the times by which a touch is told.
    pub use_cache: u8,
    /// Tells how far it is, or NULL.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_verify_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_verify_options {}

/// Compares every blob of the store with its digest, or, where `count` is not 0, those of the named
/// models. `options` may be NULL. What is wrong with a blob is a finding of the report, not an
/// error.
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
    report: *mut *mut mkeep_report,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, report, error, |store| {
            let stated = self::options(options)?;
            let options = VerifyOptions::default()
                .gguf(stated.gguf != 0)
                .use_cache(stated.use_cache != 0)
                .models(references(names, count)?);
            let mut observe = observer(stated.progress, stated.user);
            Ok(store.verify_with(&options, &mut observe)?.into())
        })
    }
}
