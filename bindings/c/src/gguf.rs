//! GGUF files: index-based access to borrowed bytes.

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use engine::gguf::{Data, Endian, Limits};
use engine::{GgufFile, GgufOptions, Reference};

use crate::boundary::{ask, borrow, end, enter, fetch, give, look, output, path, text};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::mkeep_store;
use crate::text::{Terminated, mkeep_str, mkeep_text};
use crate::value::mkeep_value;

/// A GGUF file that is open. Counted: what is borrowed lives until the last holder ends it.
pub struct mkeep_gguf {
    pub(crate) file: GgufFile,
    warnings: Arc<[[Terminated; 3]]>,
}

/// Something unusual in a file that can be read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_warning {
    /// What it is: a code that never changes, as in `nested_array`.
    pub code: mkeep_str,
    /// The place in the structure; the first of several.
    pub path: mkeep_str,
    /// What it is, in words.
    pub message: mkeep_str,
}

impl From<GgufFile> for mkeep_gguf {
    fn from(file: GgufFile) -> Self {
        let warnings = file.view().warnings().iter();
        let warnings = warnings
            .map(|warning| {
                [warning.code().code(), warning.path(), warning.message()].map(Terminated::new)
            })
            .collect();
        mkeep_gguf { file, warnings }
    }
}

pub(crate) fn options(lenient: bool, no_mmap: bool, data: Data) -> GgufOptions {
    let limits = match lenient {
        true => Limits::lenient(),
        false => Limits::strict(),
    };
    GgufOptions::new().limits(limits.data(data)).mmap(!no_mmap)
}

/// # Safety
/// Every pointer is NULL or good for its use.
unsafe fn open(
    file: *const c_char,
    options: GgufOptions,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the contract.
    unsafe {
        enter(error, || {
            let (file, gguf) = (path(file, "file")?, output(gguf)?);
            give(gguf, mkeep_gguf::from(GgufFile::open(file, &options)?));
            Ok(())
        })
    }
}

/// Opens a GGUF file: one pass over its head. `lenient` reads on where the format is broken without
/// harm; `no_mmap` reads the head into memory instead of mapping the file.
///
/// MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_UNSUPPORTED, MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_open(
    file: *const c_char,
    lenient: bool,
    no_mmap: bool,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let options = options(lenient, no_mmap, Data::Required);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { open(file, options, gguf, error) }
}

/// Opens a GGUF file whose data are not all there yet, as in the midst of a download: its metadata
/// and its table of tensors. What is missing is a warning, `data_out_of_bounds`, and the `data` of
/// a tensor that is not whole are NULL.
///
/// Otherwise as mkeep_gguf_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_open_header(
    file: *const c_char,
    lenient: bool,
    no_mmap: bool,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let options = options(lenient, no_mmap, Data::Optional);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { open(file, options, gguf, error) }
}

/// Opens the GGUF file of a stored model, leniently.
///
/// As mkeep_store_path and mkeep_gguf_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_gguf(
    store: *const mkeep_store,
    name: *const c_char,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (store, gguf) = (borrow(store, "store")?, output(gguf)?);
            let reference: Reference = text(name, "name")?.parse()?;
            give(gguf, mkeep_gguf::from(store.0.model(&reference)?.gguf()?));
            Ok(())
        })
    }
}

/// One more holder of the same file, to be ended by mkeep_gguf_free as well; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_hold(gguf: *const mkeep_gguf) -> *mut mkeep_gguf {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe {
        look(gguf, ptr::null_mut(), |gguf| {
            let (file, warnings) = (gguf.file.clone(), gguf.warnings.clone());
            Box::into_raw(Box::new(mkeep_gguf { file, warnings }))
        })
    }
}

/// Ends a holder of a file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_free(gguf: *mut mkeep_gguf) {
    // SAFETY: by the header's contract NULL or a live file that is given up.
    unsafe { end(gguf) }
}

/// The version of the format.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_version(gguf: *const mkeep_gguf) -> u32 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.file.view().version()) }
}

/// Whether the numbers of the file are big-endian.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_is_big_endian(gguf: *const mkeep_gguf) -> bool {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, false, |gguf| gguf.file.view().endian() == Endian::Big) }
}

/// The size of the file in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_size(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.file.size()) }
}

/// The alignment of the data of tensors, in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_alignment(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.file.view().alignment()) }
}

/// Where the data of tensors begin, in bytes; may lie beyond a file that has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_data_offset(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.file.view().data_offset()) }
}

/// How many warnings: things that this reader accepts and others may not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_warning_count(gguf: *const mkeep_gguf) -> usize {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.warnings.len()) }
}

/// The warning at a place; false, and nothing written, beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_warning(
    gguf: *const mkeep_gguf,
    index: usize,
    warning: *mut mkeep_warning,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe {
        fetch(gguf, warning, |gguf| {
            let warning = gguf.warnings.get(index)?.each_ref();
            let [code, path, message] = warning.map(Terminated::borrow);
            Some(mkeep_warning {
                code,
                path,
                message,
            })
        })
    }
}

/// The sum of the elements of all tensors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_parameter_count(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.file.view().parameter_count()) }
}

/// How many pairs of metadata.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_count(gguf: *const mkeep_gguf) -> usize {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { look(gguf, 0, |gguf| gguf.file.view().len()) }
}

/// The pair at a place; false, and nothing written, beyond the last. Costs nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_get(
    gguf: *const mkeep_gguf,
    index: usize,
    key: *mut mkeep_str,
    value: *mut mkeep_value,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    ask(false, || unsafe {
        let (gguf, key, value) = (borrow(gguf, "gguf")?, output(key)?, output(value)?);
        let Some((found_key, found)) = gguf.file.view().entry(index) else {
            return Ok(false);
        };
        key.write(mkeep_str::borrowed(found_key.as_bytes()));
        value.write(found.into());
        Ok(true)
    })
}

/// The value of a key, of duplicates the last; false, and nothing written, where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_find(
    gguf: *const mkeep_gguf,
    key: *const c_char,
    value: *mut mkeep_value,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    ask(false, || unsafe {
        let key = text(key, "key")?;
        Ok(fetch(gguf, value, |gguf| {
            gguf.file.view().get(key).map(mkeep_value::from)
        }))
    })
}

/// The head and the warnings as JSON in which nothing is lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_json(
    gguf: *const mkeep_gguf,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (gguf, json) = (borrow(gguf, "gguf")?, output(json)?);
            give(json, mkeep_text::new(&gguf.file.view().to_json()));
            Ok(())
        })
    }
}
