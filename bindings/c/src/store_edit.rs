//! Editing the metadata of models.

use std::ffi::c_char;

use engine::{ModelName, Reference, Store};

use crate::boundary::text;
use crate::gguf_edit::{editor, mkeep_gguf_change, mkeep_gguf_edit_options};
use crate::growing::options;
use crate::imported::mkeep_imported;
use crate::progress::watched;
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, optional_out};

/// Makes a model `to` of another one with edited metadata: its GGUF file is written anew and hashed, and
/// the template, the parameters, the licenses and all else are used once more. The model that is edited
/// stays as it is, unless `to` is its name and is to be replaced. The changes are made in their order.
/// `options` and `imported` may be NULL; `imported` is what was done.
///
/// MKEEP_STATUS_NOT_FOUND for a model or a key that is not there, MKEEP_STATUS_INVALID_ARGUMENT for a
/// value that is not of its type, MKEEP_STATUS_ALREADY_EXISTS where the name is taken and was not to be
/// replaced, MKEEP_STATUS_UNSUPPORTED for weights in several files, MKEEP_STATUS_INVALID_NAME,
/// MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_edit(
    store: *const mkeep_store,
    model: *const c_char,
    to: *const c_char,
    changes: *const mkeep_gguf_change,
    count: usize,
    options: *const mkeep_gguf_edit_options,
    imported: *mut *mut mkeep_imported,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, imported, error, |store| {
            let model: Reference = text(model, "model")?.parse()?;
            let to: ModelName = text(to, "to")?.parse()?;
            let stated = self::options(options)?;
            let (with, editor) = (stated.read()?, editor(changes, count)?);
            let edit = |store: &Store| store.edit(&model, &to, &editor, &with);
            Ok(watched(store, stated.progress, stated.user, edit)?.into())
        })
    }
}
