//! GGUF files behind a reader at an offset: in a bigger file, an object store, at a URL.

use std::io;
use std::sync::Mutex;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_data::DataSource;
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::gguf_header::{FIRST, next};
use crate::fs::system::open;
use crate::gguf::{Index, Parsed, Parser};

/// Reads at any offset: what is not a file of its own, and no stream either.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use std::io::{self, Read, Seek, SeekFrom};
///
/// use modelkeep::{GgufFile, GgufOptions, ReadAt};
///
/// /// A GGUF file that begins somewhere in another.
/// struct Inside(std::fs::File, u64);
///
/// impl ReadAt for Inside {
///     fn size(&mut self) -> io::Result<u64> {
///         Ok(self.0.metadata()?.len() - self.1)
///     }
///
///     fn read_at(&mut self, into: &mut [u8], at: u64) -> io::Result<usize> {
///         self.0.seek(SeekFrom::Start(self.1 + at))?;
///         self.0.read(into)
///     }
/// }
///
/// let mut inside = Inside(std::fs::File::open(directory.path().join("tiny.gguf"))?, 0);
/// let file = GgufFile::from_read_at(&mut inside, &GgufOptions::new())?;
/// assert_eq!(file.view().architecture(), Some("llama"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ReadAt {
    /// Returns how many bytes there are.
    ///
    /// # Errors
    /// What keeps it from knowing.
    fn size(&mut self) -> io::Result<u64>;

    /// Fills the beginning of `into` with the bytes from `at` on, and returns how many; 0 only where
    /// there are none.
    ///
    /// # Errors
    /// What keeps it from reading.
    fn read_at(&mut self, into: &mut [u8], at: u64) -> io::Result<usize>;
}

impl GgufFile {
    /// Reads the header of a GGUF file through a reader at an offset: in growing steps from the
    /// beginning, and never the data of the tensors, which are not at hand then.
    ///
    /// # Errors
    /// As [`open`](Self::open); what the reader returned is the cause.
    pub fn from_read_at(reader: &mut dyn ReadAt, options: &GgufOptions) -> Result<Self> {
        let (index, header, size) = read(reader, options)?;
        Ok(GgufFile::of_parts(index, header, size, None))
    }

    /// As [`from_read_at`](Self::from_read_at), of a reader that is kept: what hashes, compares or
    /// dequantizes the data of the tensors reads them through it, one thread at a time.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use std::io::{self, Read, Seek, SeekFrom};
    ///
    /// use modelkeep::{GgufFile, GgufOptions, ReadAt};
    ///
    /// struct Remote(std::fs::File);
    ///
    /// impl ReadAt for Remote {
    ///     fn size(&mut self) -> io::Result<u64> {
    ///         Ok(self.0.metadata()?.len())
    ///     }
    ///
    ///     fn read_at(&mut self, into: &mut [u8], at: u64) -> io::Result<usize> {
    ///         self.0.seek(SeekFrom::Start(at))?;
    ///         self.0.read(into)
    ///     }
    /// }
    ///
    /// let remote = Remote(std::fs::File::open(directory.path().join("tiny.gguf"))?);
    /// let file = GgufFile::keeping_read_at(remote, &GgufOptions::new())?;
    /// let stored = store.model("tiny")?.gguf()?;
    /// assert!(file.diff(&stored)?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`from_read_at`](Self::from_read_at).
    pub fn keeping_read_at(
        mut reader: impl ReadAt + Send + 'static,
        options: &GgufOptions,
    ) -> Result<Self> {
        let (index, header, size) = read(&mut reader, options)?;
        let source = DataSource::Reader(Mutex::new(Box::new(reader)));
        Ok(GgufFile::of_parts(index, header, size, Some(source)))
    }
}

/// Reads the header; returns it with the size of the file.
fn read(reader: &mut dyn ReadAt, options: &GgufOptions) -> Result<(Index, Vec<u8>, u64)> {
    let size = reader.size().map_err(failed)?;
    let mut parser = Parser::new(options.believed(), size);
    let mut bytes = Vec::new();
    let mut end = FIRST;
    loop {
        grow(reader, &mut bytes, end.min(size))?;
        match parser.resume(&bytes)? {
            Parsed::Index(mut index) => {
                finish(reader, &mut index, &mut bytes)?;
                return Ok((*index, bytes, size));
            }
            Parsed::NeedMore(more) if more > size => return Err(cut(more, size)),
            Parsed::NeedMore(more) => end = next(more, bytes.len() as u64, 4)?,
        }
    }
}

/// Keeps the header, and looks at what follows the last tensor.
fn finish(reader: &mut dyn ReadAt, index: &mut Index, header: &mut Vec<u8>) -> Result<()> {
    header.truncate(usize::try_from(index.header_len()).unwrap_or(usize::MAX));
    header.shrink_to_fit();
    if let Some((from, len)) = index.tail() {
        let mut tail = vec![0; usize::try_from(len).unwrap_or(0)];
        fill(reader, &mut tail, from)?;
        index.note_tail(&tail);
    }
    Ok(())
}

/// Reads on until so many bytes are there.
fn grow(reader: &mut dyn ReadAt, bytes: &mut Vec<u8>, end: u64) -> Result<()> {
    let start = bytes.len();
    bytes.resize(usize::try_from(end).unwrap_or(usize::MAX), 0);
    let rest = bytes.get_mut(start..).unwrap_or_default();
    fill(reader, rest, start as u64)
}

pub(super) fn fill(reader: &mut dyn ReadAt, rest: &mut [u8], at: u64) -> Result<()> {
    let filled = open::fill(rest, at, |rest, at| match reader.read_at(rest, at) {
        Ok(count) if count > rest.len() => {
            let text = "the reader gave more than it was asked for";
            Err(io::Error::other(text))
        }
        read => read,
    });
    filled.map_err(failed)
}

fn cut(needed: u64, size: u64) -> Error {
    let text = format!("reading a GGUF file: its header goes on to byte {needed}, of {size}");
    Error::new(ErrorKind::InvalidGguf, text)
}

fn failed(error: io::Error) -> Error {
    Error::caused(ErrorKind::Io, "reading a GGUF file through a reader", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::{TensorType, Writer};

    /// Bytes that are read in pieces, and how many were.
    struct Counting {
        bytes: Vec<u8>,
        size: u64,
        read: u64,
    }

    impl Counting {
        fn of(bytes: Vec<u8>) -> Self {
            let size = bytes.len() as u64;
            Counting {
                bytes,
                size,
                read: 0,
            }
        }
    }

    impl ReadAt for Counting {
        fn size(&mut self) -> io::Result<u64> {
            Ok(self.size)
        }

        fn read_at(&mut self, into: &mut [u8], at: u64) -> io::Result<usize> {
            let rest = self
                .bytes
                .get(usize::try_from(at).unwrap()..)
                .unwrap_or(&[]);
            let count = rest.len().min(into.len()).min(10_000);
            into[..count].copy_from_slice(&rest[..count]);
            self.read += count as u64;
            Ok(count)
        }
    }

    fn file(tokens: usize, data: usize) -> Vec<u8> {
        let texts: Vec<String> = (0..tokens).map(|at| format!("token {at}")).collect();
        let mut writer = Writer::new();
        writer.set("tokens", texts);
        writer.tensor("w", &[data as u64 / 4], TensorType::F32, vec![7; data]);
        let mut bytes = Vec::new();
        writer.write_to(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn only_the_header_is_read() {
        for (tokens, most) in [(1, 64 << 10), (20_000, 1 << 20)] {
            let bytes = file(tokens, 4 << 20);
            let mut reader = Counting::of(bytes.clone());
            let read = GgufFile::from_read_at(&mut reader, &GgufOptions::new()).unwrap();
            let whole = GgufFile::from_bytes(bytes, &GgufOptions::new()).unwrap();
            assert_eq!(read.view().to_json(), whole.view().to_json());
            assert_eq!(read.size(), whole.size());
            assert!(reader.read <= most, "{} read", reader.read);
        }
    }

    #[test]
    fn a_cut_file_is_refused_as_one_in_memory_is() {
        let bytes = file(20_000, 1 << 10);
        for end in [0, 3, 23, 100, 70_000, bytes.len() - 100] {
            let cut = bytes[..end].to_vec();
            let read = GgufFile::from_read_at(&mut Counting::of(cut.clone()), &GgufOptions::new());
            let whole = GgufFile::from_bytes(cut, &GgufOptions::new());
            assert_eq!(
                read.unwrap_err().to_string(),
                whole.unwrap_err().to_string()
            );
        }
    }

    #[test]
    fn a_size_that_is_a_lie_is_an_error() {
        let mut reader = Counting::of(file(20_000, 1 << 10));
        reader.bytes.truncate(100_000);
        let error = GgufFile::from_read_at(&mut reader, &GgufOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        let mut text = b"GGUF\x03\0\0\0".to_vec();
        text.extend([0; 8]);
        text.extend(1_u64.to_le_bytes());
        text.extend((1_u64 << 50).to_le_bytes());
        text.resize(1 << 20, b'a');
        let mut reader = Counting::of(text);
        reader.size = u64::MAX;
        assert!(GgufFile::from_read_at(&mut reader, &GgufOptions::new()).is_err());
        assert!(reader.read <= 64 << 10);
    }

    #[test]
    fn what_the_reader_says_is_the_cause() {
        struct Broken;
        impl ReadAt for Broken {
            fn size(&mut self) -> io::Result<u64> {
                Ok(100)
            }

            fn read_at(&mut self, into: &mut [u8], at: u64) -> io::Result<usize> {
                match at {
                    0 => Ok(into.len() + 1),
                    _ => Err(io::Error::other("never")),
                }
            }
        }
        let error = GgufFile::from_read_at(&mut Broken, &GgufOptions::new()).unwrap_err();
        assert!(error.to_string().contains("more than it was asked for"));
    }
}
