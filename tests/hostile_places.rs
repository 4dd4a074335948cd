//! Something mean in every place of a store: no call hangs, panics or reaches outside.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::{Scratch, fixture, name, reference};
use modelkeep::{
    ErrorKind, GcOptions, ImportOptions, ShowOptions, Store, StoreOptions, VerifyOptions,
};

/// What lies in a place instead of what belongs there.
const MEAN: [&str; 8] = [
    "nothing",
    "a fifo",
    "a directory",
    "a file",
    "a dangling link",
    "a loop",
    "a device",
    "a link outside",
];

const PLACES: [&str; 12] = [
    "store",
    "store/blobs",
    "store/manifests",
    "store/manifests/registry.ollama.ai",
    "store/manifests/registry.ollama.ai/library",
    "store/manifests/registry.ollama.ai/library/bad",
    "store/manifests/registry.ollama.ai/library/bad/latest",
    "store/.modelkeep",
    "store/.modelkeep/lock",
    "store/.modelkeep/tmp",
    "store/.modelkeep/trash",
    "store/.modelkeep/quarantine",
];

/// A directory outside with old files that look like ours, and a copy of what they were.
struct Outside(tempfile::TempDir);

impl Outside {
    fn new() -> Self {
        let outside = Outside(tempfile::tempdir().unwrap());
        for file in [
            "precious",
            "latest",
            "lock",
            &format!("sha256-{}", "ab".repeat(32)),
        ] {
            let path = outside.0.path().join(file);
            fs::write(&path, file).unwrap();
            age(&path);
        }
        outside
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Every file with its bytes; what a link leads to may get more, and loses nothing.
    fn is_intact(&self) -> bool {
        let is_same = |path: PathBuf| {
            let name = path.file_name().unwrap().to_owned();
            fs::read(path).is_ok_and(|bytes| bytes == name.as_encoded_bytes())
        };
        let mut names = vec![
            "precious".to_owned(),
            "latest".to_owned(),
            "lock".to_owned(),
        ];
        names.push(format!("sha256-{}", "ab".repeat(32)));
        names
            .into_iter()
            .all(|name| is_same(self.path().join(name)))
    }
}

fn age(path: &Path) {
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(old).unwrap();
}

fn remove(path: &Path) {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

fn put(mean: &str, path: &Path, outside: &Path) {
    remove(path);
    match mean {
        "a fifo" => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        "a directory" => fs::create_dir(path).unwrap(),
        "a file" => fs::write(path, "no").unwrap(),
        "a dangling link" => symlink("/nonexistent/at/all", path).unwrap(),
        "a loop" => symlink(path, path).unwrap(),
        "a device" => symlink("/dev/zero", path).unwrap(),
        "a link outside" => symlink(outside, path).unwrap(),
        _ => {}
    }
}

/// Every call that there is; answers the text of each failure.
fn all_calls(store: &Store) -> Vec<String> {
    let grace = GcOptions::default().grace(Duration::ZERO).partials(true);
    let replace = || ImportOptions::new().replace(true);
    let bad = reference("bad");
    let report = store.verify(&VerifyOptions::default());
    let answers = [
        store.list().map(drop),
        store.show(&bad, &ShowOptions::default()).map(drop),
        store
            .show(reference("good"), &ShowOptions::default())
            .map(drop),
        store.model(&bad).and_then(|model| model.gguf()).map(drop),
        store.usage().map(drop),
        store.doctor().map(drop),
        store.copy(&name("bad"), &name("copied")).map(drop),
        store.copy(&name("good"), &name("bad:other")).map(drop),
        store.import(fixture(), name("bad"), &replace()).map(drop),
        store.import(fixture(), name("new"), &replace()).map(drop),
        store.add_blob(&mut &b"bytes"[..], None).map(drop),
        report.and_then(|report| store.repair(&report)).map(drop),
        store.delete(&bad).map(drop),
        store.gc(&grace).map(drop),
        store.maintain().map(drop),
    ];
    answers
        .into_iter()
        .filter_map(Result::err)
        .map(|error| error.to_string())
        .collect()
}

/// Ends the program where a call waits for somebody who never comes.
fn within_a_minute<T>(what: &str, call: impl FnOnce() -> T) -> T {
    let (done, wait) = mpsc::channel::<()>();
    let what = what.to_owned();
    let guard = thread::spawn(move || {
        if wait.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{what} does not end");
            process::abort();
        }
    });
    let answer = call();
    drop(done);
    guard.join().unwrap();
    answer
}

/// A store with the models `good` and `bad`, each with blobs of its own.
fn stage(scratch: &Scratch) -> Store {
    let root = scratch.root().join("store");
    let options = StoreOptions::new(&root)
        .delete_delay(Duration::ZERO)
        .create(true);
    let store = Store::open_with(options).unwrap();
    for text in ["good", "bad", "gone"] {
        let options = ImportOptions::new().system(text.to_owned());
        store.import(fixture(), name(text), &options).unwrap();
    }
    store.delete(reference("gone")).unwrap();
    store
}

#[test]
fn nothing_outside_is_touched_whatever_lies_in_any_place() {
    for place in PLACES {
        for mean in MEAN {
            let (scratch, outside) = (Scratch::new(), Outside::new());
            let store = stage(&scratch);
            put(mean, &scratch.root().join(place), outside.path());
            let what = format!("{mean} at {place}");
            let errors = within_a_minute(&what, || all_calls(&store));
            // Blobs and manifests that were moved to another disk are the store's all the same.
            let part = place.ends_with("/blobs") || place.ends_with("/bad");
            let moved = part && mean == "a link outside";
            assert!(moved || outside.is_intact(), "{what}: {errors:?}");
            assert!(errors.iter().all(|text| !text.is_empty()), "{what}");
            if place.contains(".modelkeep") || place.contains("bad") {
                let good = store.show(reference("good"), &ShowOptions::default());
                assert!(good.is_ok(), "{what}: {good:?}");
            }
        }
    }
}

#[test]
fn nothing_outside_is_touched_whatever_lies_in_the_place_of_a_blob() {
    let template = Scratch::new();
    let blobs = stage(&template)
        .model(reference("bad"))
        .unwrap()
        .all_paths()
        .unwrap();
    for blob in blobs {
        for mean in MEAN {
            let (scratch, outside) = (Scratch::new(), Outside::new());
            let store = stage(&scratch);
            let path = scratch
                .root()
                .join("store/blobs")
                .join(blob.file_name().unwrap());
            put(mean, &path, outside.path());
            let what = format!("{mean} at {}", path.display());
            let errors = within_a_minute(&what, || all_calls(&store));
            assert!(outside.is_intact(), "{what}: {errors:?}");
        }
    }
}

/// A trash that is a link to the blobs would have them all removed as what a crash left.
#[test]
fn our_own_directories_are_never_links() {
    for own in ["trash", "tmp", "quarantine"] {
        let scratch = Scratch::new();
        let store = stage(&scratch);
        let path = store.path().join(".modelkeep").join(own);
        remove(&path);
        symlink(store.path().join("blobs"), &path).unwrap();
        for blob in fs::read_dir(store.path().join("blobs")).unwrap() {
            age(&blob.unwrap().path());
        }
        store.delete(reference("bad")).ok();
        store.gc(&GcOptions::default()).ok();
        let report = store.verify(&VerifyOptions::default()).unwrap();
        assert!(report.is_ok(), "{own}: {}", report.to_json().unwrap());
    }
}

/// The same digest in capitals is another file to Ollama, and no reason to lose either.
#[test]
fn a_blob_named_in_capitals_stands_for_no_other() {
    let scratch = Scratch::new();
    let young = scratch.blob(b"young");
    let capitals = format!("blobs/sha256-{}", young.hex().to_uppercase());
    scratch.write(&capitals, b"old");
    age(&scratch.root().join(&capitals));
    let collected = scratch.store().gc(&GcOptions::default()).unwrap();
    assert_eq!(collected.blobs, []);
    assert!(scratch.blob_path(&young).exists() && scratch.root().join(&capitals).exists());
    let layer = format!(r#"{{"digest":"sha256:{}"}}"#, young.hex().to_uppercase());
    scratch.manifest("m", format!(r#"{{"layers":[{layer}]}}"#).as_bytes());
    let grace = GcOptions::default().grace(Duration::ZERO);
    assert_eq!(scratch.store().gc(&grace).unwrap().blobs, []);
}

#[test]
fn names_at_their_limits_work_or_say_why_not() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let part = "x".repeat(80);
    let longest = format!("{}/{part}/{part}:{part}", "h".repeat(255));
    let plain = ImportOptions::default();
    store.import(fixture(), name(&longest), &plain).unwrap();
    store.copy(&name(&longest), &name("short")).unwrap();
    assert!(
        store
            .show(reference(&longest), &ShowOptions::default())
            .is_ok()
    );
    assert_eq!(store.delete(reference(&longest)).unwrap().models.len(), 1);
    // The grammar admits hosts that no file system does.
    let beyond = name(&format!("{}/a/b:c", "h".repeat(350)));
    assert!(store.find(&beyond).unwrap().is_none());
    let error = store.copy(&name("short"), &beyond).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("name too long"), "{error}");
    let none = store.show(beyond, &ShowOptions::default()).unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NotFound);
    for too_long in [format!("{}x", part), format!("{}h/a/b", "h".repeat(350))] {
        assert!(too_long.parse::<modelkeep::ModelName>().is_err());
    }
    assert_eq!(store.list().unwrap().models.len(), 1);
}
