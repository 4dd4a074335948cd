//! The numbers of tensors, and the types that they are packed in.

use engine::gguf::TensorType;

use crate::boundary::{Fault, borrow, invalid, query, slice_mut};
use crate::gguf::mkeep_gguf;
use crate::growing::{fill, growing};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::str::mkeep_str;
use crate::type_names::type_name;

/// A type of tensors that is known: blocks of so many elements in so many bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_tensor_type {
    /// `sizeof(mkeep_tensor_type)`.
    pub size: usize,
    /// Its name, as in `Q4_K`, with a NUL.
    pub name: mkeep_str,
    /// Its number in a file.
    pub code: u32,
    /// Whether mkeep_gguf_dequantize takes it.
    pub is_dequantizable: bool,
    /// Elements of one block.
    pub block_elements: u64,
    /// Bytes of one block.
    pub block_bytes: u64,
}

growing!(mkeep_tensor_type: block_bytes);

fn row(kind: TensorType) -> mkeep_tensor_type {
    mkeep_tensor_type {
        size: size_of::<mkeep_tensor_type>(),
        name: type_name(kind),
        code: kind.code(),
        is_dequantizable: kind.is_dequantizable(),
        block_elements: kind.block_elements().unwrap_or(0),
        block_bytes: kind.block_bytes().unwrap_or(0),
    }
}

/// Gets a type of tensors, of those that are known in the order of their numbers; false beyond the
/// last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_tensor_type_get(
    index: usize,
    found: *mut mkeep_tensor_type,
) -> bool {
    query(false, || match TensorType::all().nth(index) {
        // SAFETY: by the header's contract NULL or good for its use.
        Some(kind) => unsafe { fill(found, &row(kind)) },
        None => Ok(false),
    })
}

/// Writes the numbers of `row_count` rows of a tensor, from `first_row` on, to `numbers`, which has
/// room for exactly so many: `row_count * dims[0]`. Reads these rows and no others. The rows of all
/// dimensions but the first are counted through.
///
/// MKEEP_STATUS_UNSUPPORTED for a type that is not dequantizable, MKEEP_STATUS_INVALID_ARGUMENT for
/// rows or a tensor that are not there and for room of another size, MKEEP_STATUS_NOT_FOUND where
/// the data are not at hand.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_dequantize(
    gguf: *const mkeep_gguf,
    tensor: usize,
    first_row: u64,
    row_count: u64,
    numbers: *mut f32,
    len: usize,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let file = &borrow(gguf, "gguf")?.file;
            let numbers = slice_mut(numbers, len, "numbers")?;
            let view = file.view();
            let tensor = view.tensor(tensor).ok_or_else(no_tensor)?;
            let end = first_row.checked_add(row_count).ok_or_else(no_tensor)?;
            file.dequantize_into(&tensor, first_row..end, numbers)?;
            Ok(())
        })
    }
}

fn no_tensor() -> Fault {
    invalid("the file has no such tensor, or the tensor no such rows")
}
