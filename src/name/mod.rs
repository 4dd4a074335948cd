//! What models and blobs are called.

pub(crate) mod convert;
mod digest;
mod model_name;
mod reference;

pub(crate) use digest::MalformedDigest;
pub use digest::{Digest, Hasher};
pub use model_name::ModelName;
pub(crate) use model_name::{DEFAULT_HOST, DEFAULT_NAMESPACE};
pub use reference::Reference;
pub(crate) use reference::{missing, says_both};
