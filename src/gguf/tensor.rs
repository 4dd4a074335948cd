//! Tensors: names, shapes, types and where the data lies.

use std::fmt;

use super::value::Text;

/// The type of a tensor's elements, with the sizes of its blocks.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TensorType(u32);

/// One row of the table: name, elements of a block, bytes of a block.
struct Row(&'static str, u64, u64);

/// By number; the holes are types that were removed.
// ggml.h, enum ggml_type; ggml-common.h for the bytes of a block
#[rustfmt::skip]
const TABLE: [Option<Row>; 43] = [
    Some(Row("F32", 1, 4)), Some(Row("F16", 1, 2)),
    Some(Row("Q4_0", 32, 18)), Some(Row("Q4_1", 32, 20)), None, None,
    Some(Row("Q5_0", 32, 22)), Some(Row("Q5_1", 32, 24)),
    Some(Row("Q8_0", 32, 34)), Some(Row("Q8_1", 32, 36)),
    Some(Row("Q2_K", 256, 84)), Some(Row("Q3_K", 256, 110)), Some(Row("Q4_K", 256, 144)),
    Some(Row("Q5_K", 256, 176)), Some(Row("Q6_K", 256, 210)), Some(Row("Q8_K", 256, 292)),
    Some(Row("IQ2_XXS", 256, 66)), Some(Row("IQ2_XS", 256, 74)), Some(Row("IQ3_XXS", 256, 98)),
    Some(Row("IQ1_S", 256, 50)), Some(Row("IQ4_NL", 32, 18)), Some(Row("IQ3_S", 256, 110)),
    Some(Row("IQ2_S", 256, 82)), Some(Row("IQ4_XS", 256, 136)),
    Some(Row("I8", 1, 1)), Some(Row("I16", 1, 2)), Some(Row("I32", 1, 4)),
    Some(Row("I64", 1, 8)), Some(Row("F64", 1, 8)),
    Some(Row("IQ1_M", 256, 56)), Some(Row("BF16", 1, 2)), None, None, None,
    Some(Row("TQ1_0", 256, 54)), Some(Row("TQ2_0", 256, 66)), None, None, None,
    Some(Row("MXFP4", 32, 17)), Some(Row("NVFP4", 64, 36)),
    Some(Row("Q1_0", 128, 18)), Some(Row("Q2_0", 64, 18)),
];

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

    /// Every type that is known, by number.
    pub fn all() -> impl Iterator<Item = TensorType> {
        (0..)
            .zip(&TABLE)
            .filter(|(_, row)| row.is_some())
            .map(|(code, _)| TensorType(code))
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.get(usize::try_from(self.0).ok()?)?.as_ref()
    }

    /// The number in a file.
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

    /// Whether this release knows the type, and with it the size of its blocks.
    pub fn is_known(self) -> bool {
        self.row().is_some()
    }

    /// The upper-case name, as in `Q4_K`; `unknown` for a type that was removed or is not known
    /// yet.
    pub fn name(self) -> &'static str {
        self.row().map_or("unknown", |row| row.0)
    }

    /// Elements of one block, where known.
    pub fn block_elements(self) -> Option<u64> {
        self.row().map(|row| row.1)
    }

    /// Bytes of one block, where known.
    pub fn block_bytes(self) -> Option<u64> {
        self.row().map(|row| row.2)
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
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
#[derive(Clone, Copy, Debug)]
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
