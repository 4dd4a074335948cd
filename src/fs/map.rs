//! The bytes of a file: mapped, read, or lent by whoever has them. The only place of the core that
//! maps.

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::{Mmap, MmapOptions};

use crate::fs::ops;
use crate::fs::system::code;

/// Bytes that do not change while they are held.
pub(crate) enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
    /// Another's, for as long as this is held.
    Lent(Box<dyn AsRef<[u8]> + Send + Sync>),
}

impl Bytes {
    /// Maps the first `len` bytes of a file; `None` where its file system cannot, and they have to
    /// be read.
    pub(crate) fn map(file: &File, len: u64) -> io::Result<Option<Self>> {
        // A file may be larger than the address space.
        let Ok(len) = usize::try_from(len) else {
            return Ok(None);
        };
        match map(file, len) {
            Ok(map) => Ok(Some(Bytes::Mapped(map))),
            Err(e) if code::is_unmappable(&e) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

fn map(file: &File, len: usize) -> io::Result<Mmap> {
    ops::before_map()?;
    // SAFETY: a map is sound as long as nobody shortens or writes the file while it is held.
    // Blobs are named by their digest, written under a temporary name, renamed in when they
    // are whole and never opened for writing again, by us and by Ollama. For a path of the caller's
    // the public functions state the condition (`GgufFile::open`), and `mmap(false)` avoids it.
    // A stranger that truncates the file ends the process with SIGBUS; one that writes into it
    // changes what is read, at each access within the bounds of the map.
    #[expect(unsafe_code)]
    unsafe {
        MmapOptions::new().len(len).map(file)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
            Bytes::Lent(bytes) => (**bytes).as_ref(),
        }
    }
}
