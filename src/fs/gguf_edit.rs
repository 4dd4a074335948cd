//! A GGUF file with another header: what is new is written, and the data are moved.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_assemble::TensorSource;
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::layout::BlobName;
use crate::fs::ops::{self, Range};
use crate::fs::staged::Staged;
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::Stat;
use crate::fs::system::{code, holes, open};
use crate::fs::{owner, read, space, system};
use crate::gguf::{Editor, Fit, Limits, Move, NewHeader};
use crate::go::human::human_size;

/// A file that is to be edited, opened once; its header is in memory.
pub(crate) struct EditSource {
    path: PathBuf,
    file: File,
    stamp: FileStamp,
    gguf: GgufFile,
}

/// A header, and by which way the data get behind it.
pub(crate) struct EditPlan {
    pub header: NewHeader,
    /// The blocks that are shared; `None` where each byte is copied.
    block: Option<u64>,
}

/// From this size of the data on, a header is padded so that they can be shared: less is copied in
/// less time than anybody notices.
const WORTH_PADDING: u64 = if cfg!(test) { 64 << 10 } else { 16 << 20 };

/// How much is copied between two looks for whoever wants to stop.
const STEP: u64 = 8 << 20;

impl EditSource {
    /// Opens a file. What it lacks for the strict reader, the edit may mend; the result has to be
    /// strict.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = read::open_regular(path).map_err(|e| Error::io("opening", path, e))?;
        EditSource::of(file, path)
    }

    pub(crate) fn of(file: File, path: &Path) -> Result<Self> {
        let at = |e| Error::io("opening", path, e);
        let stamp = FileStamp::of(&Stat::of(&file).map_err(at)?);
        // In memory: a map would change under us where somebody writes to the file.
        let options = GgufOptions::new().limits(Limits::lenient()).mmap(false);
        let gguf = GgufFile::of(&file, path, &options)?;
        Ok(EditSource {
            path: path.to_owned(),
            file,
            stamp,
            gguf,
        })
    }

    /// Opens a file again whose header was read.
    ///
    /// # Errors
    /// Also where it is another one by now.
    pub(crate) fn reopened(path: &Path, stamp: FileStamp, gguf: &GgufFile) -> Result<Self> {
        let file = read::open_regular(path).map_err(|e| Error::io("opening", path, e))?;
        let source = EditSource {
            path: path.to_owned(),
            file,
            stamp,
            gguf: gguf.clone(),
        };
        source.must_be_unchanged()?;
        Ok(source)
    }

    /// Closes the file, and keeps its header.
    pub(crate) fn closed(self) -> TensorSource {
        TensorSource::new(self.path, self.stamp, self.gguf)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn gguf(&self) -> &GgufFile {
        &self.gguf
    }

    /// Returns the header of the edited file. Writes nothing.
    pub(crate) fn header(&self, editor: &Editor, fit: Fit) -> Result<NewHeader> {
        let header = editor.header(self.gguf.view(), self.stamp.size(), fit);
        header.map_err(|error| {
            let text = format!("editing {}", self.path.display());
            Error::caused(error.kind(), text, error).at(&self.path)
        })
    }

    /// Decides how the data get behind a header in a file that was just made: blocks are shared where
    /// the file system can and, with `pad`, made to fit.
    pub(crate) fn plan(
        &self,
        editor: &Editor,
        header: NewHeader,
        staged: &Staged,
        pad: bool,
    ) -> Result<EditPlan> {
        let Some(block) = self.shared_block(staged) else {
            self.must_fit(staged, header.file_size)?;
            return Ok(EditPlan {
                header,
                block: None,
            });
        };
        let apart = |data: &&Move| data.from % block != data.to % block;
        let apart: u64 = header.moves.iter().filter(apart).map(|data| data.len).sum();
        let header = match pad && apart >= WORTH_PADDING {
            true => self.header(editor, Fit::Blocks(block))?,
            false => header,
        };
        Ok(EditPlan {
            header,
            block: Some(block),
        })
    }

    /// Returns the size of the blocks that a new file can share with this one: shares the first one,
    /// which the header overwrites.
    fn shared_block(&self, staged: &Staged) -> Option<u64> {
        let block = system::space::block(staged.path()).ok()?;
        let is_sane = block.is_power_of_two() && (512..=1 << 20).contains(&block);
        if !is_sane || self.stamp.size() < block {
            return None;
        }
        let first = Range {
            from: 0,
            len: block,
            to: 0,
        };
        let shared = ops::share_range(&self.file, staged.file(), staged.path(), first);
        shared.is_ok().then_some(block)
    }

    /// Refuses to begin what the disk has no room for.
    pub(crate) fn must_fit(&self, staged: &Staged, needed: u64) -> Result<()> {
        let directory = owner::parent(staged.path());
        let at = |e| Error::io("looking at", directory, e);
        match space::free(directory).map_err(at)? {
            Some(free) if free < needed => {
                let (needed, free) = (human_size(needed), human_size(free));
                let path = self.path.display();
                let text = format!("copying the data of {path}: needs {needed}, {free} free");
                Err(Error::caused(ErrorKind::Io, text, code::no_space()))
            }
            _ => Ok(()),
        }
    }

    /// Writes the edited file; `advance` is told of its bytes. Returns how many of them are shared
    /// with this file.
    ///
    /// # Errors
    /// Also where somebody changed this file meanwhile.
    pub(crate) fn write(
        &self,
        plan: &EditPlan,
        staged: &mut Staged,
        advance: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<u64> {
        let header = &plan.header;
        staged.resize(header.file_size)?;
        staged.write_at(&header.bytes, 0)?;
        advance(header.bytes.len() as u64)?;
        let mut shared = 0;
        for data in &header.moves {
            shared += self.move_data(*data, plan, staged, advance)?;
        }
        self.must_be_unchanged()?;
        Ok(shared)
    }

    pub(crate) fn must_be_unchanged(&self) -> Result<()> {
        let found = Stat::of(&self.file).map(|stat| FileStamp::of(&stat));
        match found.is_ok_and(|found| found.is_same_file(&self.stamp)) {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }

    fn changed(&self) -> Error {
        let cause = io::Error::other("it was changed while it was read");
        Error::io("reading", &self.path, cause)
    }

    /// Moves a range; returns how many of its bytes are shared.
    fn move_data(
        &self,
        data: Move,
        plan: &EditPlan,
        staged: &mut Staged,
        advance: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<u64> {
        let Move { from, len, to } = data;
        let range = Range { from, len, to };
        let blocks = plan
            .block
            .and_then(|block| self.blocks_of(range, block, plan));
        let Some(blocks) = blocks else {
            return self.copy(range, staged, advance).map(|()| 0);
        };
        let head = Range {
            len: blocks.from - range.from,
            ..range
        };
        let end = blocks.from + blocks.len;
        let tail = Range {
            from: end,
            len: range.from + range.len - end,
            to: blocks.to + blocks.len,
        };
        self.copy(head, staged, advance)?;
        // Where a block cannot be shared after all, it is copied.
        let shared = match ops::share_range(&self.file, staged.file(), staged.path(), blocks) {
            Ok(()) => {
                advance(blocks.len)?;
                blocks.len
            }
            Err(_) => {
                self.copy(blocks, staged, advance)?;
                0
            }
        };
        self.copy(tail, staged, advance)?;
        Ok(shared)
    }

    /// Returns the whole blocks of a range, where they are whole in both files; the last one of the
    /// files may be cut.
    fn blocks_of(&self, range: Range, block: u64, plan: &EditPlan) -> Option<Range> {
        if range.from % block != range.to % block {
            return None;
        }
        let head = (block - range.from % block) % block;
        let rest = range.len.checked_sub(head)?;
        let is_end = range.from + range.len == self.stamp.size()
            && range.to + range.len == plan.header.file_size;
        let len = if is_end { rest } else { rest - rest % block };
        (len > 0).then_some(Range {
            from: range.from + head,
            len,
            to: range.to + head,
        })
    }

    /// Fills a buffer with bytes of the file.
    pub(crate) fn read_exact_at(&self, into: &mut [u8], at: u64) -> Result<()> {
        let read = open::read_exact_at(&self.file, into, at);
        read.map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => self.changed(),
            _ => Error::io("reading", &self.path, e),
        })
    }

    /// Copies a range; what is a hole stays one. Nobody waits for the disk on the way: a file that is
    /// not finished is removed, and the disk writes each step while the next is copied.
    pub(crate) fn copy(
        &self,
        range: Range,
        staged: &Staged,
        advance: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let mut copier = Copier::default();
        let end = range.from + range.len;
        let mut at = range.from;
        while at < end {
            let found = holes::next_data(&self.file, at, end);
            let found = found.map_err(|e| Error::io("reading", &self.path, e))?;
            let (start, stop) = found.unwrap_or((end, end));
            advance(start - at)?;
            at = start;
            while at < stop {
                let step = Range {
                    from: at,
                    len: STEP.min(stop - at),
                    to: range.to + (at - range.from),
                };
                let copied = copier.copy(self, step, staged)?;
                staged.begin_flush();
                advance(copied)?;
                at += copied;
            }
        }
        Ok(())
    }
}

/// Copies by the system's own call, and by reading and writing from where that fails.
#[derive(Default)]
struct Copier {
    is_streaming: bool,
    buffer: Vec<u8>,
}

impl Copier {
    /// Copies the beginning of a range; returns how many bytes, more than none.
    fn copy(&mut self, source: &EditSource, range: Range, staged: &Staged) -> Result<u64> {
        let (from, to, path) = (source.file(), staged.file(), staged.path());
        if !self.is_streaming {
            match ops::copy_range(from, to, path, range) {
                Ok(copied) if copied > 0 => return Ok(copied),
                Err(e) if !code::is_unsupported(&e) => return Err(Error::io("writing", path, e)),
                _ => self.is_streaming = true,
            }
        }
        let wanted = usize::try_from(range.len.min(1 << 20)).unwrap_or(0);
        self.buffer.resize(wanted, 0);
        match open::read_at(from, &mut self.buffer, range.from) {
            Ok(0) => Err(source.changed()),
            Ok(count) => {
                let bytes = self.buffer.get(..count).unwrap_or_default();
                ops::write_at(to, path, bytes, range.to)
                    .map_err(|e| Error::io("writing", path, e))?;
                Ok(count as u64)
            }
            Err(e) => Err(Error::io("reading", source.path(), e)),
        }
    }
}

/// Returns whether a path is that of a blob: its bytes are what its name says.
pub(crate) fn is_blob(path: &Path) -> bool {
    let name = path.file_name();
    name.is_some_and(|name| matches!(BlobName::of(name), BlobName::Digest(_)))
}
