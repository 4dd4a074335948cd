//! What is in our own directories is in use, or nobody's, or not ours at all.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use modelkeep::{BlobStatus, ErrorKind, Store, StoreOptions};

use crate::common::{Scratch, name, reference};
use crate::{at_once, verify};

#[test]
fn what_is_in_use_in_the_trash_is_not_said_to_be_unused() {
    let scratch = Scratch::new();
    let used = scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    for digest in [&used[1], &orphan] {
        scratch.put_aside(digest);
    }
    let dry = scratch.store().gc(&at_once().dry_run(true)).unwrap();
    assert_eq!(dry.blobs, [orphan]);
}

#[test]
fn the_trash_of_a_store_without_a_manifest_goes_only_when_asked() {
    let scratch = Scratch::new();
    let orphan = scratch.blob(b"its manifest is on a disk that is away");
    let aside = scratch.put_aside(&orphan);
    let store = scratch.store();
    let error = store.gc(&at_once().all(false)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(aside.exists());
    assert_eq!(store.gc(&at_once()).unwrap().blobs, [orphan]);
}

#[test]
fn while_a_manifest_is_unreadable_the_trash_goes_home() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let perhaps = scratch.blob(b"perhaps the torn one's");
    scratch.put_aside(&perhaps);
    scratch.manifest("torn", b"{");
    scratch.store().copy(&name("a"), &name("b")).unwrap();
    assert!(scratch.blob_path(&perhaps).exists());
}

#[test]
fn only_a_blob_that_is_in_the_trash_is_said_to_be_there() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    fs::remove_file(scratch.blob_path(&digests[1])).unwrap();
    scratch.put_aside(&scratch.blob(b"orphan"));
    let store = scratch.store();
    let report = verify(&store);
    let missing = report
        .blobs
        .iter()
        .find(|found| found.status == BlobStatus::Missing);
    assert!(!missing.unwrap().detail.contains("trash"));
    let model = store.model(reference("a")).unwrap();
    let error = model.gguf().unwrap_err();
    assert!(!error.to_string().contains("trash"), "{error}");
    let aside = scratch.put_aside(&scratch.blob(b"weights"));
    let error = model.gguf().unwrap_err().to_string();
    assert!(error.contains(aside.to_str().unwrap()), "{error}");
}

#[test]
fn a_link_that_was_a_blob_goes_home_or_away_and_what_it_leads_to_stays() {
    for is_used in [true, false] {
        let scratch = Scratch::new();
        let digests = scratch.model("a", &[b"weights"]);
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::write(outside.path(), b"weights").unwrap();
        let home = scratch.blob_path(&digests[1]);
        fs::remove_file(&home).unwrap();
        symlink(outside.path(), &home).unwrap();
        let aside = scratch.put_aside(&digests[1]);
        if !is_used {
            fs::remove_file(scratch.manifest_path("a")).unwrap();
        }
        scratch.store().gc(&at_once()).unwrap();
        assert!(aside.symlink_metadata().is_err());
        assert_eq!(home.is_symlink(), is_used);
        assert!(outside.path().exists());
    }
}

#[test]
fn a_link_among_staged_files_is_nobodys_leftover() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let outside = tempfile::NamedTempFile::new().unwrap();
    let link = scratch.root().join(".modelkeep/tmp/link");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(outside.path(), &link).unwrap();
    let store = scratch.store();
    assert_eq!(
        store.gc(&at_once()).unwrap().leftovers,
        Vec::<PathBuf>::new()
    );
    assert!(link.is_symlink());
    assert_eq!(store.usage().unwrap().staged.files, 0);
}

#[test]
fn nothing_behind_a_link_in_the_place_of_our_directory_is_taken() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), scratch.root().join(".modelkeep")).unwrap();
    let orphan = scratch.blob(b"orphan");
    let aside = scratch.put_aside(&orphan);
    let store = scratch.store();
    assert_eq!(store.usage().unwrap().trash.files, 0);
    assert_eq!(store.gc(&at_once().dry_run(true)).unwrap().blobs, []);
    assert!(store.gc(&at_once()).is_err());
    assert!(aside.exists());
}

/// A second root whose `blobs/` is a link to the first one's.
fn sharing(first: &Scratch) -> (tempfile::TempDir, Store) {
    let second = tempfile::tempdir().unwrap();
    symlink(first.root().join("blobs"), second.path().join("blobs")).unwrap();
    let options = StoreOptions::new(second.path()).delete_delay(Duration::ZERO);
    let store = Store::open_with(options).unwrap();
    (second, store)
}

#[test]
fn the_trash_beside_shared_blobs_is_known_from_both_sides() {
    let first = Scratch::new();
    let digests = first.model("a", &[b"weights"]);
    let (_second, store) = sharing(&first);
    let aside = first.put_aside(&digests[1]);
    assert_eq!(store.usage().unwrap().trash.files, 1);
    store.add_blob(&mut &b"new"[..], None).unwrap();
    assert!(first.blob_path(&digests[1]).exists() && !aside.exists());
}

/// A call that leaves something in the trash that is in use says so, and takes nothing for it.
#[test]
fn what_is_in_use_and_cannot_go_home_is_told_by_whoever_changes_the_store() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    scratch.model("b", &[b"other weights"]);
    let aside = scratch.put_aside(&digests[1]);
    // A directory in its place, in which something is.
    let home = scratch.blob_path(&digests[1]);
    fs::create_dir_all(home.join("in the way")).unwrap();
    let store = scratch.store();
    let names_it = |text: &str| text.contains(&digests[1].hex());
    let deleted = store.delete("b").unwrap();
    let told = deleted.kept.iter().map(ToString::to_string);
    assert!(told.clone().any(|text| names_it(&text)), "{deleted:?}");
    let collected = store.gc(&at_once()).unwrap();
    assert!(
        collected.kept.iter().any(|text| names_it(text)),
        "{collected:?}"
    );
    assert!(aside.exists());
    fs::remove_dir_all(&home).unwrap();
    assert_eq!(store.gc(&at_once()).unwrap().restored, [digests[1]]);
    assert!(verify(&store).is_ok());
}
