//! Floats of 16 and 32 bits.

/// Reads a float of 32 bits.
#[inline(always)]
pub(super) fn single<const BIG: bool>(bytes: [u8; 4]) -> f32 {
    match BIG {
        true => f32::from_be_bytes(bytes),
        false => f32::from_le_bytes(bytes),
    }
}

/// Reads the upper half of a float of 32 bits.
#[inline(always)]
pub(super) fn brain<const BIG: bool>(bytes: [u8; 2]) -> f32 {
    f32::from_bits(u32::from(word::<BIG>(bytes)) << 16)
}

/// Reads a float of 16 bits as IEEE 754 has it; a NaN keeps its bits.
#[inline(always)]
pub(super) fn half<const BIG: bool>(bytes: [u8; 2]) -> f32 {
    let bits = u32::from(word::<BIG>(bytes));
    let sign = (bits & 0x8000) << 16;
    let magnitude = (bits & 0x7fff) << 13;
    // The exponent is 112 too small, which a product with a power of two sets right, also for what
    // has no exponent: both sides are exact.
    let scaled = (f32::from_bits(magnitude) * TWO_POW_112).to_bits();
    let endless = magnitude | 0x7f80_0000;
    let magnitude = if magnitude >= 0x0f80_0000 {
        endless
    } else {
        scaled
    };
    f32::from_bits(sign | magnitude)
}

const TWO_POW_112: f32 = f32::from_bits((112 + 127) << 23);

/// Reads a word of 16 bits.
#[inline(always)]
pub(super) fn word<const BIG: bool>(bytes: [u8; 2]) -> u16 {
    match BIG {
        true => u16::from_be_bytes(bytes),
        false => u16::from_le_bytes(bytes),
    }
}

/// Returns a signed byte as a number.
#[inline(always)]
pub(super) fn signed(byte: u8) -> f32 {
    f32::from(byte.cast_signed())
}

/// Reads a word of 32 bits.
#[inline(always)]
pub(super) fn double_word<const BIG: bool>(bytes: [u8; 4]) -> u32 {
    match BIG {
        true => u32::from_be_bytes(bytes),
        false => u32::from_le_bytes(bytes),
    }
}
