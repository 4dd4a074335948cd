//! Copying models: one more name for the same blobs.

use std::ffi::c_char;
use std::ptr::{null, null_mut};

use engine::{Copied, CopyOptions, ModelName, Store};

use crate::boundary::{Fault, borrow, free, out, output, text, with};
use crate::growing::{Options, growing, options, reserved};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::store::mkeep_store;
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// How to copy.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_copy_options {
    /// `sizeof(mkeep_copy_options)`.
    pub size: usize,
    /// Whether a model that has the new name stays: MKEEP_STATUS_ALREADY_EXISTS. Otherwise it is
    /// replaced, as Ollama does.
    pub no_replace: u8,
    /// Zero, until a later release has fields here.
    pub reserved: [u8; 7],
}

growing!(mkeep_copy_options: reserved);
// SAFETY: numbers.
unsafe impl Options for mkeep_copy_options {}

/// What a copy or a rename did.
pub struct mkeep_copied {
    copied: Copied,
    from: mkeep_str,
    to: mkeep_str,
    _strings: Strings,
}

impl From<Copied> for mkeep_copied {
    fn from(copied: Copied) -> Self {
        let mut strings = Strings::default();
        mkeep_copied {
            from: strings.display(&copied.from),
            to: strings.display(&copied.to),
            copied,
            _strings: strings,
        }
    }
}

/// Makes a call about a model and another name for it.
///
/// # Safety
/// As [`call`], and the other pointers are NULL or good for their use.
unsafe fn two_names(
    store: *const mkeep_store,
    names: [*const c_char; 2],
    copied: *mut *mut mkeep_copied,
    error: *mut *mut mkeep_error,
    act: impl FnOnce(&Store, &ModelName, &ModelName) -> Result<Copied, Fault>,
) -> mkeep_status {
    let [source, destination] = names;
    // SAFETY: the caller promises it.
    unsafe {
        call(error, || {
            let store = borrow(store, "store")?;
            let source: ModelName = text(source, "source")?.parse()?;
            let destination: ModelName = text(destination, "destination")?.parse()?;
            let done = act(&store.0, &source, &destination)?;
            if let Ok(copied) = output(copied) {
                out(copied, done.into());
            }
            Ok(())
        })
    }
}

/// Copies a model: one more name for the same blobs. A model that has that name is replaced.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_copy(
    store: *const mkeep_store,
    source: *const c_char,
    destination: *const c_char,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { mkeep_store_copy_with(store, source, destination, null(), null_mut(), error) }
}

/// Copies a model, by options. `options` and `copied` may be NULL; `copied` is what was done.
///
/// As mkeep_store_copy; MKEEP_STATUS_ALREADY_EXISTS where a model has the new name and was not to be
/// replaced, MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_copy_with(
    store: *const mkeep_store,
    source: *const c_char,
    destination: *const c_char,
    options: *const mkeep_copy_options,
    copied: *mut *mut mkeep_copied,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let names = [source, destination];
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        two_names(store, names, copied, error, |store, source, destination| {
            let stated = self::options(options)?;
            reserved(&stated.reserved)?;
            let options = CopyOptions::new().replace(stated.no_replace == 0);
            Ok(store.copy_with(source, destination, &options)?)
        })
    }
}

/// Gives a model another name. The new name is there before the old one goes.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_ALREADY_EXISTS where a model has
/// the new name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_rename(
    store: *const mkeep_store,
    source: *const c_char,
    destination: *const c_char,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let names = [source, destination];
    let no_result = null_mut();
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        two_names(
            store,
            names,
            no_result,
            error,
            |store, source, destination| Ok(store.rename(source, destination)?),
        )
    }
}

/// Returns the stored name of the model that was copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_copied_from(copied: *const mkeep_copied) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(copied, mkeep_str::EMPTY, |copied| copied.from) }
}

/// Returns the stored name of the copy: that of an existing model which differs only in case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_copied_to(copied: *const mkeep_copied) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(copied, mkeep_str::EMPTY, |copied| copied.to) }
}

/// Returns whether a model of that name was replaced. Its blobs stay until they are collected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_copied_is_replacement(copied: *const mkeep_copied) -> bool {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(copied, false, |copied| copied.copied.replaced) }
}

/// Makes the JSON of the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_copied_json(
    copied: *const mkeep_copied,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(copied, json, error, |copied| Ok(copied.copied.to_json())) }
}

/// Frees the result of a copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_copied_free(copied: *mut mkeep_copied) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(copied) }
}
