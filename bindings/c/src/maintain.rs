//! What the disk holds, and cleaning it up; all as JSON.

use std::time::Duration;

use engine::GcOptions;

use crate::status::{mkeep_error, mkeep_status};
use crate::store::{answer, mkeep_store};
use crate::text::mkeep_text;

/// What the disk holds, and for whom.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_usage_json(
    store: *const mkeep_store,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { answer(store, json, error, |store| Ok(store.usage()?.to_json())) }
}

/// What is wrong with the store, and what to do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_doctor_json(
    store: *const mkeep_store,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { answer(store, json, error, |store| Ok(store.doctor()?.to_json())) }
}

/// Removes blobs that no model uses and that nobody has changed for `grace` seconds; 3600 is usual.
/// `partials` takes the leftovers of interrupted downloads as well; `dry_run` changes nothing.
///
/// MKEEP_STATUS_CORRUPT while a manifest cannot be read: nobody knows what it uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_gc_json(
    store: *const mkeep_store,
    grace: u64,
    partials: bool,
    dry_run: bool,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let options = GcOptions::default().grace(Duration::from_secs(grace));
    let options = options.partials(partials).dry_run(dry_run);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        answer(store, json, error, |store| {
            Ok(store.gc(&options)?.to_json())
        })
    }
}
