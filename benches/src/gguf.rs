//! Opening GGUF files, every string checked as UTF-8.

use std::fs::File;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use candle_core::quantized::gguf_file::Content;
use ggus::GGuf;
use memmap2::Mmap;
use modelkeep::gguf::{Index, Limits};
use modelkeep::{GgufFile, GgufOptions};

type Way = (&'static str, fn(&Path));

const WAYS: [Way; 6] = [
    ("modelkeep", |path| {
        drop(black_box(
            GgufFile::open(path, &mapped()).expect("a GGUF file"),
        ))
    }),
    ("modelkeep, read", |path| {
        drop(black_box(
            GgufFile::open(path, &mapped().mmap(false)).expect("a GGUF file"),
        ));
    }),
    ("modelkeep, one key", |path| {
        black_box(modelkeep::GgufFile::look_up(path, "general.architecture").expect("a GGUF file"));
    }),
    ("modelkeep, in memory", |path| {
        let bytes = map(path);
        drop(black_box(Index::parse(
            &bytes,
            bytes.len() as u64,
            &Limits::strict(),
        )));
    }),
    ("ggus", |path| {
        let bytes = map(path);
        drop(black_box(GGuf::new(&bytes)));
    }),
    ("candle", |path| {
        let mut file = File::open(path).expect("a file");
        drop(black_box(Content::read(&mut file)));
    }),
];

fn mapped() -> GgufOptions {
    GgufOptions::new().limits(Limits::strict())
}

fn map(path: &Path) -> Mmap {
    let file = File::open(path).expect("a file");
    // SAFETY: the benchmark's own files; nobody changes them.
    unsafe { Mmap::map(&file) }.expect("a map")
}

pub fn run(files: &[PathBuf]) {
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let size = path.metadata().map_or(0, |metadata| metadata.len());
        println!("{name} ({size} bytes)");
        let mut best = [Duration::MAX; WAYS.len()];
        let start = Instant::now();
        for round in 0..2000 {
            if round > 20 && start.elapsed() > Duration::from_secs(6) {
                break;
            }
            for ((_, way), best) in WAYS.iter().zip(&mut best) {
                if round > 2 && *best > Duration::from_millis(100) {
                    continue;
                }
                // The first of some in a row finds the caches as the way before left them.
                let repetitions = if *best > Duration::from_millis(1) {
                    1
                } else {
                    5
                };
                for _ in 0..repetitions {
                    let start = Instant::now();
                    way(path);
                    *best = start.elapsed().min(*best);
                }
            }
        }
        for ((way, _), time) in WAYS.iter().zip(best) {
            let ratio = time.as_secs_f64() / best[0].as_secs_f64();
            println!(
                "  {way:<30} {:>10.1} us  {ratio:>7.2}",
                time.as_secs_f64() * 1e6
            );
        }
    }
}
