//! The blocks of [`block32`](super::super::block32), each in a few registers.

use std::arch::x86_64::*;

use super::lanes::*;
use crate::gguf::dequantize::block32::{E2M1, NON_LINEAR, half_of_exponent};
use crate::gguf::dequantize::float::double_word;
use crate::gguf::dequantize::part;

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q4_0<const BIG: bool>(block: &[u8; 18], numbers: &mut [f32; 32]) {
    let scale = half::<BIG>(*part::<0, _, _>(block));
    let values = _mm256_sub_epi8(nibbles(part::<2, _, _>(block)), _mm256_set1_epi8(8));
    scaled(values, [scale; 2], numbers);
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q4_1<const BIG: bool>(block: &[u8; 20], numbers: &mut [f32; 32]) {
    let (scale, least) = (
        half::<BIG>(*part::<0, _, _>(block)),
        half::<BIG>(*part::<2, _, _>(block)),
    );
    scaled_plus(nibbles(part::<4, _, _>(block)), scale, least, numbers);
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q5_0<const BIG: bool>(block: &[u8; 22], numbers: &mut [f32; 32]) {
    let scale = half::<BIG>(*part::<0, _, _>(block));
    let high = spread(double_word::<BIG>(*part::<2, _, _>(block)), 16);
    let fives = _mm256_or_si256(nibbles(part::<6, _, _>(block)), high);
    scaled(
        _mm256_sub_epi8(fives, _mm256_set1_epi8(16)),
        [scale; 2],
        numbers,
    );
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q5_1<const BIG: bool>(block: &[u8; 24], numbers: &mut [f32; 32]) {
    let (scale, least) = (
        half::<BIG>(*part::<0, _, _>(block)),
        half::<BIG>(*part::<2, _, _>(block)),
    );
    let high = spread(double_word::<BIG>(*part::<4, _, _>(block)), 16);
    let fives = _mm256_or_si256(nibbles(part::<8, _, _>(block)), high);
    scaled_plus(fives, scale, least, numbers);
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn q8_0<const BIG: bool>(block: &[u8; 34], numbers: &mut [f32; 32]) {
    let scale = half::<BIG>(*part::<0, _, _>(block));
    scaled(load32(part::<2, _, _>(block)), [scale; 2], numbers);
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn iq4_nl<const BIG: bool>(block: &[u8; 18], numbers: &mut [f32; 32]) {
    let scale = half::<BIG>(*part::<0, _, _>(block));
    scaled(
        look_up(&NON_LINEAR, nibbles(part::<2, _, _>(block))),
        [scale; 2],
        numbers,
    );
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn mxfp4(block: &[u8; 17], numbers: &mut [f32; 32]) {
    let [exponent, bytes @ ..] = block;
    let scale = _mm256_set1_ps(half_of_exponent(*exponent));
    scaled(look_up(&E2M1, nibbles(bytes)), [scale; 2], numbers);
}
