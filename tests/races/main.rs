//! Our own processes against each other: threads of several processes copy, delete, import, list,
//! show and collect over few names, and the history of it all has to have an order.
//!
//! `MODELKEEP_OPS` sets how many calls there are in all, `MODELKEEP_SEED` which, and
//! `MODELKEEP_DURABLE=1` flushes every change; the figures of long runs are in
//! `docs/reliability.md`.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod history;
mod register;
mod worker;

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use common::{Scratch, fixture, name};
use modelkeep::{ImportOptions, Store, VerifyOptions};
use worker::{NAMES, Plan, STABLE, THREADS};

const PLAN: &str = "MODELKEEP_RACES_PLAN";

const PROCESSES: usize = 4;

fn number(variable: &str) -> Option<usize> {
    env::var(variable).ok()?.parse().ok()
}

#[test]
fn every_name_is_a_register_when_nothing_waits() {
    race(Duration::ZERO, calls(6), &[""]);
}

#[test]
fn every_name_is_a_register_when_deletes_settle() {
    race(Duration::from_millis(50), calls(1), &[""]);
}

/// Two ways to one store, each with a lock of its own, as if there were none: an import without
/// `replace` may then replace and a blob be away for a moment, but none is lost.
#[test]
fn no_blob_is_lost_without_a_lock() {
    race(Duration::from_millis(50), calls(1), &["", "way"]);
}

/// So many eighths of the calls that are asked for.
fn calls(eighths: usize) -> usize {
    number("MODELKEEP_OPS").unwrap_or(3200) * eighths / 8
}

fn race(delete_delay: Duration, calls: usize, ways: &[&str]) {
    // One race at a time: more of them leave each other no processor.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let scratch = Scratch::new();
    let locked = ways.len() == 1;
    let store = scratch.store();
    let import = |text| store.import(fixture(), name(text), &ImportOptions::default());
    import(STABLE).unwrap();
    make_ways(scratch.root(), ways);
    let seed = number("MODELKEEP_SEED").unwrap_or(1);
    let plans: Vec<Plan> = (0..PROCESSES)
        .map(|process| Plan {
            root: scratch.root().join(ways[process % ways.len()]),
            history: scratch.root().join(format!("history-{process}")),
            seed: (seed * PROCESSES + process) as u64,
            calls: calls.div_ceil(PROCESSES * THREADS),
            delete_delay,
            locked,
        })
        .collect();
    let done = AtomicBool::new(false);
    let looks = thread::scope(|scope| {
        let watcher = scope.spawn(|| worker::watch(&store, locked, &done));
        let children: Vec<Child> = plans.iter().map(start).collect();
        let ends: Vec<String> = children.into_iter().filter_map(failure).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ends.is_empty(), "{ends:?}");
        watcher.join().unwrap()
    });
    assert_sound(&store);
    let histories: Vec<PathBuf> = plans.into_iter().map(|plan| plan.history).collect();
    let calls = worker::read(&histories);
    if locked {
        register::order(&calls, NAMES.len()).unwrap();
    }
    println!(
        "seed {seed}, delete_delay {delete_delay:?}: {} calls in {} processes, {looks} looks at the stable \
         model, 0 failed",
        calls.len(),
        PROCESSES
    );
}

/// Directories that lead to one store's blobs and manifests, and have locks of their own.
fn make_ways(root: &Path, ways: &[&str]) {
    for way in ways.iter().filter(|way| !way.is_empty()) {
        fs::create_dir(root.join(way)).unwrap();
        for part in ["blobs", "manifests"] {
            symlink(root.join(part), root.join(way).join(part)).unwrap();
        }
    }
}

fn start(plan: &Plan) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["a_process_among_several", "--exact", "--nocapture"]);
    command.env(PLAN, plan.to_words()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// What a process said that failed.
fn failure(child: Child) -> Option<String> {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (!output.status.success()).then_some(text)
}

/// This program again, as one of the processes; nothing when it is run as a test.
#[test]
fn a_process_among_several() {
    if let Ok(words) = env::var(PLAN) {
        worker::work(&Plan::from_words(&words));
    }
}

/// Every model has its blobs with their bytes, and nothing is left over.
fn assert_sound(store: &Store) {
    let all = VerifyOptions::default();
    let report = store.verify(&all);
    let report = report.unwrap();
    assert!(report.is_ok(), "{}", report.to_json().unwrap());
    for directory in ["trash", "tmp"] {
        let directory = store.path().join(".modelkeep").join(directory);
        let left = fs::read_dir(&directory).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{}", directory.display());
    }
}
