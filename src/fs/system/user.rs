//! For whom this process acts, and where that user may write.

use std::path::Path;

/// Returns the number of the user; `None` where users have none.
pub(crate) fn effective() -> Option<u32> {
    #[cfg(unix)]
    return Some(rustix::process::geteuid().as_raw());
    #[cfg(windows)]
    None
}

/// Returns whether this user may write to a directory, as far as rights and the file system tell. One
/// to which nobody may write is not written to by root, either.
pub(crate) fn may_write(directory: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        use rustix::fs::{Access, AtFlags, CWD, accessat};
        let wanted = Access::WRITE_OK | Access::EXEC_OK;
        accessat(CWD, directory, wanted, AtFlags::EACCESS).is_ok()
            && directory
                .metadata()
                .is_ok_and(|found| found.mode() & 0o222 != 0)
    }
    #[cfg(windows)]
    directory
        .metadata()
        .is_ok_and(|found| !found.permissions().readonly())
}
