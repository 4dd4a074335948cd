//! Hashing whole files on two threads, warm.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use memmap2::Mmap;
use modelkeep::{Store, StoreOptions, VerifyOptions};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// Sizes of files in bytes, and how many of each.
pub type Mix = (&'static str, &'static [(u64, usize)]);

pub const MB: u64 = 1_000_000;

const MIXES: [Mix; 9] = [
    (
        "12 of 50 to 400 MB",
        &[
            (400 * MB, 1),
            (350 * MB, 1),
            (250 * MB, 1),
            (200 * MB, 1),
            (150 * MB, 1),
            (130 * MB, 1),
            (120 * MB, 1),
            (100 * MB, 1),
            (84 * MB, 1),
            (60 * MB, 1),
            (50 * MB, 2),
        ],
    ),
    ("200 of 10 MB", &[(10 * MB, 200)]),
    ("40 of 50 MB", &[(50 * MB, 40)]),
    ("only one of 400 MB", &[(400 * MB, 1)]),
    (
        "one of 400, and 64, 55, 50 MB",
        &[(400 * MB, 1), (64 * MB, 1), (55 * MB, 1), (50 * MB, 1)],
    ),
    (
        "100 of 1 to 39 MB",
        &[
            (1 * MB, 10),
            (3 * MB, 10),
            (7 * MB, 10),
            (11 * MB, 10),
            (15 * MB, 10),
            (20 * MB, 10),
            (25 * MB, 10),
            (30 * MB, 10),
            (35 * MB, 10),
            (39 * MB, 10),
        ],
    ),
    (
        "40 of 6 to 96 MB",
        &[
            (6 * MB, 8),
            (24 * MB, 8),
            (48 * MB, 8),
            (72 * MB, 8),
            (96 * MB, 8),
        ],
    ),
    ("one of 400, 100 of 10 MB", &[(400 * MB, 1), (10 * MB, 100)]),
    ("20,000 of 60 KB", &[(60_000, 20_000)]),
];

/// Returns so many bytes that are as good as random.
pub fn random(size: u64, state: &mut u64) -> Vec<u8> {
    let words = (0..size.div_ceil(8)).flat_map(|_| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        state.to_le_bytes()
    });
    words.take(size as usize).collect()
}

/// Fills a store with blobs of random bytes.
pub fn fill(directory: &Path, sizes: &[(u64, usize)]) {
    let store = Store::open_with(StoreOptions::new(directory).create(true)).expect("a store");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for (size, count) in sizes {
        for _ in 0..*count {
            let bytes = random(*size, &mut state);
            store.add_blob(&mut bytes.as_slice(), None).expect("a blob");
        }
    }
}

/// A way to hash all blobs of a store, on the store's directory.
type Way = (&'static str, fn(&Path));

const WAYS: [Way; 9] = [
    ("modelkeep verify", verify),
    ("modelkeep, 1 stream a thread", |store| {
        verify_by(store, 1)
    }),
    ("modelkeep, 2 streams a thread", |store| {
        verify_by(store, 2)
    }),
    ("modelkeep, 4 streams a thread", |store| {
        verify_by(store, 4)
    }),
    ("modelkeep, 6 streams a thread", |store| {
        verify_by(store, 6)
    }),
    ("modelkeep, 8 streams a thread", |store| {
        verify_by(store, 8)
    }),
    ("modelkeep, 16 streams a thread", |store| {
        verify_by(store, 16)
    }),
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

pub fn blobs(store: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.join("blobs")).expect("a store");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

pub fn verify(store: &Path) {
    verify_by(store, 0);
}

/// Verifies with a kernel that is forced: that of so many streams; 0 leaves it to a measurement.
fn verify_by(store: &Path, streams: usize) {
    let options = StoreOptions::new(store).threads(2).hash_streams(streams);
    let store = Store::open_with(options).expect("a store");
    let report = store.verify(&VerifyOptions::new());
    assert!(report.expect("a report").is_ok());
}

/// Programs that hash the files they are given, two at a time.
const PROGRAMS: [&str; 2] = ["xargs -P2 -n25 openssl dgst -sha256", "xargs -P2 -n1 sha256sum"];

/// Measures a program; `None` where it is not there.
fn program(store: &Path, program: &str) -> Option<Duration> {
    let start = Instant::now();
    let script = format!("printf '%s\\n' blobs/* | {program} >/dev/null");
    let status = Command::new("sh")
        .arg("-c")
        .arg(script)
        .current_dir(store)
        .status();
    status
        .is_ok_and(|status| status.success())
        .then(|| start.elapsed())
}

/// Ollama's own way, in Go: one file after the other.
const SERIAL: &str = r#"
package main
import ("crypto/sha256"; "io"; "os"; "path/filepath")
func main() {
    paths, _ := filepath.Glob(os.Args[1] + "/blobs/*")
    for _, path := range paths {
        file, err := os.Open(path)
        if err != nil { panic(err) }
        hash := sha256.New()
        if _, err := io.Copy(hash, file); err != nil { panic(err) }
        hash.Sum(nil)
        file.Close()
    }
}
"#;

/// Builds the program in Go; `None`, and a word, where there is no Go.
fn build_serial(directory: &Path) -> Option<PathBuf> {
    let source = directory.join("serial.go");
    fs::write(&source, SERIAL).expect("a source");
    let program = directory.join("serial");
    let build = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(&source)
        .status();
    if !build.is_ok_and(|status| status.success()) {
        println!("skipped Ollama's way: no Go");
        return None;
    }
    Some(program)
}

pub fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn print(name: &str, bytes: u64, time: Duration, ours: Duration) {
    let rate = bytes as f64 / time.as_secs_f64() / 1e9;
    let ratio = time.as_secs_f64() / ours.as_secs_f64();
    println!("  {name:<32} {rate:>6.2} GB/s  {ratio:>6.2}");
}

/// The rates of one thread from its cache, which no way of reading can pass: of one stream, of the
/// most that the SHA instructions advance, and of the most of all.
fn limits() -> [f64; 3] {
    let bytes = 128 << 20;
    let mut rates = Vec::new();
    for streams in [1, 2, 4, 6, 8, 16] {
        let seconds = (0..rounds(7))
            .map(|_| modelkeep::internal::bench_hash(streams, bytes))
            .fold(f64::MAX, f64::min);
        let rate = (streams * bytes) as f64 / seconds / 1e9;
        println!("one thread, {streams:>2} streams from the cache: {rate:.2} GB/s");
        rates.push(rate);
    }
    [
        rates[0],
        rates[1..5].iter().copied().fold(0.0, f64::max),
        rates[5],
    ]
}

/// The rate of one stream where other code has left the upper halves of the vector registers in
/// use, beside the rate without that. Where a kernel does not clear them, some processors are a
/// hundred times slower.
#[cfg(target_arch = "x86_64")]
fn after_wide_vectors() {
    let bytes = 64 << 20;
    let rate = || bytes as f64 / modelkeep::internal::bench_hash(1, bytes) / 1e9;
    let (mut clean, mut dirty) = (0_f64, 0_f64);
    for _ in 0..5 {
        clean = clean.max(rate());
        if is_x86_feature_detected!("avx") {
            // SAFETY: the processor has AVX, and the register is declared as used up.
            unsafe { std::arch::asm!("vcmptrueps ymm15, ymm15, ymm15", out("ymm15") _) };
        }
        dirty = dirty.max(rate());
    }
    println!("one stream after 256-bit code: {dirty:.2} GB/s, without: {clean:.2} GB/s");
}

#[cfg(not(target_arch = "x86_64"))]
fn after_wide_vectors() {}

/// The largest memory of this process so far, in KiB, as Linux counts it.
pub fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or_default()
}

/// Returns how often to repeat what is repeated so many times: `$MODELKEEP_BENCH_QUICK` makes that a third.
pub fn rounds(many: u32) -> u32 {
    match std::env::var_os("MODELKEEP_BENCH_QUICK") {
        Some(_) => many.div_ceil(3),
        None => many,
    }
}

/// What one verification on two threads adds to the memory of a process that does nothing else.
pub fn memory(directories: &[PathBuf]) {
    for store in directories {
        let before = peak();
        verify(store);
        println!("  memory of a verification: {} KiB", peak() - before);
    }
}

/// Measured in a process of its own.
fn print_memory(store: &Path) {
    let program = std::env::current_exe().expect("this program");
    let status = Command::new(program).arg("memory").arg(store).status();
    assert!(status.is_ok_and(|status| status.success()));
}

/// Measures all mixes in a directory, or those whose names hold the second argument.
pub fn run(arguments: &[PathBuf]) {
    rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build_global()
        .expect("threads");
    let Some(directory) = arguments.first() else {
        println!("verify DIRECTORY [MIX], in which 2 GB of files may be made");
        return;
    };
    let [one, several, sixteen] = limits();
    after_wide_vectors();
    let serial = build_serial(directory);
    let wanted = arguments
        .get(1)
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    for (name, sizes) in MIXES.into_iter().filter(|(name, _)| name.contains(wanted)) {
        let store = directory.join("store");
        fill(&store, sizes);
        let bytes: u64 = sizes.iter().map(|(size, count)| size * *count as u64).sum();
        println!("{name}: {bytes} bytes");
        let mut best = [Duration::MAX; WAYS.len()];
        let mut best_serial = Duration::MAX;
        for _ in 0..rounds(7) {
            for ((_, way), best) in WAYS.iter().zip(&mut best) {
                *best = timed(|| way(&store)).min(*best);
            }
            if let Some(program) = &serial {
                let run = || drop(Command::new(program).arg(&store).status());
                best_serial = timed(run).min(best_serial);
            }
        }
        for ((name, _), time) in WAYS.iter().zip(best) {
            print(name, bytes, time, best[0]);
        }
        if serial.is_some() {
            print("Go, one file after the other", bytes, best_serial, best[0]);
        }
        for name in PROGRAMS {
            if let Some(time) = program(&store, name) {
                print(name, bytes, time, best[0]);
            }
        }
        let largest = sizes
            .iter()
            .map(|(size, _)| *size)
            .max()
            .unwrap_or_default();
        let seconds = best[0].as_secs_f64() * 1e9;
        let rate = bytes as f64 / seconds;
        println!(
            "  share of the limit: {:.0} % of SHA instructions, {:.0} % of sixteen streams; {:.0} % \
             of the largest file alone",
            rate / several / 2.0 * 100.0,
            rate / sixteen / 2.0 * 100.0,
            largest as f64 / one / seconds * 100.0,
        );
        print_memory(&store);
        fs::remove_dir_all(&store).expect("the store goes");
    }
}
