//! Garbage collection.

use std::ffi::c_void;
use std::time::Duration;

use engine::{Collected, GcOptions, Store};

use crate::boundary::{free, get, with};
use crate::growing::{Options, growing, options};
use crate::progress::{mkeep_progress, watched};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// What to collect.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_gc_options {
    /// `sizeof(mkeep_gc_options)`.
    pub size: usize,
    /// Seconds for which a file must not have changed; 0 is an hour.
    pub grace: u64,
    /// Whether there is no such time: what a server is just about to use goes, too.
    pub no_grace: u8,
    /// Whether nothing is changed, and the result is what would be removed.
    pub dry_run: u8,
    /// Whether the leftovers of interrupted downloads go as well.
    pub partials: u8,
    /// Whether the damaged blobs go as well that a repair has moved into quarantine.
    pub quarantine: u8,
    /// Whether a store without any model is meant to lose every blob.
    pub all: u8,
    /// Tells how far it is, or NULL. Where it cancels, what is in use is where it was.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_gc_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_gc_options {}

impl mkeep_gc_options {
    pub(crate) fn read(&self) -> GcOptions {
        let options = match (self.no_grace, self.grace) {
            (0, 0) => GcOptions::default(),
            (0, seconds) => GcOptions::default().grace(Duration::from_secs(seconds)),
            _ => GcOptions::default().grace(Duration::ZERO),
        };
        options
            .dry_run(self.dry_run != 0)
            .partials(self.partials != 0)
            .quarantine(self.quarantine != 0)
            .all(self.all != 0)
    }

    /// # Safety
    /// `progress` is NULL or a function that can be called with `user`.
    pub(crate) unsafe fn watch<T: Send>(
        &self,
        store: &Store,
        call: impl FnOnce(&Store) -> engine::Result<T> + Send,
    ) -> engine::Result<T> {
        // SAFETY: by the contract.
        unsafe { watched(store, self.progress, self.user, call) }
    }
}

/// What a garbage collection removed, or would remove.
pub struct mkeep_collected {
    collected: Collected,
    blobs: Vec<mkeep_str>,
    partials: Vec<mkeep_str>,
    leftovers: Vec<mkeep_str>,
    restored: Vec<mkeep_str>,
    kept: Vec<mkeep_str>,
    _strings: Strings,
}

impl From<Collected> for mkeep_collected {
    fn from(collected: Collected) -> Self {
        let mut strings = Strings::default();
        mkeep_collected {
            blobs: strings.displays(&collected.blobs),
            partials: strings.paths(&collected.partials),
            leftovers: strings.paths(&collected.leftovers),
            restored: strings.displays(&collected.restored),
            kept: strings.displays(&collected.kept),
            collected,
            _strings: strings,
        }
    }
}

/// Removes blobs that no model uses and that nobody has changed for the grace period. `options` may
/// be NULL.
///
/// MKEEP_STATUS_CORRUPT while a manifest cannot be read: nobody knows what it uses.
/// MKEEP_STATUS_INVALID_ARGUMENT for a store with blobs and no model at all, without `all`, and for
/// options of a later release; MKEEP_STATUS_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_gc(
    store: *const mkeep_store,
    options: *const mkeep_gc_options,
    collected: *mut *mut mkeep_collected,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, collected, error, |store| {
            let stated = self::options(options)?;
            let options = stated.read();
            Ok(stated.watch(store, |store| store.gc(&options))?.into())
        })
    }
}

/// Returns whether nothing was changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_is_dry_run(collected: *const mkeep_collected) -> bool {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(collected, false, |collected| collected.collected.dry_run) }
}

/// Returns the bytes on the disk that became free, or would.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_bytes(collected: *const mkeep_collected) -> u64 {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(collected, 0, |collected| collected.collected.bytes) }
}

/// Returns how many unused blobs and leftovers are still within the grace period.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_young(collected: *const mkeep_collected) -> usize {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(collected, 0, |collected| collected.collected.young) }
}

/// Gets the digest of a blob that no model uses; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_blob(
    collected: *const mkeep_collected,
    index: usize,
    digest: *mut mkeep_str,
) -> bool {
    let nth = |collected: &mkeep_collected| collected.blobs.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(collected, digest, nth) }
}

/// Gets the path of a leftover of an interrupted download, or of what else was no blob; false
/// beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_partial(
    collected: *const mkeep_collected,
    index: usize,
    path: *mut mkeep_str,
) -> bool {
    let nth = |collected: &mkeep_collected| collected.partials.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(collected, path, nth) }
}

/// Gets the path of a file of this library's own: what an interrupted import staged, or a repair
/// moved into quarantine; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_leftover(
    collected: *const mkeep_collected,
    index: usize,
    path: *mut mkeep_str,
) -> bool {
    let nth = |collected: &mkeep_collected| collected.leftovers.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(collected, path, nth) }
}

/// Gets the digest of a blob that was put back, because somebody began to use it while it was being
/// removed; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_restored(
    collected: *const mkeep_collected,
    index: usize,
    digest: *mut mkeep_str,
) -> bool {
    let nth = |collected: &mkeep_collected| collected.restored.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(collected, digest, nth) }
}

/// Gets a reason why blobs were kept, in words: a manifest became unreadable meanwhile, or another
/// program has one open; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_kept(
    collected: *const mkeep_collected,
    index: usize,
    reason: *mut mkeep_str,
) -> bool {
    let nth = |collected: &mkeep_collected| collected.kept.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(collected, reason, nth) }
}

/// Makes the JSON of the result.
///
/// MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_json(
    collected: *const mkeep_collected,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |collected: &mkeep_collected| engine::json::try_to_string(&collected.collected);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(collected, json, error, made) }
}

/// Frees the result of a garbage collection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_collected_free(collected: *mut mkeep_collected) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(collected) }
}
