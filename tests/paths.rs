//! What becomes of the paths that a caller gives.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use common::{Scratch, fixture, name, reference};
use modelkeep::{CopyMode, ErrorKind, ImportOptions, ShowOptions, Store};

#[test]
fn a_file_that_is_linked_keeps_its_time() {
    let scratch = Scratch::new();
    let file = scratch.root().join("mine.gguf");
    fs::copy(fixture(), &file).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(then)
        .unwrap();
    let options = ImportOptions::new().copy_mode(CopyMode::HardLink);
    let store = scratch.store();
    store.import(&file, name("m"), &options).unwrap();
    assert_eq!(file.metadata().unwrap().modified().unwrap(), then);
    // Of bytes that are stored, a second import makes no file of its own.
    let options = ImportOptions::new().copy_mode(CopyMode::Copy).replace(true);
    store.import(&file, name("m"), &options).unwrap();
    assert_eq!(file.metadata().unwrap().modified().unwrap(), then);
}

#[test]
fn a_link_that_leads_nowhere_is_called_one() {
    let scratch = Scratch::new();
    let link = scratch.root().join("link.gguf");
    symlink("/mnt/disk/model.gguf", &link).unwrap();
    let store = scratch.store();
    for error in [
        store
            .import_file(&link, name("m"), &ImportOptions::default())
            .unwrap_err(),
        store
            .import(&link, name("m"), &ImportOptions::default())
            .unwrap_err(),
        modelkeep::GgufFile::open(&link, &modelkeep::GgufOptions::default()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::FileNotFound, "{error}");
        assert_eq!(error.path(), Some(&*link));
        let text = error.to_string();
        assert!(text.contains("a link to /mnt/disk/model.gguf"), "{text}");
    }
}

/// The path of an absolute one from the working directory.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    up.join(path.strip_prefix("/").unwrap())
}

#[test]
fn a_store_of_a_relative_path_shows_absolute_ones() {
    let scratch = Scratch::new();
    scratch
        .store()
        .import(fixture(), name("m"), &ImportOptions::default())
        .unwrap();
    let store = Store::open(relative(scratch.root())).unwrap();
    let show = store.show(reference("m"), &ShowOptions::default()).unwrap();
    let from = show
        .modelfile
        .lines()
        .find(|line| line.starts_with("FROM "));
    let path = from.unwrap().strip_prefix("FROM ").unwrap();
    assert!(path.starts_with('/'), "{path}");
    assert!(fs::read(path).unwrap().starts_with(b"GGUF"));
}
