//! How long this processor takes for so many streams together. It is measured, since it does not follow
//! from the instructions that there are: on a Zen 4 four streams by the SHA instructions are the
//! fastest, on a Zen 5 sixteen by AVX-512.

use std::array;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::{Kernel, Kernels, MOST, START};

/// The picoseconds in which so many streams, one at place 0, get a byte each: on one thread, and from its
/// cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rates([u32; MOST]);

/// What was measured in this process; zeros until then. No thread waits for another, which could be in
/// the middle of it when the process forks.
static MEASURED: [AtomicU32; MOST] = [const { AtomicU32::new(0) }; MOST];

/// The bytes of a stream that are hashed to measure: they stay in a core's first cache.
const SAMPLE: usize = 16 << 10;

/// How often each is measured; the fastest counts, since any may be interrupted.
const ROUNDS: usize = 3;

/// The picoseconds in which a byte comes out of the system's cache.
// Zen 4: 100 to 120, Zen 5: 67.
const READING: u32 = 100;

impl Rates {
    /// What stands for a measurement that would not pay.
    // Zen 5. Other processors lose less by it than a Zen 5 would by theirs: on a Zen 4 sixteen streams
    // have nine tenths of the fastest rate, on a Zen 5 four have half of it.
    pub(super) const ASSUMED: Rates = Rates([
        520, 676, 991, 1_252, 1_491, 1_729, 1_967, 2_205, //
        2_215, 2_215, 2_215, 2_215, 2_215, 2_215, 2_215, 2_215,
    ]);

    /// Returns what was measured before in this process.
    pub(super) fn known() -> Option<Self> {
        let mut rates = [0; MOST];
        for (rate, measured) in rates.iter_mut().zip(&MEASURED) {
            *rate = measured.load(Ordering::Relaxed);
        }
        (!rates.contains(&0)).then_some(Rates(rates))
    }

    /// Measures, and keeps it for the process. Takes about a millisecond.
    pub(super) fn measure(kernels: &Kernels) -> Self {
        // First, since it also wakes the core.
        let sixteen = fastest(kernels, MOST);
        let one = fastest(kernels, 1);
        let rates: [u32; MOST] = array::from_fn(|place| match kernels.kernel(place + 1) {
            Kernel::Avx512(_) => sixteen,
            Kernel::ShaNi(_) => fastest(kernels, place + 1),
            Kernel::OneByOne => one.saturating_mul(place as u32 + 1),
        });
        for (measured, rate) in MEASURED.iter().zip(rates) {
            measured.store(rate, Ordering::Relaxed);
        }
        Rates(rates)
    }

    /// Returns how many of `streams` are best advanced together: with which the most bytes are hashed.
    pub(super) fn best(&self, streams: usize) -> usize {
        let best = |best: usize, streams| {
            let gain = u64::from(self.of(best)) * streams as u64;
            let is_faster = gain > u64::from(self.of(streams)) * best as u64;
            if is_faster { streams } else { best }
        };
        (2..=streams.min(MOST)).fold(streams.min(1), best)
    }

    /// Returns the picoseconds in which so many streams get a byte each that has to be read.
    pub(super) fn with_reading(&self, streams: usize) -> u64 {
        u64::from(self.of(streams)) + u64::from(READING) * streams as u64
    }

    fn of(&self, streams: usize) -> u32 {
        let place = streams.saturating_sub(1);
        self.0.get(place).copied().unwrap_or(u32::MAX)
    }
}

/// Returns the picoseconds in which so many streams get a byte each.
fn fastest(kernels: &Kernels, streams: usize) -> u32 {
    let input = vec![0; SAMPLE];
    let (mut states, inputs) = (vec![START; streams], vec![input.as_slice(); streams]);
    let mut time = || {
        let start = Instant::now();
        kernels.advance(black_box(&mut states), &inputs);
        start.elapsed()
    };
    let fastest = (0..ROUNDS).map(|_| time()).min().unwrap_or_default();
    let picoseconds = fastest.as_nanos().saturating_mul(1000) / SAMPLE as u128;
    // A clock that stands still says nothing, and zero is for what was not measured.
    u32::try_from(picoseconds).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From rates in GB/s: of one to eight streams, and of sixteen.
    fn rates(few: [f64; 8], sixteen: f64) -> Rates {
        Rates(array::from_fn(|place| {
            let streams = place as f64 + 1.0;
            let picoseconds = |rate: f64, streams: f64| (streams / rate * 1000.0) as u32;
            few.get(place).map_or(picoseconds(sixteen, 16.0), |rate| {
                picoseconds(*rate, streams)
            })
        }))
    }

    #[test]
    fn as_many_go_together_as_are_the_fastest_there() {
        let zen_4 = rates([1.82, 3.15, 3.5, 3.8, 3.6, 3.53, 3.4, 3.3], 3.43);
        let zen_5 = rates([1.92, 2.96, 3.03, 3.2, 3.35, 3.47, 3.56, 3.63], 7.2);
        let expected = [
            (0, 0, 0),
            (1, 1, 1),
            (2, 2, 2),
            (4, 4, 4),
            (8, 4, 8),
            (9, 4, 9),
            (16, 4, 16),
            (100, 4, 16),
        ];
        for (streams, four, five) in expected {
            assert_eq!(zen_4.best(streams), four, "{streams}");
            assert_eq!(zen_5.best(streams), five, "{streams}");
            assert_eq!(Rates::ASSUMED.best(streams), five, "{streams}");
        }
    }

    #[test]
    fn where_there_is_no_kernel_each_goes_by_itself() {
        let alone = Rates(array::from_fn(|place| 600 * (place as u32 + 1)));
        assert_eq!(alone.best(16), 1);
    }

    #[test]
    fn what_is_measured_is_kept() {
        let kernels = Kernels::detect();
        let rates = Rates::measure(&kernels);
        assert!(Rates::known().is_some() && !rates.0.contains(&0));
        assert!((1..=MOST).contains(&rates.best(MOST)));
    }

    #[test]
    fn each_stream_is_read_too() {
        assert_eq!(Rates::ASSUMED.with_reading(1), 520 + 100);
        assert_eq!(Rates::ASSUMED.with_reading(2), 676 + 200);
    }
}
