//! One file on its way through the hash.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::digest::Digest;
use crate::fs::map::Window;
use crate::fs::read;
use crate::sha256::{self, BLOCK, State};

use super::Job;

/// A file, how far it is hashed, and the state there. It may go from thread to thread.
pub(super) struct Lane {
    /// The place of its job among all.
    pub index: usize,
    file: File,
    state: State,
    at: u64,
    size: u64,
    bytes: Bytes,
}

/// Where the bytes come from.
enum Bytes {
    /// Mapped, a window at a time.
    Mapped(Option<Window>),
    /// Read into memory; how many bytes of the buffer are filled, and how many of them are used.
    Read {
        buffer: Vec<u8>,
        filled: usize,
        used: usize,
    },
}

/// The bytes that one window maps: what one lane holds of the page tables.
const WINDOW: u64 = 4 << 20;
/// The bytes of a file that are worth a map of their own; smaller ones are read.
const WORTH_A_MAP: u64 = 1 << 20;
/// The bytes that are read at once.
const BUFFER: usize = 256 << 10;

impl Lane {
    pub(super) fn open(index: usize, job: &Job, mmap: bool) -> io::Result<Self> {
        let file = read::open_regular(&job.path)?;
        let size = file.metadata()?.len();
        let bytes = if mmap && size >= WORTH_A_MAP {
            Bytes::Mapped(None)
        } else {
            let room = usize::try_from(size).map_or(BUFFER, |size| size.min(BUFFER));
            Bytes::Read {
                buffer: vec![0; room.next_multiple_of(BLOCK)],
                filled: 0,
                used: 0,
            }
        };
        Ok(Lane {
            index,
            file,
            state: sha256::START,
            at: 0,
            size,
            bytes,
        })
    }

    /// The bytes that are left, as far as is known.
    pub(super) fn left(&self) -> u64 {
        self.size.saturating_sub(self.at)
    }

    pub(super) fn state(&mut self) -> &mut State {
        &mut self.state
    }

    /// Makes whole blocks ready and answers how many bytes they are: none at the end of the file.
    pub(super) fn prepare(&mut self) -> io::Result<usize> {
        match &mut self.bytes {
            Bytes::Mapped(window) => {
                let is_used = window.as_ref().is_none_or(|window| window.end() <= self.at);
                if is_used && self.at < self.size {
                    let len = (self.size - self.at).min(WINDOW);
                    // What was cut since is noticed here, where it is an error and not a signal.
                    if self.file.metadata()?.len() < self.at + len {
                        return Err(io::Error::other("was cut while it was hashed"));
                    }
                    // The old window goes first, so that a lane never holds two.
                    *window = None;
                    *window = Some(Window::map(&self.file, self.at, len)?);
                }
            }
            Bytes::Read {
                buffer,
                filled,
                used,
            } => {
                if *filled - *used < BLOCK {
                    buffer.copy_within(*used..*filled, 0);
                    (*filled, *used) = (*filled - *used, 0);
                    let start = self.at + *filled as u64;
                    let room = buffer.get_mut(*filled..).unwrap_or_default();
                    *filled += fill(&self.file, room, start)?;
                }
            }
        }
        Ok(self.ready().len() / BLOCK * BLOCK)
    }

    /// The bytes that are ready.
    pub(super) fn ready(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(window) => window.as_ref().map_or(&[], |window| window.from(self.at)),
            Bytes::Read {
                buffer,
                filled,
                used,
            } => buffer.get(*used..*filled).unwrap_or_default(),
        }
    }

    /// Notes that so many of the bytes that were ready are hashed.
    pub(super) fn used(&mut self, count: usize) {
        self.at += count as u64;
        if let Bytes::Read { used, .. } = &mut self.bytes {
            *used += count;
        }
    }

    /// The digest, when less than a block is left.
    pub(super) fn finish(self) -> Digest {
        let tail = self.ready();
        Digest::from(sha256::finish(
            self.state,
            tail,
            self.at + tail.len() as u64,
        ))
    }
}

/// Fills a buffer as far as the file goes.
fn fill(file: &File, mut room: &mut [u8], mut at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while !room.is_empty() {
        match file.read_at(room, at) {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                at += count as u64;
                room = room.get_mut(count..).unwrap_or_default();
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
