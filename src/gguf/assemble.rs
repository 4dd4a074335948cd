//! The headers of files that are made of the tensors of others: of the parts of a split model, or of
//! the one file that they are merged to.

use std::iter;

use super::cursor::Endian;
use super::edit::Move;
use super::index::Index;
use super::limits::Limits;
use super::owned::OwnedValue;
use super::tensor::TensorInfo;
use super::view::Gguf;
use super::write::HeaderWriter;
use crate::error::{Error, ErrorKind, Result};

const NO: &str = "split.no";
const COUNT: &str = "split.count";
const TENSORS: &str = "split.tensors.count";
const ALIGNMENT: &str = "general.alignment";

/// The alignment of a file that states none. Splitters count the size of a part by it, too.
const DEFAULT_ALIGNMENT: u64 = 32;

/// A header that the strict reader takes, and what follows it.
#[derive(Debug)]
pub(crate) struct Assembled {
    /// The bytes up to the end of the table of tensors; zeros follow.
    pub bytes: Vec<u8>,
    /// What the strict reader makes of them.
    pub index: Index,
    /// In the order of the new file; what lies between is zero.
    pub moves: Vec<SourceMove>,
    pub file_size: u64,
}

/// What comes next in the new file.
pub(crate) enum Piece<'a> {
    Header(&'a [u8]),
    Zeros(u64),
    Data(SourceMove),
}

impl Piece<'_> {
    /// Returns how many bytes there are, as far as memory goes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Piece::Header(bytes) => bytes.len(),
            Piece::Zeros(len) => usize::try_from(*len).unwrap_or(usize::MAX),
            Piece::Data(tensor) => usize::try_from(tensor.data.len).unwrap_or(usize::MAX),
        }
    }
}

impl Assembled {
    /// Returns the metadata and the tensors of the new file.
    pub(crate) fn view(&self) -> Gguf<'_> {
        self.index.view(&self.bytes)
    }

    /// Returns the new file from its first byte to its last.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut done = self.bytes.len() as u64;
        let data = self.moves.iter().flat_map(move |tensor| {
            let gap = tensor.data.to.saturating_sub(done);
            done = tensor.data.to + tensor.data.len;
            [Piece::Zeros(gap), Piece::Data(*tensor)]
        });
        let end = self.moves.last().map(|last| last.data.to + last.data.len);
        let end = end.unwrap_or(self.bytes.len() as u64);
        let rest = Piece::Zeros(self.file_size.saturating_sub(end));
        iter::once(Piece::Header(&self.bytes))
            .chain(data)
            .chain([rest])
    }
}

/// The data of a tensor, and the number of the file that they are in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourceMove {
    pub source: usize,
    pub data: Move,
}

/// The most that a part of a split model may have; where both are stated, both hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct PartLimits {
    pub bytes: Option<u64>,
    pub tensors: Option<u64>,
}

type Tensor<'a> = (usize, TensorInfo<'a>);
type Pair<'a> = (&'a [u8], super::ValueType, &'a [u8]);

/// Returns the header of the file that is all parts of a model.
// llama.cpp, gguf_merge: a count of zero parts says that it is merged.
pub(crate) fn merged(parts: &[Gguf<'_>]) -> Result<Assembled> {
    let Some(first) = parts.first() else {
        let text = "there are no parts to merge";
        return Err(Error::new(ErrorKind::InvalidArgument, text));
    };
    if parts.iter().any(|part| part.endian() != first.endian()) {
        let text = "the parts are of two byte orders";
        return Err(Error::new(ErrorKind::InvalidGguf, text));
    }
    let kept: Vec<Pair<'_>> = first.raw_pairs().collect();
    let kept = without(kept, &[COUNT]);
    let tensors = parts.iter().enumerate();
    let tensors = tensors.flat_map(|(part, gguf)| gguf.tensors().map(move |it| (part, it)));
    let new = [(COUNT, 0_u16.into())];
    let tensors: Vec<Tensor<'_>> = tensors.collect();
    assembled(&kept, &new, &tensors, first.alignment(), first.endian())
}

/// Returns the headers of the parts of a model: the first has all metadata, the others say which part
/// they are.
// llama.cpp, split_strategy: the keys in the order in which it leaves them.
pub(crate) fn split(gguf: Gguf<'_>, limits: PartLimits) -> Result<Vec<Assembled>> {
    let parts = divided(gguf, limits)?;
    let total = gguf.tensor_count();
    let too_many = || {
        let text = format!("it would have {} parts of {total} tensors", parts.len());
        Error::new(ErrorKind::InvalidArgument, text)
    };
    let count = u16::try_from(parts.len()).map_err(|_| too_many())?;
    let total = i32::try_from(total).map_err(|_| too_many())?;
    let kept: Vec<Pair<'_>> = gguf.raw_pairs().collect();
    let kept = without(kept, &[NO, COUNT, TENSORS]);
    let alignment = gguf.alignment();
    // Another alignment than that of the format holds in every part.
    let further = kept.iter().copied();
    let further: Vec<Pair<'_>> = further
        .filter(|(key, ..)| alignment != DEFAULT_ALIGNMENT && *key == ALIGNMENT.as_bytes())
        .collect();
    let parts = (0..count).zip(&parts).map(|(no, tensors)| {
        let kept = if no == 0 { &kept } else { &further };
        let new = [
            (NO, no.into()),
            (TENSORS, total.into()),
            (COUNT, count.into()),
        ];
        assembled(kept, &new, tensors, alignment, gguf.endian())
    });
    parts.collect()
}

/// Divides the tensors, in their order. One that is larger than a part may be has its own.
fn divided(gguf: Gguf<'_>, limits: PartLimits) -> Result<Vec<Vec<Tensor<'_>>>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0_u64;
    for tensor in gguf.tensors() {
        let size = size_of(&tensor)?;
        let size = size.checked_next_multiple_of(DEFAULT_ALIGNMENT);
        let size = size.unwrap_or(u64::MAX);
        let here = parts.last().map_or(0, Vec::len) as u64;
        let is_full = limits.tensors.is_some_and(|most| here >= most)
            || limits
                .bytes
                .is_some_and(|most| bytes.saturating_add(size) > most);
        if is_full && here > 0 {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        if let Some(part) = parts.last_mut() {
            part.push((0, tensor));
        }
    }
    Ok(parts)
}

fn without<'a>(pairs: Vec<Pair<'a>>, keys: &[&str]) -> Vec<Pair<'a>> {
    let pairs = pairs.into_iter();
    let is_named = |key: &[u8]| keys.iter().any(|named| named.as_bytes() == key);
    pairs.filter(|(key, ..)| !is_named(key)).collect()
}

fn assembled(
    kept: &[Pair<'_>],
    new: &[(&str, OwnedValue)],
    tensors: &[Tensor<'_>],
    alignment: u64,
    endian: Endian,
) -> Result<Assembled> {
    let mut header = HeaderWriter::new(endian);
    header.begin(3, tensors.len() as u64, (kept.len() + new.len()) as u64);
    for (key, value_type, bytes) in kept {
        header.string(key);
        header.u32(value_type.code());
        header.bytes.extend_from_slice(bytes);
    }
    for (key, value) in new {
        header
            .pair(key.as_bytes(), value)
            .map_err(|e| Error::new(ErrorKind::InvalidArgument, e.to_string()))?;
    }
    let (mut moves, len) = placed(&mut header, tensors, alignment)?;
    let begin = padded(header.bytes.len() as u64, alignment)?;
    let file_size = end_of(begin, len)?;
    for SourceMove { data, .. } in &mut moves {
        data.to += begin;
    }
    let index = Index::parse(&header.bytes, file_size, &Limits::strict()).map_err(|fault| {
        let text = "the new file would not be read";
        Error::caused(ErrorKind::InvalidArgument, text, fault)
    })?;
    Ok(Assembled {
        bytes: header.bytes,
        index,
        moves,
        file_size,
    })
}

/// Writes the table of tensors, one after another; returns their data, from the beginning of the data,
/// and the bytes of all.
fn placed(
    header: &mut HeaderWriter,
    tensors: &[Tensor<'_>],
    alignment: u64,
) -> Result<(Vec<SourceMove>, u64)> {
    let (mut moves, mut to) = (Vec::new(), 0);
    for (source, tensor) in tensors {
        let (from, len) = (tensor.offset, size_of(tensor)?);
        let code = tensor.tensor_type.code();
        header.tensor(tensor.name.as_bytes(), tensor.dims, code, to);
        if len > 0 {
            let data = Move { from, len, to };
            let source = *source;
            moves.push(SourceMove { source, data });
        }
        to = padded(end_of(to, len)?, alignment)?;
    }
    Ok((moves, to))
}

fn size_of(tensor: &TensorInfo<'_>) -> Result<u64> {
    tensor.size.ok_or_else(|| {
        let text = format!("the size of tensor {} is not known", tensor.name);
        Error::new(ErrorKind::Unsupported, text)
    })
}

fn padded(len: u64, alignment: u64) -> Result<u64> {
    let padded = len.checked_next_multiple_of(alignment);
    padded.ok_or_else(beyond)
}

/// Returns the end of a range; any file may have half of all numbers at most.
fn end_of(begin: u64, len: u64) -> Result<u64> {
    let end = begin.checked_add(len);
    end.filter(|end| *end < u64::MAX / 2).ok_or_else(beyond)
}

fn beyond() -> Error {
    let text = "the data would lie beyond all files";
    Error::new(ErrorKind::InvalidArgument, text)
}

/// Splits bytes as a file would be split, and merges it with itself, for tests of hostile files. Does
/// not panic, whatever the bytes are; the data come from inside of them, and go into the new file in
/// their order.
#[cfg(feature = "internal")]
pub(super) fn fuzz_assemble(bytes: &[u8]) {
    let size = bytes.len() as u64;
    let Ok(index) = Index::parse(bytes, size, &Limits::lenient()) else {
        return;
    };
    let gguf = index.view(bytes);
    let by = |bytes, tensors| PartLimits { bytes, tensors };
    for limits in [by(Some(64), None), by(None, Some(1)), by(Some(1), Some(2))] {
        let parts = split(gguf, limits).unwrap_or_default();
        parts.iter().for_each(|part| check(part, size));
        let count: usize = parts.iter().map(|part| part.moves.len()).sum();
        assert!(parts.is_empty() || count <= gguf.tensor_count());
    }
    for parts in [&[gguf][..], &[gguf, gguf]] {
        if let Ok(made) = merged(parts) {
            check(&made, size);
        }
    }
}

#[cfg(feature = "internal")]
fn check(made: &Assembled, size: u64) {
    let mut end = made.bytes.len() as u64;
    for SourceMove { data, .. } in &made.moves {
        assert!(data.from + data.len <= size, "data beyond what is there");
        assert!(end <= data.to, "data over what is there");
        end = data.to + data.len;
    }
    assert!(end <= made.file_size, "data beyond the file");
}
