//! Hashing whole files on two threads, warm.

use std::fs::{self, File};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use memmap2::Mmap;
use modelkeep::{Store, StoreOptions, VerifyOptions};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// A way to hash all blobs of a store, on the store's directory.
type Way = (&'static str, fn(&Path));

const WAYS: [Way; 3] = [
    ("modelkeep verify", verify),
    ("rayon + sha2 + mmap", |store| {
        blobs(store).par_iter().for_each(|path| {
            let file = File::open(path).expect("a blob");
            // SAFETY: the benchmark's own files; nobody changes them.
            let map = unsafe { Mmap::map(&file) }.expect("a map");
            std::hint::black_box(Sha256::digest(&map));
        });
    }),
    ("sha2, one thread, read", |store| {
        for path in blobs(store) {
            let mut file = File::open(path).expect("a blob");
            let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 32 << 10]);
            while let Ok(count @ 1..) = file.read(&mut buffer) {
                hasher.update(&buffer[..count]);
            }
            std::hint::black_box(hasher.finalize());
        }
    }),
];

fn blobs(store: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.join("blobs")).expect("a store");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn verify(store: &Path) {
    let options = StoreOptions::new(store).threads(2);
    let store = Store::open_with(options).expect("a store");
    let report = store.verify(&VerifyOptions::default(), &mut |_| ControlFlow::Continue(()));
    assert!(report.expect("a report").is_ok());
}

fn sha256sum(store: &Path) -> Option<Duration> {
    let start = Instant::now();
    let script = "ls blobs/* | xargs -P2 -n1 sha256sum >/dev/null";
    let status = Command::new("sh").arg("-c").arg(script).current_dir(store).status();
    status.is_ok_and(|status| status.success()).then(|| start.elapsed())
}

pub fn run(stores: &[PathBuf]) {
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global().expect("threads");
    let bytes = 256 << 20;
    for streams in [1, 2, 16] {
        let seconds = (0..5).map(|_| modelkeep::probe(streams, bytes)).fold(f64::MAX, f64::min);
        let rate = (streams * bytes) as f64 / seconds / 1e9;
        println!("one thread, {streams:>2} streams from the cache: {rate:.2} GB/s");
    }
    for store in stores {
        let bytes: u64 = blobs(store).iter().map(|path| path.metadata().map_or(0, |m| m.len())).sum();
        println!("{}: {} files, {bytes} bytes", store.display(), blobs(store).len());
        let mut best = [Duration::MAX; WAYS.len()];
        for _ in 0..5 {
            for ((_, way), best) in WAYS.iter().zip(&mut best) {
                let start = Instant::now();
                way(store);
                *best = start.elapsed().min(*best);
            }
        }
        let print = |name: &str, time: Duration| {
            let rate = bytes as f64 / time.as_secs_f64() / 1e9;
            let ratio = time.as_secs_f64() / best[0].as_secs_f64();
            println!("  {name:<30} {rate:>6.2} GB/s  {ratio:>6.2}");
        };
        for ((name, _), time) in WAYS.iter().zip(best) {
            print(name, time);
        }
        if let Some(time) = sha256sum(store) {
            print("xargs -P2 sha256sum", time);
        }
    }
}
