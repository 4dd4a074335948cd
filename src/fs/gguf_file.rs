//! GGUF files on the disk.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::map::Bytes;
use crate::fs::read;
use crate::gguf::{Gguf, Index, Limits, Parsed, Parser, Scan};

/// A GGUF file that is open: its bytes and their index. Cheap to clone; what is borrowed from it
/// lives as long as any clone.
#[derive(Clone)]
pub struct GgufFile {
    inner: Arc<Inner>,
}

struct Inner {
    index: Index,
    bytes: Bytes,
    size: u64,
}

/// How a GGUF file is opened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct GgufOptions {
    /// What is believed, and how much.
    pub limits: Limits,
    /// Whether the file is mapped, the default, or its head is read into memory. Reading is right
    /// on network file systems and for files that somebody may truncate; the data of tensors are
    /// then not at hand.
    pub mmap: bool,
}

impl GgufOptions {
    /// Strict, or lenient, and mapped.
    pub const fn new(limits: Limits) -> Self {
        GgufOptions { limits, mmap: true }
    }

    /// Whether the file is mapped or read.
    #[must_use]
    pub const fn mmap(mut self, mmap: bool) -> Self {
        self.mmap = mmap;
        self
    }
}

impl Default for GgufOptions {
    fn default() -> Self {
        GgufOptions::new(Limits::strict())
    }
}

/// How much is read at first when a file is not mapped, in bytes.
const FIRST: usize = 64 << 10;
/// The largest head that is read into memory, in bytes.
const LARGEST_HEAD: u64 = 256 << 20;

impl GgufFile {
    /// Opens a GGUF file: one pass over its head, never over the data of its tensors.
    ///
    /// # Errors
    /// [`InvalidGguf`](ErrorKind::InvalidGguf) or [`Unsupported`](ErrorKind::Unsupported), with
    /// the [`Fault`](crate::gguf::Fault) as its cause; [`Io`](ErrorKind::Io) for what is no
    /// regular file.
    pub fn open(path: impl AsRef<Path>, options: &GgufOptions) -> Result<Self> {
        let path = path.as_ref();
        let at = |e| Error::io("opening", path, e);
        let file = read::open_regular(path).map_err(at)?;
        let size = file.metadata().map_err(at)?.len();
        let fault = |e: Error| {
            let kind = e.kind();
            Error::caused(kind, format!("opening {}", path.display()), e)
        };
        let (index, bytes) = if options.mmap {
            let bytes = Bytes::map(&file).map_err(at)?;
            let index = Index::parse(&bytes, size, &options.limits).map_err(|e| fault(e.into()))?;
            (index, bytes)
        } else {
            let mut head = Head::new(&file, size);
            let index = head.parse(path, &options.limits).map_err(fault)?;
            (index, Bytes::Owned(head.bytes))
        };
        Ok(GgufFile {
            inner: Arc::new(Inner { index, bytes, size }),
        })
    }

    /// The file's metadata and tensors, borrowed.
    pub fn view(&self) -> Gguf<'_> {
        self.inner.index.view(&self.inner.bytes)
    }

    /// The size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.inner.size
    }
}

impl fmt::Debug for GgufFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GgufFile")
            .field("index", &self.inner.index)
            .finish_non_exhaustive()
    }
}

/// Runs `visit` over the metadata of a file, of which no more is read than `visit` asks for.
///
/// `visit` may run more than once, each time from the first key on, when the file turns out to go
/// on beyond what was read.
pub(crate) fn scan<T>(
    path: &Path,
    limits: &Limits,
    mut visit: impl FnMut(&mut Scan<'_, '_>) -> Result<T, crate::gguf::Stop>,
) -> Result<T> {
    use crate::gguf::Stop;
    let at = |e| Error::io("opening", path, e);
    let file = read::open_regular(path).map_err(at)?;
    let mut head = Head::new(&file, file.metadata().map_err(at)?.len());
    head.grow(path, FIRST as u64 / 4)?;
    loop {
        let scanned =
            Scan::new(&head.bytes, head.size, limits).and_then(|mut scan| visit(&mut scan));
        match scanned {
            Ok(found) => return Ok(found),
            Err(Stop::More(end)) => head.grow(path, end)?,
            Err(Stop::Fault(fault)) => return Err(fault.into()),
        }
    }
}

/// The first bytes of a file, as many as were needed so far.
struct Head<'f> {
    file: &'f File,
    size: u64,
    bytes: Vec<u8>,
}

impl<'f> Head<'f> {
    fn new(file: &'f File, size: u64) -> Self {
        let bytes = Vec::new();
        Head { file, size, bytes }
    }

    fn parse(&mut self, path: &Path, limits: &Limits) -> Result<Index> {
        let mut parser = Parser::new(limits, self.size);
        self.grow(path, FIRST as u64)?;
        loop {
            match parser.go_on(&self.bytes)? {
                Parsed::Index(index) => {
                    self.bytes
                        .truncate(usize::try_from(index.head_bytes()).unwrap_or(usize::MAX));
                    self.bytes.shrink_to_fit();
                    return Ok(*index);
                }
                Parsed::More(end) => self.grow(path, end)?,
            }
        }
    }

    /// Reads on, up to `end` at least, and twice as much as before at least.
    fn grow(&mut self, path: &Path, end: u64) -> Result<()> {
        if end > LARGEST_HEAD {
            let text = format!("reading {}: a head of {end} bytes or more", path.display());
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let start = self.bytes.len();
        let end = end.max(2 * start as u64).min(self.size).min(LARGEST_HEAD);
        let end = usize::try_from(end).unwrap_or(usize::MAX);
        self.bytes.resize(end.max(start), 0);
        let rest = self.bytes.get_mut(start..).unwrap_or_default();
        self.file
            .read_exact_at(rest, start as u64)
            .map_err(|e| Error::io("reading", path, e))
    }
}
