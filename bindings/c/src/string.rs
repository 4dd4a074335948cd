//! Texts on their way out.

use std::ffi::{CStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use crate::boundary::{end, look};

/// A text that belongs to somebody else.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_str {
    /// The bytes. A NUL follows them, except after texts of a GGUF file; those may hold one, too.
    pub ptr: *const c_char,
    /// How many they are, without the NUL.
    pub len: usize,
}

impl mkeep_str {
    pub(crate) const EMPTY: Self = mkeep_str::terminated(c"");

    pub(crate) const fn terminated(text: &'static CStr) -> Self {
        mkeep_str {
            ptr: text.as_ptr(),
            len: text.count_bytes(),
        }
    }

    pub(crate) fn borrowed(bytes: &[u8]) -> Self {
        // An empty slice points nowhere.
        if bytes.is_empty() {
            return mkeep_str::EMPTY;
        }
        mkeep_str {
            ptr: bytes.as_ptr().cast(),
            len: bytes.len(),
        }
    }
}

/// A text that we own, with a NUL at its end.
pub(crate) struct Terminated(Box<[u8]>);

impl Terminated {
    pub(crate) fn new(text: &str) -> Self {
        Terminated::of(text.as_bytes())
    }

    /// A path as the system has it, which need not be UTF-8.
    pub(crate) fn path(path: &Path) -> Self {
        Terminated::of(path.as_os_str().as_bytes())
    }

    fn of(text: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text);
        bytes.push(0);
        Terminated(bytes.into())
    }

    pub(crate) fn borrow(&self) -> mkeep_str {
        match self.0.split_last() {
            Some((_, text)) => mkeep_str::borrowed(text),
            None => mkeep_str::EMPTY,
        }
    }
}

/// A text that belongs to the caller.
pub struct mkeep_text(Terminated);

impl mkeep_text {
    pub(crate) fn new(text: &str) -> Self {
        mkeep_text(Terminated::new(text))
    }

    pub(crate) fn path(path: &Path) -> Self {
        mkeep_text(Terminated::path(path))
    }
}

/// The text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_text_str(text: *const mkeep_text) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live text.
    unsafe { look(text, mkeep_str::EMPTY, |text| text.0.borrow()) }
}

/// The text as C has it; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_text_c(text: *const mkeep_text) -> *const c_char {
    // SAFETY: by the header's contract NULL or a live text.
    unsafe { look(text, ptr::null(), |text| text.0.borrow().ptr) }
}

/// Ends a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_text_free(text: *mut mkeep_text) {
    // SAFETY: by the header's contract NULL or a live text that is given up.
    unsafe { end(text) }
}
