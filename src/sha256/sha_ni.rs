//! Up to eight streams by the SHA instructions of x86-64.
#![allow(
    unsafe_code,
    reason = "intrinsics, and loads from slices that were checked"
)]

use std::arch::x86_64::*;

use super::{BLOCK, ROUNDS, SEVERAL, State};

/// Proof that the processor has the SHA instructions and AVX: only [`detect`](Self::detect) makes
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShaNi(());

impl ShaNi {
    pub(super) fn detect() -> Option<Self> {
        let is_there = is_x86_feature_detected!("sha") && is_x86_feature_detected!("avx");
        is_there.then_some(ShaNi(()))
    }

    /// Advances streams, at most [`SEVERAL`], by as many inputs of one length, a multiple of a
    /// block.
    pub(super) fn advance(self, states: &mut [State], inputs: &[&[u8]]) {
        // SAFETY: `self` proves that there is AVX. The SHA instructions are of the old encoding:
        // while an upper half is in use, they run a hundred times slower on some processors.
        unsafe { clear_upper() };
        match states.len() {
            0 => {}
            1 => self.together::<1>(states, inputs),
            2 => self.together::<2>(states, inputs),
            3 => self.together::<3>(states, inputs),
            4 => self.together::<4>(states, inputs),
            5 => self.together::<5>(states, inputs),
            6 => self.together::<6>(states, inputs),
            7 => self.together::<7>(states, inputs),
            _ => self.together::<SEVERAL>(states, inputs),
        }
    }

    fn together<const N: usize>(self, states: &mut [State], inputs: &[&[u8]]) {
        let (Some(states), Some(inputs)) = (states.first_chunk_mut(), inputs.first_chunk::<N>())
        else {
            return;
        };
        let blocks = inputs.map(|input| input.as_chunks::<BLOCK>().0);
        let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or(0);
        // SAFETY: `self` proves that there are the SHA instructions and AVX; each pointer is
        // followed by `count` blocks.
        unsafe { rounds(states, blocks.map(<[_]>::as_ptr), count) }
    }

    /// Returns whether what stands in the upper half of a register is gone when the kernel has run.
    #[cfg(test)]
    pub(super) fn clears_upper_halves(self) -> bool {
        use std::arch::asm;
        let mut register = [0_u64; 4];
        // SAFETY: `self` proves that there is AVX. The register is declared as used up; what stands
        // in its upper half in between is nobody's, and only the array is written.
        unsafe { asm!("vcmptrueps ymm15, ymm15, ymm15", out("xmm15") _) };
        self.advance(&mut [super::START], &[&[0; BLOCK]]);
        // SAFETY: as above.
        unsafe { asm!("vmovups [{}], ymm15", in(reg) register.as_mut_ptr(), options(nostack)) };
        register[2..] == [0, 0]
    }
}

#[target_feature(enable = "avx")]
fn clear_upper() {
    _mm256_zeroupper();
}

/// How far ahead of the rounds a block is asked for, in bytes: mapped memory is not fetched early
/// enough by itself.
const AHEAD: usize = 2048;

/// A stream: its state in the order of the instructions, and the last sixteen words of its block.
#[derive(Clone, Copy)]
struct Stream {
    abef: __m128i,
    cdgh: __m128i,
    words: [__m128i; 4],
}

/// # Safety
/// The processor has the SHA instructions and AVX, and `count` blocks can be read from each
/// pointer.
// AVX for the moves that it saves around them.
#[target_feature(enable = "sha,avx")]
unsafe fn rounds<const N: usize>(
    states: &mut [State; N],
    mut blocks: [*const [u8; BLOCK]; N],
    count: usize,
) {
    // SAFETY: a state is eight words.
    let mut streams: [Stream; N] = std::array::from_fn(|lane| unsafe { load(&states[lane]) });
    for _ in 0..count {
        let before = streams;
        for (stream, block) in streams.iter_mut().zip(&mut blocks) {
            // SAFETY: by the contract it can be read.
            unsafe { stream.take(*block) };
            *block = block.wrapping_add(1);
        }
        for group in 0..3 {
            rounds_and_words::<N, 0>(&mut streams, group);
            rounds_and_words::<N, 1>(&mut streams, group);
            rounds_and_words::<N, 2>(&mut streams, group);
            rounds_and_words::<N, 3>(&mut streams, group);
        }
        // The last sixteen rounds need no further words.
        last_rounds::<N, 0>(&mut streams);
        last_rounds::<N, 1>(&mut streams);
        last_rounds::<N, 2>(&mut streams);
        last_rounds::<N, 3>(&mut streams);
        for (stream, before) in streams.iter_mut().zip(&before) {
            stream.abef = _mm_add_epi32(stream.abef, before.abef);
            stream.cdgh = _mm_add_epi32(stream.cdgh, before.cdgh);
        }
    }
    for (state, stream) in states.iter_mut().zip(&streams) {
        // SAFETY: a state is eight words.
        unsafe { store(state, stream) };
    }
}

/// Four rounds of each stream, and the words that take the place of those just used. `FOUR` is a
/// constant so that words stay in registers.
#[inline]
#[target_feature(enable = "sha,avx")]
fn rounds_and_words<const N: usize, const FOUR: usize>(streams: &mut [Stream; N], group: usize) {
    let constants = constants(4 * group + FOUR);
    for stream in streams {
        stream.four_rounds::<FOUR>(constants);
        stream.extend::<FOUR>();
    }
}

#[inline]
#[target_feature(enable = "sha,avx")]
fn last_rounds<const N: usize, const FOUR: usize>(streams: &mut [Stream; N]) {
    let constants = constants(12 + FOUR);
    for stream in streams {
        stream.four_rounds::<FOUR>(constants);
    }
}

/// Returns the constants of four rounds.
#[inline]
#[target_feature(enable = "avx")]
fn constants(four: usize) -> __m128i {
    // SAFETY: there are sixteen vectors, and the callers count to fifteen.
    unsafe { _mm_loadu_si128(ROUNDS.as_ptr().cast::<__m128i>().add(four)) }
}

impl Stream {
    /// Reads the words of a block.
    ///
    /// # Safety
    /// The block can be read.
    #[inline]
    #[target_feature(enable = "avx")]
    unsafe fn take(&mut self, block: *const [u8; BLOCK]) {
        let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let block = block.cast::<__m128i>();
        _mm_prefetch::<_MM_HINT_T0>(block.cast::<i8>().wrapping_add(AHEAD));
        for (quarter, words) in self.words.iter_mut().enumerate() {
            // SAFETY: a block is four vectors, and by the contract it can be read.
            *words = _mm_shuffle_epi8(unsafe { _mm_loadu_si128(block.add(quarter)) }, swap);
        }
    }

    #[inline]
    #[target_feature(enable = "sha,avx")]
    fn four_rounds<const FOUR: usize>(&mut self, constants: __m128i) {
        let sum = _mm_add_epi32(self.words[FOUR], constants);
        self.cdgh = _mm_sha256rnds2_epu32(self.cdgh, self.abef, sum);
        let upper = _mm_shuffle_epi32::<0x0e>(sum);
        self.abef = _mm_sha256rnds2_epu32(self.abef, self.cdgh, upper);
    }

    /// Puts the words of sixteen rounds on in the place of those that were just used.
    #[inline]
    #[target_feature(enable = "sha,avx")]
    fn extend<const FOUR: usize>(&mut self) {
        let words = |ahead: usize| self.words[(FOUR + ahead) % 4];
        let mixed = _mm_sha256msg1_epu32(words(0), words(1));
        let mixed = _mm_add_epi32(mixed, _mm_alignr_epi8::<4>(words(3), words(2)));
        self.words[FOUR] = _mm_sha256msg2_epu32(mixed, words(3));
    }
}

/// Returns a stream between two blocks.
#[target_feature(enable = "avx")]
unsafe fn load(state: &State) -> Stream {
    let words = state.as_ptr().cast::<__m128i>();
    // SAFETY: two vectors of four words.
    let (abcd, efgh) = unsafe { (_mm_loadu_si128(words), _mm_loadu_si128(words.add(1))) };
    let cdab = _mm_shuffle_epi32::<0xb1>(abcd);
    let hgfe = _mm_shuffle_epi32::<0x1b>(efgh);
    Stream {
        abef: _mm_alignr_epi8::<8>(cdab, hgfe),
        cdgh: _mm_blend_epi16::<0xf0>(hgfe, cdab),
        words: [_mm_setzero_si128(); 4],
    }
}

/// The reverse of [`load`].
#[target_feature(enable = "avx")]
unsafe fn store(state: &mut State, stream: &Stream) {
    let feba = _mm_shuffle_epi32::<0x1b>(stream.abef);
    let dchg = _mm_shuffle_epi32::<0xb1>(stream.cdgh);
    let words = state.as_mut_ptr().cast::<__m128i>();
    // SAFETY: two vectors of four words.
    unsafe {
        _mm_storeu_si128(words, _mm_blend_epi16::<0xf0>(feba, dchg));
        _mm_storeu_si128(words.add(1), _mm_alignr_epi8::<8>(dchg, feba));
    }
}
