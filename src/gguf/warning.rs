//! What is unusual in a file that can be read.

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// Something that the reader accepts and others may not. The code never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    code: WarningCode,
    path: String,
}

/// Writes the enum and the codes in one place.
macro_rules! warning_codes {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal;)+) => {
        /// What is unusual.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum WarningCode {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl WarningCode {
            /// The stable code, as in `nested_array`.
            pub const fn code(self) -> &'static str {
                match self { $(WarningCode::$kind => $code,)+ }
            }
        }
    };
}

warning_codes! {
    /// Tensors do not follow each other without gaps; llama.cpp refuses such files.
    OffsetsNotSequential = "offsets_not_sequential";
    /// A tensor's name has 64 bytes or more; llama.cpp refuses such files.
    TensorNameLong = "tensor_name_long";
    /// The alignment is no multiple of eight, as the format's description demands.
    AlignmentNotMultipleOf8 = "alignment_not_multiple_of_8";
    /// An array of arrays; llama.cpp and the reference refuse such files.
    NestedArray = "nested_array";
    /// A key that is not `lower_snake.dotted` ASCII.
    KeyFormat = "key_format";
    /// A string value that is not UTF-8.
    InvalidUtf8 = "invalid_utf8";
    /// A tensor without dimensions.
    ZeroDims = "zero_dims";
    /// A tensor without elements.
    EmptyTensor = "empty_tensor";
    /// The same key twice; the last one counts.
    DuplicateKey = "duplicate_key";
    /// Two tensors of one name.
    DuplicateTensor = "duplicate_tensor";
    /// A bool that is neither 0 nor 1; it counts as true.
    BadBool = "bad_bool";
    /// A key without a byte; llama.cpp refuses such files.
    EmptyKey = "empty_key";
    /// A key beyond 65,535 bytes.
    KeyTooLong = "key_too_long";
    /// A tensor without a name.
    EmptyName = "empty_name";
    /// `general.alignment` is not a u32 and does not count; llama.cpp refuses such files.
    AlignmentType = "alignment_type";
    /// The alignment is not a power of two; llama.cpp refuses such files.
    AlignmentInvalid = "alignment_invalid";
    /// A tensor type that this release does not know: its size is not known either.
    UnknownTensorType = "unknown_tensor_type";
    /// A tensor's offset is not a multiple of the alignment.
    OffsetUnaligned = "offset_unaligned";
    /// Two tensors share bytes.
    TensorOverlap = "tensor_overlap";
    /// The byte order is big-endian; llama.cpp on ordinary machines refuses such files.
    BigEndian = "big_endian";
}

impl Warning {
    pub(super) fn new(code: WarningCode, path: String) -> Self {
        Warning { code, path }
    }

    /// What is unusual.
    pub fn code(&self) -> WarningCode {
        self.code
    }

    /// The place in the structure; the first of several.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Warning", 2)?;
        fields.serialize_field("code", self.code.code())?;
        fields.serialize_field("path", &self.path)?;
        fields.end()
    }
}
