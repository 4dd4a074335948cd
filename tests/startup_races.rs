//! Our changes beside a reference server that starts: it looks through `blobs/` and prunes.
//!
//! `MODELKEEP_ROUNDS` sets how many rounds are run, `MODELKEEP_SEED` which; the figures of long
//! runs are in `docs/reliability.md`.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/meeting.rs"]
mod meeting;
#[path = "common/server.rs"]
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use common::{Scratch, fixture, name, reference};
use meeting::{Meetings, number};
use modelkeep::{Durability, GcOptions, ImportOptions, Store, VerifyOptions};
use server::Server;

fn rounds() -> u64 {
    number("MODELKEEP_ROUNDS", 6)
}

/// A store with models and with more blobs that nobody uses.
fn stage() -> Scratch {
    let scratch = Scratch::new();
    for number in 0..300 {
        scratch.blob(format!("unused {number}").as_bytes());
    }
    let store = quick(&scratch);
    for text in ["stable", "own"] {
        let options = ImportOptions::new().system(format!("system of {text}"));
        store.import(fixture(), name(text), &options).unwrap();
    }
    scratch
}

fn quick(scratch: &Scratch) -> Store {
    let options = scratch.options().durability(Durability::None);
    Store::open_with(options).unwrap()
}

fn age(path: &Path) {
    let old = SystemTime::now() - Duration::from_secs(7200);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(old).unwrap();
}

/// A stranger's old file: the server prunes it, and we never do.
fn sentinel(scratch: &Scratch) -> PathBuf {
    let path = scratch.root().join("blobs/sentinel");
    fs::write(&path, "").unwrap();
    age(&path);
    path
}

struct Started {
    server: Server,
    /// When the prune was under way, unless the server ended before.
    pruned: Option<Instant>,
}

/// Starts the server; answers when it pruned or ended.
fn start(scratch: &Scratch, home: &Path, sentinel: &Path) -> Option<Started> {
    let mut server = Server::launch(scratch.root(), home)?;
    while sentinel.exists() && server.is_running() {
        thread::sleep(Duration::from_micros(200));
    }
    let pruned = (!sentinel.exists()).then(Instant::now);
    Some(Started { server, pruned })
}

#[test]
fn our_imports_are_whole_while_the_server_prunes_what_they_use() {
    if server::required().is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (mut meetings, mut meanwhile) = (Meetings::coarse(), 0);
    for round in 0..rounds() {
        let scratch = stage();
        let store = quick(&scratch);
        let options = ImportOptions::new()
            .system(format!("system {round}"))
            .template(format!("{{{{ .Prompt }}}} {round}"));
        // What the import is going to bring lies there already, unused and old.
        store.import(fixture(), name("dst"), &options).unwrap();
        fs::remove_file(scratch.manifest_path("dst")).unwrap();
        for blob in fs::read_dir(scratch.root().join("blobs")).unwrap() {
            age(&blob.unwrap().path());
        }
        let sentinel = sentinel(&scratch);
        let store = Store::open(scratch.root()).unwrap();
        let theirs = || start(&scratch, home.path(), &sentinel).unwrap();
        let ours = || {
            let begun = Instant::now();
            store.import(fixture(), name("dst"), &options).unwrap();
            (begun, Instant::now())
        };
        let (mut started, (begun, done)) = meetings.meet(theirs, ours);
        assert!(started.server.is_up(), "round {round}");
        let pruned = started.pruned.unwrap();
        meetings.learn(done < pruned);
        meanwhile += u64::from(begun < pruned && pruned < done);
        let report = store.verify(&VerifyOptions::default()).unwrap();
        assert!(
            report.is_ok(),
            "round {round}: {}",
            report.to_json().unwrap()
        );
        assert!(store.find(name("dst")).unwrap().is_some(), "round {round}");
    }
    let seed = number("MODELKEEP_SEED", 1);
    println!(
        "seed {seed}: {} rounds, {meanwhile} with a prune during the import, 0 broken",
        meetings.rounds
    );
}

/// Ollama ends when a file vanishes that it has seen: a number, not a promise.
#[test]
#[ignore = "counts what Ollama does"]
fn starts_beside_our_collections_are_counted() {
    let grace = GcOptions::default().grace(Duration::ZERO);
    count_starts(|store| drop(store.gc(&grace).unwrap()));
}

#[test]
#[ignore = "counts what Ollama does"]
fn starts_beside_our_deletes_are_counted() {
    count_starts(|store| drop(store.delete(reference("own")).unwrap()));
}

fn count_starts(ours: impl Fn(&Store)) {
    if server::required().is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (mut meetings, mut ended) = (Meetings::coarse(), 0);
    for _ in 0..rounds() {
        let scratch = stage();
        let sentinel = sentinel(&scratch);
        let store = quick(&scratch);
        let theirs = || start(&scratch, home.path(), &sentinel).unwrap();
        let (mut started, done) = meetings.meet(theirs, || {
            ours(&store);
            Instant::now()
        });
        meetings.learn(started.pruned.is_some_and(|pruned| done < pruned));
        ended += u64::from(!started.server.is_up());
    }
    let seed = number("MODELKEEP_SEED", 1);
    println!("seed {seed}: {ended} of {} starts ended", meetings.rounds);
}
