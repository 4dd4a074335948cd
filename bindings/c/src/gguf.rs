//! GGUF files: index-based access to borrowed bytes.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use engine::gguf::{Data, Endian, FileType, Limits, Warning};
use engine::{GgufFile, GgufOptions, Reference};

use crate::boundary::{Fault, free, get, out, output, path, query, slice, text, with};
use crate::growing::{Options, get_sized, growing, options, reserved};
use crate::pair::get_pair;
use crate::status::{call, mkeep_error, mkeep_status};
use crate::store::{mkeep_store, result_out};
use crate::str::{Strings, mkeep_str};
use crate::stream::{SourceAt, mkeep_read_at};
use crate::string::{json_out, mkeep_string};
use crate::type_names;
use crate::value::mkeep_value;

/// A GGUF file that is open. Counted: what is borrowed lives until the last reference is freed.
pub struct mkeep_gguf {
    pub(crate) file: GgufFile,
    facts: Arc<Facts>,
}

/// What is made once of a file, for all references to it.
struct Facts {
    warnings: Vec<mkeep_warning>,
    file_type: mkeep_str,
    _strings: Strings,
}

/// How to open a GGUF file.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_gguf_options {
    /// `sizeof(mkeep_gguf_options)`.
    pub size: usize,
    /// Whether reading continues where the format is violated without harm.
    pub lenient: u8,
    /// Whether the header is read into memory instead of mapping the file.
    pub no_mmap: u8,
    /// Whether the data of tensors may be missing, as in the midst of a download. What is missing
    /// is a warning, `data_out_of_bounds`, and the `data` of a tensor that is not whole are NULL.
    pub header_only: u8,
    /// Zero, until a later release has fields here.
    pub reserved: [u8; 5],
}

/// Something unusual in a file that can be read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_warning {
    /// `sizeof(mkeep_warning)`.
    pub size: usize,
    /// What it is: a code that never changes, as in `nested_array`.
    pub code: mkeep_str,
    /// The place in the structure; the first of several.
    pub path: mkeep_str,
    /// What it is, in words.
    pub message: mkeep_str,
}

growing!(mkeep_gguf_options: reserved, mkeep_warning: message);
// SAFETY: numbers.
unsafe impl Options for mkeep_gguf_options {}

impl mkeep_warning {
    pub(crate) fn new(strings: &mut Strings, warning: &Warning) -> Self {
        mkeep_warning {
            size: size_of::<Self>(),
            code: strings.add(warning.code().code()),
            path: strings.add(warning.path()),
            message: strings.add(warning.message()),
        }
    }
}

impl From<GgufFile> for mkeep_gguf {
    fn from(file: GgufFile) -> Self {
        type_names::prepare();
        let mut strings = Strings::default();
        let warnings = file.view().warnings().iter();
        let file_type = file.view().file_type().and_then(FileType::name);
        let facts = Facts {
            warnings: warnings
                .map(|warning| mkeep_warning::new(&mut strings, warning))
                .collect(),
            file_type: strings.add(file_type.unwrap_or_default()),
            _strings: strings,
        };
        let facts = Arc::new(facts);
        mkeep_gguf { file, facts }
    }
}

impl mkeep_gguf_options {
    pub(crate) fn read(&self) -> Result<GgufOptions, Fault> {
        reserved(&self.reserved)?;
        let limits = match self.lenient {
            0 => Limits::strict(),
            _ => Limits::lenient(),
        };
        let data = match self.header_only {
            0 => Data::Required,
            _ => Data::Optional,
        };
        Ok(GgufOptions::new()
            .limits(limits.data(data))
            .mmap(self.no_mmap == 0))
    }
}

/// Opens a GGUF file: one pass over its header. `options` may be NULL: then it is read strictly,
/// and mapped.
///
/// MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_UNSUPPORTED, MKEEP_STATUS_FILE_NOT_FOUND,
/// MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_open(
    file: *const c_char,
    options: *const mkeep_gguf_options,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (file, gguf) = (path(file, "file")?, output(gguf)?);
            let options = self::options(options)?.read()?;
            out(gguf, mkeep_gguf::from(GgufFile::open(file, &options)?));
            Ok(())
        })
    }
}

/// Bytes of the caller's, as long as any reference to the file is there.
struct Lent {
    bytes: *const u8,
    len: usize,
}

// SAFETY: by the header's contract the bytes do not change, and nothing here writes to them.
unsafe impl Send for Lent {}
// SAFETY: as above.
unsafe impl Sync for Lent {}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: made below of a slice, which by the header's contract lives as long as this.
        unsafe { std::slice::from_raw_parts(self.bytes, self.len) }
    }
}

/// Reads a GGUF file that is in memory, in one pass over its header. Nothing is copied: the bytes
/// have to stay, unchanged, until the last reference is freed. `options` may be NULL; `no_mmap` means
/// nothing here.
///
/// As mkeep_gguf_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_from_bytes(
    bytes: *const u8,
    len: usize,
    options: *const mkeep_gguf_options,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let bytes: &[u8] = slice(bytes, len, "the bytes")?;
            let gguf = output(gguf)?;
            let options = self::options(options)?.read()?;
            let lent = Lent {
                bytes: bytes.as_ptr(),
                len: bytes.len(),
            };
            out(
                gguf,
                mkeep_gguf::from(GgufFile::from_bytes(lent, &options)?),
            );
            Ok(())
        })
    }
}

/// Reads the header of a GGUF file of `size` bytes through a function at an offset, which is called with
/// `user`, and only before this returns: for what lies in a bigger file, an object store, at a URL. The
/// `data` of the tensors are NULL. `options` may be NULL; `no_mmap` means nothing here.
///
/// As mkeep_gguf_open; MKEEP_STATUS_IO where the function fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_from_read_at(
    size: u64,
    read: mkeep_read_at,
    user: *mut c_void,
    options: *const mkeep_gguf_options,
    gguf: *mut *mut mkeep_gguf,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let gguf = output(gguf)?;
            let options = self::options(options)?.read()?;
            let mut source = SourceAt::new(size, read, user)?;
            let file = GgufFile::from_read_at(&mut source, &options)?;
            out(gguf, mkeep_gguf::from(file));
            Ok(())
        })
    }
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
        result_out(store, gguf, error, |store| {
            let reference: Reference = text(name, "name")?.parse()?;
            Ok(store.model(&reference)?.gguf()?.into())
        })
    }
}

/// Makes one more reference to the same file, to be freed by mkeep_gguf_free as well; NULL for
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_retain(gguf: *const mkeep_gguf) -> *mut mkeep_gguf {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe {
        with(gguf, ptr::null_mut(), |gguf| {
            let (file, facts) = (gguf.file.clone(), gguf.facts.clone());
            Box::into_raw(Box::new(mkeep_gguf { file, facts }))
        })
    }
}

/// Frees a reference to a file; the last one closes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_free(gguf: *mut mkeep_gguf) {
    // SAFETY: by the header's contract NULL or a live file that is given up.
    unsafe { free(gguf) }
}

/// Returns the version of the format.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_version(gguf: *const mkeep_gguf) -> u32 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, 0, |gguf| gguf.file.view().version()) }
}

/// Returns whether the numbers of the file are big-endian.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_is_big_endian(gguf: *const mkeep_gguf) -> bool {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, false, |gguf| gguf.file.view().endian() == Endian::Big) }
}

/// Returns the size of the file in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_size(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, 0, |gguf| gguf.file.size()) }
}

/// Returns the alignment of the data of tensors, in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_alignment(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, 0, |gguf| gguf.file.view().alignment()) }
}

/// Returns where the data of tensors begin, in bytes; may be beyond the end of a file that has
/// none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_data_offset(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, 0, |gguf| gguf.file.view().data_offset()) }
}

/// Returns the bytes of the header: what comes before the data of tensors, without what fills up to
/// them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_header_size(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, 0, |gguf| gguf.file.view().header_len()) }
}

/// Returns the name of the file's quantization as its metadata state it, as in `Q4_K_M`; empty where
/// they do not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_file_type(gguf: *const mkeep_gguf) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, mkeep_str::EMPTY, |gguf| gguf.facts.file_type) }
}

/// Returns how many warnings there are: things that this reader accepts and others may not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_warning_count(gguf: *const mkeep_gguf) -> usize {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, 0, |gguf| gguf.facts.warnings.len()) }
}

/// Gets a warning; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_warning(
    gguf: *const mkeep_gguf,
    index: usize,
    warning: *mut mkeep_warning,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe {
        get_sized(gguf, warning, |gguf| {
            gguf.facts.warnings.get(index).copied()
        })
    }
}

/// Returns the sum of the elements of all tensors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_parameter_count(gguf: *const mkeep_gguf) -> u64 {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, 0, |gguf| gguf.file.view().parameter_count()) }
}

/// Returns how many key-value pairs the metadata has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_count(gguf: *const mkeep_gguf) -> usize {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, 0, |gguf| gguf.file.view().len()) }
}

/// Gets a key-value pair; false beyond the last. Costs nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_get(
    gguf: *const mkeep_gguf,
    index: usize,
    key: *mut mkeep_str,
    value: *mut mkeep_value,
) -> bool {
    let nth = |gguf: &mkeep_gguf| {
        let (key, value) = gguf.file.view().entry(index)?;
        Some((mkeep_str::borrowed(key.as_bytes()), value.into()))
    };
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_pair(gguf, key, value, nth) }
}

/// Finds the value of a key, of duplicates the last; false where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_find(
    gguf: *const mkeep_gguf,
    key: *const c_char,
    value: *mut mkeep_value,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    query(false, || unsafe {
        let key = text(key, "key")?;
        Ok(get(gguf, value, |gguf| {
            gguf.file.view().get(key).map(mkeep_value::from)
        }))
    })
}

/// Makes JSON of the header and the warnings, in which nothing is lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_json(
    gguf: *const mkeep_gguf,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(gguf, json, error, |gguf| Ok(gguf.file.view().to_json())) }
}
