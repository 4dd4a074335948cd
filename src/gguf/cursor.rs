//! Reading forwards through bytes that nobody has checked.

use super::parse_error::{ParseError, ParseErrorKind};

/// The byte order of everything after the magic.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::gguf::Endian;
///
/// assert_eq!(store.model("tiny")?.gguf()?.view().endian(), Endian::Little);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endian {
    /// As nearly all files.
    Little,
    /// As files for s390x.
    Big,
}

/// Why a cursor cannot go on.
pub(crate) enum Stop {
    /// The file is wrong.
    ParseError(ParseError),
    /// The file goes on, and the bytes at hand do not: this many from its beginning are needed.
    NeedMore(u64),
}

impl From<ParseError> for Stop {
    fn from(fault: ParseError) -> Self {
        Stop::ParseError(fault)
    }
}

impl Stop {
    pub(super) fn at(self, place: impl std::fmt::Display) -> Self {
        match self {
            Stop::ParseError(fault) => Stop::ParseError(fault.at(place)),
            more => more,
        }
    }
}

impl Stop {
    /// Asks for more bytes at once, where it is bytes that are wanted: as many as are expected to
    /// follow the cursor, as far as the file goes.
    pub(super) fn expecting(self, cursor: &Cursor<'_>, bytes: u64) -> Self {
        match self {
            Stop::NeedMore(end) => {
                let expected = cursor.position().saturating_add(bytes);
                Stop::NeedMore(end.max(expected.min(cursor.file_size)))
            }
            fault => fault,
        }
    }
}

/// Says that a file is shorter than what it states of itself.
pub(super) fn incomplete(size: u64, needed: u64) -> String {
    format!("incomplete: {size} of at least {needed} bytes")
}

pub(super) type Read<T> = Result<T, Stop>;

/// A position in the first bytes of a file. Every read is checked; none moves past the end.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    file_size: u64,
    pub endian: Endian,
}

macro_rules! integers {
    ($($name:ident: $type:ty),*) => {$(
        pub(super) fn $name(&mut self) -> Read<$type> {
            let bytes = *self.array()?;
            Ok(match self.endian {
                Endian::Little => <$type>::from_le_bytes(bytes),
                Endian::Big => <$type>::from_be_bytes(bytes),
            })
        }
    )*};
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], file_size: u64, endian: Endian) -> Self {
        Cursor {
            bytes,
            at: 0,
            file_size,
            endian,
        }
    }

    integers!(u32: u32, u64: u64);

    pub(super) fn position(&self) -> u64 {
        self.at as u64
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns everything from here on that is at hand.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Returns bytes from here to the end of the file, at hand or not.
    pub(super) fn remaining(&self) -> u64 {
        self.file_size.saturating_sub(self.position())
    }

    pub(super) fn array<const N: usize>(&mut self) -> Read<&'a [u8; N]> {
        match self.rest().first_chunk() {
            Some(chunk) => {
                self.at += N;
                Ok(chunk)
            }
            None => Err(self.short(N as u64)),
        }
    }

    pub(super) fn take(&mut self, length: u64) -> Read<&'a [u8]> {
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest().get(..length));
        match taken {
            Some(taken) => {
                self.at += taken.len();
                Ok(taken)
            }
            None => Err(self.short(length)),
        }
    }

    pub(super) fn skip(&mut self, length: u64) -> Read<()> {
        self.take(length).map(drop)
    }

    /// Goes to a position, which must be at hand.
    pub(super) fn seek(&mut self, position: usize) {
        self.at = position.min(self.bytes.len());
    }

    /// Returns the end of the bytes, or of the file.
    pub(super) fn short(&self, wanted: u64) -> Stop {
        let end = self.position().checked_add(wanted);
        match end {
            Some(end) if end <= self.file_size => Stop::NeedMore(end),
            Some(end) => {
                let text = incomplete(self.file_size, end);
                self.fault(ParseErrorKind::Truncated, text).into()
            }
            None => self
                .fault(ParseErrorKind::Truncated, "the file ends here")
                .into(),
        }
    }

    pub(super) fn fault(&self, kind: ParseErrorKind, message: impl Into<String>) -> ParseError {
        ParseError::new(kind, self.position(), message)
    }
}
