//! Where the data of the tensors are: inside the file, aligned, in order and apart.

use super::check::Validator;
use super::cursor::incomplete;
use super::index::{Index, Tensor};
use super::limits::Data;
use super::parse_error::{ParseError, ParseErrorKind, place};
use super::tensor::Dims;
use super::warning::{Warning, WarningCode};

impl Validator<'_> {
    pub(super) fn data(&mut self, index: &Index, file_size: u64) -> Result<(), ParseError> {
        // Not known after a tensor whose size is not.
        let mut expected = Some(0);
        for (at, tensor) in index.tensors.iter().enumerate() {
            self.bounds(index, at, file_size)?;
            self.shape(at, tensor);
            if !tensor.offset.is_multiple_of(index.alignment) {
                let both = (
                    ParseErrorKind::OffsetUnaligned,
                    WarningCode::OffsetUnaligned,
                );
                let text = "the offset is not a multiple of the alignment";
                self.refuse(both, tensor.name.start, self.tensor_path(at, tensor), text)?;
            }
            if expected.is_some_and(|expected| expected != tensor.offset) {
                self.note(WarningCode::OffsetsNotSequential, at, tensor);
            }
            let end = tensor.size.and_then(|size| tensor.offset.checked_add(size));
            expected = end.and_then(|end| end.checked_next_multiple_of(index.alignment));
        }
        self.overlaps(&index.tensors)
    }

    /// Warns of a tensor; of each code once, so that the cost does not grow with the tensors.
    fn note(&mut self, code: WarningCode, at: usize, tensor: &Tensor) {
        if self.is_new(code) {
            let path = self.tensor_path(at, tensor);
            self.warnings.push(Warning::new(code, path));
        }
    }

    pub(super) fn tensor_path(&self, at: usize, tensor: &Tensor) -> String {
        place("tensor", at, self.slice(tensor.name))
    }

    fn bounds(&mut self, index: &Index, at: usize, file_size: u64) -> Result<(), ParseError> {
        let Some(tensor) = index.tensors.get(at) else {
            return Ok(());
        };
        let fault = |validator: &Self, kind, text: String| {
            ParseError::new(kind, tensor.name.start, text).at(validator.tensor_path(at, tensor))
        };
        let Some(start) = index.data_offset.checked_add(tensor.offset) else {
            let text = "the offset leads beyond all files".to_owned();
            return Err(fault(self, ParseErrorKind::OffsetOverflow, text));
        };
        let end = start.checked_add(tensor.size.unwrap_or(0));
        if end.is_some_and(|end| end <= file_size) {
            return Ok(());
        }
        let code = WarningCode::DataOutOfBounds;
        if self.data == Data::Required || end.is_none() {
            let text = incomplete(file_size, needed(index));
            return Err(fault(self, ParseErrorKind::DataOutOfBounds, text));
        }
        if self.is_new(code) {
            let text = incomplete(file_size, needed(index));
            let path = self.tensor_path(at, tensor);
            self.warnings.push(Warning::saying(code, path, text));
        }
        Ok(())
    }

    fn shape(&mut self, at: usize, tensor: &Tensor) {
        let dims = tensor.dims.as_slice();
        let is_known = tensor.tensor_type.is_known();
        let codes = [
            (dims.is_empty(), WarningCode::ZeroDims),
            (
                !dims.is_empty() && tensor.size == Some(0),
                WarningCode::EmptyTensor,
            ),
            (dims.len() > Dims::OF_GGML, WarningCode::TooManyDims),
        ];
        for (_, code) in codes.into_iter().filter(|(is, _)| *is) {
            self.note(code, at, tensor);
        }
        let code = WarningCode::UnknownTensorType;
        if !is_known && self.is_new(code) {
            let path = self.tensor_path(at, tensor);
            let text = tensor.tensor_type.history();
            self.warnings.push(Warning::saying(code, path, text));
        }
    }

    fn overlaps(&mut self, tensors: &[Tensor]) -> Result<(), ParseError> {
        let range = |tensor: &Tensor| (tensor.offset, tensor.size.unwrap_or(0));
        let sized = tensors.iter().enumerate();
        let mut sized: Vec<(usize, &Tensor)> = sized
            .filter(|(_, tensor)| tensor.size.is_some_and(|size| size > 0))
            .collect();
        if !sized.is_sorted_by_key(|(_, tensor)| range(tensor)) {
            sized.sort_unstable_by_key(|(at, tensor)| (range(tensor), *at));
        }
        let overlap = sized.windows(2).find_map(|pair| match pair {
            [(a, first), (b, next)] => {
                let (start, size) = range(first);
                (start.saturating_add(size) > next.offset).then_some(((*a, *first), (*b, *next)))
            }
            _ => None,
        });
        let Some(((a, first), (b, next))) = overlap else {
            return Ok(());
        };
        let text = format!(
            "shares bytes with {}, from {:#x} of the data on",
            self.tensor_path(a, first),
            next.offset
        );
        let both = (ParseErrorKind::TensorOverlap, WarningCode::TensorOverlap);
        self.refuse(both, next.name.start, self.tensor_path(b, next), &text)
    }
}

/// Returns the bytes that the file needs to have for all of its tensors.
fn needed(index: &Index) -> u64 {
    let ends = index.tensors.iter().map(|tensor| {
        let start = index.data_offset.saturating_add(tensor.offset);
        start.saturating_add(tensor.size.unwrap_or(0))
    });
    ends.max().unwrap_or(index.header_len)
}
