//! The strings of an array in order, checked many at a time.

use std::borrow::Cow;

use super::array::Array;
use super::cursor::Cursor;
use super::value::Text;

/// The strings of an array, with U+FFFD for each byte that is not UTF-8. A vocabulary has some
/// 300,000 of a few bytes, so they are not checked one by one: whatever lies between two boundaries
/// of characters of a longer text that is UTF-8, lengths and all, is UTF-8.
pub(crate) struct Texts<'a> {
    cursor: Cursor<'a>,
    left: u64,
    checked: &'a str,
    /// Where the checked text begins.
    start: usize,
}

/// How many bytes are checked together.
const CHECKED: usize = 4096;

impl<'a> Array<'a> {
    /// Returns its strings; of an array of another type none.
    pub(crate) fn texts(&self) -> Texts<'a> {
        let is_text = self.element_type() == super::ValueType::Str;
        Texts {
            cursor: self.cursor(),
            left: if is_text { self.len() } else { 0 },
            checked: "",
            start: 0,
        }
    }
}

impl<'a> Texts<'a> {
    /// Returns the bytes of a place as they were checked.
    fn known(&self, at: usize, len: usize) -> Option<&'a str> {
        let start = at.checked_sub(self.start)?;
        self.checked.get(start..start.checked_add(len)?)
    }

    /// Checks what is at hand from a place on.
    fn check(&mut self, at: usize) {
        let rest = self.cursor.bytes().get(at..).unwrap_or_default();
        let next = rest.get(..CHECKED).unwrap_or(rest);
        self.checked = match simdutf8::compat::from_utf8(next) {
            Ok(text) => text,
            Err(error) => {
                let valid = next.get(..error.valid_up_to()).unwrap_or_default();
                str::from_utf8(valid).unwrap_or_default()
            }
        };
        self.start = at;
    }
}

impl<'a> Iterator for Texts<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        self.left = self.left.checked_sub(1)?;
        let len = self.cursor.u64().ok()?;
        let at = usize::try_from(self.cursor.position()).ok()?;
        let bytes = self.cursor.take(len).ok()?;
        if let Some(text) = self.known(at, bytes.len()) {
            return Some(text.into());
        }
        self.check(at);
        let text = self.known(at, bytes.len()).map(Cow::from);
        Some(text.unwrap_or_else(|| Text::new(bytes).lossy()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).ok();
        (0, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::{Endian, ValueType};

    fn array<'a>(texts: &[&[u8]], bytes: &'a mut Vec<u8>) -> Array<'a> {
        for text in texts {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(*text);
        }
        Array::new(ValueType::Str, texts.len() as u64, bytes, Endian::Little)
    }

    #[test]
    fn strings_are_those_that_are_read_one_by_one() {
        let long = "\u{e9}".repeat(CHECKED);
        let texts: [&[u8]; 9] = [
            b"plain",
            b"",
            "\u{2581}the".as_bytes(),
            // Each is half of a character, and only together they are one.
            b"\xc3",
            b"\xa9",
            b"a\xffb",
            long.as_bytes(),
            &[b'x'; 200],
            "\u{1f600}".as_bytes(),
        ];
        // Many times over, so that strings lie across whatever is checked together.
        let texts: Vec<&[u8]> = texts.iter().cycle().take(900).copied().collect();
        let mut bytes = Vec::new();
        let array = array(&texts, &mut bytes);
        let one_by_one = texts.iter().map(|text| Text::new(text).lossy());
        assert!(array.texts().eq(one_by_one));
    }

    #[test]
    fn what_is_cut_off_is_not_there() {
        let mut bytes = Vec::new();
        let whole = array(&[b"one", b"two"], &mut bytes).as_bytes().to_vec();
        for len in 0..=whole.len() {
            let cut = Array::new(ValueType::Str, 2, whole.get(..len).unwrap(), Endian::Little);
            assert_eq!(cut.texts().count(), len / 11, "{len}");
        }
    }
}
