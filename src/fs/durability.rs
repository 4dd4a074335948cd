//! How much a change has to survive.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{self, Error, Result};

/// How much a change has to survive.
///
/// ```
/// use modelkeep::Durability;
///
/// assert_eq!("none".parse::<Durability>()?, Durability::None);
/// assert_eq!(Durability::default(), Durability::Full);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Every change is on the disk before the call returns: it survives a power cut.
    #[default]
    Full,
    /// The system writes when it likes. A crash of the process loses nothing; a power cut may
    /// lose or damage what was changed in the last seconds.
    None,
}

impl Durability {
    /// Every durability.
    pub const ALL: &'static [Durability] = &[Durability::Full, Durability::None];

    /// Returns the word for it: `full` or `none`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Durability::Full => "full",
            Durability::None => "none",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Durability {
    type Err = Error;

    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other word.
    fn from_str(word: &str) -> Result<Self> {
        error::one_of("durability", Durability::ALL, word)
    }
}

impl Serialize for Durability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
