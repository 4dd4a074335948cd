//! A system that refuses: no room, no permission, and directories that come and go.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::skip::{not_here, skip};
use common::{Scratch, fixture, name, reference};
use modelkeep::{
    BlobStatus, GcOptions, ImportOptions, ShowOptions, Store, StoreOptions, VerifyOptions,
};

const STORE: &str = "MODELKEEP_REFUSED_STORE";

/// A store with `good` and `bad`, which share their weights and nothing else.
fn stage() -> Scratch {
    let scratch = Scratch::new();
    for text in ["good", "bad"] {
        let options = ImportOptions::new().system(text.to_owned());
        scratch
            .store()
            .import(fixture(), name(text), &options)
            .unwrap();
    }
    scratch
}

fn everything(store: &Store) -> modelkeep::Report {
    store.verify(&VerifyOptions::default()).unwrap()
}

/// Runs a test of this program again on a store, by a command that starts it under some limit.
fn under(mut limit: Command, test: &str, scratch: &Scratch) {
    let output = limit
        .args([test, "--exact", "--nocapture"])
        .env(STORE, scratch.root());
    let output = output.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}{errors}");
}

fn limited_store() -> Option<Store> {
    let options = StoreOptions::new(env::var_os(STORE)?).delete_delay(Duration::ZERO);
    Some(Store::open_with(options).unwrap())
}

#[test]
fn without_room_every_change_fails_and_changes_nothing() {
    let scratch = stage();
    let before = scratch.snapshot();
    let mut limit = Command::new("bash");
    // A write beyond the limit is an error once its signal is ignored.
    limit.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    limit.arg(env::current_exe().unwrap());
    under(limit, "a_process_without_room", &scratch);
    assert_eq!(scratch.snapshot(), before);
    assert_eq!(left_in_staging(&scratch), 0);
}

#[test]
fn a_process_without_room() {
    let Some(store) = limited_store() else { return };
    let replace = ImportOptions::new().replace(true);
    let refused = [
        store.copy(&name("good"), &name("new")).map(drop),
        store.copy(&name("good"), &name("bad")).map(drop),
        store.import(fixture(), name("bad"), &replace).map(drop),
        store.import(fixture(), name("new"), &replace).map(drop),
        store.add_blob(&mut &b"bytes"[..], None).map(drop),
    ];
    for answer in refused {
        let error = answer.unwrap_err();
        assert_eq!(error.os_error(), Some(libc::EFBIG), "{error}");
    }
    assert!(everything(&store).is_ok());
}

fn left_in_staging(scratch: &Scratch) -> usize {
    fs::read_dir(scratch.root().join(".modelkeep/tmp"))
        .unwrap()
        .count()
}

/// A real file system without room, where we may mount one.
#[test]
fn on_a_full_disk_every_change_fails_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut mount = Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"])
        .arg(directory.path());
    if !mount.output().is_ok_and(|output| output.status.success()) {
        not_here("a full disk", "mounting a small file system is not allowed");
        return;
    }
    let answer = thread::scope(|scope| scope.spawn(|| fill(directory.path())).join());
    Command::new("umount")
        .arg(directory.path())
        .status()
        .unwrap();
    answer.unwrap();
}

fn fill(root: &Path) {
    let store = Store::open_with(StoreOptions::new(root).delete_delay(Duration::ZERO)).unwrap();
    let plain = ImportOptions::default();
    store.import(fixture(), name("good"), &plain).unwrap();
    store.copy(&name("good"), &name("bad")).unwrap();
    // Until there is no room for one more byte.
    let mut filler = fs::File::create(root.join("filler")).unwrap();
    while std::io::Write::write_all(&mut filler, &[0; 4096]).is_ok() {}
    let manifest = root.join("manifests/registry.ollama.ai/library/bad/latest");
    let before = fs::read(&manifest).unwrap();
    let other = ImportOptions::new()
        .system("other".to_owned())
        .replace(true);
    for answer in [
        store.copy(&name("good"), &name("bad")).map(drop),
        store.import(fixture(), name("bad"), &other).map(drop),
    ] {
        let error = answer.unwrap_err();
        assert_eq!(error.os_error(), Some(libc::ENOSPC), "{error}");
    }
    assert_eq!(fs::read(&manifest).unwrap(), before);
    assert!(everything(&store).is_ok());
    // A delete makes room, so it needs none.
    store.delete(reference("bad")).unwrap();
    store.delete(reference("good")).unwrap();
    assert!(store.list().unwrap().models.is_empty());
}

#[test]
fn without_permission_reading_works_and_changing_says_what_was_denied() {
    let scratch = stage();
    let before = scratch.snapshot();
    let program = scratch.root().join("program");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    if chown(&program, Some(65534), Some(65534)).is_err() {
        not_here("processes of another user", "the user is not root");
        return;
    }
    let mode = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode));
    mode(scratch.root(), 0o755).unwrap();
    fs::remove_dir_all(scratch.root().join(".modelkeep")).unwrap();
    let as_nobody = || {
        let mut limit = Command::new("setpriv");
        limit
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program);
        limit
    };
    if as_nobody().arg("--list").output().is_err() {
        skip("processes of another user", "no setpriv on the path");
        return;
    }
    under(as_nobody(), "a_process_that_may_only_read", &scratch);
    // What nobody may read is a problem beside the answer.
    let own = scratch
        .store()
        .model(reference("bad"))
        .unwrap()
        .all_paths()
        .unwrap();
    let blob = own
        .iter()
        .find(|path| fs::read(path).unwrap() == b"bad")
        .unwrap();
    mode(blob, 0o600).unwrap();
    mode(scratch.manifest_path("good").parent().unwrap(), 0o700).unwrap();
    under(as_nobody(), "a_process_that_may_not_read_all", &scratch);
    fs::remove_file(program).unwrap();
    assert_eq!(scratch.snapshot(), before);
}

#[test]
fn while_the_blobs_are_closed_no_model_goes() {
    let scratch = stage();
    let before = scratch.snapshot();
    let program = scratch.root().join("program");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    let mut give = Command::new("chown");
    give.args(["-R", "65534:65534"]).arg(scratch.root());
    if !give.output().is_ok_and(|output| output.status.success()) {
        not_here("processes of another user", "the user is not root");
        return;
    }
    let blobs = scratch.root().join("blobs");
    let mode = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode));
    for bits in [0o000, 0o444, 0o111] {
        mode(&blobs, bits).unwrap();
        let mut nobody = Command::new("setpriv");
        nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        nobody.arg(&program);
        under(nobody, "a_process_that_may_not_see_the_blobs", &scratch);
    }
    mode(&blobs, 0o755).unwrap();
    fs::remove_file(program).unwrap();
    assert_eq!(scratch.snapshot(), before);
}

#[test]
fn a_process_that_may_not_see_the_blobs() {
    let Some(store) = limited_store() else { return };
    let diagnosis = store.doctor().unwrap();
    let blobs = store.path().join("blobs");
    assert!(diagnosis.issues.iter().any(|issue| issue.path == blobs));
    let refused = [
        store.delete(reference("good")).map(drop),
        store.gc(&GcOptions::default()).map(drop),
        store.maintain().map(drop),
    ];
    for answer in refused {
        let error = answer.unwrap_err().to_string();
        assert!(error.contains("/blobs: "), "{error}");
    }
}

#[test]
fn a_process_that_may_only_read() {
    let Some(store) = limited_store() else { return };
    assert_eq!(store.list().unwrap().models.len(), 2);
    store
        .show(reference("good"), &ShowOptions::default())
        .unwrap();
    assert!(everything(&store).is_ok());
    assert!(store.doctor().unwrap().is_ok());
    store.usage().unwrap();
    let denied = [
        store.copy(&name("good"), &name("new")).map(drop),
        store
            .import(fixture(), name("new"), &ImportOptions::default())
            .map(drop),
        store.delete(reference("good")).map(drop),
        store.gc(&GcOptions::default()).map(drop),
        store.add_blob(&mut &b"bytes"[..], None).map(drop),
    ];
    for answer in denied {
        let error = answer.unwrap_err();
        assert_eq!(error.os_error(), Some(libc::EACCES), "{error}");
        assert!(error.to_string().contains(".modelkeep"), "{error}");
    }
}

#[test]
fn a_process_that_may_not_read_all() {
    let Some(store) = limited_store() else { return };
    let listing = store.list().unwrap();
    assert_eq!((listing.models.len(), listing.problems.len()), (1, 1));
    assert!(
        listing.problems[0].to_string().contains("denied"),
        "{listing:?}"
    );
    let report = everything(&store);
    let unreadable = report
        .blobs
        .iter()
        .filter(|blob| blob.status == BlobStatus::Unreadable);
    assert_eq!(unreadable.count(), 1, "{}", report.to_json().unwrap());
    assert!(!store.doctor().unwrap().is_ok());
    let shown = store
        .show(reference("good"), &ShowOptions::default())
        .unwrap_err();
    assert!(!shown.to_string().is_empty());
}

#[test]
fn directories_that_come_and_go_disturb_no_walk() {
    let scratch = stage();
    let store = scratch.store();
    let done = AtomicBool::new(false);
    let whole = scratch.root().join("whole");
    fs::write(&whole, "{}").unwrap();
    let churn = |number: usize| {
        let mut rounds = 0;
        while !done.load(Ordering::Relaxed) {
            let host = scratch.root().join(format!("manifests/host{number}"));
            let model = host.join("space/model");
            fs::create_dir_all(model.join("directory")).unwrap();
            // In one step: a writer that is interrupted for long leaves a torn one, which is told.
            fs::hard_link(&whole, model.join("tag")).unwrap();
            let blob = scratch.root().join(format!("blobs/stranger{number}"));
            fs::write(&blob, "").unwrap();
            fs::remove_file(blob).unwrap();
            fs::remove_dir_all(host).unwrap();
            rounds += 1;
        }
        rounds
    };
    let rounds: usize = thread::scope(|scope| {
        let churners = [1, 2].map(|number| scope.spawn(move || churn(number)));
        let end = End(&done);
        for _ in 0..60 {
            let listing = store.list().unwrap();
            for text in ["good", "bad"] {
                assert!(listing.models.iter().any(|line| line.name == name(text)));
            }
            store
                .show(reference("good"), &ShowOptions::default())
                .unwrap();
            let _ = store.doctor().unwrap();
            store.usage().unwrap();
            let report = everything(&store);
            assert!(report.is_ok(), "{}", report.to_json().unwrap());
            store.gc(&GcOptions::default()).unwrap();
            store.copy(&name("good"), &name("copy")).unwrap();
            store.delete(reference("copy")).unwrap();
        }
        drop(end);
        churners.map(|churner| churner.join().unwrap()).iter().sum()
    });
    println!("{rounds} times made and removed");
}

/// Ends the churning when the test does, also by a failure.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
