//! Statuses and errors.

use std::path::Path;

use engine::{Error, ErrorKind, gguf};

use crate::boundary::{Fault, end, fetch, look};
use crate::text::{Terminated, mkeep_str};

/// How a call ended. More may come: take an unknown one for a failure.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_status {
    /// It is done.
    Ok = 0,
    /// A model, blob or layer is absent.
    NotFound = 1,
    /// A text is no model's name.
    InvalidName = 2,
    /// A text is no digest.
    InvalidDigest = 3,
    /// Options contradict each other or the store.
    InvalidArgument = 4,
    /// The name is taken and was not to be replaced.
    AlreadyExists = 5,
    /// What the disk holds is not what its name or its neighbours promise.
    Corrupt = 6,
    /// A hostile or broken GGUF file.
    InvalidGguf = 7,
    /// A format or a version that is known and not supported.
    Unsupported = 8,
    /// Another process holds the lock.
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
    /// A fault of the library itself, which it survived.
    Panic = 100,
    /// A pointer is NULL that must not be.
    NullArgument = 101,
    /// A text is not UTF-8.
    InvalidUtf8 = 102,
}

impl mkeep_status {
    fn of(kind: ErrorKind) -> Self {
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
            _ => mkeep_status::Io,
        }
    }
}

/// What went wrong.
pub struct mkeep_error {
    pub(crate) status: mkeep_status,
    http: u16,
    os: i32,
    message: Terminated,
    path: Terminated,
    suggestions: Vec<Terminated>,
    fault: Option<Place>,
}

/// Where a GGUF file is wrong.
struct Place {
    texts: [Terminated; 3],
    offset: u64,
}

/// What is wrong with a GGUF file, and where. Its texts live as long as the error.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_fault {
    /// What it is: a code that never changes, as in `bad_magic`.
    pub code: mkeep_str,
    /// The place in the structure, as in `kv 17 "tokenizer.ggml.tokens" element 4711`.
    pub path: mkeep_str,
    /// What is wrong, in words.
    pub message: mkeep_str,
    /// The byte of the file where the item begins that is wrong.
    pub offset: u64,
}

impl From<&gguf::ParseError> for Place {
    fn from(fault: &gguf::ParseError) -> Self {
        let texts = [fault.kind().code(), fault.path(), fault.message()];
        Place {
            texts: texts.map(Terminated::new),
            offset: fault.offset(),
        }
    }
}

impl Place {
    fn lend(&self) -> mkeep_fault {
        let [code, path, message] = self.texts.each_ref().map(Terminated::borrow);
        mkeep_fault {
            code,
            path,
            message,
            offset: self.offset,
        }
    }
}

impl mkeep_error {
    pub(crate) fn new(fault: Fault) -> Self {
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
        mkeep_error {
            status,
            http: error.map_or(500, |error| error.kind().http_status()),
            os: error.and_then(Error::os_error).unwrap_or(0),
            message: Terminated::new(&message),
            path: Terminated::path(error.and_then(Error::path).unwrap_or(Path::new(""))),
            suggestions: error
                .map_or(&[][..], Error::suggestions)
                .iter()
                .map(|name| Terminated::new(name))
                .collect(),
            fault: error.and_then(Error::cause_of).map(Place::from),
        }
    }
}

/// The status that the call answered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_status(error: *const mkeep_error) -> mkeep_status {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { look(error, mkeep_status::Ok, |error| error.status) }
}

/// What was being done to what, and why it failed: lower case, without a full stop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_message(error: *const mkeep_error) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { look(error, mkeep_str::EMPTY, |error| error.message.borrow()) }
}

/// The HTTP status for it, as in 404.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_http_status(error: *const mkeep_error) -> u16 {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { look(error, 200, |error| error.http) }
}

/// The operating system's number for it (`errno`); 0 where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_os(error: *const mkeep_error) -> i32 {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { look(error, 0, |error| error.os) }
}

/// The file or directory that it is about, as the system has it; empty where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_path(error: *const mkeep_error) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live error.
    unsafe { look(error, mkeep_str::EMPTY, |error| error.path.borrow()) }
}

/// A stored name that may have been meant, the nearest first, at most three; false, and nothing
/// written, beyond the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_suggestion(
    error: *const mkeep_error,
    index: usize,
    name: *mut mkeep_str,
) -> bool {
    let nth = |error: &mkeep_error| Some(error.suggestions.get(index)?.borrow());
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { fetch(error, name, nth) }
}

/// Where a GGUF file is wrong; false, and nothing written, where that is not what went wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_fault(
    error: *const mkeep_error,
    fault: *mut mkeep_fault,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { fetch(error, fault, |error| error.fault.as_ref().map(Place::lend)) }
}

/// Ends an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_error_free(error: *mut mkeep_error) {
    // SAFETY: by the header's contract NULL or a live error that is given up.
    unsafe { end(error) }
}
