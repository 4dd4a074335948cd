//! A second device, where this machine has one.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::common::skip::not_here;

/// A directory on another device than that one, if this machine has one to write to.
pub fn elsewhere(than: &Path) -> Option<tempfile::TempDir> {
    let device = |path: &Path| path.metadata().unwrap().dev();
    let places = ["/dev/shm", "/tmp", env!("CARGO_TARGET_TMPDIR")];
    let found = places
        .into_iter()
        .filter_map(|place| tempfile::tempdir_in(place).ok())
        .find(|found| device(found.path()) != device(than));
    if found.is_none() {
        not_here(
            "what lies on two devices",
            "there is no second device to write to",
        );
    }
    found
}
