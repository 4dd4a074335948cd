//! The JSON text of every result: compact, with Ollama's escapes and number forms.

mod number;
mod text;
mod writer;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::ser::Error as _;

use writer::Writer;

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
    serialized(value).expect("results serialize")
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
    memchr::memmem::find(text, part).is_some()
}

/// Returns the JSON text of paths; see [`try_to_string`].
///
/// # Errors
/// As [`try_to_string`].
pub fn of_paths(paths: &[PathBuf]) -> Result<String> {
    try_to_string(&Paths(paths))
}

fn serialized<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut writer = Writer(String::with_capacity(4096));
    value.serialize(&mut writer)?;
    Ok(writer.0)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::go::float::Decimal;
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

    /// The first lies in the middle of two; Go 1.26 prints the even one.
    #[test]
    fn floats_are_printed_as_go_prints_them() {
        let wide = [
            (-245_777_903_432_188.62, "-245777903432188.62"),
            (123_456_789_012_345_680.0, "123456789012345680"),
            (1.5e20, "150000000000000000000"),
            (1.5e-6, "0.0000015"),
            (9.5e-6, "0.0000095"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        ];
        for (value, expected) in wide {
            assert_eq!(to_string(&value), expected);
        }
        assert_eq!(to_string(&437_797.12_f32), "437797.12");
    }

    #[test]
    fn a_float_reads_back_from_as_few_digits_as_the_standard_library_takes() {
        let mut bits = 1_u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let wide = f64::from_bits(bits);
            let text = to_string(&wide);
            if wide.is_finite() {
                assert_eq!(text.parse(), Ok(wide));
                let digits = |text: &str| Decimal::parse(text).mantissa().len();
                assert_eq!(digits(&text), digits(&wide.to_string()), "{text}");
            }
        }
    }

    #[test]
    fn an_escape_is_found_at_every_place_of_a_text() {
        for character in [
            '"', '\\', '\u{1f}', '<', '&', '\u{2028}', '\u{2027}', '\u{7f}', 'e',
        ] {
            for before in 0..40 {
                for after in [0, 1, 20] {
                    let text = "x".repeat(before) + &character.to_string() + &"y".repeat(after);
                    let written = to_string(&text);
                    assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
                    let is_escaped = !matches!(character, '\u{2027}' | '\u{7f}' | 'e');
                    assert_eq!(written.contains('\\'), is_escaped, "{written}");
                }
            }
        }
    }

    #[test]
    fn every_shape_of_a_value_is_written() {
        use std::collections::BTreeMap;
        #[derive(Serialize)]
        enum Kind {
            Unit,
            Newtype(u8),
            Tuple(u8, char),
            Struct { a: Option<u8>, b: () },
        }
        let kinds = [Kind::Unit, Kind::Newtype(1), Kind::Tuple(2, '<')];
        let fields = Kind::Struct { a: None, b: () };
        assert_eq!(
            to_string(&(kinds, fields, Some(-1_i8), u128::MAX)),
            r#"[["Unit",{"Newtype":1},{"Tuple":[2,"\u003c"]}],{"Struct":{"a":null,"b":null}},-1,340282366920938463463374607431768211455]"#
        );
        let keys = BTreeMap::from([(-1, [0_u8; 0].as_slice()), (2, &[3])]);
        assert_eq!(to_string(&keys), r#"{"-1":[],"2":[3]}"#);
        assert!(serialized(&BTreeMap::from([(None::<&str>, 1)])).is_err());
    }

    #[test]
    fn what_is_json_already_is_written_as_it_is() {
        /// As serde_json serializes a number where a program turns on `arbitrary_precision`.
        #[derive(Serialize)]
        #[serde(rename = "$serde_json::private::Number")]
        struct Number {
            #[serde(rename = "$serde_json::private::Number")]
            digits: &'static str,
        }
        let number = Number { digits: "1.00" };
        assert_eq!(to_string(&[number, Number { digits: "2" }]), "[1.00,2]");
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
