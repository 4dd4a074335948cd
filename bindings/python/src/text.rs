//! Texts of a GGUF file as Python strings: a vocabulary has some 300,000 of them.
#![expect(
    unsafe_code,
    reason = "pyo3 has no way from characters to a string but by their UTF-8"
)]

use libc::wchar_t;
use modelkeep::gguf::Text;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Returns a text of a file. Bytes that are not UTF-8 become lone surrogates, as in file names, so
/// that no two texts become one and `text.encode("utf-8", "surrogateescape")` gives the bytes back.
pub(crate) fn text<'py>(py: Python<'py>, text: Text<'_>) -> PyResult<Bound<'py, PyString>> {
    Decoder::new().text(py, text)
}

/// Makes strings of many texts, as [`text`] does of one.
pub(crate) struct Decoder {
    /// Those of the text that is being read.
    characters: [wchar_t; SHORT],
}

/// Up to how many characters a text is short.
const SHORT: usize = 32;

impl Decoder {
    pub(crate) fn new() -> Self {
        let characters = [0; SHORT];
        Decoder { characters }
    }

    pub(crate) fn text<'py>(
        &mut self,
        py: Python<'py>,
        text: Text<'_>,
    ) -> PyResult<Bound<'py, PyString>> {
        let bytes = text.as_bytes();
        if bytes.is_ascii() {
            return PyString::from_bytes(py, bytes);
        }
        if let Some(characters) = self.decode_short(bytes) {
            return string_of(py, characters);
        }
        match text.as_str() {
            Some(text) => Ok(PyString::new(py, text)),
            None => {
                let bytes = PyBytes::new(py, bytes);
                let decoded = bytes.call_method1("decode", ("utf-8", "surrogateescape"))?;
                Ok(decoded.cast_into()?)
            }
        }
    }

    /// Returns the characters of a short text of UTF-8, in one pass; `None` for any other, and where a
    /// character takes four bytes.
    fn decode_short(&mut self, bytes: &[u8]) -> Option<&[wchar_t]> {
        let (mut rest, mut len) = (bytes, 0);
        while !rest.is_empty() {
            let (character, after) = decode_next(rest)?;
            *self.characters.get_mut(len)? = character;
            len += 1;
            rest = after;
        }
        self.characters.get(..len)
    }
}

/// Returns a string of known characters: Python takes half as long for them as for their UTF-8,
/// whose widest character it learns only at its end.
fn string_of<'py>(py: Python<'py>, characters: &[wchar_t]) -> PyResult<Bound<'py, PyString>> {
    let len = characters.len().cast_signed();
    // SAFETY: the interpreter copies the `len` characters, and returns a new reference to a string,
    // or NULL with an exception set.
    unsafe {
        let string = ffi::PyUnicode_FromWideChar(characters.as_ptr(), len);
        Ok(Bound::from_owned_ptr_or_err(py, string)?.cast_into_unchecked())
    }
}

// Unicode, table 3-7: well-formed byte sequences.
#[inline]
fn decode_next(bytes: &[u8]) -> Option<(wchar_t, &[u8])> {
    let low = |byte: u8| (byte & 0xc0 == 0x80).then_some(wchar_t::from(byte & 0x3f));
    match *bytes {
        [a @ ..=0x7f, ref rest @ ..] => Some((a.into(), rest)),
        [a @ 0xc2..=0xdf, b, ref rest @ ..] => Some((wchar_t::from(a & 0x1f) << 6 | low(b)?, rest)),
        [a @ 0xe0..=0xef, b, c, ref rest @ ..] => {
            let character = wchar_t::from(a & 0xf) << 12 | low(b)? << 6 | low(c)?;
            matches!(character, 0x800..=0xd7ff | 0xe000..).then_some((character, rest))
        }
        _ => None,
    }
}
