//! The same numbers on processors with AVX2: bit for bit, several times as fast.
//!
//! A compiler does not find these instructions by itself: it takes a loop over blocks for one over
//! their single bytes, which are far from each other.

mod block256;
mod block32;
mod lanes;

use super::{Endian, TensorType, blocks, each, float};

/// Proof that the processor has AVX2 and converts floats of 16 bits.
#[derive(Clone, Copy)]
pub(super) struct Kernels(());

impl Kernels {
    pub(super) fn detect() -> Option<Self> {
        let found = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("f16c");
        found.then_some(Kernels(()))
    }

    #[expect(
        unsafe_code,
        reason = "what is compiled for AVX2 is called where that was found"
    )]
    pub(super) fn decode(
        self,
        tensor_type: TensorType,
        endian: Endian,
        from: &[u8],
        to: &mut [f32],
    ) {
        // SAFETY: a `Kernels` is made only where the processor has AVX2 and F16C.
        unsafe {
            match endian {
                Endian::Little => decode::<false>(tensor_type, from, to),
                Endian::Big => decode::<true>(tensor_type, from, to),
            }
        }
    }
}

/// Decodes a type as [`decode_anywhere`](super::decode_anywhere), which has those that gain nothing here.
#[target_feature(enable = "avx2,f16c")]
fn decode<const BIG: bool>(tensor_type: TensorType, from: &[u8], to: &mut [f32]) {
    // A function for AVX2 is none to pass on; a closure in one is.
    macro_rules! by {
        ($kernel:expr) => {
            blocks(from, to, |block, numbers| $kernel(block, numbers))
        };
    }
    match tensor_type {
        TensorType::F16 => halves::<BIG>(from, to),
        TensorType::BF16 => each(from, to, float::brain::<BIG>),
        TensorType::Q4_0 => by!(block32::q4_0::<BIG>),
        TensorType::Q4_1 => by!(block32::q4_1::<BIG>),
        TensorType::Q5_0 => by!(block32::q5_0::<BIG>),
        TensorType::Q5_1 => by!(block32::q5_1::<BIG>),
        TensorType::Q8_0 => by!(block32::q8_0::<BIG>),
        TensorType::IQ4_NL => by!(block32::iq4_nl::<BIG>),
        TensorType::MXFP4 => by!(block32::mxfp4),
        TensorType::Q2_K => by!(block256::q2_k::<BIG>),
        TensorType::Q3_K => by!(block256::q3_k::<BIG>),
        TensorType::Q4_K => by!(block256::q4_k::<BIG>),
        TensorType::Q5_K => by!(block256::q5_k::<BIG>),
        TensorType::Q6_K => by!(block256::q6_k::<BIG>),
        TensorType::Q8_K => by!(block256::q8_k::<BIG>),
        TensorType::IQ4_XS => by!(block256::iq4_xs::<BIG>),
        _ => super::decode_in::<BIG>(tensor_type, from, to),
    }
}

/// Reads floats of 16 bits, eight at a time.
#[target_feature(enable = "avx2,f16c")]
fn halves<const BIG: bool>(from: &[u8], to: &mut [f32]) {
    let (eights, rest) = from.as_chunks::<16>();
    let (rooms, room) = to.as_chunks_mut::<8>();
    for (eight, room) in eights.iter().zip(rooms) {
        if !lanes::halves::<BIG>(eight, room) {
            // The processor makes NaN quiet.
            each(eight, room, float::half::<BIG>);
        }
    }
    each(rest, room, float::half::<BIG>);
}
