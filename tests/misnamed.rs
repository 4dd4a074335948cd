//! Blobs under other names, files that are no manifests, and how doctor and repair tell of them.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use common::Scratch;
use modelkeep::{Diagnosis, Digest, Repaired, VerifyOptions};

fn repair(scratch: &Scratch) -> Repaired {
    let store = scratch.store();
    let all = VerifyOptions::default();
    let report = store.verify(&all).unwrap();
    store.repair(&report).unwrap()
}

/// A store of the model `a`, whose weights are under another name, and that path.
fn misnamed(name: impl Fn(&str) -> String) -> (Scratch, Digest, PathBuf) {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"the weights"])[1];
    let other = scratch.root().join("blobs").join(name(&digest.hex()));
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::rename(scratch.blob_path(&digest), &other).unwrap();
    (scratch, digest, other)
}

fn told(diagnosis: &Diagnosis, path: &std::path::Path) -> String {
    let mut all = diagnosis.issues.iter().chain(&diagnosis.notes);
    let found = all.find(|issue| issue.path == path);
    found.map_or(String::new(), |issue| issue.what.clone())
}

#[test]
fn a_missing_blob_is_found_under_another_name_and_gets_its_own() {
    for (name, expected) in [
        (
            (|hex| format!("sha256-:{hex}")) as fn(&str) -> String,
            "this is the missing blob",
        ),
        (|hex| format!("sha256/{hex}"), "this is the missing blob"),
        (|hex| hex.to_uppercase(), "this is the missing blob"),
        (
            |hex| format!("sha256/{}/{}", &hex[..2], &hex[2..]),
            "this is the missing blob",
        ),
        (|_| "data(1)".to_owned(), "the size of the missing blob"),
    ] {
        let (scratch, digest, other) = misnamed(name);
        let diagnosis = scratch.store().doctor().unwrap();
        let what = told(&diagnosis, &other);
        assert!(what.contains(expected), "{other:?}: {what}");
        assert!(what.contains(&digest.to_string()), "{what}");
        let repaired = repair(&scratch);
        assert_eq!(repaired.renamed.len(), 1, "{other:?}");
        assert_eq!(repaired.renamed[0].digest, digest);
        assert_eq!(
            fs::read(scratch.blob_path(&digest)).unwrap(),
            b"the weights"
        );
        assert!(!other.exists());
        assert!(scratch.store().doctor().unwrap().is_ok());
    }
}

#[test]
fn other_bytes_of_the_right_name_or_size_are_left_alone() {
    for name in [
        (|hex| format!("sha256_{hex}")) as fn(&str) -> String,
        |_| "data".to_owned(),
    ] {
        let (scratch, digest, other) = misnamed(name);
        fs::write(&other, b"the WEIGHTS").unwrap();
        assert!(repair(&scratch).renamed.is_empty());
        assert_eq!(fs::read(&other).unwrap(), b"the WEIGHTS");
        assert!(!scratch.blob_path(&digest).exists());
    }
}

#[test]
fn an_unknown_file_that_no_model_lacks_is_no_blob() {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"the weights"])[1];
    let other = scratch.root().join("blobs").join(digest.hex());
    fs::write(&other, b"the weights").unwrap();
    let diagnosis = scratch.store().doctor().unwrap();
    assert!(!told(&diagnosis, &other).contains("missing blob"));
    assert!(repair(&scratch).renamed.is_empty());
    assert!(other.exists());
}

#[test]
fn a_leftover_of_a_create_is_a_note() {
    let scratch = Scratch::new();
    scratch.model("a", &[]);
    scratch.write("blobs/sha256-1234567890", b"x");
    let diagnosis = scratch.store().doctor().unwrap();
    assert!(diagnosis.is_ok(), "{:?}", diagnosis.issues);
    let path = scratch.root().join("blobs/sha256-1234567890");
    assert!(told(&diagnosis, &path).contains("create"));
}

#[test]
fn a_blob_that_is_a_broken_link_is_called_one() {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"the weights"])[1];
    fs::remove_file(scratch.blob_path(&digest)).unwrap();
    symlink("/mnt/disk/weights", scratch.blob_path(&digest)).unwrap();
    let diagnosis = scratch.store().doctor().unwrap();
    assert_eq!(diagnosis.issues.len(), 1);
    let found = &diagnosis.issues[0];
    let what = &found.what;
    assert!(what.contains("a link to /mnt/disk/weights"), "{what}");
    assert!(found.advice.contains("mount the disk"), "{}", found.advice);
    assert!(!found.advice.contains("delete"), "{}", found.advice);
}

#[test]
fn a_file_that_is_no_manifest_is_called_what_it_is() {
    for (bytes, expected) in [
        (&b"\xef\xbb\xbf{}"[..], "byte order mark"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"\xfe\xff\0{\0}", "UTF-16"),
        (b"{\0}\0", "UTF-16"),
        (b"\x1f\x8b\x08\0\0\0", "gzip"),
        (b"(\xb5/\xfd\0", "zstd"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n <?xml version=\"1.0\"?>", "XML"),
        (b"Entry not found", "failed download"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid",
            "Git LFS",
        ),
        (b"GGUF\x03\0\0\0", "GGUF"),
        (b"\0\0\0\0", "zeros"),
    ] {
        let scratch = Scratch::new();
        scratch.manifest("bad", bytes);
        let diagnosis = scratch.store().doctor().unwrap();
        let what = told(&diagnosis, &scratch.manifest_path("bad"));
        assert!(what.contains(expected), "{expected}: {what}");
    }
}

#[test]
fn what_has_one_cause_is_one_issue() {
    let scratch = Scratch::new();
    let layers: Vec<Vec<u8>> = (0..100_u8).map(|n| vec![n; 3]).collect();
    let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let digests = scratch.model("a", &layers);
    for name in ["b", "c"] {
        fs::create_dir_all(scratch.manifest_path(name).parent().unwrap()).unwrap();
        fs::copy(scratch.manifest_path("a"), scratch.manifest_path(name)).unwrap();
    }
    for digest in &digests {
        fs::remove_file(scratch.blob_path(digest)).unwrap();
    }
    let diagnosis = scratch.store().doctor().unwrap();
    assert_eq!(diagnosis.issues.len(), 1);
    let what = &diagnosis.issues[0].what;
    assert!(what.contains("98 more"), "{what}");
    assert!(what.contains("b:latest, c:latest"), "{what}");
}

#[test]
fn what_can_be_reclaimed_and_what_was_not_hashed_is_said() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"the weights"]);
    scratch.blob(b"an orphan");
    let partial = format!("blobs/sha256-{}-partial", "ab".repeat(32));
    scratch.write(&partial, b"some bytes");
    let store = scratch.store();
    let diagnosis = store.doctor().unwrap();
    assert!(diagnosis.is_ok());
    for of in ["that no model uses", "of interrupted downloads"] {
        assert!(diagnosis.notes.iter().any(|note| note.what.contains(of)));
    }
    assert_eq!((diagnosis.blobs, diagnosis.verified), (2, 0));
}
