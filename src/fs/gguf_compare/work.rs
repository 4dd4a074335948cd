//! Work on several threads that somebody watches, and may stop.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::hash::{INTERVAL, Progress, StopOnDrop};

/// What the threads that work and the one that watches share.
#[derive(Debug, Default)]
pub(super) struct Meter {
    bytes: AtomicU64,
    stopped: AtomicBool,
}

impl Meter {
    /// Notes that so many bytes are done; returns whether to go on.
    pub(super) fn advance(&self, bytes: usize) -> bool {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        !self.stopped.load(Ordering::Relaxed)
    }
}

/// Returns how many threads are worth while: those wanted, or one for each processor where that is
/// zero.
pub(super) fn threads(wanted: usize) -> usize {
    match wanted {
        0 => thread::available_parallelism().map_or(1, usize::from),
        wanted => wanted,
    }
}

/// Runs `work` on so many threads. `observe` runs on the calling one: before the first byte, then 20
/// times a second, and after the last.
///
/// # Errors
/// [`Cancelled`](ErrorKind::Cancelled) where `observe` broke.
pub(super) fn watched(
    threads: usize,
    whole: Progress,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    work: &(dyn Fn(&Meter) + Sync),
) -> Result<()> {
    let meter = Meter::default();
    let mut tell = |meter: &Meter| {
        let mut progress = whole;
        progress.bytes = meter.bytes.load(Ordering::Relaxed).min(whole.total_bytes);
        if progress.bytes == whole.total_bytes {
            progress.files = whole.total_files;
        }
        match observe(&progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                Err(Error::new(ErrorKind::Cancelled, "comparing was cancelled"))
            }
        }
    };
    tell(&meter)?;
    thread::scope(|scope| -> Result<()> {
        let _stop = StopOnDrop(&meter.stopped);
        let (done, ended) = mpsc::channel::<()>();
        for _ in 0..threads {
            let (done, meter) = (done.clone(), &meter);
            scope.spawn(move || {
                let _done = done;
                work(meter);
            });
        }
        drop(done);
        while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
            tell(&meter)?;
        }
        Ok(())
    })?;
    tell(&meter)
}
