//! What this process lacks says nothing about the data.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use modelkeep::{BlobStatus, ErrorKind, Store};

use crate::common::Scratch;
use crate::verify;

const STORE: &str = "MODELKEEP_KEPT_STORE";

/// Run by [`too_few_descriptors_damage_nothing`] with few descriptors.
#[test]
#[ignore = "runs in a process of its own"]
fn with_few_descriptors() {
    let root = PathBuf::from(env::var_os(STORE).unwrap());
    let store = Store::open(root).unwrap();
    assert_eq!(store.list().unwrap().models.len(), 40);
    assert!(store.list().unwrap().problems.is_empty());
    let report = verify(&store);
    assert!(report.is_ok(), "{}", report.to_json().unwrap());
    assert!(
        report
            .blobs
            .iter()
            .all(|found| found.status == BlobStatus::Ok)
    );
}

/// Run by [`no_descriptor_at_all_is_an_error_of_the_call`].
#[test]
#[ignore = "runs in a process of its own"]
fn with_no_descriptor_left() {
    let root = PathBuf::from(env::var_os(STORE).unwrap());
    let store = Store::open(root).unwrap();
    let mut held = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        held.push(file);
    }
    let answers = [
        store.list().map(drop),
        store.usage().map(drop),
        store.doctor().map(drop),
        store.verify(&modelkeep::VerifyOptions::default()).map(drop),
    ];
    drop(held);
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(
            (error.kind(), error.os_error()),
            (ErrorKind::Io, Some(24)),
            "{error}"
        );
    }
}

/// Run by [`few_descriptors_are_enough_or_an_error_of_the_call`].
#[test]
#[ignore = "runs in a process of its own"]
fn with_some_descriptors_left() {
    let root = PathBuf::from(env::var_os(STORE).unwrap());
    let calls: [fn(&Store) -> modelkeep::Result<String>; 4] = [
        |store| Ok(format!("{:?}", store.list()?.problems)),
        |store| Ok(format!("{:?}", store.usage()?.problems)),
        |store| Ok(format!("{:?}", store.doctor()?.issues)),
        |store| Ok(format!("{:?}", verified(store)?.problems)),
    ];
    for left in 0..12 {
        for call in calls {
            // Nothing is remembered of a store that is opened anew.
            let store = Store::open(&root).unwrap();
            let mut held = Vec::new();
            while let Ok(file) = std::fs::File::open("/dev/null") {
                held.push(file);
            }
            held.truncate(held.len().saturating_sub(left));
            let answer = call(&store);
            drop(held);
            match answer {
                Ok(problems) => assert_eq!(problems, "[]", "{left} left"),
                Err(error) => assert_eq!(error.os_error(), Some(24), "{left} left: {error}"),
            }
        }
    }
}

fn verified(store: &Store) -> modelkeep::Result<modelkeep::Report> {
    let report = store.verify(&modelkeep::VerifyOptions::default())?;
    let mut blobs = report.blobs.iter();
    assert!(blobs.all(|found| found.status == BlobStatus::Ok));
    Ok(report)
}

fn run(test: &str, descriptors: u32) {
    let scratch = Scratch::new();
    for number in 0..40 {
        scratch.model(
            &format!("m{number}"),
            &[format!("weights {number}").as_bytes()],
        );
    }
    let limited = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &limited])
        .arg(env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("process::{test}"),
            "--ignored",
            "--test-threads=1",
        ])
        .env(STORE, scratch.root())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
fn too_few_descriptors_damage_nothing() {
    run("with_few_descriptors", 16);
}

#[test]
fn no_descriptor_at_all_is_an_error_of_the_call() {
    run("with_no_descriptor_left", 24);
}

/// Whatever a call gets to see before it lacks a descriptor.
#[test]
fn few_descriptors_are_enough_or_an_error_of_the_call() {
    run("with_some_descriptors_left", 48);
}
