//! Error numbers by what they mean.

use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind};

/// Returns whether an error says what this process lacks, and nothing about the file: descriptors,
/// memory, or time.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    is_one_of(error, codes::EXHAUSTION)
}

/// Returns whether an error may be gone at the next try, though nobody changes the file:
/// exhaustion, an interruption, a server of files that was away, or another's use of the file.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    is_exhaustion(error) || is_one_of(error, codes::PASSING)
}

/// Returns whether an error says that the file system does not know an operation on names.
pub(crate) fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || is_one_of(error, codes::UNSUPPORTED)
}

/// Returns whether a link of some kind cannot be made here, and one of another kind may be: the file
/// system does not know it, the file is on another device or has all the names that it can have, or
/// it is not this user's to link.
pub(crate) fn is_unlinkable(error: &io::Error) -> bool {
    is_unsupported(error)
        || matches!(
            error.kind(),
            io::ErrorKind::CrossesDevices
                | io::ErrorKind::TooManyLinks
                | io::ErrorKind::PermissionDenied
        )
        || is_one_of(error, codes::UNLINKABLE)
}

/// Returns whether a refusal to set an owner or a mode says only that it is not ours to set, or
/// that there is none.
pub(crate) fn is_not_for_us(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || is_one_of(error, codes::NOT_FOR_US)
}

/// Returns whether the file system has no locks at all, as some network file systems, or none for a
/// file that may only be read, as NFS.
pub(crate) fn is_lockless(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || is_one_of(error, codes::LOCKLESS)
}

/// Returns whether a failure to map is one of the file system, as virtiofs, 9p and some of FUSE
/// have it, or one of an address space that is too small, and the file can still be read.
pub(crate) fn is_unmappable(error: &io::Error) -> bool {
    let is_small = usize::BITS < u64::BITS;
    error.kind() == io::ErrorKind::Unsupported
        || is_one_of(error, codes::UNMAPPABLE)
        || is_small && is_exhaustion(error)
}

/// Returns whether a refusal to replace or to remove the file at a path says that somebody has it
/// open or mapped. Unix lets the name go all the same.
pub(crate) fn is_in_use(error: &io::Error, path: &Path) -> bool {
    is_one_of(error, codes::IN_USE)
        || is_one_of(error, codes::MAYBE_IN_USE) && system::is_in_use(path)
}

/// Returns the error of a disk that is full.
pub(crate) fn no_space() -> io::Error {
    io::Error::from_raw_os_error(codes::NO_SPACE)
}

fn is_one_of(error: &io::Error, codes: &[i32]) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}

/// Returns the number of an error, or of the one that it tells of.
fn number(error: &io::Error) -> Option<i32> {
    let told = || error.get_ref()?.source()?.downcast_ref::<io::Error>();
    error
        .raw_os_error()
        .or_else(|| told().and_then(io::Error::raw_os_error))
}

impl Error {
    /// Returns the operating system's error number: the one with which it refused, or the one that
    /// says the same as the kind.
    pub fn os_error(&self) -> Option<i32> {
        let refusal = self.cause_of::<io::Error>();
        refusal.and_then(number).or(match self.kind() {
            ErrorKind::PermissionDenied => Some(codes::DENIED),
            ErrorKind::FileNotFound => Some(codes::ABSENT),
            ErrorKind::ReadOnly => Some(codes::READ_ONLY),
            _ => None,
        })
    }
}

#[cfg(unix)]
mod codes {
    pub(super) const EXHAUSTION: &[i32] = &[libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::EAGAIN];
    pub(super) const PASSING: &[i32] = &[libc::EINTR, libc::ESTALE, libc::ETIMEDOUT, libc::EBUSY];
    pub(super) const UNSUPPORTED: &[i32] = &[libc::EINVAL, libc::EPERM];
    pub(super) const UNLINKABLE: &[i32] = &[libc::ENOTTY, libc::ENOTSUP, libc::EXDEV];
    pub(super) const NOT_FOR_US: &[i32] = &[libc::EPERM, libc::EINVAL];
    pub(super) const LOCKLESS: &[i32] = &[libc::ENOLCK, libc::EBADF];
    pub(super) const UNMAPPABLE: &[i32] =
        &[libc::ENODEV, libc::EINVAL, libc::EACCES, libc::ENOTSUP];
    pub(super) const IN_USE: &[i32] = &[];
    pub(super) const MAYBE_IN_USE: &[i32] = &[];
    pub(super) const DENIED: i32 = libc::EACCES;
    pub(super) const ABSENT: i32 = libc::ENOENT;
    pub(super) const READ_ONLY: i32 = libc::EROFS;
    pub(super) const NO_SPACE: i32 = libc::ENOSPC;
}

#[cfg(windows)]
mod codes {
    use windows_sys::Win32::Foundation as win;

    pub(super) const EXHAUSTION: &[i32] = &[
        win::ERROR_TOO_MANY_OPEN_FILES.cast_signed(),
        win::ERROR_NOT_ENOUGH_MEMORY.cast_signed(),
        win::ERROR_OUTOFMEMORY.cast_signed(),
        win::ERROR_NO_SYSTEM_RESOURCES.cast_signed(),
        win::ERROR_COMMITMENT_LIMIT.cast_signed(),
    ];
    pub(super) const PASSING: &[i32] = &[
        win::ERROR_SHARING_VIOLATION.cast_signed(),
        win::ERROR_LOCK_VIOLATION.cast_signed(),
        win::ERROR_BUSY.cast_signed(),
        win::ERROR_SEM_TIMEOUT.cast_signed(),
        win::ERROR_NETWORK_BUSY.cast_signed(),
        win::ERROR_UNEXP_NET_ERR.cast_signed(),
        win::ERROR_NETNAME_DELETED.cast_signed(),
    ];
    pub(super) const UNSUPPORTED: &[i32] = UNKNOWN;
    pub(super) const UNLINKABLE: &[i32] = &[
        win::ERROR_PRIVILEGE_NOT_HELD.cast_signed(),
        win::ERROR_NOT_SAME_DEVICE.cast_signed(),
        win::ERROR_TOO_MANY_LINKS.cast_signed(),
    ];
    /// There are no owners and modes to set.
    pub(super) const NOT_FOR_US: &[i32] = &[];
    pub(super) const LOCKLESS: &[i32] = UNKNOWN;
    pub(super) const UNMAPPABLE: &[i32] = UNKNOWN;
    pub(super) const IN_USE: &[i32] = &[
        win::ERROR_SHARING_VIOLATION.cast_signed(),
        win::ERROR_LOCK_VIOLATION.cast_signed(),
        win::ERROR_USER_MAPPED_FILE.cast_signed(),
        win::ERROR_DELETE_PENDING.cast_signed(),
    ];
    pub(super) const MAYBE_IN_USE: &[i32] = &[DENIED];
    pub(super) const DENIED: i32 = win::ERROR_ACCESS_DENIED.cast_signed();
    pub(super) const ABSENT: i32 = win::ERROR_FILE_NOT_FOUND.cast_signed();
    pub(super) const READ_ONLY: i32 = win::ERROR_WRITE_PROTECT.cast_signed();
    pub(super) const NO_SPACE: i32 = win::ERROR_DISK_FULL.cast_signed();
    const UNKNOWN: &[i32] = &[
        win::ERROR_INVALID_FUNCTION.cast_signed(),
        win::ERROR_NOT_SUPPORTED.cast_signed(),
    ];
}

#[cfg(unix)]
mod system {
    pub(super) fn is_in_use(_path: &std::path::Path) -> bool {
        false
    }
}

#[cfg(windows)]
mod system {
    use std::fs::OpenOptions;
    use std::os::windows::fs::OpenOptionsExt;
    use std::path::Path;

    use windows_sys::Win32::Storage::FileSystem::DELETE;

    /// A denial may be one of rights, or of a map that somebody has: the file could be opened for
    /// deletion then.
    pub(super) fn is_in_use(path: &Path) -> bool {
        match OpenOptions::new().access_mode(DELETE).open(path) {
            Err(e) => super::is_one_of(&e, super::codes::IN_USE),
            Ok(file) => file
                .metadata()
                .is_ok_and(|found| found.is_file() && !found.permissions().readonly()),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_file_system_does_not_know_is_done_in_another_way() {
        for code in [libc::EINVAL, libc::ENOSYS, libc::EOPNOTSUPP, libc::EPERM] {
            assert!(
                is_unsupported(&io::Error::from_raw_os_error(code)),
                "{code}"
            );
        }
        for code in [
            libc::EEXIST,
            libc::ENOENT,
            libc::EACCES,
            libc::EIO,
            libc::EXDEV,
        ] {
            assert!(
                !is_unsupported(&io::Error::from_raw_os_error(code)),
                "{code}"
            );
        }
    }

    #[test]
    fn only_what_may_pass_is_passing_and_only_what_we_lack_is_exhaustion() {
        for (codes, is_ours, passes) in [
            (
                &[libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::EAGAIN][..],
                true,
                true,
            ),
            (
                &[libc::EINTR, libc::ESTALE, libc::ETIMEDOUT, libc::EBUSY],
                false,
                true,
            ),
            (
                &[libc::EIO, libc::ENOENT, libc::EACCES, libc::ENOSPC],
                false,
                false,
            ),
        ] {
            for code in codes {
                let error = io::Error::from_raw_os_error(*code);
                assert_eq!(
                    (is_exhaustion(&error), is_passing(&error)),
                    (is_ours, passes)
                );
            }
        }
    }
}
