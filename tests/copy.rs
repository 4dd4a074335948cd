//! Copying: one more name for the same blobs.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use common::{Scratch, name};
use modelkeep::{CopyOptions, ErrorKind};

#[test]
fn a_copy_has_the_bytes_of_its_source() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let copied = scratch.store().copy(&name("a"), &name("ns/b:t")).unwrap();
    assert_eq!(
        (copied.from, copied.to, copied.replaced),
        (name("a"), name("ns/b:t"), false)
    );
    let bytes = |name| fs::read(scratch.manifest_path(name)).unwrap();
    assert_eq!(bytes("a"), bytes("ns/b:t"));
}

#[test]
fn a_missing_source_is_not_found_and_nothing_changes() {
    let scratch = Scratch::new();
    scratch.model("a", &[]);
    let before = scratch.snapshot();
    for to in ["b", "x/y:z", "nope"] {
        let error = scratch.store().copy(&name("nope"), &name(to)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "model 'nope:latest' not found");
    }
    assert_eq!(scratch.snapshot(), before);
}

#[test]
fn a_destination_that_differs_only_in_case_is_the_existing_one() {
    let scratch = Scratch::new();
    scratch.model("one", &[b"1"]);
    scratch.model("Two", &[b"2"]);
    let store = scratch.store();
    let copied = store.copy(&name("ONE"), &name("two")).unwrap();
    assert_eq!(
        (copied.from, copied.to, copied.replaced),
        (name("one"), name("Two"), true)
    );
    assert!(!scratch.manifest_path("two").exists());
    assert_eq!(
        store.copy(&name("one"), &name("ONE")).unwrap().to,
        name("one")
    );
}

#[test]
fn a_link_is_replaced_and_its_target_stays() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"1"]);
    scratch.model("b", &[b"2"]);
    let link = scratch.manifest_path("link");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(scratch.manifest_path("a"), &link).unwrap();
    let before = fs::read(scratch.manifest_path("a")).unwrap();
    let store = scratch.store();
    store.copy(&name("b"), &name("link")).unwrap();
    store.copy(&name("a"), &name("a")).unwrap();
    assert_eq!(fs::read(scratch.manifest_path("a")).unwrap(), before);
    assert!(link.symlink_metadata().unwrap().is_file());
}

#[test]
fn a_manifest_that_does_not_decode_is_copied_as_it_is() {
    let scratch = Scratch::new();
    scratch.manifest("bad", b"{\"layers\":");
    scratch.store().copy(&name("bad"), &name("worse")).unwrap();
    assert_eq!(
        fs::read(scratch.manifest_path("worse")).unwrap(),
        b"{\"layers\":"
    );
}

#[test]
fn a_read_only_store_is_not_changed() {
    let scratch = Scratch::new();
    scratch.model("a", &[]);
    let before = scratch.snapshot();
    let store = modelkeep::Store::open_with(scratch.options().read_only(true)).unwrap();
    let error = store.copy(&name("a"), &name("b")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert_eq!(scratch.snapshot(), before);
    assert!(!scratch.root().join(".modelkeep").exists());
}

#[test]
fn a_model_is_replaced_unless_it_may_not_be() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"one"]);
    scratch.model("B", &[b"two"]);
    let store = scratch.store();
    let before = scratch.snapshot();
    let keeping = CopyOptions::new().replace(false);
    for to in ["B", "b", "a"] {
        let error = store.copy_with("a", to, &keeping).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{to}");
        assert!(error.to_string().contains("already exists"), "{error}");
    }
    assert_eq!(scratch.snapshot(), before);
    assert!(!store.copy_with("a", "c", &keeping).unwrap().replaced);
    assert!(
        store
            .copy_with("a", "b", &CopyOptions::new())
            .unwrap()
            .replaced
    );
}

#[test]
fn a_rename_moves_the_name_and_nothing_else() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"one", b"two"]);
    scratch.manifest("torn", b"{\"layers\":");
    let text = fs::read(scratch.manifest_path("a")).unwrap();
    let store = scratch.store();
    let blobs = fs::read_dir(scratch.root().join("blobs")).unwrap().count();
    let renamed = store.rename("a", "team/b:q4").unwrap();
    assert_eq!((renamed.from, renamed.to), (name("a"), name("team/b:q4")));
    assert_eq!(fs::read(scratch.manifest_path("team/b:q4")).unwrap(), text);
    assert!(store.find("a").unwrap().is_none());
    assert_eq!(
        fs::read_dir(scratch.root().join("blobs")).unwrap().count(),
        blobs
    );
    for (from, to, kind) in [
        ("a", "c", ErrorKind::NotFound),
        ("torn", "team/b:q4", ErrorKind::AlreadyExists),
        ("team/b:q4", "TEAM/b:q4", ErrorKind::AlreadyExists),
    ] {
        assert_eq!(
            store.rename(from, to).unwrap_err().kind(),
            kind,
            "{from} {to}"
        );
    }
    store.rename("torn", "bad").unwrap();
    assert!(scratch.manifest_path("bad").exists() && !scratch.manifest_path("torn").exists());
}

#[test]
fn of_an_alias_that_is_renamed_the_link_goes_and_the_model_stays() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"one"]);
    let model = scratch.manifest_path("a").parent().unwrap().to_owned();
    std::os::unix::fs::symlink("a", model.with_file_name("alias")).unwrap();
    let store = scratch.store();
    store.rename("alias", "b").unwrap();
    assert!(!model.with_file_name("alias").is_symlink());
    assert!(scratch.manifest_path("a").exists() && scratch.manifest_path("b").exists());
}
