//! Hashing many files in parallel.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use rayon::ThreadPool;

use crate::digest::{Digest, Hasher};
use crate::fs::read;

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
/// Bytes read at once: what one thread holds, and how far it goes before it looks at the flag.
const PIECE: usize = 1 << 20;

/// Hashes files on a pool, the largest first: what remains to the end is then short.
///
/// `observe` runs on the calling thread, before the first byte, then at most 20 times a second,
/// and after the last. Answers a result for each job, in their order.
pub(crate) fn hash_files(
    pool: &ThreadPool,
    jobs: &[Job],
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Vec<io::Result<Digest>>, Cancelled> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|index| jobs.get(*index).map(|job| std::cmp::Reverse(job.size)));
    let queue = Queue {
        jobs,
        order,
        next: AtomicUsize::new(0),
        bytes: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
    };
    let (sender, receiver) = mpsc::channel();
    pool.in_place_scope(|scope| {
        let _stop = StopOnDrop(&queue.stopped);
        for _ in 0..pool.current_num_threads().min(jobs.len()) {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move |_| queue.work(&sender));
        }
        drop(sender);
        let mut results: Vec<Option<io::Result<Digest>>> = jobs.iter().map(|_| None).collect();
        let mut progress = Progress {
            total_bytes: jobs.iter().map(|job| job.size).sum(),
            total_files: jobs.len(),
            ..Progress::default()
        };
        let mut tell = |progress: &Progress| match observe(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Cancelled),
        };
        tell(&progress)?;
        let mut told = std::time::Instant::now();
        loop {
            match receiver.recv_timeout(INTERVAL.saturating_sub(told.elapsed())) {
                Ok((index, result)) => {
                    progress.files += 1;
                    if let Some(slot) = results.get_mut(index) {
                        *slot = Some(result);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            progress.bytes = queue.bytes.load(Ordering::Relaxed);
            if told.elapsed() >= INTERVAL {
                tell(&progress)?;
                told = std::time::Instant::now();
            }
        }
        tell(&progress)?;
        let unread = || Err(io::Error::other("was not read"));
        Ok(results
            .into_iter()
            .map(|result| result.unwrap_or_else(unread))
            .collect())
    })
}

/// Ends the workers however the scope is left, a panic of the observer included.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Queue<'a> {
    jobs: &'a [Job],
    order: Vec<usize>,
    next: AtomicUsize,
    bytes: AtomicU64,
    stopped: AtomicBool,
}

impl Queue<'_> {
    fn work(&self, results: &Sender<(usize, io::Result<Digest>)>) {
        let mut buffer = vec![0; PIECE];
        while let Some(index) = self.order.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let Some(job) = self.jobs.get(*index) else {
                return;
            };
            let digest = self.hash(job, &mut buffer);
            // Nobody listens any more after a cancellation.
            if results.send((*index, digest)).is_err() || self.stopped.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    fn hash(&self, job: &Job, buffer: &mut [u8]) -> io::Result<Digest> {
        let file = read::open_regular(&job.path)?;
        let mut hasher = Hasher::new();
        let mut at = 0;
        loop {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(io::Error::other("cancelled"));
            }
            let piece = read_piece(&file, buffer, at)?;
            if piece.is_empty() {
                return Ok(hasher.finish());
            }
            hasher.update(piece);
            at += piece.len() as u64;
            self.bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    }
}

fn read_piece<'b>(file: &File, buffer: &'b mut [u8], at: u64) -> io::Result<&'b [u8]> {
    loop {
        match file.read_at(buffer, at) {
            Ok(read) => return Ok(buffer.get(..read).unwrap_or_default()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
