//! The bytes of a file: mapped, or read. The only place of the core that maps.

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};

/// Bytes that do not change while they are held.
pub(crate) enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps the first `len` bytes of a file.
    pub(crate) fn map(file: &File, len: u64) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        // SAFETY: a map is sound as long as nobody shortens or writes the file while it is held.
        // Blobs are named by their digest, written under a temporary name, renamed in when they
        // are whole and never opened for writing again, by us and by the reference. A stranger
        // that truncates one ends the process with SIGBUS, and one that writes into it changes
        // what we read; everything that is read is bounds-checked at each access, so neither leads
        // outside of the map. Callers that cannot rely on it open with `mmap = false`.
        #[expect(unsafe_code)]
        let map = unsafe { MmapOptions::new().len(len).map(file)? };
        Ok(Bytes::Mapped(map))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

/// A part of a file, mapped with its pages at hand.
pub(crate) struct Window {
    map: Mmap,
    start: u64,
}

impl Window {
    /// Maps `len` bytes from `start` on, which the file must have: whoever reads a window beyond
    /// the end of its file is ended by a signal.
    pub(crate) fn map(file: &File, start: u64, len: u64) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let mut options = MmapOptions::new();
        let options = options.offset(start).len(len).populate();
        // SAFETY: as for [`Bytes::map`].
        #[expect(unsafe_code)]
        let map = unsafe { options.map(file)? };
        Ok(Window { map, start })
    }

    /// Where it ends in the file.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.map.len() as u64
    }

    /// The bytes from a place of the file on; none beyond the window.
    pub(crate) fn from(&self, at: u64) -> &[u8] {
        let skipped = at
            .checked_sub(self.start)
            .and_then(|n| usize::try_from(n).ok());
        skipped
            .and_then(|skipped| self.map.get(skipped..))
            .unwrap_or_default()
    }
}
