//! What only Windows does: files that others have open cannot be replaced or removed, and some
//! names are no files'.
#![cfg(windows)]
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::fs::{File, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use modelkeep::{
    ErrorKind, GcOptions, ImportOptions, LinkMode, LinkOptions, ShowOptions, Store, StoreOptions,
    VerifyOptions,
};

/// winnt.h, FILE_SHARE_READ
const SHARE_READ: u32 = 1;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny.gguf")
}

fn store() -> (tempfile::TempDir, Store) {
    let scratch = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(scratch.path().join("models")).create(true);
    let store = Store::open_with(options).unwrap();
    store
        .import(fixture(), "a", &ImportOptions::default())
        .unwrap();
    (scratch, store)
}

fn manifest(store: &Store, name: &str) -> PathBuf {
    let library = "manifests/registry.ollama.ai/library";
    store.path().join(library).join(name).join("latest")
}

/// Opens a file as a program does that shares it with readers only.
fn hold(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .share_mode(SHARE_READ)
        .open(path)
        .unwrap()
}

fn names(store: &Store) -> Vec<String> {
    let models = store.list().unwrap().models.into_iter();
    let mut names: Vec<String> = models.map(|model| model.name.to_string()).collect();
    names.sort();
    names
}

#[test]
fn a_manifest_that_another_has_open_is_busy_and_nothing_is_half_done() {
    let (_scratch, store) = store();
    store.copy("a", "b").unwrap();
    let before = std::fs::read(manifest(&store, "b")).unwrap();
    let held = hold(&manifest(&store, "b"));
    assert_eq!(store.delete("b").unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(store.copy("a", "b").unwrap_err().kind(), ErrorKind::Busy);
    let replacing = ImportOptions::default().replace(true);
    let error = store.import(fixture(), "b", &replacing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    assert_eq!(std::fs::read(manifest(&store, "b")).unwrap(), before);
    assert!(store.verify(&VerifyOptions::default()).unwrap().is_ok());
    drop(held);
    store.delete("b").unwrap();
    assert_eq!(names(&store), ["a:latest"]);
}

#[test]
fn a_blob_that_another_has_open_is_kept_and_goes_with_the_next_collection() {
    let (_scratch, store) = store();
    let blob = store.model("a").unwrap().gguf_path().unwrap();
    let held = hold(&blob);
    let deleted = store.delete("a").unwrap();
    assert_eq!((deleted.models.len(), deleted.blobs.len()), (1, 1));
    assert_eq!(deleted.kept[0].error().kind(), ErrorKind::Busy);
    assert!(blob.exists() && names(&store).is_empty());
    drop(held);
    let everything = GcOptions::new().grace(Duration::ZERO).all(true);
    let collected = store.gc(&everything).unwrap();
    assert!(collected.kept.is_empty() && !blob.exists());
}

#[test]
fn a_blob_that_is_mapped_is_removed_or_kept_whole() {
    let (_scratch, store) = store();
    let blob = store.model("a").unwrap().gguf_path().unwrap();
    let size = blob.metadata().unwrap().len();
    let gguf = store.model("a").unwrap().gguf().unwrap();
    let deleted = store.delete("a").unwrap();
    assert_eq!(
        blob.exists(),
        !deleted.kept.is_empty(),
        "{:?}",
        deleted.kept
    );
    if blob.exists() {
        assert_eq!(blob.metadata().unwrap().len(), size);
    }
    assert!(gguf.view().architecture().is_some());
    drop(gguf);
    let everything = GcOptions::new().grace(Duration::ZERO).all(true);
    store.gc(&everything).unwrap();
    assert!(!blob.exists());
}

#[test]
fn a_name_that_is_no_files_is_refused_and_makes_nothing() {
    let (_scratch, store) = store();
    for name in ["con", "x:nul", "aux/x", "host:5000/x/y", "lpt1.b", "x:1."] {
        for error in [
            store.copy("a", name).unwrap_err(),
            store
                .import(fixture(), name, &ImportOptions::default())
                .unwrap_err(),
            store.show(name, &ShowOptions::default()).unwrap_err(),
            store.delete(name).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{name}: {error}");
        }
    }
    assert_eq!(names(&store), ["a:latest"]);
}

#[test]
fn names_that_differ_in_case_are_one_model() {
    let (_scratch, store) = store();
    store.copy("a", "Some/B:Tag").unwrap();
    let copied = store.copy("a", "sOME/b:tAG").unwrap();
    assert_eq!(
        (copied.to.to_string().as_str(), copied.replaced),
        ("Some/B:Tag", true)
    );
    assert_eq!(names(&store), ["Some/B:Tag", "a:latest"]);
    assert_eq!(store.delete("some/b:tag").unwrap().models, [copied.to]);
}

#[test]
fn paths_are_those_of_ollama() {
    let (_scratch, store) = store();
    let blob = store.model("a").unwrap().gguf_path().unwrap();
    assert_eq!(blob.parent(), Some(store.path().join("blobs").as_path()));
    assert!(manifest(&store, "a").is_file());
    let shown = store.show("a", &ShowOptions::default()).unwrap();
    let from = format!("\nFROM {}\n", blob.display());
    assert!(shown.modelfile.contains(&from), "{}", shown.modelfile);
    assert!(
        from.contains(r"\blobs\sha256-") && !from.contains('/'),
        "{from}"
    );
}

/// Runs this test in a process of another profile.
#[test]
fn the_default_store_is_in_the_profile_of_the_user() {
    const PROFILE: &str = "MODELKEEP_TEST_PROFILE";
    if let Some(profile) = std::env::var_os(PROFILE) {
        let store = Store::open_default().unwrap();
        let models = Path::new(&profile).join(".ollama").join("models");
        assert_eq!(store.path(), models);
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let models = scratch.path().join(".ollama").join("models");
    Store::open_with(StoreOptions::new(models).create(true)).unwrap();
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_default_store_is_in_the_profile_of_the_user"])
        .env("USERPROFILE", scratch.path())
        .env(PROFILE, scratch.path())
        .env_remove("OLLAMA_MODELS")
        .status()
        .unwrap();
    assert!(status.success());
}

/// Since Windows 10 NTFS replaces and removes what all who have it open share; older systems and
/// wine refuse it.
#[test]
fn what_others_have_open_and_share_is_replaced_or_stays_whole() {
    let (_scratch, store) = store();
    store.copy("a", "b").unwrap();
    let before = std::fs::read(manifest(&store, "b")).unwrap();
    let shared = File::open(manifest(&store, "b")).unwrap();
    match store.copy("a", "b") {
        Ok(copied) => assert!(copied.replaced),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "{error}"),
    }
    assert_eq!(std::fs::read(manifest(&store, "b")).unwrap(), before);
    drop(shared);
    store.delete("b").unwrap();
    assert_eq!(names(&store), ["a:latest"]);
}

#[test]
fn a_link_needs_no_privilege() {
    let (scratch, store) = store();
    let linked = store
        .link("a", scratch.path().join("links"), &LinkOptions::new())
        .unwrap();
    let link = &linked.links[0];
    assert_ne!(link.mode, LinkMode::Symlink);
    let blob = store.model("a").unwrap().gguf_path().unwrap();
    assert_eq!(
        std::fs::read(&link.path).unwrap(),
        std::fs::read(blob).unwrap()
    );
    assert_eq!(linked.not_remembered, "");
    let report = store.check_links(std::iter::empty::<&Path>()).unwrap();
    assert!(report.links.iter().all(|link| link.is_ok()), "{report:?}");
}

#[test]
fn a_path_may_be_longer_than_260_characters() {
    let scratch = tempfile::tempdir().unwrap();
    let deep = ["x".repeat(100), "y".repeat(100), "z".repeat(100)];
    let path = deep
        .iter()
        .fold(scratch.path().to_owned(), |path, part| path.join(part));
    let store = Store::open_with(StoreOptions::new(path).create(true)).unwrap();
    store
        .import(fixture(), "a", &ImportOptions::default())
        .unwrap();
    store.copy("a", "b").unwrap();
    store.delete_all(["a", "b"]).unwrap();
    assert!(names(&store).is_empty());
}

#[test]
fn nothing_is_cached_where_nobody_can_tell_who_may_write_the_record() {
    let (_scratch, store) = store();
    let cached = VerifyOptions::new().use_cache(true);
    for _ in 0..2 {
        let report = store.verify(&cached).unwrap();
        assert!(report.is_ok() && report.hashed_bytes > 0);
        let error = report.cache_error.unwrap();
        assert!(error.contains("does not say who may write"), "{error}");
    }
    let report = store.verify(&VerifyOptions::new()).unwrap();
    assert_eq!(report.cache_error, None);
}
