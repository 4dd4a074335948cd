//! One file on its way through the hash.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::fs::page_cache::PageCache;
use crate::fs::read;
use crate::fs::stamp::FileStamp;
use crate::fs::system::open;
use crate::fs::system::stat::Stat;
use crate::name::Digest;
use crate::sha256::{self, BLOCK, State};

use super::buffer::Buffer;
use super::{Hashed, Inspect, Job};

/// A file, how far it is hashed, and the state there. It may go from thread to thread.
///
/// It is read, not mapped: the copy costs less than the pages of a map do where sixteen files are
/// walked through together, and nobody's truncating ends the process.
pub(super) struct Stream<'j> {
    /// The place of its job among all.
    pub index: usize,
    pub state: State,
    path: &'j Path,
    at: u64,
    size: u64,
    /// Opened when it is first read.
    opened: Option<Opened>,
}

struct Opened {
    file: File,
    pages: PageCache,
    stamp: FileStamp,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.pages.end(&self.file);
    }
}

/// The bytes of a file that are at hand for one step.
pub(super) struct Chunk {
    buffer: Buffer,
    filled: usize,
    /// Whether the file ends with them.
    pub is_last: bool,
}

impl<'j> Stream<'j> {
    pub(super) fn new(index: usize, job: Job<'j>) -> Self {
        Stream {
            index,
            state: sha256::START,
            path: job.path,
            at: 0,
            size: job.size,
            opened: None,
        }
    }

    /// Opens the file, which may have another size by now.
    fn open(&mut self) -> io::Result<()> {
        if self.opened.is_none() {
            let file = read::open_regular(self.path)?;
            let stat = Stat::of(&file)?;
            self.size = stat.len();
            self.opened = Some(Opened {
                file,
                pages: PageCache::new(self.size),
                stamp: FileStamp::of(&stat),
            });
        }
        Ok(())
    }

    /// Returns the bytes that are left, as far as is known.
    pub(super) fn left(&self) -> u64 {
        self.size.saturating_sub(self.at)
    }

    /// Returns how far it is hashed, in bytes.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Returns the bytes from there on. Opens the file where nobody did.
    pub(super) fn source(&mut self) -> io::Result<Source<'_>> {
        self.open()?;
        let opened = self.opened.as_mut().ok_or(io::ErrorKind::NotFound)?;
        Ok(Source {
            opened,
            at: self.at,
            size: self.size,
        })
    }

    /// Notes that so many bytes are hashed, whole blocks.
    pub(super) fn advance(&mut self, count: usize) {
        self.at += count as u64;
    }

    /// Returns the digest, when less than a block is left.
    pub(super) fn finish(&self, tail: &[u8]) -> Digest {
        Digest::from(sha256::finish(
            self.state,
            tail,
            self.at + tail.len() as u64,
        ))
    }
}

impl Stream<'_> {
    /// Returns what the file is, whose digest is known, after `inspect` has looked at it.
    pub(super) fn end(&self, digest: Digest, inspect: Inspect<'_>) -> io::Result<Hashed> {
        let opened = self.opened.as_ref().ok_or(io::ErrorKind::NotFound)?;
        inspect(self.index, &opened.file);
        let stamp = opened.stamp;
        Ok(Hashed { digest, stamp })
    }
}

/// The bytes of a file from somewhere on.
pub(super) struct Source<'l> {
    opened: &'l mut Opened,
    at: u64,
    size: u64,
}

impl Source<'_> {
    /// Reads the next bytes, `most` of them where the file goes on so far.
    pub(super) fn read(&mut self, chunk: &mut Chunk, most: usize) -> io::Result<()> {
        // One byte more than is expected shows the end of the file.
        let left = usize::try_from(self.size.saturating_sub(self.at))
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let room = most.min(left.next_multiple_of(BLOCK));
        let Opened { file, pages, .. } = &mut *self.opened;
        pages.before(file, self.at);
        // Where it ends is where it ended when it was opened.
        let bytes = chunk.buffer.room(room);
        chunk.filled = open::fill_up(bytes, self.at, Some(self.size), |bytes, at| {
            open::read_at(file, bytes, at)
        })?;
        chunk.is_last = chunk.filled < room;
        Ok(())
    }

    /// Goes on after so many bytes.
    pub(super) fn advance(&mut self, count: usize) {
        self.at += count as u64;
    }
}

impl Chunk {
    pub(super) const fn new() -> Self {
        Chunk {
            buffer: Buffer::new(),
            filled: 0,
            is_last: false,
        }
    }

    /// Returns how many bytes the whole blocks are.
    pub(super) fn whole(&self) -> usize {
        self.filled / BLOCK * BLOCK
    }

    pub(super) fn blocks(&self, len: usize) -> &[u8] {
        self.buffer.get(0..len)
    }

    /// Returns what follows the first `len` bytes; less than a block where they were the file's
    /// last.
    pub(super) fn after(&self, len: usize) -> &[u8] {
        self.buffer.get(len..self.filled)
    }
}
