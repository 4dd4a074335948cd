//! Up to sixteen streams by AVX-512: one word of each stream in each vector.
#![allow(
    unsafe_code,
    reason = "intrinsics, an instruction, and loads from slices that were checked"
)]

use std::arch::asm;
use std::arch::x86_64::*;

use super::{BLOCK, MOST, ROUNDS, START, State};

/// Proof that the processor has AVX-512 F and BW: only [`detect`](Self::detect) makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        let is_there = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        is_there.then_some(Avx512(()))
    }

    /// Advances up to sixteen streams by as many inputs of one length, a multiple of a block.
    pub(super) fn advance(self, states: &mut [State], inputs: &[&[u8]]) {
        let Some(first) = inputs.first() else { return };
        let len = inputs.iter().map(|input| input.len()).min().unwrap_or(0);
        // Lanes without a stream do the work of the first once more, and nobody looks.
        let mut pointers = [first.as_ptr(); MOST];
        let mut lanes = [START; MOST];
        for (lane, (state, input)) in states.iter().zip(inputs).take(MOST).enumerate() {
            pointers[lane] = input.as_ptr();
            lanes[lane] = *state;
        }
        // SAFETY: `self` proves that there is AVX-512 F and BW; each pointer is that of an input,
        // and none of them is shorter than `len`.
        unsafe { blocks(&mut lanes, pointers, len / BLOCK) };
        for (state, lane) in states.iter_mut().zip(lanes) {
            *state = lane;
        }
    }
}

/// How far ahead of the rounds a block is asked for, in bytes.
const AHEAD: usize = 1024;

/// Calls a function for each of sixteen rounds, whose number is a constant in it, so that words
/// stay in registers.
macro_rules! sixteen {
    ($call:ident $arguments:tt) => {
        sixteen!($call $arguments, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($call:ident $arguments:tt, $($round:literal)*) => {
        $($call::<$round> $arguments;)*
    };
}

/// # Safety
/// The processor has AVX-512 F and BW, and `count` blocks can be read from each pointer.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn blocks(lanes: &mut [State; MOST], pointers: [*const u8; MOST], count: usize) {
    let mut state: [__m512i; 8] = std::array::from_fn(|word| {
        let words: [u32; MOST] = std::array::from_fn(|lane| lanes[lane][word]);
        // SAFETY: sixteen words are a vector.
        unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
    });
    let constants = ROUNDS.as_chunks::<16>().0;
    for block in 0..count {
        // SAFETY: by the contract.
        let mut words = unsafe { transposed(&pointers, block * BLOCK) };
        let before = state;
        for constants in &constants[..3] {
            sixteen!(round_and_word(&mut state, &mut words, constants));
        }
        // The last sixteen rounds need no further words.
        sixteen!(round(&mut state, &words, &constants[3]));
        for (word, before) in state.iter_mut().zip(before) {
            *word = _mm512_add_epi32(*word, before);
        }
    }
    for (word, vector) in state.into_iter().enumerate() {
        let mut words = [0_u32; MOST];
        // SAFETY: sixteen words are a vector.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), vector) };
        for (lane, value) in lanes.iter_mut().zip(words) {
            lane[word] = value;
        }
    }
}

/// A round, and the word that takes the place of the one just used.
#[target_feature(enable = "avx512f")]
#[inline]
fn round_and_word<const ROUND: usize>(
    state: &mut [__m512i; 8],
    words: &mut [__m512i; 16],
    constants: &[u32; 16],
) {
    round::<ROUND>(state, words, constants);
    words[ROUND] = scheduled::<ROUND>(words);
}

/// A round. Instead of the eight words moving on by one, their names do; after eight rounds each
/// has its old place.
///
/// A round is bound by its latency from `e` to the next `e`: a rotation, an exclusive or, and one
/// addition, since all else that is added is there before.
#[target_feature(enable = "avx512f")]
#[inline]
fn round<const ROUND: usize>(
    state: &mut [__m512i; 8],
    words: &[__m512i; 16],
    constants: &[u32; 16],
) {
    let [a, b, c, d, e, f, g, h] = std::array::from_fn(|word| state[(word + 16 - ROUND) % 8]);
    let sum1 = xor3(
        _mm512_ror_epi32::<6>(e),
        _mm512_ror_epi32::<11>(e),
        _mm512_ror_epi32::<25>(e),
    );
    let choice = _mm512_ternarylogic_epi32::<0xca>(e, f, g);
    let sum0 = xor3(
        _mm512_ror_epi32::<2>(a),
        _mm512_ror_epi32::<13>(a),
        _mm512_ror_epi32::<22>(a),
    );
    let majority = _mm512_ternarylogic_epi32::<0xe8>(a, b, c);
    let constant = _mm512_set1_epi32(constants[ROUND].cast_signed());
    let known = _mm512_add_epi32(_mm512_add_epi32(words[ROUND], constant), h);
    let first = in_order(in_order(known, choice), sum1);
    state[(7 + 16 - ROUND) % 8] = in_order(in_order(first, majority), sum0);
    state[(3 + 16 - ROUND) % 8] = in_order(in_order(in_order(known, d), choice), sum1);
}

/// Returns the sum of two vectors, which no optimizer may add to others in another order: left to
/// itself, it puts the late summands first (Zen 5: 4.9 GB/s in place of 7.2).
#[target_feature(enable = "avx512f")]
#[inline]
fn in_order(a: __m512i, b: __m512i) -> __m512i {
    let sum;
    // SAFETY: the instruction is of AVX-512 F, and touches nothing but its registers.
    unsafe {
        asm!("vpaddd {}, {}, {}", lateout(zmm_reg) sum, in(zmm_reg) a, in(zmm_reg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// Returns the word of the message sixteen rounds on.
#[target_feature(enable = "avx512f")]
#[inline]
fn scheduled<const ROUND: usize>(words: &[__m512i; 16]) -> __m512i {
    let at = |ahead: usize| words[(ROUND + ahead) % 16];
    let (early, late) = (at(1), at(14));
    let sigma0 = xor3(
        _mm512_ror_epi32::<7>(early),
        _mm512_ror_epi32::<18>(early),
        _mm512_srli_epi32::<3>(early),
    );
    let sigma1 = xor3(
        _mm512_ror_epi32::<17>(late),
        _mm512_ror_epi32::<19>(late),
        _mm512_srli_epi32::<10>(late),
    );
    let sum = _mm512_add_epi32(_mm512_add_epi32(at(0), sigma0), at(9));
    _mm512_add_epi32(sum, sigma1)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

/// Returns a block of each stream, big-endian words: vector `n` holds word `n` of all of them.
///
/// # Safety
/// A block can be read `offset` bytes after each pointer.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn transposed(pointers: &[*const u8; MOST], offset: usize) -> [__m512i; 16] {
    let swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    let rows: [__m512i; 16] = std::array::from_fn(|lane| {
        let at = pointers[lane].wrapping_add(offset);
        _mm_prefetch::<_MM_HINT_T0>(at.cast::<i8>().wrapping_add(AHEAD));
        // SAFETY: by the contract.
        _mm512_shuffle_epi8(unsafe { _mm512_loadu_si512(at.cast()) }, swap)
    });
    // Four steps, each of which doubles the square that is in its place.
    let mut pairs = rows;
    for at in 0..8 {
        pairs[2 * at] = _mm512_unpacklo_epi32(rows[2 * at], rows[2 * at + 1]);
        pairs[2 * at + 1] = _mm512_unpackhi_epi32(rows[2 * at], rows[2 * at + 1]);
    }
    let mut fours = pairs;
    for at in 0..4 {
        let [a, b, c, d] = [
            pairs[4 * at],
            pairs[4 * at + 1],
            pairs[4 * at + 2],
            pairs[4 * at + 3],
        ];
        fours[4 * at] = _mm512_unpacklo_epi64(a, c);
        fours[4 * at + 1] = _mm512_unpackhi_epi64(a, c);
        fours[4 * at + 2] = _mm512_unpacklo_epi64(b, d);
        fours[4 * at + 3] = _mm512_unpackhi_epi64(b, d);
    }
    let mut words = fours;
    for column in 0..4 {
        let [a, b, c, d] = [
            fours[column],
            fours[4 + column],
            fours[8 + column],
            fours[12 + column],
        ];
        let low_ab = _mm512_shuffle_i32x4::<0x88>(a, b);
        let high_ab = _mm512_shuffle_i32x4::<0xdd>(a, b);
        let low_cd = _mm512_shuffle_i32x4::<0x88>(c, d);
        let high_cd = _mm512_shuffle_i32x4::<0xdd>(c, d);
        words[column] = _mm512_shuffle_i32x4::<0x88>(low_ab, low_cd);
        words[8 + column] = _mm512_shuffle_i32x4::<0xdd>(low_ab, low_cd);
        words[4 + column] = _mm512_shuffle_i32x4::<0x88>(high_ab, high_cd);
        words[12 + column] = _mm512_shuffle_i32x4::<0xdd>(high_ab, high_cd);
    }
    words
}
