//! How much room a file system has.

use std::io;
use std::path::Path;

use crate::fs::{owner, read, system};

/// Returns the bytes that may still be written to the file system of a directory, which need not
/// exist yet; `None` where it does not say.
pub(crate) fn free(directory: &Path) -> io::Result<Option<u64>> {
    let mut above = directory.ancestors().map(owner::non_empty);
    let there = above.find(|directory| !read::is_gone(directory));
    system::space::free(there.unwrap_or(directory))
}
