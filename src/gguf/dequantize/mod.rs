//! Dequantizing: the numbers of a tensor, whatever the blocks that they are packed in.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod block256;
mod block32;
mod float;

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use super::cursor::Endian;
use super::tensor::{TensorInfo, TensorType};
use super::view::Gguf;
use crate::error::{Error, ErrorKind, Result};

impl TensorType {
    /// Returns whether [`Gguf::dequantize`] gives the numbers of such tensors.
    ///
    /// ```
    /// use modelkeep::gguf::TensorType;
    ///
    /// assert!(TensorType::Q4_K.is_dequantizable());
    /// assert!(!TensorType::I32.is_dequantizable(), "these are numbers already");
    /// ```
    pub fn is_dequantizable(self) -> bool {
        matches!(
            self,
            TensorType::F32
                | TensorType::F16
                | TensorType::BF16
                | TensorType::Q4_0
                | TensorType::Q4_1
                | TensorType::Q5_0
                | TensorType::Q5_1
                | TensorType::Q8_0
                | TensorType::Q2_K
                | TensorType::Q3_K
                | TensorType::Q4_K
                | TensorType::Q5_K
                | TensorType::Q6_K
                | TensorType::Q8_K
                | TensorType::IQ4_NL
                | TensorType::IQ4_XS
                | TensorType::MXFP4
        )
    }
}

impl TensorInfo<'_> {
    /// Returns the number of elements of a row; one for a scalar.
    pub fn row_len(&self) -> u64 {
        self.dims.first().copied().unwrap_or(1)
    }

    /// Returns the number of rows: the product of all dimensions but the first.
    pub fn rows(&self) -> u64 {
        // The product of all was checked when the file was opened.
        let rest = self.dims.get(1..).unwrap_or_default().iter();
        rest.fold(1, |product: u64, size| product.saturating_mul(*size))
    }
}

impl<'a> Gguf<'a> {
    /// Returns the numbers of some rows of a tensor, row by row, as GGML defines them: bit for bit
    /// what gguf-py makes of them. Reads these rows and no others; many at once on several threads.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let file = store.model("tiny")?.gguf()?;
    /// let gguf = file.view();
    /// let tensor = gguf.tensor(0).expect("it has two");
    /// let second = gguf.dequantize(&tensor, 1..2)?;
    /// assert_eq!(second.len() as u64, tensor.row_len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`dequantize_into`](Self::dequantize_into).
    pub fn dequantize(&self, tensor: &TensorInfo<'_>, rows: Range<u64>) -> Result<Vec<f32>> {
        let packed = tensor.packed(rows)?;
        let bytes = self.packed_bytes(tensor, &packed)?;
        let mut numbers = vec![0.0; packed.elements];
        packed.decode(bytes, self.endian(), &mut numbers);
        Ok(numbers)
    }

    /// As [`dequantize`](Self::dequantize), into memory of the caller's, which has room for exactly
    /// these rows.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for a type that is not
    /// [dequantizable](TensorType::is_dequantizable); [`InvalidArgument`](ErrorKind::InvalidArgument)
    /// for rows that the tensor does not have, and memory of another size;
    /// [`NotFound`](ErrorKind::NotFound) where the data are not at hand: the file is not mapped, or
    /// ends before them.
    pub fn dequantize_into(
        &self,
        tensor: &TensorInfo<'_>,
        rows: Range<u64>,
        numbers: &mut [f32],
    ) -> Result<()> {
        let packed = tensor.packed(rows)?;
        packed.must_fill(tensor, numbers)?;
        packed.decode(self.packed_bytes(tensor, &packed)?, self.endian(), numbers);
        Ok(())
    }

    fn packed_bytes(&self, tensor: &TensorInfo<'_>, packed: &PackedRows) -> Result<&'a [u8]> {
        let absent = |why| {
            let text = format!("its data are not at hand: {why}");
            refused(tensor, ErrorKind::NotFound, &text)
        };
        let data = self.data_at_hand(tensor).map_err(absent)?;
        let bytes = packed.place().and_then(|place| data.get(place));
        bytes.ok_or_else(|| absent("they are larger than memory"))
    }
}

impl TensorInfo<'_> {
    /// Returns where some rows are, and how to read them.
    pub(crate) fn packed(&self, rows: Range<u64>) -> Result<PackedRows> {
        let kind = self.tensor_type;
        if !kind.is_dequantizable() {
            let text = format!("the type {} is not dequantized", kind.described());
            return Err(refused(self, ErrorKind::Unsupported, &text));
        }
        if rows.start > rows.end || rows.end > self.rows() {
            let there = self.rows();
            let text = format!("it has {there} rows, not {}..{}", rows.start, rows.end);
            return Err(refused(self, ErrorKind::InvalidArgument, &text));
        }
        let too_large = || {
            let text = "the rows are larger than memory";
            refused(self, ErrorKind::InvalidArgument, text)
        };
        PackedRows::of(self, rows).ok_or_else(too_large)
    }
}

fn refused(tensor: &TensorInfo<'_>, kind: ErrorKind, text: &str) -> Error {
    Error::new(kind, format!("dequantizing {:?}: {text}", tensor.name))
}

/// Rows as they are in a file.
pub(crate) struct PackedRows {
    tensor_type: TensorType,
    /// Their place in the data of the tensor.
    pub bytes: Range<u64>,
    pub elements: usize,
}

impl PackedRows {
    fn of(tensor: &TensorInfo<'_>, rows: Range<u64>) -> Option<Self> {
        let kind = tensor.tensor_type;
        let row = tensor.row_len();
        let bytes = row
            .checked_div(kind.block_elements()?)?
            .checked_mul(kind.block_bytes()?)?;
        let elements = (rows.end - rows.start).checked_mul(row)?;
        Some(PackedRows {
            tensor_type: kind,
            bytes: rows.start.checked_mul(bytes)?..rows.end.checked_mul(bytes)?,
            elements: usize::try_from(elements).ok()?,
        })
    }

    /// Returns their place in memory.
    fn place(&self) -> Option<Range<usize>> {
        let at = |byte: u64| usize::try_from(byte).ok();
        Some(at(self.bytes.start)?..at(self.bytes.end)?)
    }

    /// Refuses memory that has not room for exactly these rows.
    pub(crate) fn must_fill(&self, tensor: &TensorInfo<'_>, numbers: &[f32]) -> Result<()> {
        let (wanted, there) = (self.elements, numbers.len());
        if wanted == there {
            return Ok(());
        }
        let text = format!("the rows have {wanted} numbers, and there is room for {there}");
        Err(refused(tensor, ErrorKind::InvalidArgument, &text))
    }
}

/// Numbers that are worth a thread of their own.
const SHARE: usize = 1 << 19;

impl PackedRows {
    /// Decodes their bytes, on several threads where that is quicker.
    pub(crate) fn decode(&self, packed: &[u8], endian: Endian, numbers: &mut [f32]) {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let count = count.min(numbers.len() / SHARE).max(1);
        let sizes = self
            .tensor_type
            .block_elements()
            .zip(self.tensor_type.block_bytes());
        let sizes = sizes.and_then(|(elements, bytes)| {
            Some((
                usize::try_from(elements).ok()?,
                usize::try_from(bytes).ok()?,
            ))
        });
        let Some((elements, bytes)) = sizes.filter(|_| count > 1) else {
            return decode(self.tensor_type, endian, packed, numbers);
        };
        let blocks = (numbers.len() / elements).div_ceil(count);
        let parts = packed.chunks(blocks * bytes);
        let rooms = numbers.chunks_mut(blocks * elements);
        let mut shares = parts.zip(rooms);
        let own = shares.next();
        thread::scope(|scope| {
            for (part, room) in shares {
                scope.spawn(move || decode(self.tensor_type, endian, part, room));
            }
            if let Some((part, room)) = own {
                decode(self.tensor_type, endian, part, room);
            }
        });
    }
}

/// Turns whole blocks into numbers, as this processor does it best.
fn decode(tensor_type: TensorType, endian: Endian, from: &[u8], to: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(kernels) = avx2::Kernels::detect() {
        return kernels.decode(tensor_type, endian, from, to);
    }
    decode_anywhere(tensor_type, endian, from, to);
}

/// As [`decode`], by code for any processor.
fn decode_anywhere(tensor_type: TensorType, endian: Endian, from: &[u8], to: &mut [f32]) {
    match endian {
        Endian::Little => decode_in::<false>(tensor_type, from, to),
        Endian::Big => decode_in::<true>(tensor_type, from, to),
    }
}

/// Decodes a type; fields of several bytes are big-endian where `BIG`.
#[inline(always)]
fn decode_in<const BIG: bool>(tensor_type: TensorType, from: &[u8], to: &mut [f32]) {
    match tensor_type {
        TensorType::F32 => each(from, to, float::single::<BIG>),
        TensorType::F16 => each(from, to, float::half::<BIG>),
        TensorType::BF16 => each(from, to, float::brain::<BIG>),
        TensorType::Q4_0 => blocks(from, to, block32::q4_0::<BIG>),
        TensorType::Q4_1 => blocks(from, to, block32::q4_1::<BIG>),
        TensorType::Q5_0 => blocks(from, to, block32::q5_0::<BIG>),
        TensorType::Q5_1 => blocks(from, to, block32::q5_1::<BIG>),
        TensorType::Q8_0 => blocks(from, to, block32::q8_0::<BIG>),
        TensorType::IQ4_NL => blocks(from, to, block32::iq4_nl::<BIG>),
        TensorType::MXFP4 => blocks(from, to, block32::mxfp4),
        TensorType::Q2_K => blocks(from, to, block256::q2_k::<BIG>),
        TensorType::Q3_K => blocks(from, to, block256::q3_k::<BIG>),
        TensorType::Q4_K => blocks(from, to, block256::q4_k::<BIG>),
        TensorType::Q5_K => blocks(from, to, block256::q5_k::<BIG>),
        TensorType::Q6_K => blocks(from, to, block256::q6_k::<BIG>),
        TensorType::Q8_K => blocks(from, to, block256::q8_k::<BIG>),
        TensorType::IQ4_XS => blocks(from, to, block256::iq4_xs::<BIG>),
        // Refused by whoever asks.
        _ => {}
    }
}

#[inline(always)]
fn each<const BYTES: usize>(from: &[u8], to: &mut [f32], decode: impl Fn([u8; BYTES]) -> f32) {
    let (items, _) = from.as_chunks::<BYTES>();
    for (item, number) in items.iter().zip(to) {
        *number = decode(*item);
    }
}

/// Returns the part of a block from `START` on; the type of the block says that it is there.
#[inline(always)]
fn part<const START: usize, const LEN: usize, const BYTES: usize>(
    block: &[u8; BYTES],
) -> &[u8; LEN] {
    const { assert!(START + LEN <= BYTES) };
    let rest = block.split_at(START).1;
    rest.first_chunk()
        .expect("the assertion says that it is there")
}

#[inline(always)]
fn blocks<const BYTES: usize, const ELEMENTS: usize>(
    from: &[u8],
    to: &mut [f32],
    decode: impl Fn(&[u8; BYTES], &mut [f32; ELEMENTS]),
) {
    let (blocks, _) = from.as_chunks::<BYTES>();
    let (numbers, _) = to.as_chunks_mut::<ELEMENTS>();
    for (block, numbers) in blocks.iter().zip(numbers) {
        decode(block, numbers);
    }
}

#[cfg(test)]
mod tests;
