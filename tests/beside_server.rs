//! Our changes beside those of a running reference server: no model ever lacks a blob.
//!
//! `MODELKEEP_ROUNDS` sets how many rounds are run; the figures of long runs are in
//! `docs/reliability.md`.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/server.rs"]
mod server;

use std::env;
use std::fs;
use std::thread;
use std::time::Duration;

use common::{Scratch, name, reference};
use modelkeep::{Manifest, Store};
use server::Server;

fn rounds() -> u32 {
    env::var("MODELKEEP_ROUNDS").map_or(60, |text| text.parse().unwrap())
}

/// A delay that differs from round to round, so that the two sides meet at every point.
fn jitter(round: u32) -> Duration {
    Duration::from_micros(u64::from(round.wrapping_mul(7919) % 1500))
}

/// Whether the model is stored, and all its blobs with it.
fn is_whole(scratch: &Scratch, text: &str) -> Option<bool> {
    let bytes = fs::read(scratch.manifest_path(text)).ok()?;
    let manifest = Manifest::parse(&bytes).unwrap();
    Some(
        manifest
            .digests()
            .iter()
            .all(|digest| scratch.blob_path(digest).exists()),
    )
}

struct Pair {
    scratch: Scratch,
    store: Store,
    server: Server,
}

fn pair() -> Option<Pair> {
    let scratch = Scratch::new();
    let home = scratch.root().join("home");
    let models = scratch.root().join("blobs");
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(models).unwrap();
    let server = Server::start(scratch.root(), &home)?;
    let store = Store::open(scratch.root()).unwrap();
    Some(Pair {
        scratch,
        store,
        server,
    })
}

#[test]
fn our_copies_are_whole_while_the_server_deletes_their_source() {
    let Some(Pair {
        scratch,
        store,
        server,
    }) = pair()
    else {
        return;
    };
    let mut copied = 0;
    for round in 0..rounds() {
        scratch.model("src", &[format!("weights {round}").as_bytes()]);
        let answer = thread::scope(|scope| {
            scope.spawn(|| server.call("DELETE", "/api/delete", r#"{"model":"src"}"#));
            thread::sleep(jitter(round));
            store.copy(&name("src"), &name("dst"))
        });
        match answer {
            Ok(_) => {
                copied += 1;
                assert_eq!(is_whole(&scratch, "dst"), Some(true), "round {round}");
                store.delete(&reference("dst")).unwrap();
            }
            Err(_) => assert_eq!(is_whole(&scratch, "dst"), None, "round {round}"),
        }
    }
    println!("{} rounds, {copied} copies, 0 of them broken", rounds());
}

#[test]
fn the_servers_copies_are_whole_while_we_delete_their_source() {
    let body = r#"{"source":"src","destination":"dst"}"#;
    while_we_delete("/api/copy", body);
}

#[test]
fn the_servers_creations_are_whole_while_we_delete_their_source() {
    let body = r#"{"model":"dst","from":"src","system":"new","stream":false}"#;
    while_we_delete("/api/create", body);
}

fn while_we_delete(path: &str, body: &str) {
    let Some(Pair {
        scratch,
        store,
        server,
    }) = pair()
    else {
        return;
    };
    let (mut made, mut restored) = (0, 0);
    for round in 0..rounds() {
        scratch.model("src", &[format!("weights {round}").as_bytes()]);
        let deleted = thread::scope(|scope| {
            scope.spawn(|| server.call("POST", path, body));
            thread::sleep(jitter(round));
            store.delete(&reference("src"))
        });
        restored += deleted.map_or(0, |deleted| deleted.restored.len());
        let whole = is_whole(&scratch, "dst");
        assert_ne!(whole, Some(false), "round {round}");
        if whole.is_some() {
            made += 1;
            store.delete(&reference("dst")).unwrap();
        }
    }
    println!(
        "{} rounds, {made} made, 0 of them broken, {restored} blobs put back",
        rounds()
    );
}
