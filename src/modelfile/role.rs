//! Who may say a message that belongs to a model.

use crate::error::{self, Result};

const ROLES: &[&str] = &["system", "user", "assistant"];

/// Checks the role of a message.
///
/// # Errors
/// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other than those that a Modelfile
/// may have.
pub(crate) fn check(role: &str) -> Result<()> {
    error::one_of("role of a message", ROLES, role).map(drop)
}
