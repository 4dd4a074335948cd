//! Strings in JSON, with the escapes of Go's `encoding/json`, those for HTML among them.

/// Writes a string in its quotes. What needs no escape is copied in runs.
pub(super) fn write(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        // A character begins there.
        let (plain, after) = rest.split_at(plain_len(rest.as_bytes()));
        out.push_str(plain);
        let Some((escape, len)) = escape(after.as_bytes()) else {
            break;
        };
        out.push_str(escape);
        (_, rest) = after.split_at(len);
    }
    out.push('"');
}

/// Returns how many bytes at the beginning of a string stand as they are.
fn plain_len(text: &[u8]) -> usize {
    let mut start = 0;
    loop {
        let rest = text.get(start..).unwrap_or_default();
        let Some(found) = candidate(rest) else {
            return text.len();
        };
        match rest.get(found..).and_then(escape) {
            Some(_) => return start + found,
            None => start += found + 1,
        }
    }
}

/// How many bytes are looked at together.
const BLOCK: usize = 16;

/// Returns the place of the first byte at which an escaped character may begin.
fn candidate(text: &[u8]) -> Option<usize> {
    let (blocks, _) = text.as_chunks::<BLOCK>();
    // No branch for each byte, so that a compiler takes a block at once.
    let is_plain = |block: &&[u8; BLOCK]| {
        let found = |found, byte: &u8| found | is_candidate(*byte);
        !block.iter().fold(false, found)
    };
    let plain = blocks.iter().take_while(is_plain).count() * BLOCK;
    let rest = text.get(plain..)?;
    let found = rest
        .iter()
        .position(|byte| CANDIDATES[usize::from(*byte)])?;
    Some(plain + found)
}

static CANDIDATES: [bool; 256] = {
    let mut candidates = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        candidates[byte] = is_candidate(byte as u8);
        byte += 1;
    }
    candidates
};

const fn is_candidate(byte: u8) -> bool {
    let is_quote_or_ampersand = byte & !4 == b'"';
    let is_angle_bracket = byte & !2 == b'<';
    let may_separate_lines = byte == 0xe2;
    (byte < 0x20) | is_quote_or_ampersand | is_angle_bracket | (byte == b'\\') | may_separate_lines
}

/// Returns the escape of the character at the beginning of a text, if it has one, and how many bytes
/// the character takes.
fn escape(text: &[u8]) -> Option<(&'static str, usize)> {
    Some(match *text {
        [b'"', ..] => ("\\\"", 1),
        [b'\\', ..] => (r"\\", 1),
        [b'<', ..] => (r"\u003c", 1),
        [b'>', ..] => (r"\u003e", 1),
        [b'&', ..] => (r"\u0026", 1),
        [0xe2, 0x80, 0xa8, ..] => (r"\u2028", 3),
        [0xe2, 0x80, 0xa9, ..] => (r"\u2029", 3),
        [control, ..] => (CONTROLS.get(usize::from(control))?, 1),
        [] => return None,
    })
}

#[rustfmt::skip]
const CONTROLS: [&str; 32] = [
    r"\u0000", r"\u0001", r"\u0002", r"\u0003", r"\u0004", r"\u0005", r"\u0006", r"\u0007",
    r"\b",     r"\t",     r"\n",     r"\u000b", r"\f",     r"\r",     r"\u000e", r"\u000f",
    r"\u0010", r"\u0011", r"\u0012", r"\u0013", r"\u0014", r"\u0015", r"\u0016", r"\u0017",
    r"\u0018", r"\u0019", r"\u001a", r"\u001b", r"\u001c", r"\u001d", r"\u001e", r"\u001f",
];
