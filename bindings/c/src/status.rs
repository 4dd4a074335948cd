//! Statuses and errors.

use std::path::Path;

use engine::{Error, ErrorKind, gguf};

use crate::boundary::{Fault, contain, free, get, with};
use crate::growing::{get_sized, growing};
use crate::str::{Strings, mkeep_str};

/// How a call ended. More may come: take an unknown one for a failure.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_status {
    /// It is done.
    Ok = 0,
    /// A model, blob or layer is absent.
    NotFound = 1,
    /// A malformed name of a model.
    InvalidName = 2,
    /// A malformed digest.
    InvalidDigest = 3,
    /// Options contradict each other or the store.
    InvalidArgument = 4,
    /// The name is taken and was not to be replaced.
    AlreadyExists = 5,
    /// What the disk holds is not what its name or its neighbors promise.
    Corrupt = 6,
    /// A hostile or broken GGUF file.
    InvalidGguf = 7,
    /// A format or a version that is known and not supported.
    Unsupported = 8,
    /// Another process has the lock.
    Busy = 9,
    /// The progress callback asked to stop.
    Cancelled = 10,
    /// The operating system refused; mkeep_error_os has its number.
    Io = 11,
    /// A Go template that does not parse.
    InvalidTemplate = 12,
    /// The operating system denies access to a file or a directory.
    PermissionDenied = 13,
    /// A file or a directory is absent: the store itself, a blob, a file of the caller's.
    FileNotFound = 14,
    /// A change of a store that was opened read-only, or on a read-only file system.
    ReadOnly = 15,
    /// A registry cannot be reached, or does not answer as one.
    Network = 16,
    /// A bug of the library itself, which it survived.
    Panic = 100,
    /// A pointer is NULL that must not be.
    NullArgument = 101,
    /// A string is not UTF-8.
    InvalidUtf8 = 102,
}

impl mkeep_status {
    pub(crate) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => mkeep_status::NotFound,
            ErrorKind::InvalidName => mkeep_status::InvalidName,
            ErrorKind::InvalidDigest => mkeep_status::InvalidDigest,
            ErrorKind::InvalidArgument => mkeep_status::InvalidArgument,
            ErrorKind::AlreadyExists => mkeep_status::AlreadyExists,
            ErrorKind::Corrupt => mkeep_status::Corrupt,
            ErrorKind::InvalidGguf => mkeep_status::InvalidGguf,
            ErrorKind::Unsupported => mkeep_status::Unsupported,
            ErrorKind::Busy => mkeep_status::Busy,
            ErrorKind::Cancelled => mkeep_status::Cancelled,
            ErrorKind::InvalidTemplate => mkeep_status::InvalidTemplate,
            ErrorKind::PermissionDenied => mkeep_status::PermissionDenied,
            ErrorKind::FileNotFound => mkeep_status::FileNotFound,
            ErrorKind::ReadOnly => mkeep_status::ReadOnly,
            ErrorKind::Network => mkeep_status::Network,
            _ => mkeep_status::Io,
        }
    }
}

/// What went wrong.
pub struct mkeep_error {
    status: mkeep_status,
    http: u16,
    os: i32,
    message: mkeep_str,
    path: mkeep_str,
    suggestions: Vec<mkeep_str>,
    parse_error: Option<mkeep_parse_error>,
    _strings: Strings,
}

/// What is wrong with a GGUF file, and where.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_parse_error {
    /// `sizeof(mkeep_parse_error)`.
    pub size: usize,
    /// What it is: a code that never changes, as in `bad_magic`.
    pub code: mkeep_str,
    /// The place in the structure, as in `kv 17 "tokenizer.ggml.tokens" element 4711`.
    pub path: mkeep_str,
    /// What is wrong, in words.
    pub message: mkeep_str,
    /// The byte of the file where the item begins that is wrong.
    pub offset: u64,
}

growing!(mkeep_parse_error: offset);

impl mkeep_parse_error {
    pub(crate) fn new(strings: &mut Strings, error: &gguf::ParseError) -> Self {
        mkeep_parse_error {
            size: size_of::<Self>(),
            code: strings.add(error.kind().code()),
            path: strings.add(error.path()),
            message: strings.add(error.message()),
            offset: error.offset(),
        }
    }
}

impl mkeep_error {
    fn new(fault: Fault) -> Self {
        let (status, message) = match &fault {
            Fault::Engine(error) => (mkeep_status::of(error.kind()), error.to_string()),
            Fault::Null(name) => (mkeep_status::NullArgument, format!("{name} is NULL")),
            Fault::Utf8(name) => (mkeep_status::InvalidUtf8, format!("{name} is not UTF-8")),
            Fault::Panic(text) => (mkeep_status::Panic, format!("the library failed: {text}")),
        };
        let error = match &fault {
            Fault::Engine(error) => Some(error),
            _ => None,
        };
        let mut strings = Strings::default();
        let parse_error = error.and_then(Error::cause_of);
        mkeep_error {
            status,
            http: error.map_or(500, |error| error.kind().http_status()),
            os: error.and_then(Error::os_error).unwrap_or(0),
            message: strings.add(&message),
            path: strings.path(error.and_then(Error::path).unwrap_or(Path::new(""))),
            suggestions: strings.displays(error.map_or(&[][..], Error::suggestions)),
            parse_error: parse_error.map(|error| mkeep_parse_error::new(&mut strings, error)),
            _strings: strings,
        }
    }
}

/// Runs the body of every function that can fail: no panic leaves it, and every fault becomes a
/// status and, where the caller wants one, an object.
///
/// # Safety
/// `error` is NULL or may be written to.
pub(crate) unsafe fn call(
    error: *mut *mut mkeep_error,
    body: impl FnOnce() -> Result<(), Fault>,
) -> mkeep_status {
    let Err(fault) = contain(body) else {
        return mkeep_status::Ok;
    };
    let report = mkeep_error::new(fault);
    let status = report.status;
    if !error.is_null() {
        // SAFETY: not NULL, so by the contract it may be written to.
        unsafe { error.write(Box::into_raw(Box::new(report))) };
    }
    status
}

/// Returns the status of the call that failed; MKEEP_STATUS_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_status(error: *const mkeep_error) -> mkeep_status {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { with(error, mkeep_status::Ok, |error| error.status) }
}

/// Returns what was being done to what, and why it failed: lower case, without a full stop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_message(error: *const mkeep_error) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { with(error, mkeep_str::EMPTY, |error| error.message) }
}

/// Returns the HTTP status for it, as in 404; 200 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_http_status(error: *const mkeep_error) -> u16 {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { with(error, 200, |error| error.http) }
}

/// Returns the operating system's number for it (`errno`); 0 where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_os(error: *const mkeep_error) -> i32 {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { with(error, 0, |error| error.os) }
}

/// Returns the file or directory that it is about, as the system has it; empty where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_path(error: *const mkeep_error) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { with(error, mkeep_str::EMPTY, |error| error.path) }
}

/// Gets a stored name that may have been meant, the nearest first, at most three; false beyond the
/// last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_suggestion(
    error: *const mkeep_error,
    index: usize,
    name: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(error, name, |error| error.suggestions.get(index).copied()) }
}

/// Gets where a GGUF file is wrong; false where that is not what went wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_parse_error(
    error: *const mkeep_error,
    parse_error: *mut mkeep_parse_error,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(error, parse_error, |error| error.parse_error) }
}

/// Frees an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_free(error: *mut mkeep_error) {
    // SAFETY: by the header's contract NULL or a live error that is given up.
    unsafe { free(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn a_panic_becomes_a_status_and_an_object() {
        let mut error = std::ptr::null_mut();
        // SAFETY: the pointers are a local's, and those that the calls gave.
        unsafe {
            let status = call(&raw mut error, || panic!("a {}", "bug"));
            assert_eq!(status, mkeep_status::Panic);
            assert_eq!(mkeep_error_status(error), status);
            let text = CStr::from_ptr(mkeep_error_message(error).ptr);
            assert_eq!(text, c"the library failed: a bug");
            mkeep_error_free(error);
            assert_eq!(call(std::ptr::null_mut(), || panic!()), status);
        }
    }
}
