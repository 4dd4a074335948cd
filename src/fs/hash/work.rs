//! The threads of one hashing: each takes files, advances them by a step, and gives them back.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use rayon::Scope;

use crate::sha256::{BLOCK, Kernels, MOST};
use crate::sync::lock;

use super::schedule::Queue;
use super::stream::{Chunk, Stream};
use super::{INTERVAL, Inspect, Outcome, read_ahead};

/// What a thread has done and nobody was told of. Of small files there are thousands in a second, and
/// each time the thread that waits for them would have to be woken.
struct Ended<'s> {
    outcomes: Vec<Outcome>,
    results: &'s Sender<Vec<Outcome>>,
    since: Instant,
}

impl<'s> Ended<'s> {
    fn new(results: &'s Sender<Vec<Outcome>>) -> Self {
        Ended {
            outcomes: Vec::new(),
            results,
            since: Instant::now(),
        }
    }

    fn send(&mut self) {
        self.since = Instant::now();
        if !self.outcomes.is_empty() {
            // Nobody listens any more after a cancellation.
            let _ = self.results.send(std::mem::take(&mut self.outcomes));
        }
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.send();
    }
}

/// What the threads share.
pub(super) struct Work<'j> {
    queue: Mutex<Queue<'j>>,
    /// The bytes that are hashed.
    pub bytes: AtomicU64,
    pub stopped: AtomicBool,
    inspect: Inspect<'j>,
}

impl<'j> Work<'j> {
    pub(super) fn new(queue: Queue<'j>, inspect: Inspect<'j>) -> Self {
        Work {
            queue: Mutex::new(queue),
            bytes: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            inspect,
        }
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue<'j>> {
        lock(&self.queue)
    }

    /// Has idle threads take files, as many as there are files for.
    pub(super) fn call_idle<'s>(&'s self, scope: &Scope<'s>, results: &Sender<Vec<Outcome>>) {
        let called = self.queue().call_idle();
        for _ in 0..called {
            let results = results.clone();
            scope.spawn(move |scope| self.run(scope, &results));
        }
    }

    /// Takes files and advances them, as long as there are some for this thread.
    fn run<'s>(&'s self, scope: &Scope<'s>, results: &Sender<Vec<Outcome>>) {
        let kernels = self.queue().kernels();
        let mut chunks = [const { Chunk::new() }; MOST];
        let mut ended = Ended::new(results);
        while !self.stopped.load(Ordering::Relaxed) {
            let mut streams = self.queue().take();
            if streams.is_empty() {
                return;
            }
            let taken = streams.len();
            let left: u64 = streams.iter().map(Stream::left).sum();
            if let [stream] = streams.as_mut_slice()
                && self.queue().has_idle()
                && let Some(outcome) = self.finish_with_reader(stream, kernels)
            {
                ended.outcomes.push(outcome);
                streams.clear();
            } else {
                let bytes = step(
                    &mut streams,
                    &mut chunks,
                    kernels,
                    self.inspect,
                    &mut ended.outcomes,
                );
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            self.queue().give_back(streams, taken, left);
            self.call_idle(scope, results);
            if ended.since.elapsed() >= INTERVAL {
                ended.send();
            }
        }
    }

    /// Hashes a file to its end with the help of a thread that has nothing to do; `None` where
    /// there is none after all.
    fn finish_with_reader(&self, stream: &mut Stream<'j>, kernels: Kernels) -> Option<Outcome> {
        let should_continue = |bytes| {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            !self.stopped.load(Ordering::Relaxed)
        };
        let result = read_ahead::finish_with_reader(stream, kernels, should_continue)?;
        let result = result.transpose()?;
        let result = result.and_then(|digest| stream.end(digest, self.inspect));
        Some((stream.index, result))
    }
}

/// The bytes that are read at once for one of a few, and for one of sixteen: together they fit a
/// core's second cache.
const LARGE_CHUNK: usize = 256 << 10;
const SMALL_CHUNK: usize = 128 << 10;

/// Advances files together, as far as all of them have bytes at hand; those that end leave for
/// `ended`. Returns the bytes that are done.
fn step(
    streams: &mut Vec<Stream<'_>>,
    chunks: &mut [Chunk; MOST],
    kernels: Kernels,
    inspect: Inspect<'_>,
    ended: &mut Vec<Outcome>,
) -> u64 {
    let most = if streams.len() > 2 {
        SMALL_CHUNK
    } else {
        LARGE_CHUNK
    };
    let mut read = 0;
    streams.retain_mut(|stream| {
        match chunks
            .get_mut(read)
            .map(|chunk| stream.source()?.read(chunk, most))
        {
            Some(Ok(())) => {
                read += 1;
                true
            }
            Some(Err(error)) => {
                ended.push((stream.index, Err(error)));
                false
            }
            None => true,
        }
    });
    let chunks = chunks.get(..read).unwrap_or_default();
    let len = chunks.iter().map(Chunk::whole).min().unwrap_or(0);
    let states = streams.iter_mut().map(|stream| &mut stream.state);
    kernels.advance_each(states.zip(chunks.iter().map(|chunk| chunk.blocks(len))));
    let mut bytes = (len * read) as u64;
    let mut chunks = chunks.iter();
    streams.retain_mut(|stream| {
        let Some(chunk) = chunks.next() else {
            return true;
        };
        stream.advance(len);
        let tail = chunk.after(len);
        let ends = chunk.is_last && tail.len() < BLOCK;
        if ends {
            bytes += tail.len() as u64;
            let digest = stream.finish(tail);
            ended.push((stream.index, stream.end(digest, inspect)));
        }
        !ends
    });
    bytes
}
