//! Hashing many files in parallel.

mod lane;
mod schedule;

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::ThreadPool;

use crate::digest::Digest;
use crate::sha256::{Kernels, MOST, START};

use lane::Lane;
use schedule::Pool;

/// A file to hash.
pub(crate) struct Job {
    pub path: PathBuf,
    /// Its size when it was looked at, in bytes; decides the order.
    pub size: u64,
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The bytes hashed so far.
    pub bytes: u64,
    /// The bytes to hash.
    pub total_bytes: u64,
    /// The files done so far.
    pub files: usize,
    /// The files to hash.
    pub total_files: usize,
}

/// The observer broke.
pub(crate) struct Cancelled;

/// The shortest time between two calls of an observer: 20 a second at most.
const INTERVAL: Duration = Duration::from_millis(50);
/// The most bytes of a file in one step: how far a thread goes before it looks at the flag, and
/// before it chooses anew what goes together.
const STEP: usize = 512 << 10;

type Outcome = (usize, io::Result<Digest>);

/// Hashes files on a pool. Answers a result for each job, in their order.
///
/// `observe` runs on the calling thread, before the first byte, then at most 20 times a second,
/// and after the last.
pub(crate) fn hash_files(
    threads: &ThreadPool,
    jobs: &[Job],
    mmap: bool,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Vec<io::Result<Digest>>, Cancelled> {
    let workers = threads.current_num_threads().min(jobs.len());
    let work = Work {
        pool: Mutex::new(Pool::new(jobs, workers, mmap)),
        bytes: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
    };
    let (sender, receiver) = mpsc::channel();
    threads.in_place_scope(|scope| {
        let _stop = StopOnDrop(&work.stopped);
        for _ in 0..workers {
            let (work, sender) = (&work, sender.clone());
            scope.spawn(move |_| work.run(&sender));
        }
        drop(sender);
        let mut results: Vec<Option<io::Result<Digest>>> = jobs.iter().map(|_| None).collect();
        let mut watch = Watch::new(jobs, observe)?;
        loop {
            match receiver.recv_timeout(watch.patience()) {
                Ok((index, result)) => {
                    watch.progress.files += 1;
                    if let Some(slot) = results.get_mut(index) {
                        *slot = Some(result);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            watch.progress.bytes = work.bytes.load(Ordering::Relaxed);
            if watch.patience().is_zero() {
                watch.tell()?;
            }
        }
        watch.tell()?;
        let unread = || Err(io::Error::other("was not read"));
        Ok(results
            .into_iter()
            .map(|result| result.unwrap_or_else(unread))
            .collect())
    })
}

/// The observer, and when it was last told.
struct Watch<'o> {
    progress: Progress,
    observe: &'o mut dyn FnMut(&Progress) -> ControlFlow<()>,
    told: Instant,
}

impl<'o> Watch<'o> {
    fn new(
        jobs: &[Job],
        observe: &'o mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Self, Cancelled> {
        let progress = Progress {
            total_bytes: jobs.iter().map(|job| job.size).sum(),
            total_files: jobs.len(),
            ..Progress::default()
        };
        let mut watch = Watch {
            progress,
            observe,
            told: Instant::now(),
        };
        watch.tell()?;
        Ok(watch)
    }

    fn patience(&self) -> Duration {
        INTERVAL.saturating_sub(self.told.elapsed())
    }

    fn tell(&mut self) -> Result<(), Cancelled> {
        self.told = Instant::now();
        match (self.observe)(&self.progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Cancelled),
        }
    }
}

/// Ends the workers however the scope is left, a panic of the observer included.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Work<'j> {
    pool: Mutex<Pool<'j>>,
    bytes: AtomicU64,
    stopped: AtomicBool,
}

impl<'j> Work<'j> {
    fn pool(&self) -> std::sync::MutexGuard<'_, Pool<'j>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, results: &Sender<Outcome>) {
        let kernels = self.pool().kernels();
        // Nobody listens any more after a cancellation.
        let tell = |index, result| drop(results.send((index, result)));
        while !self.stopped.load(Ordering::Relaxed) {
            let lanes = self.pool().take(|index, error| tell(index, Err(error)));
            if lanes.is_empty() {
                return;
            }
            let (going_on, bytes) = step(lanes, kernels, &tell);
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.pool().give_back(going_on, bytes);
        }
    }
}

/// Advances files together, as far as all of them have bytes at hand; those that end are told.
fn step(
    lanes: Vec<Lane>,
    kernels: Kernels,
    tell: &dyn Fn(usize, io::Result<Digest>),
) -> (Vec<Lane>, u64) {
    let mut going_on = Vec::with_capacity(lanes.len());
    let (mut len, mut bytes) = (STEP, 0);
    for mut lane in lanes {
        match lane.prepare() {
            Ok(0) => {
                bytes += lane.ready().len() as u64;
                tell(lane.index, Ok(lane.finish()));
            }
            Ok(ready) => {
                len = len.min(ready);
                going_on.push(lane);
            }
            Err(error) => tell(lane.index, Err(error)),
        }
    }
    let mut states = [START; MOST];
    for (state, lane) in states.iter_mut().zip(&mut going_on) {
        *state = *lane.state();
    }
    let mut inputs: [&[u8]; MOST] = [&[]; MOST];
    for (input, lane) in inputs.iter_mut().zip(&going_on) {
        *input = lane.ready().get(..len).unwrap_or_default();
    }
    let count = going_on.len().min(MOST);
    if let (Some(states), Some(inputs)) = (states.get_mut(..count), inputs.get(..count)) {
        kernels.advance(states, inputs);
    }
    for (state, lane) in states.iter().zip(&mut going_on) {
        *lane.state() = *state;
        lane.used(len);
        bytes += len as u64;
    }
    (going_on, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_any_size_have_the_digests_of_their_bytes() {
        let scratch = tempfile::tempdir().unwrap();
        let sizes = [
            0,
            1,
            63,
            64,
            65,
            4095,
            262_144,
            262_145,
            1 << 20,
            5_000_001,
            9 << 20,
        ];
        let bytes: Vec<u8> = (0..9 << 20)
            .map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let mut jobs = Vec::new();
        let mut expected = Vec::new();
        for (number, size) in sizes.into_iter().cycle().take(40).enumerate() {
            let path = scratch.path().join(number.to_string());
            std::fs::write(&path, &bytes[..size]).unwrap();
            jobs.push(Job {
                path,
                size: size as u64,
            });
            expected.push(Digest::of(&bytes[..size]));
        }
        for (threads, mmap) in [(1, true), (2, true), (3, false)] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let mut last = Progress::default();
            let found = hash_files(&pool, &jobs, mmap, &mut |progress| {
                last = *progress;
                ControlFlow::Continue(())
            });
            let found: Vec<Digest> = found
                .ok()
                .unwrap()
                .into_iter()
                .map(Result::unwrap)
                .collect();
            assert_eq!(found, expected, "{threads} threads, mmap {mmap}");
            assert_eq!(
                (last.files, last.bytes),
                (last.total_files, last.total_bytes)
            );
        }
    }

    #[test]
    fn a_file_that_is_gone_stops_no_other() {
        let scratch = tempfile::tempdir().unwrap();
        let there = scratch.path().join("there");
        std::fs::write(&there, "x").unwrap();
        let gone = scratch.path().join("gone");
        let jobs = [gone, there].map(|path| Job { path, size: 1 });
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .unwrap();
        let found = hash_files(&pool, &jobs, true, &mut |_| ControlFlow::Continue(()))
            .ok()
            .unwrap();
        assert!(found[0].is_err());
        assert_eq!(*found[1].as_ref().unwrap(), Digest::of(b"x"));
    }
}
