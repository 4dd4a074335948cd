//! Tensors, and models whose tensors are in several files.

use std::ffi::c_char;
use std::ptr;

use engine::GgufParts;
use engine::gguf::{Gguf, TensorInfo};

use crate::boundary::{borrow, free, out, output, path, query, with};
use crate::gguf::{mkeep_gguf, mkeep_gguf_options};
use crate::growing::{fill, get_sized, growing, options};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::str::mkeep_str;
use crate::type_names::{self, type_name};

/// A tensor.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_tensor {
    /// `sizeof(mkeep_tensor)`.
    pub size: usize,
    /// Its name, without a NUL after it.
    pub name: mkeep_str,
    /// The name of its type, as in `Q4_K`, with a NUL; `unknown` for one whose size is not known.
    pub type_name: mkeep_str,
    /// The number of its type.
    pub r#type: u32,
    /// How many dimensions: four at most, eight where reading is lenient.
    pub n_dims: u32,
    /// Its data; NULL where the file is not mapped or ends before they do, and where the type is
    /// not known.
    pub data: *const u8,
    /// Its dimensions, the fastest-varying first; 1 beyond the last.
    pub dims: [u64; 8],
    /// Where its data begin, in bytes from the beginning of the file.
    pub offset: u64,
    /// The bytes of its data; 0 where the type is not known.
    pub n_bytes: u64,
}

growing!(mkeep_tensor: n_bytes);

fn tensor(gguf: Gguf<'_>, tensor: TensorInfo<'_>) -> mkeep_tensor {
    let mut dims = [1; 8];
    dims.iter_mut()
        .zip(tensor.dims)
        .for_each(|(to, from)| *to = *from);
    let data = gguf.tensor_data(&tensor);
    mkeep_tensor {
        size: size_of::<mkeep_tensor>(),
        name: mkeep_str::borrowed(tensor.name.as_bytes()),
        type_name: type_name(tensor.tensor_type),
        r#type: tensor.tensor_type.code(),
        n_dims: u32::try_from(tensor.dims.len()).unwrap_or(0),
        dims,
        offset: tensor.offset,
        n_bytes: tensor.size.unwrap_or(0),
        data: data.map_or(ptr::null(), <[u8]>::as_ptr),
    }
}

/// Returns how many tensors there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_tensor_count(gguf: *const mkeep_gguf) -> usize {
    // SAFETY: by the header's contract NULL or a live file.
    unsafe { with(gguf, 0, |gguf| gguf.file.view().tensor_count()) }
}

/// Gets a tensor; false beyond the last. Costs nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_tensor(
    gguf: *const mkeep_gguf,
    index: usize,
    found: *mut mkeep_tensor,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe {
        get_sized(gguf, found, |gguf| {
            let gguf = gguf.file.view();
            Some(tensor(gguf, gguf.tensor(index)?))
        })
    }
}

/// The parts of a split model, open and in order. A file that is whole is a model of one part.
pub struct mkeep_parts {
    parts: GgufParts,
    /// For each tensor its part, and its place there.
    places: Vec<(usize, usize)>,
}

impl From<GgufParts> for mkeep_parts {
    fn from(parts: GgufParts) -> Self {
        type_names::prepare();
        let counts = parts.parts().iter().map(|part| part.view().tensor_count());
        let places = counts.enumerate();
        let places = places
            .flat_map(|(part, count)| (0..count).map(move |at| (part, at)))
            .collect();
        mkeep_parts { parts, places }
    }
}

impl mkeep_parts {
    fn tensor(&self, index: usize) -> Option<(usize, mkeep_tensor)> {
        let &(part, at) = self.places.get(index)?;
        let gguf = self.parts.parts().get(part)?.view();
        Some((part, tensor(gguf, gguf.tensor(at)?)))
    }
}

/// Opens all parts of a split model, given the path of any of them: they are side by side and are
/// called `NAME-00001-of-00003.gguf`. `options` are those of mkeep_gguf_open, and may be NULL.
///
/// MKEEP_STATUS_FILE_NOT_FOUND where a part is missing, MKEEP_STATUS_INVALID_GGUF where they do not
/// belong together; otherwise as mkeep_gguf_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_parts_open(
    file: *const c_char,
    options: *const mkeep_gguf_options,
    parts: *mut *mut mkeep_parts,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (file, parts) = (path(file, "file")?, output(parts)?);
            let opened = GgufParts::open(file, &self::options(options)?.read()?)?;
            out(parts, mkeep_parts::from(opened));
            Ok(())
        })
    }
}

/// Returns how many parts there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_parts_count(parts: *const mkeep_parts) -> usize {
    // SAFETY: by the header's contract NULL or live parts.
    unsafe { with(parts, 0, |parts| parts.parts.parts().len()) }
}

/// Makes a reference to a part, to be freed by mkeep_gguf_free; NULL beyond the last. The first
/// part has the metadata of the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_parts_gguf(
    parts: *const mkeep_parts,
    index: usize,
) -> *mut mkeep_gguf {
    // SAFETY: by the header's contract NULL or live parts.
    unsafe {
        with(parts, ptr::null_mut(), |parts| {
            let part = parts.parts.parts().get(index).cloned();
            part.map_or(ptr::null_mut(), |part| {
                Box::into_raw(Box::new(mkeep_gguf::from(part)))
            })
        })
    }
}

/// Returns how many tensors all parts have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_parts_tensor_count(parts: *const mkeep_parts) -> usize {
    // SAFETY: by the header's contract NULL or live parts.
    unsafe { with(parts, 0, |parts| parts.places.len()) }
}

/// Returns the sum of the elements of all tensors of all parts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_parts_parameter_count(parts: *const mkeep_parts) -> u64 {
    // SAFETY: by the header's contract NULL or live parts.
    unsafe { with(parts, 0, |parts| parts.parts.parameter_count()) }
}

/// Gets a tensor of those of all parts, and the number of its part from 0; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_parts_tensor(
    parts: *const mkeep_parts,
    index: usize,
    part: *mut usize,
    found: *mut mkeep_tensor,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    query(false, || unsafe {
        let (parts, part) = (borrow(parts, "parts")?, output(part)?);
        let Some((number, tensor)) = parts.tensor(index) else {
            return Ok(false);
        };
        let is_filled = fill(found, &tensor)?;
        if is_filled {
            part.write(number);
        }
        Ok(is_filled)
    })
}

/// Frees the parts. References to a single part keep it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_parts_free(parts: *mut mkeep_parts) {
    // SAFETY: by the header's contract NULL or live parts that are given up.
    unsafe { free(parts) }
}
