//! Advisory locks of open files: held by the open file, gone when it is closed.

use std::fs::{File, TryLockError};
use std::io;

/// Takes the lock for this holder alone, without waiting.
pub(crate) fn try_exclusive(file: &File) -> Result<(), TryLockError> {
    system::try_exclusive(file)
}

/// Takes the lock together with others who share it, without waiting.
pub(crate) fn try_shared(file: &File) -> Result<(), TryLockError> {
    system::try_shared(file)
}

/// Releases the lock.
pub(crate) fn release(file: &File) -> io::Result<()> {
    system::release(file)
}

#[cfg(unix)]
mod system {
    use super::{File, TryLockError, io};

    pub(super) fn try_exclusive(file: &File) -> Result<(), TryLockError> {
        file.try_lock()
    }

    pub(super) fn try_shared(file: &File) -> Result<(), TryLockError> {
        file.try_lock_shared()
    }

    pub(super) fn release(file: &File) -> io::Result<()> {
        file.unlock()
    }
}

/// Locks of Windows keep others, and with a shared one the holder itself, from the bytes that they
/// cover. One of a byte that no file has covers nothing that is read or written, and is advisory
/// like those of other systems.
#[cfg(windows)]
mod system {
    use std::os::windows::io::AsRawHandle;

    use windows_sys::Win32::Foundation::ERROR_LOCK_VIOLATION;
    use windows_sys::Win32::Storage::FileSystem::{
        LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFile,
    };
    use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_0, OVERLAPPED_0_0};

    use super::{File, TryLockError, io};

    /// The upper half of the position of the byte: far beyond the largest file of NTFS.
    const FAR: u32 = 0x7fff_ffff;

    pub(super) fn try_exclusive(file: &File) -> Result<(), TryLockError> {
        lock(file, LOCKFILE_EXCLUSIVE_LOCK)
    }

    pub(super) fn try_shared(file: &File) -> Result<(), TryLockError> {
        lock(file, 0)
    }

    fn lock(file: &File, how: u32) -> Result<(), TryLockError> {
        let mut at = OVERLAPPED {
            Anonymous: OVERLAPPED_0 {
                Anonymous: OVERLAPPED_0_0 {
                    Offset: 0,
                    OffsetHigh: FAR,
                },
            },
            ..OVERLAPPED::default()
        };
        let how = how | LOCKFILE_FAIL_IMMEDIATELY;
        // SAFETY: the handle is open and synchronous, so that the call is done with `at` when it
        // returns.
        #[expect(unsafe_code, reason = "the standard library locks all bytes of a file")]
        let locked = unsafe { LockFileEx(file.as_raw_handle(), how, 0, 1, 0, &raw mut at) };
        if locked != 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error().map(i32::cast_unsigned) {
            Some(ERROR_LOCK_VIOLATION) => Err(TryLockError::WouldBlock),
            _ => Err(TryLockError::Error(error)),
        }
    }

    pub(super) fn release(file: &File) -> io::Result<()> {
        // SAFETY: the handle is open, and there are no pointers.
        #[expect(unsafe_code, reason = "as above")]
        let released = unsafe { UnlockFile(file.as_raw_handle(), 0, FAR, 1, 0) };
        match released {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_lock_keeps_out_only_who_asks_for_it() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        let mut writer = File::create_new(&path).unwrap();
        let other = File::open(&path).unwrap();
        try_shared(&writer).unwrap();
        writer.write_all(b"bytes").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"bytes");
        assert!(try_shared(&other).is_ok());
        release(&other).unwrap();
        assert!(matches!(
            try_exclusive(&other),
            Err(TryLockError::WouldBlock)
        ));
        release(&writer).unwrap();
        try_exclusive(&other).unwrap();
        assert!(matches!(try_shared(&writer), Err(TryLockError::WouldBlock)));
        assert_eq!(std::fs::read(&path).unwrap(), b"bytes");
        drop(other);
        try_exclusive(&writer).unwrap();
    }
}
