//! The JSON text of every result: compact, with Ollama's escapes and number forms.

use std::fmt::{Display, LowerExp};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::ser::{Formatter, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// Returns the JSON text of `value`, byte for byte as Ollama writes it.
///
/// Compact. `<`, `>`, `&`, U+2028 and U+2029 are escaped; a float has its shortest form, with an
/// exponent below 1e-6 and from 1e21 on; NaN and the infinities are `null`.
///
/// ```
/// assert_eq!(modelkeep::json::to_string("a < b"), r#""a \u003c b""#);
/// ```
///
/// # Panics
/// Never for the types of this crate that hold no path: only a `Serialize` that itself fails, or a
/// map whose keys are not text, can make it.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> String {
    serialized(value).expect("results serialize, and a Vec takes every byte")
}

/// As [`to_string`], for values that hold paths.
///
/// # Errors
/// [`Unsupported`](ErrorKind::Unsupported) for a path that is not UTF-8: another one would be
/// wrong.
pub fn try_to_string<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serialized(value).map_err(|e| Error::caused(ErrorKind::Unsupported, "writing JSON", e))
}

/// Returns whether a text holds a part anywhere, as it would the name of a field in its quotes.
/// Decodes nothing.
pub(crate) fn mentions(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Returns the JSON text of paths; see [`try_to_string`].
///
/// # Errors
/// As [`try_to_string`].
pub fn of_paths(paths: &[PathBuf]) -> Result<String> {
    try_to_string(&Paths(paths))
}

fn serialized<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut text = Vec::with_capacity(256);
    value.serialize(&mut Serializer::with_formatter(&mut text, GoFormatter))?;
    Ok(String::from_utf8(text).expect("the serializer writes UTF-8"))
}

/// Writes a path as a text.
pub(crate) fn path<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => serializer.serialize_str(text),
        None => Err(S::Error::custom(format!(
            "the path {path:?} is not UTF-8, and JSON cannot carry it"
        ))),
    }
}

/// As [`path`], of one that need not be; without, null.
pub(crate) fn optional_path<S: serde::Serializer>(
    path: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => serializer.serialize_some(&PathText(path)),
        None => serializer.serialize_none(),
    }
}

/// As [`path`], for several.
pub(crate) fn paths<S: serde::Serializer>(
    paths: &[PathBuf],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| PathText(path)))
}

/// A path in JSON.
pub(crate) struct PathText<'a>(pub &'a Path);

impl Serialize for PathText<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        path(self.0, serializer)
    }
}

struct Paths<'a>(&'a [PathBuf]);

impl Serialize for Paths<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        paths(self.0, serializer)
    }
}

/// Go's `encoding/json` with its HTML escapes on.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        let size = value.abs();
        let is_plain = size == 0.0 || (1e-6..1e21).contains(&size);
        number(writer, is_plain, value)
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        let is_plain = size == 0.0 || (1e-6..1e21).contains(&size);
        number(writer, is_plain, value)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((before, escape, after)) = split_escape(rest) {
            writer.write_all(before.as_bytes())?;
            writer.write_all(escape.as_bytes())?;
            rest = after;
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Writes the shortest digits of a float, with an exponent unless it is to be plain. Rust writes
/// `1e21` where Go writes `1e+21`; negative exponents agree.
fn number<W: ?Sized + io::Write>(
    writer: &mut W,
    is_plain: bool,
    value: impl Display + LowerExp,
) -> io::Result<()> {
    if is_plain {
        return write!(writer, "{value}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => write!(writer, "{digits}e+{power}"),
        _ => writer.write_all(text.as_bytes()),
    }
}

/// Splits at the first character that Go escapes beyond what JSON asks for.
fn split_escape(text: &str) -> Option<(&str, &'static str, &str)> {
    let is_escaped = |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    let (before, found) = text.split_at(text.find(is_escaped)?);
    let mut after = found.chars();
    let escape = match after.next()? {
        '<' => r"\u003c",
        '>' => r"\u003e",
        '&' => r"\u0026",
        '\u{2028}' => r"\u2028",
        _ => r"\u2029",
    };
    Some((before, escape, after.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_escaped_like_the_reference() {
        let cases = [
            (
                "a<b>&\u{2028}\u{2029}c",
                r#""a\u003cb\u003e\u0026\u2028\u2029c""#,
            ),
            (
                "\u{0}\u{1f}\u{7f}\u{8}\u{c}\n\r\t\"\\/",
                r#""\u0000\u001f\u{7f}\b\f\n\r\t\"\\/""#,
            ),
            ("\u{e9}\u{1f600}\u{fffd}", "\"\u{e9}\u{1f600}\u{fffd}\""),
        ];
        for (text, expected) in cases {
            assert_eq!(to_string(text), expected.replace(r"\u{7f}", "\u{7f}"));
        }
    }

    #[test]
    fn floats_have_their_shortest_form_in_their_own_width() {
        let wide = [
            (0.1, "0.1"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-9, "1.5e-9"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-2.5e300, "-2.5e+300"),
            (-0.0, "-0"),
            (1.0, "1"),
            (f64::NAN, "null"),
            (f64::NEG_INFINITY, "null"),
        ];
        for (value, expected) in wide {
            assert_eq!(to_string(&value), expected);
        }
        let narrow = [
            (0.1_f32, "0.1"),
            (1e-6, "0.000001"),
            (9.9e-7, "9.9e-7"),
            (f32::MAX, "3.4028235e+38"),
        ];
        for (value, expected) in narrow {
            assert_eq!(to_string(&value), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_is_written_as_it_is_or_not_at_all() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let paths = |name: &[u8]| of_paths(&[PathBuf::from(OsStr::from_bytes(name))]);
        assert_eq!(paths(b"/caf\xc3\xa9").unwrap(), "[\"/caf\u{e9}\"]");
        for name in [&b"/caf\xe9"[..], b"/\xff\xfe/x", b"\xed\xa0\x80"] {
            let error = paths(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        }
    }

    #[test]
    fn the_text_is_compact_and_integers_are_exact() {
        let value = json!({"b": [1, null, true], "a": {"x": u64::MAX, "y": i64::MIN}});
        let expected =
            r#"{"a":{"x":18446744073709551615,"y":-9223372036854775808},"b":[1,null,true]}"#;
        assert_eq!(to_string(&value), expected);
    }
}
