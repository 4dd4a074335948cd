//! The disk: where files are located, and how they are read and written whole.

pub(crate) mod access;
pub(crate) mod durability;
pub(crate) mod gguf_edit;
pub(crate) mod gguf_file;
pub(crate) mod gguf_in_place;
pub(crate) mod gguf_parts;
pub(crate) mod gguf_stream;
pub(crate) mod hash;
pub(crate) mod layout;
pub(crate) mod link;
pub(crate) mod link_place;
pub(crate) mod lock;
pub(crate) mod map;
pub(crate) mod oci_layout;
pub(crate) mod ops;
pub(crate) mod owner;
pub(crate) mod page_cache;
pub(crate) mod places;
pub(crate) mod private;
pub(crate) mod read;
pub(crate) mod source;
pub(crate) mod space;
pub(crate) mod staged;
pub(crate) mod stamp;
pub(crate) mod system;
pub(crate) mod user;
