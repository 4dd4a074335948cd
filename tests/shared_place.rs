//! Stores that several users share, and stores that belong to somebody else.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use common::skip::{not_here, skip};
use common::{Scratch, fixture, name, reference};
use modelkeep::{ErrorKind, GcOptions, ImportOptions, Store, StoreOptions, VerifyOptions};

const STORE: &str = "MODELKEEP_SHARED_STORE";
const MODEL: &str = "MODELKEEP_SHARED_MODEL";

/// What a process of another user does to a store.
struct User {
    number: u32,
    umask: &'static str,
    groups: &'static str,
}

const GROUP: u32 = 23_456;
const FIRST: User = User {
    number: 12_345,
    umask: "002",
    groups: "23456",
};
const SECOND: User = User {
    number: 12_346,
    ..FIRST
};
const STRANGER: User = User {
    number: 12_347,
    umask: "022",
    groups: "12347",
};

impl User {
    /// Runs a test of this program as this user, on a store and for a model of some name.
    fn runs(&self, test: &str, root: &Path, model: &str) -> Output {
        let program = program();
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={}", self.number));
        command.arg(format!("--regid={}", self.number));
        command.arg(format!("--groups={}", self.groups));
        let script = format!("umask {}; exec \"$0\" \"$@\"", self.umask);
        command.args(["bash", "-c", &script]).arg(program.path());
        command.args([test, "--exact", "--nocapture"]);
        command.env(STORE, root).env(MODEL, model);
        command.output().unwrap()
    }

    fn changes(&self, root: &Path, model: &str) {
        let output = self.runs("a_user_who_changes_a_store", root, model);
        assert!(output.status.success(), "{output:?}");
    }
}

/// This program and its data, where every user can read them.
struct Program(tempfile::TempDir);

impl Program {
    fn path(&self) -> PathBuf {
        self.0.path().join("program")
    }
}

fn program() -> Program {
    let directory = tempfile::tempdir().unwrap();
    mode(directory.path(), 0o755);
    let program = Program(directory);
    fs::copy(env::current_exe().unwrap(), program.path()).unwrap();
    program
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn mode_of(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

/// A store's directory of some mode and owner, with a GGUF file that everybody can read; `None`
/// where we cannot become other users.
fn place(owner: u32, group: u32, bits: u32) -> Option<Scratch> {
    let scratch = Scratch::new();
    if chown(scratch.root(), Some(owner), Some(group)).is_err() {
        not_here("stores of other users", "the user is not root");
        return None;
    }
    if !Command::new("setpriv")
        .args(["--reuid=1", "true"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        skip("stores of other users", "no setpriv on the path");
        return None;
    }
    mode(scratch.root(), bits);
    let file = scratch.root().join("tiny.gguf");
    fs::copy(fixture(), &file).unwrap();
    mode(&file, 0o644);
    Some(scratch)
}

fn store_of_user() -> Option<Store> {
    let options = StoreOptions::new(env::var_os(STORE)?).delete_delay(Duration::ZERO);
    Some(Store::open_with(options).unwrap())
}

/// Imports, copies, deletes and collects; leaves the model.
#[test]
fn a_user_who_changes_a_store() {
    let Some(store) = store_of_user() else { return };
    let model = env::var(MODEL).unwrap();
    let options = ImportOptions::new().system(model.clone());
    let file = store.path().join("tiny.gguf");
    store.import(file, name(&model), &options).unwrap();
    store.copy(&name(&model), &name("copy")).unwrap();
    store.delete(reference("copy")).unwrap();
    store.add_blob(&mut model.as_bytes(), None).unwrap();
    store
        .gc(&GcOptions::default().grace(Duration::ZERO))
        .unwrap();
}

/// Removes a model that another user has made.
#[test]
fn a_user_who_deletes_a_model() {
    let Some(store) = store_of_user() else { return };
    store.delete(reference(&env::var(MODEL).unwrap())).unwrap();
}

/// Tries every change; says which error each has.
#[test]
fn a_user_who_is_refused() {
    let Some(store) = store_of_user() else { return };
    let plain = ImportOptions::default();
    let file = store.path().join("tiny.gguf");
    let refused = [
        store.delete(reference("a")).map(drop),
        store.copy(&name("a"), &name("b")).map(drop),
        store.import(file, name("b"), &plain).map(drop),
        store.add_blob(&mut &b"bytes"[..], None).map(drop),
    ];
    for (number, answer) in refused.into_iter().enumerate() {
        println!("refused {number}: {}", answer.unwrap_err());
    }
}

/// Every file and directory in a store, but its root and the caller's file.
fn everything_in(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut next) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = next.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                next.push(path.clone());
            }
            found.push(path);
        }
    }
    found.retain(|path| !path.ends_with("tiny.gguf"));
    found
}

#[test]
fn the_users_of_a_group_change_each_others_models() {
    for bits in [0o2775, 0o2770, 0o775] {
        let Some(scratch) = place(FIRST.number, GROUP, bits) else {
            return;
        };
        FIRST.changes(scratch.root(), "a");
        SECOND.changes(scratch.root(), "b");
        FIRST.changes(scratch.root(), "c");
        let output = SECOND.runs("a_user_who_deletes_a_model", scratch.root(), "a");
        assert!(output.status.success(), "{bits:o}: {output:?}");
        for path in everything_in(scratch.root()) {
            let expected = match (path.is_dir(), bits & 0o2000) {
                (true, 0) => 0o775,
                (true, _) => 0o2775,
                (false, _) => 0o664,
            };
            assert_eq!(mode_of(&path), expected, "{}", path.display());
            assert_eq!(path.metadata().unwrap().gid(), GROUP, "{}", path.display());
        }
    }
}

#[test]
fn the_umask_decides_on_modes_and_the_place_on_our_own_directories_and_the_lock() {
    let cases = [
        (0o755, "022", 0o755, 0o644, 0o755, 0o644),
        (0o755, "077", 0o700, 0o600, 0o700, 0o600),
        (0o755, "027", 0o750, 0o640, 0o750, 0o640),
        (0o777, "022", 0o755, 0o644, 0o777, 0o666),
        (0o775, "022", 0o755, 0o644, 0o775, 0o664),
        (0o777, "000", 0o777, 0o666, 0o777, 0o666),
    ];
    for (place_bits, umask, directory, file, own, lock) in cases {
        let user = User { umask, ..FIRST };
        let Some(scratch) = place(user.number, user.number, place_bits) else {
            return;
        };
        user.changes(scratch.root(), "a");
        for path in everything_in(scratch.root()) {
            let is_own = path.starts_with(scratch.root().join(".modelkeep"));
            let expected = match (path.is_dir(), is_own) {
                (true, false) => directory,
                (false, false) => file,
                (true, true) => own,
                (false, true) => lock,
            };
            let case = format!("{place_bits:o}, {umask}: {}", path.display());
            assert_eq!(
                format!("{:o}", mode_of(&path)),
                format!("{expected:o}"),
                "{case}"
            );
        }
    }
}

#[test]
fn a_lock_that_may_not_be_written_is_taken_all_the_same() {
    let Some(scratch) = place(FIRST.number, GROUP, 0o2775) else {
        return;
    };
    FIRST.changes(scratch.root(), "a");
    let lock = scratch.root().join(".modelkeep/lock");
    mode(&lock, 0o644);
    chown(&lock, Some(0), Some(0)).unwrap();
    SECOND.changes(scratch.root(), "b");
    assert_eq!(mode_of(&lock), 0o644);
}

#[test]
fn a_volume_of_a_group_takes_imports_of_its_members() {
    // As a volume of Kubernetes with an fsGroup: root's, and the group's.
    for owner in [0, 54_321] {
        let Some(scratch) = place(owner, GROUP, 0o2775) else {
            return;
        };
        fs::create_dir(scratch.root().join("blobs")).unwrap();
        chown(scratch.root().join("blobs"), Some(owner), Some(GROUP)).unwrap();
        mode(&scratch.root().join("blobs"), 0o2775);
        FIRST.changes(scratch.root(), "a");
    }
}

#[test]
fn an_import_that_the_owner_could_not_read_is_refused() {
    let Some(scratch) = place(54_321, GROUP, 0o777) else {
        return;
    };
    fs::create_dir(scratch.root().join("blobs")).unwrap();
    chown(scratch.root().join("blobs"), Some(54_321), Some(GROUP)).unwrap();
    mode(&scratch.root().join("blobs"), 0o777);
    let private = User {
        umask: "077",
        ..STRANGER
    };
    let output = private.runs("a_user_who_changes_a_store", scratch.root(), "a");
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("54321"), "{text}");
    STRANGER.changes(scratch.root(), "a");
}

#[test]
fn a_refusal_says_whose_the_store_is_and_what_to_do() {
    for (bits, advice) in [(0o755, "run as that user"), (0o2775, "join the group")] {
        let Some(scratch) = place(FIRST.number, GROUP, bits) else {
            return;
        };
        FIRST.changes(scratch.root(), "a");
        let before = scratch.snapshot();
        let output = STRANGER.runs("a_user_who_is_refused", scratch.root(), "a");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{output:?}");
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("refused"))
            .collect();
        assert_eq!(lines.len(), 4, "{text}");
        for line in lines {
            for part in [
                "uid 12345",
                "uid 12347",
                advice,
                "read-only",
                "ermission denied",
            ] {
                assert!(line.contains(part), "{part} in {line}");
            }
        }
        assert_eq!(scratch.snapshot(), before);
    }
}

#[test]
fn the_owner_of_a_closed_directory_is_not_told_to_become_the_owner() {
    let Some(scratch) = place(FIRST.number, GROUP, 0o755) else {
        return;
    };
    FIRST.changes(scratch.root(), "a");
    mode(&scratch.root().join(".modelkeep/tmp"), 0o555);
    let output = FIRST.runs("a_user_who_changes_a_store", scratch.root(), "b");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("ermission denied"), "{text}");
    assert!(!text.contains("belongs to"), "{text}");
}

#[test]
fn a_store_is_created_for_the_owner_of_its_place() {
    let Some(scratch) = place(12_345, 12_346, 0o755) else {
        return;
    };
    let root = scratch.root().join("new/models");
    Store::open_with(StoreOptions::new(&root).create(true)).unwrap();
    for path in [&root, &scratch.root().join("new")] {
        let metadata = path.metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (12_345, 12_346));
    }
}

#[test]
fn creating_a_store_makes_what_is_missing_and_nothing_else() {
    let scratch = Scratch::new();
    let root = scratch.root().join("a/b/c");
    for _ in 0..2 {
        let store = Store::open_with(StoreOptions::new(&root).create(true)).unwrap();
        assert!(store.list().unwrap().models.is_empty());
    }
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
    symlink("nowhere", scratch.root().join("link")).unwrap();
    let link = StoreOptions::new(scratch.root().join("link")).create(true);
    assert!(Store::open_with(link).is_err());
    fs::write(scratch.root().join("file"), "").unwrap();
    let below = StoreOptions::new(scratch.root().join("file/store")).create(true);
    assert!(Store::open_with(below).is_err());
}

/// Reads as other calls change the store.
struct Meanwhile<'s>(&'s Store, u8);

impl std::io::Read for Meanwhile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0
            .add_blob(&mut &[self.1][..], None)
            .map_err(std::io::Error::other)?;
        let Some(left) = self.1.checked_sub(1) else {
            return Ok(0);
        };
        self.1 = left;
        buffer[0] = left;
        Ok(1)
    }
}

#[test]
fn a_slow_stream_keeps_nobody_from_changing_the_store() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let blob = store.add_blob(&mut Meanwhile(&store, 3), None).unwrap();
    assert_eq!(
        fs::read(scratch.blob_path(&blob.digest)).unwrap(),
        [2, 1, 0]
    );
    for byte in 0..=3 {
        assert!(store.has_blob(&modelkeep::Digest::of(&[byte])));
    }
}

#[test]
fn a_stream_of_other_bytes_than_expected_leaves_nothing() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let expected = modelkeep::Digest::of(b"expected");
    let error = store
        .add_blob(&mut &b"bytes"[..], Some(&expected))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(!store.has_blob(&expected));
    assert!(!store.has_blob(&modelkeep::Digest::of(b"bytes")));
    let staged = fs::read_dir(scratch.root().join(".modelkeep/tmp")).unwrap();
    assert_eq!(staged.count(), 0);
}

#[test]
fn a_verification_waits_for_no_change_and_believes_no_record_of_others() {
    let scratch = Scratch::new();
    // A blob that nobody wrote for a while: a link to a file of the repository.
    let digest = modelkeep::Digest::of(&fs::read(fixture()).unwrap());
    fs::create_dir(scratch.root().join("blobs")).unwrap();
    symlink(fixture(), scratch.blob_path(&digest)).unwrap();
    scratch.write(".modelkeep/lock", b"");
    let store = scratch.store();
    let verify = || {
        let options = VerifyOptions::default().use_cache(true);
        store.verify(&options).unwrap()
    };
    let record = scratch.root().join(".modelkeep/verified.json");
    let lock = fs::File::open(scratch.root().join(".modelkeep/lock")).unwrap();
    lock.lock().unwrap();
    assert!(verify().is_ok() && !record.exists());
    lock.unlock().unwrap();
    assert!(verify().is_ok() && record.exists());
    assert_eq!(mode_of(&record) & 0o022, 0);
}
