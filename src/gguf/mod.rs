//! GGUF files: reading without copying, and writing.
//!
//! ```text
//! "GGUF" | version u32 | tensors u64 | pairs u64
//! pair     key string | type u32 | value
//! tensor   name string | dimensions u32 | sizes u64... | type u32 | offset u64
//! padding to the alignment, then the data of the tensors
//! ```
//!
//! [`Index`] is what a pass over the header leaves: offsets, owned, without a borrow. [`Gguf`] is
//! the index together with the bytes, and everything it returns is borrowed from them. Nothing in a
//! file is believed: every count and length is compared with what is left of the file before it is
//! used, and nothing recurses on what a file says.

#![deny(clippy::indexing_slicing)]

mod array;
mod assemble;
mod check;
mod cursor;
mod data;
mod dequantize;
mod edit;
mod file_type;
#[cfg(feature = "internal")]
pub(crate) mod fuzz_read;
mod index;
mod json;
mod limits;
mod owned;
mod parse;
mod parse_error;
mod plain;
mod scan;
mod sniff;
mod tail;
mod tensor;
mod texts;
mod value;
mod value_type;
mod view;
mod walk;
mod warning;
mod write;

pub use array::{Array, Elements};
pub(crate) use assemble::{Assembled, PartLimits, Piece, SourceMove, merged, split};
pub use cursor::Endian;
pub(crate) use cursor::Stop;
pub(crate) use dequantize::PackedRows;
pub use edit::Editor;
pub(crate) use edit::{Fit, Move, NewHeader};
pub use file_type::FileType;
pub use index::Index;
pub use json::Lossless;
pub use limits::{Data, Limits, Strictness};
pub use owned::{OwnedArray, OwnedValue};
pub(crate) use parse::{Parsed, Parser};
pub use parse_error::{ParseError, ParseErrorKind};
pub(crate) use scan::Scan;
pub(crate) use sniff::is_gguf;
pub use sniff::{FileFormat, sniff};
pub use tensor::{TensorInfo, TensorType};
pub use value::{Text, Value};
pub use value_type::ValueType;
pub use view::{Gguf, Split};
pub use warning::{Warning, WarningCode};
pub use write::Writer;
