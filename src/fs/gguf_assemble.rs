//! Files that are made of the tensors of others. Each of these is open only while its data are read,
//! so that there may be more of them than a process may have open.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_edit::EditSource;
use crate::fs::gguf_file::GgufFile;
use crate::fs::gguf_parts;
use crate::fs::ops::Range;
use crate::fs::source::Incoming;
use crate::fs::staged::Staged;
use crate::fs::stamp::FileStamp;
use crate::gguf::{self, Assembled, Move, Piece, SourceMove};

/// A file whose tensors go into another: its header, and what tells whether it is still the same
/// when it is opened again.
pub(crate) struct TensorSource {
    path: PathBuf,
    stamp: FileStamp,
    gguf: GgufFile,
}

impl TensorSource {
    pub(crate) fn new(path: PathBuf, stamp: FileStamp, gguf: GgufFile) -> Self {
        TensorSource { path, stamp, gguf }
    }

    /// Reads the header of a file, as [`EditSource::open`] does.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        EditSource::open(path).map(EditSource::closed)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn gguf(&self) -> &GgufFile {
        &self.gguf
    }

    /// Opens the file again.
    ///
    /// # Errors
    /// Also where it is another one by now.
    pub(crate) fn reopened(&self) -> Result<EditSource> {
        EditSource::reopened(&self.path, self.stamp, &self.gguf)
    }

    /// Returns whether a file is this one, untouched.
    pub(crate) fn is(&self, stamp: &FileStamp) -> bool {
        self.stamp.is_same_file(stamp)
    }
}

/// Files of which one is open, while its data are read.
pub(crate) struct TensorSources<'a> {
    all: &'a [TensorSource],
    open: Option<(usize, EditSource)>,
}

impl<'a> TensorSources<'a> {
    pub(crate) fn new(all: &'a [TensorSource]) -> Self {
        TensorSources { all, open: None }
    }

    /// Opens a file, and closes the one before.
    ///
    /// # Errors
    /// Also where somebody has changed the one or the other.
    pub(crate) fn get(&mut self, index: usize) -> Result<&EditSource> {
        let source = match self.open.take_if(|(open, _)| *open == index) {
            Some((_, source)) => source,
            None => {
                self.must_be_unchanged()?;
                self.all.get(index).ok_or_else(unknown)?.reopened()?
            }
        };
        Ok(&self.open.insert((index, source)).1)
    }

    /// Fails where somebody changed the file that is open.
    fn must_be_unchanged(&self) -> Result<()> {
        let open = self.open.as_ref();
        open.map_or(Ok(()), |(_, source)| source.must_be_unchanged())
    }
}

fn unknown() -> Error {
    Error::new(ErrorKind::InvalidArgument, "there is no such part")
}

/// Writes a file of the tensors of others; `advance` is told of its bytes.
///
/// # Errors
/// Also where somebody changed one of them meanwhile.
pub(crate) fn assemble(
    sources: &mut TensorSources<'_>,
    made: &Assembled,
    staged: &mut Staged,
    advance: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    staged.resize(made.file_size)?;
    for piece in made.pieces() {
        match piece {
            Piece::Header(bytes) => {
                staged.write_at(bytes, 0)?;
                advance(bytes.len() as u64)?;
            }
            Piece::Zeros(len) => advance(len)?,
            Piece::Data(SourceMove { source, data }) => {
                let Move { from, len, to } = data;
                let range = Range { from, len, to };
                sources.get(source)?.copy(range, staged, advance)?;
            }
        }
    }
    sources.must_be_unchanged()
}

/// The parts of a split model, and the one file that they make.
pub(crate) struct Merge {
    parts: Vec<TensorSource>,
    made: Assembled,
}

impl Merge {
    /// Reads the headers of all parts of a model, of which one is at hand.
    pub(crate) fn of(part: TensorSource) -> Result<Self> {
        let path = part.path.clone();
        let parts = gguf_parts::all(&path, part, TensorSource::gguf, &mut TensorSource::open)?;
        let parts: Vec<_> = parts.into_iter().map(|(_, part)| part).collect();
        let views: Vec<_> = parts.iter().map(|part| part.gguf.view()).collect();
        let made = gguf::merged(&views).map_err(|error| {
            let text = format!("merging the parts of {}", path.display());
            Error::caused(error.kind(), text, error).at(&path)
        })?;
        Ok(Merge { parts, made })
    }

    /// Returns the parts in order.
    pub(crate) fn parts(&self) -> &[TensorSource] {
        &self.parts
    }

    /// Returns the one file.
    pub(crate) fn made(&self) -> &Assembled {
        &self.made
    }

    pub(crate) fn into_parts(self) -> Vec<TensorSource> {
        self.parts
    }

    pub(crate) fn into_made(self) -> Assembled {
        self.made
    }
}

/// Named by its first part.
impl Incoming for Merge {
    fn path(&self) -> &Path {
        self.parts.first().map_or(Path::new(""), TensorSource::path)
    }

    fn size(&self) -> u64 {
        self.made.file_size
    }

    fn first(&self) -> &[u8] {
        &self.made.bytes
    }

    fn bytes(&self) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(MergeReader {
            sources: TensorSources::new(&self.parts),
            pieces: Box::new(self.made.pieces()),
            piece: Piece::Zeros(0),
        }))
    }

    // Each part is looked at when its last byte was read.
    fn must_be_unchanged(&self, copied: u64) -> Result<()> {
        match copied == self.size() {
            true => Ok(()),
            false => Err(Error::io(
                "reading",
                self.path(),
                io::ErrorKind::UnexpectedEof.into(),
            )),
        }
    }
}

/// Reads the parts of a model as the file that they make.
struct MergeReader<'a> {
    sources: TensorSources<'a>,
    pieces: Box<dyn Iterator<Item = Piece<'a>> + 'a>,
    /// What is left of the piece that is read.
    piece: Piece<'a>,
}

impl Read for MergeReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.read_piece(room).map_err(io::Error::other)? {
                0 => match self.pieces.next() {
                    Some(piece) => self.piece = piece,
                    None => {
                        self.sources.must_be_unchanged().map_err(io::Error::other)?;
                        break;
                    }
                },
                count => filled += count,
            }
        }
        Ok(filled)
    }
}

impl MergeReader<'_> {
    /// Reads on in the piece; 0 where nothing is left of it.
    fn read_piece(&mut self, room: &mut [u8]) -> Result<usize> {
        let count = room.len().min(self.piece.len());
        let room = room.get_mut(..count).unwrap_or_default();
        match &mut self.piece {
            Piece::Header(bytes) => {
                let (now, later) = bytes.split_at(count);
                room.copy_from_slice(now);
                *bytes = later;
            }
            Piece::Zeros(len) => {
                room.fill(0);
                *len -= count as u64;
            }
            Piece::Data(SourceMove { source, data }) if count > 0 => {
                self.sources.get(*source)?.read_exact_at(room, data.from)?;
                data.from += count as u64;
                data.len -= count as u64;
            }
            Piece::Data(_) => {}
        }
        Ok(count)
    }
}
