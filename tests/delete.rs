//! Deleting: the name first, and then what nobody else uses.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use common::{Scratch, name, reference};
use modelkeep::{DeleteOptions, Deleted, Digest, ErrorKind};

#[test]
fn blobs_that_another_model_uses_stay() {
    let scratch = Scratch::new();
    let a = scratch.model("a", &[b"shared", b"own"]);
    scratch.model("b", &[b"shared"]);
    let deleted = scratch.store().delete(reference("a")).unwrap();
    let mut expected = vec![a[0], a[2]];
    expected.sort();
    assert_eq!(deleted.blobs, expected);
    assert!(scratch.blob_path(&a[1]).exists());
    assert!(!scratch.manifest_path("a").exists());
    assert!(scratch.manifest_path("b").exists());
}

#[test]
fn digests_in_another_spelling_are_the_same_blob() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    let spelled = digests[1]
        .to_string()
        .to_uppercase()
        .replace("SHA256:", "sha256-");
    let manifest = format!(r#"{{"layers":[{{"digest":"{spelled}"}}]}}"#);
    scratch.manifest("b", manifest.as_bytes());
    scratch.store().delete(reference("a")).unwrap();
    assert!(scratch.blob_path(&digests[1]).exists());
}

#[test]
fn while_a_manifest_is_unreadable_every_blob_stays() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    scratch.manifest("torn", b"");
    let deleted = scratch.store().delete(reference("a")).unwrap();
    assert_eq!((deleted.blobs.len(), deleted.kept.len()), (0, 1));
    assert_eq!(deleted.kept[0].name(), Some(&name("torn")));
    assert!(
        digests
            .iter()
            .all(|digest| scratch.blob_path(digest).exists())
    );
    scratch.store().delete(reference("torn")).unwrap();
    assert!(scratch.store().find(name("torn")).unwrap().is_none());
}

#[test]
fn an_unknown_file_keeps_no_blob() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    scratch.write("manifests/registry.ollama.ai/library/a/.DS_Store", b"\0\0");
    let deleted = scratch.store().delete(reference("a")).unwrap();
    assert_eq!(deleted.blobs.len(), digests.len());
}

#[test]
fn a_bad_digest_and_a_missing_blob_stop_nothing() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"weights");
    let missing = Digest::of(b"nowhere");
    let manifest = format!(
        r#"{{"layers":[{{"digest":"sha256:../../x"}},{{"digest":"{missing}"}},{{"digest":"{digest}"}}]}}"#
    );
    scratch.manifest("a", manifest.as_bytes());
    let deleted = scratch.store().delete(reference("a")).unwrap();
    assert_eq!(deleted.blobs, [digest]);
}

#[test]
fn a_batch_removes_what_is_there_and_names_what_is_not() {
    let scratch = Scratch::new();
    let a = scratch.model("a", &[b"both"]);
    let b = scratch.model("b", &[b"both"]);
    let names = [reference("a"), reference("nope"), reference("b")];
    let deleted = scratch.store().delete_all(&names).unwrap();
    assert_eq!(deleted.models, [name("a"), name("b")]);
    assert_eq!(deleted.failed.len(), 1);
    assert_eq!(deleted.failed[0].1.kind(), ErrorKind::NotFound);
    assert!(
        a.iter()
            .chain(&b)
            .all(|digest| !scratch.blob_path(digest).exists())
    );
    assert!(!scratch.root().join("manifests/registry.ollama.ai").exists());
}

#[test]
fn an_old_blob_name_is_found_and_removed() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    let old = scratch.root().join("blobs").join(digests[1].to_string());
    fs::rename(scratch.blob_path(&digests[1]), &old).unwrap();
    assert_eq!(scratch.store().blob_path(&digests[1]), old);
    scratch.store().delete(reference("a")).unwrap();
    assert!(!old.exists());
}

#[test]
fn a_link_goes_and_its_target_stays() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"1"]);
    let link = scratch.manifest_path("link");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(scratch.manifest_path("a"), &link).unwrap();
    let deleted = scratch.store().delete(reference("link")).unwrap();
    assert_eq!(deleted.blobs, []);
    assert!(scratch.manifest_path("a").exists());
}

#[test]
fn a_suffix_is_not_dropped_to_find_something_to_delete() {
    let scratch = Scratch::new();
    scratch.model("foo", &[]);
    let store = scratch.store();
    assert_eq!(
        store.delete(reference("foo:local")).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    scratch.model("foo:local", &[]);
    store.delete(reference("foo:local")).unwrap();
    assert!(scratch.manifest_path("foo").exists());
}

#[test]
fn where_no_blob_goes_there_is_no_trash() {
    let scratch = Scratch::new();
    let store = scratch.store();
    scratch.model("a", &[b"weights"]);
    store.copy("a", "b").unwrap();
    let blobs = |deleted: &modelkeep::Deleted| (deleted.blobs.len(), deleted.shared.len());
    assert_eq!(blobs(&store.delete("a").unwrap()), (0, 2));
    let private = scratch.root().join(".modelkeep");
    let trash = private.join("trash");
    assert!(private.exists() && !trash.exists());
    // A blob that is missing goes nowhere either, nor does one that an unreadable manifest may use.
    let missing = scratch.model("c", &[b"missing"]);
    missing
        .iter()
        .for_each(|digest| fs::remove_file(scratch.blob_path(digest)).unwrap());
    store.delete("c").unwrap();
    scratch.model("d", &[b"kept"]);
    scratch.manifest("torn", b"");
    store.delete("d").unwrap();
    assert!(!trash.exists());
    store.delete("torn").unwrap();
    assert_eq!(blobs(&store.delete("b").unwrap()), (2, 0));
    assert!(trash.exists());
}

#[test]
fn a_dry_run_says_what_a_delete_does_then() {
    let cases: [&[&str]; 6] = [
        &["a"],
        &["a", "b"],
        &["b", "alias"],
        &["alias"],
        &["torn"],
        &["c", "missing"],
    ];
    for names in cases {
        let scratch = Scratch::new();
        let shared = [b"shared 1", b"shared 2", b"shared 3", b"shared 4"].map(<[u8; 8]>::as_slice);
        scratch.model("a", &[&shared[..], &[b"own of a"]].concat());
        scratch.model("b", &[&shared[..], &[b"own of b"]].concat());
        let [.., c] = scratch.model("c", &[b"own of c"])[..] else {
            panic!("a config and a layer")
        };
        let a = scratch.manifest_path("a").parent().unwrap().to_owned();
        symlink("a", a.with_file_name("alias")).unwrap();
        if names == ["torn"] {
            scratch.manifest("torn", b"");
        }
        let twice = scratch.blob_path(&c);
        fs::hard_link(&twice, scratch.root().join("outside")).unwrap();
        // Under its old name, too.
        fs::copy(&twice, scratch.root().join("blobs").join(c.to_string())).unwrap();
        let before = scratch.snapshot();
        let store = modelkeep::Store::open_with(scratch.options().read_only(true)).unwrap();
        let options = DeleteOptions::new().dry_run(true);
        let planned = store.delete_with(names.iter().copied(), &options).unwrap();
        assert_eq!(scratch.snapshot(), before, "{names:?}");
        assert!(!scratch.root().join(".modelkeep").exists());
        let done = scratch.store().delete_all(names.iter().copied()).unwrap();
        assert!(planned.dry_run && !done.dry_run);
        let facts = |it: &Deleted| {
            let (models, blobs) = (it.models.clone(), it.blobs.clone());
            let others = (it.shared.clone(), it.failed.len(), it.kept.len());
            (models, blobs, it.bytes, others)
        };
        assert_eq!(facts(&planned), facts(&done), "{names:?}");
        assert_eq!(planned.aliases.len(), done.aliases.len());
    }
}

#[test]
fn where_the_store_is_away_nothing_is_called_missing() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let store = scratch.store();
    let away = scratch.root().with_extension("away");
    fs::rename(scratch.root(), &away).unwrap();
    let error = store.delete_all(["a"]).unwrap_err();
    fs::rename(&away, scratch.root()).unwrap();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(store.delete_all(["a"]).unwrap().failed.is_empty());
}
