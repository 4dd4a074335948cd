//! What changes the disk in a way of each system's own. Only `ops` calls it.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes the bytes of a file durable. The path is where it is.
pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    system::sync(file, path)
}

/// Makes the entries of a directory durable, where the system leaves that to us.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    system::sync_directory(path)
}

/// Renames to a name that must be free, in one step; [`Unsupported`](io::ErrorKind::Unsupported)
/// where the system has none.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    system::rename_new(from, to)
}

/// Writes bytes at a place in a file.
pub(crate) fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    system::write_all_at(file, bytes, at)
}

/// Copies bytes between files without a way through this process; returns how many.
/// [`Unsupported`](io::ErrorKind::Unsupported) where the system, or the file system, cannot.
pub(crate) fn copy_range(
    from: &File,
    from_at: u64,
    to: &File,
    to_at: u64,
    len: u64,
) -> io::Result<u64> {
    system::copy_range(from, from_at, to, to_at, len)
}

/// Makes a symbolic link to a file.
pub(crate) fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    system::symlink(target, link)
}

/// Gives the file to a user and to a group.
pub(crate) fn give(file: &File, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
    system::give(file, user, group)
}

/// Sets the bits that say who may use a file.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    system::set_mode(file, mode)
}

#[cfg(unix)]
mod system {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::{File, Path, io};
    use crate::fs::system::code;

    pub(super) fn sync(file: &File, _path: &Path) -> io::Result<()> {
        sync_all(file)
    }

    pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
        sync_all(&File::open(path)?)
    }

    /// On macOS the standard library asks for `F_FULLFSYNC`, which reaches the disk itself. Where a
    /// file system does not know it, as that of a server, `fsync` is all that there is.
    fn sync_all(file: &File) -> io::Result<()> {
        match file.sync_all() {
            Err(e) if code::is_unsupported(&e) => Ok(rustix::fs::fsync(file)?),
            synced => synced,
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    pub(super) fn rename_new(_from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn copy_range(
        from: &File,
        mut from_at: u64,
        to: &File,
        mut to_at: u64,
        len: u64,
    ) -> io::Result<u64> {
        use rustix::io::Errno;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let (from_at, to_at) = (Some(&mut from_at), Some(&mut to_at));
        match rustix::fs::copy_file_range(from, from_at, to, to_at, len) {
            // Between two file systems, and on those that do not know the call.
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                Err(io::ErrorKind::Unsupported.into())
            }
            copied => Ok(copied? as u64),
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn copy_range(_: &File, _: u64, _: &File, _: u64, _: u64) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn symlink(target: &Path, link: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, link)
    }

    pub(super) fn give(file: &File, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        std::os::unix::fs::fchown(file, user, group)
    }

    pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(mode))
    }
}

#[cfg(windows)]
mod system {
    use std::fs::OpenOptions;
    use std::os::windows::ffi::OsStrExt;

    use windows_sys::Win32::Foundation::ERROR_ACCESS_DENIED;
    use windows_sys::Win32::Storage::FileSystem::{MOVEFILE_WRITE_THROUGH, MoveFileExW};

    use super::{File, Path, io};

    pub(super) fn sync(file: &File, path: &Path) -> io::Result<()> {
        match file.sync_all() {
            // Only a handle that may write may flush.
            Err(e) if e.raw_os_error() == Some(ERROR_ACCESS_DENIED.cast_signed()) => {
                OpenOptions::new().write(true).open(path)?.sync_all()
            }
            synced => synced,
        }
    }

    /// NTFS writes names to its journal. A directory cannot be flushed by who may not manage the
    /// volume.
    pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
        path.metadata().map(|_| ())
    }

    pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (wide(from)?, wide(to)?);
        // SAFETY: both pointers are to characters that end with a NUL, for as long as the call.
        #[expect(unsafe_code, reason = "the standard library's rename replaces")]
        let moved = unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), MOVEFILE_WRITE_THROUGH) };
        match moved {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// Returns a path for a call of the system, which may be longer than 260 characters.
    fn wide(path: &Path) -> io::Result<Vec<u16>> {
        let path = std::path::absolute(path)?;
        let prefix = match path.components().next() {
            Some(std::path::Component::Prefix(prefix)) if !prefix.kind().is_verbatim() => {
                match prefix.kind() {
                    std::path::Prefix::Disk(_) => r"\\?\",
                    _ => "",
                }
            }
            _ => "",
        };
        let path = prefix.encode_utf16().chain(path.as_os_str().encode_wide());
        let mut path: Vec<u16> = path.collect();
        if path.contains(&0) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        path.push(0);
        Ok(path)
    }

    pub(super) fn write_all_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
        use std::os::windows::fs::FileExt;
        while !bytes.is_empty() {
            match file.seek_write(bytes, at) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = bytes.get(count..).unwrap_or_default();
                    at += count as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    pub(super) fn copy_range(_: &File, _: u64, _: &File, _: u64, _: u64) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Needs developer mode, or a privilege that users do not have.
    pub(super) fn symlink(target: &Path, link: &Path) -> io::Result<()> {
        std::os::windows::fs::symlink_file(target, link)
    }

    pub(super) fn give(_: &File, _: Option<u32>, _: Option<u32>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn set_mode(_: &File, _: u32) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
