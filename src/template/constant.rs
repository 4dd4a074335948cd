//! Constants inside an action: which numbers, characters and strings Go accepts.

use crate::go;

/// Judges a number that is no pair of a complex one.
pub(super) fn number(text: &str) -> Result<(), String> {
    let quoted = || go::quote(text);
    if text.strip_suffix('i').is_some_and(is_float) || is_integer(text) {
        return Ok(());
    }
    match is_float(text) {
        true if text.contains(['.', 'e', 'E', 'p', 'P']) => Ok(()),
        true => Err(format!("integer overflow: {}", quoted())),
        false => Err(format!("illegal number syntax: {}", quoted())),
    }
}

/// Judges `1+2i`.
pub(super) fn complex(text: &str) -> Result<(), String> {
    let (real, rest) = text.split_at(float_length(text));
    let (imaginary, rest) = rest.split_at(float_length(rest));
    let is_pair = imaginary.starts_with(['+', '-']) && rest == "i";
    let is_good = is_pair && is_float(real) && is_float(imaginary);
    is_good
        .then_some(())
        .ok_or_else(|| "syntax error scanning complex number".to_owned())
}

/// Judges `'x'`, quotes included.
pub(super) fn character(text: &str) -> Result<(), String> {
    let body = text.strip_prefix('\'').unwrap_or(text);
    match unquote_one(body, '\'') {
        None => Err("invalid syntax".to_owned()),
        Some((_, "'")) => Ok(()),
        Some(_) => Err(format!("malformed character constant: {text}")),
    }
}

/// Returns the value of a string constant in either kind of quotes: bytes, since `\xff` is one.
pub(super) fn string(text: &str) -> Result<Vec<u8>, String> {
    unquote(text).ok_or_else(|| "invalid syntax".to_owned())
}

fn unquote(text: &str) -> Option<Vec<u8>> {
    if let Some(raw) = text.strip_prefix('`') {
        let body = raw.strip_suffix('`')?;
        return Some(body.bytes().filter(|byte| *byte != b'\r').collect());
    }
    let mut rest = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut value = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (unit, after) = unquote_one(rest, '"')?;
        match unit {
            Unit::Byte(byte) => value.push(byte),
            Unit::Char(c) => value.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
        rest = after;
    }
    Some(value)
}

enum Unit {
    Byte(u8),
    Char(char),
}

/// Returns one character or escape, and what follows it.
fn unquote_one(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first != '\\' {
        return (first != quote).then_some((Unit::Char(first), chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let simple = match escape {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        '\'' | '"' if escape == quote => u8::try_from(quote).ok()?,
        'x' => return digits(rest, 2, 16).and_then(|(v, rest)| Some((byte(v)?, rest))),
        'u' => return digits(rest, 4, 16).and_then(|(v, rest)| Some((character_of(v)?, rest))),
        'U' => return digits(rest, 8, 16).and_then(|(v, rest)| Some((character_of(v)?, rest))),
        '0'..='7' => {
            return digits(&text[1..], 3, 8).and_then(|(v, rest)| Some((byte(v)?, rest)));
        }
        _ => return None,
    };
    Some((Unit::Byte(simple), rest))
}

fn digits(text: &str, count: usize, radix: u32) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let all_digits = digits.chars().all(|c| c.is_digit(radix));
    all_digits.then_some((u32::from_str_radix(digits, radix).ok()?, rest))
}

fn byte(value: u32) -> Option<Unit> {
    u8::try_from(value).ok().map(Unit::Byte)
}

fn character_of(value: u32) -> Option<Unit> {
    char::from_u32(value).map(Unit::Char)
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

/// Returns whether the text fits an i64 or, without a sign, a u64.
fn is_integer(text: &str) -> bool {
    let body = unsigned(text);
    let (radix, digits) = match body.as_bytes() {
        [b'0', b'b' | b'B', _, ..] => (2, &body[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &body[2..]),
        [b'0', b'x' | b'X', _, ..] => (16, &body[2..]),
        [b'0', ..] => (8, body),
        _ => (10, body),
    };
    if !underscores_separate(text) {
        return false;
    }
    let limit = match text.as_bytes().first() {
        Some(b'-') => i64::MIN.unsigned_abs(),
        Some(b'+') => i64::MAX.unsigned_abs(),
        _ => u64::MAX,
    };
    u64::from_str_radix(&digits.replace('_', ""), radix).is_ok_and(|value| value <= limit)
}

/// Returns whether the text is a decimal or hexadecimal float in range.
fn is_float(text: &str) -> bool {
    if !underscores_separate(text) {
        return false;
    }
    let text = text.replace('_', "");
    match unsigned(&text)
        .strip_prefix(['0'])
        .and_then(|rest| rest.strip_prefix(['x', 'X']))
    {
        Some(hexadecimal) => is_hexadecimal_float(hexadecimal),
        None => text.parse::<f64>().is_ok_and(f64::is_finite),
    }
}

/// Digits with at most one point, and an exponent of two, which is not optional.
fn is_hexadecimal_float(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['p', 'P']) else {
        return false;
    };
    let digits = mantissa.replacen('.', "", 1);
    let all = |text: &str, radix| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    all(&digits, 16) && all(unsigned(exponent), 10)
}

/// Underscores stand between digits, or between a base prefix and a digit.
fn underscores_separate(text: &str) -> bool {
    let body = unsigned(text).to_ascii_lowercase();
    let prefixed = ["0b", "0o", "0x"]
        .iter()
        .any(|prefix| body.starts_with(prefix));
    let radix = if body.starts_with("0x") { 16 } else { 10 };
    let mut before = if prefixed { '0' } else { '.' };
    for c in body.chars().skip(if prefixed { 2 } else { 0 }) {
        if (c == '_' && !before.is_digit(radix)) || (before == '_' && !c.is_digit(radix)) {
            return false;
        }
        before = c;
    }
    before != '_'
}

/// Returns how much of the text a scanner of floats takes.
fn float_length(text: &str) -> usize {
    let mut rest = unsigned(text);
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let (radix, exponent) = if hexadecimal {
        (16, ['p', 'P'])
    } else {
        (10, ['e', 'E'])
    };
    if hexadecimal {
        rest = &rest[2..];
    }
    let skip = |text: &str, radix| -> usize {
        text.find(|c: char| c != '_' && !c.is_digit(radix))
            .unwrap_or(text.len())
    };
    rest = &rest[skip(rest, radix)..];
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = &fraction[skip(fraction, radix)..];
    }
    if let Some(power) = rest.strip_prefix(exponent) {
        let power = unsigned(power);
        rest = &power[skip(power, 10)..];
    }
    text.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_go() {
        let good = [
            "0",
            "-0",
            "1_000",
            "0x_ff",
            "0b11",
            "0o17",
            "017",
            "1.5",
            ".5",
            "5.",
            "1e3",
            "1_0.5",
            "0x1p-2",
            "0x.8p1",
            "2i",
            "1.5i",
            "18446744073709551615",
            "-9223372036854775808",
        ];
        for text in good {
            assert_eq!(number(text), Ok(()), "{text}");
        }
        let bad = [
            ("1_", "illegal number syntax: \"1_\""),
            ("0x", "illegal number syntax: \"0x\""),
            (".", "illegal number syntax: \".\""),
            ("1e", "illegal number syntax: \"1e\""),
            ("1e999", "illegal number syntax: \"1e999\""),
            ("0x1.8", "illegal number syntax: \"0x1.8\""),
            ("0x1i", "illegal number syntax: \"0x1i\""),
            ("1__0", "illegal number syntax: \"1__0\""),
            ("089", "integer overflow: \"089\""),
            (
                "18446744073709551616",
                "integer overflow: \"18446744073709551616\"",
            ),
        ];
        for (text, expected) in bad {
            assert_eq!(number(text), Err(expected.to_owned()));
        }
    }

    #[test]
    fn complex_numbers_are_two_floats() {
        assert_eq!(complex("1+2i"), Ok(()));
        assert_eq!(complex("-1.5e3-0x1p1i"), Ok(()));
        for text in ["1i+2i", "1+i", "+-2i", "0b1+1i"] {
            assert_eq!(
                complex(text),
                Err("syntax error scanning complex number".to_owned())
            );
        }
    }

    #[test]
    fn characters_and_strings_know_go_escapes() {
        for text in [
            "'a'",
            r"'\''",
            r"'\x41'",
            r"'\377'",
            r"'\u00e9'",
            "'\u{e9}'",
        ] {
            assert_eq!(character(text), Ok(()), "{text}");
        }
        assert_eq!(character("''"), Err("invalid syntax".to_owned()));
        assert_eq!(character(r#"'\"'"#), Err("invalid syntax".to_owned()));
        assert_eq!(
            character("'ab'"),
            Err("malformed character constant: 'ab'".to_owned())
        );
        assert_eq!(
            string(r#""a\x41\101\t\"\u00e9\xff""#).unwrap(),
            b"aAA\t\"\xc3\xa9\xff"
        );
        assert_eq!(string("`a\\\rb`").unwrap(), b"a\\b");
        for text in [r#""\q""#, r#""\'""#, r#""\x4""#, r#""\400""#, r#""\ud800""#] {
            assert_eq!(string(text), Err("invalid syntax".to_owned()), "{text}");
        }
    }
}
