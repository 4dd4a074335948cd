//! Texts of a GGUF file as Python strings: a vocabulary has some 300,000 of them.
#![expect(
    unsafe_code,
    reason = "pyo3 has no way from characters to a string but by their UTF-8"
)]

use modelkeep::gguf::Text;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// A text of a file. Bytes that are not UTF-8 become lone surrogates, as in file names, so that no
/// two texts become one and `text.encode("utf-8", "surrogateescape")` gives the bytes back.
pub(crate) fn text<'py>(py: Python<'py>, text: Text<'_>) -> PyResult<Bound<'py, PyString>> {
    if text.as_bytes().is_ascii() {
        return PyString::from_bytes(py, text.as_bytes());
    }
    match text.as_str() {
        Some(text) if text.len() <= SHORT => short(py, text),
        Some(text) => Ok(PyString::new(py, text)),
        None => {
            let bytes = PyBytes::new(py, text.as_bytes());
            let decoded = bytes.call_method1("decode", ("utf-8", "surrogateescape"))?;
            Ok(decoded.cast_into()?)
        }
    }
}

/// Up to how many bytes a text is short.
const SHORT: usize = 32;

/// A string of known characters: Python takes half as long for them as for their UTF-8, whose
/// widest character it learns only at its end.
fn short<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyString>> {
    let mut characters: [libc::wchar_t; SHORT] = [0; SHORT];
    let mut len = 0;
    for (slot, character) in characters.iter_mut().zip(text.chars()) {
        *slot = u32::from(character).cast_signed();
        len += 1;
    }
    // SAFETY: the first `len` items of `characters` are ours and set; the interpreter copies them,
    // and answers a new reference to a string, or NULL with an exception set.
    unsafe {
        let string = ffi::PyUnicode_FromWideChar(characters.as_ptr(), len);
        Ok(Bound::from_owned_ptr_or_err(py, string)?.cast_into_unchecked())
    }
}
