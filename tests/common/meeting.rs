//! Two calls that are to meet: each round at another point of each other.
// Each test program uses its own part of this file, and a failure here fails the test.
#![allow(dead_code, clippy::unwrap_used)]

use std::env;
use std::hint;
use std::thread;
use std::time::{Duration, Instant};

/// Pseudo-random numbers (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }
}

/// What the variable says, or else the default.
pub fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Rounds of two calls, and in how many of them both were under way at one time.
///
/// Where the two decide who comes first lies in some moment of each; told who did, the rounds
/// gather about the offset at which either may.
pub struct Meetings {
    dice: Dice,
    /// About how long each takes, in nanoseconds.
    theirs: u64,
    ours: u64,
    /// How much later than theirs ours begins where either may come first.
    lead: i64,
    /// How much the lead changes with a round, and how far about it rounds are spread.
    step: i64,
    spread: u64,
    pub rounds: u64,
    pub met: u64,
}

impl Meetings {
    /// Of calls that take milliseconds.
    pub fn new() -> Self {
        Meetings {
            step: 40_000,
            spread: 600_000,
            ..Meetings::coarse()
        }
    }

    /// Of calls that take tenths of a second, not always the same.
    pub fn coarse() -> Self {
        Meetings {
            step: 4_000_000,
            spread: 20_000_000,
            dice: Dice(number("MODELKEEP_SEED", 1)),
            theirs: 2_000_000,
            ours: 2_000_000,
            lead: 0,
            rounds: 0,
            met: 0,
        }
    }

    /// Runs both, one a little later than the other.
    pub fn meet<A: Send, B>(
        &mut self,
        theirs: impl FnOnce() -> A + Send,
        ours: impl FnOnce() -> B,
    ) -> (A, B) {
        let offset = self.offset();
        let start = Instant::now() + Duration::from_micros(200);
        let later = |offset: i64| start + Duration::from_nanos(offset.max(0).unsigned_abs());
        let (theirs_start, ours_start) = (later(-offset), later(offset));
        let ((theirs, their_time), (ours, our_time)) = thread::scope(|scope| {
            let theirs = scope.spawn(move || timed(theirs_start, theirs));
            let ours = timed(ours_start, ours);
            (theirs.join().unwrap(), ours)
        });
        let smooth = |old: u64, (start, end): (Instant, Instant)| {
            (old * 7 + u64::try_from((end - start).as_nanos()).unwrap()) / 8
        };
        self.theirs = smooth(self.theirs, their_time);
        self.ours = smooth(self.ours, our_time);
        self.rounds += 1;
        self.met += u64::from(their_time.0 < our_time.1 && our_time.0 < their_time.1);
        (theirs, ours)
    }

    /// How much later ours begins: mostly about the lead, else anywhere.
    fn offset(&mut self) -> i64 {
        if self.dice.below(4) > 0 {
            let spread = self.dice.below(2 * self.spread).cast_signed();
            return self.lead + spread - self.spread.cast_signed();
        }
        self.dice.below(self.theirs + self.ours).cast_signed() - self.ours.cast_signed()
    }

    /// Whether ours came first, as its outcome shows; the next will begin a little later if so.
    pub fn learn(&mut self, ours_came_first: bool) {
        let step = if ours_came_first {
            self.step
        } else {
            -self.step
        };
        let (most, least) = (self.theirs.cast_signed(), -self.ours.cast_signed());
        self.lead = (self.lead + step).clamp(least, most);
    }
}

/// Calls at a moment, to the microsecond.
fn timed<T>(start: Instant, call: impl FnOnce() -> T) -> (T, (Instant, Instant)) {
    let left = start.saturating_duration_since(Instant::now());
    thread::sleep(left.saturating_sub(Duration::from_millis(1)));
    while Instant::now() < start {
        hint::spin_loop();
    }
    let begun = Instant::now();
    let answer = call();
    (answer, (begun, Instant::now()))
}
