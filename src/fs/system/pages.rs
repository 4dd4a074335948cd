//! What the system keeps of a file in its cache.

use std::fs::File;
use std::io;

/// Returns whether no page of a range is cached; false where the system does not say.
pub(crate) fn is_cold(file: &File, at: u64, len: u64) -> bool {
    system::is_cold(file, at, len)
}

/// Gives back the pages of a range that nobody maps or writes; a length of 0 is to the end. It may
/// be refused.
pub(crate) fn drop_cached(file: &File, at: u64, len: u64) {
    system::drop_cached(file, at, len);
}

/// Has the system begin to write what is not on the disk yet, and does not wait for it: a flush later
/// finds less to do. It may be refused.
pub(crate) fn begin_flush(file: &File) {
    system::begin_flush(file);
}

/// Waits until the first `end` bytes of what [`begin_flush`] has begun with are written: not yet durable,
/// which a flush makes them. `false` where the system waits for no part of a file.
///
/// # Errors
/// Those of writing, which no later flush tells again.
pub(crate) fn await_written(file: &File, end: u64) -> io::Result<bool> {
    system::await_written(file, end)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::io;
    use std::num::NonZeroU64;
    use std::os::fd::AsRawFd;

    use rustix::fs::{Advice, fadvise};

    use crate::fs::system::code;

    // Linux, asm-generic/unistd.h
    const CACHESTAT: libc::c_long = 451;

    // Linux, include/uapi/linux/mman.h
    #[repr(C)]
    struct Range {
        at: u64,
        len: u64,
    }

    // Linux, include/uapi/linux/mman.h
    #[repr(C)]
    #[derive(Default)]
    struct Counts {
        cached: u64,
        dirty: u64,
        writeback: u64,
        evicted: u64,
        recently_evicted: u64,
    }

    /// Returns whether no page of a range is cached; false where the system does not say.
    pub(super) fn is_cold(file: &File, at: u64, len: u64) -> bool {
        let (range, mut counts) = (Range { at, len }, Counts::default());
        // SAFETY: the descriptor is open, and both pointers are to what the call reads and writes.
        #[expect(unsafe_code, reason = "the standard library does not ask")]
        let answer = unsafe {
            libc::syscall(
                CACHESTAT,
                file.as_raw_fd(),
                &raw const range,
                &raw mut counts,
                0,
            )
        };
        answer == 0 && counts.cached == 0
    }

    pub(super) fn drop_cached(file: &File, at: u64, len: u64) {
        // A request that the system may refuse.
        let _ = fadvise(file, at, NonZeroU64::new(len), Advice::DontNeed);
    }

    pub(super) fn begin_flush(file: &File) {
        // SAFETY: the descriptor is open, and the call takes no pointers.
        #[expect(unsafe_code, reason = "the standard library does not ask")]
        let _refused = unsafe {
            // From the beginning to the end.
            libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE)
        };
    }

    pub(super) fn await_written(file: &File, end: u64) -> io::Result<bool> {
        // A length of zero would mean the whole file.
        let (Ok(end), true) = (i64::try_from(end), end > 0) else {
            return Ok(true);
        };
        // SAFETY: the descriptor is open, and the call takes no pointers.
        #[expect(unsafe_code, reason = "the standard library does not ask")]
        let answer = unsafe {
            libc::sync_file_range(file.as_raw_fd(), 0, end, libc::SYNC_FILE_RANGE_WAIT_BEFORE)
        };
        match answer {
            0 => Ok(true),
            _ => match io::Error::last_os_error() {
                e if code::is_unsupported(&e) || e.kind() == io::ErrorKind::NotSeekable => {
                    Ok(false)
                }
                e => Err(e),
            },
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::io;

    pub(super) fn is_cold(_: &File, _: u64, _: u64) -> bool {
        false
    }

    pub(super) fn drop_cached(_: &File, _: u64, _: u64) {}

    pub(super) fn begin_flush(_: &File) {}

    pub(super) fn await_written(_: &File, _: u64) -> io::Result<bool> {
        Ok(false)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn what_is_written_of_a_file_can_be_awaited_where_the_system_does_that() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 1 << 20]).unwrap();
        begin_flush(&file);
        let waits = cfg!(target_os = "linux");
        assert_eq!(await_written(&file, 1 << 19).unwrap(), waits);
        let (_, to) = std::io::pipe().unwrap();
        assert!(!await_written(&File::from(OwnedFd::from(to)), 1).unwrap());
    }
}
