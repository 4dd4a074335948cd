//! Hashing many files in parallel.

mod buffer;
mod read_ahead;
mod schedule;
mod sequential;
mod stream;
mod work;

pub(crate) use sequential::hash_stream;

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rayon::ThreadPool;
use serde::Serialize;

use crate::fs::read;
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::Stat;
use crate::name::Digest;
use crate::sha256::Kernels;

use schedule::Queue;
use work::Work;

/// A file to hash.
#[derive(Clone, Copy)]
pub(crate) struct Job<'p> {
    pub path: &'p Path,
    /// Its size when it was looked at, in bytes; decides the order.
    pub size: u64,
}

/// How far a verification is.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use std::ops::ControlFlow;
///
/// use modelkeep::{Progress, VerifyOptions};
///
/// let mut last = Progress::default();
/// store.verify_with(&VerifyOptions::new(), &mut |progress| {
///     last = *progress;
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!((last.files, last.bytes), (last.total_files, last.total_bytes));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
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

impl Progress {
    /// Sets how many bytes are done. Where more are than were expected, as of a file that grows, so
    /// many there are to do.
    pub(crate) fn reach(&mut self, bytes: u64) {
        self.bytes = bytes;
        self.total_bytes = self.total_bytes.max(bytes);
    }

    /// Returns how far all is, where this much was done before.
    pub(crate) fn and(&self, next: &Progress) -> Progress {
        Progress {
            bytes: self.bytes.saturating_add(next.bytes),
            total_bytes: self.total_bytes.saturating_add(next.total_bytes),
            files: self.files + next.files,
            total_files: self.total_files + next.total_files,
        }
    }

    /// Does the same with files.
    pub(crate) fn reach_files(&mut self, files: usize) {
        self.files = files;
        self.total_files = self.total_files.max(files);
    }
}

/// The observer broke.
pub(crate) struct Cancelled;

/// A file that was hashed to its end.
pub(crate) struct Hashed {
    pub digest: Digest,
    /// What the open file looked like before its first byte was read.
    pub stamp: FileStamp,
}

/// What is done with a file that was hashed, while it is still open, on the thread that hashed it:
/// given the place of its job.
pub(crate) type Inspect<'i> = &'i (dyn Fn(usize, &File) + Sync);

/// The place of a job, and what came of it.
type Outcome = (usize, io::Result<Hashed>);

/// The shortest time between two calls of an observer: 20 a second at most.
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

/// Hashes files on a pool, `streams` together on a thread, or as many as is fastest.
/// Opens each once, and has `inspect` look at it before it is closed. Returns a result for each job,
/// in their order.
///
/// `observe` runs on the calling thread, before the first byte, then at most 20 times a second,
/// and after the last.
pub(crate) fn hash_files(
    threads: &ThreadPool,
    jobs: &[Job<'_>],
    streams: Option<NonZeroUsize>,
    inspect: Inspect<'_>,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Vec<io::Result<Hashed>>, Cancelled> {
    let bytes = jobs.iter().map(|job| job.size).sum();
    let kernels = Kernels::for_work(jobs.len(), bytes).fixed(streams);
    let queue = Queue::new(jobs, threads.current_num_threads(), kernels);
    let work = Work::new(queue, inspect);
    let (sender, receiver) = mpsc::channel();
    threads.in_place_scope(|scope| {
        let _stop = StopOnDrop(&work.stopped);
        work.call_idle(scope, &sender);
        drop(sender);
        let mut results: Vec<Option<io::Result<Hashed>>> = jobs.iter().map(|_| None).collect();
        let mut watch = Watch::new(jobs, observe)?;
        loop {
            match receiver.recv_timeout(watch.patience()) {
                Ok(ended) => {
                    watch.progress.files += ended.len();
                    for (index, result) in ended {
                        if let Some(slot) = results.get_mut(index) {
                            *slot = Some(result);
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            watch.progress.reach(work.bytes.load(Ordering::Relaxed));
            if watch.patience().is_zero() {
                watch.tell()?;
            }
        }
        // What could not be read, or was cut meanwhile, is not to be done any more.
        watch.progress.total_bytes = 0;
        watch.progress.reach(work.bytes.load(Ordering::Relaxed));
        watch.tell()?;
        let unread = || Err(io::Error::other("was not read"));
        Ok(results
            .into_iter()
            .map(|result| result.unwrap_or_else(unread))
            .collect())
    })
}

/// Hashes one file on this thread, holding nothing else, and has `inspect` look at it before it is
/// closed.
pub(crate) fn hash_file(path: &Path, inspect: impl FnOnce(&File)) -> io::Result<Hashed> {
    let mut file = read::open_regular(path)?;
    let stamp = FileStamp::of(&Stat::of(&file)?);
    let (digest, _) = hash_stream(&mut file, |e| e, |_| Ok(()))?;
    inspect(&file);
    Ok(Hashed { digest, stamp })
}

/// The observer, and when it was last told.
struct Watch<'o> {
    progress: Progress,
    observe: &'o mut dyn FnMut(&Progress) -> ControlFlow<()>,
    told: Instant,
}

impl<'o> Watch<'o> {
    fn new(
        jobs: &[Job<'_>],
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
pub(crate) struct StopOnDrop<'a>(pub &'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
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
        let mut files = Vec::new();
        let mut expected = Vec::new();
        for (number, size) in sizes.into_iter().cycle().take(40).enumerate() {
            let path = scratch.path().join(number.to_string());
            std::fs::write(&path, &bytes[..size]).unwrap();
            files.push((path, size as u64));
            expected.push(Digest::of(&bytes[..size]));
        }
        let jobs: Vec<Job> = files
            .iter()
            .map(|(path, size)| Job { path, size: *size })
            .collect();
        for threads in [1, 2, 3, 5] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let mut last = Progress::default();
            let found = hash_files(&pool, &jobs, None, &|_, _| (), &mut |progress| {
                last = *progress;
                ControlFlow::Continue(())
            });
            let found = found.ok().unwrap().into_iter();
            let found: Vec<Digest> = found.map(|hashed| hashed.unwrap().digest).collect();
            assert_eq!(found, expected, "{threads} threads");
            assert_eq!(
                (last.files, last.bytes),
                (last.total_files, last.total_bytes)
            );
        }
    }

    #[test]
    fn a_file_alone_is_read_by_a_thread_that_is_free() {
        let scratch = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .unwrap();
        let bytes: Vec<u8> = (0..3_000_001_u32).map(|n| (n / 7) as u8).collect();
        for size in [0, 1, 64, 262_143, 262_144, 262_145, 786_432, 3_000_001] {
            let path = scratch.path().join("file");
            std::fs::write(&path, &bytes[..size]).unwrap();
            // Its size may have changed since it was looked at.
            for stated in [size as u64, 0, 9_000_000] {
                let jobs = [Job {
                    path: &path,
                    size: stated,
                }];
                let found = hash_files(&pool, &jobs, None, &|_, _| (), &mut |_| {
                    ControlFlow::Continue(())
                });
                let found = found.ok().unwrap().remove(0).unwrap();
                assert_eq!(found.digest, Digest::of(&bytes[..size]), "{size}, {stated}");
            }
        }
    }

    #[test]
    fn a_file_that_is_gone_stops_no_other() {
        let scratch = tempfile::tempdir().unwrap();
        let there = scratch.path().join("there");
        std::fs::write(&there, "x").unwrap();
        let gone = scratch.path().join("gone");
        let jobs = [&gone, &there].map(|path| Job { path, size: 1 });
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .unwrap();
        let mut last = Progress::default();
        let found = hash_files(&pool, &jobs, None, &|_, _| (), &mut |progress| {
            last = *progress;
            ControlFlow::Continue(())
        })
        .ok()
        .unwrap();
        assert!(found[0].is_err());
        assert_eq!(found[1].as_ref().unwrap().digest, Digest::of(b"x"));
        // What is gone is not to be done any more.
        assert_eq!((last.bytes, last.total_bytes), (1, 1));
        assert_eq!((last.files, last.total_files), (2, 2));
    }

    fn two_files(scratch: &tempfile::TempDir) -> [std::path::PathBuf; 2] {
        let paths = ["first", "second"].map(|name| scratch.path().join(name));
        for path in &paths {
            std::fs::write(path, [7; 1000]).unwrap();
        }
        paths
    }

    #[test]
    fn an_observer_hears_of_what_is_done_while_the_rest_goes_on_and_not_too_often() {
        let scratch = tempfile::tempdir().unwrap();
        let paths = two_files(&scratch);
        let jobs = paths.each_ref().map(|path| Job { path, size: 1000 });
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .unwrap();
        let (let_go, is_let_go) = mpsc::channel::<()>();
        let is_let_go = std::sync::Mutex::new(is_let_go);
        // Each on a thread of its own.
        let both = std::sync::Barrier::new(2);
        let inspect = |job: usize, _: &File| {
            both.wait();
            if job == 1 {
                let waited = is_let_go.lock().unwrap();
                waited.recv_timeout(Duration::from_secs(60)).unwrap();
            }
        };
        let began = Instant::now();
        let (mut told, mut times) = (Vec::new(), 0);
        let one = NonZeroUsize::new(1);
        let found = hash_files(&pool, &jobs, one, &inspect, &mut |progress| {
            times += 1;
            told.push((progress.files, progress.bytes));
            if (progress.files, times >= 8) == (1, true) {
                let _ = let_go.send(());
            }
            ControlFlow::Continue(())
        });
        assert_eq!(found.ok().unwrap().len(), 2);
        assert_eq!(told.first(), Some(&(0, 0)));
        assert_eq!(told.last(), Some(&(2, 2000)));
        // The second one may be read by then, and is not done.
        let middle: Vec<_> = told.iter().filter(|(files, _)| *files == 1).collect();
        assert!(!middle.is_empty() && middle.iter().all(|(_, bytes)| *bytes >= 1000));
        let most = began.elapsed().as_millis() / INTERVAL.as_millis() + 2;
        assert!(times <= most, "{times} times, of {most}");
    }

    #[test]
    fn nothing_more_is_read_once_the_observer_has_broken() {
        let scratch = tempfile::tempdir().unwrap();
        let paths = two_files(&scratch);
        let jobs = [Job {
            path: &paths[0],
            size: 1000,
        }; 1000];
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        let read = std::sync::atomic::AtomicUsize::new(0);
        let inspect = |_: usize, _: &File| {
            read.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(20));
        };
        let one = NonZeroUsize::new(1);
        let found = hash_files(&pool, &jobs, one, &inspect, &mut |_| ControlFlow::Break(()));
        assert!(found.is_err());
        // All of them would take 20 s.
        assert!(read.into_inner() < jobs.len());
    }
}
