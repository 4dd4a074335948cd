//! GGUF files on the disk.

use std::fmt;
use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::fs::gguf_data::{DataSource, UnmappedFile};
use crate::fs::gguf_header::FirstBytes;
use crate::fs::map::Bytes;
use crate::fs::read;
use crate::fs::system::open;
use crate::fs::system::stat::Stat;
use crate::gguf::{Gguf, Index, Limits, OwnedValue, Parser, Scan};

/// A GGUF file that is open: its bytes and their index. Cheap to clone; what is borrowed from it
/// lives as long as any clone.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{GgufFile, GgufOptions};
///
/// let file = GgufFile::open(directory.path().join("tiny.gguf"), &GgufOptions::new())?;
/// let gguf = file.view();
/// assert_eq!((gguf.architecture(), gguf.tensor_count()), (Some("llama"), 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct GgufFile {
    inner: Arc<Inner>,
}

struct Inner {
    index: Arc<Index>,
    bytes: Bytes,
    size: u64,
    /// Where the data of tensors are read that are not among the bytes.
    source: Option<DataSource>,
}

impl Inner {
    /// Reads the header of a file from its beginning.
    fn of(file: &File, path: &Path, options: &GgufOptions) -> Result<Self> {
        let at = |e| Error::io("opening", path, e);
        let mut beginning = file;
        beginning.rewind().map_err(at)?;
        let size = file.metadata().map_err(at)?.len();
        let fault = |e: Error| {
            let kind = e.kind();
            Error::caused(kind, format!("opening {}", path.display()), e)
        };
        let mut first = FirstBytes::new(file, size);
        let mut parser = Parser::new(&options.limits, size);
        let mapped = match options.mmap {
            true => Bytes::map(file, size).map_err(at)?,
            false => None,
        };
        let (mut index, bytes) = if let Some(bytes) = mapped {
            let index = first
                .parse_beside(path, &mut parser, &bytes)
                .map_err(fault)?;
            (index, bytes)
        } else {
            let index = first.parse(path, &mut parser).map_err(fault)?;
            (index, Bytes::Owned(first.bytes))
        };
        note_tail(file, &mut index).map_err(at)?;
        Inner::of_file(index.into(), bytes, size, (file, path))
    }

    /// Notes where the data of a file are read that is not mapped.
    fn of_file(
        index: Arc<Index>,
        bytes: Bytes,
        size: u64,
        (file, path): (&File, &Path),
    ) -> Result<Self> {
        let source = match bytes {
            Bytes::Owned(_) => {
                let unmapped = UnmappedFile::new(path, file);
                let unmapped = unmapped.map_err(|e| Error::io("opening", path, e))?;
                Some(DataSource::File(unmapped))
            }
            _ => None,
        };
        Ok(Inner {
            index,
            bytes,
            size,
            source,
        })
    }
}

/// How a GGUF file is opened.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::gguf::Limits;
/// use modelkeep::{GgufFile, GgufOptions};
///
/// let options = GgufOptions::new().limits(Limits::lenient()).mmap(false);
/// let file = GgufFile::open(directory.path().join("tiny.gguf"), &options)?;
/// assert_eq!(file.view().parameter_count(), 40);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GgufOptions {
    limits: Limits,
    mmap: bool,
}

impl GgufOptions {
    /// Returns the options of a file that is read strictly, and mapped.
    pub const fn new() -> Self {
        GgufOptions {
            limits: Limits::strict(),
            mmap: true,
        }
    }

    /// Sets what is believed, and how much.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets whether the file is mapped, the default, or its header is read into memory. Reading is
    /// right on network file systems and for files that somebody may truncate. The data of tensors
    /// are then not at hand as slices; what hashes, compares or dequantizes them opens the file
    /// again and reads them, where it is still the same. A file system that cannot map, as some of
    /// FUSE, is read in either case.
    #[must_use]
    pub const fn mmap(mut self, mmap: bool) -> Self {
        self.mmap = mmap;
        self
    }

    /// Returns what is believed, and how much.
    pub(crate) const fn believed(&self) -> &Limits {
        &self.limits
    }
}

impl Default for GgufOptions {
    fn default() -> Self {
        GgufOptions::new()
    }
}

/// How much a scan reads at first, in bytes: what writers put before the vocabulary.
const FIRST_OF_SCAN: u64 = 4 << 10;

impl GgufFile {
    /// Opens a GGUF file: one pass over its header, never over the data of its tensors.
    ///
    /// # What mapping rests on
    /// A mapped file must stay as it is for as long as this value, a clone of it, or anything
    /// borrowed from it lives. Whoever may write to the file can break that, this process included;
    /// neither a check on opening nor a lock can prevent it.
    ///
    /// * Where the file is *truncated*, the next access beyond its new end ends the process with
    ///   SIGBUS. It is no error that could be returned.
    /// * Where it is *written to*, bytes change under a borrow. Each access is checked against the
    ///   bounds of the map, so nothing outside of it is read, and numbers and slices of bytes are at
    ///   worst wrong. But a `&str` was UTF-8 when it was made, and is then no longer: to use it is
    ///   undefined behavior.
    ///
    /// The blobs of a store meet the condition: this library and Ollama write them under another
    /// name, rename them when they are complete, and never open them for writing again. To remove
    /// or replace a file, as by a rename, is harmless. For any other path, and for network file
    /// systems, on which another machine may truncate, the choice is the caller's:
    /// [`GgufOptions::mmap(false)`](GgufOptions::mmap) reads the header into memory that nobody else
    /// can reach.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{ErrorKind, GgufFile, GgufOptions};
    ///
    /// let opened = GgufFile::open(directory.path().join("models"), &GgufOptions::new());
    /// assert_eq!(opened.map_err(|error| error.kind()).err(), Some(ErrorKind::Io));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidGguf`](crate::ErrorKind::InvalidGguf) or
    /// [`Unsupported`](crate::ErrorKind::Unsupported), with the
    /// [`ParseError`](crate::gguf::ParseError) as its cause; [`Io`](crate::ErrorKind::Io) for what
    /// is no regular file.
    pub fn open(path: impl AsRef<Path>, options: &GgufOptions) -> Result<Self> {
        let path = path.as_ref();
        let at = |e| Error::io("opening", path, e);
        let file = read::open_regular(path).map_err(at)?;
        GgufFile::of(&file, path, options)
    }

    /// Reads a GGUF file that is in memory: one that was downloaded, or is part of a program. Nothing
    /// is copied; [`mmap`](GgufOptions::mmap) means nothing here.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{GgufFile, GgufOptions};
    ///
    /// let bytes = std::fs::read(directory.path().join("tiny.gguf"))?;
    /// let file = GgufFile::from_bytes(bytes, &GgufOptions::new())?;
    /// assert_eq!(file.view().architecture(), Some("llama"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidGguf`](crate::ErrorKind::InvalidGguf) or
    /// [`Unsupported`](crate::ErrorKind::Unsupported), with the
    /// [`ParseError`](crate::gguf::ParseError) as its cause.
    pub fn from_bytes(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        options: &GgufOptions,
    ) -> Result<Self> {
        let bytes = Bytes::Lent(Box::new(bytes));
        let size = bytes.len() as u64;
        let index = Index::parse(&bytes, size, &options.limits)?;
        Ok(GgufFile::from(Inner {
            index: index.into(),
            bytes,
            size,
            source: None,
        }))
    }

    /// Returns a file of which the header is at hand, and its data where there is a source.
    pub(crate) fn of_parts(
        index: Index,
        header: Vec<u8>,
        size: u64,
        source: Option<DataSource>,
    ) -> Self {
        GgufFile::from(Inner {
            index: index.into(),
            bytes: Bytes::Owned(header),
            size,
            source,
        })
    }

    /// Returns a file that is open, of so many bytes, which are those that an index was made of.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io).
    pub(crate) fn of_index(
        index: Arc<Index>,
        (file, size): (&File, u64),
        path: &Path,
        options: &GgufOptions,
    ) -> Result<Self> {
        let at = |e| Error::io("opening", path, e);
        let mapped = match options.mmap {
            true => Bytes::map(file, size).map_err(at)?,
            false => None,
        };
        let bytes = if let Some(bytes) = mapped {
            bytes
        } else {
            let mut first = FirstBytes::new(file, size);
            first.grow(path, index.header_len())?;
            Bytes::Owned(first.bytes)
        };
        Inner::of_file(index, bytes, size, (file, path)).map(GgufFile::from)
    }

    /// Returns where the data of tensors are read that are not in memory.
    pub(super) fn source(&self) -> Option<&DataSource> {
        self.inner.source.as_ref()
    }

    /// Reads a file that is open, from its beginning; `path` is its name in errors.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn of(file: &File, path: &Path, options: &GgufOptions) -> Result<Self> {
        Inner::of(file, path, options).map(GgufFile::from)
    }

    /// Returns the value of one key, of duplicates the first. Reads no further than that: some
    /// kilobytes, where the key stands before the vocabulary.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::GgufFile;
    /// use modelkeep::gguf::OwnedValue;
    ///
    /// let found = GgufFile::look_up(directory.path().join("tiny.gguf"), "general.name")?;
    /// assert_eq!(found, Some(OwnedValue::Str("Tiny".to_owned())));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open), for what was read.
    pub fn look_up(path: impl AsRef<Path>, key: &str) -> Result<Option<OwnedValue>> {
        let found = scan(path.as_ref(), &Limits::lenient(), |scan| {
            while let Some(found) = scan.next_key()? {
                if found.as_bytes() == key.as_bytes() {
                    return Ok(scan.value()?.map(OwnedValue::from));
                }
            }
            Ok(None)
        });
        found.map(|(found, _)| found)
    }

    /// Returns the file's metadata and tensors, borrowed; of a mapped file as long as it [stays as it
    /// is](Self::open).
    pub fn view(&self) -> Gguf<'_> {
        self.inner.index.view(&self.inner.bytes)
    }

    pub(crate) fn index(&self) -> &Arc<Index> {
        &self.inner.index
    }

    /// Returns the size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.inner.size
    }
}

/// Reads what follows the last tensor, where anything does.
pub(crate) fn note_tail(file: &File, index: &mut Index) -> io::Result<()> {
    let Some((from, len)) = index.tail() else {
        return Ok(());
    };
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    open::read_exact_at(file, &mut bytes, from)?;
    index.note_tail(&bytes);
    Ok(())
}

impl From<Inner> for GgufFile {
    fn from(inner: Inner) -> Self {
        GgufFile {
            inner: Arc::new(inner),
        }
    }
}

impl fmt::Debug for GgufFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GgufFile")
            .field("index", &self.inner.index)
            .finish_non_exhaustive()
    }
}

/// Runs `visit` over the metadata of a file, of which no more is read than `visit` asks for, and says
/// what the file looks like.
///
/// `visit` may run more than once, each time from the first key on, when the file turns out to go
/// on beyond what was read.
pub(crate) fn scan<T>(
    path: &Path,
    limits: &Limits,
    mut visit: impl FnMut(&mut Scan<'_, '_>) -> Result<T, crate::gguf::Stop>,
) -> Result<(T, Stat)> {
    use crate::gguf::Stop;
    let at = |e| Error::io("opening", path, e);
    let (file, stat) = read::open_stated(path).map_err(at)?;
    let mut first = FirstBytes::new(&file, stat.len());
    first.grow(path, FIRST_OF_SCAN)?;
    loop {
        let scanned =
            Scan::new(&first.bytes, first.size, limits).and_then(|mut scan| visit(&mut scan));
        match scanned {
            Ok(found) => return Ok((found, stat)),
            Err(Stop::NeedMore(end)) => first.grow(path, end)?,
            Err(Stop::ParseError(fault)) => return Err(fault.into()),
        }
    }
}
