//! Long work that somebody watches: how far it is, and a way to stop it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard};
use std::{panic, thread};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::hash::INTERVAL;
use crate::store::handle::Store;
use crate::store::verify::Progress;
use crate::sync::lock;

/// What the thread that works and the one that watches share.
#[derive(Debug, Default)]
pub(super) struct Work {
    progress: Mutex<Progress>,
    stopped: AtomicBool,
}

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
        watched(observe, |work| call(&self.watched_by(work.clone())))
    }

    /// Begins the work on a file, of so many bytes as far as is known.
    pub(crate) fn begin_file(&self, bytes: u64) -> FileWork<'_> {
        FileWork::begin(self.work(), bytes)
    }

    /// Notes that a file of so many bytes is going to be worked on.
    pub(crate) fn expect(&self, bytes: u64) {
        Work::expect(self.work(), bytes);
    }

    /// Notes that so many bytes are done.
    ///
    /// # Errors
    /// [`Cancelled`](ErrorKind::Cancelled) where whoever watches wants to stop.
    pub(crate) fn advance(&self, bytes: u64) -> Result<()> {
        Work::advance(self.work(), bytes)
    }

    /// Notes that a file is done.
    pub(crate) fn finish_file(&self) {
        Work::finish_file(self.work());
    }
}

/// Makes a call on a thread of its own, which counts into the work that it is given and stops where
/// that says so, and tells `observe` how far it is; see [`Store::watch`].
pub(super) fn watched<T: Send>(
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    call: impl FnOnce(&Arc<Work>) -> Result<T> + Send,
) -> Result<T> {
    let work = Arc::new(Work::default());
    if observe(&work.progress()).is_break() {
        return Err(cancelled());
    }
    thread::scope(|scope| {
        let _stop = StopOnDrop(&work);
        let (done, ended) = mpsc::channel::<()>();
        let counted = &work;
        let worker = scope.spawn(move || {
            let _done = done;
            call(counted)
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

/// The work on one file. What is done of it is never more than was to be done.
pub(crate) struct FileWork<'w> {
    work: Option<&'w Work>,
    /// The bytes that are expected still.
    left: u64,
    done: u64,
}

impl<'w> FileWork<'w> {
    /// Begins the work on a file, which nobody watches where there is no `work`.
    pub(super) fn begin(work: Option<&'w Work>, bytes: u64) -> Self {
        Work::expect(work, bytes);
        FileWork {
            work,
            left: bytes,
            done: 0,
        }
    }

    /// Notes that so many bytes are done. A file that turns out larger has more to do.
    ///
    /// # Errors
    /// As [`Store::advance`].
    pub(crate) fn advance(&mut self, bytes: u64) -> Result<()> {
        self.expect_more(bytes.saturating_sub(self.left));
        self.left = self.left.saturating_sub(bytes);
        self.done = self.done.saturating_add(bytes);
        Work::advance(self.work, bytes)
    }

    /// Notes that the file is to be read from its beginning once more.
    pub(crate) fn restart(&mut self) {
        let done = std::mem::take(&mut self.done);
        self.expect_more(done);
    }

    fn expect_more(&mut self, bytes: u64) {
        self.left = self.left.saturating_add(bytes);
        Work::note(self.work, |progress| {
            progress.total_bytes = progress.total_bytes.saturating_add(bytes);
        });
    }

    /// Notes that the file is done; one that was cut meanwhile had no more to do.
    pub(crate) fn finish(self) {
        Work::note(self.work, |progress| {
            progress.total_bytes = progress.total_bytes.saturating_sub(self.left);
            progress.reach(progress.bytes);
        });
        Work::finish_file(self.work);
    }
}

impl Work {
    fn note(work: Option<&Self>, change: impl FnOnce(&mut Progress)) {
        if let Some(work) = work {
            change(&mut work.lock());
        }
    }

    fn expect(work: Option<&Self>, bytes: u64) {
        Work::note(work, |progress| {
            progress.total_bytes = progress.total_bytes.saturating_add(bytes);
            progress.total_files += 1;
        });
    }

    fn advance(work: Option<&Self>, bytes: u64) -> Result<()> {
        let reach = |progress: &mut Progress| {
            progress.reach(progress.bytes.saturating_add(bytes));
        };
        Work::note(work, reach);
        work.map_or(Ok(()), Work::check)
    }

    /// # Errors
    /// [`Cancelled`](ErrorKind::Cancelled) where whoever watches wants to stop.
    pub(super) fn check(&self) -> Result<()> {
        match self.is_stopped() {
            true => Err(cancelled()),
            false => Ok(()),
        }
    }

    fn finish_file(work: Option<&Self>) {
        Work::note(work, |progress| progress.reach_files(progress.files + 1));
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    /// Returns how far the work is.
    pub(super) fn progress(&self) -> Progress {
        *self.lock()
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

#[cfg(test)]
mod tests;
