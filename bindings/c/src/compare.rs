//! Comparing files: the hashes of their tensors, and what two of them differ in.

use std::ffi::c_void;

use engine::GgufHashOptions;

use crate::boundary::{borrow, out, output};
use crate::gguf::mkeep_gguf;
use crate::growing::{Options, growing, options};
use crate::progress::{mkeep_progress, observer};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::string::mkeep_string;

/// How to hash the tensors of a file.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_gguf_hash_options {
    /// `sizeof(mkeep_gguf_hash_options)`.
    pub size: usize,
    /// Whether SHA-256 is left out.
    pub no_sha256: u8,
    /// Whether XXH64 is left out.
    pub no_xxh64: u8,
    /// Whether only all tensors together are hashed, and not each of them.
    pub no_tensors: u8,
    /// Tells how far it is, or NULL.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

/// How to compare two files.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_gguf_diff_options {
    /// `sizeof(mkeep_gguf_diff_options)`.
    pub size: usize,
    /// Tells how far it is, or NULL.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_gguf_hash_options: user, mkeep_gguf_diff_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_gguf_hash_options {}
// SAFETY: as above.
unsafe impl Options for mkeep_gguf_diff_options {}

/// Makes JSON of the hashes of the data of tensors, each and all together, as llama-gguf-hash defines
/// them: `{"sha256", "xxh64", "tensors": [{"name", "type", "shape", "size", "sha256", "xxh64"}]}`. Works
/// on several threads. `options` may be NULL.
///
/// MKEEP_STATUS_NOT_FOUND where the data are not at hand, MKEEP_STATUS_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_hash_json(
    gguf: *const mkeep_gguf,
    options: *const mkeep_gguf_hash_options,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (gguf, json) = (borrow(gguf, "gguf")?, output(json)?);
            let stated = self::options(options)?;
            let wanted = GgufHashOptions::new()
                .sha256(stated.no_sha256 == 0)
                .xxh64(stated.no_xxh64 == 0)
                .tensors(stated.no_tensors == 0);
            let mut observe = observer(stated.progress, stated.user);
            let hash = gguf.file.hash_with(&wanted, &mut observe)?;
            out(json, mkeep_string::new(&hash.to_json()));
            Ok(())
        })
    }
}

/// Compares two files: keys and values in any order, and the tensors of one name byte by byte. Makes
/// JSON of what differs, and says in `is_equal` whether nothing does: `{"keys": [{"key", "before",
/// "after"}], "tensors": [{"name", "before", "after"}], "equal_keys", "all_keys", "equal_tensors",
/// "all_tensors"}`. Works on several threads. `options` may be NULL.
///
/// As mkeep_gguf_hash_json.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_diff_json(
    before: *const mkeep_gguf,
    after: *const mkeep_gguf,
    options: *const mkeep_gguf_diff_options,
    is_equal: *mut bool,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (before, after) = (borrow(before, "before")?, borrow(after, "after")?);
            let (is_equal, json) = (output(is_equal)?, output(json)?);
            let stated = self::options(options)?;
            let mut observe = observer(stated.progress, stated.user);
            let diff = before.file.diff_with(&after.file, &mut observe)?;
            is_equal.write(diff.is_empty());
            out(json, mkeep_string::new(&diff.to_json()));
            Ok(())
        })
    }
}
