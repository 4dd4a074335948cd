//! Stores whose parts lie on other devices or belong to other users.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/devices.rs"]
mod devices;
#[path = "common/modelfiles.rs"]
mod modelfiles;

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::skip::not_here;
use common::{Scratch, name, reference};
use devices::elsewhere;
use modelfiles::Bench;
use modelkeep::{CopyMode, ErrorKind, GcOptions, ImportOptions, Store, VerifyOptions};

/// Every file and directory under a path, links not followed.
fn all_under(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    let mut at = 0;
    while let Some(next) = found.get(at).cloned() {
        at += 1;
        if next.symlink_metadata().unwrap().is_dir() {
            let entries = fs::read_dir(next).unwrap();
            found.extend(entries.map(|entry| entry.unwrap().path()));
        }
    }
    found
}

/// All kinds of changes, one after another; what is left is one model.
fn change(store: &Store, bench: &Bench) {
    let import = |to: &str| {
        let file = bench.write(format!("FROM tiny.gguf\nSYSTEM {to}"));
        store.import_modelfile(file, name(to), &ImportOptions::default())
    };
    import("a").unwrap();
    import("other.host/space/b:tag").unwrap();
    store.copy(&name("a"), &name("c")).unwrap();
    store
        .copy(&name("a"), &name("other.host/space/b:tag"))
        .unwrap();
    store.delete(reference("a")).unwrap();
    store.delete(reference("other.host/space/b:tag")).unwrap();
    let gc = GcOptions::default().grace(Duration::ZERO).partials(true);
    store.gc(&gc).unwrap();
    let listing = store.list().unwrap();
    assert!(listing.problems.is_empty(), "{:?}", listing.problems);
    let names: Vec<String> = listing.models.iter().map(|m| m.name.to_string()).collect();
    assert_eq!(names, ["c:latest"]);
    let report = store.verify(&VerifyOptions::default());
    assert!(report.unwrap().is_ok());
}

/// The names in a directory but for ours.
fn unknown_files(directory: &Path, is_ours: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !is_ours(name)).collect()
}

#[test]
fn blobs_and_manifests_may_lie_on_another_device() {
    for part in ["blobs", "manifests"] {
        let bench = Bench::new();
        let Some(other) = elsewhere(bench.scratch.root()) else {
            return;
        };
        symlink(other.path(), bench.scratch.root().join(part)).unwrap();
        change(&bench.store(), &bench);
        let is_ours = |name: &str| {
            matches!(name, ".modelkeep" | "registry.ollama.ai") || name.starts_with("sha256-")
        };
        assert!(unknown_files(other.path(), is_ours).is_empty());
    }
}

#[test]
fn a_delete_may_be_the_first_change_where_the_blobs_are_on_another_device() {
    let scratch = Scratch::new();
    let Some(other) = elsewhere(scratch.root()) else {
        return;
    };
    symlink(other.path(), scratch.root().join("blobs")).unwrap();
    let digests = scratch.model("a", &[b"weights"]);
    let deleted = scratch.store().delete(reference("a")).unwrap();
    assert_eq!(deleted.blobs.len(), digests.len());
    let is_ours = |name: &str| name == ".modelkeep";
    assert!(unknown_files(other.path(), is_ours).is_empty());
}

#[test]
fn a_directory_of_manifests_may_be_a_link_to_another_device() {
    let bench = Bench::new();
    let Some(other) = elsewhere(bench.scratch.root()) else {
        return;
    };
    let manifests = bench.scratch.root().join("manifests");
    fs::create_dir(&manifests).unwrap();
    symlink(other.path(), manifests.join("registry.ollama.ai")).unwrap();
    change(&bench.store(), &bench);
    assert!(unknown_files(other.path(), |name| name == "library").is_empty());
    let model = other.path().join("library/c");
    assert!(unknown_files(&model, |name| name == "latest").is_empty());
}

#[test]
fn root_writes_for_the_owner_of_the_store() {
    let bench = Bench::new();
    let root = bench.scratch.root();
    if root.metadata().unwrap().uid() != 0 {
        not_here("files of another owner", "the user is not root");
        return;
    }
    chown(root, Some(12345), Some(12346)).unwrap();
    // The directories of the store are made for the owner, too.
    change(&bench.store(), &bench);
    for path in all_under(root) {
        let metadata = path.symlink_metadata().unwrap();
        let owner = (metadata.uid(), metadata.gid());
        assert_eq!(owner, (12345, 12346), "{}", path.display());
    }
}

#[test]
fn a_hard_link_keeps_its_owner_and_is_refused_where_that_would_lock_a_server_out() {
    let bench = Bench::new();
    let root = bench.scratch.root();
    if root.metadata().unwrap().uid() != 0 {
        not_here("files of another owner", "the user is not root");
        return;
    }
    fs::create_dir(root.join("blobs")).unwrap();
    chown(root.join("blobs"), Some(12345), Some(12346)).unwrap();
    let options = ImportOptions::new().copy_mode(CopyMode::HardLink);
    let file = bench.path("tiny.gguf");
    let refused = bench.store().import(&file, name("a"), &options);
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("12345"), "{error}");
    assert_eq!(file.metadata().unwrap().uid(), 0);

    let store = Store::open_with(bench.scratch.options().foreign_owner(true)).unwrap();
    store.import(&file, name("a"), &options).unwrap();
    assert_eq!(file.metadata().unwrap().uid(), 0);
}
