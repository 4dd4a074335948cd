//! Nothing good is taken away: whatever is in any place of a store, no call removes a blob that
//! something in the store may still name, and what is away for a moment is named and kept.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/devices.rs"]
mod devices;
#[path = "../common/server.rs"]
mod server;

mod aliases;
mod forms;
mod grid;
mod interrupted;
mod lacking;
mod moment;
mod process;
mod spared;
mod told;
mod trash;
mod uncertain;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use modelkeep::{GcOptions, Report, Store, VerifyOptions};

fn at_once() -> GcOptions {
    GcOptions::default().grace(Duration::ZERO).all(true)
}

fn verify(store: &Store) -> Report {
    store.verify(&VerifyOptions::default()).unwrap()
}

/// Makes every file of a directory two days old, as far as its own times go.
fn age_all(directory: &Path) {
    let old = SystemTime::now() - Duration::from_secs(2 * 86_400);
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_file() {
            let file = fs::File::open(path).unwrap();
            file.set_modified(old).unwrap();
        }
    }
}
