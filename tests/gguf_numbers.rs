//! The numbers of tensors are those of gguf-py.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use modelkeep::gguf::{Endian, Index, Limits, TensorType, Writer};
use sha2::{Digest, Sha256};

/// What `gguf.dequantize` of gguf-py 0.19.0 makes of 64 rows of 256 numbers, whose bytes are those of
/// [`bytes`]: the SHA-256 of the numbers, with 0 for each NaN, of which IEEE 754 leaves the bits open.
const OF_GGUF_PY: &[(TensorType, &str)] = &[
    (
        TensorType::F32,
        "45008e090bbcbaea1f5e72211f0656c08fd40fd526947d9dc51363f1ac10b30e",
    ),
    (
        TensorType::F16,
        "47514d08e77783d3245d02c7d1d3c6a2ef70771b63b2416f8ec5821a64f82e1d",
    ),
    (
        TensorType::Q4_0,
        "d4f863b2a6aac4b187deb5606bae27dcc2bf448773d0678162d15cd768f48f49",
    ),
    (
        TensorType::Q4_1,
        "5ea24ecf036af1c0155c9992238a00e711c913c2c08a07b106940ee1f85384b2",
    ),
    (
        TensorType::Q5_0,
        "424e6a3bd00c46f3fcbc385107bea7e298e4c4fcaba866609ca63355fc305fa3",
    ),
    (
        TensorType::Q5_1,
        "2ce470d4b54fdf96e51d0a24a89edc8004ac78aa44a4ace4642a009d17b2835d",
    ),
    (
        TensorType::Q8_0,
        "364bcfd0e90800e3cc2776113d033616661156c396d9c46f321deb48e667ec18",
    ),
    (
        TensorType::Q2_K,
        "7d46b3c39645e3cb4666f4ac80019f690b089b03cbf6e335df8302a50a6a74ed",
    ),
    (
        TensorType::Q3_K,
        "87c2be78cd9242cbbd4425210f357c16e2f21fbf2c307edf165c137254cfcc8c",
    ),
    (
        TensorType::Q4_K,
        "98a57cf4fbfbd58425bafcea76e3f05baff6cf3963e342139a2845773089262b",
    ),
    (
        TensorType::Q5_K,
        "0e050e563ee541e64fac28e88dd61d873d6d9be6d930c17933e240cadcdef402",
    ),
    (
        TensorType::Q6_K,
        "017dca4b75c83fe135daf960d6752059d7352d995b1c90e7c22e1eee0a4335af",
    ),
    (
        TensorType::IQ4_NL,
        "398c3cf6143a8e53e6c8139061dec1928960555864bfad7d59fe3d928163272e",
    ),
    (
        TensorType::IQ4_XS,
        "1805ec98cf0b985167084629e4c48ff318147a9f876edcfe34d549e0b564d6d8",
    ),
    (
        TensorType::BF16,
        "4143405105b7aaeb8c170fe3758715bb98c5509196cb180fa78cf03e5b3dc080",
    ),
    (
        TensorType::MXFP4,
        "356312b8c7620d6708b90994fd57bc8964a43fcfd6744086b63f6225617c75cf",
    ),
];

/// Returns bytes without a pattern, the same in every run: the upper ones of a linear congruence.
fn bytes(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}

/// Returns a file with a tensor of these bytes.
fn file(kind: TensorType, endian: Endian, data: Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new();
    writer.endian(endian).tensor("w", &[256, 64], kind, data);
    writer.write_to(&mut bytes).unwrap();
    bytes
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    let index = Index::parse(bytes, bytes.len() as u64, &Limits::strict()).unwrap();
    let gguf = index.view(bytes);
    gguf.dequantize(&gguf.tensor(0).unwrap(), 0..64).unwrap()
}

fn hash(numbers: &[f32]) -> String {
    let mut hash = Sha256::new();
    for number in numbers {
        let number = if number.is_nan() { 0.0 } else { *number };
        hash.update(number.to_le_bytes());
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn size(kind: TensorType) -> usize {
    let blocks = 64 * 256 / kind.block_elements().unwrap();
    usize::try_from(blocks * kind.block_bytes().unwrap()).unwrap()
}

#[test]
fn numbers_are_those_of_gguf_py_bit_for_bit() {
    for (kind, expected) in OF_GGUF_PY {
        let found = numbers(&file(*kind, Endian::Little, bytes(size(*kind))));
        assert_eq!(hash(&found), *expected, "{kind}");
    }
}

/// Where a block has fields of several bytes: their place and their size.
fn fields(kind: TensorType) -> &'static [(usize, usize)] {
    match kind {
        TensorType::F32 => &[(0, 4)],
        TensorType::F16 | TensorType::BF16 | TensorType::Q4_0 | TensorType::Q8_0 => &[(0, 2)],
        TensorType::Q4_1 | TensorType::Q4_K | TensorType::Q5_K | TensorType::IQ4_XS => {
            &[(0, 2), (2, 2)]
        }
        TensorType::Q5_0 => &[(0, 2), (2, 4)],
        TensorType::Q5_1 => &[(0, 2), (2, 2), (4, 4)],
        TensorType::Q2_K => &[(80, 2), (82, 2)],
        TensorType::Q3_K => &[(108, 2)],
        TensorType::Q6_K => &[(208, 2)],
        TensorType::IQ4_NL => &[(0, 2)],
        TensorType::MXFP4 => &[],
        other => panic!("{other} has no fields here"),
    }
}

#[test]
fn a_big_endian_file_has_the_same_numbers() {
    for (kind, expected) in OF_GGUF_PY {
        let mut data = bytes(size(*kind));
        let block = usize::try_from(kind.block_bytes().unwrap()).unwrap();
        for block in data.chunks_exact_mut(block) {
            for (at, len) in fields(*kind) {
                block[*at..at + len].reverse();
            }
        }
        let found = numbers(&file(*kind, Endian::Big, data));
        assert_eq!(hash(&found), *expected, "{kind}");
    }
}
