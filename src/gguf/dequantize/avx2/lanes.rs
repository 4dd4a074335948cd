//! Registers of AVX2: 32 values of a byte each, and what makes numbers of them.
#![expect(unsafe_code, reason = "loads and stores take pointers")]

use std::arch::x86_64::*;

use crate::gguf::dequantize::float::word;

/// Loads sixteen bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load16(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: it reads sixteen bytes, aligned or not, which the reference is good for.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// Loads 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load32(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: it reads 32 bytes, aligned or not, which the reference is good for.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Stores eight numbers.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store(numbers: &mut [f32; 8], found: __m256) {
    // SAFETY: it writes eight floats, aligned or not, which the reference is good for.
    unsafe { _mm256_storeu_ps(numbers.as_mut_ptr(), found) }
}

/// Returns the lower four bits of each byte, then the upper four.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn nibbles(bytes: &[u8; 16]) -> __m256i {
    let bytes = load16(bytes);
    let both = _mm256_set_m128i(_mm_srli_epi16::<4>(bytes), bytes);
    _mm256_and_si256(both, _mm256_set1_epi8(15))
}

/// Returns `set` in each byte in which one of the bits of `mask` is set in `bytes`, else 0.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn where_set(bytes: __m256i, mask: __m256i, set: i8) -> __m256i {
    let clear = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, mask), _mm256_setzero_si256());
    _mm256_andnot_si256(clear, _mm256_set1_epi8(set))
}

/// Returns `set` for each of 32 bits that is set, else 0.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn spread(bits: u32, set: i8) -> __m256i {
    let each_byte_eight_times = _mm256_setr_epi64x(
        0,
        0x0101_0101_0101_0101,
        0x0202_0202_0202_0202,
        0x0303_0303_0303_0303,
    );
    let bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(bits.cast_signed()), each_byte_eight_times);
    let one_of_each = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
    where_set(bytes, one_of_each, set)
}

/// Returns the numbers of a table that four bits each stand for.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn look_up(table: &[i8; 16], fours: __m256i) -> __m256i {
    let table = load16(&table.map(i8::cast_unsigned));
    _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), fours)
}

/// Reads a float of 16 bits, in every lane. A NaN is quiet, as it is in every product.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn half<const BIG: bool>(bytes: [u8; 2]) -> __m256 {
    let bits = _mm_cvtsi32_si128(i32::from(word::<BIG>(bytes)));
    _mm256_broadcastss_ps(_mm_cvtph_ps(bits))
}

/// Reads eight floats of 16 bits; returns whether none is NaN.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) fn halves<const BIG: bool>(bytes: &[u8; 16], numbers: &mut [f32; 8]) -> bool {
    let bits = match BIG {
        true => _mm_shuffle_epi8(
            load16(bytes),
            load16(&[1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14]),
        ),
        false => load16(bytes),
    };
    let found = _mm256_cvtph_ps(bits);
    store(numbers, found);
    _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_UNORD_Q>(found, found)) == 0
}

/// Returns the products of a number and sixteen signed bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn products(scale: __m256, bytes: __m128i) -> [f32; 16] {
    let mut products = [0.0; 16];
    let ([first, second], _) = products.as_chunks_mut::<8>() else {
        return products;
    };
    store(first, _mm256_mul_ps(scale, lower(bytes)));
    store(second, _mm256_mul_ps(scale, upper(bytes)));
    products
}

#[inline]
#[target_feature(enable = "avx2")]
fn lower(bytes: __m128i) -> __m256 {
    _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes))
}

#[inline]
#[target_feature(enable = "avx2")]
fn upper(bytes: __m128i) -> __m256 {
    lower(_mm_unpackhi_epi64(bytes, bytes))
}

/// Returns 32 signed bytes as numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn numbers_of(values: __m256i) -> [__m256; 4] {
    let (first, second) = (
        _mm256_castsi256_si128(values),
        _mm256_extracti128_si256::<1>(values),
    );
    [lower(first), upper(first), lower(second), upper(second)]
}

/// Multiplies 32 signed bytes with a scale for each half.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn scaled(values: __m256i, [s0, s1]: [__m256; 2], numbers: &mut [f32; 32]) {
    let [a, b, c, d] = numbers_of(values);
    let ([w, x, y, z], _) = numbers.as_chunks_mut::<8>() else {
        return;
    };
    store(w, _mm256_mul_ps(s0, a));
    store(x, _mm256_mul_ps(s0, b));
    store(y, _mm256_mul_ps(s1, c));
    store(z, _mm256_mul_ps(s1, d));
}

/// As [`scaled`], and adds a number to each product.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn scaled_plus(values: __m256i, scale: __m256, more: __m256, numbers: &mut [f32; 32]) {
    let (rooms, _) = numbers.as_chunks_mut::<8>();
    for (value, room) in numbers_of(values).into_iter().zip(rooms) {
        store(room, _mm256_add_ps(_mm256_mul_ps(scale, value), more));
    }
}

/// As [`scaled`], and takes a number for each half from each product.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn scaled_minus(
    values: __m256i,
    [s0, s1]: [__m256; 2],
    [m0, m1]: [__m256; 2],
    numbers: &mut [f32; 32],
) {
    let [a, b, c, d] = numbers_of(values);
    let ([w, x, y, z], _) = numbers.as_chunks_mut::<8>() else {
        return;
    };
    store(w, _mm256_sub_ps(_mm256_mul_ps(s0, a), m0));
    store(x, _mm256_sub_ps(_mm256_mul_ps(s0, b), m0));
    store(y, _mm256_sub_ps(_mm256_mul_ps(s1, c), m1));
    store(z, _mm256_sub_ps(_mm256_mul_ps(s1, d), m1));
}
