//! The same code for processors with wider registers: the compiler makes the best of it.
#![expect(
    unsafe_code,
    reason = "what is compiled for AVX2 is called where that was found"
)]

use crate::gguf::cursor::Endian;
use crate::gguf::tensor::TensorType;

/// Proof that the processor has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Wide(());

impl Wide {
    pub(super) fn detect() -> Option<Self> {
        std::arch::is_x86_feature_detected!("avx2").then_some(Wide(()))
    }

    pub(super) fn decode(
        self,
        tensor_type: TensorType,
        endian: Endian,
        from: &[u8],
        to: &mut [f32],
    ) {
        // SAFETY: a `Wide` is made only where the processor has AVX2.
        unsafe { avx2(tensor_type, endian, from, to) }
    }
}

#[target_feature(enable = "avx2")]
fn avx2(tensor_type: TensorType, endian: Endian, from: &[u8], to: &mut [f32]) {
    super::decode_any(tensor_type, endian, from, to);
}
