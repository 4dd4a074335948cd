//! One blob on its way here: who fetches which part, and how far it is without a gap.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::fs::partial::{Part, Partial};
use crate::name::Digest;

/// How soon a reader notices that nothing more will come.
const STEP: Duration = Duration::from_millis(50);

/// A blob that is being fetched.
pub(super) struct Flight {
    pub digest: Digest,
    pub size: u64,
    pub partial: Partial,
    state: Mutex<State>,
    grown: Condvar,
    /// Whether the registry sends parts: otherwise one transfer goes through all of them.
    has_ranges: AtomicBool,
}

struct State {
    /// The parts that nobody fetches, in order.
    waiting: VecDeque<Part>,
    /// How many bytes each part has.
    written: Vec<u64>,
    lengths: Vec<u64>,
    under_way: usize,
    has_failed: bool,
}

impl State {
    /// Returns how many bytes are there without a gap.
    fn contiguous(&self) -> u64 {
        let mut whole = 0;
        for (written, length) in self.written.iter().zip(&self.lengths) {
            whole += written;
            if written < length {
                break;
            }
        }
        whole
    }
}

impl Flight {
    pub(super) fn new(digest: Digest, size: u64, partial: Partial) -> Result<Self> {
        let parts = partial.parts()?;
        let state = State {
            written: vec![0; parts.len()],
            lengths: parts.iter().map(|part| part.end - part.start).collect(),
            waiting: parts.into(),
            under_way: 0,
            has_failed: false,
        };
        Ok(Flight {
            digest,
            size,
            partial,
            state: Mutex::new(state),
            grown: Condvar::new(),
            has_ranges: AtomicBool::new(true),
        })
    }

    /// Takes the next part that nobody fetches.
    pub(super) fn take(&self) -> Option<Part> {
        let mut state = self.lock();
        if state.has_failed || (!self.has_ranges() && state.under_way > 0) {
            return None;
        }
        let part = state.waiting.pop_front()?;
        state.under_way += 1;
        Some(part)
    }

    /// Takes the part that follows one, where nobody fetches it, for a transfer that goes on.
    pub(super) fn take_after(&self, done: &Part) -> Option<Part> {
        let mut state = self.lock();
        let at = state
            .waiting
            .iter()
            .position(|part| part.start == done.end)?;
        let part = state.waiting.remove(at)?;
        state.under_way += 1;
        Some(part)
    }

    /// Gives back a part that is done, or that somebody else is to go on with.
    pub(super) fn put_back(&self, part: Part) {
        let mut state = self.lock();
        state.under_way -= 1;
        if part.left() > 0 {
            let at = state
                .waiting
                .partition_point(|other| other.index < part.index);
            state.waiting.insert(at, part);
        }
    }

    /// Notes how far a part is.
    pub(super) fn reach(&self, part: &Part) {
        let mut state = self.lock();
        if let Some(written) = state.written.get_mut(part.index) {
            *written = part.written;
        }
        self.grown.notify_all();
    }

    pub(super) fn has_ranges(&self) -> bool {
        self.has_ranges.load(Ordering::Relaxed)
    }

    /// Notes that the registry sends blobs whole.
    pub(super) fn lacks_ranges(&self) {
        self.has_ranges.store(false, Ordering::Relaxed);
    }

    /// Has readers end with an error.
    pub(super) fn fail(&self) {
        self.lock().has_failed = true;
        self.grown.notify_all();
    }

    /// Returns the bytes from the first on, as they come.
    pub(super) fn reader(&self) -> Arriving<'_> {
        Arriving {
            flight: self,
            at: 0,
        }
    }

    /// Waits until there are bytes from a place on; returns how many, 0 at the end.
    fn wait(&self, at: u64) -> io::Result<u64> {
        let mut state = self.lock();
        loop {
            let there = state.contiguous();
            if there > at || at >= self.size {
                return Ok(there.saturating_sub(at));
            }
            if state.has_failed {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let waited = self.grown.wait_timeout(state, STEP);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a blob while they come.
pub(super) struct Arriving<'f> {
    flight: &'f Flight,
    at: u64,
}

impl Read for Arriving<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = usize::try_from(self.flight.wait(self.at)?).unwrap_or(usize::MAX);
        let count = there.min(into.len());
        let into = into.get_mut(..count).unwrap_or_default();
        self.flight
            .partial
            .read_at(into, self.at)
            .map_err(io::Error::other)?;
        self.at += count as u64;
        Ok(count)
    }
}
