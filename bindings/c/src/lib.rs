//! The C binding. Each function converts what comes in, calls the library once, and converts what
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

use std::ffi::c_char;

mod archive;
mod blob;
mod boundary;
mod compare;
mod config;
mod copy;
mod delete;
mod dequantize;
mod doctor;
mod export;
mod gc;
mod gguf;
mod gguf_edit;
mod gguf_split;
mod gguf_writer;
mod growing;
mod human;
mod import;
mod imported;
mod link;
mod list;
mod maintain;
mod model;
mod pair;
mod parameters;
mod problem;
mod progress;
mod registry;
#[cfg_attr(not(feature = "registry"), path = "registry_absent.rs")]
mod registry_client;
mod registry_types;
mod repair;
mod report;
mod request;
mod shared;
mod show;
mod show_info;
mod status;
mod store;
mod store_edit;
mod str;
mod stream;
mod string;
mod tensor;
mod type_names;
mod usage;
mod value;
mod verify;
mod which;

pub use archive::*;
pub use blob::*;
pub use config::*;
pub use copy::*;
pub use delete::*;
pub use doctor::*;
pub use export::*;
pub use gc::*;
pub use gguf::*;
pub use gguf_edit::*;
pub use gguf_split::*;
pub use gguf_writer::*;
pub use human::*;
pub use import::*;
pub use imported::*;
pub use link::*;
pub use list::*;
pub use maintain::*;
pub use model::*;
pub use parameters::*;
pub use problem::*;
pub use progress::*;
pub use registry::*;
pub use registry_types::*;
pub use repair::*;
pub use report::*;
pub use request::*;
pub use show::*;
pub use show_info::*;
pub use status::*;
pub use store::*;
pub use str::*;
pub use stream::*;
pub use string::*;
pub use tensor::*;
pub use usage::*;
pub use value::*;
pub use verify::*;
pub use which::*;

/// The number of the interface that this header describes.
pub const MKEEP_ABI_VERSION: u32 = 0;

/// Returns the number of the library's interface. A program whose header has another one must not
/// use it.
#[unsafe(no_mangle)]
pub extern "C" fn mkeep_abi_version() -> u32 {
    MKEEP_ABI_VERSION
}

/// Returns the release of the library, as in `0.1.0`.
#[unsafe(no_mangle)]
pub extern "C" fn mkeep_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
