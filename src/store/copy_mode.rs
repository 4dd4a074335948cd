//! How the bytes of a file come into the store.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{self, Error, Result};

/// How the bytes of a file come into the store.
///
/// ```
/// use modelkeep::CopyMode;
///
/// assert_eq!("hardlink".parse::<CopyMode>()?, CopyMode::HardLink);
/// assert_eq!(CopyMode::default().to_string(), "auto");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CopyMode {
    /// By reflink where the file system can, else by copy.
    #[default]
    Auto,
    /// By reflink only: the blocks are shared until one of the two is written to.
    Reflink,
    /// By hard link only: no second copy, but who writes to the file destroys the blob.
    HardLink,
    /// By copy only.
    Copy,
}

impl CopyMode {
    /// Every copy mode.
    pub const ALL: &'static [CopyMode] = &[
        CopyMode::Auto,
        CopyMode::Reflink,
        CopyMode::HardLink,
        CopyMode::Copy,
    ];

    /// Returns the word for it: `auto`, `reflink`, `hardlink` or `copy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            CopyMode::Auto => "auto",
            CopyMode::Reflink => "reflink",
            CopyMode::HardLink => "hardlink",
            CopyMode::Copy => "copy",
        }
    }
}

impl fmt::Display for CopyMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CopyMode {
    type Err = Error;

    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other word.
    fn from_str(word: &str) -> Result<Self> {
        error::one_of("copy mode", CopyMode::ALL, word)
    }
}

impl Serialize for CopyMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
