//! How far the header of a GGUF file is read, of which only its end tells the length: in growing steps,
//! and no further than the parser has to go by much.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::map::Bytes;
use crate::gguf::{Index, Parsed, Parser};

/// How much is read at first, in bytes: the header of most files without a vocabulary.
pub(super) const FIRST: u64 = 64 << 10;

/// The largest header that is read into memory, in bytes.
pub(super) const LARGEST: u64 = 256 << 20;

/// Returns how far to read next: as far as the parser has to go, and so many times as far as before.
pub(super) fn next(needed: u64, before: u64, times: u64) -> Result<u64> {
    if needed > LARGEST {
        let text = format!("a header of {needed} bytes or more");
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    Ok(needed.max(times * before).min(LARGEST))
}

/// The first bytes of a file, as many as were needed so far.
pub(super) struct FirstBytes<'f> {
    file: &'f File,
    pub(super) size: u64,
    pub(super) bytes: Vec<u8>,
}

impl<'f> FirstBytes<'f> {
    pub(super) fn new(file: &'f File, size: u64) -> Self {
        let bytes = Vec::new();
        FirstBytes { file, size, bytes }
    }

    /// Reads as far as the parser has to go.
    pub(super) fn parse(&mut self, path: &Path, parser: &mut Parser<'_>) -> Result<Index> {
        self.grow(path, FIRST)?;
        loop {
            match parser.resume(&self.bytes)? {
                Parsed::Index(index) => {
                    self.bytes
                        .truncate(usize::try_from(index.header_len()).unwrap_or(usize::MAX));
                    self.bytes.shrink_to_fit();
                    return Ok(*index);
                }
                Parsed::NeedMore(end) => self.grow(path, end)?,
            }
        }
    }

    /// Reads the first bytes, which are all that most files need, and goes on in `map` where they
    /// are not: to read a few pages costs less than to map them in.
    pub(super) fn parse_beside(
        &mut self,
        path: &Path,
        parser: &mut Parser<'_>,
        map: &Bytes,
    ) -> Result<Index> {
        self.grow(path, FIRST)?;
        let parsed = match parser.resume(&self.bytes)? {
            Parsed::NeedMore(_) => parser.resume(map)?,
            whole => whole,
        };
        match parsed {
            Parsed::Index(index) => Ok(*index),
            Parsed::NeedMore(_) => {
                let text = format!("reading {}: it was cut while it was read", path.display());
                Err(Error::new(ErrorKind::Io, text))
            }
        }
    }

    /// Reads on, up to `end` at least, and sixteen times as much as before at least.
    pub(super) fn grow(&mut self, path: &Path, end: u64) -> Result<()> {
        let start = self.bytes.len() as u64;
        let next = next(end, start, 16).map_err(|error| {
            let text = format!("reading {}", path.display());
            Error::caused(error.kind(), text, error)
        })?;
        let end = next.min(self.size);
        let more = end.saturating_sub(start);
        self.bytes
            .reserve_exact(usize::try_from(more).unwrap_or(usize::MAX));
        let read = self.file.take(more).read_to_end(&mut self.bytes);
        match read.map_err(|e| Error::io("reading", path, e))? {
            read if read as u64 == more => Ok(()),
            _ => Err(Error::io(
                "reading",
                path,
                io::ErrorKind::UnexpectedEof.into(),
            )),
        }
    }
}
