//! Tensors: names, shapes, types and where the data are.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::parse_error::ParseErrorKind;
use super::value::Text;
use crate::error::{Error, ErrorKind};

/// The type of a tensor's elements, with the sizes of its blocks.
///
/// ```
/// use modelkeep::gguf::TensorType;
///
/// assert_eq!("Q4_K".parse::<TensorType>()?, TensorType::Q4_K);
/// assert_eq!(TensorType::Q4_K.block_elements(), Some(256));
/// assert_eq!(TensorType::F32.code(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TensorType(u32);

/// Writes the constants and the table in one place: the number in a file, the elements of a block
/// and its bytes.
macro_rules! tensor_types {
    ($($name:ident = $code:literal, $elements:literal, $bytes:literal;)+) => {
        impl TensorType {
            $(
                #[doc = concat!(
                    "`", stringify!($name), "`: blocks of ", $elements, " in ", $bytes, " bytes."
                )]
                pub const $name: TensorType = TensorType($code);
            )+

            /// Returns every type that is known, by number.
            pub fn all() -> impl Iterator<Item = TensorType> {
                [$(TensorType::$name),+].into_iter()
            }

            const fn row(self) -> Option<Row> {
                match self.0 {
                    $($code => Some(Row(stringify!($name), $elements, $bytes)),)+
                    _ => None,
                }
            }
        }
    };
}

/// One row of the table: name, elements of a block, bytes of a block.
struct Row(&'static str, u64, u64);

// ggml.h, enum ggml_type; ggml-common.h for the bytes of a block. The holes are removed types.
tensor_types! {
    F32 = 0, 1, 4;
    F16 = 1, 1, 2;
    Q4_0 = 2, 32, 18;
    Q4_1 = 3, 32, 20;
    Q5_0 = 6, 32, 22;
    Q5_1 = 7, 32, 24;
    Q8_0 = 8, 32, 34;
    Q8_1 = 9, 32, 36;
    Q2_K = 10, 256, 84;
    Q3_K = 11, 256, 110;
    Q4_K = 12, 256, 144;
    Q5_K = 13, 256, 176;
    Q6_K = 14, 256, 210;
    Q8_K = 15, 256, 292;
    IQ2_XXS = 16, 256, 66;
    IQ2_XS = 17, 256, 74;
    IQ3_XXS = 18, 256, 98;
    IQ1_S = 19, 256, 50;
    IQ4_NL = 20, 32, 18;
    IQ3_S = 21, 256, 110;
    IQ2_S = 22, 256, 82;
    IQ4_XS = 23, 256, 136;
    I8 = 24, 1, 1;
    I16 = 25, 1, 2;
    I32 = 26, 1, 4;
    I64 = 27, 1, 8;
    F64 = 28, 1, 8;
    IQ1_M = 29, 256, 56;
    BF16 = 30, 1, 2;
    TQ1_0 = 34, 256, 54;
    TQ2_0 = 35, 256, 66;
    MXFP4 = 39, 32, 17;
    NVFP4 = 40, 64, 36;
    Q1_0 = 41, 128, 18;
    Q2_0 = 42, 64, 18;
}

/// What became of the numbers whose types were removed. Such files exist, and forks gave some of
/// the numbers another meaning.
// ggml.h, enum ggml_type
fn removed(code: u32) -> Option<&'static str> {
    Some(match code {
        4 => {
            "Q4_2, removed from GGML in 2023; Ollama's gpt-oss files of August 2025 have MXFP4 \
             under that number"
        }
        5 => "Q4_3, removed from GGML in 2023",
        31 => "Q4_0_4_4, removed from GGML in 2024",
        32 => "Q4_0_4_8, removed from GGML in 2024",
        33 => "Q4_0_8_8, removed from GGML in 2024",
        36 => "IQ4_NL_4_4, removed from GGML in 2024; BitNet files have I2_S under that number",
        37 => "IQ4_NL_4_8, removed from GGML in 2024",
        38 => "IQ4_NL_8_8, removed from GGML in 2024",
        _ => return None,
    })
}

impl TensorType {
    /// Returns the type of a number in a file; `None` for the removed ones. Numbers that are not
    /// known yet have a type without a size.
    pub fn from_code(code: u32) -> Option<Self> {
        removed(code).is_none().then_some(TensorType(code))
    }

    /// Returns the type of any number, removed ones included.
    pub(super) const fn of_any(code: u32) -> Self {
        TensorType(code)
    }

    /// Returns the number in a file.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// Returns what is known of a type without a size: `type 31, Q4_0_4_4, removed from GGML in
    /// 2024`.
    pub(super) fn history(self) -> String {
        match removed(self.0) {
            Some(history) => format!("type {}, {history}", self.0),
            None => format!("type {}, which this release does not know", self.0),
        }
    }

    /// Returns the name, or what is known of a type without one.
    pub(super) fn described(self) -> String {
        match self.is_known() {
            true => self.name().to_owned(),
            false => self.history(),
        }
    }

    /// Returns whether this release knows the type, and with it the size of its blocks.
    pub fn is_known(self) -> bool {
        self.row().is_some()
    }

    /// Returns the upper-case name, as in `Q4_K`; `unknown` for a type that was removed or is not
    /// known yet.
    pub fn name(self) -> &'static str {
        self.row().map_or("unknown", |row| row.0)
    }

    /// Elements of one block, where known.
    pub fn block_elements(self) -> Option<u64> {
        self.row().map(|row| row.1)
    }

    /// Returns the bytes of one block, where known.
    pub fn block_bytes(self) -> Option<u64> {
        self.row().map(|row| row.2)
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for TensorType {
    type Err = Error;

    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a name that no known type has.
    fn from_str(name: &str) -> Result<Self, Error> {
        let found = TensorType::all().find(|known| known.name() == name);
        found.ok_or_else(|| {
            let text = format!("no tensor type is called {name:?}");
            Error::new(ErrorKind::InvalidArgument, text)
        })
    }
}

impl Serialize for TensorType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Debug for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}

/// The dimensions of a tensor, at most eight; the first is the length of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Dims {
    sizes: [u64; Dims::MOST],
    count: u8,
}

impl Dims {
    /// The most dimensions that a tensor of GGML has.
    // ggml.h, GGML_MAX_DIMS
    pub(super) const OF_GGML: usize = 4;
    /// The most dimensions that are read.
    pub(super) const MOST: usize = 8;

    pub(super) const fn none() -> Self {
        Dims {
            sizes: [1; Dims::MOST],
            count: 0,
        }
    }

    /// Adds a dimension; beyond the last, nothing.
    pub(super) fn push(&mut self, size: u64) {
        if let Some(slot) = self.sizes.get_mut(usize::from(self.count)) {
            *slot = size;
            self.count += 1;
        }
    }

    pub(super) fn as_slice(&self) -> &[u64] {
        self.sizes
            .get(..usize::from(self.count))
            .unwrap_or(&self.sizes)
    }

    /// Returns the product; one for a scalar.
    pub(super) fn elements(&self) -> Option<u64> {
        product(&self.sizes)
    }

    pub(super) fn row(&self) -> u64 {
        let [row, ..] = self.sizes;
        row
    }
}

fn product(sizes: &[u64]) -> Option<u64> {
    let mut sizes = sizes.iter();
    sizes.try_fold(1_u64, |product, size| product.checked_mul(*size))
}

/// A tensor of a file.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::gguf::TensorType;
///
/// let file = store.model("tiny")?.gguf()?;
/// let tensor = file.view().tensor(0).expect("it has two");
/// assert_eq!((tensor.tensor_type, tensor.dims, tensor.elements()), (TensorType::F16, &[8, 4][..], 32));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TensorInfo<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// Its dimensions as the file has them, the fastest-varying first; none for a scalar. Numpy's
    /// order is the reverse.
    pub dims: &'a [u64],
    /// The type of its elements.
    pub tensor_type: TensorType,
    /// Where its data begin, in bytes from the beginning of the file.
    pub offset: u64,
    /// The bytes of its data; `None` for a type whose size is not known.
    pub size: Option<u64>,
}

impl TensorInfo<'_> {
    /// Returns the number of elements; one for a scalar.
    pub fn elements(&self) -> u64 {
        // The product was checked when the file was opened.
        product(self.dims).unwrap_or(u64::MAX)
    }
}

/// Returns the bytes of a tensor's data; `None` for a type whose size is not known.
pub(super) fn tensor_size(
    dims: &Dims,
    tensor_type: TensorType,
) -> Result<Option<u64>, (ParseErrorKind, String)> {
    let overflow = || {
        (
            ParseErrorKind::DimOverflow,
            format!("the shape {:?} overflows", dims.as_slice()),
        )
    };
    let signed = |size: &u64| i64::try_from(*size).is_ok();
    if !dims.as_slice().iter().all(signed) {
        return Err(overflow());
    }
    let elements = dims.elements().filter(signed).ok_or_else(overflow)?;
    let Some((block, bytes)) = tensor_type.block_elements().zip(tensor_type.block_bytes()) else {
        return Ok(None);
    };
    if !dims.row().is_multiple_of(block) {
        let text = format!(
            "a row of {} elements, where {tensor_type} packs {block}",
            dims.row()
        );
        return Err((ParseErrorKind::RowNotBlockMultiple, text));
    }
    (elements / block)
        .checked_mul(bytes)
        .map(Some)
        .ok_or_else(overflow)
}
