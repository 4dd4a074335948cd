//! Where a sparse file has bytes.

use std::fs::File;
use std::io;

/// Returns the next range of a file that may hold anything but zeros: from `at` on, and at most up
/// to `end`. Moves the position of the file.
pub(crate) fn next_data(file: &File, at: u64, end: u64) -> io::Result<Option<(u64, u64)>> {
    if at >= end {
        return Ok(None);
    }
    system::next_data(file, at, end)
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::fs::{SeekFrom, seek};
    use rustix::io::Errno;

    use super::{File, io};

    pub(super) fn next_data(file: &File, at: u64, end: u64) -> io::Result<Option<(u64, u64)>> {
        let start = match seek(file, SeekFrom::Data(at)) {
            Ok(start) => start,
            // Nothing but a hole is left.
            Err(Errno::NXIO) => return Ok(None),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Some((at, end))),
            Err(e) => return Err(e.into()),
        };
        if start >= end {
            return Ok(None);
        }
        Ok(Some((start, seek(file, SeekFrom::Hole(start))?.min(end))))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{File, io};

    pub(super) fn next_data(_: &File, at: u64, end: u64) -> io::Result<Option<(u64, u64)>> {
        Ok(Some((at, end)))
    }
}
