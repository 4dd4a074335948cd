//! Stores that are damaged or mean: a clear error or a problem, and the other models work.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{Scratch, fixture, name, reference};
use modelkeep::{
    BlobStatus, ErrorKind, GcOptions, ImportOptions, ShowOptions, Store, StoreOptions,
    VerifyOptions,
};

/// A store with the sound model `good`, and whatever `spoil` does to it.
fn spoiled(spoil: impl FnOnce(&Scratch, &Store)) -> (Scratch, Store) {
    let scratch = Scratch::new();
    let store = scratch.store();
    store
        .import(fixture(), name("good"), &ImportOptions::default())
        .unwrap();
    spoil(&scratch, &store);
    (scratch, store)
}

fn fifo(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What every store owes to its sound models; answers the text of the error of showing `bad`.
fn others_work(store: &Store) -> String {
    let listing = store.list().unwrap();
    assert!(listing.models.iter().any(|line| line.name == name("good")));
    store
        .show(reference("good"), &ShowOptions::default())
        .unwrap();
    store.copy(&name("good"), &name("copy")).unwrap();
    store.delete(reference("copy")).unwrap();
    store.usage().unwrap();
    let _ = store.doctor().unwrap();
    let _ = store.verify(&VerifyOptions::default()).unwrap();
    store
        .show(reference("good"), &ShowOptions::default())
        .unwrap();
    let shown = store.show(reference("bad"), &ShowOptions::default());
    shown.map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn what_is_no_file_in_the_place_of_a_manifest_is_passed_over() {
    type Spoil = fn(&Path);
    let cases: [(Spoil, &str); 6] = [
        (fifo, "not a regular file"),
        (|path| fs::create_dir(path).unwrap(), "is a directory"),
        (
            |path| symlink("/nonexistent", path).unwrap(),
            "a link to /nonexistent, which is not there",
        ),
        (|path| symlink(path, path).unwrap(), "symbolic links"),
        (
            |path| symlink("/dev/zero", path).unwrap(),
            "not a regular file",
        ),
        (
            |path| fs::write(path, "{\"layers\":[{").unwrap(),
            "ends too early",
        ),
    ];
    for (spoil, expected) in cases {
        let (_scratch, store) = spoiled(|scratch, _| {
            let path = scratch.manifest_path("bad");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            spoil(&path);
        });
        let found = others_work(&store);
        assert!(
            found.contains(expected),
            "{found:?} where {expected:?} was expected"
        );
    }
}

#[test]
fn a_huge_manifest_is_refused_without_reading_it() {
    let (_scratch, store) = spoiled(|scratch, _| {
        scratch.manifest("bad", b"{}");
        let file = fs::File::options()
            .write(true)
            .open(scratch.manifest_path("bad"))
            .unwrap();
        file.set_len(1 << 30).unwrap();
    });
    assert!(others_work(&store).contains("larger than"));
}

#[test]
fn what_is_no_file_in_the_place_of_a_blob_is_reported() {
    let media = "application/vnd.ollama.image.model";
    let digest = modelkeep::Digest::of(b"bad");
    let text = format!(r#"{{"layers":[{{"mediaType":"{media}","digest":"{digest}","size":3}}]}}"#);
    type Spoil = fn(&Path);
    let cases: [(Spoil, BlobStatus, &str); 5] = [
        (fifo, BlobStatus::Unreadable, "not a regular file"),
        (
            |path| fs::create_dir(path).unwrap(),
            BlobStatus::Unreadable,
            "is a directory",
        ),
        (
            |path| symlink("/nonexistent", path).unwrap(),
            BlobStatus::Missing,
            "a link to /nonexistent, which is not there",
        ),
        (
            |path| fs::write(path, "bad").unwrap(),
            BlobStatus::Ok,
            "GGUF",
        ),
        (
            |path| fs::write(path, "BAD").unwrap(),
            BlobStatus::WrongDigest,
            "GGUF",
        ),
    ];
    for (spoil, status, expected) in cases {
        let (_scratch, store) = spoiled(|scratch, _| {
            scratch.manifest("bad", text.as_bytes());
            spoil(&scratch.blob_path(&digest));
        });
        let found = others_work(&store);
        assert!(
            found.contains(expected),
            "{found:?} where {expected:?} was expected"
        );
        let all = VerifyOptions::default();
        let report = store.verify(&all).unwrap();
        let finding = report
            .blobs
            .iter()
            .find(|blob| blob.digest == digest)
            .unwrap();
        assert_eq!(finding.status, status, "{}", finding.detail);
        store.delete(reference("bad")).unwrap();
        others_work(&store);
    }
}

#[test]
fn a_digest_leads_nowhere_outside_the_store() {
    for digest in [
        "sha256:../../../../etc/passwd",
        "../x",
        "",
        "sha256-",
        "sha256:zz",
        "a/b",
    ] {
        let layer =
            format!(r#""mediaType":"application/vnd.ollama.image.model","digest":"{digest}""#);
        let (scratch, store) = spoiled(|scratch, _| {
            scratch.manifest("bad", format!(r#"{{"layers":[{{{layer}}}]}}"#).as_bytes());
        });
        others_work(&store);
        let error = store
            .show(reference("bad"), &ShowOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{digest}: {error}");
        assert!(store.delete(reference("bad")).unwrap().blobs.is_empty());
        assert!(!scratch.manifest_path("bad").exists());
    }
}

#[test]
fn names_lead_nowhere_outside_the_store() {
    for text in [
        "..",
        "../x",
        "a/../b",
        "a/b/../../c",
        "/etc/passwd",
        "x:..",
        "x:a/b",
        ".x",
        "a\0b",
    ] {
        assert!(text.parse::<modelkeep::ModelName>().is_err(), "{text:?}");
    }
}

#[test]
fn a_cut_gguf_file_is_an_error_that_says_where() {
    let bytes = fs::read(fixture()).unwrap();
    for length in [0, 3, 23, 100, bytes.len() - 1] {
        let (_scratch, store) = spoiled(|scratch, _| {
            scratch.model("bad", &[&bytes[..length]]);
        });
        others_work(&store);
        let error = store
            .show(reference("bad"), &ShowOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidGguf, "{error}");
        assert!(error.to_string().contains("byte 0x"), "{error}");
        let cut = store.path().join("cut.gguf");
        fs::write(&cut, &bytes[..length]).unwrap();
        let error = store
            .import(&cut, name("new"), &ImportOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidGguf, "{error}");
        assert!(store.find(name("new")).unwrap().is_none());
    }
}

#[test]
fn a_store_without_its_directories_is_empty_and_stays_so() {
    let scratch = Scratch::new();
    let store = scratch.store();
    assert!(store.list().unwrap().models.is_empty());
    assert!(store.verify(&VerifyOptions::default()).unwrap().is_ok());
    assert_eq!(store.usage().unwrap().total, 0);
    assert!(store.doctor().unwrap().is_ok());
    let error = store
        .show(reference("x"), &ShowOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(fs::read_dir(scratch.root()).unwrap().count(), 0);
}

#[test]
fn a_store_that_vanished_is_an_error_of_every_call() {
    let scratch = Scratch::new();
    let store = scratch.store();
    fs::remove_dir_all(scratch.root()).unwrap();
    let all = VerifyOptions::default();
    let gone = [
        store.list().map(drop),
        store.verify(&all).map(drop),
        store.usage().map(drop),
        store.doctor().map(drop),
        store.gc(&GcOptions::default().dry_run(true)).map(drop),
        store.maintain().map(drop),
        store
            .show(reference("a"), &ShowOptions::default())
            .map(drop),
    ];
    for answer in gone {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::FileNotFound);
    }
    let names = [reference("a"), reference("b")];
    let error = store.delete_all(&names).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(store.copy(&name("a"), &name("b")).is_err());
    assert!(
        store
            .import(fixture(), name("a"), &ImportOptions::default())
            .is_err()
    );
    assert!(!scratch.root().exists());
}

#[test]
fn json_never_holds_a_path_that_is_not_the_right_one() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join(OsStr::from_bytes(b"caf\xe9"));
    let store = Store::open_with(StoreOptions::new(&root).create(true)).unwrap();
    store
        .import(fixture(), name("good"), &ImportOptions::default())
        .unwrap();
    let blob = store.model(reference("good")).unwrap().gguf_path().unwrap();
    fs::write(blob, b"damaged").unwrap();
    let partial = format!("blobs/sha256-{}-partial", "ab".repeat(32));
    fs::write(root.join(partial), b"").unwrap();
    let report = store.verify(&VerifyOptions::default()).unwrap();
    let gc = GcOptions::default().grace(Duration::ZERO).partials(true);
    let answers = [
        report.to_json(),
        store.doctor().unwrap().to_json(),
        store.repair(&report).unwrap().to_json(),
        store.gc(&gc).unwrap().to_json(),
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(r"caf\xE9"), "{error}");
    }
    assert!(store.usage().unwrap().to_json().is_ok(), "it names no path");
}
