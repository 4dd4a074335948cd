//! What an interrupted run left: in use it goes home first, unused it is found, counted and taken.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use modelkeep::{BlobStatus, Digest, GcOptions, ImportOptions, ShowOptions, Store};

use crate::common::{Scratch, fixture, name, reference};
use crate::devices::elsewhere;
use crate::{at_once, verify};

/// What a removal leaves when it is stopped: every blob of `a` in the trash, and a manifest that
/// somebody has written meanwhile.
fn stopped() -> (Scratch, Vec<Digest>) {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights of a"]);
    scratch.model("b", &[b"weights of b"]);
    for digest in &digests {
        scratch.put_aside(digest);
    }
    (scratch, digests)
}

type Call = fn(&Store);

const CHANGES: [(&str, Call); 9] = [
    ("copy", |store| drop(store.copy(&name("b"), &name("c")))),
    ("copy of nothing", |store| {
        drop(store.copy(&name("none"), &name("c")))
    }),
    ("delete", |store| drop(store.delete(reference("b")))),
    ("gc", |store| drop(store.gc(&at_once()))),
    ("maintain", |store| drop(store.maintain())),
    ("import", |store| {
        drop(store.import(fixture(), name("new"), &ImportOptions::default()));
    }),
    ("add a blob", |store| {
        drop(store.add_blob(&mut &b"new"[..], None))
    }),
    ("rename", |store| drop(store.rename_old_blobs())),
    ("repair", |store| drop(store.repair(&verify(store)))),
];

#[test]
fn every_change_first_brings_home_what_is_in_use() {
    for (what, change) in CHANGES
        .into_iter()
        .filter(|(what, _)| *what != "copy of nothing")
    {
        for torn in [false, true] {
            let (scratch, digests) = stopped();
            if torn {
                scratch.manifest("torn", b"{");
            }
            change(&scratch.store());
            let is_home = |digest: &Digest| scratch.blob_path(digest).is_file();
            assert!(digests.iter().all(is_home), "{what}, torn: {torn}");
        }
    }
}

#[test]
fn what_was_brought_home_is_told() {
    let (scratch, mut digests) = stopped();
    let deleted = scratch.store().delete(reference("b")).unwrap();
    digests.sort();
    assert_eq!(deleted.restored, digests);
    let (scratch, _) = stopped();
    assert_eq!(scratch.store().gc(&at_once()).unwrap().restored, digests);
    let (scratch, _) = stopped();
    let store = scratch.store();
    let report = verify(&store);
    assert_eq!(store.repair(&report).unwrap().restored, digests);
    assert!(verify(&store).is_ok());
}

#[test]
fn every_look_says_where_the_blob_is() {
    let (scratch, digests) = stopped();
    let store = scratch.store();
    let report = verify(&store);
    let missing = report
        .blobs
        .iter()
        .filter(|found| found.status == BlobStatus::Missing);
    let missing: Vec<_> = missing.collect();
    assert_eq!(missing.len(), digests.len());
    assert!(missing.iter().all(|found| found.detail.contains("/trash/")));
    assert_eq!(store.usage().unwrap().trash.files, digests.len());
    let diagnosis = store.doctor().unwrap();
    let in_trash = diagnosis
        .notes
        .iter()
        .filter(|note| note.what.contains("trash"));
    assert_eq!(in_trash.count(), digests.len());
    let [issue] = diagnosis.issues.as_slice() else {
        panic!("{diagnosis:?}")
    };
    assert!(issue.what.contains("/trash/"), "{}", issue.what);
    assert!(issue.advice.contains("putting back"), "{}", issue.advice);
    let error = store
        .show(reference("a"), &ShowOptions::default())
        .unwrap_err();
    assert!(error.to_string().contains("/trash/"), "{error}");
    let listing = store.list().unwrap();
    assert!(listing.problems[0].error().to_string().contains("/trash/"));
}

#[test]
fn what_nobody_uses_any_more_goes_with_the_next_removal() {
    for removal in [
        (|store| drop(store.gc(&GcOptions::default()))) as Call,
        |store| drop(store.delete(reference("b"))),
    ] {
        let (scratch, digests) = stopped();
        let aside: Vec<PathBuf> = fs::read_dir(scratch.root().join(".modelkeep/trash"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        fs::remove_file(scratch.manifest_path("a")).unwrap();
        let store = scratch.store();
        assert_eq!(
            store
                .gc(&GcOptions::default().dry_run(true))
                .unwrap()
                .blobs
                .len(),
            2
        );
        removal(&store);
        assert!(aside.iter().all(|path| !path.exists()));
        assert!(
            digests
                .iter()
                .all(|digest| !scratch.blob_path(digest).exists())
        );
    }
}

#[test]
fn nothing_that_is_at_home_is_replaced_from_the_trash() {
    let (scratch, digests) = stopped();
    let pulled = scratch.blob_path(&digests[1]);
    fs::write(&pulled, b"weights of a").unwrap();
    let inode = pulled.metadata().unwrap().ino();
    scratch.store().gc(&at_once()).unwrap();
    assert_eq!(pulled.metadata().unwrap().ino(), inode);
    assert_eq!(scratch.store().usage().unwrap().trash.files, 0);
}

#[test]
fn what_is_in_use_goes_home_though_there_is_no_home_left() {
    let (scratch, digests) = stopped();
    fs::remove_dir_all(scratch.root().join("blobs")).unwrap();
    scratch.store().copy(&name("a"), &name("c")).unwrap();
    let is_home = |digest: &Digest| scratch.blob_path(digest).is_file();
    assert!(digests.iter().all(is_home));
}

/// What is at home, what is in the trash, and what is at home in the end.
#[test]
fn of_two_files_of_one_name_the_good_one_is_at_home_in_the_end() {
    const GOOD: &[u8] = b"weights of a";
    let cases: [(&[u8], &[u8], &[u8]); 6] = [
        (b"half", GOOD, GOOD),
        (b"weights of B", GOOD, GOOD),
        (GOOD, b"half", GOOD),
        (GOOD, b"weights of B", GOOD),
        (GOOD, GOOD, GOOD),
        (b"half", b"weights of B", b"half"),
    ];
    for (at_home, in_trash, expected) in cases {
        let (scratch, digests) = stopped();
        let home = scratch.blob_path(&digests[1]);
        let aside = scratch
            .root()
            .join(".modelkeep/trash")
            .join(home.file_name().unwrap());
        fs::write(&home, at_home).unwrap();
        fs::write(&aside, in_trash).unwrap();
        let what = String::from_utf8_lossy(at_home);
        scratch.store().gc(&at_once()).unwrap();
        assert_eq!(fs::read(&home).unwrap(), expected, "{what}");
        let usage = scratch.store().usage().unwrap();
        let set_aside = usize::from(at_home != in_trash);
        assert_eq!(
            (usage.trash.files, usage.quarantine.files),
            (0, set_aside),
            "{what}"
        );
    }
}

#[test]
fn one_bad_entry_in_our_own_directories_stops_nothing() {
    for room in ["tmp", "trash", "quarantine"] {
        for bad in [
            "a directory",
            "a FIFO",
            "a link",
            "a loop",
            "a device",
            "a file",
        ] {
            let (scratch, digests) = stopped();
            let orphan = scratch.put_aside(&scratch.blob(b"orphan"));
            let directory = scratch.root().join(".modelkeep").join(room);
            fs::create_dir_all(&directory).unwrap();
            let outside = tempfile::NamedTempFile::new().unwrap();
            for file in ["000", &format!("sha256-{}", "0".repeat(64)), "zzz"] {
                let path = directory.join(file);
                match bad {
                    "a directory" => fs::create_dir_all(path.join("inside")).unwrap(),
                    "a FIFO" => {
                        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
                    }
                    "a link" => symlink(outside.path(), path).unwrap(),
                    "a loop" => symlink(&path, &path).unwrap(),
                    "a device" => symlink("/dev/zero", path).unwrap(),
                    _ => fs::write(path, "not ours").unwrap(),
                }
            }
            let store = scratch.store();
            let what = format!("{bad} in {room}");
            let _ = store.doctor().unwrap();
            store.usage().unwrap();
            store.gc(&at_once().quarantine(true)).unwrap();
            store.delete(reference("b")).unwrap();
            assert!(
                digests
                    .iter()
                    .all(|digest| scratch.blob_path(digest).is_file()),
                "{what}"
            );
            assert!(!orphan.exists(), "{what}");
            assert!(outside.path().exists(), "{what}");
        }
    }
}

/// A staged file, held by a writer or not.
fn staged(scratch: &Scratch, place: &str) -> PathBuf {
    let path = format!("{place}/.modelkeep-1-0-{}", place.len());
    scratch.write(&path, b"half of an import");
    scratch.root().join(path)
}

#[test]
fn what_interrupted_imports_left_is_counted_and_taken_after_the_grace() {
    let places = [
        ".modelkeep/tmp",
        "manifests",
        "manifests/registry.ollama.ai/library/a",
    ];
    for place in places {
        let scratch = Scratch::new();
        scratch.model("a", &[b"weights of a"]);
        let path = staged(&scratch, place);
        let bytes = path.metadata().unwrap().blocks() * 512;
        let store = scratch.store();
        let diagnosis = store.doctor().unwrap();
        assert!(
            diagnosis.notes.iter().any(|note| note.path == path),
            "{place}"
        );
        let young = store.gc(&GcOptions::default()).unwrap();
        assert_eq!((young.leftovers.len(), young.young), (0, 1), "{place}");
        let dry = store.gc(&at_once().dry_run(true)).unwrap();
        assert!(path.exists(), "{place}");
        let taken = store.gc(&at_once()).unwrap();
        assert_eq!(
            (&dry.leftovers, dry.bytes),
            (&taken.leftovers, taken.bytes),
            "{place}"
        );
        assert_eq!(
            (taken.leftovers, taken.bytes),
            (vec![path.clone()], bytes),
            "{place}"
        );
        assert!(!path.exists(), "{place}");
    }
}

#[test]
fn a_staged_file_with_a_writer_stays_however_old_it_is() {
    let scratch = Scratch::new();
    let path = staged(&scratch, ".modelkeep/tmp");
    let file = fs::File::open(&path).unwrap();
    file.lock_shared().unwrap();
    scratch.store().gc(&at_once()).unwrap();
    assert!(path.exists());
    file.unlock().unwrap();
    scratch.store().gc(&at_once()).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_staged_file_from_the_future_is_as_old_as_the_clock_is_wrong() {
    let scratch = Scratch::new();
    let path = staged(&scratch, ".modelkeep/tmp");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(7200))
        .unwrap();
    scratch.store().gc(&GcOptions::default()).unwrap();
    assert!(!path.exists());
}

#[test]
fn quarantined_blobs_are_counted_and_go_only_when_asked() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights of a"]);
    fs::write(scratch.blob_path(&digests[1]), b"damaged bytes").unwrap();
    let store = scratch.store();
    let repaired = store.repair(&verify(&store)).unwrap();
    let to = &repaired.quarantined[0].to;
    assert_eq!(fs::read(to).unwrap(), b"damaged bytes");
    assert_eq!(store.usage().unwrap().quarantine.files, 1);
    let diagnosis = store.doctor().unwrap();
    let note = diagnosis
        .notes
        .iter()
        .find(|note| note.path == *to)
        .unwrap();
    assert!(note.advice.contains("--quarantine"), "{}", note.advice);
    store.gc(&at_once()).unwrap();
    assert!(to.exists());
    let young = store.gc(&GcOptions::default().quarantine(true)).unwrap();
    assert_eq!(young.young, 1);
    let taken = store.gc(&at_once().quarantine(true)).unwrap();
    assert_eq!(taken.leftovers, std::slice::from_ref(to));
    assert!(taken.bytes > 0 && !to.exists());
}

/// Moves the blobs of a store to another disk, with a link in their place.
fn move_blobs(scratch: &Scratch) -> Option<tempfile::TempDir> {
    let other = elsewhere(scratch.root())?;
    let blobs = scratch.root().join("blobs");
    for entry in fs::read_dir(&blobs).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), other.path().join(entry.file_name())).unwrap();
    }
    fs::remove_dir_all(&blobs).unwrap();
    symlink(other.path(), &blobs).unwrap();
    Some(other)
}

fn names(directory: PathBuf) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn what_is_in_use_comes_home_where_the_blobs_have_moved_to_another_disk() {
    for is_link in [false, true] {
        let (scratch, mut digests) = stopped();
        if is_link {
            let aside = scratch.root().join(".modelkeep/trash");
            let file = aside.join(scratch.blob_path(&digests[0]).file_name().unwrap());
            let target = scratch.root().join("the file itself");
            fs::rename(&file, &target).unwrap();
            symlink(&target, &file).unwrap();
        }
        let Some(_other) = move_blobs(&scratch) else {
            return;
        };
        let collected = scratch.store().gc(&at_once()).unwrap();
        digests.sort();
        assert_eq!(collected.restored, digests, "{:?}", collected.kept);
        assert!(collected.kept.is_empty() && verify(&scratch.store()).is_ok());
        for room in ["trash", "tmp"] {
            let own = scratch.root().join(".modelkeep").join(room);
            let beside = scratch.root().join("blobs/.modelkeep").join(room);
            assert!(names(own).is_empty() && names(beside).is_empty(), "{room}");
        }
    }
}

#[test]
fn of_a_blob_on_two_disks_the_good_one_is_at_home_in_the_end() {
    for is_good_at_home in [true, false] {
        let (scratch, digests) = stopped();
        let Some(other) = move_blobs(&scratch) else {
            return;
        };
        let file = scratch.blob_path(&digests[0]);
        let name = file.file_name().unwrap().to_owned();
        let aside = scratch.root().join(".modelkeep/trash").join(&name);
        let bytes = fs::read(&aside).unwrap();
        let (home, trash) = match is_good_at_home {
            true => (&bytes[..], &b"other bytes"[..]),
            false => (&b"other bytes"[..], &bytes[..]),
        };
        fs::write(other.path().join(&name), home).unwrap();
        fs::write(&aside, trash).unwrap();
        scratch.store().gc(&at_once()).unwrap();
        assert_eq!(fs::read(&file).unwrap(), bytes);
        assert!(!aside.exists() && verify(&scratch.store()).is_ok());
        // The other one is set aside on the disk that it was on.
        let disks = [
            scratch.root().join(".modelkeep"),
            other.path().join(".modelkeep"),
        ];
        let aside = disks.map(|own| names(own.join("quarantine")).len());
        let expected = if is_good_at_home { [1, 0] } else { [0, 1] };
        assert_eq!(aside, expected, "good at home: {is_good_at_home}");
    }
}
