//! The metadata and the tensors of a shown model.

use std::ffi::c_char;
use std::ptr;

use engine::ShownTensor;

use crate::boundary::{get, query, text};
use crate::growing::{get_sized, growing};
use crate::pair::get_pair;
use crate::show::mkeep_show;
use crate::str::mkeep_str;
use crate::value::mkeep_value;

/// A tensor of a shown model, without its data.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_shown_tensor {
    /// `sizeof(mkeep_shown_tensor)`.
    pub size: usize,
    /// Its name, without a NUL after it.
    pub name: mkeep_str,
    /// The name of its type, as in `Q4_K`, without a NUL after it; `unknown` for types of the
    /// future.
    pub type_name: mkeep_str,
    /// Its dimensions in the order of the file; NULL for a scalar.
    pub dims: *const u64,
    /// How many dimensions.
    pub n_dims: usize,
}

growing!(mkeep_shown_tensor: n_dims);

impl From<&ShownTensor> for mkeep_shown_tensor {
    fn from(tensor: &ShownTensor) -> Self {
        let dims = tensor.shape.first();
        mkeep_shown_tensor {
            size: size_of::<Self>(),
            name: mkeep_str::borrowed(tensor.name.as_bytes()),
            type_name: mkeep_str::borrowed(tensor.r#type.as_bytes()),
            dims: dims.map_or(ptr::null(), |_| tensor.shape.as_ptr()),
            n_dims: tensor.shape.len(),
        }
    }
}

/// Gets a key-value pair of the metadata, in the order of keys, arrays whole; false beyond the
/// last. Of safetensors and remote models it is what stands in their place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_info(
    show: *const mkeep_show,
    index: usize,
    key: *mut mkeep_str,
    value: *mut mkeep_value,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_pair(show, key, value, |show| show.info.get(index).copied()) }
}

/// Gets a key-value pair of the metadata of the first projector; false beyond the last, and where
/// there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_projector_info(
    show: *const mkeep_show,
    index: usize,
    key: *mut mkeep_str,
    value: *mut mkeep_value,
) -> bool {
    let nth = |show: &mkeep_show| show.projector_info.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_pair(show, key, value, nth) }
}

/// Finds the value of a key of the metadata; false where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_find_info(
    show: *const mkeep_show,
    key: *const c_char,
    value: *mut mkeep_value,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    query(false, || unsafe {
        let key = text(key, "key")?;
        Ok(get(show, value, |show| {
            show.show.model_info.get(key).map(mkeep_value::from)
        }))
    })
}

/// Gets a tensor, in the order of the file; false beyond the last. Of safetensors models they are
/// there only where `verbose` was asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_show_tensor(
    show: *const mkeep_show,
    index: usize,
    tensor: *mut mkeep_shown_tensor,
) -> bool {
    let nth = |show: &mkeep_show| show.show.tensors.get(index).map(mkeep_shown_tensor::from);
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(show, tensor, nth) }
}
