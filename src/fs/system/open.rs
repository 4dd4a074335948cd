//! How files are opened, and read at a place.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file, and never waits for the other end of a FIFO.
pub(crate) fn without_waiting(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    system::without_waiting(path, options)
}

/// Opens what is at a path itself: never what a link leads to. Waits for nobody, either.
pub(crate) fn without_following(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    system::without_following(path, options)
}

/// Opens for reading a file that will get another time, and may get another owner.
pub(crate) fn to_adjust(path: &Path) -> io::Result<File> {
    system::to_adjust(path)
}

/// Opens a directory to set its owner and mode; `None` where the system has neither.
pub(crate) fn directory(path: &Path) -> io::Result<Option<File>> {
    system::directory(path)
}

/// Reads at a place in a file; returns how many bytes there were.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    system::read_at(file, buffer, at)
}

/// Fills a buffer from a place in a file.
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    fill(buffer, at, |buffer, at| read_at(file, buffer, at))
}

/// Fills a buffer from a place in whatever `read` reads, which returns how many bytes there were.
pub(crate) fn fill(
    mut buffer: &mut [u8],
    mut at: u64,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<()> {
    while !buffer.is_empty() {
        match read(buffer, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                at += count as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(unix)]
mod system {
    use std::os::unix::fs::{FileExt, OpenOptionsExt};

    use super::{File, OpenOptions, Path, io};

    pub(super) fn without_waiting(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
        options.custom_flags(libc::O_NONBLOCK).open(path)
    }

    pub(super) fn without_following(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        options.custom_flags(flags).open(path)
    }

    pub(super) fn to_adjust(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    pub(super) fn directory(path: &Path) -> io::Result<Option<File>> {
        File::open(path).map(Some)
    }

    pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        file.read_at(buffer, at)
    }
}

#[cfg(windows)]
mod system {
    use std::os::windows::fs::{FileExt, OpenOptionsExt};

    use windows_sys::Win32::Foundation::GENERIC_READ;
    use windows_sys::Win32::Storage::FileSystem::{
        FILE_FLAG_OPEN_REPARSE_POINT, FILE_WRITE_ATTRIBUTES,
    };

    use super::{File, OpenOptions, Path, io};

    /// Pipes are in a name space of their own. A directory opens as none, which would look like a
    /// lack of rights.
    pub(super) fn without_waiting(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
        options.open(path).map_err(|error| match path.is_dir() {
            true => io::Error::new(io::ErrorKind::IsADirectory, "is a directory"),
            false => error,
        })
    }

    pub(super) fn without_following(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
        let flags = FILE_FLAG_OPEN_REPARSE_POINT;
        let file = options.custom_flags(flags).open(path)?;
        // Where a link is, the link itself is open.
        match file.metadata()?.is_symlink() {
            true => Err(io::Error::new(io::ErrorKind::InvalidInput, "is a link")),
            false => Ok(file),
        }
    }

    pub(super) fn to_adjust(path: &Path) -> io::Result<File> {
        let access = GENERIC_READ | FILE_WRITE_ATTRIBUTES;
        OpenOptions::new().access_mode(access).open(path)
    }

    pub(super) fn directory(_path: &Path) -> io::Result<Option<File>> {
        Ok(None)
    }

    /// Moves the position of the file, too.
    pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        file.seek_read(buffer, at)
    }
}
