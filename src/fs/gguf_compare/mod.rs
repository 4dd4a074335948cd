//! GGUF files compared: the hashes of their tensors, what two files differ in, and what several share.

mod diff;
mod hash;
mod shared;
mod streams;
mod types;
mod work;

pub use diff::{GgufDiff, KeyDiff, TensorDiff, TensorShape};
pub use hash::{GgufHash, GgufHashOptions, TensorHash};
pub(crate) use shared::shared;
pub use shared::{SharedSet, SharedTensor};
pub use types::{TypeDiff, WeightSize};

/// Hashes the tensors of what may be a GGUF file, and compares it with itself, for tests of hostile
/// files. Does not panic, whatever the bytes are.
#[cfg(feature = "internal")]
pub fn fuzz_compare(bytes: &[u8]) {
    use crate::fs::gguf_file::{GgufFile, GgufOptions};
    use crate::gguf::{Data, Limits};
    let limits = Limits::lenient().data(Data::Optional);
    let options = GgufOptions::new().limits(limits);
    if let Ok(file) = GgufFile::from_bytes(bytes.to_vec(), &options) {
        let hash = file.hash(&GgufHashOptions::new().threads(1));
        let diff = file.diff(&file);
        // What can be hashed has all of its data; a tensor of an unknown type has none.
        assert!(hash.is_err() || diff.is_ok());
        let _ = (
            hash.map(|hash| hash.to_json()),
            diff.map(|diff| diff.to_json()),
        );
    }
    let mut stream = bytes;
    let _ = GgufFile::from_reader(&mut stream, &options);
}
