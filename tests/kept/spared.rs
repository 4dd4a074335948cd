//! What looks like something that may go and is not: in the trash, under other names, of other
//! forms, and away for a moment.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use modelkeep::{BlobStatus, Digest, ErrorKind, GcOptions, ImportOptions, Store, StoreOptions};

use crate::common::{Scratch, fixture, name, reference};
use crate::{at_once, verify};

fn put_aside(scratch: &Scratch, digest: &Digest) -> PathBuf {
    let trash = scratch.root().join(".modelkeep/trash");
    fs::create_dir_all(&trash).unwrap();
    let home = scratch.blob_path(digest);
    let aside = trash.join(home.file_name().unwrap());
    fs::rename(home, &aside).unwrap();
    aside
}

fn layer(digest: &Digest) -> String {
    format!(r#"{{"layers":[{{"digest":"{digest}"}}]}}"#)
}

#[test]
fn what_is_in_use_in_the_trash_is_not_said_to_be_unused() {
    let scratch = Scratch::new();
    let used = scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    for digest in [&used[1], &orphan] {
        put_aside(&scratch, digest);
    }
    let dry = scratch.store().gc(&at_once().dry_run(true)).unwrap();
    assert_eq!(dry.blobs, [orphan]);
}

#[test]
fn the_trash_of_a_store_without_a_manifest_goes_only_when_asked() {
    let scratch = Scratch::new();
    let orphan = scratch.blob(b"its manifest is on a disk that is away");
    let aside = put_aside(&scratch, &orphan);
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
    put_aside(&scratch, &perhaps);
    scratch.manifest("torn", b"{");
    scratch.store().copy(&name("a"), &name("b")).unwrap();
    assert!(scratch.blob_path(&perhaps).exists());
}

#[test]
fn only_a_blob_that_is_in_the_trash_is_said_to_be_there() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    fs::remove_file(scratch.blob_path(&digests[1])).unwrap();
    put_aside(&scratch, &scratch.blob(b"orphan"));
    let store = scratch.store();
    let report = verify(&store);
    let missing = report
        .blobs
        .iter()
        .find(|found| found.status == BlobStatus::Missing);
    assert!(!missing.unwrap().detail.contains("trash"));
    let model = store.model(&reference("a")).unwrap();
    let error = model.gguf().unwrap_err();
    assert!(!error.to_string().contains("trash"), "{error}");
    let aside = put_aside(&scratch, &scratch.blob(b"weights"));
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
        let aside = put_aside(&scratch, &digests[1]);
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
    let aside = put_aside(&scratch, &orphan);
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
    let aside = put_aside(&first, &digests[1]);
    assert_eq!(store.usage().unwrap().trash.files, 1);
    store.add_blob(&mut &b"new"[..], None).unwrap();
    assert!(first.blob_path(&digests[1]).exists() && !aside.exists());
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
        let deleted = store.delete(&reference("a")).unwrap();
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
    let deleted = store.delete(&reference("a")).unwrap();
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
        let error = store.delete(&reference("nope")).unwrap_err();
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
    let deleted = scratch.store().delete(&reference("alias")).unwrap();
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
    ("delete", |store| store.delete(&reference("a")).map(drop)),
    ("import", |store| {
        let options = ImportOptions::default();
        store.import(fixture(), &name("new"), &options).map(drop)
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
fn a_blob_that_is_a_link_to_its_old_name_keeps_its_bytes() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    let new = scratch.blob_path(&digests[1]);
    let old = scratch.root().join("blobs").join(digests[1].to_string());
    fs::rename(&new, &old).unwrap();
    symlink(old.file_name().unwrap(), &new).unwrap();
    assert!(scratch.store().rename_old_blobs().unwrap().is_empty());
    assert_eq!(fs::read(&new).unwrap(), b"weights");
    // And the other way round: nothing is gained by taking a link away.
    fs::remove_file(&new).unwrap();
    fs::rename(&old, &new).unwrap();
    symlink(new.file_name().unwrap(), &old).unwrap();
    assert!(scratch.store().rename_old_blobs().unwrap().is_empty());
    assert!(old.is_symlink());
}

/// A model without its weights, which are in these files in `blobs/`.
fn lacking(files: &[&str]) -> (Scratch, Digest) {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"the weights"])[1];
    for file in files {
        let file = file.replace("HEX", &digest.hex());
        scratch.write(&format!("blobs/{file}"), b"the weights");
    }
    fs::remove_file(scratch.blob_path(&digest)).unwrap();
    (scratch, digest)
}

#[test]
fn of_two_copies_under_other_names_one_gets_the_name_and_one_stays() {
    let (scratch, digest) = lacking(&["first", "second"]);
    let store = scratch.store();
    let repaired = store.repair(&verify(&store)).unwrap();
    assert_eq!(repaired.renamed.len(), 1);
    assert!(scratch.blob_path(&digest).exists());
    assert!(scratch.root().join("blobs/second").exists());
}

#[test]
fn a_missing_blob_is_not_looked_for_where_others_work() {
    for file in [
        "sha256-HEX-partial",
        ".modelkeep/quarantine/HEX",
        ".hidden/HEX",
        "one/two/three/HEX",
        "one/two/three/four/HEX",
    ] {
        let (scratch, digest) = lacking(&[file]);
        let store = scratch.store();
        assert!(
            store.repair(&verify(&store)).unwrap().renamed.is_empty(),
            "{file}"
        );
        assert!(!scratch.blob_path(&digest).exists());
        let path = scratch
            .root()
            .join("blobs")
            .join(file.replace("HEX", &digest.hex()));
        assert!(path.exists(), "{file}");
    }
}

#[test]
fn a_missing_blob_is_not_looked_for_behind_links_and_is_found_in_directories() {
    let (scratch, digest) = lacking(&["old/sha256-HEX"]);
    let outside = tempfile::tempdir().unwrap();
    let theirs = outside.path().join(digest.hex());
    fs::write(&theirs, b"the weights").unwrap();
    symlink(outside.path(), scratch.root().join("blobs/link")).unwrap();
    let store = scratch.store();
    let repaired = store.repair(&verify(&store)).unwrap();
    assert_eq!(repaired.renamed.len(), 1);
    assert!(theirs.exists() && scratch.blob_path(&digest).exists());
}

#[test]
fn only_a_file_of_the_stated_size_may_be_the_missing_blob() {
    let (scratch, digest) = lacking(&[]);
    scratch.write("blobs/longer", b"the weights and more");
    scratch.write("blobs/empty", b"");
    scratch.manifest("b", layer(&digest).as_bytes());
    let diagnosis = scratch.store().doctor().unwrap();
    let mut all = diagnosis.issues.iter().chain(&diagnosis.notes);
    let is_told = |what: &str| what.contains("of the missing blob");
    assert!(!all.any(|told| is_told(&told.what)), "{diagnosis:?}");
}

#[test]
fn a_directory_in_the_place_of_a_manifest_is_no_model() {
    let scratch = Scratch::new();
    let model = scratch.manifest_path("a").parent().unwrap().to_owned();
    fs::create_dir_all(model.join("LATEST")).unwrap();
    symlink("LATEST", model.join("Linked")).unwrap();
    let store = scratch.store();
    for text in ["a", "a:linked"] {
        assert_eq!(store.find(&name(text)), None, "{text}");
    }
    let listing = store.list().unwrap();
    assert!(listing.models.is_empty() && listing.problems.is_empty());
    assert!(store.doctor().unwrap().is_ok());
}

#[test]
fn a_model_without_a_config_or_with_a_layer_twice_has_each_path_once() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"weights");
    let layer = format!(
        r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"{digest}","size":7}}"#
    );
    scratch.manifest("a", format!(r#"{{"layers":[{layer},{layer}]}}"#).as_bytes());
    scratch.manifest("b", format!(r#"{{"layers":[{layer}]}}"#).as_bytes());
    scratch.manifest("none", br#"{"layers":[]}"#);
    let store = scratch.store();
    let model = |text: &str| store.model(&reference(text)).unwrap();
    let path = scratch.blob_path(&digest);
    assert_eq!(model("a").all_paths().unwrap(), std::slice::from_ref(&path));
    // One file is the model, whatever is in it; nothing is opened for that.
    assert_eq!(model("b").gguf_paths().unwrap(), [path]);
    let error = model("none").gguf_paths().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_verification_says_why_a_blob_cannot_be_read() {
    type Spoil = fn(&Path);
    let cases: [(Spoil, BlobStatus, &str); 4] = [
        (|_| {}, BlobStatus::Missing, "no such file"),
        (
            |path| symlink("/nonexistent/disk", path).unwrap(),
            BlobStatus::Missing,
            "/nonexistent/disk",
        ),
        (
            |path| fs::create_dir(path).unwrap(),
            BlobStatus::Unreadable,
            "is a directory",
        ),
        (
            |path| symlink("/dev/null", path).unwrap(),
            BlobStatus::Unreadable,
            "not a regular file",
        ),
    ];
    for (spoil, status, detail) in cases {
        let scratch = Scratch::new();
        let digest = scratch.model("a", &[b"weights"])[1];
        let path = scratch.blob_path(&digest);
        fs::remove_file(&path).unwrap();
        spoil(&path);
        let report = verify(&scratch.store());
        let found = report
            .blobs
            .iter()
            .find(|found| found.digest == digest)
            .unwrap();
        assert_eq!(found.status, status);
        assert!(found.detail.contains(detail), "{}", found.detail);
    }
}
