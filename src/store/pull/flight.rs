//! One blob on its way here: who fetches which part, and how far it is without a gap.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::fs::partial::{PART, Part, Partial};
use crate::name::Digest;
use crate::sync::lock;

/// How soon a reader notices that nothing more will come.
const STEP: Duration = Duration::from_millis(50);

/// A blob that is being fetched.
pub(in crate::store) struct Flight {
    pub digest: Digest,
    pub size: u64,
    pub partial: Partial,
    state: Mutex<State>,
    grown: Condvar,
}

struct State {
    /// The parts that nobody fetches, in order.
    waiting: VecDeque<Part>,
    /// How many bytes each part has.
    written: Vec<u64>,
    under_way: usize,
    /// How many bytes an earlier pull had left.
    resumed: u64,
    /// How many of the first bytes are hashed.
    hashed: u64,
    /// No part is begun that lies further than so many bytes after them. Where hashing is slower than
    /// the network, transfers that ran ahead would take the processors from it, and leave all but one
    /// of them idle while it catches up.
    most_ahead: u64,
    /// Whether the registry sends parts: otherwise one transfer goes through all of them.
    has_ranges: bool,
    has_failed: bool,
    /// Where somebody waits for bytes.
    asked: BTreeSet<u64>,
}

impl State {
    /// Returns how many bytes are there from a place on, without a gap.
    fn contiguous(&self, at: u64) -> u64 {
        let first = usize::try_from(at / PART).unwrap_or(usize::MAX);
        let mut end = at;
        for (index, written) in self.written.iter().enumerate().skip(first) {
            let start = index as u64 * PART;
            if start > end {
                break;
            }
            end = end.max(start + written);
        }
        end - at
    }

    /// Returns which of the waiting parts is next: one that somebody waits for, else the first, unless
    /// that has to wait for the hashing.
    fn next(&self) -> Option<usize> {
        let is_asked = |part: &Part| self.asked.range(part.start..part.end).next().is_some();
        let first = self.waiting.front()?;
        let may_begin = first.start <= self.hashed.saturating_add(self.most_ahead);
        let asked = self.waiting.iter().position(is_asked);
        asked.or(may_begin.then_some(0))
    }
}

impl Flight {
    /// Makes the state of a blob that so many transfers fetch at a time.
    pub(super) fn new(
        digest: Digest,
        size: u64,
        partial: Partial,
        transfers: usize,
    ) -> Result<Self> {
        let parts = partial.parts()?;
        let state = State {
            written: vec![0; parts.len()],
            waiting: parts.into(),
            under_way: 0,
            resumed: 0,
            hashed: 0,
            most_ahead: PART.saturating_mul(transfers as u64),
            has_ranges: true,
            has_failed: false,
            asked: BTreeSet::new(),
        };
        Ok(Flight {
            digest,
            size,
            partial,
            state: Mutex::new(state),
            grown: Condvar::new(),
        })
    }

    /// Takes the next part that nobody fetches.
    pub(super) fn take(&self) -> Option<Part> {
        let mut state = self.lock();
        if state.has_failed || (!state.has_ranges && state.under_way > 0) {
            return None;
        }
        let next = state.next()?;
        let part = state.waiting.remove(next)?;
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

    /// Finds out what an earlier pull left of a part.
    pub(super) fn check(&self, part: &mut Part, go_on: impl Fn() -> Result<()>) -> Result<()> {
        let checked = self.partial.check(part, go_on)?;
        if checked > 0 {
            self.lock().resumed += checked;
            self.reach(part);
        }
        Ok(())
    }

    /// Returns how many bytes an earlier pull had left.
    pub(super) fn resumed(&self) -> u64 {
        self.lock().resumed
    }

    /// Notes how far a part is.
    pub(super) fn reach(&self, part: &Part) {
        let mut state = self.lock();
        if let Some(written) = state.written.get_mut(part.index) {
            *written = part.written;
        }
        self.grown.notify_all();
    }

    /// Notes that the registry sends blobs whole.
    pub(super) fn lacks_ranges(&self) {
        self.lock().has_ranges = false;
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

    /// Reads bytes from a place on, as many as are there, and waits for the first; 0 at the end.
    ///
    /// # Errors
    /// Where they will not come.
    pub(in crate::store) fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let there = usize::try_from(self.wait(at)?).unwrap_or(usize::MAX);
        let count = there.min(into.len());
        let into = into.get_mut(..count).unwrap_or_default();
        self.partial.read_at(into, at).map_err(io::Error::other)?;
        Ok(count)
    }

    /// Waits until there are bytes from a place on; returns how many, 0 at the end.
    fn wait(&self, at: u64) -> io::Result<u64> {
        let mut state = self.lock();
        loop {
            let there = state.contiguous(at);
            if there > 0 || at >= self.size {
                state.asked.remove(&at);
                return Ok(there);
            }
            if state.has_failed {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            state.asked.insert(at);
            let waited = self.grown.wait_timeout(state, STEP);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// The bytes of a blob while they come.
pub(super) struct Arriving<'f> {
    flight: &'f Flight,
    at: u64,
}

impl Read for Arriving<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.flight.lock().hashed = self.at;
        let count = self.flight.read_at(into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::fs::durability::Durability;
    use crate::fs::layout::Layout;

    /// Three parts, the last of which is short.
    const SIZE: u64 = 2 * PART + 1000;

    fn flight(scratch: &tempfile::TempDir) -> Flight {
        flight_of(scratch, SIZE)
    }

    fn flight_of(scratch: &tempfile::TempDir, size: u64) -> Flight {
        let layout = Layout::new(scratch.path().to_owned());
        let digest = Digest::of(b"x");
        let partial = Partial::claim(&layout, &digest, size, Durability::None).unwrap();
        Flight::new(digest, size, partial.unwrap(), 2).unwrap()
    }

    fn fetch(flight: &Flight, part: &mut Part, bytes: &[u8]) {
        flight.partial.write(part, bytes).unwrap();
        flight.reach(part);
    }

    #[test]
    fn a_part_that_somebody_waits_for_comes_first_and_the_others_in_order() {
        let scratch = tempfile::tempdir().unwrap();
        let flight = flight(&scratch);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut into = [0; 8];
                (flight.read_at(&mut into, 2 * PART + 5).unwrap(), into)
            });
            while flight.lock().asked.is_empty() {
                thread::yield_now();
            }
            let mut asked = flight.take().unwrap();
            assert_eq!(asked.index, 2);
            // What comes before the place that is waited for is nothing for the one who waits.
            fetch(&flight, &mut asked, &[7; 5]);
            fetch(&flight, &mut asked, &[8; 3]);
            let (count, into) = reader.join().unwrap();
            assert!(into.iter().take(count).all(|byte| *byte == 8));
            flight.put_back(asked);
        });
        assert!(flight.lock().asked.is_empty());
        let indices = || Some(flight.take()?.index);
        assert_eq!(
            [indices(), indices(), indices()],
            [Some(0), Some(1), Some(2)]
        );
        assert!(flight.take().is_none());
    }

    #[test]
    fn a_blob_that_is_sent_whole_is_fetched_by_one_transfer_after_the_other() {
        let scratch = tempfile::tempdir().unwrap();
        let flight = flight(&scratch);
        let first = flight.take().unwrap();
        let second = flight.take_after(&first).unwrap();
        assert_eq!(second.index, 1);
        flight.lacks_ranges();
        assert!(flight.take().is_none());
        assert!(flight.take_after(&first).is_none(), "somebody has it");
        flight.put_back(second);
        assert!(flight.take().is_none(), "the first is under way");
        flight.put_back(first);
        assert_eq!(flight.take().map(|part| part.index), Some(0));
        let mut last = flight.lock().waiting.pop_back().unwrap();
        fetch(&flight, &mut last, &[7; 1000]);
        flight.put_back(last);
        let left = flight
            .lock()
            .waiting
            .iter()
            .map(|part| part.index)
            .collect::<Vec<_>>();
        assert_eq!(left, [1], "what is done does not come again");
    }

    #[test]
    fn bytes_are_there_as_far_as_there_is_no_gap() {
        let scratch = tempfile::tempdir().unwrap();
        let flight = flight(&scratch);
        for (written, expected) in [
            (
                [PART, 5, 1000],
                [
                    (0, PART + 5),
                    (PART + 2, 3),
                    (PART + 5, 0),
                    (2 * PART, 1000),
                ],
            ),
            (
                [PART, PART, 10],
                [
                    (7, 2 * PART + 3),
                    (PART, PART + 10),
                    (2 * PART + 10, 0),
                    (SIZE, 0),
                ],
            ),
            (
                [5, PART, 1000],
                [(0, 5), (5, 0), (PART, PART + 1000), (SIZE - 1, 1)],
            ),
        ] {
            let mut state = flight.lock();
            state.written = written.to_vec();
            for (at, there) in expected {
                assert_eq!(state.contiguous(at), there, "{written:?} from {at}");
            }
        }
    }

    #[test]
    fn who_reads_to_the_end_is_done_and_who_waits_for_what_never_comes_is_told() {
        let scratch = tempfile::tempdir().unwrap();
        let flight = flight(&scratch);
        flight.lock().written = vec![PART, PART, 1000];
        assert_eq!(flight.read_at(&mut [0; 8], SIZE).unwrap(), 0);
        assert_eq!(flight.read_at(&mut [0; 8], SIZE - 3).unwrap(), 3);
        flight.lock().written = vec![5, 0, 0];
        let mut reader = flight.reader();
        assert_eq!(reader.read(&mut [0; 3]).unwrap(), 3);
        assert_eq!(reader.read(&mut [0; 3]).unwrap(), 2);
        flight.fail();
        let error = reader.read(&mut [0; 3]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(flight.take().is_none(), "nothing of it is fetched any more");
    }

    #[test]
    fn transfers_wait_for_the_hashing_but_not_where_somebody_waits_for_them() {
        let scratch = tempfile::tempdir().unwrap();
        let flight = flight_of(&scratch, 8 * PART);
        let taken = || std::iter::from_fn(|| flight.take()).map(|part| part.index);
        assert_eq!(taken().collect::<Vec<_>>(), [0, 1, 2]);
        flight.lock().asked.insert(6 * PART + 5);
        assert_eq!(taken().collect::<Vec<_>>(), [6]);
        flight.lock().hashed = 2 * PART;
        assert_eq!(taken().collect::<Vec<_>>(), [3, 4]);
    }
}
