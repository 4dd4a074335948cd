//! Strings that the caller owns.

use std::ffi::c_char;
use std::path::Path;
use std::ptr;

use crate::boundary::{borrow, free, out, output, with};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::str::{OwnedStr, mkeep_str};

/// A string that belongs to the caller.
pub struct mkeep_string(OwnedStr);

impl mkeep_string {
    pub(crate) fn new(text: &str) -> Self {
        mkeep_string(OwnedStr::new(text))
    }

    pub(crate) fn path(path: &Path) -> Self {
        mkeep_string(OwnedStr::path(path))
    }
}

/// Makes the JSON of a handle.
///
/// # Safety
/// As the header says of every pointer.
pub(crate) unsafe fn json_out<H>(
    handle: *const H,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
    body: impl FnOnce(&H) -> engine::Result<String>,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (handle, json) = (borrow(handle, "the handle")?, output(json)?);
            out(json, mkeep_string::new(&body(handle)?));
            Ok(())
        })
    }
}

/// Borrows the string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_string_str(string: *const mkeep_string) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live string.
    unsafe { with(string, mkeep_str::EMPTY, |string| string.0.view()) }
}

/// Borrows the string as C has it; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_string_c(string: *const mkeep_string) -> *const c_char {
    // SAFETY: by the header's contract NULL or a live string.
    unsafe { with(string, ptr::null(), |string| string.0.view().ptr) }
}

/// Frees a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_string_free(string: *mut mkeep_string) {
    // SAFETY: by the header's contract NULL or a live string that is given up.
    unsafe { free(string) }
}
