//! What a starting reference server did to recorded stores, `Store::maintain` does when asked.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use common::Scratch;
use modelkeep::{DeleteOptions, Digest, GcOptions, Store, StoreOptions};
use serde_json::Value;

/// The files of `blobs/` after the first request of a recording.
fn recorded_blobs(case: &Path) -> Vec<String> {
    let text = fs::read_to_string(case.join("cases.jsonl")).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let blobs = first["fs_after"]["blobs"].as_array().unwrap();
    let names = blobs.iter().map(|blob| blob.as_str().unwrap().to_owned());
    // What lies in a directory of a stranger's is nobody's business.
    names.filter(|name| !name.contains('/')).collect()
}

/// The recorded store, its blobs older than any grace.
fn unpacked(case: &Path, to: &Path) -> Store {
    let archive = case.join("store.tar.gz");
    let mut tar = Command::new("tar");
    assert!(
        tar.arg("xzf")
            .arg(archive)
            .arg("-C")
            .arg(to)
            .status()
            .unwrap()
            .success()
    );
    let long_ago = SystemTime::now() - Duration::from_secs(86_400);
    for entry in fs::read_dir(to.join("blobs")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::File::open(path)
                .unwrap()
                .set_modified(long_ago)
                .unwrap();
        }
    }
    Store::open_with(StoreOptions::new(to).delete_delay(Duration::ZERO)).unwrap()
}

fn blobs(store: &Store) -> Vec<String> {
    let entries = fs::read_dir(store.path().join("blobs")).unwrap();
    let files = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.is_dir());
    let names = files.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn maintenance_leaves_the_blobs_that_a_starting_server_leaves() {
    let case = common::shared("golden/startup-prune").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let store = unpacked(&case, scratch.path());
    let before = blobs(&store);
    store.list().unwrap();
    assert_eq!(blobs(&store), before, "listing changes nothing");
    // What was just unpacked is young, whatever its times say.
    assert!(store.maintain().unwrap().collected.blobs.is_empty());
    store
        .maintain_with(&GcOptions::default().grace(Duration::ZERO))
        .unwrap();
    let mut expected = recorded_blobs(&case);
    // Ollama compares how digests are spelled, and removes blobs that models use; we
    // compare digests.
    for line in store.list().unwrap().models {
        for digest in store.model(line.name).unwrap().manifest().digests() {
            let name = format!("sha256-{}", digest.hex());
            if before.contains(&name) && !expected.contains(&name) {
                expected.push(name);
            }
        }
    }
    expected.sort();
    assert_eq!(blobs(&store), expected);
}

#[test]
fn nothing_is_pruned_beside_a_manifest_that_cannot_be_read() {
    let case = common::shared("golden/startup-corrupt").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let store = unpacked(&case, scratch.path());
    let error = store.maintain().unwrap_err();
    assert_eq!(error.kind(), modelkeep::ErrorKind::Corrupt, "{error}");
    assert_eq!(blobs(&store), recorded_blobs(&case));
}

#[test]
fn old_names_are_changed_without_pruning() {
    let case = common::shared("golden/startup-noprune").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let store = unpacked(&case, scratch.path());
    assert!(!store.rename_old_blobs().unwrap().is_empty());
    assert_eq!(blobs(&store), recorded_blobs(&case));
}

/// A store in which a collection and maintenance find something of every kind.
fn littered() -> Scratch {
    let scratch = Scratch::new();
    let used = scratch.model("a", &[b"weights"]);
    let old = |digest: &Digest| format!("blobs/sha256:{}", digest.hex());
    let blobs = scratch.root().join("blobs");
    fs::rename(
        scratch.blob_path(&used[1]),
        scratch.root().join(old(&used[1])),
    )
    .unwrap();
    scratch.blob(b"orphan");
    scratch.write(&old(&Digest::of(b"old orphan")), b"old orphan");
    let twice = scratch.blob(b"of two names");
    fs::hard_link(scratch.blob_path(&twice), scratch.root().join(old(&twice))).unwrap();
    let both = scratch.blob(b"in two files");
    scratch.write(&old(&both), b"in two files");
    scratch.write("blobs/sha256-1-partial", b"leftover");
    scratch.write("blobs/unknown", b"unknown");
    std::os::unix::fs::symlink("/nonexistent", blobs.join("link")).unwrap();
    for (room, bytes) in [("trash", &b"trashed"[..]), ("quarantine", b"damaged")] {
        let name = format!("sha256-{}.1-0-0", Digest::of(bytes).hex());
        scratch.write(&format!(".modelkeep/{room}/{name}"), bytes);
    }
    scratch.write(".modelkeep/tmp/.modelkeep-1-0-0", b"staged");
    scratch
}

/// Everything below a directory, with all that a call could change of it but the time of access.
fn tree(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            found.extend(tree(&path));
        }
        let times = [
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
        ];
        let file = [
            metadata.ino(),
            metadata.nlink(),
            metadata.size(),
            metadata.mode().into(),
        ];
        let bytes = metadata.is_file().then(|| fs::read(&path).unwrap());
        found.push((path, format!("{times:?} {file:?} {bytes:?}")));
    }
    found.sort();
    found
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_a_run_does() {
    for grace in [Duration::ZERO, Duration::from_secs(3600)] {
        for options in [
            GcOptions::new().grace(grace),
            GcOptions::new().grace(grace).partials(true),
            GcOptions::new().grace(grace).quarantine(true),
        ] {
            let scratch = littered();
            let store = scratch.store();
            let look = options.clone().dry_run(true);
            let before = tree(scratch.root());
            assert!(store.gc(&look).unwrap().dry_run);
            let delete = DeleteOptions::new().dry_run(true);
            let would_go = store.delete_with(["a", "missing"], &delete).unwrap();
            assert_eq!((would_go.models.len(), would_go.failed.len()), (1, 1));
            let mut would = store.maintain_with(&look).unwrap();
            assert_eq!(tree(scratch.root()), before, "{options:?}");
            assert_eq!(would.renamed.len(), 3);
            let maintained = store.maintain_with(&options).unwrap();
            would.collected.dry_run = false;
            assert_eq!(would, maintained, "{options:?}");
        }
    }
}

/// A rename makes a blob young, and a dry run knows it.
#[test]
fn what_maintenance_renames_stays_until_it_is_old_again() {
    let scratch = littered();
    // Older than the grace, and any call of ours is done within it.
    std::thread::sleep(Duration::from_millis(5_200));
    let options = GcOptions::new().grace(Duration::from_secs(5));
    let store = scratch.store();
    let mut would = store.maintain_with(&options.clone().dry_run(true)).unwrap();
    let maintained = store.maintain_with(&options).unwrap();
    would.collected.dry_run = false;
    assert_eq!(would, maintained);
    let orphan = |bytes: &[u8]| store.has_blob(&Digest::of(bytes));
    assert!(orphan(b"old orphan") && !orphan(b"orphan"));
}

#[test]
fn a_dry_run_that_fails_changes_nothing() {
    let scratch = littered();
    scratch.manifest("torn", b"{");
    let look = GcOptions::new().grace(Duration::ZERO).dry_run(true);
    let before = tree(scratch.root());
    assert!(scratch.store().gc(&look).is_err());
    assert!(scratch.store().maintain_with(&look).is_err());
    let delete = DeleteOptions::new().dry_run(true);
    let would_go = scratch.store().delete_with(["a"], &delete).unwrap();
    assert_eq!((would_go.blobs.len(), would_go.kept.len()), (0, 1));
    assert_eq!(tree(scratch.root()), before);
}

#[test]
fn a_dry_run_of_a_delete_says_what_goes_with_the_trash() {
    let scratch = littered();
    let own = scratch.model("b", &[b"in the trash"]);
    let trash = scratch.root().join(".modelkeep/trash");
    fs::rename(
        scratch.blob_path(&own[1]),
        trash.join(format!("sha256-{}.1-0-1", own[1].hex())),
    )
    .unwrap();
    let store = scratch.store();
    let before = tree(scratch.root());
    let look = DeleteOptions::new().dry_run(true);
    let would_go = store.delete_with(["a", "b"], &look).unwrap();
    assert_eq!(tree(scratch.root()), before);
    let deleted = store.delete_all(["a", "b"]).unwrap();
    assert_eq!(
        (would_go.blobs, would_go.bytes),
        (deleted.blobs, deleted.bytes)
    );
}
