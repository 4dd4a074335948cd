//! What is unusual in a file that can be read.

use std::fmt;
use std::str::FromStr;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::error::{self, Error};

/// Something that the reader accepts and others may not. The code never changes.
///
/// ```
/// use modelkeep::gguf::{Index, Limits, Writer, WarningCode};
///
/// let mut bytes = Vec::new();
/// Writer::new().set("Key", "value").write_to(&mut bytes)?;
/// let index = Index::parse(&bytes, bytes.len() as u64, &Limits::lenient())?;
/// assert_eq!(index.warnings()[0].code(), WarningCode::KeyFormat);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Warning {
    code: WarningCode,
    path: String,
    message: String,
}

/// Writes the enum, the codes and the words in one place.
macro_rules! warning_codes {
    ($($kind:ident = $code:literal, $words:literal;)+) => {
        /// What is unusual.
        ///
        /// ```
        /// use modelkeep::gguf::WarningCode;
        ///
        /// assert_eq!(WarningCode::BadBool.to_string(), "bad_bool");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum WarningCode {
            $(#[doc = concat!("`", $code, "`: ", $words, ".")] $kind,)+
        }

        impl WarningCode {
            /// Every code.
            pub const ALL: &'static [WarningCode] = &[$(WarningCode::$kind,)+];

            /// Returns the stable code, as in `nested_array`.
            pub const fn code(self) -> &'static str {
                match self { $(WarningCode::$kind => $code,)+ }
            }

            /// Returns what the code means, in words.
            pub const fn words(self) -> &'static str {
                match self { $(WarningCode::$kind => $words,)+ }
            }
        }

        impl fmt::Display for WarningCode {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.code())
            }
        }

        impl FromStr for WarningCode {
            type Err = Error;

            /// # Errors
            /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other code.
            fn from_str(code: &str) -> Result<Self, Error> {
                error::one_of("warning", WarningCode::ALL, code)
            }
        }

        impl Serialize for WarningCode {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }
    };
}

warning_codes! {
    OffsetsNotSequential = "offsets_not_sequential",
        "tensors do not follow each other without gaps; llama.cpp refuses such files";
    TensorNameLong = "tensor_name_long",
        "a tensor's name has 64 bytes or more; llama.cpp refuses such files";
    AlignmentNotMultipleOf8 = "alignment_not_multiple_of_8",
        "the alignment is no multiple of eight, as the format's description demands";
    NestedArray = "nested_array",
        "an array of arrays; llama.cpp and Ollama refuse such files";
    KeyFormat = "key_format",
        "a key that is not lower_snake.dotted ASCII";
    InvalidUtf8 = "invalid_utf8",
        "a string that is not UTF-8";
    ZeroDims = "zero_dims",
        "a tensor without dimensions";
    EmptyTensor = "empty_tensor",
        "a tensor without elements";
    DuplicateKey = "duplicate_key",
        "the same key twice; the last one counts";
    DuplicateTensor = "duplicate_tensor",
        "two tensors of one name";
    BadBool = "bad_bool",
        "a bool that is neither 0 nor 1; it counts as true";
    EmptyKey = "empty_key",
        "a key without a byte; llama.cpp refuses such files";
    KeyTooLong = "key_too_long",
        "a key beyond 65,535 bytes";
    EmptyName = "empty_name",
        "a tensor without a name";
    AlignmentType = "alignment_type",
        "general.alignment is not a u32 and does not count; llama.cpp refuses such files";
    AlignmentInvalid = "alignment_invalid",
        "the alignment is not a power of two; llama.cpp refuses such files";
    UnknownTensorType = "unknown_tensor_type",
        "a tensor type whose size is not known; strict readers refuse such files";
    TooManyDims = "too_many_dims",
        "a tensor of more than four dimensions; llama.cpp and Ollama refuse such files";
    OffsetUnaligned = "offset_unaligned",
        "a tensor's offset is not a multiple of the alignment";
    TensorOverlap = "tensor_overlap",
        "two tensors share bytes";
    DataOutOfBounds = "data_out_of_bounds",
        "the file ends before the data of its tensors";
    TrailingBytes = "trailing_bytes",
        "bytes after the last tensor";
    BigEndian = "big_endian",
        "the byte order is big-endian; llama.cpp on ordinary machines refuses such files";
    NotAModel = "not_a_model",
        "general.type is not that of a model";
}

impl Warning {
    /// Returns how many bytes its texts have.
    pub(super) fn text_bytes(&self) -> usize {
        self.path.len() + self.message.len()
    }

    /// Returns a warning whose message is what its code means.
    pub(crate) fn new(code: WarningCode, path: String) -> Self {
        Warning::saying(code, path, code.words().to_owned())
    }

    /// Returns a warning with a message of its own.
    pub(crate) fn saying(code: WarningCode, path: String, message: String) -> Self {
        Warning {
            code,
            path,
            message,
        }
    }

    /// Returns what is unusual.
    pub fn code(&self) -> WarningCode {
        self.code
    }

    /// Returns the place in the structure; the first of several.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what is unusual, in words.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{} ({})", self.message, self.code.code())
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Warning", 3)?;
        fields.serialize_field("code", self.code.code())?;
        fields.serialize_field("path", &self.path)?;
        fields.serialize_field("message", &self.message)?;
        fields.end()
    }
}
