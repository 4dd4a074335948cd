//! How much a reader believes.

/// How a reader takes what the format's description forbids.
///
/// ```
/// use modelkeep::gguf::{Limits, Strictness};
///
/// assert_eq!(Limits::lenient().strictness, Strictness::Lenient);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strictness {
    /// Whatever breaks the format is a fault.
    #[default]
    Strict,
    /// What does no harm is a warning: duplicates, bools beyond 0 and 1, odd alignments and
    /// offsets, names that are not UTF-8, tensor types whose size is not known, and up to eight
    /// dimensions.
    Lenient,
}

/// Whether the data of the tensors have to be there.
///
/// ```
/// use modelkeep::gguf::{Data, Limits};
///
/// assert_eq!(Limits::strict().data(Data::Optional), Limits::header_only());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Data {
    /// A file that ends before its data do is refused.
    #[default]
    Required,
    /// The header is read for its own sake: the data may be missing or incomplete, which is a
    /// warning.
    Optional,
}

/// The bounds of a reader. Every count and length of a file is compared with them, and with what
/// is left of the file, before it is used.
///
/// ```
/// use modelkeep::gguf::{Index, Limits, ParseErrorKind, Writer};
///
/// let mut bytes = Vec::new();
/// Writer::new().set("key", "a long text").write_to(&mut bytes)?;
/// let limits = Limits::strict().string_bytes(4);
/// let error = Index::parse(&bytes, bytes.len() as u64, &limits).err();
/// assert_eq!(error.map(|error| error.kind()), Some(ParseErrorKind::LengthOutOfBounds));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Limits {
    /// What breaks the format.
    pub strictness: Strictness,
    /// Whether the data of the tensors have to be there.
    pub data: Data,
    /// The longest string, in bytes.
    pub string_bytes: u64,
    /// The most elements of an array.
    pub array_elements: u64,
    /// The deepest array; one is an array of scalars.
    pub array_depth: usize,
}

impl Limits {
    /// Returns the limits for files that should be right: the default of `gguf` and of `verify`.
    pub const fn strict() -> Self {
        Limits {
            strictness: Strictness::Strict,
            data: Data::Required,
            string_bytes: 256 << 20,
            array_elements: 1 << 30,
            array_depth: 8,
        }
    }

    /// Returns the limits for files that are there and have to be shown.
    pub const fn lenient() -> Self {
        Limits {
            strictness: Strictness::Lenient,
            ..Limits::strict()
        }
    }

    /// Returns the limits for a file whose data are not there yet, as in the midst of a download:
    /// strict, but the header is all that is needed.
    pub const fn header_only() -> Self {
        Limits::strict().data(Data::Optional)
    }

    /// Sets whether the data of the tensors have to be there.
    #[must_use]
    pub const fn data(mut self, data: Data) -> Self {
        self.data = data;
        self
    }

    /// Sets the longest string, in bytes.
    #[must_use]
    pub const fn string_bytes(mut self, bytes: u64) -> Self {
        self.string_bytes = bytes;
        self
    }

    /// Sets the most elements of an array.
    #[must_use]
    pub const fn array_elements(mut self, elements: u64) -> Self {
        self.array_elements = elements;
        self
    }

    /// Sets how deep arrays may nest; one is an array of scalars.
    #[must_use]
    pub const fn array_depth(mut self, depth: usize) -> Self {
        self.array_depth = depth;
        self
    }

    pub(super) fn is_strict(&self) -> bool {
        self.strictness == Strictness::Strict
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::strict()
    }
}
