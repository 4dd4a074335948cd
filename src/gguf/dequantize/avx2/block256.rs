//! The blocks of [`block256`](super::super::block256), by groups of 32 numbers in a register.

use std::arch::x86_64::*;

use super::lanes::*;
use crate::gguf::dequantize::block32::NON_LINEAR;
use crate::gguf::dequantize::block256::{scales_and_minima, scales_of_iq4, scales_of_q3};
use crate::gguf::dequantize::float::{single, word};
use crate::gguf::dequantize::part;

#[inline]
#[target_feature(enable = "avx2")]
fn pair(of: &[f32; 16], group: usize) -> [__m256; 2] {
    let (pairs, _) = of.as_chunks::<2>();
    let [first, second] = pairs.get(group).copied().unwrap_or_default();
    [_mm256_set1_ps(first), _mm256_set1_ps(second)]
}

/// Returns groups of 32 values of two bits: of 32 bytes the lowest two, the next two, and so on.
#[inline]
#[target_feature(enable = "avx2")]
fn twos(bytes: &[u8; 64]) -> [__m256i; 8] {
    let mut groups = [_mm256_setzero_si256(); 8];
    let (halves, _) = bytes.as_chunks::<32>();
    let (fours, _) = groups.as_chunks_mut::<4>();
    for (bytes, four) in halves.iter().zip(fours) {
        let mut bytes = load32(bytes);
        for group in four {
            *group = _mm256_and_si256(bytes, _mm256_set1_epi8(3));
            bytes = _mm256_srli_epi16::<2>(bytes);
        }
    }
    groups
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q2_k<const BIG: bool>(block: &[u8; 84], numbers: &mut [f32; 256]) {
    let packed = load16(part::<0, _, _>(block));
    let low = _mm_and_si128(packed, _mm_set1_epi8(15));
    let high = _mm_and_si128(_mm_srli_epi16::<4>(packed), _mm_set1_epi8(15));
    let scales = products(half::<BIG>(*part::<80, _, _>(block)), low);
    let minima = products(half::<BIG>(*part::<82, _, _>(block)), high);
    let (rooms, _) = numbers.as_chunks_mut::<32>();
    for (at, (values, room)) in twos(part::<16, _, _>(block))
        .into_iter()
        .zip(rooms)
        .enumerate()
    {
        scaled_minus(values, pair(&scales, at), pair(&minima, at), room);
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q3_k<const BIG: bool>(block: &[u8; 110], numbers: &mut [f32; 256]) {
    let mask = load32(part::<0, _, _>(block));
    let scale = half::<BIG>(*part::<108, _, _>(block));
    let scales = products(scale, load16(&scales_of_q3(part::<96, _, _>(block))));
    let (rooms, _) = numbers.as_chunks_mut::<32>();
    let mut bit = _mm256_set1_epi8(1);
    for (at, (values, room)) in twos(part::<32, _, _>(block))
        .into_iter()
        .zip(rooms)
        .enumerate()
    {
        // The bit says that nothing is taken away.
        let values = _mm256_sub_epi8(
            _mm256_or_si256(values, where_set(mask, bit, 4)),
            _mm256_set1_epi8(4),
        );
        bit = _mm256_add_epi8(bit, bit);
        scaled(values, pair(&scales, at), room);
    }
}

/// Returns groups of 32 values of four bits: of 32 bytes the lower ones, then the upper.
#[inline]
#[target_feature(enable = "avx2")]
fn fours(bytes: &[u8; 128]) -> [__m256i; 8] {
    let mut groups = [_mm256_setzero_si256(); 8];
    let (quarters, _) = bytes.as_chunks::<32>();
    let (pairs, _) = groups.as_chunks_mut::<2>();
    for (bytes, [low, high]) in quarters.iter().zip(pairs) {
        let bytes = load32(bytes);
        *low = _mm256_and_si256(bytes, _mm256_set1_epi8(15));
        *high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(15));
    }
    groups
}

/// Returns the scales of eight groups in the first half, and their minima in the second half of
/// another array.
#[inline]
#[target_feature(enable = "avx2,f16c")]
fn factors<const BIG: bool>(head: &[u8; 16]) -> ([f32; 16], [f32; 16]) {
    let [d0, d1, m0, m1, packed @ ..] = head;
    let (scales, minima) = scales_and_minima(packed);
    let both = _mm_set_epi64x(i64::from_le_bytes(minima), i64::from_le_bytes(scales));
    (
        products(half::<BIG>([*d0, *d1]), both),
        products(half::<BIG>([*m0, *m1]), both),
    )
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q4_k<const BIG: bool>(block: &[u8; 144], numbers: &mut [f32; 256]) {
    let (scales, minima) = factors::<BIG>(part::<0, _, _>(block));
    let (rooms, _) = numbers.as_chunks_mut::<32>();
    let minima = minima.split_at(8).1;
    for (((values, room), scale), least) in fours(part::<16, _, _>(block))
        .into_iter()
        .zip(rooms)
        .zip(scales)
        .zip(minima)
    {
        scaled_minus(
            values,
            [_mm256_set1_ps(scale); 2],
            [_mm256_set1_ps(*least); 2],
            room,
        );
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q5_k<const BIG: bool>(block: &[u8; 176], numbers: &mut [f32; 256]) {
    let (scales, minima) = factors::<BIG>(part::<0, _, _>(block));
    let high = load32(part::<16, _, _>(block));
    let (rooms, _) = numbers.as_chunks_mut::<32>();
    let minima = minima.split_at(8).1;
    let mut bit = _mm256_set1_epi8(1);
    for (((values, room), scale), least) in fours(part::<48, _, _>(block))
        .into_iter()
        .zip(rooms)
        .zip(scales)
        .zip(minima)
    {
        let values = _mm256_or_si256(values, where_set(high, bit, 16));
        bit = _mm256_add_epi8(bit, bit);
        scaled_minus(
            values,
            [_mm256_set1_ps(scale); 2],
            [_mm256_set1_ps(*least); 2],
            room,
        );
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q6_k<const BIG: bool>(block: &[u8; 210], numbers: &mut [f32; 256]) {
    let scale = half::<BIG>(*part::<208, _, _>(block));
    let scales = products(scale, load16(part::<192, _, _>(block)));
    // Of each half of the block: two groups of lower bits, then the upper ones of the same bytes.
    let [a, c, b, d, e, g, f, h] = fours(part::<0, _, _>(block));
    let low = [a, b, c, d, e, f, g, h];
    let (rooms, _) = numbers.as_chunks_mut::<32>();
    for (at, ((two, low), room)) in twos(part::<128, _, _>(block))
        .into_iter()
        .zip(low)
        .zip(rooms)
        .enumerate()
    {
        let six = _mm256_or_si256(low, _mm256_slli_epi16::<4>(two));
        scaled(
            _mm256_sub_epi8(six, _mm256_set1_epi8(32)),
            pair(&scales, at),
            room,
        );
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q8_k<const BIG: bool>(block: &[u8; 292], numbers: &mut [f32; 256]) {
    let scale = _mm256_set1_ps(single::<BIG>(*part::<0, _, _>(block)));
    let (groups, _) = part::<4, 256, _>(block).as_chunks::<32>();
    let (rooms, _) = numbers.as_chunks_mut::<32>();
    for (bytes, room) in groups.iter().zip(rooms) {
        scaled(load32(bytes), [scale; 2], room);
    }
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn iq4_xs<const BIG: bool>(block: &[u8; 136], numbers: &mut [f32; 256]) {
    let scales = scales_of_iq4(word::<BIG>(*part::<2, _, _>(block)), part::<4, _, _>(block));
    let eight = _mm_cvtsi64_si128(i64::from_le_bytes(scales));
    let scales = products(half::<BIG>(*part::<0, _, _>(block)), eight);
    let (groups, _) = part::<8, 128, _>(block).as_chunks::<16>();
    let (rooms, _) = numbers.as_chunks_mut::<32>();
    for ((bytes, room), scale) in groups.iter().zip(rooms).zip(scales) {
        scaled(
            look_up(&NON_LINEAR, nibbles(bytes)),
            [_mm256_set1_ps(scale); 2],
            room,
        );
    }
}
