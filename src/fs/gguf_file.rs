//! GGUF files on the disk.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::map::Bytes;
use crate::fs::read;
use crate::fs::system::open;
use crate::fs::system::stat::Stat;
use crate::gguf::{Gguf, Index, Limits, OwnedValue, Parsed, Parser, Scan};

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
    /// right on network file systems and for files that somebody may truncate; the data of tensors
    /// are then not at hand. A file system that cannot map, as some of FUSE, is read in either
    /// case.
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

/// How much is read at first, in bytes: the header of most files without a vocabulary.
const FIRST: u64 = 64 << 10;
/// How much a scan reads at first, in bytes: what writers put before the vocabulary.
const FIRST_OF_SCAN: u64 = 4 << 10;
/// The largest header that is read into memory, in bytes.
pub(crate) const LARGEST_HEADER: u64 = 256 << 20;

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
    /// [`InvalidGguf`](ErrorKind::InvalidGguf) or [`Unsupported`](ErrorKind::Unsupported), with the
    /// [`ParseError`](crate::gguf::ParseError) as its cause; [`Io`](ErrorKind::Io) for what is no
    /// regular file.
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
    /// [`InvalidGguf`](ErrorKind::InvalidGguf) or [`Unsupported`](ErrorKind::Unsupported), with the
    /// [`ParseError`](crate::gguf::ParseError) as its cause.
    pub fn from_bytes(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        options: &GgufOptions,
    ) -> Result<Self> {
        let bytes = Bytes::Lent(Box::new(bytes));
        let size = bytes.len() as u64;
        let index = Index::parse(&bytes, size, &options.limits)?;
        Ok(GgufFile::of_whole(index.into(), bytes, size))
    }

    fn of_whole(index: Arc<Index>, bytes: Bytes, size: u64) -> Self {
        let inner = Arc::new(Inner { index, bytes, size });
        GgufFile { inner }
    }

    /// Returns a file of which only the header is at hand.
    pub(crate) fn of_parts(index: Index, header: Vec<u8>, size: u64) -> Self {
        GgufFile::of_whole(index.into(), Bytes::Owned(header), size)
    }

    /// Returns a file that is open, of so many bytes, which are those that an index was made of.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io).
    pub(crate) fn of_index(
        index: Arc<Index>,
        (file, size): (&File, u64),
        path: &Path,
        options: &GgufOptions,
    ) -> Result<Self> {
        let at = |e| Error::io("opening", path, e);
        if options.mmap
            && let Some(bytes) = Bytes::map(file, size).map_err(at)?
        {
            return Ok(GgufFile::of_whole(index, bytes, size));
        }
        let mut first = FirstBytes::new(file, size);
        first.grow(path, index.header_len())?;
        Ok(GgufFile::of_whole(index, Bytes::Owned(first.bytes), size))
    }

    /// Reads a file that is open, from its beginning; `path` is its name in errors.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn of(file: &File, path: &Path, options: &GgufOptions) -> Result<Self> {
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
        Ok(GgufFile::of_whole(index.into(), bytes, size))
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

/// The first bytes of a file, as many as were needed so far.
struct FirstBytes<'f> {
    file: &'f File,
    size: u64,
    bytes: Vec<u8>,
}

impl<'f> FirstBytes<'f> {
    fn new(file: &'f File, size: u64) -> Self {
        let bytes = Vec::new();
        FirstBytes { file, size, bytes }
    }

    /// Reads as far as the parser has to go.
    fn parse(&mut self, path: &Path, parser: &mut Parser<'_>) -> Result<Index> {
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
    fn parse_beside(&mut self, path: &Path, parser: &mut Parser<'_>, map: &Bytes) -> Result<Index> {
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
    fn grow(&mut self, path: &Path, end: u64) -> Result<()> {
        if end > LARGEST_HEADER {
            let text = format!(
                "reading {}: a header of {end} bytes or more",
                path.display()
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let start = self.bytes.len() as u64;
        let end = end.max(16 * start).min(self.size).min(LARGEST_HEADER);
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
