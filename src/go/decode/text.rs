//! The strings of JSON, and text of any bytes.

use std::borrow::Cow;

/// What stands between the quotes of a string whose grammar is checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted<'a>(pub &'a [u8]);

impl<'a> Quoted<'a> {
    /// Returns the string, with U+FFFD for each byte that is not UTF-8 and for each escaped half of
    /// a surrogate pair that lacks its other half.
    pub(crate) fn decoded(self) -> Cow<'a, str> {
        match std::str::from_utf8(self.0) {
            Ok(text) if !text.contains('\\') => Cow::Borrowed(text),
            _ => Cow::Owned(unescaped(self.0)),
        }
    }
}

fn unescaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (plain, escape) = rest.split_at(at);
        push_lossy(&mut text, plain);
        let (c, length) = escaped(escape);
        text.push(c);
        rest = escape.get(length..).unwrap_or_default();
    }
    push_lossy(&mut text, rest);
    text
}

/// Returns the character of the escape that `bytes` begin with, and the escape's length.
fn escaped(bytes: &[u8]) -> (char, usize) {
    let c = match bytes.get(1) {
        Some(b'u') => return unit_pair(bytes),
        Some(b'b') => '\x08',
        Some(b'f') => '\x0c',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(byte) => char::from(*byte),
        None => char::REPLACEMENT_CHARACTER,
    };
    (c, 2)
}

fn unit_pair(bytes: &[u8]) -> (char, usize) {
    let second = bytes.get(6..).and_then(unit);
    let units = [unit(bytes), second].into_iter().flatten();
    match char::decode_utf16(units).next() {
        Some(Ok(c)) => (c, 6 * c.len_utf16()),
        _ => (char::REPLACEMENT_CHARACTER, 6),
    }
}

/// Returns the number of an escape `\uXXXX`.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.get(..6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Returns the text with U+FFFD for each byte that is not UTF-8, as Go prints it.
pub(crate) fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| {
        let mut text = String::with_capacity(e.as_bytes().len());
        push_lossy(&mut text, e.as_bytes());
        text
    })
}

fn push_lossy(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}

/// Returns the text in lower case, letter by letter: a final sigma is a sigma like any other, and
/// a letter becomes one letter.
pub(crate) fn lower(text: &str) -> String {
    // The one letter whose full mapping has two: I with a dot above.
    let letter = |c: char| c.to_lowercase().next().unwrap_or(c);
    text.chars().map(letter).collect()
}

/// Returns the text in upper case, letter by letter: a letter becomes one letter or stays.
pub(crate) fn upper(text: &str) -> String {
    let letter = |c: char| match (c.to_uppercase().next(), c.to_uppercase().len()) {
        (Some(upper), 1) => upper,
        _ => c,
    };
    text.chars().map(letter).collect()
}

/// Returns whether a field of the file is the field `name`, an ASCII word: in any case, and by
/// Unicode's simple folding, in which two letters beyond ASCII are `s` and `k`.
pub(crate) fn is_field(key: &str, name: &str) -> bool {
    if key.is_ascii() {
        return key.eq_ignore_ascii_case(name);
    }
    let folded = key.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    });
    folded.eq(name.chars().map(|c| c.to_ascii_lowercase()))
}
