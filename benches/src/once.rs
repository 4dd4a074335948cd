//! One call on a large store, in a process of its own: its time, its work, and its memory.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use modelkeep::{GcOptions, Store, StoreOptions, VerifyOptions};

use crate::hash::peak;
use crate::store::cpu;

type Call = (&'static str, fn(&Store));

const CALLS: [Call; 7] = [
    ("list", |store| drop(store.list().expect("a list"))),
    ("verify", |store| drop(store.verify(&VerifyOptions::new()).expect("a report"))),
    ("du", |store| drop(store.usage().expect("the usage"))),
    ("doctor", |store| drop(store.doctor().expect("a diagnosis"))),
    ("gc --dry-run", |store| {
        drop(store.gc(&GcOptions::new().dry_run(true)).expect("what would go"))
    }),
    ("repair", |store| {
        let report = store.verify(&VerifyOptions::new()).expect("a report");
        drop(store.repair(&report).expect("what was done"));
    }),
    ("gc", |store| {
        let mut tell = |_: &modelkeep::Progress| ControlFlow::Continue(());
        // The blobs of the benchmark are new.
        let options = GcOptions::new().grace(Duration::ZERO);
        let collected = store.watch(&mut tell, |store| store.gc(&options));
        assert!(!collected.expect("what went").blobs.is_empty());
    }),
];

/// `once DIRECTORY CALL`: milliseconds, milliseconds of processor time, and KiB at the most.
pub fn run(arguments: &[PathBuf]) {
    let [directory, call] = arguments else {
        println!("once DIRECTORY CALL, which is one of {:?}", CALLS.map(|(name, _)| name));
        return;
    };
    let call = CALLS.iter().find(|(name, _)| Path::new(name) == call);
    let (_, call) = call.expect("a call");
    let options = StoreOptions::new(directory).durability(modelkeep::Durability::None);
    let store = Store::open_with(options).expect("a store");
    let start = Instant::now();
    call(&store);
    let wall = start.elapsed().as_secs_f64() * 1e3;
    println!("{wall:.1} {:.1} {}", cpu(), peak());
}
