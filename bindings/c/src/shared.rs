//! Which models share tensors.

use std::ffi::{c_char, c_void};

use crate::boundary::{borrow, out, output, references};
use crate::growing::{Options, growing, options};
use crate::progress::{mkeep_progress, observer};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::store::mkeep_store;
use crate::string::mkeep_string;

/// How to look for shared tensors.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_shared_options {
    /// `sizeof(mkeep_shared_options)`.
    pub size: usize,
    /// Tells how far it is, or NULL.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_shared_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_shared_options {}

/// Makes JSON of the tensors that some models share, or all models where `count` is 0: those of one name,
/// type and shape whose data are the same, in files that are not the same. `{"files": [{"digest", "models",
/// "tensors", "size"}], "sets": [{"files", "tensors": [{"name", "type", "shape", "size", "sha256"}],
/// "bytes"}], "repeated", "problems"}`. Works on several threads. `options` may be NULL.
///
/// MKEEP_STATUS_NOT_FOUND for a model that is missing or has no GGUF file, MKEEP_STATUS_INVALID_GGUF,
/// MKEEP_STATUS_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_shared_tensors_json(
    store: *const mkeep_store,
    names: *const *const c_char,
    count: usize,
    options: *const mkeep_shared_options,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (store, json) = (borrow(store, "store")?, output(json)?);
            let names = references(names, count)?;
            let stated = self::options(options)?;
            let mut observe = observer(stated.progress, stated.user);
            let shared = store.0.shared_tensors_with(&names, &mut observe)?;
            out(json, mkeep_string::new(&shared.to_json()));
            Ok(())
        })
    }
}
