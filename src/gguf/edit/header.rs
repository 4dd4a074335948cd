//! The header of an edited file, and where the data of the tensors go.

use super::super::index::Index;
use super::super::limits::Limits;
use super::super::view::Gguf;
use super::super::warning::Warning;
use super::super::write::HeaderWriter;
use super::PADDING;
use super::pairs::{PairValue, Pairs};
use crate::error::{Error, ErrorKind, Result};
use crate::gguf::{OwnedArray, OwnedValue, ValueType};

/// Where the data are to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Right after the header.
    Tight,
    /// As far from the beginning of a block of this size as they were, so that blocks can be shared.
    Blocks(u64),
    /// Where they were.
    InPlace,
}

/// Bytes of the file that is edited and their place in the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub from: u64,
    pub len: u64,
    pub to: u64,
}

/// A header that the strict reader takes, and what follows it.
#[derive(Debug)]
pub(crate) struct NewHeader {
    /// The bytes up to the data, or to the end of a file without any; zeros follow where an
    /// alignment leaves more room than anybody wants in memory.
    pub bytes: Vec<u8>,
    /// In the order of the new file and apart; what lies between is zero.
    pub moves: Vec<Move>,
    pub file_size: u64,
    /// The bytes that were added so that the data begin where they are to.
    pub padding: u64,
    pub warnings: Vec<Warning>,
}

/// The most zeros after a header that are kept in memory; more than any block of a file system.
const MOST_ZEROS: u64 = 1 << 20;

/// The bytes of a pair with our key and no element.
const LEAST_PADDING: u64 = 8 + PADDING.len() as u64 + 4 + 4 + 8;

pub(super) fn build(
    gguf: Gguf<'_>,
    pairs: &Pairs<'_>,
    file_size: u64,
    fit: Fit,
) -> Result<NewHeader> {
    let tensors = Tensors::of(gguf, pairs.alignment(), file_size)?;
    let mut bytes = header_bytes(gguf, pairs, &tensors, None)?;
    let tight = bytes.len() as u64;
    let mut padding = 0;
    let begin = tensors.begin(gguf, tight, fit)?;
    let data_offset = match begin {
        Begin::Tight(offset) => offset,
        Begin::Padded(offset) => {
            padding = offset - tight;
            bytes = header_bytes(gguf, pairs, &tensors, Some(padding - LEAST_PADDING))?;
            offset
        }
    };
    let moves = tensors.moves(data_offset);
    let end = moves.last().map_or(0, |last| last.to + last.len);
    let is_padded = !moves.is_empty() || file_size >= gguf.data_offset();
    let header_end = if is_padded {
        data_offset
    } else {
        bytes.len() as u64
    };
    let written = header_end.min((bytes.len() as u64).saturating_add(MOST_ZEROS));
    bytes.resize(usize_of(written)?, 0);
    let file_size = match tensors.kept_end {
        true => end.max(header_end),
        false => end.next_multiple_of(tensors.alignment).max(header_end),
    };
    let index = Index::parse(&bytes, file_size, &Limits::strict()).map_err(|fault| {
        let text = "the edited file would not be read";
        Error::caused(ErrorKind::InvalidArgument, text, fault)
    })?;
    Ok(NewHeader {
        bytes,
        moves,
        file_size,
        padding,
        warnings: index.warnings().to_vec(),
    })
}

fn header_bytes(
    gguf: Gguf<'_>,
    pairs: &Pairs<'_>,
    tensors: &Tensors<'_>,
    padding: Option<u64>,
) -> Result<Vec<u8>> {
    let count = pairs.list.len() + usize::from(padding.is_some());
    let mut header = HeaderWriter::new(gguf.endian());
    header.begin(gguf.version(), gguf.tensor_count() as u64, count as u64);
    let refused = |e: std::io::Error| Error::new(ErrorKind::InvalidArgument, e.to_string());
    for pair in &pairs.list {
        match &pair.value {
            PairValue::Kept(value_type, bytes) => {
                header.string(&pair.key);
                header.u32(value_type.code());
                header.bytes.extend_from_slice(bytes);
            }
            PairValue::New(value) => header.pair(&pair.key, value).map_err(refused)?,
        }
    }
    if let Some(zeros) = padding {
        let zeros = vec![OwnedValue::U8(0); usize_of(zeros)?];
        let array = OwnedArray::new(ValueType::U8, zeros);
        header
            .pair(PADDING.as_bytes(), &array.into())
            .map_err(refused)?;
    }
    header.bytes.extend_from_slice(&tensors.table);
    Ok(header.bytes)
}

enum Begin {
    Tight(u64),
    Padded(u64),
}

/// The table of tensors, and their data.
struct Tensors<'a> {
    table: std::borrow::Cow<'a, [u8]>,
    alignment: u64,
    /// What is moved, relative to the data of the new file.
    data: Vec<Move>,
    /// Whether the file ends as it did, whatever follows the last tensor.
    kept_end: bool,
    is_realigned: bool,
}

impl<'a> Tensors<'a> {
    fn of(gguf: Gguf<'a>, alignment: u64, file_size: u64) -> Result<Self> {
        if alignment != gguf.alignment() {
            return Tensors::realigned(gguf, alignment);
        }
        let from = gguf.data_offset();
        let len = file_size.saturating_sub(from);
        let whole = Move { from, len, to: 0 };
        Ok(Tensors {
            table: gguf.raw_tensors().into(),
            alignment,
            data: (len > 0).then_some(whole).into_iter().collect(),
            kept_end: true,
            is_realigned: false,
        })
    }

    /// Places each tensor anew, one after another in the order of the table.
    fn realigned(gguf: Gguf<'a>, alignment: u64) -> Result<Self> {
        let mut table = HeaderWriter::new(gguf.endian());
        let (mut data, mut offset) = (Vec::new(), 0_u64);
        for tensor in gguf.tensors() {
            let beyond = || {
                let text = format!(
                    "tensor {}: its data would lie beyond all files",
                    tensor.name
                );
                Error::new(ErrorKind::InvalidArgument, text)
            };
            let len = tensor.size.ok_or_else(|| {
                let text = format!(
                    "changing the alignment: the size of tensor {} is not known",
                    tensor.name
                );
                Error::new(ErrorKind::Unsupported, text)
            })?;
            let code = tensor.tensor_type.code();
            table.tensor(tensor.name.as_bytes(), tensor.dims, code, offset);
            let from = tensor.offset;
            if len > 0 {
                data.push(Move {
                    from,
                    len,
                    to: offset,
                });
            }
            let end = offset.checked_add(len).ok_or_else(beyond)?;
            offset = end
                .checked_next_multiple_of(alignment)
                .filter(|end| *end < u64::MAX / 2)
                .ok_or_else(beyond)?;
        }
        Ok(Tensors {
            table: table.bytes.into(),
            alignment,
            data,
            kept_end: false,
            is_realigned: true,
        })
    }

    /// Returns where the data begin after a header of `tight` bytes, and whether that takes padding.
    fn begin(&self, gguf: Gguf<'_>, tight: u64, fit: Fit) -> Result<Begin> {
        let least = tight.next_multiple_of(self.alignment);
        let old = gguf.data_offset();
        let padded = tight.saturating_add(LEAST_PADDING);
        match fit {
            Fit::InPlace if self.is_realigned => {
                let text = "another alignment moves the data; write a new file instead";
                Err(Error::new(ErrorKind::InvalidArgument, text))
            }
            Fit::InPlace if least == old => Ok(Begin::Tight(least)),
            Fit::InPlace if padded <= old => Ok(Begin::Padded(old)),
            Fit::InPlace => Err(no_room(tight, old)),
            Fit::Blocks(block)
                if !self.is_realigned && block > 0 && least % block != old % block =>
            {
                let gap = (old % block + block - padded % block) % block;
                Ok(Begin::Padded(padded.saturating_add(gap)))
            }
            Fit::Tight | Fit::Blocks(_) => Ok(Begin::Tight(least)),
        }
    }

    fn moves(&self, data_offset: u64) -> Vec<Move> {
        let moves = self.data.iter().map(|data| Move {
            to: data.to.saturating_add(data_offset),
            ..*data
        });
        moves.collect()
    }
}

fn no_room(tight: u64, old: u64) -> Error {
    let why = match tight.checked_sub(old) {
        Some(more) if more > 0 => format!("it is {more} bytes too long"),
        _ => "what is left cannot be padded".to_owned(),
    };
    let text = format!(
        "the new header of {tight} bytes does not end where the data begin, at byte {old}: {why}; \
         write a new file instead"
    );
    Error::new(ErrorKind::InvalidArgument, text)
}

fn usize_of(count: u64) -> Result<usize> {
    usize::try_from(count).map_err(|_| {
        let text = format!("a header of {count} bytes");
        Error::new(ErrorKind::Unsupported, text)
    })
}
