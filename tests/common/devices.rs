//! A second device, where this machine has one.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::common::skip::not_here;

/// A directory on another device than temporary files, if this machine has one to write to.
pub fn elsewhere(than: &Path) -> Option<tempfile::TempDir> {
    let found = tempfile::tempdir_in("/dev/shm").ok();
    let other = |found: &tempfile::TempDir| {
        let device = |path: &Path| path.metadata().unwrap().dev();
        device(found.path()) != device(than)
    };
    let found = found.filter(other);
    if found.is_none() {
        not_here(
            "what lies on two devices",
            "there is no second device to write to",
        );
    }
    found
}
