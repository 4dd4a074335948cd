//! A change that was killed before it made sure of its manifest: the next change does, or takes it
//! back. What the journal says is believed no more than anything else that lies in a store.

use std::fs;
use std::os::unix::fs::symlink;

use modelkeep::{BlobStatus, Digest, ErrorKind};

use crate::common::{Scratch, name, reference};
use crate::devices::elsewhere;
use crate::{at_once, verify};

const A: &str = "registry.ollama.ai/library/a/latest";
const KEPT: &str = ".modelkeep-1-0-1";

/// What a killed change of `a` leaves, which has another model still: its new manifest, the old one
/// where it was kept, and the journal.
struct Killed {
    scratch: Scratch,
    old: Vec<Digest>,
    new: Vec<Digest>,
}

fn killed(kept: &str) -> Killed {
    let scratch = Scratch::new();
    scratch.model("b", &[b"weights of b"]);
    let old = scratch.model("a", &[b"old weights of a"]);
    let before = fs::read(scratch.manifest_path("a")).unwrap();
    let new = scratch.model("a", &[b"new weights of a"]);
    scratch.write(&format!(".modelkeep/tmp/{KEPT}"), &before);
    let text = fs::read(scratch.manifest_path("a")).unwrap();
    write_journal(
        &scratch,
        &[&format!("{} {kept} {A}", Digest::of(&text).hex())],
    );
    Killed { scratch, old, new }
}

fn write_journal(scratch: &Scratch, lines: &[&str]) {
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let text = format!("{:08x}\n{lines}what was there before", lines.len());
    scratch.write(".modelkeep/lock", text.as_bytes());
}

fn remove(scratch: &Scratch, digests: &[Digest]) {
    for digest in digests {
        let _ = fs::remove_file(scratch.blob_path(digest));
    }
}

/// Removes the new blobs that are not old ones as well.
fn remove_all_but(scratch: &Scratch, old: &[Digest], new: &[Digest]) {
    let only_new = new.iter().filter(|digest| !old.contains(digest));
    remove(scratch, &only_new.copied().collect::<Vec<_>>());
}

/// Has the blobs lie on a disk that is not there, while `act` runs.
fn without_blobs(scratch: &Scratch, act: impl FnOnce()) {
    let (blobs, away) = (scratch.root().join("blobs"), scratch.root().join("away"));
    fs::rename(&blobs, &away).unwrap();
    symlink("not-mounted", &blobs).unwrap();
    act();
    fs::remove_file(&blobs).unwrap();
    fs::rename(&away, &blobs).unwrap();
}

fn is_whole(scratch: &Scratch, digests: &[Digest]) -> bool {
    let mut digests = digests.iter();
    digests.all(|digest| scratch.blob_path(digest).is_file())
}

fn journal(scratch: &Scratch) -> Vec<u8> {
    let text = fs::read(scratch.root().join(".modelkeep/lock")).unwrap();
    text.get(..8).unwrap().to_vec()
}

#[test]
fn a_manifest_that_lacks_a_blob_is_taken_back_by_the_next_change() {
    let Killed { scratch, old, new } = killed(KEPT);
    remove_all_but(&scratch, &old, &new);
    scratch.store().gc(&at_once()).unwrap();
    let model = scratch.store().model("a").unwrap();
    let named = model
        .manifest()
        .layers()
        .iter()
        .map(|layer| layer.digest().unwrap());
    assert!(named.into_iter().all(|digest| old.contains(&digest)));
    assert!(is_whole(&scratch, &old) && verify(&scratch.store()).is_ok());
    assert_eq!(journal(&scratch), b"00000000");
    assert_eq!(
        fs::read_dir(scratch.root().join(".modelkeep/tmp"))
            .unwrap()
            .count(),
        0
    );

    let Killed { scratch, new, .. } = killed("-");
    remove(&scratch, &new);
    scratch.store().copy("b", "c").unwrap();
    assert!(
        scratch.store().find("a").unwrap().is_none(),
        "nothing was there before"
    );
    assert!(verify(&scratch.store()).is_ok());
}

#[test]
fn a_manifest_on_another_disk_is_taken_back_too() {
    let Killed { scratch, old, new } = killed(KEPT);
    let Some(other) = elsewhere(scratch.root()) else {
        return;
    };
    let namespace = scratch.root().join("manifests/registry.ollama.ai/library");
    let model = namespace.join("a");
    fs::copy(model.join("latest"), other.path().join("latest")).unwrap();
    fs::remove_dir_all(&model).unwrap();
    symlink(other.path(), &model).unwrap();
    remove_all_but(&scratch, &old, &new);
    let collected = scratch.store().gc(&at_once()).unwrap();
    assert!(collected.kept.is_empty(), "{:?}", collected.kept);
    assert!(is_whole(&scratch, &old) && verify(&scratch.store()).is_ok());
    assert_eq!(journal(&scratch), b"00000000");
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1);
}

#[test]
fn a_manifest_that_is_whole_stays_and_so_does_what_somebody_else_has_put_there() {
    let Killed { scratch, new, .. } = killed(KEPT);
    scratch.store().gc(&at_once()).unwrap();
    assert!(is_whole(&scratch, &new) && verify(&scratch.store()).is_ok());
    assert_eq!(journal(&scratch), b"00000000");

    // What was kept is not needed any more.
    let Killed { scratch, .. } = killed(KEPT);
    scratch.store().copy("b", "c").unwrap();
    assert_eq!(
        fs::read_dir(scratch.root().join(".modelkeep/tmp"))
            .unwrap()
            .count(),
        0
    );

    let absent = Digest::of(b"nowhere");
    let lacking = format!(r#"{{"layers":[{{"digest":"{absent}"}}]}}"#);
    for theirs in [r#"{"layers":[]}"#, &lacking] {
        for kept in ["-", KEPT] {
            let Killed { scratch, .. } = killed(kept);
            scratch.manifest("a", theirs.as_bytes());
            scratch.store().copy("b", "c").unwrap();
            let now = fs::read(scratch.manifest_path("a")).unwrap();
            assert_eq!(now, theirs.as_bytes());
            assert_eq!(journal(&scratch), b"00000000");
        }
    }
}

#[test]
fn what_was_kept_is_kept_for_every_line_that_says_so() {
    let Killed { scratch, old, new } = killed(KEPT);
    let text = fs::read(scratch.manifest_path("a")).unwrap();
    let lines = [&text[..], b"a text that never came to be"];
    let lines = lines.map(|text| format!("{} {KEPT} {A}", Digest::of(text).hex()));
    write_journal(&scratch, &lines.each_ref().map(String::as_str));
    remove_all_but(&scratch, &old, &new);
    // Of the second line nothing is left to do, and the first one can wait.
    without_blobs(&scratch, || drop(scratch.store().copy("b", "c").unwrap()));
    scratch.store().copy("b", "d").unwrap();
    let named = scratch.store().model("a").unwrap().manifest().digests();
    assert!(named.iter().all(|digest| old.contains(digest)));
    assert!(verify(&scratch.store()).is_ok());
}

#[test]
fn a_manifest_that_somebody_has_deleted_since_stays_deleted() {
    let Killed { scratch, .. } = killed(KEPT);
    fs::remove_file(scratch.manifest_path("a")).unwrap();
    let collected = scratch.store().gc(&at_once()).unwrap();
    assert!(collected.kept.is_empty(), "{:?}", collected.kept);
    assert!(scratch.store().find("a").unwrap().is_none());
    assert_eq!(journal(&scratch), b"00000000");
}

#[test]
fn what_was_there_comes_back_whether_it_can_be_read_or_not() {
    let Killed { scratch, new, .. } = killed(KEPT);
    scratch.write(&format!(".modelkeep/tmp/{KEPT}"), b"no manifest");
    remove(&scratch, &new);
    scratch.store().copy("b", "c").unwrap();
    let back = fs::read(scratch.manifest_path("a")).unwrap();
    assert_eq!(back, b"no manifest");
    assert_eq!(journal(&scratch), b"00000000");
}

#[test]
fn where_the_old_manifest_was_deleted_with_its_blobs_it_does_not_come_back() {
    let Killed { scratch, old, new } = killed(KEPT);
    remove(&scratch, &old);
    remove(&scratch, &new);
    scratch.store().copy("b", "c").unwrap();
    assert!(scratch.store().find("a").unwrap().is_none());
}

#[test]
fn while_the_blobs_are_away_nothing_is_decided_and_nothing_removed() {
    let Killed { scratch, old, new } = killed(KEPT);
    without_blobs(&scratch, || {
        for _ in 0..2 {
            assert!(scratch.store().gc(&at_once()).is_err());
            assert!(scratch.store().delete(reference("b")).is_err());
            scratch.store().copy("b", "c").unwrap();
            assert_ne!(journal(&scratch), b"00000000");
        }
    });
    scratch.store().gc(&at_once()).unwrap();
    assert!(is_whole(&scratch, &new), "the change had come to its end");
    assert!(!is_whole(&scratch, &old), "nobody uses the old weights");
    assert_eq!(journal(&scratch), b"00000000");
}

#[test]
fn while_the_manifest_cannot_be_judged_no_blob_goes() {
    let Killed { scratch, old, new } = killed(KEPT);
    fs::remove_file(scratch.manifest_path("a")).unwrap();
    fs::create_dir(scratch.manifest_path("a")).unwrap();
    let error = scratch.store().gc(&at_once()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let deleted = scratch.store().delete(reference("b")).unwrap();
    assert!(deleted.blobs.is_empty() && !deleted.kept.is_empty());
    assert!(is_whole(&scratch, &old) && is_whole(&scratch, &new));
}

#[test]
fn verify_and_doctor_say_what_the_next_change_will_do() {
    let Killed { scratch, new, .. } = killed("-");
    remove(&scratch, &new);
    let report = verify(&scratch.store());
    let missing = report
        .blobs
        .iter()
        .filter(|it| it.status == BlobStatus::Missing);
    let details: Vec<&str> = missing.map(|it| it.detail.as_str()).collect();
    assert!(!details.is_empty() && details.iter().all(|it| it.contains("takes it back")));
    let diagnosis = scratch.store().doctor().unwrap();
    let mut issues = diagnosis.issues.iter();
    assert!(issues.all(|it| it.name != Some(name("a")) || it.advice.contains("modelkeep gc")));
    let notes = diagnosis
        .notes
        .iter()
        .filter(|it| it.name == Some(name("a")));
    assert_eq!(
        notes.filter(|it| it.what.contains("takes it back")).count(),
        1
    );
}

#[test]
fn a_journal_that_lies_reaches_nothing() {
    let Killed { scratch, new, .. } = killed("-");
    remove(&scratch, &new);
    scratch.write("outside", b"outside");
    let text = fs::read(scratch.manifest_path("a")).unwrap();
    let hex = Digest::of(&text).hex();
    let before = scratch.snapshot();
    for line in [
        format!("{hex} ../../outside {A}"),
        format!("{hex} .modelkeep-/../../../outside {A}"),
        format!("{hex} outside {A}"),
        format!("{hex} - registry.ollama.ai/library/../latest"),
        format!("{hex} - {A}/more"),
        format!("{hex} -  {A}"),
        format!("sha256:{hex} - {A}"),
        "x".repeat(4096),
    ] {
        write_journal(&scratch, &[&line]);
        drop(scratch.store().rename_old_blobs().unwrap());
        write_journal(&scratch, &[]);
        let mut after = scratch.snapshot();
        after.retain(|(path, _)| !path.ends_with("lock"));
        let mut before = before.clone();
        before.retain(|(path, _)| !path.ends_with("lock"));
        assert_eq!(after, before, "{line}");
    }
}
