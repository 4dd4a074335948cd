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
    buffer: &mut [u8],
    at: u64,
    read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<()> {
    match fill_up(buffer, at, None, read)? == buffer.len() {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// As [`fill`], as far as there are bytes; returns how many. What ends at `end`, as was expected, is
/// not asked once more.
pub(crate) fn fill_up(
    buffer: &mut [u8],
    at: u64,
    end: Option<u64>,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(left) = buffer.get_mut(filled..).filter(|left| !left.is_empty()) {
        match read(left, at + filled as u64) {
            Ok(0) => break,
            Ok(count) => {
                let is_short = count < left.len();
                filled += count;
                if is_short && end == Some(at + filled as u64) {
                    break;
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills `len` bytes from a place in `bytes`, read at most three at a time, with an interruption
    /// before each; returns them, and how often it was asked with success.
    fn filled(len: usize, at: u64, end: Option<u64>, bytes: &[u8]) -> (Vec<u8>, u32) {
        let (mut buffer, mut asked, mut is_interrupted) = (vec![0; len], 0, false);
        let count = fill_up(&mut buffer, at, end, |into, at| {
            is_interrupted = !is_interrupted;
            if is_interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            asked += 1;
            let from = bytes
                .get(usize::try_from(at).unwrap()..)
                .unwrap_or_default();
            let count = from.len().min(into.len()).min(3);
            into[..count].copy_from_slice(&from[..count]);
            Ok(count)
        });
        buffer.truncate(count.unwrap());
        (buffer, asked)
    }

    #[test]
    fn what_is_read_in_pieces_is_in_its_place() {
        let bytes: Vec<u8> = (0..100).collect();
        for (len, at) in [(0, 0), (1, 0), (3, 5), (10, 0), (10, 7), (50, 90), (5, 100)] {
            let expected: Vec<u8> = bytes[at..].iter().copied().take(len).collect();
            for end in [None, Some(100), Some(8), Some(1_000)] {
                let (found, _) = filled(len, at as u64, end, &bytes);
                // An end that others have put further on, or before this place, is none.
                if end != Some(8) || at + len <= 8 || at > 8 {
                    assert_eq!(found, expected, "{len} from {at}, to {end:?}");
                }
            }
        }
    }

    #[test]
    fn an_end_that_was_expected_is_asked_for_only_where_nobody_knew_of_it() {
        let bytes = [7; 8];
        assert_eq!(filled(20, 2, Some(8), &bytes), (vec![7; 6], 2));
        assert_eq!(filled(20, 2, None, &bytes), (vec![7; 6], 3));
        assert_eq!(filled(6, 2, Some(8), &bytes), (vec![7; 6], 2));
        // It has grown since.
        let grown = filled(20, 2, Some(7), &bytes);
        assert_eq!(grown, (vec![7; 6], 3));
    }

    #[test]
    fn less_than_was_asked_for_is_an_error_where_all_is_needed() {
        let read = |bytes: &mut [u8], at: u64| Ok(bytes.len().min(10 - at as usize));
        assert!(fill(&mut [0; 10], 0, read).is_ok());
        let error = fill(&mut [0; 10], 1, read).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let failing = |_: &mut [u8], _: u64| Err(io::ErrorKind::PermissionDenied.into());
        let error = fill(&mut [0; 10], 0, failing).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
