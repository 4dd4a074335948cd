//! How much room a file system has.

use std::io;
use std::path::Path;

/// Returns the bytes that may still be written to the file system of a directory; `None` where it
/// does not say.
pub(crate) fn free(directory: &Path) -> io::Result<Option<u64>> {
    system::free(directory)
}

/// Returns the size of the blocks of the file system that a path is on.
pub(crate) fn block(path: &Path) -> io::Result<u64> {
    system::block(path)
}

#[cfg(unix)]
mod system {
    use super::{Path, io};
    use crate::fs::system::user;

    pub(super) fn block(path: &Path) -> io::Result<u64> {
        Ok(rustix::fs::statvfs(path)?.f_bsize)
    }

    pub(super) fn free(directory: &Path) -> io::Result<Option<u64>> {
        let space = rustix::fs::statvfs(directory)?;
        // A file system that counts nothing has no total.
        if space.f_blocks == 0 {
            return Ok(None);
        }
        let blocks = match user::effective() {
            // What is reserved is reserved for root.
            Some(0) => space.f_bfree,
            _ => space.f_bavail,
        };
        Ok(Some(blocks.saturating_mul(space.f_frsize)))
    }
}

#[cfg(windows)]
mod system {
    use std::os::windows::ffi::OsStrExt;

    use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;

    use super::{Path, io};

    /// The largest that a volume with shared blocks has.
    pub(super) fn block(_: &Path) -> io::Result<u64> {
        Ok(64 << 10)
    }

    pub(super) fn free(directory: &Path) -> io::Result<Option<u64>> {
        let mut directory: Vec<u16> = directory.as_os_str().encode_wide().collect();
        directory.push(0);
        let mut free = 0;
        // SAFETY: the path ends with a NUL, and the other pointers are NULL or to a number.
        #[expect(unsafe_code, reason = "the standard library does not ask")]
        let answered = unsafe {
            GetDiskFreeSpaceExW(
                directory.as_ptr(),
                &raw mut free,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        match answered {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(Some(free)),
        }
    }
}
