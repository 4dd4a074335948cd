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

/// Runs `work` on so many threads, of which none goes on where one fails. `observe` runs on the calling
/// one: before the first byte, then 20 times a second, and after the last. What of `whole` is done
/// already, it says itself.
///
/// # Errors
/// Those of `work`; [`Cancelled`](ErrorKind::Cancelled) where `observe` broke.
pub(super) fn watched(
    threads: usize,
    whole: Progress,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    work: &(dyn Fn(&Meter) -> Result<()> + Sync),
) -> Result<()> {
    let meter = Meter::default();
    let mut tell = |meter: &Meter| {
        let mut progress = whole;
        let done = whole
            .bytes
            .saturating_add(meter.bytes.load(Ordering::Relaxed));
        progress.bytes = done.min(whole.total_bytes);
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
        let (failed, failures) = mpsc::channel();
        for _ in 0..threads {
            let (failed, meter) = (failed.clone(), &meter);
            scope.spawn(move || {
                if let Err(error) = work(meter) {
                    let _ = failed.send(error);
                }
            });
        }
        drop(failed);
        loop {
            match failures.recv_timeout(INTERVAL) {
                Ok(error) => return Err(error),
                Err(RecvTimeoutError::Timeout) => tell(&meter)?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    })?;
    tell(&meter)
}
