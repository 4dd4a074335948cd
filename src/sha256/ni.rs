//! One or two streams by the SHA instructions of x86-64.
#![allow(
    unsafe_code,
    reason = "intrinsics, and loads from slices that were checked"
)]

use std::arch::x86_64::*;

use super::{BLOCK, ROUNDS, State};

/// Whether the processor has what the kernel needs.
pub(super) fn is_there() -> bool {
    is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("sse4.1")
        && is_x86_feature_detected!("ssse3")
}

/// Advances `N` streams by their inputs, which have one length, a multiple of a block.
pub(super) fn advance<const N: usize>(states: &mut [State; N], inputs: [&[u8]; N]) {
    let blocks = inputs.map(|input| input.as_chunks::<BLOCK>().0);
    let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or(0);
    if is_x86_feature_detected!("avx") {
        // SAFETY: AVX was just detected. The SHA instructions are of the old encoding: while an
        // upper half is in use, they run a hundred times slower on some processors.
        unsafe { clear_upper() };
    }
    // SAFETY: callers choose this kernel by `is_there`; each pointer is followed by `count` blocks.
    unsafe { rounds(states, blocks.map(<[_]>::as_ptr), count) }
}

#[target_feature(enable = "avx")]
fn clear_upper() {
    _mm256_zeroupper();
}

/// How far ahead of the rounds a block is asked for, in bytes: mapped memory is not fetched early
/// enough by itself.
const AHEAD: usize = 2048;

/// # Safety
/// The processor has the SHA instructions, and `count` blocks can be read from each pointer.
#[target_feature(enable = "sha,sse4.1,ssse3")]
unsafe fn rounds<const N: usize>(
    states: &mut [State; N],
    mut blocks: [*const [u8; BLOCK]; N],
    count: usize,
) {
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    // SAFETY: a state is eight words.
    let mut lanes: [(__m128i, __m128i); N] =
        std::array::from_fn(|lane| unsafe { load(&states[lane]) });
    for _ in 0..count {
        let before = lanes;
        let mut words = [[_mm_setzero_si128(); 4]; N];
        for lane in 0..N {
            let block = blocks[lane].cast::<__m128i>();
            _mm_prefetch::<_MM_HINT_T0>(block.cast::<i8>().wrapping_add(AHEAD));
            for (quarter, word) in words[lane].iter_mut().enumerate() {
                // SAFETY: a block is four vectors, and by the contract it can be read.
                *word = _mm_shuffle_epi8(unsafe { _mm_loadu_si128(block.add(quarter)) }, swap);
            }
            blocks[lane] = blocks[lane].wrapping_add(1);
        }
        for four in 0..16 {
            // SAFETY: the constants are sixteen vectors.
            let constants = unsafe { _mm_loadu_si128(ROUNDS.as_ptr().cast::<__m128i>().add(four)) };
            for lane in 0..N {
                let [now, next, after, last] = words[lane];
                let (abef, cdgh) = &mut lanes[lane];
                let sum = _mm_add_epi32(now, constants);
                *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
                *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32::<0x0e>(sum));
                let mixed = _mm_sha256msg1_epu32(now, next);
                let mixed = _mm_add_epi32(mixed, _mm_alignr_epi8::<4>(last, after));
                words[lane] = [next, after, last, _mm_sha256msg2_epu32(mixed, last)];
            }
        }
        for lane in 0..N {
            lanes[lane].0 = _mm_add_epi32(lanes[lane].0, before[lane].0);
            lanes[lane].1 = _mm_add_epi32(lanes[lane].1, before[lane].1);
        }
    }
    for lane in 0..N {
        // SAFETY: a state is eight words.
        unsafe { store(&mut states[lane], lanes[lane]) };
    }
}

/// The words of a state in the order of the instructions.
#[target_feature(enable = "sse4.1,ssse3")]
unsafe fn load(state: &State) -> (__m128i, __m128i) {
    let words = state.as_ptr().cast::<__m128i>();
    // SAFETY: two vectors of four words.
    let (abcd, efgh) = unsafe { (_mm_loadu_si128(words), _mm_loadu_si128(words.add(1))) };
    let cdab = _mm_shuffle_epi32::<0xb1>(abcd);
    let hgfe = _mm_shuffle_epi32::<0x1b>(efgh);
    (
        _mm_alignr_epi8::<8>(cdab, hgfe),
        _mm_blend_epi16::<0xf0>(hgfe, cdab),
    )
}

/// The reverse of [`load`].
#[target_feature(enable = "sse4.1,ssse3")]
unsafe fn store(state: &mut State, (abef, cdgh): (__m128i, __m128i)) {
    let feba = _mm_shuffle_epi32::<0x1b>(abef);
    let dchg = _mm_shuffle_epi32::<0xb1>(cdgh);
    let words = state.as_mut_ptr().cast::<__m128i>();
    // SAFETY: two vectors of four words.
    unsafe {
        _mm_storeu_si128(words, _mm_blend_epi16::<0xf0>(feba, dchg));
        _mm_storeu_si128(words.add(1), _mm_alignr_epi8::<8>(dchg, feba));
    }
}

/// Whether what stands in the upper half of a register is gone when the kernel has run.
#[cfg(test)]
pub(super) fn clears_upper_halves() -> bool {
    use std::arch::asm;
    let mut register = [0_u64; 4];
    // SAFETY: the caller checked for AVX. The register is declared as used up; what stands in its
    // upper half in between is nobody's, and only the array is written.
    unsafe { asm!("vcmptrueps ymm15, ymm15, ymm15", out("xmm15") _) };
    advance(&mut [super::START], [&[0; BLOCK]]);
    // SAFETY: as above.
    unsafe { asm!("vmovups [{}], ymm15", in(reg) register.as_mut_ptr(), options(nostack)) };
    register[2..] == [0, 0]
}
