//! Blocks of 256 numbers: a scale of scales, and groups of 16 or 32 with a scale of their own.
// ggml-common.h, the structs block_*_K; the order of the operations is that of the reference
// functions dequantize_row_*, so that every rounding is theirs.

use super::block32::{NON_LINEAR, nibbles, of_table};
use super::float::{half, signed, single, word};
use super::part;

#[inline(always)]
pub(super) fn q2_k<const BIG: bool>(block: &[u8; 84], numbers: &mut [f32; 256]) {
    let scales: &[u8; 16] = part::<0, _, _>(block);
    let bytes: &[u8; 64] = part::<16, _, _>(block);
    let scale = half::<BIG>(*part::<80, _, _>(block));
    let least = half::<BIG>(*part::<82, _, _>(block));
    twos(bytes, numbers, |at, twos, numbers| {
        let [first, second] = pair(scales, at);
        let (these, those) = numbers.split_at_mut(16);
        let (low, high) = twos.split_at(16);
        for (packed, twos, numbers) in [(first, low, these), (second, high, those)] {
            let (scale, least) = (
                scale * f32::from(packed & 15),
                least * f32::from(packed >> 4),
            );
            for (two, number) in twos.iter().zip(numbers) {
                *number = scale * f32::from(*two) - least;
            }
        }
    });
}

/// Returns the two scales of a group of 32 numbers, which has one for each half.
#[inline(always)]
fn pair<T: Copy + Default>(scales: &[T; 16], group: usize) -> [T; 2] {
    let (pairs, _) = scales.as_chunks::<2>();
    pairs.get(group).copied().unwrap_or_default()
}

/// Gives each group of 32 numbers its values of two bits: of 32 bytes the lowest two, the next two,
/// and so on.
#[inline(always)]
fn twos(
    bytes: &[u8; 64],
    numbers: &mut [f32; 256],
    mut group: impl FnMut(usize, &[u8; 32], &mut [f32; 32]),
) {
    let (halves, _) = bytes.as_chunks::<32>();
    let (groups, _) = numbers.as_chunks_mut::<32>();
    for (at, numbers) in groups.iter_mut().enumerate() {
        if let Some(bytes) = halves.get(at / 4) {
            let shift = at % 4 * 2;
            group(at, &bytes.map(|byte| byte >> shift & 3), numbers);
        }
    }
}

#[inline(always)]
pub(super) fn q3_k<const BIG: bool>(block: &[u8; 110], numbers: &mut [f32; 256]) {
    let mask: &[u8; 32] = part::<0, _, _>(block);
    let bytes: &[u8; 64] = part::<32, _, _>(block);
    let scale = half::<BIG>(*part::<108, _, _>(block));
    let scales = scales_of_q3(part::<96, _, _>(block)).map(|its| scale * signed(its));
    twos(bytes, numbers, |at, twos, numbers| {
        let mut values = [0_u8; 32];
        for ((value, two), mask) in values.iter_mut().zip(twos).zip(mask) {
            // The bit says that nothing is taken away.
            *value = two.wrapping_sub((!mask >> at & 1) << 2);
        }
        scaled(pair(&scales, at), &values, numbers);
    });
}

/// Multiplies signed values with a scale for each half.
#[inline(always)]
fn scaled(scales: [f32; 2], values: &[u8; 32], numbers: &mut [f32; 32]) {
    let (halves, _) = values.as_chunks::<16>();
    let (rooms, _) = numbers.as_chunks_mut::<16>();
    for ((scale, values), numbers) in scales.iter().zip(halves).zip(rooms) {
        for (value, number) in values.iter().zip(numbers) {
            *number = scale * signed(*value);
        }
    }
}

/// Returns the sixteen scales of six bits that are packed in twelve bytes: four bits of each in the
/// first eight, two in the last four. They are signed.
#[inline(always)]
pub(super) fn scales_of_q3(packed: &[u8; 12]) -> [u8; 16] {
    let low = u64::from_le_bytes(*part::<0, _, _>(packed));
    let high = u32::from_le_bytes(*part::<8, _, _>(packed));
    let fours = |shift: u32| u128::from(low >> shift & 0x0f0f_0f0f_0f0f_0f0f);
    let twos = |at: u32| u128::from(high >> (2 * at) & 0x0303_0303) << (32 * at);
    let fours = fours(0) | fours(4) << 64;
    let twos = twos(0) | twos(1) | twos(2) | twos(3);
    (fours | twos << 4)
        .to_le_bytes()
        .map(|six| six.wrapping_sub(32))
}

/// Returns the eight scales and the eight minima of six bits that are packed in twelve bytes.
#[inline(always)]
pub(super) fn scales_and_minima(packed: &[u8; 12]) -> ([u8; 8], [u8; 8]) {
    let scales = u32::from_le_bytes(*part::<0, _, _>(packed));
    let minima = u32::from_le_bytes(*part::<4, _, _>(packed));
    let fours = u32::from_le_bytes(*part::<8, _, _>(packed));
    // Six bits of the first four; of the others four bits, and two above the six.
    let both = |first: u32, fours: u32| {
        let second = fours & 0x0f0f_0f0f | first >> 2 & 0x3030_3030;
        (u64::from(second) << 32 | u64::from(first & 0x3f3f_3f3f)).to_le_bytes()
    };
    (both(scales, fours), both(minima, fours >> 4))
}

#[inline(always)]
pub(super) fn q4_k<const BIG: bool>(block: &[u8; 144], numbers: &mut [f32; 256]) {
    let factors = Factors::of::<BIG>(part::<0, _, _>(block));
    let bytes: &[u8; 128] = part::<16, _, _>(block);
    fours(bytes, numbers, |at, fours, numbers| {
        let (scale, least) = factors.of_group(at);
        for (four, number) in fours.iter().zip(numbers) {
            *number = scale * f32::from(*four) - least;
        }
    });
}

#[inline(always)]
pub(super) fn q5_k<const BIG: bool>(block: &[u8; 176], numbers: &mut [f32; 256]) {
    let factors = Factors::of::<BIG>(part::<0, _, _>(block));
    let high: &[u8; 32] = part::<16, _, _>(block);
    let bytes: &[u8; 128] = part::<48, _, _>(block);
    fours(bytes, numbers, |at, fours, numbers| {
        let (scale, least) = factors.of_group(at);
        for ((four, high), number) in fours.iter().zip(high).zip(numbers) {
            let five = four | (high >> at & 1) << 4;
            *number = scale * f32::from(five) - least;
        }
    });
}

/// The scales and the minima of eight groups.
struct Factors([(f32, f32); 8]);

impl Factors {
    #[inline(always)]
    fn of<const BIG: bool>(head: &[u8; 16]) -> Self {
        let [d0, d1, m0, m1, packed @ ..] = head;
        let (scale, least) = (half::<BIG>([*d0, *d1]), half::<BIG>([*m0, *m1]));
        let (scales, minima) = scales_and_minima(packed);
        let mut factors = [(0.0, 0.0); 8];
        for ((factor, its), lowest) in factors.iter_mut().zip(scales).zip(minima) {
            *factor = (scale * f32::from(its), least * f32::from(lowest));
        }
        Factors(factors)
    }

    #[inline(always)]
    fn of_group(&self, at: usize) -> (f32, f32) {
        self.0.get(at).copied().unwrap_or_default()
    }
}

/// Gives each group of 32 numbers its values of four bits: of 32 bytes the lower ones, then the
/// upper.
#[inline(always)]
fn fours(
    bytes: &[u8; 128],
    numbers: &mut [f32; 256],
    mut group: impl FnMut(usize, &[u8; 32], &mut [f32; 32]),
) {
    let (quarters, _) = bytes.as_chunks::<32>();
    let (pairs, _) = numbers.as_chunks_mut::<64>();
    for (at, (bytes, numbers)) in quarters.iter().zip(pairs).enumerate() {
        if let ([first, second], _) = numbers.as_chunks_mut::<32>() {
            group(2 * at, &bytes.map(|byte| byte & 15), first);
            group(2 * at + 1, &bytes.map(|byte| byte >> 4), second);
        }
    }
}

#[inline(always)]
pub(super) fn q6_k<const BIG: bool>(block: &[u8; 210], numbers: &mut [f32; 256]) {
    let low: &[u8; 128] = part::<0, _, _>(block);
    let high: &[u8; 64] = part::<128, _, _>(block);
    let scales: &[u8; 16] = part::<192, _, _>(block);
    let scale = half::<BIG>(*part::<208, _, _>(block));
    let scales = scales.map(|its| scale * signed(its));
    let (low, _) = low.as_chunks::<32>();
    twos(high, numbers, |at, twos, numbers| {
        // Of each half of the block: two groups of lower bits, then the upper ones of the same bytes.
        let Some(low) = low.get(at / 4 * 2 + at % 2) else {
            return;
        };
        let shift = at / 2 % 2 * 4;
        let mut values = [0_u8; 32];
        for ((value, two), low) in values.iter_mut().zip(twos).zip(low) {
            let six = low >> shift & 15 | two << 4;
            *value = six.wrapping_sub(32);
        }
        scaled(pair(&scales, at), &values, numbers);
    });
}

#[inline(always)]
pub(super) fn q8_k<const BIG: bool>(block: &[u8; 292], numbers: &mut [f32; 256]) {
    let scale = single::<BIG>(*part::<0, _, _>(block));
    let bytes: &[u8; 256] = part::<4, _, _>(block);
    for (byte, number) in bytes.iter().zip(numbers) {
        *number = scale * signed(*byte);
    }
}

#[inline(always)]
pub(super) fn iq4_xs<const BIG: bool>(block: &[u8; 136], numbers: &mut [f32; 256]) {
    let scale = half::<BIG>(*part::<0, _, _>(block));
    let scales = scales_of_iq4(word::<BIG>(*part::<2, _, _>(block)), part::<4, _, _>(block));
    let bytes: &[u8; 128] = part::<8, _, _>(block);
    let (groups, _) = numbers.as_chunks_mut::<32>();
    let (bytes, _) = bytes.as_chunks::<16>();
    for ((bytes, numbers), its) in bytes.iter().zip(groups).zip(scales) {
        let scale = scale * signed(its);
        nibbles(bytes, numbers, |four| scale * of_table(&NON_LINEAR, four));
    }
}

/// Returns eight signed scales of six bits: four bits of each in `low`, two in `high`.
#[inline(always)]
pub(super) fn scales_of_iq4(high: u16, low: &[u8; 4]) -> [u8; 8] {
    let mut scales = [0; 8];
    for (at, scale) in scales.iter_mut().enumerate() {
        let four = low.get(at / 2).map_or(0, |byte| byte >> (at % 2 * 4) & 15);
        let [two, _] = (high >> (2 * at) & 3).to_le_bytes();
        *scale = (four | two << 4).wrapping_sub(32);
    }
    scales
}
