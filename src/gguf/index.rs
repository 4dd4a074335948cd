//! Where everything is in a file: offsets, owned, without a borrow of the bytes.

use super::cursor::Endian;
use super::tail::Tail;
use super::tensor::{Dims, TensorType};
use super::value_type::ValueType;
use super::warning::{Warning, WarningCode};

/// The place of some bytes in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u64,
    pub len: u64,
}

impl Span {
    pub(super) fn end(self) -> u64 {
        self.start + self.len
    }
}

/// The bytes before the first pair: magic, version and counts.
pub(super) const HEADER: u64 = 24;

/// A pair of metadata.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub key: Span,
    pub value_type: ValueType,
    pub value: Span,
}

/// A tensor.
#[derive(Clone)]
pub(super) struct Tensor {
    pub name: Span,
    pub dims: Dims,
    pub tensor_type: TensorType,
    /// Relative to the data.
    pub offset: u64,
    pub size: Option<u64>,
}

/// Where everything is in a file. Owns no bytes and borrows none: some 40 bytes for each pair of
/// metadata and 110 for each tensor, however large the file.
///
/// ```
/// use modelkeep::gguf::{Index, Limits, Writer};
///
/// let mut bytes = Vec::new();
/// Writer::new().set("general.architecture", "llama").write_to(&mut bytes)?;
/// let index = Index::parse(&bytes, bytes.len() as u64, &Limits::strict())?;
/// assert_eq!(index.view(&bytes).architecture(), Some("llama"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Index {
    pub(super) version: u32,
    pub(super) endian: Endian,
    pub(super) entries: Vec<Entry>,
    pub(super) tensors: Vec<Tensor>,
    pub(super) alignment: u64,
    pub(super) header_len: u64,
    pub(super) data_offset: u64,
    pub(super) parameter_count: u64,
    pub(super) warnings: Vec<Warning>,
    pub(super) tail: Option<Tail>,
}

impl Index {
    /// Returns where the data of the last tensor end; `None` where the size of a tensor is not
    /// known, so that it may reach to the end of the file.
    pub(super) fn data_end(&self) -> Option<u64> {
        let mut end = self.header_len;
        for tensor in &self.tensors {
            let start = self.data_offset.checked_add(tensor.offset)?;
            end = end.max(start.checked_add(tensor.size?)?);
        }
        Some(end)
    }

    /// Returns where the table of tensors is: between the last pair and the end of the header.
    pub(super) fn tensor_table(&self) -> Span {
        let start = self.entries.last().map_or(HEADER, |last| last.value.end());
        let len = self.header_len.saturating_sub(start);
        Span { start, len }
    }

    /// Returns the place and the number of the bytes after the last tensor that are worth a look:
    /// none, as a rule.
    pub(crate) fn tail(&self) -> Option<(u64, u64)> {
        self.tail.map(|tail| tail.range())
    }

    /// Says what the bytes of [`tail`](Self::tail) are, in a warning.
    pub(crate) fn note_tail(&mut self, bytes: &[u8]) {
        let Some(tail) = self.tail else { return };
        self.warnings
            .retain(|warning| warning.code() != WarningCode::TrailingBytes);
        self.warnings.extend(tail.seen(bytes));
    }

    /// Does the same with the whole file, or with as much of it as is there.
    pub(super) fn look_at_tail(&mut self, file: &[u8]) {
        let Some((from, len)) = self.tail() else {
            return;
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let range = from..from.saturating_add(len);
        if let Some(bytes) = file.get(range) {
            self.note_tail(bytes);
        }
    }

    /// Returns the bytes from the beginning of the file that the index refers to, data excluded.
    pub fn header_len(&self) -> u64 {
        self.header_len
    }

    /// Returns about how many bytes of memory it takes.
    pub(crate) fn memory(&self) -> u64 {
        let entries = size_of_val(self.entries.as_slice());
        let tensors = size_of_val(self.tensors.as_slice());
        let texts = self.warnings.iter().map(Warning::text_bytes).sum::<usize>();
        let warnings = size_of_val(self.warnings.as_slice()) + texts;
        (size_of::<Self>() + entries + tensors + warnings) as u64
    }

    /// Returns whether another index says the same of the same bytes.
    #[cfg(feature = "internal")]
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let entry = |entry: &Entry| (entry.key, entry.value_type, entry.value);
        let tensor = |tensor: &Tensor| (tensor.name, tensor.dims, tensor.offset, tensor.size);
        self.header_len == other.header_len
            && self.data_offset == other.data_offset
            && self.warnings == other.warnings
            && self
                .entries
                .iter()
                .map(entry)
                .eq(other.entries.iter().map(entry))
            && self
                .tensors
                .iter()
                .map(tensor)
                .eq(other.tensors.iter().map(tensor))
    }

    /// Returns what is unusual.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index")
            .field("version", &self.version)
            .field("endian", &self.endian)
            .field("entries", &self.entries.len())
            .field("tensors", &self.tensors.len())
            .finish_non_exhaustive()
    }
}
