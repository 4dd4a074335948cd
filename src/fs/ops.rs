//! Every operation that changes the disk, and nothing else.
//!
//! Tests put a hook before each of them, to stop or to fail at any point of any change.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

/// Creates a file that must not exist yet; never follows a link.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    hook::before(&Change::Create(path))?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// Opens a file of our own for locking, and creates it where it is missing. Never follows a link,
/// and never waits for the other end of a FIFO.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    hook::before(&Change::OpenLock)?;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

pub(crate) fn write(file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    hook::before(&Change::Write(path, bytes))?;
    file.write_all(bytes)
}

pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    hook::before(&Change::Sync(path))?;
    file.sync_all()
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    hook::before(&Change::SyncDirectory(path))?;
    File::open(path)?.sync_all()
}

/// Sets the time of the last change to now, so that no collector takes the file for an old one.
pub(crate) fn touch(file: &File) -> io::Result<()> {
    hook::before(&Change::Touch)?;
    let now = SystemTime::now();
    file.set_times(FileTimes::new().set_accessed(now).set_modified(now))
}

/// Gives the file to `owner`, as user and group.
pub(crate) fn give(file: &File, (user, group): (u32, u32)) -> io::Result<()> {
    hook::before(&Change::Give)?;
    std::os::unix::fs::fchown(file, Some(user), Some(group))
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    hook::before(&Change::Rename(from, to))?;
    fs::rename(from, to)
}

pub(crate) fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    hook::before(&Change::Link(from, to))?;
    fs::hard_link(from, to)
}

/// Makes a file that shares the blocks of another, where the file system can.
pub(crate) fn reflink(from: &Path, to: &Path) -> io::Result<()> {
    hook::before(&Change::Reflink(from, to))?;
    reflink_copy::reflink(from, to)
}

pub(crate) fn unlink(path: &Path) -> io::Result<()> {
    hook::before(&Change::Unlink(path))?;
    fs::remove_file(path)
}

pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    hook::before(&Change::MakeDirectory)?;
    fs::DirBuilder::new().mode(0o755).create(path)
}

pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    hook::before(&Change::RemoveDirectory)?;
    fs::remove_dir(path)
}

/// One change to the disk, as a test's hook sees it.
#[cfg_attr(not(test), expect(dead_code, reason = "only tests look inside"))]
pub(crate) enum Change<'a> {
    Create(&'a Path),
    OpenLock,
    Write(&'a Path, &'a [u8]),
    Sync(&'a Path),
    SyncDirectory(&'a Path),
    Touch,
    Give,
    Rename(&'a Path, &'a Path),
    Link(&'a Path, &'a Path),
    Reflink(&'a Path, &'a Path),
    Unlink(&'a Path),
    MakeDirectory,
    RemoveDirectory,
}

#[cfg(not(test))]
mod hook {
    use super::{Change, io};

    #[inline(always)]
    pub(super) fn before(_change: &Change<'_>) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod hook {
    use std::cell::RefCell;

    use super::{Change, io};

    type Hook = Box<dyn FnMut(&Change<'_>) -> io::Result<()>>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    pub(super) fn before(change: &Change<'_>) -> io::Result<()> {
        HOOK.with_borrow_mut(|hook| hook.as_mut().map_or(Ok(()), |hook| hook(change)))
    }

    /// Runs `body` with a hook before every change that this thread makes to the disk.
    pub(crate) fn with<T>(
        hook: impl FnMut(&Change<'_>) -> io::Result<()> + 'static,
        body: impl FnOnce() -> T,
    ) -> T {
        HOOK.set(Some(Box::new(hook)));
        let answer = body();
        HOOK.set(None);
        answer
    }
}
