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

macro_rules! from_text {
    ($($name:ty: $text:ty),+) => {$(
        impl TryFrom<$text> for $name {
            type Error = Error;

            fn try_from(text: $text) -> Result<Self> {
                text.parse()
            }
        }
    )+};
}

from_text!(ModelName: &str, ModelName: &String, ModelName: String);
from_text!(Reference: &str, Reference: &String, Reference: String);
