//! What looks like something that may go and is not: under other names, of other forms, and away
//! for a moment.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use modelkeep::{Digest, ErrorKind, GcOptions, ImportOptions, Store, StoreOptions};

use crate::at_once;
use crate::common::{Scratch, fixture, name, reference};

pub fn layer(digest: &Digest) -> String {
    format!(r#"{{"layers":[{{"digest":"{digest}"}}]}}"#)
}

#[test]
fn a_link_to_a_directory_that_is_no_store_makes_no_other_store() {
    let outside = tempfile::tempdir().unwrap();
    let scratch = Scratch::new();
    for place in [outside.path().join("disk"), scratch.root().join("disk")] {
        let scratch = Scratch::new();
        fs::create_dir_all(&place).unwrap();
        let link = scratch.root().join("blobs");
        symlink(&place, &link).unwrap();
        scratch.model("a", &[b"weights"]);
        scratch.model("b", &[b"weights"]);
        let store = scratch.store();
        store.copy(&name("a"), &name("c")).unwrap();
        assert!(scratch.root().join(".modelkeep/lock").is_file());
        assert!(!place.with_file_name(".modelkeep").exists());
        let diagnosis = store.doctor().unwrap();
        assert!(diagnosis.notes.iter().all(|note| note.path != link));
        let deleted = store.delete(reference("a")).unwrap();
        assert_eq!(deleted.shared.len(), 2);
        assert!(
            deleted
                .shared
                .iter()
                .all(|blob| blob.models.contains(&name("c")))
        );
    }
}

#[test]
fn blobs_that_are_a_link_within_the_store_are_its_own() {
    let scratch = Scratch::new();
    let link = scratch.root().join("blobs");
    fs::create_dir(scratch.root().join("disk")).unwrap();
    symlink("disk", &link).unwrap();
    scratch.model("a", &[b"weights"]);
    scratch.model("b", &[b"weights"]);
    let store = scratch.store();
    assert!(
        store
            .doctor()
            .unwrap()
            .notes
            .iter()
            .all(|note| note.path != link)
    );
    let deleted = store.delete(reference("a")).unwrap();
    assert_eq!(deleted.shared[0].models, [name("b")]);
}

#[test]
fn a_blob_whose_digits_are_in_capitals_is_another_file() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let hex = Digest::of(b"orphan").hex().to_uppercase();
    let path = format!("blobs/sha256-{hex}");
    scratch.write(&path, b"orphan");
    assert_eq!(scratch.store().gc(&at_once()).unwrap().blobs, []);
    assert!(scratch.root().join(path).exists());
}

#[test]
fn a_blob_from_the_future_is_young_unless_there_is_no_grace() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    let file = fs::File::options()
        .write(true)
        .open(scratch.blob_path(&orphan));
    let later = SystemTime::now() + Duration::from_secs(86_400);
    file.unwrap().set_modified(later).unwrap();
    let store = scratch.store();
    let collected = store.gc(&GcOptions::default()).unwrap();
    assert_eq!((collected.blobs.len(), collected.young), (0, 1));
    assert_eq!(store.gc(&at_once()).unwrap().blobs, [orphan]);
}

#[test]
fn a_name_outside_keeps_the_bytes_of_what_is_collected() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    let outside = tempfile::tempdir_in(scratch.root().parent().unwrap()).unwrap();
    fs::hard_link(scratch.blob_path(&orphan), outside.path().join("mine")).unwrap();
    let store = scratch.store();
    for options in [at_once().dry_run(true), at_once()] {
        let collected = store.gc(&options).unwrap();
        assert_eq!((collected.blobs, collected.bytes), (vec![orphan], 0));
    }
}

#[test]
fn a_manifest_that_is_no_index_keeps_only_what_it_names_itself() {
    let scratch = Scratch::new();
    let orphan = scratch.blob(b"orphan");
    let text = scratch.blob(layer(&orphan).as_bytes());
    scratch.manifest("a", layer(&text).as_bytes());
    assert_eq!(scratch.store().gc(&at_once()).unwrap().blobs, [orphan]);
}

#[test]
fn a_manifest_that_belongs_to_another_keeps_what_that_one_names() {
    let scratch = Scratch::new();
    let weights = scratch.blob(b"weights");
    let subject = scratch.blob(layer(&weights).as_bytes());
    let manifest = format!(r#"{{"layers":[],"subject":{{"digest":"{subject}"}}}}"#);
    scratch.manifest("a", manifest.as_bytes());
    assert_eq!(scratch.store().gc(&at_once()).unwrap().blobs, []);
    assert!(scratch.blob_path(&weights).exists());
}

fn index_of(digests: &[Digest]) -> String {
    let entries = digests
        .iter()
        .map(|digest| format!(r#"{{"digest":"{digest}"}}"#));
    let entries: Vec<String> = entries.collect();
    format!(r#"{{"manifests":[{}]}}"#, entries.join(","))
}

#[test]
fn an_index_may_name_weights_and_what_is_not_here() {
    let scratch = Scratch::new();
    let orphan = scratch.blob(b"orphan");
    let weights = Digest::of(b"large weights");
    let file = fs::File::create(scratch.blob_path(&weights)).unwrap();
    file.set_len(17 << 20).unwrap();
    let index = index_of(&[weights, Digest::of(b"not here")]);
    scratch.manifest("a", index.as_bytes());
    assert_eq!(scratch.store().gc(&at_once()).unwrap().blobs, [orphan]);
}

#[test]
fn an_index_whose_manifest_cannot_be_read_keeps_everything() {
    let scratch = Scratch::new();
    let orphan = scratch.blob(b"orphan");
    let nested = Digest::of(b"nested");
    let fifo = Command::new("mkfifo")
        .arg(scratch.blob_path(&nested))
        .status();
    assert!(fifo.unwrap().success());
    scratch.manifest("a", index_of(&[nested]).as_bytes());
    assert_eq!(
        scratch.store().gc(&at_once()).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    assert!(scratch.blob_path(&orphan).exists());
}

#[test]
fn digits_without_end_keep_everything() {
    let scratch = Scratch::new();
    let orphan = scratch.blob(b"orphan");
    let digits = "0123456789abcdef".repeat(17);
    scratch.manifest(
        "a",
        format!(r#"{{"layers":[],"note":"{digits}"}}"#).as_bytes(),
    );
    let error = scratch.store().gc(&at_once()).unwrap_err();
    assert!(
        error.to_string().contains("too long for a digest"),
        "{error}"
    );
    assert!(scratch.blob_path(&orphan).exists());
}

#[test]
fn a_link_that_leads_nowhere_may_be_a_manifest_whatever_it_is_called() {
    for file in [".DS_Store", "latest~", "desktop.ini"] {
        let scratch = Scratch::new();
        scratch.model("a", &[b"weights"]);
        let orphan = scratch.blob(b"orphan");
        let link = scratch.manifest_path("a").with_file_name(file);
        symlink("/nonexistent/disk", &link).unwrap();
        assert!(scratch.store().gc(&at_once()).is_err(), "{file}");
        assert!(scratch.blob_path(&orphan).exists(), "{file}");
    }
}

#[test]
fn a_manifest_keeps_its_blobs_in_any_directory() {
    for path in [
        "manifests/.modelkeep-1/library/b/latest",
        "manifests/registry.ollama.ai/.snapshot/b/latest",
        "manifests/registry.ollama.ai/library/lost+found/latest",
        "manifests/desktop.ini/library/b/latest",
    ] {
        let scratch = Scratch::new();
        scratch.model("a", &[b"weights of a"]);
        let digest = scratch.blob(b"weights of another");
        scratch.write(path, layer(&digest).as_bytes());
        assert_eq!(scratch.store().gc(&at_once()).unwrap().blobs, [], "{path}");
    }
}

#[test]
fn what_holds_no_models_is_noted_and_stops_nothing() {
    for path in [
        "manifests/lost+found/x",
        "manifests/read me",
        "manifests/desktop.ini",
        "manifests/registry.ollama.ai/read me",
        "manifests/registry.ollama.ai/library/Thumbs.db",
    ] {
        let scratch = Scratch::new();
        scratch.model("a", &[b"weights"]);
        let orphan = scratch.blob(b"orphan");
        scratch.write(path, b"no manifest");
        let noted = scratch.root().join(path.trim_end_matches("/x"));
        let store = scratch.store();
        let diagnosis = store.doctor().unwrap();
        assert!(diagnosis.is_ok(), "{path}");
        assert!(
            diagnosis.notes.iter().any(|note| note.path == noted),
            "{path}"
        );
        assert_eq!(store.gc(&at_once()).unwrap().blobs, [orphan], "{path}");
    }
}

#[test]
fn a_name_that_is_not_there_is_not_found_and_changes_nothing() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    for options in [scratch.options(), scratch.options().read_only(true)] {
        let store = Store::open_with(options).unwrap();
        let error = store.delete(reference("nope")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!scratch.root().join(".modelkeep").exists());
    }
}

#[test]
fn where_an_alias_goes_no_blob_had_to_be_kept() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let directory = scratch.manifest_path("a").parent().unwrap().to_owned();
    symlink(&directory, directory.with_file_name("alias")).unwrap();
    scratch.manifest("torn", b"{");
    let deleted = scratch.store().delete(reference("alias")).unwrap();
    assert_eq!((deleted.aliases.len(), deleted.kept.len()), (1, 0));
}

#[test]
fn a_model_that_is_copied_to_itself_keeps_its_file() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let inode = || scratch.manifest_path("a").metadata().unwrap().ino();
    let before = inode();
    let copied = scratch.store().copy(&name("a"), &name("a")).unwrap();
    assert!(copied.replaced);
    assert_eq!(inode(), before);
}

type Call = fn(&Store) -> modelkeep::Result<()>;

const CALLS: [(&str, Call); 7] = [
    ("list", |store| store.list().map(drop)),
    ("usage", |store| store.usage().map(drop)),
    ("doctor", |store| store.doctor().map(drop)),
    ("gc", |store| store.gc(&at_once()).map(drop)),
    ("dry run", |store| {
        store.gc(&at_once().dry_run(true)).map(drop)
    }),
    ("delete", |store| store.delete(reference("a")).map(drop)),
    ("import", |store| {
        let options = ImportOptions::default();
        store.import(fixture(), name("new"), &options).map(drop)
    }),
];

#[test]
fn a_store_that_is_gone_is_no_empty_store_and_one_that_is_back_is_the_same() {
    let place = tempfile::tempdir().unwrap();
    let (root, away) = (place.path().join("models"), place.path().join("away"));
    for (call, run) in CALLS {
        let scratch = Scratch::new();
        scratch.model("a", &[b"weights"]);
        copy_tree(scratch.root(), &root);
        let store = Store::open_with(StoreOptions::new(&root)).unwrap();
        fs::rename(&root, &away).unwrap();
        for is_there in [false, true] {
            if is_there {
                fs::create_dir(&root).unwrap();
            }
            let error = run(&store).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::FileNotFound, "{call}: {error}");
            assert!(!root.join(".modelkeep").exists(), "{call}");
        }
        fs::remove_dir(&root).unwrap();
        // Made anew, with the same contents: another directory, and the same store.
        copy_tree(&away, &root);
        run(&store).unwrap_or_else(|error| panic!("{call}: {error}"));
        for directory in [&root, &away] {
            fs::remove_dir_all(directory).unwrap();
        }
    }
}

fn copy_tree(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

#[test]
fn who_uses_a_blob_is_named_once() {
    let scratch = Scratch::new();
    let layers: [&[u8]; 6] = [b"1", b"2", b"3", b"4", b"5", b"6"];
    scratch.model("a", &layers);
    scratch.model("b", &layers);
    let deleted = scratch.store().delete(reference("a")).unwrap();
    assert_eq!(deleted.shared.len(), layers.len());
    assert!(deleted.shared.iter().all(|blob| blob.models == [name("b")]));
}
