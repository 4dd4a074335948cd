//! Paths of the system's own.

use std::path::{Path, PathBuf};

/// Returns the directory under which the places of packages and services are; `None` where they
/// have no places that are known.
pub(crate) fn root() -> Option<PathBuf> {
    #[cfg(unix)]
    return Some(PathBuf::from("/"));
    #[cfg(windows)]
    None
}

/// Returns the path that some bytes are: any bytes but on Windows, where they have to be UTF-8.
///
/// ```
/// use std::path::Path;
///
/// let path = modelkeep::path_of_bytes(b"models/caf\xc3\xa9");
/// assert_eq!(path, Some(Path::new("models/caf\u{e9}")));
/// ```
pub fn path_of_bytes(bytes: &[u8]) -> Option<&Path> {
    #[cfg(unix)]
    return Some(Path::new(
        <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes),
    ));
    #[cfg(windows)]
    std::str::from_utf8(bytes).ok().map(Path::new)
}
