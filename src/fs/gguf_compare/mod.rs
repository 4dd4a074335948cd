//! GGUF files compared: the hashes of their tensors, and what two files differ in.

mod diff;
mod hash;
mod streams;
mod work;

pub use diff::{GgufDiff, KeyDiff, TensorDiff, TensorShape};
pub use hash::{GgufHash, GgufHashOptions, TensorHash};
