//! Blobs that a model lacks, or that are not what they seem.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use modelkeep::{BlobStatus, Digest, ErrorKind};

use crate::common::{Scratch, name, reference};
use crate::spared::layer;
use crate::verify;

#[test]
fn a_blob_that_is_a_link_to_its_old_name_keeps_its_bytes() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    let new = scratch.blob_path(&digests[1]);
    let old = scratch.root().join("blobs").join(digests[1].to_string());
    fs::rename(&new, &old).unwrap();
    symlink(old.file_name().unwrap(), &new).unwrap();
    assert!(scratch.store().rename_old_blobs().unwrap().is_empty());
    assert_eq!(fs::read(&new).unwrap(), b"weights");
    // And the other way round: nothing is gained by taking a link away.
    fs::remove_file(&new).unwrap();
    fs::rename(&old, &new).unwrap();
    symlink(new.file_name().unwrap(), &old).unwrap();
    assert!(scratch.store().rename_old_blobs().unwrap().is_empty());
    assert!(old.is_symlink());
}

/// A model without its weights, which are in these files in `blobs/`.
fn lacking(files: &[&str]) -> (Scratch, Digest) {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"the weights"])[1];
    for file in files {
        let file = file.replace("HEX", &digest.hex());
        scratch.write(&format!("blobs/{file}"), b"the weights");
    }
    fs::remove_file(scratch.blob_path(&digest)).unwrap();
    (scratch, digest)
}

#[test]
fn of_two_copies_under_other_names_one_gets_the_name_and_one_stays() {
    let (scratch, digest) = lacking(&["first", "second"]);
    let store = scratch.store();
    let repaired = store.repair(&verify(&store)).unwrap();
    assert_eq!(repaired.renamed.len(), 1);
    assert!(scratch.blob_path(&digest).exists());
    assert!(scratch.root().join("blobs/second").exists());
}

#[test]
fn a_missing_blob_is_not_looked_for_where_others_work() {
    for file in [
        "sha256-HEX-partial",
        ".modelkeep/quarantine/HEX",
        ".hidden/HEX",
        "one/two/three/HEX",
        "one/two/three/four/HEX",
    ] {
        let (scratch, digest) = lacking(&[file]);
        let store = scratch.store();
        assert!(
            store.repair(&verify(&store)).unwrap().renamed.is_empty(),
            "{file}"
        );
        assert!(!scratch.blob_path(&digest).exists());
        let path = scratch
            .root()
            .join("blobs")
            .join(file.replace("HEX", &digest.hex()));
        assert!(path.exists(), "{file}");
    }
}

#[test]
fn a_missing_blob_is_not_looked_for_behind_links_and_is_found_in_directories() {
    let (scratch, digest) = lacking(&["old/sha256-HEX"]);
    let outside = tempfile::tempdir().unwrap();
    let theirs = outside.path().join(digest.hex());
    fs::write(&theirs, b"the weights").unwrap();
    symlink(outside.path(), scratch.root().join("blobs/link")).unwrap();
    let store = scratch.store();
    let repaired = store.repair(&verify(&store)).unwrap();
    assert_eq!(repaired.renamed.len(), 1);
    assert!(theirs.exists() && scratch.blob_path(&digest).exists());
}

#[test]
fn only_a_file_of_the_stated_size_may_be_the_missing_blob() {
    let (scratch, digest) = lacking(&[]);
    scratch.write("blobs/longer", b"the weights and more");
    scratch.write("blobs/empty", b"");
    scratch.manifest("b", layer(&digest).as_bytes());
    let diagnosis = scratch.store().doctor().unwrap();
    let mut all = diagnosis.issues.iter().chain(&diagnosis.notes);
    let is_told = |what: &str| what.contains("of the missing blob");
    assert!(!all.any(|told| is_told(&told.what)), "{diagnosis:?}");
}

#[test]
fn a_directory_in_the_place_of_a_manifest_is_no_model() {
    let scratch = Scratch::new();
    let model = scratch.manifest_path("a").parent().unwrap().to_owned();
    fs::create_dir_all(model.join("LATEST")).unwrap();
    symlink("LATEST", model.join("Linked")).unwrap();
    let store = scratch.store();
    for text in ["a", "a:linked"] {
        assert_eq!(store.find(name(text)).unwrap(), None, "{text}");
    }
    let listing = store.list().unwrap();
    assert!(listing.models.is_empty() && listing.problems.is_empty());
    assert!(store.doctor().unwrap().is_ok());
}

#[test]
fn a_model_without_a_config_or_with_a_layer_twice_has_each_path_once() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"weights");
    let layer = format!(
        r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"{digest}","size":7}}"#
    );
    scratch.manifest("a", format!(r#"{{"layers":[{layer},{layer}]}}"#).as_bytes());
    scratch.manifest("b", format!(r#"{{"layers":[{layer}]}}"#).as_bytes());
    scratch.manifest("none", br#"{"layers":[]}"#);
    let store = scratch.store();
    let model = |text: &str| store.model(reference(text)).unwrap();
    let path = scratch.blob_path(&digest);
    assert_eq!(model("a").all_paths().unwrap(), std::slice::from_ref(&path));
    // One file is the model, whatever is in it; nothing is opened for that.
    assert_eq!(model("b").gguf_paths().unwrap(), [path]);
    let error = model("none").gguf_paths().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_verification_says_why_a_blob_cannot_be_read() {
    type Spoil = fn(&Path);
    let cases: [(Spoil, BlobStatus, &str); 4] = [
        (|_| {}, BlobStatus::Missing, "no such file"),
        (
            |path| symlink("/nonexistent/disk", path).unwrap(),
            BlobStatus::Missing,
            "/nonexistent/disk",
        ),
        (
            |path| fs::create_dir(path).unwrap(),
            BlobStatus::Unreadable,
            "is a directory",
        ),
        (
            |path| symlink("/dev/null", path).unwrap(),
            BlobStatus::Unreadable,
            "not a regular file",
        ),
    ];
    for (spoil, status, detail) in cases {
        let scratch = Scratch::new();
        let digest = scratch.model("a", &[b"weights"])[1];
        let path = scratch.blob_path(&digest);
        fs::remove_file(&path).unwrap();
        spoil(&path);
        let report = verify(&scratch.store());
        let found = report
            .blobs
            .iter()
            .find(|found| found.digest == digest)
            .unwrap();
        assert_eq!(found.status, status);
        assert!(found.detail.contains(detail), "{}", found.detail);
    }
}

#[test]
fn a_size_that_a_manifest_does_not_state_contradicts_nothing() {
    let sizes = [
        ("", true),
        (r#","size":0"#, true),
        (r#","size":null"#, true),
        (r#","size":-0"#, true),
        (r#","size":7"#, true),
        (r#","size":8"#, false),
        (r#","size":-7"#, false),
        (r#","size":-9223372036854775808"#, false),
    ];
    for (size, agrees) in sizes {
        let scratch = Scratch::new();
        let digest = scratch.blob(b"weights");
        let layer = format!(
            r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"{digest}"{size}}}"#
        );
        let manifest = format!(r#"{{"schemaVersion":2,"layers":[{layer}]}}"#);
        scratch.manifest("a", manifest.as_bytes());
        let store = scratch.store();
        assert_eq!(verify(&store).is_ok(), agrees, "verify, {size}");
        let issues = store.doctor().unwrap().issues;
        assert_eq!(issues.is_empty(), agrees, "doctor, {size}");
        let incomplete = store.model("a").unwrap().incomplete();
        assert_eq!(incomplete.is_empty(), agrees, "incomplete, {size}");
        let mut told = incomplete.iter().map(ToString::to_string);
        assert!(told.all(|it| !it.contains('-')), "{size}");
    }
}
