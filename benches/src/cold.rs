//! Verifying blobs that no page of is cached, beside reading them one after the other.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::hash::{MB, Mix, blobs, fill, timed, verify};

const MIXES: [Mix; 4] = [
    (
        "12 of 50 to 200 MB",
        &[
            (200 * MB, 1),
            (150 * MB, 1),
            (130 * MB, 1),
            (100 * MB, 2),
            (84 * MB, 1),
            (60 * MB, 2),
            (50 * MB, 4),
        ],
    ),
    ("40 of 25 MB", &[(25 * MB, 40)]),
    ("one of 800 MB", &[(800 * MB, 1)]),
    ("200 of 5 MB", &[(5 * MB, 200)]),
];

const PAIRS: usize = 5;

/// Drops what the system has cached of the files. They were synchronized when they were made.
fn drop_cached(paths: &[PathBuf]) {
    for path in paths {
        let file = File::open(path).expect("a blob");
        // SAFETY: the file is open; advice changes no memory.
        let answer =
            unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
        assert_eq!(answer, 0);
    }
}

/// How the disk does best: large reads, in order, announced.
fn read_in_order(paths: &[PathBuf]) {
    let mut buffer = vec![0; 1 << 20];
    for path in paths {
        let file = File::open(path).expect("a blob");
        // SAFETY: as above.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_SEQUENTIAL) };
        let mut at = 0;
        while let Ok(count @ 1..) = file.read_at(&mut buffer, at) {
            at += count as u64;
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub fn run(directories: &[PathBuf]) {
    let Some(directory) = directories.first() else {
        println!("cold DIRECTORY, on a disk, in which 1 GB of files may be made");
        return;
    };
    for mix in MIXES {
        pairs(&directory.join("store"), mix);
    }
}

fn pairs(store: &Path, (name, sizes): Mix) {
    fill(store, sizes);
    let bytes: u64 = sizes.iter().map(|(size, count)| size * *count as u64).sum();
    let paths = blobs(store);
    let (mut ours, mut disk, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        drop_cached(&paths);
        let read = timed(|| read_in_order(&paths));
        drop_cached(&paths);
        let verified = timed(|| verify(store));
        ratios.push(read.as_secs_f64() / verified.as_secs_f64() * 100.0);
        disk.push(read);
        ours.push(verified);
    }
    ratios.sort_by(f64::total_cmp);
    let rate = |times| bytes as f64 / median(times).as_secs_f64() / 1e9;
    println!(
        "{name}, cold: disk {:.2} GB/s, modelkeep verify {:.2} GB/s; of the pairs {:.0} % (from {:.0} to {:.0})",
        rate(disk),
        rate(ours),
        ratios[PAIRS / 2],
        ratios[0],
        ratios[PAIRS - 1],
    );
    fs::remove_dir_all(store).expect("the store goes");
}
