//! SHA-256 over several streams at once.
//!
//! One stream is bound by the latency of its rounds, whatever the library: each needs the result
//! of the one before. Streams that are advanced together fill the gaps. On x86-64 up to eight go
//! together by the SHA instructions, and sixteen by AVX-512; elsewhere, and for one stream, the
//! crate `sha2` does the work, which also judges the kernels in their tests.

#[cfg(not(target_arch = "x86_64"))]
mod absent;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod rates;
#[cfg(target_arch = "x86_64")]
mod sha_ni;

use std::num::NonZeroUsize;

use sha2::block_api::compress256;

#[cfg(not(target_arch = "x86_64"))]
use absent::{Absent as Avx512, Absent as ShaNi};
#[cfg(target_arch = "x86_64")]
use avx512::Avx512;
use rates::Rates;
#[cfg(target_arch = "x86_64")]
use sha_ni::ShaNi;

/// The bytes of a block.
pub(crate) const BLOCK: usize = 64;

/// The chaining value between blocks.
pub(crate) type State = [u32; 8];

/// The chaining value before the first block.
// FIPS 180-4, 5.3.3
pub(crate) const START: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The constants of the rounds.
// FIPS 180-4, 4.2.2
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const ROUNDS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// The most streams that any kernel advances together.
pub(crate) const MOST: usize = 16;

/// The most that the kernel of the SHA instructions does. More than fill the unit of those
/// instructions may pay nevertheless: what else a block costs hides behind them.
const SEVERAL: usize = 8;

/// From how many bytes on a measurement pays: with them, a twentieth more speed is several milliseconds.
const WORTH_MEASURING: u64 = 256_000_000;

/// What this processor can do, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kernels {
    /// Two to eight streams together.
    sha_ni: Option<ShaNi>,
    /// Sixteen streams together.
    avx512: Option<Avx512>,
    rates: Rates,
    /// How many streams are to go together, where somebody has said so.
    fixed: Option<NonZeroUsize>,
}

/// What advances so many streams.
enum Kernel {
    ShaNi(ShaNi),
    Avx512(Avx512),
    OneByOne,
}

impl Kernels {
    /// Returns what there is for hashing streams of so many bytes in all. How fast it is, is measured
    /// before work that is worth it, for about a millisecond, and once in a process.
    pub(crate) fn for_work(streams: usize, bytes: u64) -> Self {
        let kernels = Kernels::detect();
        let has_choice = kernels.sha_ni.is_some() || kernels.avx512.is_some();
        match streams > 1 && bytes >= WORTH_MEASURING && has_choice && Rates::known().is_none() {
            true => Kernels {
                rates: Rates::measure(&kernels),
                ..kernels
            },
            false => kernels,
        }
    }

    /// Returns what there is, found out at run time; how fast it is, where that was measured before.
    fn detect() -> Self {
        Kernels {
            sha_ni: ShaNi::detect(),
            avx512: Avx512::detect(),
            rates: Rates::known().unwrap_or(Rates::ASSUMED),
            fixed: None,
        }
    }

    /// These, with so many streams together where there are as many, whatever is the fastest.
    pub(crate) fn fixed(self, streams: Option<NonZeroUsize>) -> Self {
        Kernels {
            fixed: streams,
            ..self
        }
    }

    /// Returns how many of `streams` are best advanced together.
    pub(crate) fn batch_size(&self, streams: usize) -> usize {
        let Some(fixed) = self.fixed else {
            return self.rates.best(streams);
        };
        let most = match (self.sha_ni, self.avx512) {
            (_, Some(_)) => MOST,
            (Some(_), None) => SEVERAL,
            (None, None) => 1,
        };
        streams.min(fixed.get()).min(most)
    }

    /// Returns how long a byte of each of so many streams takes, in units of its own, when they have
    /// to be read as well.
    pub(crate) fn cost(&self, batch_size: usize) -> u64 {
        self.rates.with_reading(batch_size)
    }

    fn kernel(&self, streams: usize) -> Kernel {
        match (streams, self.sha_ni, self.avx512) {
            (..=SEVERAL, Some(sha_ni), _) => Kernel::ShaNi(sha_ni),
            (2.., _, Some(avx512)) => Kernel::Avx512(avx512),
            _ => Kernel::OneByOne,
        }
    }

    /// Advances each state by the bytes at its place: equally many of each, whole blocks.
    ///
    /// # Panics
    /// Where the inputs are not as many as the states, more than [`MOST`], or not of one length.
    pub(crate) fn advance(&self, states: &mut [State], inputs: &[&[u8]]) {
        assert!(states.len() == inputs.len() && states.len() <= MOST);
        let len = inputs.first().map_or(0, |input| input.len());
        assert!(inputs.iter().all(|input| input.len() == len) && len.is_multiple_of(BLOCK));
        match self.kernel(states.len()) {
            Kernel::ShaNi(kernel) => kernel.advance(states, inputs),
            Kernel::Avx512(kernel) => kernel.advance(states, inputs),
            Kernel::OneByOne => one_by_one(states, inputs),
        }
    }
}

impl Kernels {
    /// As [`advance`](Self::advance), of states that are apart from each other.
    ///
    /// # Panics
    /// As [`advance`](Self::advance).
    pub(crate) fn advance_each<'s>(
        &self,
        streams: impl IntoIterator<Item = (&'s mut State, &'s [u8])>,
    ) {
        let mut homes = [const { None }; MOST];
        let (mut states, mut inputs) = ([START; MOST], [&[][..]; MOST]);
        let mut count = 0;
        let mut places = homes.iter_mut().zip(&mut states).zip(&mut inputs);
        for (home, bytes) in streams {
            let ((place, state), input) = places.next().expect("no more than MOST");
            (*state, *input) = (*home, bytes);
            *place = Some(home);
            count += 1;
        }
        if let (Some(states), Some(inputs)) = (states.get_mut(..count), inputs.get(..count)) {
            self.advance(states, inputs);
        }
        for (home, state) in homes.into_iter().flatten().zip(states) {
            *home = state;
        }
    }
}

fn one_by_one(states: &mut [State], inputs: &[&[u8]]) {
    for (state, input) in states.iter_mut().zip(inputs) {
        compress256(state, input.as_chunks().0);
    }
}

/// Returns the digest of a stream of `total` bytes, the last of which, less than a block, are
/// `tail`.
pub(crate) fn finish(mut state: State, tail: &[u8], total: u64) -> [u8; 32] {
    let mut blocks = [[0; BLOCK]; 2];
    let flat = blocks.as_flattened_mut();
    for (to, from) in flat.iter_mut().zip(tail.iter().chain(&[0x80])) {
        *to = *from;
    }
    let count = if tail.len() < BLOCK - 8 { 1 } else { 2 };
    let bits = total.wrapping_mul(8).to_be_bytes();
    if let Some(last) = flat.get_mut(count * BLOCK - 8..count * BLOCK) {
        last.copy_from_slice(&bits);
    }
    compress256(&mut state, blocks.get(..count).unwrap_or(&blocks));
    let mut digest = [0; 32];
    for (to, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    digest
}

/// Hashes `bytes` in each of `streams` streams from a cache, for benchmarks: what no way of reading
/// can be faster than. Returns the seconds of processor time.
#[cfg(feature = "internal")]
pub fn bench_hash(streams: usize, bytes: usize) -> f64 {
    let kernels = Kernels::detect();
    let input = vec![0; 16 << 10];
    let streams = streams.clamp(1, MOST);
    let (mut states, inputs) = (vec![START; streams], vec![input.as_slice(); streams]);
    let start = std::time::Instant::now();
    for _ in 0..bytes / input.len() {
        kernels.advance(&mut states, &inputs);
    }
    std::hint::black_box(states);
    start.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;
    #[cfg(target_arch = "x86_64")]
    use crate::skip::not_here;

    /// Hashes streams of one length together, `steps` at a time, with a kernel of `batch_size`.
    fn together(inputs: &[&[u8]], steps: &[usize], batch_size: usize) -> Vec<[u8; 32]> {
        let kernels = Kernels::detect();
        let len = inputs[0].len();
        let mut states = vec![START; inputs.len()];
        let mut at = 0;
        let mut steps = steps.iter().cycle();
        while len - at >= BLOCK {
            let step = (steps.next().unwrap() * BLOCK).min((len - at) / BLOCK * BLOCK);
            for (states, inputs) in states.chunks_mut(batch_size).zip(inputs.chunks(batch_size)) {
                let pieces: Vec<&[u8]> = inputs.iter().map(|input| &input[at..at + step]).collect();
                kernels.advance(states, &pieces);
            }
            at += step;
        }
        let tails = states.iter().zip(inputs);
        tails
            .map(|(state, input)| finish(*state, &input[at..], len as u64))
            .collect()
    }

    proptest! {
        #[test]
        fn every_kernel_agrees_with_sha2(
            bytes in prop::collection::vec(any::<u8>(), 1..3000),
            steps in prop::collection::vec(1_usize..9, 1..6),
            streams in 1_usize..=MOST,
            shift in 0_usize..64,
        ) {
            // Streams that overlap have other contents and other alignments.
            let len = bytes.len().saturating_sub(MOST + shift);
            let inputs: Vec<&[u8]> =
                (0..streams).map(|lane| &bytes[(lane + shift).min(bytes.len() - len)..][..len]).collect();
            let expected: Vec<[u8; 32]> = inputs.iter().map(|input| Sha256::digest(input).into()).collect();
                for batch_size in [1, 2, 3, 4, 5, 6, 7, 8, MOST] {
                prop_assert_eq!(&together(&inputs, &steps, batch_size), &expected, "{} lanes", batch_size);
            }
        }
    }

    #[test]
    fn every_length_around_a_block_is_padded_right() {
        let bytes: Vec<u8> = (0..=255).collect();
        for len in 0..=200 {
            let expected: [u8; 32] = Sha256::digest(&bytes[..len]).into();
            assert_eq!(together(&[&bytes[..len]], &[1], 1), [expected], "{len}");
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_upper_halves_are_clear_when_a_kernel_of_the_sha_instructions_runs() {
        match ShaNi::detect() {
            Some(kernel) => assert!(kernel.clears_upper_halves()),
            None => not_here("the upper halves of registers", "no SHA instructions"),
        }
    }
}
