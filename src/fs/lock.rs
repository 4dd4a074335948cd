//! The advisory lock among our own processes.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::journal::Journal;
use crate::fs::layout::Layout;
use crate::fs::ops::{LockAccess, LockFile};
use crate::fs::staged;
use crate::fs::system::{code, lock};
use crate::fs::{ops, owner};

/// Held while a store is changed; released when dropped.
///
/// It spares our own processes double work and needless retries. Nothing's correctness depends
/// on it but the [journal](Journal) of who holds it alone: a server beside us takes no lock at all,
/// and a file system without locks grants it to everybody.
pub(crate) struct StoreLock {
    file: File,
    path: PathBuf,
    /// Whether it is held alone and its file may be written: else there is no journal.
    has_journal: bool,
}

/// How long to wait for another process of ours before giving up.
const PATIENCE: Duration = Duration::from_secs(30);

impl StoreLock {
    /// Waits for the lock; [`Busy`](ErrorKind::Busy) after half a minute, or the error of `wait`,
    /// which is asked all the time.
    pub(crate) fn acquire(layout: &Layout, wait: impl Fn() -> Result<()>) -> Result<Self> {
        Self::acquire_within(layout, PATIENCE, wait)
    }

    /// As [`acquire`](Self::acquire), and waits for some other time.
    pub(crate) fn acquire_within(
        layout: &Layout,
        patience: Duration,
        wait: impl Fn() -> Result<()>,
    ) -> Result<Self> {
        let path = layout.lock_file();
        let LockFile { file, access } = open(&path)?;
        let mut lock = StoreLock {
            file,
            path,
            has_journal: access != LockAccess::Reading,
        };
        let end = Instant::now() + patience;
        loop {
            match ops::try_lock(&lock.file) {
                Ok(()) => return Ok(lock),
                Err(TryLockError::Error(e)) if code::is_lockless(&e) => {
                    lock.has_journal = false;
                    return Ok(lock);
                }
                Err(TryLockError::Error(e)) if e.kind() != io::ErrorKind::Interrupted => {
                    return Err(Error::io("taking lock", &lock.path, e));
                }
                // Somebody holds it, or a signal came.
                Err(_) if Instant::now() < end => {
                    wait()?;
                    thread::sleep(Duration::from_millis(2));
                }
                Err(_) => {
                    let text = format!("waiting for lock {}", lock.path.display());
                    return Err(Error::new(ErrorKind::Busy, text));
                }
            }
        }
    }
}

/// Opens the lock; a new one is for all who may write to the store.
fn open(path: &Path) -> Result<LockFile> {
    let directory = owner::parent(path);
    staged::make_private_dir(directory)?;
    let at = |e| owner::refused("opening lock", path, e);
    let opened = ops::open_lock(path).map_err(at)?;
    if opened.access == LockAccess::Made {
        owner::adopt(&opened.file, directory).map_err(at)?;
        owner::share(&opened.file, owner::parent(directory)).map_err(at)?;
    }
    Ok(opened)
}

impl StoreLock {
    /// Returns the journal of who holds it, and what a holder that was killed left in it. None where
    /// nobody holds it alone, as on a file system without locks, or its file may only be read.
    pub(crate) fn journal(&self) -> Option<(Journal<'_>, String)> {
        self.has_journal
            .then(|| Journal::read(&self.file, &self.path))
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // Closing does not release it while a child that was forked meanwhile has the file, too.
        let _ = lock::release(&self.file);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::fs::ops::{Change, hook};

    #[test]
    fn a_forked_child_keeps_no_lock_of_its_parent() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::new(scratch.path().to_owned());
        let lock = StoreLock::acquire(&layout, || Ok(())).unwrap();
        // What a fork does to an open file.
        let _child = lock.file.try_clone().unwrap();
        drop(lock);
        let again = File::open(layout.lock_file()).unwrap();
        assert!(again.try_lock().is_ok());
    }

    /// Acquires the lock of a new store while the first `times` tries fail with `code`.
    fn acquire_against(code: i32, times: usize) -> Result<StoreLock> {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::new(scratch.path().to_owned());
        let mut tries = 0;
        let fail = move |change: &Change<'_>| {
            tries += usize::from(matches!(change, Change::Lock));
            match change {
                Change::Lock if tries <= times => Err(io::Error::from_raw_os_error(code)),
                _ => Ok(()),
            }
        };
        let patience = Duration::from_millis(50);
        hook::with(fail, || {
            StoreLock::acquire_within(&layout, patience, || Ok(()))
        })
    }

    #[test]
    fn a_signal_does_not_fail_a_change() {
        assert!(acquire_against(libc::EINTR, 3).is_ok());
        let error = acquire_against(libc::EINTR, usize::MAX).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Busy);
    }

    #[test]
    fn a_file_system_without_locks_grants_it_and_one_that_fails_does_not() {
        for code in [libc::ENOLCK, libc::ENOSYS, libc::EOPNOTSUPP, libc::EBADF] {
            assert!(acquire_against(code, usize::MAX).is_ok(), "{code}");
        }
        for code in [libc::EIO, libc::ESTALE] {
            let error = acquire_against(code, usize::MAX).err().unwrap();
            assert_eq!(error.os_error(), Some(code));
        }
    }

    #[test]
    fn a_new_lock_is_for_all_who_may_write_and_one_that_is_there_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = tempfile::tempdir().unwrap();
        let set =
            |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode));
        set(scratch.path(), 0o777).unwrap();
        let layout = Layout::new(scratch.path().to_owned());
        let mode = || {
            drop(StoreLock::acquire(&layout, || Ok(())).unwrap());
            let metadata = layout.lock_file().metadata().unwrap();
            metadata.permissions().mode() & 0o777
        };
        assert_eq!(mode(), 0o666);
        set(&layout.lock_file(), 0o600).unwrap();
        assert_eq!(mode(), 0o600);
    }
}
