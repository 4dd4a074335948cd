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
