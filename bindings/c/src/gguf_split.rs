//! Splitting GGUF files, and merging their parts.

use std::ffi::{c_char, c_void};

use engine::{GgufParts, SplitOptions};

use crate::boundary::{Fault, path};
use crate::gguf_edit::mkeep_gguf_edit_options;
use crate::growing::{Options, growing, options, reserved};
use crate::progress::{mkeep_progress, observer};
use crate::status::{call, mkeep_error, mkeep_status};

/// How to split a GGUF file. One of the two limits is needed; both hold where both are given.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_gguf_split_options {
    /// `sizeof(mkeep_gguf_split_options)`.
    pub size: usize,
    /// The most bytes of tensors in a part, the header not counted; 0 for no limit. A tensor that is
    /// larger has a part of its own.
    pub max_size: u64,
    /// The most tensors in a part; 0 for no limit.
    pub max_tensors: u64,
    /// Whether files of the names of the parts are replaced; otherwise MKEEP_STATUS_ALREADY_EXISTS.
    pub replace: u8,
    /// Zero, until a later release has fields here.
    pub reserved: [u8; 7],
    /// Tells how far it is, or NULL.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_gguf_split_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_gguf_split_options {}

impl mkeep_gguf_split_options {
    fn read(&self) -> Result<SplitOptions, Fault> {
        reserved(&self.reserved)?;
        let mut with = SplitOptions::new().replace(self.replace != 0);
        if self.max_size > 0 {
            with = with.max_size(self.max_size);
        }
        if self.max_tensors > 0 {
            with = with.max_tensors(self.max_tensors);
        }
        Ok(with)
    }
}

/// Splits a GGUF file into PREFIX-00001-of-0000N.gguf and so on, as llama-gguf-split does: the first part
/// has all metadata. All parts appear, or none; the file stays. `count` is how many there are, and may be
/// NULL.
///
/// MKEEP_STATUS_INVALID_ARGUMENT without a limit and for a file that is a part,
/// MKEEP_STATUS_ALREADY_EXISTS, MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_INVALID_GGUF,
/// MKEEP_STATUS_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_split(
    file: *const c_char,
    prefix: *const c_char,
    options: *const mkeep_gguf_split_options,
    count: *mut usize,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (file, prefix) = (path(file, "file")?, path(prefix, "prefix")?);
            let how = self::options(options)?;
            let (with, mut observe) = (how.read()?, observer(how.progress, how.user));
            let parts = GgufParts::split_file_with(file, prefix, &with, &mut observe)?;
            if let Some(count) = count.as_mut() {
                *count = parts.len();
            }
            Ok(())
        })
    }
}

/// Writes the parts of a split model as the one file `to`, given the path of any of them; the others are
/// beside it. The layout is that of llama-gguf-split. The file appears whole, or not at all; the parts
/// stay. `options` may be NULL; `no_padding` means nothing here.
///
/// MKEEP_STATUS_FILE_NOT_FOUND where a part is missing, MKEEP_STATUS_INVALID_GGUF where parts do not belong
/// together, MKEEP_STATUS_INVALID_ARGUMENT for a file that is whole, MKEEP_STATUS_ALREADY_EXISTS,
/// MKEEP_STATUS_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_merge(
    part: *const c_char,
    to: *const c_char,
    options: *const mkeep_gguf_edit_options,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (part, to) = (path(part, "part")?, path(to, "to")?);
            let how = self::options(options)?;
            let (with, mut observe) = (how.read()?, observer(how.progress, how.user));
            GgufParts::merge_file_with(part, to, &with, &mut observe)?;
            Ok(())
        })
    }
}
