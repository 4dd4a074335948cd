//! A file of the caller's on its way into a store: opened once, and each byte of it read once.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fs::gguf_assemble::TensorSource;
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::read;
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::Stat;
use crate::gguf::{Index, Limits, Parsed, Parser};

/// Bytes on their way into a store, as one blob.
pub(crate) trait Incoming {
    /// Returns what they are called in errors.
    fn path(&self) -> &Path;

    /// Returns how many there are.
    fn size(&self) -> u64;

    /// Returns those that are in memory, from the first on.
    fn first(&self) -> &[u8];

    /// Returns all of them from the first on; those in memory are not read again.
    fn bytes(&self) -> Result<Box<dyn Read + '_>>;

    /// Fails where what was read is not what was looked at, or the copy has another size.
    fn must_be_unchanged(&self, copied: u64) -> Result<()>;
}

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

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Returns whether an open file is this one, untouched.
    pub(crate) fn is(&self, file: &File) -> bool {
        let found = Stat::of(file).map(|stat| FileStamp::of(&stat));
        found.is_ok_and(|found| found.is_same_file(&self.stamp))
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

    /// Returns the file as one whose tensors go into another. `index` is that of its header, where it
    /// is in memory.
    pub(crate) fn into_tensor_source(self, index: Option<Index>) -> Result<TensorSource> {
        let gguf = match index {
            Some(index) => GgufFile::of_parts(index, self.first, self.stamp.size(), None),
            None => GgufFile::of(&self.file, &self.path, &GgufOptions::new().mmap(false))?,
        };
        Ok(TensorSource::new(self.path, self.stamp, gguf))
    }

    /// Returns what tells the file from others.
    pub(crate) fn stamp(&self) -> &FileStamp {
        &self.stamp
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

    /// Returns the error of a file that somebody wrote to while it was read.
    pub(crate) fn changed(&self) -> Error {
        let cause = io::Error::other("it was changed while it was read");
        Error::io("reading", &self.path, cause)
    }
}

impl Incoming for Source {
    fn path(&self) -> &Path {
        &self.path
    }

    /// What the file had when it was opened.
    fn size(&self) -> u64 {
        self.stamp.size()
    }

    fn first(&self) -> &[u8] {
        &self.first
    }

    fn bytes(&self) -> Result<Box<dyn Read + '_>> {
        let mut rest = &self.file;
        rest.seek(SeekFrom::Start(self.first.len() as u64))
            .map_err(|e| Error::io("reading", &self.path, e))?;
        Ok(Box::new(self.first.as_slice().chain(rest)))
    }

    fn must_be_unchanged(&self, copied: u64) -> Result<()> {
        match self.is(&self.file) && copied == self.size() {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }
}
