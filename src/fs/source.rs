//! A file of the caller's on its way into a store: opened once, and each byte of it read once.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fs::read;
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::Stat;
use crate::gguf::{Index, Limits, Parsed, Parser};

/// A file that is open, and its first bytes, which are kept in memory: what was looked at is what is
/// hashed and written, also where somebody writes to the file meanwhile.
pub(crate) struct Source {
    path: PathBuf,
    file: File,
    stamp: FileStamp,
    first: Vec<u8>,
}

/// How much is read at once before the rest, in bytes: the header of most files without a
/// vocabulary.
const STEP: u64 = 64 << 10;

/// The largest header that is kept, in bytes. Those of large vocabularies have 20 MB.
const LARGEST_HEADER: u64 = if cfg!(test) { 1 << 20 } else { 64 << 20 };

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let at = |e| Error::io("opening", path, e);
        let file = read::open_regular(path).map_err(at)?;
        let stamp = FileStamp::of(&Stat::of(&file).map_err(at)?);
        Ok(Source {
            path: path.to_owned(),
            file,
            stamp,
            first: Vec::new(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Returns the size that the file had when it was opened.
    pub(crate) fn size(&self) -> u64 {
        self.stamp.size()
    }

    /// Returns whether an open file is this one, untouched.
    pub(crate) fn is(&self, file: &File) -> bool {
        let found = Stat::of(file).map(|stat| FileStamp::of(&stat));
        found.is_ok_and(|found| found.is_same_file(&self.stamp))
    }

    /// Returns the bytes that were read so far, from the first on.
    pub(crate) fn first(&self) -> &[u8] {
        &self.first
    }

    /// Returns the first bytes, as many as say what the file is.
    pub(crate) fn sniffed(&mut self) -> Result<&[u8]> {
        let end = STEP.min(self.size());
        self.read_to(end)?;
        Ok(&self.first)
    }

    /// Reads on, until the first `end` bytes are in memory.
    fn read_to(&mut self, end: u64) -> Result<()> {
        let more = end.saturating_sub(self.first.len() as u64);
        let at = |e| Error::io("reading", &self.path, e);
        match (&self.file)
            .take(more)
            .read_to_end(&mut self.first)
            .map_err(at)?
        {
            read if read as u64 == more => Ok(()),
            _ => Err(at(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    /// Reads the header, strictly. Its bytes are the first of [`first`](Self::first) then, and what
    /// follows the tensors was not looked at. `None` where it is too large to be kept.
    pub(crate) fn index(&mut self) -> Result<Option<Index>> {
        let limits = Limits::strict();
        let mut parser = Parser::new(&limits, self.size());
        self.sniffed()?;
        loop {
            let parsed = parser.resume(&self.first).map_err(|fault| {
                let error = Error::from(fault);
                let text = format!("opening {}", self.path.display());
                Error::caused(error.kind(), text, error)
            })?;
            let end = match parsed {
                Parsed::Index(index) => return Ok(Some(*index)),
                Parsed::NeedMore(end) => end,
            };
            if end > LARGEST_HEADER {
                return Ok(None);
            }
            let doubled = 2 * self.first.len() as u64;
            self.read_to(end.max(doubled).min(LARGEST_HEADER).min(self.size()))?;
        }
    }

    /// Returns the bytes of the file from its beginning; those in memory are not read again.
    pub(crate) fn bytes(&self) -> Result<impl Read + '_> {
        let mut rest = &self.file;
        rest.seek(SeekFrom::Start(self.first.len() as u64))
            .map_err(|e| Error::io("reading", &self.path, e))?;
        Ok(self.first.as_slice().chain(rest))
    }

    /// Returns the bytes of a Modelfile, where it is as short as a text.
    pub(crate) fn text(&self) -> Result<Vec<u8>> {
        let text = read::read_bounded(self.bytes()?, self.size());
        text.map_err(|e| Error::io("reading Modelfile", &self.path, e))
    }

    /// Returns whether bytes of a copy, from `at` on, are those in memory, as far as these go.
    pub(crate) fn agrees(&self, at: u64, bytes: &[u8]) -> bool {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let known = self.first.get(at..).unwrap_or_default();
        known.iter().zip(bytes).all(|(known, byte)| known == byte)
    }

    /// Fails where the file is not what it was when it was opened, or its copy has another size.
    pub(crate) fn must_be_unchanged(&self, copied: u64) -> Result<()> {
        match self.is(&self.file) && copied == self.size() {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }

    /// Returns the error of a file that somebody wrote to while it was read.
    pub(crate) fn changed(&self) -> Error {
        let cause = io::Error::other("it was changed while it was read");
        Error::io("reading", &self.path, cause)
    }
}
