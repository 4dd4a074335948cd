//! Strings that C borrows, and what owns them.

use std::ffi::{CStr, c_char};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::boundary::{Fault, slice};

/// A borrowed string.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_str {
    /// The bytes. A NUL follows them, except after strings of a GGUF file; those may hold one, too.
    pub ptr: *const c_char,
    /// How many they are, without the NUL.
    pub len: usize,
}

// SAFETY: a pointer to bytes that nobody changes, which only C reads: threads may have it and
// share it, as they may a `&[u8]`.
unsafe impl Send for mkeep_str {}
// SAFETY: as above.
unsafe impl Sync for mkeep_str {}

impl mkeep_str {
    pub(crate) const EMPTY: Self = mkeep_str::terminated(c"");

    pub(crate) const fn terminated(text: &'static CStr) -> Self {
        mkeep_str {
            ptr: text.as_ptr(),
            len: text.count_bytes(),
        }
    }

    /// Borrows a string that a caller has filled in.
    ///
    /// # Safety
    /// `ptr` is NULL, or has `len` bytes that do not change for as long as `'a`.
    pub(crate) unsafe fn text<'a>(self) -> Result<&'a str, Fault> {
        // SAFETY: by the contract.
        let bytes: &[u8] = unsafe { slice(self.ptr.cast::<u8>(), self.len, "a string") }?;
        std::str::from_utf8(bytes).map_err(|_| Fault::Utf8("a string"))
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

/// A string with a NUL at its end. Its bytes stay where they are when it is moved.
pub(crate) struct OwnedStr(Arc<[u8]>);

impl OwnedStr {
    pub(crate) fn new(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text);
        bytes.push(0);
        OwnedStr(bytes.into())
    }

    /// Keeps a path as the system has it, which need not be UTF-8; on Windows it is, but for
    /// characters that are none.
    pub(crate) fn path(path: &Path) -> Self {
        OwnedStr::new(path.as_os_str().as_encoded_bytes())
    }

    pub(crate) fn view(&self) -> mkeep_str {
        match self.0.split_last() {
            Some((_, text)) => mkeep_str::borrowed(text),
            None => mkeep_str::EMPTY,
        }
    }
}

/// The strings of a handle: each is made once, and what is returned lives as long as these.
#[derive(Default)]
pub(crate) struct Strings(Vec<OwnedStr>);

impl Strings {
    pub(crate) fn add(&mut self, text: impl AsRef<[u8]>) -> mkeep_str {
        self.keep(OwnedStr::new(text))
    }

    pub(crate) fn display(&mut self, value: &impl Display) -> mkeep_str {
        self.add(value.to_string())
    }

    pub(crate) fn path(&mut self, path: &Path) -> mkeep_str {
        self.keep(OwnedStr::path(path))
    }

    pub(crate) fn displays<T: Display>(
        &mut self,
        values: impl IntoIterator<Item = T>,
    ) -> Vec<mkeep_str> {
        let values = values.into_iter();
        values.map(|value| self.display(&value)).collect()
    }

    pub(crate) fn paths(&mut self, paths: &[PathBuf]) -> Vec<mkeep_str> {
        paths.iter().map(|path| self.path(path)).collect()
    }

    fn keep(&mut self, string: OwnedStr) -> mkeep_str {
        let view = string.view();
        if view.len > 0 {
            self.0.push(string);
        }
        view
    }
}
