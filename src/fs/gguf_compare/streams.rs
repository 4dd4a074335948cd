//! The tensors of a file as streams of bytes, several of which are hashed together.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use std::hash::Hasher as _;

use twox_hash::XxHash64;

use crate::error::Result;
use crate::fs::gguf_data::TensorData;
use crate::name::{Digest, Hasher};
use crate::sha256::{self, BLOCK, Kernels};
use crate::sync::lock;

use super::work::Meter;

/// The hashes of some bytes, those that are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hashes {
    pub sha256: Option<Digest>,
    pub xxh64: Option<u64>,
}

/// Which hashes are wanted, and of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub sha256: bool,
    pub xxh64: bool,
    /// All tensors as one stream.
    pub whole: bool,
    /// Each tensor.
    pub tensors: bool,
}

/// The data of tensors in their order, and their hashes as they are done.
pub(super) struct Streams<'a> {
    data: &'a [TensorData<'a>],
    wanted: Wanted,
    kernels: Kernels,
    /// How many a thread advances together.
    together: usize,
    next: AtomicUsize,
    is_whole_taken: AtomicBool,
    done: Mutex<Done>,
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
    data: TensorData<'a>,
    at: u64,
    state: sha256::State,
    xxh64: XxHash64,
    /// What was read of it last, where it is not in memory.
    buffer: Vec<u8>,
}

impl Stream<'_> {
    fn left(&self) -> u64 {
        self.data.len() - self.at
    }

    /// Returns the whole blocks that are next, in bytes.
    fn blocks(&self) -> usize {
        let left = self.left().min(CHUNK as u64);
        usize::try_from(left).unwrap_or(CHUNK) / BLOCK * BLOCK
    }
}

impl<'a> Streams<'a> {
    /// Prepares the hashes for so many threads.
    pub(super) fn new(data: &'a [TensorData<'a>], wanted: Wanted, threads: usize) -> Self {
        let bytes = data.iter().map(|data| data.len()).sum();
        let kernels = Kernels::for_work(data.len(), bytes);
        let share = data.len().div_ceil(threads.max(1));
        let count = if wanted.tensors { data.len() } else { 0 };
        Streams {
            data,
            wanted,
            kernels,
            together: kernels.batch_size(share).max(1),
            next: AtomicUsize::new(data.len() - count),
            is_whole_taken: AtomicBool::new(!wanted.whole),
            done: Mutex::new(Done {
                whole: Hashes::default(),
                tensors: vec![Hashes::default(); count],
            }),
        }
    }

    /// Returns the hashes, when all threads have run.
    pub(super) fn into_done(self) -> Done {
        self.done
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Hashes what no other thread has taken: all bytes as one stream first, which takes longest,
    /// then tensors.
    ///
    /// # Errors
    /// Where the data cannot be read.
    pub(super) fn run(&self, meter: &Meter) -> Result<()> {
        if !self.is_whole_taken.swap(true, Ordering::Relaxed)
            && let Some(whole) = self.whole(meter)?
        {
            self.done().whole = whole;
        }
        self.some(meter)
    }

    fn done(&self) -> std::sync::MutexGuard<'_, Done> {
        lock(&self.done)
    }

    fn whole(&self, meter: &Meter) -> Result<Option<Hashes>> {
        let (mut sha256, mut xxh64) = (Hasher::new(), XxHash64::with_seed(0));
        let mut buffer = Vec::new();
        for data in self.data {
            let mut at = 0;
            while at < data.len() {
                let len = usize::try_from(data.len() - at).map_or(CHUNK, |left| left.min(CHUNK));
                let chunk = data.piece(at, len, &mut buffer)?;
                if self.wanted.sha256 {
                    sha256.update(chunk);
                }
                if self.wanted.xxh64 {
                    xxh64.write(chunk);
                }
                at += len as u64;
                if !meter.advance(len) {
                    return Ok(None);
                }
            }
        }
        Ok(Some(Hashes {
            sha256: self.wanted.sha256.then(|| sha256.finish()),
            xxh64: self.wanted.xxh64.then(|| xxh64.finish()),
        }))
    }

    fn take(&self) -> Option<Stream<'a>> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        Some(Stream {
            index,
            data: *self.data.get(index)?,
            at: 0,
            state: sha256::START,
            xxh64: XxHash64::with_seed(0),
            buffer: Vec::new(),
        })
    }

    fn some(&self, meter: &Meter) -> Result<()> {
        let mut streams: Vec<Stream<'_>> = Vec::new();
        loop {
            while streams.len() < self.together
                && let Some(stream) = self.take()
            {
                streams.push(stream);
            }
            if streams.is_empty() {
                return Ok(());
            }
            let bytes = self.step(&mut streams)?;
            if !meter.advance(bytes + self.end(&mut streams)?) {
                return Ok(());
            }
        }
    }

    /// Advances all of them as far as the shortest goes; returns the bytes that are done.
    fn step(&self, streams: &mut [Stream<'_>]) -> Result<usize> {
        let len = streams.iter().map(Stream::blocks).min().unwrap_or(0);
        if len == 0 {
            return Ok(0);
        }
        let count = streams.len();
        let mut advanced = Vec::with_capacity(count);
        for stream in streams {
            let piece = stream.data.piece(stream.at, len, &mut stream.buffer)?;
            if self.wanted.xxh64 {
                stream.xxh64.write(piece);
            }
            stream.at += len as u64;
            advanced.push((&mut stream.state, piece));
        }
        if self.wanted.sha256 {
            self.kernels.advance_each(advanced);
        }
        Ok(len * count)
    }

    /// Notes the hashes of those that have less than a block left; returns these last bytes.
    fn end(&self, streams: &mut Vec<Stream<'_>>) -> Result<usize> {
        let (mut bytes, mut going_on) = (0, Vec::with_capacity(streams.len()));
        for mut stream in streams.drain(..) {
            if stream.blocks() > 0 {
                going_on.push(stream);
                continue;
            }
            let left = usize::try_from(stream.left()).unwrap_or(0);
            let rest = stream.data.piece(stream.at, left, &mut stream.buffer)?;
            let Wanted { sha256, xxh64, .. } = self.wanted;
            bytes += left;
            stream.xxh64.write(rest);
            let total = stream.data.len();
            let digest = || Digest::from(sha256::finish(stream.state, rest, total));
            let hashes = Hashes {
                sha256: sha256.then(digest),
                xxh64: xxh64.then(|| stream.xxh64.finish()),
            };
            if let Some(slot) = self.done().tensors.get_mut(stream.index) {
                *slot = hashes;
            }
        }
        *streams = going_on;
        Ok(bytes)
    }
}
