//! What becomes of the paths that a caller gives.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use common::{Scratch, fixture, name, reference};
use modelkeep::{
    CopyMode, Digest, ErrorKind, GcOptions, ImportOptions, ShowOptions, Store, StoreOptions,
    VerifyOptions,
};

#[test]
fn a_file_that_is_linked_keeps_its_time() {
    let scratch = Scratch::new();
    let file = scratch.root().join("mine.gguf");
    fs::copy(fixture(), &file).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(then)
        .unwrap();
    let options = ImportOptions::new().copy_mode(CopyMode::HardLink);
    let store = scratch.store();
    store.import(&file, name("m"), &options).unwrap();
    assert_eq!(file.metadata().unwrap().modified().unwrap(), then);
    // Of bytes that are stored, a second import makes no file of its own.
    let options = ImportOptions::new().copy_mode(CopyMode::Copy).replace(true);
    store.import(&file, name("m"), &options).unwrap();
    assert_eq!(file.metadata().unwrap().modified().unwrap(), then);
}

#[test]
fn a_link_that_leads_nowhere_is_called_one() {
    let scratch = Scratch::new();
    let link = scratch.root().join("link.gguf");
    symlink("/mnt/disk/model.gguf", &link).unwrap();
    let store = scratch.store();
    for error in [
        store
            .import_file(&link, name("m"), &ImportOptions::default())
            .unwrap_err(),
        store
            .import(&link, name("m"), &ImportOptions::default())
            .unwrap_err(),
        modelkeep::GgufFile::open(&link, &modelkeep::GgufOptions::default()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::FileNotFound, "{error}");
        assert_eq!(error.path(), Some(&*link));
        let text = error.to_string();
        assert!(text.contains("a link to /mnt/disk/model.gguf"), "{text}");
    }
}

/// The path of an absolute one from the working directory.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    up.join(path.strip_prefix("/").unwrap())
}

#[test]
fn a_store_of_a_relative_path_shows_absolute_ones() {
    let scratch = Scratch::new();
    scratch
        .store()
        .import(fixture(), name("m"), &ImportOptions::default())
        .unwrap();
    let store = Store::open(relative(scratch.root())).unwrap();
    let show = store.show(reference("m"), &ShowOptions::default()).unwrap();
    let from = show
        .modelfile
        .lines()
        .find(|line| line.starts_with("FROM "));
    let path = from.unwrap().strip_prefix("FROM ").unwrap();
    assert!(path.starts_with('/'), "{path}");
    assert!(fs::read(path).unwrap().starts_with(b"GGUF"));
}

/// A store whose path is not UTF-8, and in which every answer has a path to tell.
fn unspeakable(scratch: &Scratch) -> Store {
    let root = scratch.root().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&root).unwrap();
    let store = Store::open_with(StoreOptions::new(&root).delete_delay(Duration::ZERO)).unwrap();
    let blobs = store.path().join("blobs");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(blobs.join("sha256-1-partial"), "leftover").unwrap();
    let old = format!("sha256:{}", Digest::of(b"orphan").hex());
    fs::write(blobs.join(old), "orphan").unwrap();
    store
}

#[test]
fn an_answer_with_a_path_that_json_cannot_carry_is_an_error_and_no_panic() {
    let scratch = Scratch::new();
    let store = unspeakable(&scratch);
    let file = store.path().join("mine.gguf");
    let mut bytes = fs::read(fixture()).unwrap();
    bytes.extend([1; 7]);
    fs::write(&file, bytes).unwrap();
    let imported = store.import(&file, "m", &ImportOptions::new()).unwrap();
    let library = store.path().join("manifests/registry.ollama.ai/library");
    symlink(library.join("m"), library.join("short")).unwrap();
    let deleted = store.delete("short").unwrap();
    fs::write(store.model("m").unwrap().gguf_path().unwrap(), "damaged").unwrap();
    let report = store.verify(&VerifyOptions::new()).unwrap();
    let repaired = store.repair(&report).unwrap();
    let diagnosis = store.doctor().unwrap();
    let maintenance = GcOptions::new().grace(Duration::ZERO).dry_run(true);
    let maintained = store.maintain_with(&maintenance).unwrap();
    let answers = [
        ("import", imported.to_json()),
        ("delete", deleted.to_json()),
        ("verify", report.to_json()),
        ("repair", repaired.to_json()),
        ("doctor", diagnosis.to_json()),
        ("maintain", maintained.to_json()),
        ("gc", maintained.collected.to_json()),
        ("paths", modelkeep::json::of_paths(&maintained.renamed)),
    ];
    for (call, json) in answers {
        let kind = json.map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Unsupported), "{call}");
    }
}

#[test]
fn an_answer_without_a_path_is_json_in_any_store() {
    let scratch = Scratch::new();
    let store = unspeakable(&scratch);
    store.import(fixture(), "m", &ImportOptions::new()).unwrap();
    fs::write(
        store
            .path()
            .join("manifests/registry.ollama.ai/library/m/torn"),
        "{",
    )
    .unwrap();
    let digest = store.list().unwrap().models[0].digest.clone();
    let answers = [
        store.list().unwrap().to_json(),
        store.show("m", &ShowOptions::new()).unwrap().to_json(),
        store.copy("m", "n").unwrap().to_json(),
        store.which(&digest).unwrap().to_json(),
    ];
    assert!(
        answers.iter().all(|json| json.starts_with('{')),
        "{answers:?}"
    );
}
