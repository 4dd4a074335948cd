//! Paths of the system's own.

use std::path::PathBuf;

/// Returns the directory under which the places of packages and services are; `None` where they
/// have no places that are known.
pub(crate) fn root() -> Option<PathBuf> {
    #[cfg(unix)]
    return Some(PathBuf::from("/"));
    #[cfg(windows)]
    None
}

/// Returns the path that some bytes are: any bytes but on Windows, where they have to be UTF-8.
pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    #[cfg(unix)]
    return Some(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes).into());
    #[cfg(windows)]
    String::from_utf8(bytes).ok().map(PathBuf::from)
}
