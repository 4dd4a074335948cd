//! Maintenance: what Ollama does to a store when it starts.

use std::ptr;

use engine::Maintained;

use crate::boundary::{free, get, with};
use crate::gc::{mkeep_collected, mkeep_gc_options};
use crate::growing::options;
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, optional_out, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// What maintenance did.
pub struct mkeep_maintained {
    maintained: Maintained,
    renamed: Vec<mkeep_str>,
    collected: mkeep_collected,
    _strings: Strings,
}

impl From<Maintained> for mkeep_maintained {
    fn from(maintained: Maintained) -> Self {
        let mut strings = Strings::default();
        mkeep_maintained {
            renamed: strings.paths(&maintained.renamed),
            collected: maintained.collected.clone().into(),
            maintained,
            _strings: strings,
        }
    }
}

/// Gives blobs their present names, and collects garbage as mkeep_store_gc does; leftovers of
/// downloads and unknown files among the blobs go as well, as they do when Ollama starts. `options`
/// may be NULL.
///
/// As mkeep_store_gc. A dry run changes nothing, and the result is what would be renamed and
/// collected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_maintain(
    store: *const mkeep_store,
    options: *const mkeep_gc_options,
    maintained: *mut *mut mkeep_maintained,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, maintained, error, |store| {
            let stated = self::options(options)?;
            let options = stated.read();
            let done = stated.watch(store, |store| store.maintain_with(&options))?;
            Ok(done.into())
        })
    }
}

/// Gives blobs their present names, and does nothing else. Where both names exist, each stays what it
/// is. `maintained`, which may be NULL, is what was renamed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_rename_old_blobs(
    store: *const mkeep_store,
    maintained: *mut *mut mkeep_maintained,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, maintained, error, |store| {
            let mut maintained = Maintained::default();
            maintained.renamed = store.rename_old_blobs()?;
            Ok(maintained.into())
        })
    }
}

/// Gets the path of a blob that had an old name, under its new one; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_maintained_renamed(
    maintained: *const mkeep_maintained,
    index: usize,
    path: *mut mkeep_str,
) -> bool {
    let nth = |maintained: &mkeep_maintained| maintained.renamed.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(maintained, path, nth) }
}

/// Borrows what was collected: it lives as long as `maintained`, and is not freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_maintained_collected(
    maintained: *const mkeep_maintained,
) -> *const mkeep_collected {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe {
        with(maintained, ptr::null(), |maintained| {
            ptr::from_ref(&maintained.collected)
        })
    }
}

/// Makes the JSON of the result.
///
/// MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_maintained_json(
    maintained: *const mkeep_maintained,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |maintained: &mkeep_maintained| engine::json::try_to_string(&maintained.maintained);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(maintained, json, error, made) }
}

/// Frees the result of maintenance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_maintained_free(maintained: *mut mkeep_maintained) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(maintained) }
}
