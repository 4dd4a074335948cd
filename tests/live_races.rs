//! Our changes beside those of a running reference server: no model ever lacks a blob.
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
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::{Scratch, fixture, name, reference};
use meeting::{Meetings, number};
use modelkeep::{Durability, GcOptions, ImportOptions, Manifest, ShowOptions, Store, StoreOptions};
use server::Server;

/// A store, a server on it, and a model that nobody changes.
struct Pair {
    scratch: Scratch,
    server: Server,
    /// Ours as it is, and one for callers who know that the server is idle.
    store: Store,
    idle: Store,
    meetings: Meetings,
    looks: u64,
}

/// What became of the model that a round is about.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Absent,
    Whole,
    Broken,
}

impl Pair {
    fn new(delete_delay: Duration) -> Option<Self> {
        let scratch = Scratch::new();
        let home = scratch.root().join("home");
        fs::create_dir_all(&home).unwrap();
        fs::create_dir_all(scratch.root().join("blobs")).unwrap();
        let server = Server::start(scratch.root(), &home)?;
        let open = |options: StoreOptions| Store::open_with(options).unwrap();
        let store = open(scratch.options().delete_delay(delete_delay));
        let idle = open(scratch.options().durability(Durability::None));
        let plain = ImportOptions::default();
        idle.import(fixture(), name("stable"), &plain).unwrap();
        Some(Pair {
            scratch,
            server,
            store,
            idle,
            meetings: Meetings::new(),
            looks: 0,
        })
    }

    /// Lets a request and a call of ours meet, and shows the stable model all the while.
    fn meet<T>(&mut self, request: (&str, &str, &str), ours: impl FnOnce(&Store) -> T) -> T {
        let done = AtomicBool::new(false);
        let (server, store, idle) = (&self.server, &self.store, &self.idle);
        let (method, path, body) = request;
        thread::scope(|scope| {
            let watcher = scope.spawn(|| watch(idle, &done));
            let theirs = || server.call(method, path, body);
            let (_, answer) = self.meetings.meet(theirs, || ours(store));
            done.store(true, Ordering::Relaxed);
            self.looks += watcher.join().unwrap();
            answer
        })
    }

    /// A model with weights of its own that the server accepts.
    fn add_source(&self, round: u64) {
        let mut weights = fs::read(fixture()).unwrap();
        weights.extend_from_slice(&round.to_le_bytes());
        self.scratch.model("src", &[&weights]);
    }

    fn fate(&self, text: &str) -> Fate {
        let Ok(bytes) = fs::read(self.scratch.manifest_path(text)) else {
            return Fate::Absent;
        };
        let manifest = Manifest::parse(&bytes).unwrap();
        let mut digests = manifest.digests().into_iter();
        match digests.all(|digest| self.scratch.blob_path(&digest).exists()) {
            true => Fate::Whole,
            false => Fate::Broken,
        }
    }

    /// Removes what a round left.
    fn clear(&self) {
        let all = [reference("src"), reference("dst")];
        self.idle.delete_all(&all).unwrap();
        let grace = GcOptions::default().grace(Duration::ZERO);
        self.idle.gc(&grace).unwrap();
    }

    fn report(&self, made: u64, broken: u64, more: &str) {
        let Meetings { rounds, met, .. } = self.meetings;
        let seed = number("MODELKEEP_SEED", 1);
        println!(
            "seed {seed}: {rounds} rounds, {met} met, {made} made, {broken} broken{more}; \
             {} looks at the stable model, 0 failed",
            self.looks
        );
    }
}

fn watch(store: &Store, done: &AtomicBool) -> u64 {
    let mut looks = 0;
    while !done.load(Ordering::Relaxed) {
        let show = store.show(reference("stable"), &ShowOptions::default());
        show.unwrap();
        let listing = store.list().unwrap();
        assert!(
            listing
                .models
                .iter()
                .any(|line| line.name == name("stable"))
        );
        looks += 2;
        thread::sleep(Duration::from_millis(1));
    }
    looks
}

fn rounds() -> u64 {
    number("MODELKEEP_ROUNDS", 40)
}

const SETTLE: Duration = Duration::from_millis(50);

const DELETE: (&str, &str, &str) = ("DELETE", "/api/delete", r#"{"model":"src"}"#);

const COPY: (&str, &str, &str) = (
    "POST",
    "/api/copy",
    r#"{"source":"src","destination":"dst"}"#,
);

const CREATE: (&str, &str, &str) = (
    "POST",
    "/api/create",
    r#"{"model":"dst","from":"src","system":"new","stream":false}"#,
);

#[test]
fn our_copies_are_whole_while_the_server_deletes_their_source() {
    let copy = |store: &Store| store.copy(&name("src"), &name("dst")).is_ok();
    assert_eq!(
        while_the_server_deletes(copy),
        Some(0).filter(|_| server::program().is_some())
    );
}

/// What the second look of a copy is good for: one as durable and atomic as ours, without it. A
/// number to compare with, not a promise.
#[test]
fn copies_without_a_second_look_are_counted() {
    while_the_server_deletes(|store| {
        let manifests = store.path().join("manifests");
        let path = |text: &str| {
            let name = name(text);
            name.parts()
                .iter()
                .fold(manifests.clone(), |path, part| path.join(part))
        };
        let (from, to, staged) = (path("src"), path("dst"), store.path().join("staged"));
        let Ok(bytes) = fs::read(from) else {
            return false;
        };
        let mut file = fs::File::create(&staged).unwrap();
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .unwrap();
        fs::create_dir_all(to.parent().unwrap()).is_ok() && fs::rename(staged, to).is_ok()
    });
}

/// How many copies lack a blob.
fn while_the_server_deletes(copy: impl Fn(&Store) -> bool) -> Option<u64> {
    let mut pair = Pair::new(SETTLE)?;
    let (mut made, mut broken) = (0, 0);
    for round in 0..rounds() {
        pair.add_source(round);
        let copied = pair.meet(DELETE, &copy);
        let fate = pair.fate("dst");
        assert_eq!(copied, fate != Fate::Absent, "round {round}");
        pair.meetings.learn(copied);
        made += u64::from(copied);
        broken += u64::from(fate == Fate::Broken);
        pair.clear();
    }
    pair.report(made, broken, "");
    Some(broken)
}

#[test]
fn our_imports_are_whole_while_the_server_deletes_what_they_share() {
    let Some(mut pair) = Pair::new(SETTLE) else {
        return;
    };
    for round in 0..rounds() {
        let options = ImportOptions::new().system(format!("system {round}"));
        let import = |store: &Store, text| store.import(fixture(), name(text), &options);
        import(&pair.idle, "src").unwrap();
        pair.meet(DELETE, |store| import(store, "dst")).unwrap();
        assert_eq!(pair.fate("dst"), Fate::Whole, "round {round}");
        pair.clear();
    }
    pair.report(rounds(), 0, "");
}

#[test]
fn the_servers_copies_are_whole_while_we_delete_their_source() {
    let broken = while_we_delete(COPY, SETTLE);
    assert_eq!(broken.unwrap_or(0), 0);
}

#[test]
fn the_servers_creations_are_whole_while_we_delete_their_source() {
    let broken = while_we_delete(CREATE, SETTLE);
    assert_eq!(broken.unwrap_or(0), 0);
}

/// What settling is good for. A number to compare with, not a promise.
#[test]
fn creations_beside_deletes_that_do_not_settle_are_counted() {
    while_we_delete(CREATE, Duration::ZERO);
}

/// How many of the server's models lack a blob.
fn while_we_delete(request: (&str, &str, &str), delete_delay: Duration) -> Option<u64> {
    let mut pair = Pair::new(delete_delay)?;
    let (mut made, mut broken, mut restored) = (0, 0, 0);
    for round in 0..rounds() {
        pair.add_source(round);
        let deleted = pair.meet(request, |store| store.delete(reference("src")));
        restored += deleted.map_or(0, |deleted| deleted.restored.len());
        let fate = pair.fate("dst");
        pair.meetings.learn(fate == Fate::Absent);
        made += u64::from(fate != Fate::Absent);
        broken += u64::from(fate == Fate::Broken);
        pair.clear();
    }
    let more = format!(", {restored} blobs put back, delete_delay {delete_delay:?}");
    pair.report(made, broken, &more);
    Some(broken)
}
