//! What differs between operating systems, one file a matter, with the systems side by side.
//! Nothing else asks which system it is on.

pub(crate) mod change;
pub(crate) mod code;
pub(crate) mod directory;
pub(crate) mod holes;
pub(crate) mod local;
pub(crate) mod lock;
pub(crate) mod names;
pub(crate) mod open;
pub(crate) mod pages;
pub(crate) mod paths;
pub(crate) mod patience;
pub(crate) mod space;
pub(crate) mod stat;
pub(crate) mod user;
