//! Every place of the layout, in every state, before every call that removes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use modelkeep::{Digest, ImportOptions, Store};

use crate::common::{Scratch, fixture, name, reference};
use crate::server::{self, Server};
use crate::{age_all, at_once, verify};

/// The places of the model `b`, from the outermost.
const PLACES: [&str; 5] = [
    "manifests",
    "manifests/hf.co",
    "manifests/hf.co/team",
    "manifests/hf.co/team/b",
    "manifests/hf.co/team/b/Q4",
];

/// What is in a place instead of what belongs there, which is away for the moment.
const STATES: [&str; 8] = [
    "a link to a disk that is away",
    "a loop",
    "a file",
    "an empty file",
    "a FIFO",
    "another form",
    "a disk that is there",
    "a file behind a link",
];

/// Two models that share a blob, and the blobs that only `b` uses.
struct Scene {
    scratch: Scratch,
    outside: tempfile::TempDir,
    of_b: Vec<Digest>,
}

impl Scene {
    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.model("a", &[b"shared", b"own of a"]);
        let of_b = scratch.model("hf.co/team/b:Q4", &[b"shared", b"own of b"]);
        age_all(&scratch.root().join("blobs"));
        Scene {
            scratch,
            outside: tempfile::tempdir().unwrap(),
            of_b,
        }
    }

    fn away(&self) -> PathBuf {
        self.outside.path().join("away")
    }

    fn put(&self, state: &str, place: &str) {
        let path = self.scratch.root().join(place);
        let away = self.away();
        fs::rename(&path, &away).unwrap();
        match state {
            "a link to a disk that is away" => symlink("/nonexistent/disk", &path).unwrap(),
            "a loop" => symlink(&path, &path).unwrap(),
            "a file" => fs::write(&path, "no").unwrap(),
            "an empty file" => fs::write(&path, "").unwrap(),
            "a FIFO" => assert!(
                Command::new("mkfifo")
                    .arg(&path)
                    .status()
                    .unwrap()
                    .success()
            ),
            "another form" => fs::write(&path, "[1]").unwrap(),
            "a disk that is there" => symlink(&away, &path).unwrap(),
            "a file behind a link" => {
                let file = self.outside.path().join("file");
                fs::write(&file, "no").unwrap();
                symlink(file, &path).unwrap();
            }
            other => panic!("{other}"),
        }
    }

    /// Brings back what was away.
    fn restore(&self, place: &str) {
        let path = self.scratch.root().join(place);
        if path.symlink_metadata().is_ok() {
            fs::remove_file(&path).unwrap();
        }
        fs::rename(self.away(), path).unwrap();
    }

    fn has_all_of_b(&self) -> bool {
        let held = |digest: &Digest| self.scratch.blob_path(digest).is_file();
        self.of_b.iter().all(held)
    }
}

type Call = fn(&Store);

const CALLS: [(&str, Call); 9] = [
    ("gc", |store| drop(store.gc(&at_once().partials(true)))),
    ("maintain", |store| drop(store.maintain_with(&at_once()))),
    ("delete", |store| drop(store.delete(reference("a")))),
    ("delete all", |store| {
        let names = [reference("a"), reference("hf.co/team/none")];
        drop(store.delete_all(&names));
    }),
    ("copy", |store| drop(store.copy(&name("a"), &name("c")))),
    ("import", |store| {
        let options = ImportOptions::new().replace(true);
        drop(store.import(fixture(), name("a"), &options));
        drop(store.gc(&at_once()));
    }),
    ("repair", |store| {
        let report = store.verify(&modelkeep::VerifyOptions::default());
        drop(report.and_then(|report| store.repair(&report)));
    }),
    ("rename", |store| drop(store.rename_old_blobs())),
    ("add", |store| drop(store.add_blob(&mut &b"new"[..], None))),
];

#[test]
fn no_call_removes_what_is_behind_an_entry_that_does_not_lead_where_it_must() {
    for place in PLACES {
        for state in STATES {
            for (call, run) in CALLS {
                let scene = Scene::new();
                scene.put(state, place);
                run(&scene.scratch.store());
                let what = format!("{call} with {state} at {place}");
                assert!(scene.has_all_of_b(), "{what}");
                scene.restore(place);
                let model = scene.scratch.store().model(reference("hf.co/team/b:Q4"));
                assert_eq!(model.unwrap().manifest().digests().len(), 3, "{what}");
            }
        }
    }
}

#[test]
fn every_call_that_looks_names_the_entry() {
    for place in PLACES {
        for state in STATES
            .into_iter()
            .filter(|state| *state != "a disk that is there")
        {
            let scene = Scene::new();
            scene.put(state, place);
            let store = scene.scratch.store();
            let path = scene.scratch.root().join(place);
            let what = format!("{state} at {place}");
            let named = |paths: Vec<&Path>| paths.contains(&path.as_path());
            let listing = store.list().unwrap();
            let problems = listing.problems.iter().map(|problem| problem.path());
            assert!(named(problems.collect()), "list: {what}");
            let report = verify(&store);
            assert!(!report.is_ok(), "verify: {what}");
            assert!(
                named(report.problems.iter().map(|p| p.path()).collect()),
                "verify: {what}"
            );
            let usage = store.usage().unwrap();
            assert!(
                named(usage.problems.iter().map(|p| p.path()).collect()),
                "du: {what}"
            );
            let diagnosis = store.doctor().unwrap();
            let found = diagnosis.issues.iter().find(|found| found.path == path);
            let found = found.unwrap_or_else(|| panic!("doctor: {what}"));
            if state == "a link to a disk that is away" {
                assert!(
                    found.what.contains("/nonexistent/disk"),
                    "{what}: {}",
                    found.what
                );
                assert!(found.what.contains("mounted"), "{what}: {}", found.what);
                assert!(!found.advice.contains("delete"), "{what}: {}", found.advice);
            }
            let error = store.gc(&at_once()).unwrap_err().to_string();
            assert!(
                error.contains(path.to_str().unwrap()),
                "gc: {what}: {error}"
            );
            if place != "manifests" {
                let deleted = store.delete(reference("a")).unwrap();
                assert!(
                    named(deleted.kept.iter().map(|p| p.path()).collect()),
                    "rm: {what}"
                );
                assert_eq!(deleted.blobs, [], "{what}");
            }
        }
    }
}

#[test]
fn while_the_blobs_are_away_nothing_is_removed_and_no_model_is_lost() {
    for state in STATES
        .into_iter()
        .filter(|state| *state != "a disk that is there")
    {
        let scene = Scene::new();
        scene.put(state, "blobs");
        let store = scene.scratch.store();
        let refused = [
            store.delete(reference("a")).map(drop),
            store.gc(&at_once()).map(drop),
            store.maintain().map(drop),
        ];
        for answer in refused {
            let error = answer.unwrap_err().to_string();
            assert!(error.contains("/blobs"), "{state}: {error}");
        }
        let diagnosis = store.doctor().unwrap();
        assert_eq!(
            diagnosis.issues.len(),
            1,
            "{state}: {}",
            diagnosis.to_json().unwrap()
        );
        assert!(!diagnosis.issues[0].advice.contains("pull"), "{state}");
        let listing = store.list().unwrap();
        let blobs = scene.scratch.root().join("blobs");
        assert_eq!(listing.problems[0].path(), blobs, "{state}");
        scene.restore("blobs");
        assert!(scene.has_all_of_b(), "{state}");
        assert!(verify(&scene.scratch.store()).is_ok(), "{state}");
    }
}

#[test]
fn a_store_with_blobs_and_no_manifest_wants_to_be_asked_for_all() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"weights");
    // What lies at another depth keeps what it names, and is no sign that the models are there.
    let elsewhere = format!(r#"{{"layers":[{{"digest":"{}"}}]}}"#, scratch.blob(b"kept"));
    scratch.write(
        "manifests/registry.ollama.ai/library/a/latest/.snapshot/b",
        elsewhere.as_bytes(),
    );
    let options = modelkeep::GcOptions::default().grace(std::time::Duration::ZERO);
    for dry_run in [true, false] {
        let error = scratch
            .store()
            .gc(&options.clone().dry_run(dry_run))
            .unwrap_err();
        assert!(error.to_string().contains("--all"), "{error}");
    }
    assert!(scratch.blob_path(&digest).exists());
    let notes = scratch.store().doctor().unwrap().notes;
    assert!(notes[0].advice.contains("--all"), "{}", notes[0].advice);
    assert_eq!(scratch.store().gc(&at_once()).unwrap().blobs, [digest]);
    // Where there is nothing to lose, there is nothing to ask.
    assert_eq!(scratch.store().gc(&options).unwrap().blobs, []);
}

fn blobs(store: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(store.join("blobs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn what_a_starting_server_keeps_we_keep() {
    if server::required().is_none() {
        return;
    }
    for place in &PLACES[1..] {
        for state in STATES.into_iter().filter(|state| *state != "a FIFO") {
            let (ours, theirs) = (Scene::new(), Scene::new());
            for scene in [&ours, &theirs] {
                scene.put(state, place);
            }
            let home = tempfile::tempdir().unwrap();
            drop(Server::start(theirs.scratch.root(), home.path()));
            drop(ours.scratch.store().maintain_with(&at_once()));
            let (kept, expected) = (blobs(ours.scratch.root()), blobs(theirs.scratch.root()));
            assert!(
                kept.is_superset(&expected),
                "{state} at {place}: {kept:?} {expected:?}"
            );
        }
    }
}
