//! How much room a file system has.

use std::io;
use std::path::Path;

use crate::fs::{owner, read, user};

/// Returns the bytes that may still be written to the file system of a directory, which need not
/// exist yet; `None` where it does not say.
pub(crate) fn free(directory: &Path) -> io::Result<Option<u64>> {
    let mut above = directory.ancestors().map(owner::non_empty);
    let there = above.find(|directory| !read::is_gone(directory));
    let space = rustix::fs::statvfs(there.unwrap_or(directory))?;
    // A file system that counts nothing has no total.
    if space.f_blocks == 0 {
        return Ok(None);
    }
    let blocks = match user::effective() {
        // What is reserved is reserved for root.
        0 => space.f_bfree,
        _ => space.f_bavail,
    };
    Ok(Some(blocks.saturating_mul(space.f_frsize)))
}
