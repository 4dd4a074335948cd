//! Long work that somebody watches: how far it is, and a way to stop it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{panic, thread};

use crate::error::{Error, ErrorKind, Result};
use crate::store::handle::Store;
use crate::store::verify::Progress;

/// What the thread that works and the one that watches share.
#[derive(Debug, Default)]
pub(super) struct Work {
    bytes: AtomicU64,
    total_bytes: AtomicU64,
    files: AtomicUsize,
    total_files: AtomicUsize,
    stopped: AtomicBool,
}

/// The time between two calls of an observer: 20 a second.
const INTERVAL: Duration = Duration::from_millis(50);

impl Store {
    /// Runs a call that may take long, such as an import, and watches it: `observe` is told how far
    /// it is, on the calling thread, before the first byte, then 20 times a second, and after the
    /// last; it may break to stop. The call is made on a thread of its own, on the store that it is
    /// given.
    ///
    /// A call that is stopped ends within a fraction of a second, and leaves the store as it was:
    /// what was staged is gone, what was in the trash is at home. One that was done already stays
    /// done.
    ///
    /// ```
    /// # use std::ops::ControlFlow;
    /// # fn main() -> modelkeep::Result<()> {
    /// # let directory = std::env::temp_dir().join(format!("watch-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory).unwrap();
    /// let store = modelkeep::Store::open(&directory)?;
    /// let mut observe = |progress: &modelkeep::Progress| {
    ///     println!("{} of {} bytes", progress.bytes, progress.total_bytes);
    ///     ControlFlow::Continue(())
    /// };
    /// store.watch(&mut observe, |store| store.add_blob(&mut &b"bytes"[..], None))?;
    /// # std::fs::remove_dir_all(&directory).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the call; [`Cancelled`](ErrorKind::Cancelled) where `observe` broke in time.
    pub fn watch<T: Send>(
        &self,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
        call: impl FnOnce(&Store) -> Result<T> + Send,
    ) -> Result<T> {
        let work = Arc::new(Work::default());
        let store = self.watched_by(work.clone());
        if observe(&work.progress()).is_break() {
            return Err(cancelled());
        }
        thread::scope(|scope| {
            let _stop = StopOnDrop(&work);
            let (done, ended) = mpsc::channel::<()>();
            let worker = scope.spawn(move || {
                let _done = done;
                call(&store)
            });
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if !work.is_stopped() && observe(&work.progress()).is_break() {
                    work.stopped.store(true, Ordering::Relaxed);
                }
            }
            let answer = worker
                .join()
                .unwrap_or_else(|cause| panic::resume_unwind(cause));
            if !work.is_stopped() {
                // It is done: there is nothing left to stop.
                let _ = observe(&work.progress());
            }
            answer
        })
    }

    /// Notes that a file of so many bytes is going to be worked on.
    pub(crate) fn expect(&self, bytes: u64) {
        if let Some(work) = self.work() {
            work.total_bytes.fetch_add(bytes, Ordering::Relaxed);
            work.total_files.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that so many bytes are done.
    ///
    /// # Errors
    /// [`Cancelled`](ErrorKind::Cancelled) where whoever watches wants to stop.
    pub(crate) fn advance(&self, bytes: u64) -> Result<()> {
        let Some(work) = self.work() else {
            return Ok(());
        };
        work.bytes.fetch_add(bytes, Ordering::Relaxed);
        match work.is_stopped() {
            true => Err(cancelled()),
            false => Ok(()),
        }
    }

    /// Notes that a file is done.
    pub(crate) fn finish_file(&self) {
        if let Some(work) = self.work() {
            work.files.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Work {
    fn progress(&self) -> Progress {
        Progress {
            bytes: self.bytes.load(Ordering::Relaxed),
            total_bytes: self.total_bytes.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
            total_files: self.total_files.load(Ordering::Relaxed),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Ends the work however the watch is left, a panic of the observer included.
struct StopOnDrop<'w>(&'w Work);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stopped.store(true, Ordering::Relaxed);
        }
    }
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the call was cancelled")
}
