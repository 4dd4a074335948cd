//! Blocks of 32 numbers: a scale, and bits for each number.
// ggml-common.h, the structs block_*; the order of the operations is that of the reference
// functions dequantize_row_*, so that every rounding is theirs.

use super::float::{half, signed};

/// What a scale is multiplied with, for each value of four bits.
// ggml-common.h, kvalues_iq4nl
pub(super) const NON_LINEAR: [f32; 16] = [
    -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0,
    89.0, 113.0,
];

/// Twice the numbers of four bits with two of exponent and one of mantissa.
// ggml-common.h, kvalues_mxfp4
const E2M1: [f32; 16] = [
    0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 0.0, -1.0, -2.0, -3.0, -4.0, -6.0, -8.0, -12.0,
];

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
fn high_bits<const BIG: bool>(bytes: [u8; 4]) -> u32 {
    match BIG {
        true => u32::from_be_bytes(bytes),
        false => u32::from_le_bytes(bytes),
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
    let high = high_bits::<BIG>([*h0, *h1, *h2, *h3]);
    fives(high, bytes, numbers, |five| {
        scale * signed(five.wrapping_sub(16))
    });
}

#[inline(always)]
pub(super) fn q5_1<const BIG: bool>(block: &[u8; 24], numbers: &mut [f32; 32]) {
    let [d0, d1, m0, m1, h0, h1, h2, h3, bytes @ ..] = block;
    let (scale, least) = (half::<BIG>([*d0, *d1]), half::<BIG>([*m0, *m1]));
    let high = high_bits::<BIG>([*h0, *h1, *h2, *h3]);
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
pub(super) fn of_table(table: &[f32; 16], four: u8) -> f32 {
    // Four bits are below sixteen.
    table.get(usize::from(four & 15)).copied().unwrap_or(0.0)
}

/// Returns half of the power of two that an exponent stands for: the table has twice the numbers.
// ggml-impl.h, ggml_e8m0_to_fp32_half
#[inline(always)]
fn half_of_exponent(exponent: u8) -> f32 {
    let bits = match exponent {
        0 => 0x0020_0000,
        1 => 0x0040_0000,
        exponent => u32::from(exponent - 1) << 23,
    };
    f32::from_bits(bits)
}
