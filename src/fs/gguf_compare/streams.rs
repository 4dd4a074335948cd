//! The tensors of a file as streams of bytes, several of which are hashed together.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use std::hash::Hasher as _;

use twox_hash::XxHash64;

use crate::name::{Digest, Hasher};
use crate::sha256::{self, BLOCK, Kernels, MOST};

use super::work::Meter;

/// The hashes of some bytes, those that are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hashes {
    pub sha256: Option<Digest>,
    pub xxh64: Option<u64>,
}

/// Which hashes are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub sha256: bool,
    pub xxh64: bool,
}

/// The tensors of a file in its order, and their hashes as they are done.
pub(super) struct Streams<'a> {
    data: &'a [&'a [u8]],
    wanted: Wanted,
    kernels: Kernels,
    /// How many a thread advances together.
    together: usize,
    next: AtomicUsize,
    is_whole_taken: AtomicBool,
    pub(super) done: Mutex<Done>,
}

/// What is known so far.
pub(super) struct Done {
    pub(super) whole: Hashes,
    pub(super) tensors: Vec<Hashes>,
}

/// The bytes that are done at once: together they fit a core's second cache.
const CHUNK: usize = 128 << 10;

/// A tensor on its way.
struct Stream<'a> {
    index: usize,
    rest: &'a [u8],
    total: u64,
    state: sha256::State,
    xxh64: XxHash64,
}

impl<'a> Streams<'a> {
    /// Prepares the tensors for so many threads; without `tensors` only all of them as one stream.
    pub(super) fn new(data: &'a [&'a [u8]], wanted: Wanted, tensors: bool, threads: usize) -> Self {
        let bytes = data.iter().map(|data| data.len() as u64).sum();
        let kernels = Kernels::for_work(data.len(), bytes);
        let share = data.len().div_ceil(threads.max(1));
        let next = if tensors { 0 } else { data.len() };
        Streams {
            data,
            wanted,
            kernels,
            together: kernels.batch_size(share).max(1),
            next: AtomicUsize::new(next),
            is_whole_taken: AtomicBool::new(false),
            done: Mutex::new(Done {
                whole: Hashes::default(),
                tensors: vec![Hashes::default(); if tensors { data.len() } else { 0 }],
            }),
        }
    }

    /// Hashes what no other thread has taken: all bytes as one stream first, which takes longest,
    /// then tensors.
    pub(super) fn run(&self, meter: &Meter) {
        if !self.is_whole_taken.swap(true, Ordering::Relaxed)
            && let Some(whole) = self.whole(meter)
        {
            self.done().whole = whole;
        }
        self.some(meter);
    }

    fn done(&self) -> std::sync::MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn whole(&self, meter: &Meter) -> Option<Hashes> {
        let (mut sha256, mut xxh64) = (Hasher::new(), XxHash64::with_seed(0));
        for chunk in self.data.iter().flat_map(|data| data.chunks(CHUNK)) {
            if self.wanted.sha256 {
                sha256.update(chunk);
            }
            if self.wanted.xxh64 {
                xxh64.write(chunk);
            }
            if !meter.advance(chunk.len()) {
                return None;
            }
        }
        Some(Hashes {
            sha256: self.wanted.sha256.then(|| sha256.finish()),
            xxh64: self.wanted.xxh64.then(|| xxh64.finish()),
        })
    }

    fn take(&self) -> Option<Stream<'a>> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let rest = self.data.get(index)?;
        Some(Stream {
            index,
            rest,
            total: rest.len() as u64,
            state: sha256::START,
            xxh64: XxHash64::with_seed(0),
        })
    }

    fn some(&self, meter: &Meter) {
        let mut streams: Vec<Stream<'_>> = Vec::new();
        loop {
            while streams.len() < self.together
                && let Some(stream) = self.take()
            {
                streams.push(stream);
            }
            if streams.is_empty() {
                return;
            }
            let bytes = self.step(&mut streams);
            if !meter.advance(bytes + self.end(&mut streams)) {
                return;
            }
        }
    }

    /// Advances all of them as far as the shortest goes; returns the bytes that are done.
    fn step(&self, streams: &mut [Stream<'_>]) -> usize {
        let whole = streams
            .iter()
            .map(|stream| stream.rest.len() / BLOCK * BLOCK);
        let len = whole.min().unwrap_or(0).min(CHUNK);
        if len == 0 {
            return 0;
        }
        let mut states = [sha256::START; MOST];
        let mut inputs: [&[u8]; MOST] = [&[]; MOST];
        let places = states.iter_mut().zip(&mut inputs);
        for (stream, (state, input)) in streams.iter_mut().zip(places) {
            let (now, later) = stream.rest.split_at(len);
            if self.wanted.xxh64 {
                stream.xxh64.write(now);
            }
            (*state, *input, stream.rest) = (stream.state, now, later);
        }
        let count = streams.len();
        if let (true, Some(states), Some(inputs)) = (
            self.wanted.sha256,
            states.get_mut(..count),
            inputs.get(..count),
        ) {
            self.kernels.advance(states, inputs);
        }
        for (stream, state) in streams.iter_mut().zip(states) {
            stream.state = state;
        }
        len * count
    }

    /// Notes the hashes of those that have less than a block left; returns these last bytes.
    fn end(&self, streams: &mut Vec<Stream<'_>>) -> usize {
        let mut bytes = 0;
        streams.retain_mut(|stream| {
            if stream.rest.len() >= BLOCK {
                return true;
            }
            let Wanted { sha256, xxh64 } = self.wanted;
            bytes += stream.rest.len();
            stream.xxh64.write(stream.rest);
            let digest = || Digest::from(sha256::finish(stream.state, stream.rest, stream.total));
            let hashes = Hashes {
                sha256: sha256.then(digest),
                xxh64: xxh64.then(|| stream.xxh64.finish()),
            };
            if let Some(slot) = self.done().tensors.get_mut(stream.index) {
                *slot = hashes;
            }
            false
        });
        bytes
    }
}
