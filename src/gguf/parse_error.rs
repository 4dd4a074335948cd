//! Why a file is refused.

use std::fmt;
use std::str::FromStr;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::error::{self, Error, ErrorKind};

/// Writes the enum and the codes in one place.
macro_rules! fault_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal;)+) => {
        /// The class of a fault, with a code that never changes.
        ///
        /// ```
        /// use modelkeep::gguf::ParseErrorKind;
        ///
        /// assert_eq!(ParseErrorKind::BadMagic.to_string(), "bad_magic");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ParseErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ParseErrorKind {
            /// Every kind.
            pub const ALL: &'static [ParseErrorKind] = &[$(ParseErrorKind::$kind,)+];

            /// Returns the stable code, as in `bad_magic`.
            pub const fn code(self) -> &'static str {
                match self { $(ParseErrorKind::$kind => $code,)+ }
            }
        }

        impl fmt::Display for ParseErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.code())
            }
        }

        impl FromStr for ParseErrorKind {
            type Err = Error;

            /// # Errors
            /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other code.
            fn from_str(code: &str) -> Result<Self, Error> {
                error::one_of("kind of parse error", ParseErrorKind::ALL, code)
            }
        }

        impl Serialize for ParseErrorKind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }
    };
}

fault_kinds! {
    /// The file does not begin with `GGUF`.
    BadMagic = "bad_magic";
    /// A version other than 2 and 3.
    BadVersion = "bad_version";
    /// The file ends inside an item.
    Truncated = "truncated";
    /// A string is longer than the rest of the file, or than the limit.
    LengthOutOfBounds = "length_out_of_bounds";
    /// More metadata or tensors than the rest of the file can hold.
    CountTooLarge = "count_too_large";
    /// More elements than the rest of the file can hold, or than the limit.
    ArrayTooLarge = "array_too_large";
    /// A value type that does not exist.
    BadValueType = "bad_value_type";
    /// An element type that does not exist.
    BadArrayType = "bad_array_type";
    /// Arrays in arrays beyond the limit.
    NestingTooDeep = "nesting_too_deep";
    /// A bool that is neither 0 nor 1.
    BadBool = "bad_bool";
    /// A key or a tensor's name is not UTF-8.
    InvalidUtf8 = "invalid_utf8";
    /// A key without a byte.
    EmptyKey = "empty_key";
    /// A key that breaks the grammar.
    BadKey = "bad_key";
    /// A key beyond 65,535 bytes.
    KeyTooLong = "key_too_long";
    /// The same key twice.
    DuplicateKey = "duplicate_key";
    /// `general.alignment` is not a u32.
    AlignmentType = "alignment_type";
    /// `general.alignment` is not a power of two.
    AlignmentInvalid = "alignment_invalid";
    /// A tensor without a name.
    EmptyName = "empty_name";
    /// A tensor's name beyond 65,535 bytes.
    NameTooLong = "name_too_long";
    /// Two tensors of one name.
    DuplicateTensor = "duplicate_tensor";
    /// More dimensions than four, or than eight where reading is lenient.
    TooManyDims = "too_many_dims";
    /// The elements of a tensor, or of all of them, cannot be counted.
    DimOverflow = "dim_overflow";
    /// A tensor type whose size is not known: removed, of a fork, or of the future.
    BadTensorType = "bad_tensor_type";
    /// A row is not a whole number of blocks.
    RowNotBlockMultiple = "row_not_block_multiple";
    /// A tensor's offset is not a multiple of the alignment.
    OffsetUnaligned = "offset_unaligned";
    /// A tensor's offset cannot be added to the data's.
    OffsetOverflow = "offset_overflow";
    /// A tensor ends beyond the file.
    DataOutOfBounds = "data_out_of_bounds";
    /// Two tensors share bytes.
    TensorOverlap = "tensor_overlap";
}

impl ParseErrorKind {
    /// Returns whether only strict readers refuse such a file: it is carried by lenient ones, and
    /// nothing about it is damaged.
    pub const fn is_unsupported(self) -> bool {
        matches!(
            self,
            ParseErrorKind::BadTensorType | ParseErrorKind::TooManyDims
        )
    }
}

/// What is wrong with a file, where in its structure, and at which byte.
///
/// ```
/// use modelkeep::gguf::{Index, Limits};
///
/// let error = Index::parse(b"GGUF", 4, &Limits::strict()).err().expect("it is cut");
/// assert_eq!((error.kind().code(), error.offset()), ("truncated", 4));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
// One pointer: a verification has room for two for each blob.
pub struct ParseError(Box<Fault>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Fault {
    kind: ParseErrorKind,
    offset: u64,
    path: String,
    message: String,
}

impl ParseError {
    pub(super) fn new(kind: ParseErrorKind, offset: u64, message: impl Into<String>) -> Self {
        ParseError(Box::new(Fault {
            kind,
            offset,
            path: String::new(),
            message: message.into(),
        }))
    }

    /// Says where in the structure it happened; outer places go first.
    pub(super) fn at(mut self, place: impl fmt::Display) -> Self {
        self.0.path = match self.0.path.as_str() {
            "" => place.to_string(),
            inner => format!("{place} {inner}"),
        };
        self
    }

    /// Returns the class.
    pub fn kind(&self) -> ParseErrorKind {
        self.0.kind
    }

    /// Returns the offset in the file, in bytes, of the item that is wrong.
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// Returns the place in the structure, as in `kv 17 "tokenizer.ggml.tokens" element 4711`.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Returns what is wrong, in words.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

/// Returns the place of a pair or a tensor, with its name where it has one:
/// `tensor 17 "blk.3.ffn_down.weight"`.
pub(super) fn place(noun: &str, index: usize, name: &[u8]) -> String {
    const LONGEST: usize = 256;
    match name.get(..LONGEST).unwrap_or(name) {
        [] => format!("{noun} {index}"),
        name => format!("{noun} {index} {:?}", String::from_utf8_lossy(name)),
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path().is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        write!(f, "{} (byte {:#x})", self.message(), self.offset())
    }
}

impl std::error::Error for ParseError {}

impl Serialize for ParseError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("ParseError", 4)?;
        fields.serialize_field("kind", self.kind().code())?;
        fields.serialize_field("offset", &self.offset())?;
        fields.serialize_field("path", self.path())?;
        fields.serialize_field("message", self.message())?;
        fields.end()
    }
}

impl From<ParseError> for Error {
    fn from(fault: ParseError) -> Self {
        let kind = match fault.kind() {
            ParseErrorKind::BadVersion => ErrorKind::Unsupported,
            _ => ErrorKind::InvalidGguf,
        };
        Error::caused(kind, "reading GGUF", fault)
    }
}
