//! From what a caller has at hand to a name: calls take a text, or what was parsed from one before.

use crate::error::{Error, Result};
use crate::name::{ModelName, Reference};

/// Returns the name that a call was given.
///
/// # Errors
/// [`InvalidName`](crate::ErrorKind::InvalidName) for a malformed text.
pub(crate) fn name<T>(given: impl TryInto<T, Error: Into<Error>>) -> Result<T> {
    given.try_into().map_err(Into::into)
}

/// Lets calls take texts of every kind where they take one of these types.
macro_rules! from_text {
    ($($name:ty: $text:ty),+) => {$(
        impl TryFrom<$text> for $name {
            type Error = $crate::Error;

            fn try_from(text: $text) -> $crate::Result<Self> {
                text.parse()
            }
        }
    )+};
}

#[cfg(feature = "registry")]
pub(crate) use from_text;

from_text!(ModelName: &str, ModelName: &String, ModelName: String);
from_text!(Reference: &str, Reference: &String, Reference: String);
