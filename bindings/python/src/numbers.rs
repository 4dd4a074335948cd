//! The numbers of tensors: what `Tensor.to_numpy` returns, and the table of types.

use std::ops::Range;

use modelkeep::GgufFile;
use modelkeep::gguf::TensorInfo;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyRange, PySlice, PyTuple};

use crate::buffer::fill_array;
use crate::error::{OrRaise, changed};
use crate::record::record;

record! {
    /// A type of tensors: blocks of some elements in some bytes.
    ///
    /// >>> types = {kind.name: kind for kind in modelkeep.TensorType.all()}
    /// >>> types["Q4_K"].block_elements, types["Q4_K"].block_bytes
    /// (256, 144)
    TensorType(py, it: modelkeep::gguf::TensorType) shows [name, block_elements, block_bytes] {
        /// Its name, as in `Q4_K`.
        name => it.name();
        /// Its number in a file.
        code => it.code();
        /// Elements of one block.
        block_elements => it.block_elements();
        /// Bytes of one block.
        block_bytes => it.block_bytes();
        /// Whether `Tensor.to_numpy` gives the numbers of such tensors.
        is_dequantizable => it.is_dequantizable();
    }
}

#[pymethods]
impl TensorType {
    /// Returns the types that are known, by number.
    ///
    /// >>> modelkeep.TensorType.all()[0]
    /// TensorType(name='F32', block_elements=1, block_bytes=4)
    #[staticmethod]
    fn all() -> Vec<TensorType> {
        modelkeep::gguf::TensorType::all()
            .map(TensorType::from)
            .collect()
    }
}

/// What a caller wants of the first dimension.
#[derive(FromPyObject)]
pub(crate) enum Rows<'py> {
    Slice(Bound<'py, PySlice>),
    Range(Bound<'py, PyRange>),
}

/// Returns an array of numpy with the numbers of a tensor, all or some of its first dimension.
pub(crate) fn array<'py>(
    py: Python<'py>,
    file: &GgufFile,
    at: usize,
    rows: Option<Rows<'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    let gguf = file.view();
    let tensor = gguf.tensor(at).ok_or_else(|| changed(py))?;
    // Before anything is made as large as a file says: what has data has no more rows than bytes.
    file.dequantize(&tensor, 0..0).or_raise(py)?;
    let mut shape: Vec<u64> = tensor.dims.iter().rev().copied().collect();
    // Of one dimension there is one row, which is cut when it is there.
    let (wanted, cut) = match (rows, shape.first_mut()) {
        (Some(rows), Some(first)) if tensor.dims.len() > 1 && tensor.elements() > 0 => {
            let wanted = places(rows, *first)?;
            *first = wanted.len() as u64;
            (Some(wanted), None)
        }
        (rows, _) => (None, rows),
    };
    let rest: u64 = tensor.rows() / tensor.dims.last().copied().unwrap_or(1).max(1);
    let runs = match wanted {
        Some(wanted) => runs(&wanted, rest),
        None => runs(&[0], tensor.rows()),
    };
    let whole = filled(py, file, &tensor, &runs, &shape)?;
    match cut {
        None => Ok(whole),
        Some(Rows::Slice(slice)) => whole.get_item(slice),
        Some(Rows::Range(range)) => whole.get_item(range.extract::<Vec<i64>>()?),
    }
}

/// Places of the first dimension, each inside of it.
fn places(rows: Rows<'_>, len: u64) -> PyResult<Vec<u64>> {
    let outside = || PyIndexError::new_err(format!("rows: the tensor has {len}"));
    match rows {
        Rows::Slice(slice) => {
            let found = slice.indices(isize::try_from(len).map_err(|_| outside())?)?;
            let place = |step: usize| {
                // Within the length, by what `indices` promises.
                let offset = found.step.wrapping_mul(step.cast_signed());
                found.start.wrapping_add(offset).unsigned_abs() as u64
            };
            Ok((0..found.slicelength).map(place).collect())
        }
        Rows::Range(range) => {
            let places: Vec<i64> = range.extract()?;
            let inside = places.into_iter().map(|place| {
                let place = u64::try_from(place).ok();
                place.filter(|place| *place < len).ok_or_else(outside)
            });
            inside.collect()
        }
    }
}

/// Returns the rows of some places, each of `rest` rows; those that follow one another together.
fn runs(places: &[u64], rest: u64) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for place in places {
        // Within the tensor, whose rows were counted.
        let (start, end) = (place * rest, (place + 1) * rest);
        match runs.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => runs.push(start..end),
        }
    }
    runs
}

fn filled<'py>(
    py: Python<'py>,
    file: &GgufFile,
    tensor: &TensorInfo<'_>,
    runs: &[Range<u64>],
    shape: &[u64],
) -> PyResult<Bound<'py, PyAny>> {
    // A buffer of no dimensions has no shape to read.
    let made: &[u64] = if shape.is_empty() { &[1] } else { shape };
    let array = py
        .import("numpy")?
        .call_method1("empty", (PyTuple::new(py, made)?, "=f4"))?;
    let mut done = Ok(());
    fill_array(&array, |room| done = fill(file, tensor, runs, room))?;
    done.or_raise(py)?;
    match shape {
        [] => array.call_method1("reshape", (PyTuple::empty(py),)),
        _ => Ok(array),
    }
}

fn fill(
    file: &GgufFile,
    tensor: &TensorInfo<'_>,
    runs: &[Range<u64>],
    numbers: &mut [f32],
) -> modelkeep::Result<()> {
    let mut room = numbers;
    for run in runs {
        // The shape that there is room for is that of the runs.
        let count = (run.end - run.start).saturating_mul(tensor.row_len());
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(room.len());
        let (now, later) = room.split_at_mut(count);
        file.dequantize_into(tensor, run.clone(), now)?;
        room = later;
    }
    Ok(())
}
