//! The data of tensors: in memory, or in a file that is read where it is not mapped.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{self, Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_at::{ReadAt, fill};
use crate::fs::gguf_file::GgufFile;
use crate::fs::read;
use crate::fs::stamp::FileStamp;
use crate::fs::system::open;
use crate::fs::system::stat::Stat;
use crate::gguf::{Endian, PackedRows, TensorInfo};
use crate::sync::lock;

/// Where the data of a file are read that is not mapped.
pub(crate) enum DataSource {
    File(UnmappedFile),
    Reader(Mutex<Box<dyn ReadAt + Send>>),
}

/// A file whose header was read, and which is opened again when its data are first wanted: who wants
/// no more than headers may have more of them than a process may have open.
pub(crate) struct UnmappedFile {
    path: PathBuf,
    stamp: FileStamp,
    file: OnceLock<File>,
}

impl UnmappedFile {
    pub(crate) fn new(path: &Path, file: &File) -> io::Result<Self> {
        Ok(UnmappedFile {
            path: path::absolute(path)?,
            stamp: FileStamp::of(&Stat::of(file)?),
            file: OnceLock::new(),
        })
    }

    /// Opens the file, where nobody has.
    ///
    /// # Errors
    /// Also where it is another one by now.
    fn file(&self) -> Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let at = |e| Error::io("opening", &self.path, e);
        let (file, stat) = read::open_stated(&self.path).map_err(at)?;
        match FileStamp::of(&stat).is_same_file(&self.stamp) {
            true => Ok(self.file.get_or_init(|| file)),
            false => Err(self.changed("it was changed since its header was read")),
        }
    }

    fn read_exact_at(&self, into: &mut [u8], at: u64) -> Result<()> {
        let read = open::read_exact_at(self.file()?, into, at);
        read.map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => self.changed("it was cut while it was read"),
            _ => Error::io("reading", &self.path, e),
        })
    }

    fn changed(&self, how: &'static str) -> Error {
        Error::io("reading", &self.path, io::Error::other(how))
    }
}

impl DataSource {
    /// Fills a buffer with the bytes from a place on.
    fn read_exact_at(&self, into: &mut [u8], at: u64) -> Result<()> {
        match self {
            DataSource::File(file) => file.read_exact_at(into, at),
            DataSource::Reader(reader) => {
                let mut reader = lock(reader);
                fill(&mut **reader, into, at)
            }
        }
    }
}

/// The data of a tensor, of which pieces are taken.
#[derive(Clone, Copy)]
pub(crate) enum TensorData<'a> {
    Memory(&'a [u8]),
    File {
        source: &'a DataSource,
        at: u64,
        len: u64,
    },
}

impl<'a> TensorData<'a> {
    pub(crate) fn len(&self) -> u64 {
        match self {
            TensorData::Memory(bytes) => bytes.len() as u64,
            TensorData::File { len, .. } => *len,
        }
    }

    /// Returns `len` bytes from a place on, all of them within the data; `buffer` has them where they
    /// were read.
    pub(crate) fn piece<'b>(&self, at: u64, len: usize, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]>
    where
        'a: 'b,
    {
        match self {
            TensorData::Memory(bytes) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                let piece = bytes.get(at..).and_then(|rest| rest.get(..len));
                piece.ok_or_else(|| {
                    Error::new(ErrorKind::InvalidArgument, "there are no such bytes")
                })
            }
            TensorData::File {
                source, at: start, ..
            } => {
                buffer.resize(len, 0);
                source.read_exact_at(buffer, start + at)?;
                Ok(buffer)
            }
        }
    }
}

impl GgufFile {
    /// Returns the data of a tensor: those in memory, or else where they are read.
    pub(crate) fn data_of(&self, tensor: &TensorInfo<'_>) -> Result<TensorData<'_>> {
        let why = match self.view().data_at_hand(tensor) {
            Ok(bytes) => return Ok(TensorData::Memory(bytes)),
            Err(why) => why,
        };
        let end = |len| tensor.offset.checked_add(len);
        let len = tensor
            .size
            .filter(|len| end(*len).is_some_and(|end| end <= self.size()));
        match (self.source(), len) {
            (Some(source), Some(len)) => {
                let at = tensor.offset;
                Ok(TensorData::File { source, at, len })
            }
            _ => {
                let text = format!("reading {:?}: its data are not at hand: {why}", tensor.name);
                Err(Error::new(ErrorKind::NotFound, text))
            }
        }
    }

    /// As [`Gguf::dequantize`](crate::gguf::Gguf::dequantize), also of a file that is not mapped: these
    /// rows are read then, and no others.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{GgufFile, GgufOptions};
    ///
    /// let options = GgufOptions::new().mmap(false);
    /// let file = GgufFile::open(directory.path().join("tiny.gguf"), &options)?;
    /// let tensor = file.view().tensor(0).expect("it has two");
    /// let second = file.dequantize(&tensor, 1..2)?;
    /// assert_eq!(second.len() as u64, tensor.row_len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Gguf::dequantize_into`](crate::gguf::Gguf::dequantize_into); [`Io`](ErrorKind::Io) where
    /// the rows cannot be read.
    pub fn dequantize(&self, tensor: &TensorInfo<'_>, rows: Range<u64>) -> Result<Vec<f32>> {
        let packed = tensor.packed(rows)?;
        let mut numbers = Vec::new();
        self.decode(tensor, &packed, |bytes, endian| {
            numbers.resize(packed.elements, 0.0);
            packed.decode(bytes, endian, &mut numbers);
        })?;
        Ok(numbers)
    }

    /// As [`dequantize`](Self::dequantize), into memory of the caller's, which has room for exactly
    /// these rows.
    ///
    /// # Errors
    /// As [`dequantize`](Self::dequantize).
    pub fn dequantize_into(
        &self,
        tensor: &TensorInfo<'_>,
        rows: Range<u64>,
        numbers: &mut [f32],
    ) -> Result<()> {
        let packed = tensor.packed(rows)?;
        packed.must_fill(tensor, numbers)?;
        self.decode(tensor, &packed, |bytes, endian| {
            packed.decode(bytes, endian, numbers);
        })
    }

    /// Has the bytes of some rows decoded.
    fn decode(
        &self,
        tensor: &TensorInfo<'_>,
        packed: &PackedRows,
        decode: impl FnOnce(&[u8], Endian),
    ) -> Result<()> {
        let data = self.data_of(tensor)?;
        let PackedRows { bytes, .. } = packed;
        let len = usize::try_from(bytes.end - bytes.start).unwrap_or(usize::MAX);
        let mut buffer = Vec::new();
        decode(
            data.piece(bytes.start, len, &mut buffer)?,
            self.view().endian(),
        );
        Ok(())
    }
}
