//! Collecting: only what nobody uses, and never while somebody cannot be asked.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::Duration;

use common::{Scratch, name};
use modelkeep::{ErrorKind, GcOptions};

/// The bytes of a file on the disk.
fn blocks(path: &Path) -> u64 {
    path.metadata().unwrap().blocks() * 512
}

fn at_once() -> GcOptions {
    GcOptions::default().grace(Duration::ZERO)
}

#[test]
fn gc_takes_orphans_and_spares_what_is_used() {
    let scratch = Scratch::new();
    let used = scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    let on_disk = blocks(&scratch.blob_path(&orphan));
    let dry = scratch.store().gc(&at_once().dry_run(true)).unwrap();
    assert!(dry.dry_run && scratch.blob_path(&orphan).exists());
    let collected = scratch.store().gc(&at_once()).unwrap();
    assert_eq!((&collected.blobs, collected.bytes), (&dry.blobs, dry.bytes));
    assert_eq!(
        (collected.blobs.as_slice(), collected.bytes),
        ([orphan].as_slice(), on_disk)
    );
    assert!(used.iter().all(|digest| scratch.blob_path(digest).exists()));
}

#[test]
fn gc_spares_young_blobs() {
    let scratch = Scratch::new();
    let orphan = scratch.blob(b"orphan");
    let collected = scratch.store().gc(&GcOptions::default()).unwrap();
    assert_eq!((collected.blobs.len(), collected.young), (0, 1));
    assert!(scratch.blob_path(&orphan).exists());
}

#[test]
fn gc_refuses_while_a_manifest_is_unreadable_and_names_it() {
    let scratch = Scratch::new();
    let orphan = scratch.blob(b"orphan");
    scratch.manifest("torn:7b", b"{");
    let error = scratch.store().gc(&at_once()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("torn:7b"), "{error}");
    assert!(scratch.blob_path(&orphan).exists());
}

#[test]
fn partials_go_when_asked_and_unknown_files_never() {
    let scratch = Scratch::new();
    let hex = scratch.blob(b"x").hex();
    scratch.model("x", &[b"x"]);
    for file in [
        "README",
        "random.tmp",
        "sha256-12345",
        &format!("sha256-{hex}-partialx"),
    ] {
        scratch.write(&format!("blobs/{file}"), b"?");
    }
    let on_disk = blocks(&scratch.root().join("blobs/README"));
    for part in ["-partial", "-partial-0", "-partial-12"] {
        scratch.write(&format!("blobs/sha256-{hex}{part}"), b"half");
    }
    assert_eq!(scratch.store().gc(&at_once()).unwrap().bytes, 0);
    let collected = scratch.store().gc(&at_once().partials(true)).unwrap();
    assert_eq!(
        (collected.partials.len(), collected.bytes),
        (3, 3 * on_disk)
    );
    assert_eq!(
        fs::read_dir(scratch.root().join("blobs")).unwrap().count(),
        6
    );
}

#[test]
fn what_an_interrupted_delete_left_is_put_back_or_taken() {
    let scratch = Scratch::new();
    let used = scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    let trash = scratch.root().join(".modelkeep/trash");
    fs::create_dir_all(&trash).unwrap();
    for digest in [used[1], orphan] {
        let path = scratch.blob_path(&digest);
        fs::rename(&path, trash.join(path.file_name().unwrap())).unwrap();
    }
    let collected = scratch.store().gc(&GcOptions::default()).unwrap();
    assert_eq!(
        (collected.restored, collected.blobs),
        (vec![used[1]], vec![orphan])
    );
    assert!(scratch.blob_path(&used[1]).exists());
}

#[test]
fn maintenance_renames_old_blobs() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    let old = scratch.root().join("blobs").join(digests[1].to_string());
    fs::rename(scratch.blob_path(&digests[1]), old).unwrap();
    let maintained = scratch.store().maintain().unwrap();
    assert_eq!(maintained.renamed, [scratch.blob_path(&digests[1])]);
    assert!(scratch.store().find(name("a")).unwrap().is_some());
}

#[test]
fn usage_counts_each_digest_once() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"shared", b"own"]);
    scratch.model("b", &[b"shared"]);
    scratch.blob(b"orphan");
    let usage = scratch.store().usage().unwrap();
    assert_eq!((usage.models.len(), usage.orphans.files), (2, 1));
    let block = usage.orphans.bytes;
    assert_eq!(
        (usage.models[0].exclusive, usage.models[0].shared),
        (2 * block, block)
    );
    assert_eq!((usage.used, usage.other.files), (4 * block, 2));
    assert_eq!(usage.total, usage.used + block + usage.other.bytes);
}

#[test]
fn usage_counts_bytes_once_whatever_leads_to_them() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    let blobs = scratch.root().join("blobs");
    let plain = scratch.store().usage().unwrap();
    // Two links to one blob, a second name of another, and links to nothing and to a directory.
    let present = scratch.blob_path(&digests[1]);
    let old = blobs.join(digests[1].to_string());
    fs::rename(&present, blobs.join("weights")).unwrap();
    symlink("weights", &present).unwrap();
    symlink("weights", old).unwrap();
    fs::hard_link(scratch.blob_path(&orphan), blobs.join("twice")).unwrap();
    symlink("nothing", blobs.join("dangling")).unwrap();
    symlink("../manifests", blobs.join("directory")).unwrap();
    let usage = scratch.store().usage().unwrap();
    assert_eq!((usage.used, usage.orphans), (plain.used, plain.orphans));
    assert_eq!((usage.total, usage.held_outside), (plain.total, 0));
    let (unknown, other) = (usage.unknown, usage.other);
    assert_eq!((unknown.files, unknown.bytes), (2, 0));
    assert_eq!(other.files, plain.other.files + 2);
    // The blobs under another path, which is below the root as well.
    fs::rename(&blobs, scratch.root().join("elsewhere")).unwrap();
    symlink("elsewhere", &blobs).unwrap();
    let moved = scratch.store().usage().unwrap();
    assert_eq!((moved.used, moved.total), (plain.used, plain.total));
}
