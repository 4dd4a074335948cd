//! Importing what is stored already, and importing where there is no room.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::skip::not_here;
use common::{Scratch, fixture, name};
use modelkeep::gguf::Writer;
use modelkeep::{CopyMode, Digest, ErrorKind, ImportOptions, Store, StoreOptions};

const WAYS: [CopyMode; 3] = [CopyMode::Auto, CopyMode::Copy, CopyMode::HardLink];

fn by(copy_mode: CopyMode) -> ImportOptions {
    ImportOptions::new().copy_mode(copy_mode)
}

/// A GGUF file of at least so many bytes, of which no two with other texts are equal.
fn gguf(path: &Path, size: usize, text: &str) -> PathBuf {
    let mut writer = Writer::new();
    writer.set("general.architecture", "llama");
    writer.set("general.description", &*"x".repeat(size));
    writer.set("general.name", text);
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    fs::write(path, bytes).unwrap();
    path.to_owned()
}

/// What tells a file that nobody touched.
fn state(path: &Path) -> (u64, i64, i64, u64) {
    let metadata = path.metadata().unwrap();
    let (changed, nanoseconds) = (metadata.ctime(), metadata.ctime_nsec());
    (metadata.ino(), changed, nanoseconds, metadata.nlink())
}

fn staged(root: &Path) -> usize {
    fs::read_dir(root.join(".modelkeep/tmp")).unwrap().count()
}

#[test]
fn bytes_that_are_stored_are_not_written_again() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store
        .import(fixture(), name("a"), &by(CopyMode::Copy))
        .unwrap();
    let blob = scratch.blob_path(&Digest::of(&fs::read(fixture()).unwrap()));
    let before = state(&blob);
    for (number, copy_mode) in WAYS.into_iter().enumerate() {
        let model = name(&format!("again{number}"));
        let imported = store.import(fixture(), &model, &by(copy_mode)).unwrap();
        assert_eq!(imported.digest, Digest::of(&fs::read(fixture()).unwrap()));
        assert_eq!(state(&blob), before, "{copy_mode:?}");
        assert_eq!(staged(scratch.root()), 0);
    }
}

#[test]
fn a_linked_file_that_is_stored_leaves_no_second_link() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let file = gguf(&scratch.root().join("a.gguf"), 100, "a");
    store
        .import(&file, name("a"), &by(CopyMode::HardLink))
        .unwrap();
    store
        .import(&file, name("b"), &by(CopyMode::HardLink))
        .unwrap();
    assert_eq!(file.metadata().unwrap().nlink(), 2);
    assert_eq!(staged(scratch.root()), 0);
}

#[test]
fn a_damaged_blob_of_the_same_size_is_healed() {
    for copy_mode in WAYS {
        let scratch = Scratch::new();
        let store = scratch.store();
        let file = gguf(&scratch.root().join("a.gguf"), 100, "a");
        let bytes = fs::read(&file).unwrap();
        let mut damaged = bytes.clone();
        damaged[50] ^= 1;
        let blob = format!("blobs/sha256-{}", Digest::of(&bytes).hex());
        scratch.write(&blob, &damaged);
        store.import(&file, name("a"), &by(copy_mode)).unwrap();
        assert!(
            fs::read(scratch.root().join(blob)).unwrap() == bytes,
            "{copy_mode:?}"
        );
    }
}

#[test]
fn another_file_of_the_same_size_is_stored() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for text in ["a", "b"] {
        let file = gguf(&scratch.root().join("model.gguf"), 100, text);
        let bytes = fs::read(&file).unwrap();
        store.import(file, name(text), &by(CopyMode::Auto)).unwrap();
        assert!(fs::read(scratch.blob_path(&Digest::of(&bytes))).unwrap() == bytes);
    }
}

/// Runs a body in a file system of 1 MB, where we may mount one.
fn in_a_small_file_system(body: fn(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]);
    mount.arg(directory.path());
    if !mount.output().is_ok_and(|output| output.status.success()) {
        not_here("a full disk", "mounting a small file system is not allowed");
        return;
    }
    let root = directory.path();
    let answer = thread::scope(|scope| scope.spawn(|| body(root)).join());
    Command::new("umount").arg(root).status().unwrap();
    answer.unwrap();
}

fn store_in(root: &Path) -> Store {
    Store::open_with(StoreOptions::new(root).delete_delay(Duration::ZERO)).unwrap()
}

#[test]
fn a_file_that_is_stored_needs_no_room() {
    in_a_small_file_system(|root| {
        let scratch = Scratch::new();
        let file = gguf(&scratch.root().join("a.gguf"), 600_000, "a");
        let store = store_in(root);
        store.import(&file, name("a"), &by(CopyMode::Auto)).unwrap();
        store.import(&file, name("b"), &by(CopyMode::Auto)).unwrap();
        assert_eq!(store.list().unwrap().models.len(), 2);
    });
}

#[test]
fn without_room_nothing_is_written_and_the_error_says_how_much_is_missing() {
    in_a_small_file_system(|root| {
        let scratch = Scratch::new();
        let file = gguf(&scratch.root().join("a.gguf"), 3_000_000, "a");
        let error = store_in(root).import(file, name("a"), &by(CopyMode::Auto));
        let error = error.unwrap_err();
        assert_eq!(
            (error.kind(), error.os_error()),
            (ErrorKind::Io, Some(libc::ENOSPC))
        );
        let text = error.to_string();
        assert!(
            text.contains("needs 3.00 MB, ") && text.contains("B free"),
            "{text}"
        );
        assert_eq!(staged(root), 0);
        assert!(!root.join("blobs").exists() && !root.join("manifests").exists());
    });
}
