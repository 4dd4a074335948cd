//! What doctor and verify tell: each thing once, in order, and only what is so.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use modelkeep::{BlobStatus, Digest, Report, Store, VerifyOptions};

use crate::common::{Scratch, name, reference};
use crate::{at_once, verify};

/// Verifies a store; `act` is done when all files were looked at, and before a byte is read.
fn verify_beside(store: &Store, act: impl FnOnce()) -> Report {
    let mut act = Some(act);
    let mut observe = |_: &_| {
        if let Some(act) = act.take() {
            act();
        }
        ControlFlow::Continue(())
    };
    let all = VerifyOptions::default();
    store.verify_with(&all, &mut observe).unwrap()
}

/// The models of the finding of a blob, and what it is.
fn found(report: &Report, digest: &Digest) -> Option<(BlobStatus, Vec<String>)> {
    let mut blobs = report.blobs.iter();
    let found = blobs.find(|found| found.digest == *digest)?;
    let models = found.models.iter().map(ToString::to_string);
    Some((found.status, models.collect()))
}

#[test]
fn what_is_missing_and_deleted_while_others_are_verified_is_no_damage() {
    let scratch = Scratch::new();
    let of_a = scratch.model("a", &[b"shared", b"own of a"]);
    scratch.model("b", &[b"shared"]);
    fs::remove_file(scratch.blob_path(&of_a[2])).unwrap();
    let report = verify_beside(&scratch.store(), || {
        fs::remove_file(scratch.manifest_path("a")).unwrap();
    });
    assert!(report.is_ok(), "{}", report.to_json().unwrap());
    assert_eq!(found(&report, &of_a[2]), None);
    assert_eq!(found(&report, &of_a[1]).unwrap().0, BlobStatus::Ok);
}

#[test]
fn what_is_missing_is_so_for_the_models_that_are_left_in_the_end() {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"shared"])[1];
    scratch.model("b", &[b"shared"]);
    scratch.model("c", &[b"shared"]);
    fs::remove_file(scratch.blob_path(&digest)).unwrap();
    let report = verify_beside(&scratch.store(), || {
        fs::remove_file(scratch.manifest_path("b")).unwrap();
    });
    let models = ["a:latest", "c:latest"].map(str::to_owned).to_vec();
    assert_eq!(found(&report, &digest), Some((BlobStatus::Missing, models)));
}

#[test]
fn what_is_put_back_while_others_are_verified_is_not_missing() {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"weights"])[1];
    fs::remove_file(scratch.blob_path(&digest)).unwrap();
    let report = verify_beside(&scratch.store(), || {
        scratch.blob(b"weights");
    });
    assert_eq!(found(&report, &digest), None);
    assert!(report.is_ok());
}

#[test]
fn a_link_that_leads_nowhere_is_missing_whoever_names_it() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    fs::remove_file(scratch.blob_path(&orphan)).unwrap();
    symlink("/nonexistent/disk", scratch.blob_path(&orphan)).unwrap();
    let report = verify(&scratch.store());
    let expected = (BlobStatus::Missing, Vec::new());
    assert_eq!(found(&report, &orphan), Some(expected));
}

#[test]
fn a_blob_of_another_size_says_so_once() {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"weights"])[1];
    fs::write(scratch.blob_path(&digest), b"short").unwrap();
    let report = verify(&scratch.store());
    let mut blobs = report.blobs.iter();
    let finding = blobs.find(|found| found.digest == digest).unwrap();
    assert_eq!(finding.status, BlobStatus::WrongSize);
    assert_eq!(finding.detail, "5 bytes, where a:latest says 7");
    assert_eq!(report.models.len(), 1);
    assert_eq!(report.models[0].reasons.len(), 1);
}

#[test]
fn a_model_that_names_a_blob_twice_is_named_once() {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"weights", b"weights"])[1];
    let report = verify(&scratch.store());
    let expected = (BlobStatus::Ok, vec!["a:latest".to_owned()]);
    assert_eq!(found(&report, &digest), Some(expected));
}

/// What doctor says of a path: the issues and the notes.
fn told(store: &Store, path: &Path) -> (Vec<String>, Vec<String>) {
    let diagnosis = store.doctor().unwrap();
    let of = |all: &[modelkeep::Issue]| {
        let here = all.iter().filter(|it| it.path == path);
        here.map(|it| it.what.clone()).collect::<Vec<_>>()
    };
    (of(&diagnosis.issues), of(&diagnosis.notes))
}

#[test]
fn each_file_among_the_blobs_is_told_for_what_it_is() {
    const STRANGER: &str = "a file among the blobs that is none";
    const CREATE: &str = "a leftover of an interrupted create";
    const MANAGER: &str = "a file of a file manager";
    let (hex, long) = (Digest::of(b"x").hex(), "1".repeat(65));
    let cases = [
        ("README".to_owned(), STRANGER, true),
        ("sha256-".to_owned(), STRANGER, true),
        ("sha256-12a".to_owned(), STRANGER, true),
        (format!("sha256-{long}"), STRANGER, true),
        ("sha256-123".to_owned(), CREATE, false),
        (".DS_Store".to_owned(), MANAGER, false),
        (format!("sha256:{hex}"), "old releases", true),
    ];
    for (file, expected, is_issue) in cases {
        let scratch = Scratch::new();
        scratch.model("a", &[b"weights"]);
        scratch.write(&format!("blobs/{file}"), b"x");
        let path = scratch.root().join("blobs").join(&file);
        let (issues, notes) = told(&scratch.store(), &path);
        assert_eq!(
            (issues.len(), notes.len()),
            (usize::from(is_issue), usize::from(!is_issue))
        );
        assert!(
            issues
                .iter()
                .chain(&notes)
                .all(|what| what.contains(expected)),
            "{file}"
        );
    }
}

#[test]
fn a_file_that_may_be_a_missing_blob_is_no_stranger_and_a_stranger_beside_it_is_one() {
    let scratch = Scratch::new();
    let digest = scratch.model("a", &[b"the weights"])[1];
    let data = scratch.root().join("blobs/data");
    fs::rename(scratch.blob_path(&digest), &data).unwrap();
    scratch.write("blobs/README", b"read me");
    let store = scratch.store();
    let (issues, notes) = told(&store, &data);
    assert_eq!(issues.len() + notes.len(), 1);
    let readme = scratch.root().join("blobs/README");
    assert_eq!(
        told(&store, &readme).0,
        ["a file among the blobs that is none"]
    );
    let diagnosis = store.doctor().unwrap();
    for all in [&diagnosis.issues, &diagnosis.notes] {
        assert!(all.is_sorted_by_key(|it| &it.path));
    }
}

#[test]
fn a_model_without_a_config_is_whole_and_one_whose_config_is_none_is_not_listed() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"weights");
    let layer = format!(r#"{{"digest":"{digest}","size":7}}"#);
    scratch.manifest("a", format!(r#"{{"layers":[{layer}]}}"#).as_bytes());
    assert!(scratch.store().doctor().unwrap().is_ok());
    let manifest = format!(r#"{{"config":{layer},"layers":[{layer}]}}"#);
    scratch.manifest("b", manifest.as_bytes());
    let (issues, _) = told(&scratch.store(), &scratch.manifest_path("b"));
    assert!(issues[0].contains("is not listed"), "{issues:?}");
    assert_eq!(issues.len(), 1);
}

#[test]
fn what_is_none_of_ours_in_our_directories_is_noted() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let fifo = scratch.root().join(".modelkeep/trash/fifo");
    fs::create_dir_all(fifo.parent().unwrap()).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let (issues, notes) = told(&scratch.store(), &fifo);
    assert_eq!((issues.len(), notes.len()), (0, 1));
    assert!(notes[0].contains("none of ours"));
}

#[test]
fn while_a_manifest_is_unreadable_nothing_is_called_unused() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    scratch.blob(b"orphan");
    let blobs = scratch.root().join("blobs");
    let (_, notes) = told(&scratch.store(), &blobs);
    assert!(
        notes[0].contains("that no model uses, in 1 file"),
        "{notes:?}"
    );
    scratch.manifest("torn", b"{");
    assert_eq!(told(&scratch.store(), &blobs).1, Vec::<String>::new());
}

type Call = fn(&Store) -> modelkeep::Result<()>;

const CALLS: [(&str, Call); 7] = [
    ("gc", |store| store.gc(&at_once()).map(drop)),
    ("delete", |store| store.delete(reference("a")).map(drop)),
    ("maintain", |store| store.maintain().map(drop)),
    ("rename", |store| store.rename_old_blobs().map(drop)),
    ("usage", |store| store.usage().map(drop)),
    ("repair", |store| store.repair(&Report::default()).map(drop)),
    ("verify", |store| {
        let all = VerifyOptions::default();
        let mut go_on = |_: &_| ControlFlow::Continue(());
        store.verify_with(&all, &mut go_on).map(drop)
    }),
];

#[test]
fn while_the_blobs_are_away_every_call_that_needs_them_says_so() {
    for (call, run) in CALLS {
        let scratch = Scratch::new();
        scratch.model("a", &[b"weights"]);
        let blobs = scratch.root().join("blobs");
        fs::rename(&blobs, scratch.root().join("away")).unwrap();
        symlink("/nonexistent/disk", &blobs).unwrap();
        let error = run(&scratch.store()).unwrap_err();
        assert!(
            error.to_string().contains("looking for blobs in"),
            "{call}: {error}"
        );
        assert!(scratch.store().find(name("a")).unwrap().is_some(), "{call}");
    }
}

#[test]
fn a_diagnosis_counts_in_words_and_is_in_the_order_of_paths() {
    let scratch = Scratch::new();
    scratch.model("few", &[b"a"]);
    scratch.model("many", &[b"1", b"2", b"3", b"4", b"5"]);
    let lost = [b"a", b"1", b"2", b"3", b"4", b"5"].map(|bytes| Digest::of(bytes));
    let [one, .., five] = lost;
    let orphan = scratch.blob(b"orphan");
    let dots = "1".repeat(64);
    for name in [format!("sha256-{dots}"), "sha256-12".to_owned()] {
        scratch.write(&format!("blobs/{name}"), b"of whom?");
    }
    scratch.write("blobs/a stranger", b"of whom?");
    scratch.manifest("torn", b"{");
    for digest in lost.iter().filter(|digest| **digest != five) {
        fs::remove_file(scratch.blob_path(digest)).unwrap();
    }
    let diagnosis = scratch.store().doctor().unwrap();
    let what = |model: &str| {
        let of_model = |it: &&modelkeep::Issue| it.name == Some(name(model));
        diagnosis.issues.iter().find(of_model).unwrap().what.clone()
    };
    assert!(what("torn").contains("decod"), "{}", what("torn"));
    assert!(what("few").contains(&one.hex()) && !what("few").contains("more of its blobs"));
    assert!(
        what("many").ends_with("; and 1 more of its blobs"),
        "{}",
        what("many")
    );
    fs::remove_file(scratch.manifest_path("torn")).unwrap();
    let told = |diagnosis: &modelkeep::Diagnosis, text: &str| {
        diagnosis.notes.iter().any(|note| note.what.contains(text))
    };
    let diagnosis = scratch.store().doctor().unwrap();
    assert!(
        told(&diagnosis, "that no model uses, in 2 files"),
        "{:?}",
        diagnosis.notes
    );
    let paths: Vec<&Path> = diagnosis
        .notes
        .iter()
        .map(|note| note.path.as_path())
        .collect();
    assert!(paths.len() > 1 && paths.is_sorted(), "{paths:?}");
    fs::remove_file(scratch.blob_path(&orphan)).unwrap();
    let diagnosis = scratch.store().doctor().unwrap();
    assert!(
        told(&diagnosis, "that no model uses, in 1 file"),
        "{:?}",
        diagnosis.notes
    );
    assert!(!told(&diagnosis, "in 1 files"), "{:?}", diagnosis.notes);
}
