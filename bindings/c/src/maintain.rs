//! What the disk holds, and cleaning it up; all as JSON.

use std::time::Duration;

use engine::GcOptions;

use crate::boundary::options;
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

/// What to collect. Set all of it to zero, then `size`, then what you want.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_gc_options {
    /// `sizeof(mkeep_gc_options)`, by which later releases know what you know.
    pub size: usize,
    /// Seconds for which a file must not have changed; 3600 is usual.
    pub grace: u64,
    /// Not 0 changes nothing, and says what would be removed.
    pub dry_run: u8,
    /// Not 0 takes the leftovers of interrupted downloads as well.
    pub partials: u8,
    /// Not 0 takes the damaged blobs as well that a repair has set aside.
    pub quarantine: u8,
    /// Not 0 says that a store without any model is meant to lose every blob.
    pub all: u8,
}

/// As mkeep_store_gc_json, with everything that can be said of a collection. `options` may be NULL:
/// then the grace period is an hour.
///
/// MKEEP_STATUS_INVALID_ARGUMENT for a store with blobs and no model at all, without `all`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_collect_json(
    store: *const mkeep_store,
    options: *const mkeep_gc_options,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        answer(store, json, error, |store| {
            let options = self::options(options)?.map_or_else(GcOptions::default, engine_options);
            Ok(store.gc(&options)?.to_json())
        })
    }
}

fn engine_options(options: &mkeep_gc_options) -> GcOptions {
    GcOptions::default()
        .grace(Duration::from_secs(options.grace))
        .dry_run(options.dry_run != 0)
        .partials(options.partials != 0)
        .quarantine(options.quarantine != 0)
        .all(options.all != 0)
}

/// Gives blobs their present names, and collects as mkeep_store_gc_json does after an hour; leftovers
/// of downloads and unknown files among the blobs go as well, as they do when Ollama starts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_maintain_json(
    store: *const mkeep_store,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { answer(store, json, error, |store| Ok(store.maintain()?.to_json())) }
}
