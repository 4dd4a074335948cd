//! From bytes to an index, in one pass that can wait for more bytes.

use super::check;
use super::cursor::{Cursor, Endian, Read, Stop};
use super::fault::{Fault, FaultKind};
use super::index::{Entry, Index, Span, Tensor};
use super::limits::Limits;
use super::tensor::{Dims, TensorType};
use super::value_type::ValueType;
use super::walk::{Noticed, Walker};
use super::warning::WarningCode;

/// A pass over the head of a file. Given the first bytes, it goes as far as they reach; given
/// more, it goes on from the last item that was whole.
pub(crate) struct Parser<'l> {
    limits: &'l Limits,
    file_size: u64,
    header: Option<Header>,
    at: usize,
    entries: Vec<Entry>,
    tensors: Vec<Tensor>,
    noticed: Vec<(usize, Noticed)>,
}

/// How far the bytes reached.
pub(crate) enum Parsed {
    /// To the end of the head.
    Index(Box<Index>),
    /// Not so far: this many bytes from the beginning are needed to go on.
    More(u64),
}

#[derive(Clone, Copy)]
pub(super) struct Header {
    version: u32,
    pub endian: Endian,
    tensors: u64,
    pub entries: u64,
}

/// The fewest bytes of a pair: a key's length, a type and one byte of value. A key that breaks
/// the format may be empty.
const LEAST_ENTRY: u64 = 13;
/// The fewest bytes of a tensor: a name's length, a count, a type and an offset.
const LEAST_TENSOR: u64 = 24;
/// Room that is made before an item was seen.
const CREDIT: u64 = 4096;

impl<'l> Parser<'l> {
    pub(crate) fn new(limits: &'l Limits, file_size: u64) -> Self {
        Parser {
            limits,
            file_size,
            header: None,
            at: 0,
            entries: Vec::new(),
            tensors: Vec::new(),
            noticed: Vec::new(),
        }
    }

    /// Goes on with the first bytes of the file, which are at least those of the last call.
    pub(crate) fn go_on(&mut self, bytes: &[u8]) -> Result<Parsed, Fault> {
        match self.run(bytes) {
            Ok(index) => Ok(Parsed::Index(Box::new(index))),
            Err(Stop::More(end)) => Ok(Parsed::More(end)),
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    fn run(&mut self, bytes: &[u8]) -> Read<Index> {
        let mut cursor = Cursor::new(bytes, self.file_size, Endian::Little);
        let header = match self.header {
            Some(header) => header,
            None => *self.header.insert(header(&mut cursor)?),
        };
        cursor.endian = header.endian;
        self.at = self.at.max(HEADER);
        cursor.seek(self.at);
        self.entries.reserve(capacity(header.entries));
        while (self.entries.len() as u64) < header.entries {
            let index = self.entries.len();
            self.entry(&mut cursor).map_err(|stop| {
                stop.at(Kv {
                    index,
                    cursor: &cursor,
                    start: self.at,
                })
            })?;
            self.at = usize_of(cursor.position());
        }
        self.tensors.reserve(capacity(header.tensors));
        while (self.tensors.len() as u64) < header.tensors {
            let index = self.tensors.len();
            let tensor = self
                .tensor(&mut cursor)
                .map_err(|stop| stop.at(format_args!("tensor {index}")))?;
            self.tensors.push(tensor);
            self.at = usize_of(cursor.position());
        }
        Ok(self.finish(bytes, header)?)
    }

    fn entry(&mut self, cursor: &mut Cursor<'_>) -> Read<()> {
        let mut walker = Walker::new(self.limits);
        let key = walker.string(cursor)?;
        let key = Span {
            start: cursor.position() - key.len() as u64,
            len: key.len() as u64,
        };
        let value_type = value_type(cursor)?;
        let start = cursor.position();
        walker.value(cursor, value_type)?;
        let noticed = walker.noticed;
        if noticed.invalid_utf8 || noticed.nested || noticed.bad_bool {
            self.noticed.push((self.entries.len(), noticed));
        }
        let value = Span {
            start,
            len: cursor.position() - start,
        };
        self.entries.push(Entry {
            key,
            value_type,
            value,
        });
        Ok(())
    }

    fn tensor(&self, cursor: &mut Cursor<'_>) -> Read<Tensor> {
        let name = Walker::new(self.limits).string(cursor)?;
        let name = Span {
            start: cursor.position() - name.len() as u64,
            len: name.len() as u64,
        };
        let before = cursor.clone();
        let count = cursor.u32()?;
        if count > Dims::MOST {
            let text = format!("{count} dimensions, where four are the most");
            return Err(before.fault(FaultKind::TooManyDims, text).into());
        }
        let mut dims = Dims::none();
        for _ in 0..count {
            dims.push(cursor.u64()?);
        }
        let before_type = cursor.clone();
        let code = cursor.u32()?;
        let tensor_type = TensorType::from_code(code)
            .filter(|kind| kind.is_known() || !self.limits.is_strict())
            .ok_or_else(|| {
                let text = format!("tensor type {code} does not exist");
                before_type.fault(FaultKind::BadTensorType, text)
            })?;
        let offset = cursor.u64()?;
        let size = check::tensor_size(&dims, tensor_type)
            .map_err(|(kind, text)| before.fault(kind, text))?;
        Ok(Tensor {
            name,
            dims,
            tensor_type,
            offset,
            size,
        })
    }

    fn finish(&mut self, bytes: &[u8], header: Header) -> Result<Index, Fault> {
        let mut index = Index {
            version: header.version,
            endian: header.endian,
            entries: std::mem::take(&mut self.entries),
            tensors: std::mem::take(&mut self.tensors),
            alignment: 0,
            metadata_end: self.at as u64,
            data_offset: 0,
            parameter_count: 0,
            warnings: Vec::new(),
        };
        check::whole(
            &mut index,
            bytes,
            self.file_size,
            self.limits,
            &self.noticed,
        )?;
        Ok(index)
    }
}

const MAGIC: &[u8; 4] = b"GGUF";
/// What the reference takes for the mark of a big-endian file, though writers put [`MAGIC`] there.
const SWAPPED: &[u8; 4] = b"FUGG";
const HEADER: usize = 24;

/// Whether a file that begins so is to be read as GGUF.
pub(crate) fn is_gguf(head: &[u8]) -> bool {
    head.starts_with(MAGIC) || head.starts_with(SWAPPED)
}

/// Magic, version and counts. The byte order is told by the version: the low half of a version
/// that was written in the other order is empty.
pub(super) fn header(cursor: &mut Cursor<'_>) -> Read<Header> {
    let magic = *cursor.array()?;
    if magic != *MAGIC && magic != *SWAPPED {
        return Err(Fault::new(FaultKind::BadMagic, 0, "the file does not begin with GGUF").into());
    }
    let before = cursor.clone();
    let mut version = cursor.u32()?;
    if magic == *SWAPPED || (version & 0xffff == 0 && version != 0) {
        version = version.swap_bytes();
        cursor.endian = Endian::Big;
    }
    if !(2..=3).contains(&version) {
        let text = format!("version {version}, where 2 and 3 are read");
        return Err(before.fault(FaultKind::BadVersion, text).into());
    }
    let before = cursor.clone();
    let (tensors, entries) = (cursor.u64()?, cursor.u64()?);
    let left = cursor.remaining();
    if entries > left / LEAST_ENTRY || tensors > left / LEAST_TENSOR {
        let text = format!("{entries} pairs and {tensors} tensors in {left} bytes");
        return Err(before.fault(FaultKind::CountTooLarge, text).into());
    }
    Ok(Header {
        version,
        endian: cursor.endian,
        tensors,
        entries,
    })
}

pub(super) fn value_type(cursor: &mut Cursor<'_>) -> Read<ValueType> {
    let before = cursor.clone();
    let code = cursor.u32()?;
    ValueType::from_code(code).ok_or_else(|| {
        let text = format!("value type {code} does not exist");
        before.fault(FaultKind::BadValueType, text).into()
    })
}

fn capacity(count: u64) -> usize {
    usize_of(count.min(CREDIT))
}

/// A number that is known to fit: a count below a bound, or a position in bytes at hand.
fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The place of a pair, with its key where that can be read.
struct Kv<'a, 'c> {
    index: usize,
    cursor: &'c Cursor<'a>,
    start: usize,
}

impl std::fmt::Display for Kv<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "kv {}", self.index)?;
        let mut cursor = self.cursor.clone();
        cursor.seek(self.start);
        let key = cursor.u64().and_then(|len| cursor.take(len.min(256)));
        match key {
            Ok(key) if !key.is_empty() => write!(f, " {:?}", String::from_utf8_lossy(key)),
            _ => Ok(()),
        }
    }
}

/// The code of a thing that strict reading refuses and lenient reading notices.
pub(super) type Both = (FaultKind, WarningCode);
