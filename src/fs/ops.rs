//! Every operation that changes the disk, and nothing else.
//!
//! Tests put a hook before each of them, to stop or to fail at any point of any change.

use std::fs::{self, File, FileTimes, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::fs::read::refuse_irregular;
use crate::fs::system::patience::patiently;
use crate::fs::system::stat::Stat;
use crate::fs::system::{change, code, lock, open, pages};

/// Creates a file that must not exist yet; never follows a link.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    hook::before(&Change::Create(path))?;
    open::without_following(path, OpenOptions::new().write(true).create_new(true))
}

/// A file that is opened for locking.
pub(crate) struct LockFile {
    pub file: File,
    pub access: LockAccess,
}

/// How a file was opened for locking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockAccess {
    Made,
    Writing,
    /// It may not be written, and reading suffices for a lock.
    Reading,
}

/// Opens a file of our own for locking, and creates it where it is missing. Never follows a link, and
/// never waits for the other end of a FIFO.
pub(crate) fn open_lock(path: &Path) -> io::Result<LockFile> {
    hook::before(&Change::OpenLock)?;
    let opened = |access| -> io::Result<LockFile> {
        let mut options = OpenOptions::new();
        options.read(true).write(access != LockAccess::Reading);
        options.create_new(access == LockAccess::Made);
        let file = open::without_following(path, &mut options)?;
        refuse_irregular(&Stat::of(&file)?)?;
        Ok(LockFile { file, access })
    };
    let writing = match opened(LockAccess::Writing) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            hook::before(&Change::MakeLock(path))?;
            match opened(LockAccess::Made) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => opened(LockAccess::Writing),
                made => made,
            }
        }
        writing => writing,
    };
    match writing {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            opened(LockAccess::Reading).map_err(|_| e)
        }
        writing => writing,
    }
}

/// Takes the advisory lock of a file, without waiting.
pub(crate) fn try_lock(file: &File) -> Result<(), TryLockError> {
    hook::before(&Change::Lock).map_err(TryLockError::Error)?;
    lock::try_exclusive(file)
}

/// Runs before a file is mapped, which changes nothing, and fails where tests have it fail.
pub(crate) fn before_map() -> io::Result<()> {
    hook::before(&Change::Map)
}

pub(crate) fn write(file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    hook::before(&Change::Write(path, bytes))?;
    file.write_all(bytes)
}

/// Writes bytes at a place in a file.
pub(crate) fn write_at(file: &File, path: &Path, bytes: &[u8], at: u64) -> io::Result<()> {
    hook::before(&Change::WriteAt(path, bytes, at))?;
    change::write_all_at(file, bytes, at)
}

/// Sets the length of a file; what is new is zero.
pub(crate) fn set_len(file: &File, path: &Path, len: u64) -> io::Result<()> {
    hook::before(&Change::SetLen(path, len))?;
    file.set_len(len)
}

/// Opens a file to read it and to write into it; never follows a link.
pub(crate) fn open_to_write(path: &Path) -> io::Result<File> {
    hook::before(&Change::OpenToWrite)?;
    open::without_following(path, OpenOptions::new().read(true).write(true))
}

/// Bytes of a file and their place in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub from: u64,
    pub len: u64,
    pub to: u64,
}

/// Lets a file share the blocks of another one, where the file system can; both places and the
/// length are multiples of its blocks, but for the end of a file.
pub(crate) fn share_range(from: &File, to: &File, path: &Path, range: Range) -> io::Result<()> {
    hook::before(&Change::ShareRange(path, from, range))?;
    let Some(len) = NonZeroU64::new(range.len) else {
        return Ok(());
    };
    let sharing = reflink_copy::ReflinkBlockBuilder::new(from, to, len);
    sharing
        .from_offset(range.from)
        .to_offset(range.to)
        .reflink_block()
}

/// Copies bytes of a file to a place in another one, without a way through this process; returns how
/// many. [`Unsupported`](io::ErrorKind::Unsupported) where the system has no such call.
pub(crate) fn copy_range(from: &File, to: &File, path: &Path, range: Range) -> io::Result<u64> {
    hook::before(&Change::CopyRange(path, from, range))?;
    change::copy_range(from, range.from, to, range.to, range.len)
}

pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    hook::before(&Change::Sync(path))?;
    change::sync(file, path)
}

/// Waits until the first bytes of a file are written with which the system has begun; see
/// [`pages::await_written`].
pub(crate) fn await_written(file: &File, end: u64) -> io::Result<bool> {
    hook::before(&Change::AwaitWritten(end))?;
    pages::await_written(file, end)
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    hook::before(&Change::SyncDirectory(path))?;
    change::sync_directory(path)
}

/// Sets the time of the last change to now, so that no collector takes the file for an old one.
pub(crate) fn touch(file: &File) -> io::Result<()> {
    hook::before(&Change::Touch)?;
    let now = SystemTime::now();
    file.set_times(FileTimes::new().set_accessed(now).set_modified(now))
}

/// Gives the file to a user and to a group.
pub(crate) fn give(file: &File, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
    hook::before(&Change::Give)?;
    change::give(file, user, group)
}

pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    hook::before(&Change::SetMode)?;
    change::set_mode(file, mode)
}

/// Renames a file, and replaces what is at `to`. Two names of one file become one.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    hook::before(&Change::Rename(from, to))?;
    patiently(|| fs::rename(from, to), |e| code::is_in_use(e, to))?;
    // rename(2) does nothing where both names are one file.
    match from.symlink_metadata() {
        Ok(_) => unlink(from),
        Err(_) => Ok(()),
    }
}

/// Renames a file to a name that must be free; [`AlreadyExists`](io::ErrorKind::AlreadyExists)
/// where it is not. In one step where the file system can, else by a link.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    hook::before(&Change::RenameNew(from, to))?;
    let renamed = patiently(
        || change::rename_new(from, to),
        |e| code::is_in_use(e, from),
    );
    match renamed {
        Err(e) if code::is_unsupported(&e) => link_and_unlink(from, to),
        renamed => renamed,
    }
}

/// Renames by a link and an unlink. The new name is durable before the old one goes: a power cut
/// between leaves at least one.
fn link_and_unlink(from: &Path, to: &Path) -> io::Result<()> {
    match hard_link(from, to) {
        // Without links nothing but a look keeps us from replacing what is there.
        Err(e) if code::is_unsupported(&e) => match to.symlink_metadata() {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => rename(from, to),
        },
        Err(e) => Err(e),
        Ok(()) => {
            if let Some(directory) = to.parent() {
                sync_directory(directory)?;
            }
            unlink(from)
        }
    }
}

pub(crate) fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    hook::before(&Change::Link(from, to))?;
    fs::hard_link(from, to)
}

/// Makes a symbolic link to a file.
pub(crate) fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    hook::before(&Change::Symlink(target, link))?;
    change::symlink(target, link)
}

/// Makes a file that shares the blocks of another, which is open, where the file system can.
pub(crate) fn reflink(from: &File, path: &Path, to: &Path) -> io::Result<()> {
    hook::before(&Change::Reflink(path, to))?;
    reflink_copy::reflink_file_to_path(from, to)
}

pub(crate) fn unlink(path: &Path) -> io::Result<()> {
    hook::before(&Change::Unlink(path))?;
    patiently(|| fs::remove_file(path), |e| code::is_in_use(e, path))
}

/// Waits for others, who may change anything meanwhile.
pub(crate) fn wait(time: Duration) {
    // A hook's failure is one of the disk's, which waiting does not touch.
    let _ = hook::before(&Change::Wait(time));
    if !time.is_zero() {
        thread::sleep(time);
    }
}

pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    hook::before(&Change::MakeDirectory(path))?;
    fs::create_dir(path)
}

pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    hook::before(&Change::RemoveDirectory(path))?;
    fs::remove_dir(path)
}

/// One change to the disk, as a test's hook sees it.
#[cfg_attr(not(test), expect(dead_code, reason = "only tests look inside"))]
pub(crate) enum Change<'a> {
    Create(&'a Path),
    /// Nothing on the disk.
    OpenLock,
    MakeLock(&'a Path),
    /// Nothing on the disk, as all locks.
    Lock,
    /// Nothing on the disk.
    Map,
    Write(&'a Path, &'a [u8]),
    WriteAt(&'a Path, &'a [u8], u64),
    SetLen(&'a Path, u64),
    /// Nothing on the disk.
    OpenToWrite,
    ShareRange(&'a Path, &'a File, Range),
    CopyRange(&'a Path, &'a File, Range),
    Sync(&'a Path),
    SyncDirectory(&'a Path),
    Touch,
    Give,
    SetMode,
    Rename(&'a Path, &'a Path),
    RenameNew(&'a Path, &'a Path),
    Link(&'a Path, &'a Path),
    Symlink(&'a Path, &'a Path),
    Reflink(&'a Path, &'a Path),
    Unlink(&'a Path),
    AwaitWritten(u64),
    MakeDirectory(&'a Path),
    RemoveDirectory(&'a Path),
    /// Nothing of ours: time for others to change something.
    Wait(Duration),
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

#[cfg(test)]
#[cfg(unix)]
mod tests;
