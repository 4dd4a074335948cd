//! Exporting: models leave a store as an archive or a directory in the image layout of OCI.

use std::ffi::{c_char, c_void};

use engine::{ExportOptions, Exported, Store};

use crate::boundary::{free, get, path, references, with};
use crate::growing::{Options, growing, options};
use crate::progress::{mkeep_progress, watched};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, optional_out};
use crate::str::{Strings, mkeep_str};
use crate::stream::{Sink, mkeep_write};
use crate::string::{json_out, mkeep_string};

/// How models are exported.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_export_options {
    /// `sizeof(mkeep_export_options)`.
    pub size: usize,
    /// Whether an archive that is there is replaced, and in a directory the models of these names.
    pub replace: u8,
    /// Tells how far it is, or NULL. Where it cancels, nothing is left behind.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_export_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_export_options {}

/// What an export wrote.
pub struct mkeep_exported {
    exported: Exported,
    models: Vec<mkeep_str>,
    _strings: Strings,
}

impl From<Exported> for mkeep_exported {
    fn from(exported: Exported) -> Self {
        let mut strings = Strings::default();
        mkeep_exported {
            models: strings.displays(&exported.models),
            exported,
            _strings: strings,
        }
    }
}

/// Writes models to a path that ends in `.tar` as one archive, and to any other as a directory, to
/// which they are added where it holds an image layout already. Every blob is hashed while it is
/// written. `options` and `exported` may be NULL; `exported` is what was written.
///
/// MKEEP_STATUS_NOT_FOUND and MKEEP_STATUS_INVALID_NAME for one of the names,
/// MKEEP_STATUS_FILE_NOT_FOUND where a blob is missing, MKEEP_STATUS_CORRUPT where one is damaged,
/// MKEEP_STATUS_ALREADY_EXISTS, MKEEP_STATUS_INVALID_ARGUMENT for no name and for a path that
/// something else is at, MKEEP_STATUS_UNSUPPORTED, MKEEP_STATUS_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_export(
    store: *const mkeep_store,
    names: *const *const c_char,
    count: usize,
    to: *const c_char,
    options: *const mkeep_export_options,
    exported: *mut *mut mkeep_exported,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, exported, error, |store| {
            let (names, to) = (references(names, count)?, path(to, "path")?);
            let stated = self::options(options)?;
            let options = ExportOptions::new().replace(stated.replace != 0);
            let call = |store: &Store| store.export(&names, to, &options);
            Ok(watched(store, stated.progress, stated.user, call)?.into())
        })
    }
}

/// Writes models as one archive to a stream, which needs no seeking; otherwise as mkeep_store_export.
/// One that was broken off has no end of an archive, so nobody takes it for a whole one. Of the
/// options, `replace` means nothing here.
///
/// `write` is called until it has taken everything: on the calling thread, and where the options
/// have a `progress` on another one, while the calling thread waits.
///
/// As mkeep_store_export; MKEEP_STATUS_IO where the stream takes no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_export_to(
    store: *const mkeep_store,
    names: *const *const c_char,
    count: usize,
    write: mkeep_write,
    user: *mut c_void,
    options: *const mkeep_export_options,
    exported: *mut *mut mkeep_exported,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, exported, error, |store| {
            let (names, mut to) = (references(names, count)?, Sink::new(write, user)?);
            let stated = self::options(options)?;
            let call = |store: &Store| store.export_to(&names, &mut to);
            Ok(watched(store, stated.progress, stated.user, call)?.into())
        })
    }
}

/// Gets the name of a model that was exported, in order; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_exported_model(
    exported: *const mkeep_exported,
    index: usize,
    name: *mut mkeep_str,
) -> bool {
    let nth = |exported: &mkeep_exported| exported.models.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(exported, name, nth) }
}

/// Returns how many blobs the models have together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_exported_blobs(exported: *const mkeep_exported) -> usize {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(exported, 0, |exported| exported.exported.blobs) }
}

/// Returns the bytes of these blobs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_exported_bytes(exported: *const mkeep_exported) -> u64 {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(exported, 0, |exported| exported.exported.bytes) }
}

/// Makes the JSON of the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_exported_json(
    exported: *const mkeep_exported,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |exported: &mkeep_exported| Ok(exported.exported.to_json());
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(exported, json, error, made) }
}

/// Frees the result of an export.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_exported_free(exported: *mut mkeep_exported) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(exported) }
}
