//! The advisory lock among our own processes.

use std::fs::{File, TryLockError};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::Layout;
use crate::fs::staged;
use crate::fs::{ops, owner};

/// Held while a store is changed; released when dropped.
///
/// It spares our own processes double work and needless retries. Nothing's correctness depends
/// on it: a server beside us takes no lock at all, and a file system without locks grants it to
/// everybody.
pub(crate) struct StoreLock {
    file: File,
}

/// How long to wait for another process of ours before giving up.
const PATIENCE: Duration = Duration::from_secs(30);

impl StoreLock {
    /// Waits for the lock; [`Busy`](ErrorKind::Busy) after half a minute.
    pub(crate) fn acquire(layout: &Layout) -> Result<Self> {
        let path = layout.lock_file();
        let directory = path.parent().unwrap_or(&path);
        staged::make_own_directory(directory)?;
        let at = |e| Error::io("opening lock", &path, e);
        let file = ops::open_lock(&path).map_err(at)?;
        owner::adopt(&file, directory).map_err(at)?;
        let end = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(StoreLock { file }),
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    thread::sleep(Duration::from_millis(2));
                }
                Err(TryLockError::WouldBlock) => {
                    let text = format!("waiting for lock {}", path.display());
                    return Err(Error::new(ErrorKind::Busy, text));
                }
                Err(TryLockError::Error(e)) if is_lockless(&e) => {
                    return Ok(StoreLock { file });
                }
                Err(TryLockError::Error(e)) => return Err(Error::io("taking lock", &path, e)),
            }
        }
    }
}

/// Whether the file system has no locks at all, as some network file systems.
fn is_lockless(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || matches!(
            error.raw_os_error(),
            Some(libc::ENOLCK | libc::ENOSYS | libc::EOPNOTSUPP)
        )
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // Closing does not release it while a child that was forked meanwhile has the file, too.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_child_keeps_no_lock_of_its_parent() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::new(scratch.path().to_owned());
        let lock = StoreLock::acquire(&layout).unwrap();
        // What a fork does to an open file.
        let _child = lock.file.try_clone().unwrap();
        drop(lock);
        let again = File::open(layout.lock_file()).unwrap();
        assert!(again.try_lock().is_ok());
    }
}
