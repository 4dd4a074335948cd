//! Blocks of 32 numbers: a scale, and bits for each number.
// ggml-common.h, the structs block_*; the order of the operations is that of the reference
// functions dequantize_row_*, so that every rounding is theirs.

use super::float::{double_word, half, signed};

/// What a scale is multiplied with, for each value of four bits.
// ggml-common.h, kvalues_iq4nl
pub(super) const NON_LINEAR: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

/// Twice the numbers of four bits with two of exponent and one of mantissa.
// ggml-common.h, kvalues_mxfp4
pub(super) const E2M1: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// Gives the lower four bits of each byte to the first half of the numbers, and the upper to the
/// second.
#[inline(always)]
pub(super) fn nibbles(bytes: &[u8], numbers: &mut [f32], number: impl Fn(u8) -> f32) {
    let (first, second) = numbers.split_at_mut(bytes.len());
    for (byte, number_of) in bytes.iter().zip(first) {
        *number_of = number(byte & 15);
    }
    for (byte, number_of) in bytes.iter().zip(second) {
        *number_of = number(byte >> 4);
    }
}

/// As [`nibbles`], with a fifth bit for each number in `high`.
#[inline(always)]
fn fives(high: u32, bytes: &[u8; 16], numbers: &mut [f32; 32], number: impl Fn(u8) -> f32) {
    let [h0, h1, h2, h3] = high.to_le_bytes();
    let (low, upper) = numbers.split_at_mut(16);
    let mut fifth = [0_u8; 16];
    spread([h0, h1], &mut fifth);
    for ((byte, bit), number_of) in bytes.iter().zip(fifth).zip(low) {
        *number_of = number(byte & 15 | bit);
    }
    spread([h2, h3], &mut fifth);
    for ((byte, bit), number_of) in bytes.iter().zip(fifth).zip(upper) {
        *number_of = number(byte >> 4 | bit);
    }
}

/// Gives each of sixteen bits a byte, as the fifth bit of it.
#[inline(always)]
fn spread(bits: [u8; 2], bytes: &mut [u8; 16]) {
    let (halves, _) = bytes.as_chunks_mut::<8>();
    for (half, bits) in halves.iter_mut().zip(bits) {
        // Each byte keeps one bit of its own; what is not zero then reaches the highest one.
        let own = (u64::from(bits) * 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
        let set = own.wrapping_add(0x7f7f_7f7f_7f7f_7f7f) & 0x8080_8080_8080_8080;
        *half = (set >> 3).to_le_bytes();
    }
}

#[inline(always)]
pub(super) fn q4_0<const BIG: bool>(block: &[u8; 18], numbers: &mut [f32; 32]) {
    let [d0, d1, bytes @ ..] = block;
    let scale = half::<BIG>([*d0, *d1]);
    nibbles(bytes, numbers, |four| scale * signed(four.wrapping_sub(8)));
}

#[inline(always)]
pub(super) fn q4_1<const BIG: bool>(block: &[u8; 20], numbers: &mut [f32; 32]) {
    let [d0, d1, m0, m1, bytes @ ..] = block;
    let (scale, least) = (half::<BIG>([*d0, *d1]), half::<BIG>([*m0, *m1]));
    nibbles(bytes, numbers, |four| scale * f32::from(four) + least);
}

#[inline(always)]
pub(super) fn q5_0<const BIG: bool>(block: &[u8; 22], numbers: &mut [f32; 32]) {
    let [d0, d1, h0, h1, h2, h3, bytes @ ..] = block;
    let scale = half::<BIG>([*d0, *d1]);
    let high = double_word::<BIG>([*h0, *h1, *h2, *h3]);
    fives(high, bytes, numbers, |five| {
        scale * signed(five.wrapping_sub(16))
    });
}

#[inline(always)]
pub(super) fn q5_1<const BIG: bool>(block: &[u8; 24], numbers: &mut [f32; 32]) {
    let [d0, d1, m0, m1, h0, h1, h2, h3, bytes @ ..] = block;
    let (scale, least) = (half::<BIG>([*d0, *d1]), half::<BIG>([*m0, *m1]));
    let high = double_word::<BIG>([*h0, *h1, *h2, *h3]);
    fives(high, bytes, numbers, |five| scale * f32::from(five) + least);
}

#[inline(always)]
pub(super) fn q8_0<const BIG: bool>(block: &[u8; 34], numbers: &mut [f32; 32]) {
    let [d0, d1, bytes @ ..] = block;
    let scale = half::<BIG>([*d0, *d1]);
    for (byte, number) in bytes.iter().zip(numbers) {
        *number = signed(*byte) * scale;
    }
}

#[inline(always)]
pub(super) fn iq4_nl<const BIG: bool>(block: &[u8; 18], numbers: &mut [f32; 32]) {
    let [d0, d1, bytes @ ..] = block;
    let scale = half::<BIG>([*d0, *d1]);
    nibbles(bytes, numbers, |four| scale * of_table(&NON_LINEAR, four));
}

#[inline(always)]
pub(super) fn mxfp4(block: &[u8; 17], numbers: &mut [f32; 32]) {
    let [exponent, bytes @ ..] = block;
    let scale = half_of_exponent(*exponent);
    nibbles(bytes, numbers, |four| scale * of_table(&E2M1, four));
}

#[inline(always)]
pub(super) fn of_table(table: &[i8; 16], four: u8) -> f32 {
    // Four bits are below sixteen.
    f32::from(table.get(usize::from(four & 15)).copied().unwrap_or(0))
}

/// Returns half of the power of two that an exponent stands for: the table has twice the numbers.
// ggml-impl.h, ggml_e8m0_to_fp32_half
#[inline(always)]
pub(super) fn half_of_exponent(exponent: u8) -> f32 {
    let bits = match exponent {
        0 => 0x0020_0000,
        1 => 0x0040_0000,
        exponent => u32::from(exponent - 1) << 23,
    };
    f32::from_bits(bits)
}
