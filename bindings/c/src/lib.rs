//! The C door. Each function converts what comes in, calls the library once, and converts what
//! comes out; `boundary` is the one way in and out.
//!
//! The comments are written for the header: they speak to users of C.
#![allow(
    unsafe_code,
    reason = "a C interface is made of pointers; each use argues its safety"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "the header's conventions are the contract"
)]
#![allow(
    non_camel_case_types,
    reason = "the types have the names that C gives them"
)]

mod boundary;
mod gguf;
mod list;
mod maintain;
mod status;
mod store;
mod text;
mod verify;
mod wire;

pub use gguf::*;
pub use list::*;
pub use maintain::*;
pub use status::*;
pub use store::*;
pub use text::*;
pub use verify::*;
pub use wire::*;

/// The number of this interface. A program that was compiled against another number of the header
/// must not use the library.
#[unsafe(no_mangle)]
pub extern "C" fn mkeep_abi_version() -> u32 {
    0
}
