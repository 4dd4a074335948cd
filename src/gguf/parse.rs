//! From bytes to an index, in one pass that can wait for more bytes.

use super::check;
use super::cursor::{Cursor, Endian, Read, Stop};
use super::index::{Entry, HEADER, Index, Span, Tensor};
use super::limits::Limits;
use super::parse_error::{ParseError, ParseErrorKind, place};
use super::sniff::{FileFormat, SWAPPED, is_gguf, sniff};
use super::tensor::{Dims, TensorType, tensor_size};
use super::value_type::ValueType;
use super::walk::{Seen, Walker};

/// A pass over the header of a file. Given the first bytes, it goes as far as they reach; given
/// more, it goes on from the last item that was whole.
pub(crate) struct Parser<'l> {
    limits: &'l Limits,
    file_size: u64,
    header: Option<Header>,
    at: usize,
    entries: Vec<Entry>,
    tensors: Vec<Tensor>,
    seen: Vec<(usize, Seen)>,
}

/// How far the bytes reached.
pub(crate) enum Parsed {
    /// To the end of the header.
    Index(Box<Index>),
    /// Not so far: this many bytes from the beginning are needed to go on.
    NeedMore(u64),
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

impl Index {
    /// Reads the header of a file: metadata and the table of tensors, never their data. `bytes` is
    /// the whole file, or at least all of its header, and `file_size` the size of the file.
    ///
    /// Costs one pass over the header; allocates nothing that the header has not been seen to hold.
    ///
    /// # Errors
    /// The first [`ParseError`]; where `bytes` end before the header does, one of the kind
    /// [`Truncated`](super::ParseErrorKind::Truncated).
    pub fn parse(bytes: &[u8], file_size: u64, limits: &Limits) -> Result<Self, ParseError> {
        match Parser::new(limits, file_size).resume(bytes)? {
            Parsed::Index(mut index) => {
                index.look_at_tail(bytes);
                Ok(*index)
            }
            Parsed::NeedMore(end) => {
                let text = format!("the header goes on to byte {end} at least");
                Err(ParseError::new(
                    ParseErrorKind::Truncated,
                    bytes.len() as u64,
                    text,
                ))
            }
        }
    }
}

impl<'l> Parser<'l> {
    pub(crate) fn new(limits: &'l Limits, file_size: u64) -> Self {
        Parser {
            limits,
            file_size,
            header: None,
            at: 0,
            entries: Vec::new(),
            tensors: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Goes on with the first bytes of the file, which are at least those of the last call.
    pub(crate) fn resume(&mut self, bytes: &[u8]) -> Result<Parsed, ParseError> {
        match self.run(bytes) {
            Ok(index) => Ok(Parsed::Index(Box::new(index))),
            Err(Stop::NeedMore(end)) => Ok(Parsed::NeedMore(end)),
            Err(Stop::ParseError(fault)) => Err(fault),
        }
    }

    fn run(&mut self, bytes: &[u8]) -> Read<Index> {
        let mut cursor = Cursor::new(bytes, self.file_size, Endian::Little);
        let header = match self.header {
            Some(header) => header,
            None => *self.header.insert(header(&mut cursor)?),
        };
        cursor.endian = header.endian;
        self.at = self.at.max(usize_of(HEADER));
        cursor.seek(self.at);
        self.entries.reserve(capacity(header.entries));
        while (self.entries.len() as u64) < header.entries {
            let index = self.entries.len();
            self.entry(&mut cursor).map_err(|stop| {
                stop.at(Item {
                    noun: "kv",
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
            let tensor = self.tensor(&mut cursor).map_err(|stop| {
                stop.at(Item {
                    noun: "tensor",
                    index,
                    cursor: &cursor,
                    start: self.at,
                })
            })?;
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
        let seen = walker.seen;
        if seen.invalid_utf8 || seen.nested || seen.bad_bool {
            self.seen.push((self.entries.len(), seen));
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
        let dims = self.dims(cursor)?;
        let before_type = cursor.clone();
        let tensor_type = TensorType::of_any(cursor.u32()?);
        if self.limits.is_strict() && !tensor_type.is_known() {
            let text = tensor_type.history();
            return Err(before_type
                .fault(ParseErrorKind::BadTensorType, text)
                .into());
        }
        let offset = cursor.u64()?;
        let size =
            tensor_size(&dims, tensor_type).map_err(|(kind, text)| before.fault(kind, text))?;
        Ok(Tensor {
            name,
            dims,
            tensor_type,
            offset,
            size,
        })
    }

    fn dims(&self, cursor: &mut Cursor<'_>) -> Read<Dims> {
        let most = if self.limits.is_strict() {
            Dims::OF_GGML
        } else {
            Dims::MOST
        };
        let before = cursor.clone();
        let count = cursor.u32()?;
        if usize_of(count.into()) > most {
            let text = format!("{count} dimensions, where {most} are the most");
            return Err(before.fault(ParseErrorKind::TooManyDims, text).into());
        }
        let mut dims = Dims::none();
        for _ in 0..count {
            dims.push(cursor.u64()?);
        }
        Ok(dims)
    }

    fn finish(&mut self, bytes: &[u8], header: Header) -> Result<Index, ParseError> {
        let mut index = Index {
            version: header.version,
            endian: header.endian,
            entries: std::mem::take(&mut self.entries),
            tensors: std::mem::take(&mut self.tensors),
            alignment: 0,
            header_len: self.at as u64,
            data_offset: 0,
            parameter_count: 0,
            warnings: Vec::new(),
            tail: None,
        };
        check::validate(&mut index, bytes, self.file_size, self.limits, &self.seen)?;
        Ok(index)
    }
}

/// Reads magic, version and counts.
pub(super) fn header(cursor: &mut Cursor<'_>) -> Read<Header> {
    let magic = magic(cursor)?;
    let version = version(cursor, magic)?;
    let before = cursor.clone();
    let (tensors, entries) = (cursor.u64()?, cursor.u64()?);
    let left = cursor.remaining();
    if entries > left / LEAST_ENTRY || tensors > left / LEAST_TENSOR {
        let text = format!("{entries} pairs and {tensors} tensors in {left} bytes");
        return Err(before.fault(ParseErrorKind::CountTooLarge, text).into());
    }
    Ok(Header {
        version,
        endian: cursor.endian,
        tensors,
        entries,
    })
}

fn magic(cursor: &mut Cursor<'_>) -> Read<[u8; 4]> {
    let head = cursor.rest();
    let fault = |kind, text: String| Stop::from(ParseError::new(kind, 0, text));
    match cursor.array() {
        Ok(magic) if is_gguf(magic) => Ok(*magic),
        Ok(magic) => Err(fault(ParseErrorKind::BadMagic, no_gguf(head, magic))),
        Err(Stop::ParseError(_)) if head.is_empty() => {
            let text = format!("the file is {}", FileFormat::Empty);
            Err(fault(ParseErrorKind::Truncated, text))
        }
        Err(stop) => Err(stop),
    }
}

/// Says what a file is that does not begin with the magic.
fn no_gguf(head: &[u8], magic: &[u8; 4]) -> String {
    match sniff(head) {
        Some(format) => format!("not GGUF: the file is {format}"),
        None => format!("not GGUF: the file begins with {}", magic.escape_ascii()),
    }
}

/// Reads the version, which tells the byte order: the low half of a version that was written in
/// the other order is empty.
fn version(cursor: &mut Cursor<'_>, magic: [u8; 4]) -> Read<u32> {
    let before = cursor.clone();
    let little = cursor.u32()?;
    let big = little.swap_bytes();
    let is_swapped = magic == *SWAPPED;
    let version = if is_swapped || (little & 0xffff == 0 && little != 0) {
        cursor.endian = Endian::Big;
        big
    } else {
        little
    };
    let text = match version {
        2..=3 => return Ok(version),
        1 => "version 1, GGUF of August 2023: convert it again".to_owned(),
        _ if is_swapped && little <= 3 => format!(
            "the magic is byte-swapped (FUGG), and version {little} after it is not: the file is \
             damaged"
        ),
        _ => format!("version {version}, where 2 and 3 are read"),
    };
    Err(before.fault(ParseErrorKind::BadVersion, text).into())
}

pub(super) fn value_type(cursor: &mut Cursor<'_>) -> Read<ValueType> {
    let before = cursor.clone();
    let code = cursor.u32()?;
    ValueType::from_code(code).ok_or_else(|| {
        let text = format!("value type {code} does not exist");
        before.fault(ParseErrorKind::BadValueType, text).into()
    })
}

fn capacity(count: u64) -> usize {
    usize_of(count.min(CREDIT))
}

/// Returns a number that is known to fit: a count below a bound, or a position in bytes at hand.
fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The place of a pair or a tensor, with its name where that can be read.
struct Item<'a, 'c> {
    noun: &'static str,
    index: usize,
    cursor: &'c Cursor<'a>,
    start: usize,
}

impl std::fmt::Display for Item<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut cursor = self.cursor.clone();
        cursor.seek(self.start);
        let name = cursor.u64().and_then(|len| cursor.take(len.min(256)));
        f.write_str(&place(self.noun, self.index, name.unwrap_or_default()))
    }
}
