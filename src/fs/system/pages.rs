//! What the system keeps of a file in its cache.

use std::fs::File;
use std::io;
use std::ops;

/// Returns whether no page of a range is cached; false where the system does not say.
pub(crate) fn is_cold(file: &File, at: u64, len: u64) -> bool {
    system::is_cold(file, at, len)
}

/// Gives back the pages of a range that nobody maps or writes; a length of 0 is to the end. It may
/// be refused.
pub(crate) fn drop_cached(file: &File, at: u64, len: u64) {
    system::drop_cached(file, at, len);
}

/// Starts to write the dirty pages of a range to the disk;
/// [`Unsupported`](io::ErrorKind::Unsupported) where the system cannot be asked to.
pub(crate) fn start_writing(file: &File, range: ops::Range<u64>) -> io::Result<()> {
    system::start_writing(file, range)
}

/// Waits until what is being written before `end` is written. Where that failed, this is told, and it
/// may be told nobody else.
pub(crate) fn wait_for_writing(file: &File, end: u64) -> io::Result<()> {
    system::wait_for_writing(file, end)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::io;
    use std::num::NonZeroU64;
    use std::ops;
    use std::os::fd::AsRawFd;

    use rustix::fs::{Advice, fadvise};

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

    pub(super) fn start_writing(file: &File, range: ops::Range<u64>) -> io::Result<()> {
        sync_range(file, range, libc::SYNC_FILE_RANGE_WRITE)
    }

    pub(super) fn wait_for_writing(file: &File, end: u64) -> io::Result<()> {
        match end {
            // To the system no bytes are all bytes.
            0 => Ok(()),
            end => sync_range(file, 0..end, libc::SYNC_FILE_RANGE_WAIT_BEFORE),
        }
    }

    fn sync_range(file: &File, range: ops::Range<u64>, how: libc::c_uint) -> io::Result<()> {
        let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let at = range.start.try_into().map_err(invalid)?;
        let len = (range.end - range.start).try_into().map_err(invalid)?;
        // SAFETY: the descriptor is open, and the call touches no memory of ours.
        #[expect(unsafe_code, reason = "neither the standard library nor rustix asks")]
        match unsafe { libc::sync_file_range(file.as_raw_fd(), at, len, how) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::io;
    use std::ops;

    pub(super) fn is_cold(_: &File, _: u64, _: u64) -> bool {
        false
    }

    pub(super) fn drop_cached(_: &File, _: u64, _: u64) {}

    pub(super) fn start_writing(_: &File, _: ops::Range<u64>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn wait_for_writing(_: &File, _: u64) -> io::Result<()> {
        Ok(())
    }
}
