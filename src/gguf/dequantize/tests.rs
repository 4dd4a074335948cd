// The bytes are of the test's own making.
#![allow(clippy::indexing_slicing)]

use super::*;
use crate::gguf::{Index, Limits, Writer};

/// Returns a file with one tensor of some rows, and bytes that follow a pattern.
fn file(kind: TensorType, row: u64, rows: u64, endian: Endian) -> Vec<u8> {
    let blocks = row * rows / kind.block_elements().unwrap();
    let len = usize::try_from(blocks * kind.block_bytes().unwrap()).unwrap();
    let data = (0..len).map(|at| (at * 37 % 120) as u8).collect();
    let mut bytes = Vec::new();
    let mut writer = Writer::new();
    writer.endian(endian).tensor("w", &[row, rows], kind, data);
    writer.write_to(&mut bytes).unwrap();
    bytes
}

fn numbers(bytes: &[u8], rows: Range<u64>) -> Result<Vec<f32>> {
    let index = Index::parse(bytes, bytes.len() as u64, &Limits::strict()).unwrap();
    let gguf = index.view(bytes);
    gguf.dequantize(&gguf.tensor(0).unwrap(), rows)
}

#[test]
fn rows_are_those_of_the_whole() {
    for kind in TensorType::all().filter(|kind| kind.is_dequantizable()) {
        for endian in [Endian::Little, Endian::Big] {
            let bytes = file(kind, 256, 5, endian);
            let whole = numbers(&bytes, 0..5).unwrap();
            assert_eq!(whole.len(), 5 * 256, "{kind}");
            assert!(whole.iter().any(|number| *number != 0.0), "{kind}");
            let bits = |numbers: &[f32]| numbers.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
            let some = numbers(&bytes, 1..3).unwrap();
            assert_eq!(bits(&some), bits(&whole[256..3 * 256]), "{kind}");
            assert_eq!(numbers(&bytes, 5..5).unwrap(), [0.0; 0]);
        }
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let bytes = file(TensorType::Q8_0, 32, 2, Endian::Little);
    let kind = |rows| numbers(&bytes, rows).unwrap_err().kind();
    assert_eq!(kind(1..3), ErrorKind::InvalidArgument);
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let backwards = 2..1;
    assert_eq!(kind(backwards), ErrorKind::InvalidArgument);
    let whole = file(TensorType::I32, 32, 2, Endian::Little);
    assert_eq!(
        numbers(&whole, 0..1).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    let index = Index::parse(&bytes, bytes.len() as u64, &Limits::strict()).unwrap();
    let header = index.view(&bytes[..bytes.len() - 100]);
    let tensor = header.tensor(0).unwrap();
    let refused = header.dequantize(&tensor, 0..1).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    let gguf = index.view(&bytes);
    let refused = gguf.dequantize_into(&tensor, 0..1, &mut [0.0; 31]);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn halves_are_those_of_ieee_754() {
    for (bits, number) in [
        (0x0000_u16, 0.0_f32),
        (0x8000, -0.0),
        (0x0001, 5.960_464_5e-8),
        (0x03ff, 6.097_555e-5),
        (0x0400, 6.103_515_6e-5),
        (0x3c00, 1.0),
        (0xc000, -2.0),
        (0x7bff, 65504.0),
        (0x7c00, f32::INFINITY),
        (0xfc00, f32::NEG_INFINITY),
    ] {
        let found = float::half::<false>(bits.to_le_bytes());
        assert_eq!(found.to_bits(), number.to_bits(), "{bits:#06x}");
    }
    assert!(float::half::<true>(0x7e00_u16.to_be_bytes()).is_nan());
}

#[test]
#[cfg(target_arch = "x86_64")]
fn kernels_give_the_bits_that_any_processor_gives() {
    let Some(kernels) = avx2::Kernels::detect() else {
        return;
    };
    // Without a pattern, so that scales are of every kind: NaN, endless and subnormal ones, too.
    let mut state = 1_u64;
    let mut byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    };
    for kind in TensorType::all().filter(|kind| kind.is_dequantizable()) {
        let elements = usize::try_from(kind.block_elements().unwrap()).unwrap();
        // Not by eight, where a block is a number.
        let blocks = (1 << 16) / elements + 3;
        let size = blocks * usize::try_from(kind.block_bytes().unwrap()).unwrap();
        let bytes: Vec<u8> = (0..size).map(|_| byte()).collect();
        for endian in [Endian::Little, Endian::Big] {
            let (mut found, mut expected) = (
                vec![0.5_f32; blocks * elements],
                vec![0.25_f32; blocks * elements],
            );
            kernels.decode(kind, endian, &bytes, &mut found);
            decode_anywhere(kind, endian, &bytes, &mut expected);
            // A sum of two NaN may have the bits of either.
            let sums = matches!(kind, TensorType::Q4_1 | TensorType::Q5_1);
            for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let same = found.to_bits() == expected.to_bits()
                    || sums && found.is_nan() && expected.is_nan();
                assert!(
                    same,
                    "{kind} {endian:?} at {at}: {found:?} for {expected:?}"
                );
            }
        }
    }
}
