//! A decision rests on a moment: what has changed since is looked at again, or left alone.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use modelkeep::{CopyMode, ImportOptions, ListOptions};

use crate::common::{Scratch, fixture, name, reference};
use crate::{at_once, verify};

fn blocks(path: &Path) -> u64 {
    path.metadata().unwrap().blocks() * 512
}

#[test]
fn repair_leaves_a_blob_that_was_put_right_after_it_was_verified() {
    let good = b"weights of a";
    let heal: [fn(&Path); 3] = [
        |path| {
            let other = path.with_file_name("pulled");
            fs::write(&other, b"weights of a").unwrap();
            fs::rename(other, path).unwrap();
        },
        |path| fs::write(path, b"weights of a").unwrap(),
        |path| {
            fs::remove_file(path).unwrap();
            fs::write(path, b"weights of a").unwrap();
        },
    ];
    for damaged in [&b"weights of B"[..], b"short"] {
        for heal in heal {
            let scratch = Scratch::new();
            let digests = scratch.model("a", &[good]);
            let path = scratch.blob_path(&digests[1]);
            fs::write(&path, damaged).unwrap();
            let store = scratch.store();
            let report = verify(&store);
            heal(&path);
            let repaired = store.repair(&report).unwrap();
            assert_eq!(repaired.changed, [digests[1]]);
            assert!(repaired.quarantined.is_empty());
            assert!(verify(&store).is_ok());
        }
    }
}

#[test]
fn repair_moves_what_still_is_what_was_verified() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights of a", b"more weights"]);
    for digest in &digests[1..] {
        fs::write(scratch.blob_path(digest), b"damaged").unwrap();
    }
    let store = scratch.store();
    let repaired = store.repair(&verify(&store)).unwrap();
    assert_eq!((repaired.quarantined.len(), repaired.changed.len()), (2, 0));
    assert!(!scratch.blob_path(&digests[1]).exists());
    // The same report again finds nothing to move, and takes nothing that came since.
    let report = verify(&store);
    scratch.model("a", &[b"weights of a", b"more weights"]);
    assert!(store.repair(&report).unwrap().quarantined.is_empty());
    assert!(verify(&store).is_ok());
}

#[test]
fn of_two_names_of_a_digest_neither_is_renamed_over_the_other() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights of a"]);
    let old = scratch.root().join("blobs").join(digests[1].to_string());
    fs::write(&old, b"damaged long ago").unwrap();
    let store = scratch.store();
    assert!(store.rename_old_blobs().unwrap().is_empty());
    assert!(verify(&store).is_ok());
    assert_eq!(fs::read(&old).unwrap(), b"damaged long ago");
}

#[test]
fn two_names_of_one_blob_become_one() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights of a"]);
    let new = scratch.blob_path(&digests[1]);
    let old = scratch.root().join("blobs").join(digests[1].to_string());
    fs::hard_link(&new, &old).unwrap();
    let store = scratch.store();
    assert_eq!(
        store.rename_old_blobs().unwrap(),
        std::slice::from_ref(&new)
    );
    assert!(!old.exists() && new.exists());
    assert!(store.rename_old_blobs().unwrap().is_empty());
}

#[test]
fn linking_bytes_that_are_stored_leaves_no_hidden_link() {
    let scratch = Scratch::new();
    let file = scratch.root().join("mine.gguf");
    fs::copy(fixture(), &file).unwrap();
    let store = scratch.store();
    let options = ImportOptions::new().copy_mode(CopyMode::HardLink);
    for model in ["one", "two"] {
        store.import(&file, name(model), &options).unwrap();
        let tmp = fs::read_dir(scratch.root().join(".modelkeep/tmp")).unwrap();
        assert_eq!(tmp.count(), 0, "{model}");
    }
    assert_eq!(file.metadata().unwrap().nlink(), 2);
}

#[test]
fn only_what_becomes_free_is_counted_as_freed() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"linked from outside", b"ours alone"]);
    let outside = tempfile::tempdir_in(scratch.root().parent().unwrap()).unwrap();
    let linked = scratch.blob_path(&digests[1]);
    fs::hard_link(&linked, outside.path().join("mine")).unwrap();
    let sparse = scratch
        .root()
        .join(format!("blobs/sha256-{}-partial", "0".repeat(64)));
    fs::File::create(&sparse).unwrap().set_len(1 << 30).unwrap();
    let usage = scratch.store().usage().unwrap();
    assert_eq!(usage.held_outside, blocks(&linked));
    assert_eq!(usage.partials.bytes, blocks(&sparse));
    let own = blocks(&scratch.blob_path(&digests[0])) + blocks(&scratch.blob_path(&digests[2]));
    let deleted = scratch.store().delete(reference("a")).unwrap();
    assert_eq!((deleted.blobs.len(), deleted.bytes), (3, own));
    let dry = scratch
        .store()
        .gc(&at_once().partials(true).dry_run(true))
        .unwrap();
    let collected = scratch.store().gc(&at_once().partials(true)).unwrap();
    assert!(collected.bytes < 1 << 20, "{}", collected.bytes);
    assert_eq!(dry.bytes, collected.bytes);
}

#[test]
fn a_file_with_two_names_here_is_freed_once_by_the_last() {
    let scratch = Scratch::new();
    scratch.model("keep", &[b"kept"]);
    let orphan = scratch.blob(b"orphan");
    let path = scratch.blob_path(&orphan);
    let bytes = blocks(&path);
    fs::hard_link(&path, scratch.root().join("blobs").join(orphan.to_string())).unwrap();
    let dry = scratch.store().gc(&at_once().dry_run(true)).unwrap();
    let collected = scratch.store().gc(&at_once()).unwrap();
    assert_eq!((dry.bytes, collected.bytes), (bytes, bytes));
    assert_eq!((dry.blobs, collected.blobs), (vec![orphan], vec![orphan]));
}

#[test]
fn a_delete_that_frees_less_says_who_uses_the_rest() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"shared", b"own of a"]);
    scratch.model("b", &[b"shared"]);
    scratch.store().copy(&name("b"), &name("c")).unwrap();
    let deleted = scratch.store().delete(reference("a")).unwrap();
    let [shared] = deleted.shared.as_slice() else {
        panic!("{}", deleted.to_json().unwrap())
    };
    assert_eq!(
        (shared.digest, shared.bytes),
        (digests[1], blocks(&scratch.blob_path(&digests[1])))
    );
    assert_eq!(shared.models, [name("b"), name("c")]);
}

#[test]
fn a_good_blob_is_no_models_fault_but_that_of_the_manifest_that_is_wrong() {
    let scratch = Scratch::new();
    let digests = scratch.model("right", &[b"weights"]);
    for (model, size) in [
        ("nothing", ""),
        ("more", r#","size":9"#),
        ("less", r#","size":-1"#),
    ] {
        let manifest = format!(r#"{{"layers":[{{"digest":"{}"{size}}}]}}"#, digests[1]);
        scratch.manifest(model, manifest.as_bytes());
    }
    let store = scratch.store();
    let report = verify(&store);
    let broken: Vec<_> = report
        .models
        .iter()
        .map(|model| model.name.to_string())
        .collect();
    assert_eq!(broken, ["less:latest", "more:latest"]);
    assert!(report.blobs.iter().all(|found| found.is_intact));
    assert!(store.repair(&report).unwrap().quarantined.is_empty());
}

#[test]
fn a_list_that_is_asked_marks_what_is_incomplete() {
    let scratch = Scratch::new();
    let cut = scratch.model("cut", &[b"weights of cut"]);
    let gone = scratch.model("gone", &[b"weights of gone"]);
    scratch.model("whole", &[b"weights of whole"]);
    let only = scratch.blob(b"the only blob");
    let layer = r#"{"mediaType":"application/vnd.ollama.image.model","digest":"#;
    let text = format!(r#"{{"layers":[{layer}"{only}","size":13}}]}}"#);
    scratch.manifest("only", text.as_bytes());
    fs::write(scratch.blob_path(&only), b"the only").unwrap();
    fs::write(scratch.blob_path(&cut[1]), b"weigh").unwrap();
    fs::remove_file(scratch.blob_path(&gone[1])).unwrap();
    let store = scratch.store();
    let listing = store
        .list_with(&ListOptions::default().check_blobs(true))
        .unwrap();
    let of = |model: &str| {
        let line = listing.models.iter().find(|line| line.name == name(model));
        let lacks = line.unwrap().incomplete.iter();
        lacks.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(of("cut"), ["5 of 14 bytes"]);
    assert_eq!(of("gone"), ["missing"]);
    assert_eq!(of("only"), ["8 of 13 bytes"]);
    assert!(of("whole").is_empty());
    let unasked = store.list().unwrap();
    assert!(unasked.models.iter().all(|line| line.incomplete.is_empty()));
    assert_eq!(unasked.to_json(), listing.to_json());
}
