//! Reading whole files that somebody else may be changing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use crate::fs::stamp::FileStamp;
pub(crate) use crate::fs::system::code::{is_exhaustion, is_passing};
use crate::fs::system::directory::Directory;
use crate::fs::system::open;
use crate::fs::system::stat::Stat;

/// The largest manifest, config or text that is read into memory, in bytes. Real ones are under
/// 100 KB; a larger one is refused rather than trusted.
pub(crate) const LARGEST_TEXT: u64 = 16 << 20;

/// A file that was read whole.
pub(crate) struct Text {
    pub bytes: Vec<u8>,
    /// The time of its last change.
    pub modified: SystemTime,
    /// What tells it from other files, and from itself when it was changed.
    pub stamp: FileStamp,
    /// How many names the file has.
    pub links: u64,
}

/// Returns whether nothing lies at a path any more, not even a link that leads nowhere. What may
/// not be looked at is not gone.
pub(crate) fn is_gone(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|e| is_absence(&e))
}

/// Returns whether an error says that nothing is there.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Returns `error`, which a look at `path` gave; of a link that leads nowhere it says where.
pub(crate) fn dangling(path: &Path, error: io::Error) -> io::Error {
    // A link to a file is no directory either, and leads somewhere.
    let leads_nowhere = is_absence(&error) && !path.exists();
    match fs::read_link(path) {
        Ok(target) if leads_nowhere => {
            let target = target.display();
            let text = format!("a link to {target}, which is not there; is the disk mounted?");
            io::Error::new(error.kind(), text)
        }
        _ => error,
    }
}

/// How often something is read again that was gone and is there again.
const ATTEMPTS: u32 = 16;

/// Reads what lies at `path`; `None` where it was deleted. What was deleted and written again in
/// between is read once more, lest the new one counts as the old one.
///
/// One look decides between the two: between a look for what has returned and one for what is gone
/// it could return. A link that leads nowhere is there, and what may not be looked at is not
/// deleted.
pub(crate) fn anew<T, E>(
    path: &Path,
    mut read: impl FnMut() -> Result<T, E>,
    found_nothing: impl Fn(&E) -> bool,
) -> Result<Option<T>, E> {
    let mut attempts_left = ATTEMPTS;
    loop {
        let error = match read() {
            Err(error) if found_nothing(&error) => error,
            done => return done.map(Some),
        };
        match path.symlink_metadata() {
            Err(e) if is_absence(&e) => return Ok(None),
            Ok(now) if attempts_left > 0 && (!now.is_symlink() || path.exists()) => {
                attempts_left -= 1;
            }
            _ => return Err(error),
        }
    }
}

/// Opens a regular file for reading, following links. A FIFO or a device is refused and never
/// waited for.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    open_stated(path).map(|(file, _)| file)
}

/// Opens a regular file as [`open_regular`] does, and says what it looks like.
pub(crate) fn open_stated(path: &Path) -> io::Result<(File, Stat)> {
    #[cfg(test)]
    opened::note(path)?;
    let opened = open::without_waiting(path, OpenOptions::new().read(true));
    let file = opened.map_err(|e| dangling(path, e))?;
    let stat = Stat::of(&file)?;
    refuse_irregular(&stat)?;
    Ok((file, stat))
}

/// Fails for what is no regular file.
pub(crate) fn refuse_irregular(stat: &Stat) -> io::Result<()> {
    let (kind, text) = match stat {
        stat if stat.is_file() => return Ok(()),
        stat if stat.is_dir() => (io::ErrorKind::IsADirectory, "is a directory"),
        _ => (io::ErrorKind::InvalidInput, "not a regular file"),
    };
    Err(io::Error::new(kind, text))
}

/// Returns what a regular file looks like, links followed, as [`open_regular`] finds it. Opens
/// nothing.
pub(crate) fn stat_regular(path: &Path) -> io::Result<Stat> {
    let stat = Stat::at(path).map_err(|e| dangling(path, e))?;
    refuse_irregular(&stat)?;
    Ok(stat)
}

/// Reads a regular file of at most [`LARGEST_TEXT`] bytes.
pub(crate) fn read_text(path: &Path) -> io::Result<Text> {
    let (file, stat) = open_stated(path)?;
    text_of(file, &stat)
}

/// As [`read_text`], of a file below an open directory.
pub(crate) fn read_text_in(directory: &Directory, below: &Path) -> io::Result<Text> {
    #[cfg(test)]
    opened::note(&directory.path().join(below))?;
    let file = directory.open_file(below)?;
    let stat = Stat::of(&file)?;
    refuse_irregular(&stat)?;
    text_of(file, &stat)
}

fn text_of(file: File, stat: &Stat) -> io::Result<Text> {
    Ok(Text {
        bytes: read_whole(file, stat.len())?,
        modified: stat.modified()?,
        stamp: FileStamp::of(stat),
        links: stat.links(),
    })
}

/// Reads a regular file to the end, as [`read_bounded`] does, without a look for the end where a read
/// came back short: that is where the file ends.
fn read_whole(mut file: File, expected: u64) -> io::Result<Vec<u8>> {
    must_be_small(expected)?;
    let room = usize::try_from(expected).unwrap_or(0);
    let mut bytes = vec![0; room + 1];
    match file.read(&mut bytes) {
        Ok(count) if count <= room => {
            bytes.truncate(count);
            if count == room {
                return Ok(bytes);
            }
        }
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::Interrupted => bytes.clear(),
        Err(e) => return Err(e),
    }
    // It has more than it said, or less: it is being written, or is none that says its size.
    let rest = read_bounded(file, 0)?;
    bytes.extend(rest);
    bounded(bytes)
}

/// What the standard library wants to have free beyond the end, lest it look for the end with reads
/// of a few bytes.
const SPARE: u64 = 64;

/// Reads to the end, but no more than [`LARGEST_TEXT`] bytes: at one go, where there are as many as
/// expected.
pub(crate) fn read_bounded(from: impl Read, expected: u64) -> io::Result<Vec<u8>> {
    must_be_small(expected)?;
    let mut bytes = Vec::with_capacity(usize::try_from(expected + SPARE).unwrap_or(0));
    from.take(LARGEST_TEXT + 1).read_to_end(&mut bytes)?;
    bounded(bytes)
}

fn bounded(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    must_be_small(bytes.len() as u64)?;
    Ok(bytes)
}

/// Refuses a text that is too large, before it is read where it says so itself.
fn must_be_small(size: u64) -> io::Result<()> {
    if size > LARGEST_TEXT {
        let text = format!("larger than {LARGEST_TEXT} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(())
}

/// Returns a record of our own, at most as large as any text that is read, and which only its owner
/// may write, as far as is known: what others can write says nothing about what we found. Never
/// behind a link.
pub(crate) fn read_private(path: &Path) -> Option<Vec<u8>> {
    let (bytes, stat) = read_own(path)?;
    stat.is_private().then_some(bytes)
}

/// Returns a record in our own directory and what it looks like, whoever may write to it. Never
/// behind a link, and at most as large as any text that is read.
pub(crate) fn read_own(path: &Path) -> Option<(Vec<u8>, Stat)> {
    let (file, stat) = open_own(path).ok()?;
    Some((read_bounded(file, stat.len()).ok()?, stat))
}

/// Opens a regular file of our own. Never behind a link.
fn open_own(path: &Path) -> io::Result<(File, Stat)> {
    let file = open::without_following(path, OpenOptions::new().read(true))?;
    let stat = Stat::of(&file)?;
    refuse_irregular(&stat)?;
    Ok((file, stat))
}

/// Reads a file of our own of at most so many bytes. Never behind a link.
pub(crate) fn read_kept(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, _) = open_own(path)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(bytes),
    }
}

/// How many bytes at the beginning of a file say what it is.
const HEAD: u64 = 512;

/// Returns the first bytes of a regular file.
pub(crate) fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(HEAD).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The largest header of a safetensors file that is read, in bytes, as Ollama has it.
const LARGEST_HEADER: u64 = 100 << 20;

/// Reads the JSON header of a safetensors file: its length in eight bytes, then the text.
pub(crate) fn read_safetensors_header(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open_regular(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > LARGEST_HEADER {
        let text = format!("a header of {length} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header)?;
    if header.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(header)
}

/// How often each file was opened, on whatever thread, and which opens fail.
#[cfg(test)]
pub(crate) mod opened {
    use std::collections::HashMap;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::{LazyLock, Mutex};

    static COUNTS: LazyLock<Mutex<HashMap<PathBuf, usize>>> = LazyLock::new(Mutex::default);

    /// How often more opening a file fails, and with which number.
    static FAILURES: LazyLock<Mutex<HashMap<PathBuf, (usize, i32)>>> =
        LazyLock::new(Mutex::default);

    pub(super) fn note(path: &Path) -> io::Result<()> {
        *COUNTS.lock().unwrap().entry(path.to_owned()).or_default() += 1;
        match FAILURES.lock().unwrap().get_mut(path) {
            Some((left @ 1.., code)) => {
                *left -= 1;
                Err(io::Error::from_raw_os_error(*code))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn fail(path: &Path, times: usize, code: i32) {
        let mut failures = FAILURES.lock().unwrap();
        failures.insert(path.to_owned(), (times, code));
    }

    pub(crate) fn count(path: &Path) -> usize {
        COUNTS.lock().unwrap().get(path).copied().unwrap_or(0)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_limit_is_read_and_one_byte_more_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (size, is_read) in [(LARGEST_TEXT, true), (LARGEST_TEXT + 1, false)] {
            file.as_file().set_len(size).unwrap();
            assert_eq!(read_text(file.path()).is_ok(), is_read, "{size}");
        }
    }

    /// Reads what is at a path while every try finds nothing there; returns how many there were.
    fn tries(path: &Path) -> (Result<Option<()>, io::ErrorKind>, u32) {
        let mut tries = 0;
        let read = || {
            tries += 1;
            Err(io::ErrorKind::NotFound)
        };
        let answer = anew(path, read, |kind| *kind == io::ErrorKind::NotFound);
        (answer, tries)
    }

    #[test]
    fn only_what_is_there_again_is_read_again() {
        let scratch = tempfile::tempdir().unwrap();
        let [file, link, dangling] = ["file", "link", "dangling"].map(|n| scratch.path().join(n));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        std::os::unix::fs::symlink("/nonexistent", &dangling).unwrap();
        let failed = Err(io::ErrorKind::NotFound);
        assert_eq!(tries(&scratch.path().join("none")), (Ok(None), 1));
        assert_eq!(tries(&file.join("below a file")), (Ok(None), 1));
        assert_eq!(tries(&dangling), (failed, 1));
        for path in [&file, &link] {
            assert_eq!(tries(path), (failed, ATTEMPTS + 1), "{path:?}");
        }
        let other = || Err::<(), _>(io::ErrorKind::PermissionDenied);
        assert!(anew(&file, other, |kind| *kind == io::ErrorKind::NotFound).is_err());
    }

    #[test]
    fn a_link_that_leads_nowhere_says_where_it_leads() {
        let scratch = tempfile::tempdir().unwrap();
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink("/nonexistent/disk", &link).unwrap();
        let told = |path: &Path| dangling(path, io::ErrorKind::NotFound.into());
        assert!(told(&link).to_string().contains("/nonexistent/disk"));
        let file = scratch.path().join("file");
        fs::write(&file, "").unwrap();
        let (below, to_file) = (scratch.path().join("below"), scratch.path().join("to file"));
        std::os::unix::fs::symlink(file.join("disk"), &below).unwrap();
        std::os::unix::fs::symlink(&file, &to_file).unwrap();
        let told_of = |path: &Path| dangling(path, io::ErrorKind::NotADirectory.into()).to_string();
        assert!(told_of(&below).contains("file/disk, which is not there"));
        assert!(!told_of(&to_file).contains("which is not there"));
        assert_eq!(
            told(&scratch.path().join("none")).kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn a_header_is_as_long_as_it_says_and_no_longer_than_the_reference_reads() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (length, is_whole, expected) in [
            (2, true, None),
            (2, false, Some(io::ErrorKind::UnexpectedEof)),
            (LARGEST_HEADER, true, None),
            (LARGEST_HEADER + 1, true, Some(io::ErrorKind::FileTooLarge)),
            (u64::MAX, false, Some(io::ErrorKind::FileTooLarge)),
        ] {
            fs::write(file.path(), length.to_le_bytes()).unwrap();
            let size = if is_whole { 8 + length } else { 9 };
            file.as_file().set_len(size).unwrap();
            let header = read_safetensors_header(file.path());
            match expected {
                None => assert_eq!(header.unwrap().len() as u64, length),
                Some(kind) => assert_eq!(header.unwrap_err().kind(), kind, "{length}"),
            }
        }
    }

    #[test]
    fn only_a_record_that_nobody_else_may_write_is_believed() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = tempfile::tempdir().unwrap();
        let [file, link, fifo] = ["file", "link", "fifo"].map(|n| scratch.path().join(n));
        fs::write(&file, "record").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        for (mode, expected) in [(0o644, true), (0o600, true), (0o664, false), (0o646, false)] {
            fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(read_private(&file).is_some(), expected, "{mode:o}");
        }
        fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(read_private(&link).is_none() && read_private(&fifo).is_none());
    }
}
