//! Values and text as Go's `fmt` package prints them.

use std::fmt::Write;

use crate::go::decode::{AnyRef, Kind};
use crate::go::float::Decimal;

/// Returns the verb `%q`: a double-quoted Go string; bytes that are not UTF-8 print as `\xNN`.
pub fn quote(bytes: impl AsRef<[u8]>) -> String {
    let mut text = String::from('"');
    for chunk in bytes.as_ref().utf8_chunks() {
        chunk
            .valid()
            .chars()
            .for_each(|c| push_quoted(&mut text, c));
        chunk
            .invalid()
            .iter()
            .for_each(|byte| push(&mut text, format_args!("\\x{byte:02x}")));
    }
    text.push('"');
    text
}

/// Returns the verb `%#U` of a character: `U+007D '}'`, without the quotes where it does not print.
pub fn code_point(c: char) -> String {
    let code = u32::from(c);
    if is_print(c) {
        format!("U+{code:04X} '{c}'")
    } else {
        format!("U+{code:04X}")
    }
}

/// Returns the verb `%v` of a decoded JSON value: `[1 a]`, `map[a:1 b:c]`, `<nil>`.
pub(crate) fn plain(value: AnyRef<'_>) -> String {
    print(value, &PLAIN)
}

/// Returns the verb `%#v` of a decoded JSON value: `[]interface {}{1, "a"}`, `<nil>`.
pub(crate) fn syntax(value: AnyRef<'_>) -> String {
    match value.kind() {
        Kind::Null => "<nil>".to_owned(),
        _ => print(value, &SYNTAX),
    }
}

/// Returns whether Go prints the character as it is: letters, marks, numbers, punctuation, symbols
/// and the ASCII space.
///
/// The standard library has the same rule inside `escape_debug`, in the Unicode version of the
/// compiler; after the first character of a text it escapes nothing else beyond the ASCII ones.
pub fn is_print(c: char) -> bool {
    match c {
        ' '..='~' => true,
        c if c.is_ascii() => false,
        c => ['-', c]
            .iter()
            .collect::<String>()
            .escape_debug()
            .eq(['-', c]),
    }
}

fn push_quoted(text: &mut String, c: char) {
    match c {
        '\x07' => text.push_str("\\a"),
        '\x08' => text.push_str("\\b"),
        '\x0c' => text.push_str("\\f"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\x0b' => text.push_str("\\v"),
        '"' | '\\' => text.extend(['\\', c]),
        c if is_print(c) => text.push(c),
        c => match u32::from(c) {
            code @ ..0x80 => push(text, format_args!("\\x{code:02x}")),
            code @ ..0x1_0000 => push(text, format_args!("\\u{code:04x}")),
            code => push(text, format_args!("\\U{code:08x}")),
        },
    }
}

/// How values stand in a text.
struct Style {
    null: &'static str,
    array: [&'static str; 2],
    object: [&'static str; 2],
    between: &'static str,
    string: fn(&mut String, &str),
}

const PLAIN: Style = Style {
    null: "<nil>",
    array: ["[", "]"],
    object: ["map[", "]"],
    between: " ",
    string: String::push_str,
};

const SYNTAX: Style = Style {
    null: "interface {}(nil)",
    array: ["[]interface {}{", "}"],
    object: ["map[string]interface {}{", "}"],
    between: ", ",
    string: |text, string| text.push_str(&quote(string)),
};

/// What is still to be printed.
enum Pending<'a> {
    Word(&'static str),
    Key(&'a str),
    Value(AnyRef<'a>),
}

/// Prints from a stack: the nesting of a value is a file's.
fn print(value: AnyRef<'_>, style: &Style) -> String {
    let mut text = String::new();
    let mut pending = vec![Pending::Value(value)];
    while let Some(next) = pending.pop() {
        match next {
            Pending::Word(word) => text.push_str(word),
            Pending::Key(key) => {
                (style.string)(&mut text, key);
                text.push(':');
            }
            Pending::Value(value) => push_value(&mut text, value.kind(), style, &mut pending),
        }
    }
    text
}

fn push_value<'a>(
    text: &mut String,
    value: Kind<'a>,
    style: &Style,
    pending: &mut Vec<Pending<'a>>,
) {
    let [opening, closing] = match value {
        Kind::Object(_) => style.object,
        _ => style.array,
    };
    let parts: Vec<_> = match value {
        Kind::Null => return text.push_str(style.null),
        Kind::Bool(truth) => return push(text, format_args!("{truth}")),
        Kind::Number(number) => return push_number(text, number),
        Kind::Text(string) => return (style.string)(text, string),
        Kind::Array(items) => items.into_iter().map(|item| (None, item)).collect(),
        Kind::Object(fields) => {
            let fields = fields.into_iter();
            fields.map(|(key, value)| (Some(key), value)).collect()
        }
    };
    text.push_str(opening);
    pending.push(Pending::Word(closing));
    for (at, (key, value)) in parts.into_iter().enumerate().rev() {
        pending.push(Pending::Value(value));
        pending.extend(key.map(Pending::Key));
        pending.extend((at > 0).then_some(Pending::Word(style.between)));
    }
}

/// Every JSON number is an f64 to Go: shortest digits, with an exponent of at least two digits
/// below 1e-4 and from 1e6 on.
fn push_number(text: &mut String, value: f64) {
    let decimal = Decimal::of(value);
    match decimal.power {
        power @ (..-4 | 6..) => {
            let (mantissa, sign) = (decimal.mantissa(), if power < 0 { '-' } else { '+' });
            let power = power.unsigned_abs();
            push(text, format_args!("{mantissa}e{sign}{power:02}"));
        }
        _ => text.push_str(&decimal.plain()),
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments)
        .expect("a String takes every text");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::go::decode::Any;
    use serde_json::json;

    #[test]
    fn strings_are_quoted_like_go() {
        let cases: [(&[u8], &str); 6] = [
            (b"abc", r#""abc""#),
            (
                b"a\"b\\c\n\t\x00\x7f\xc3\xa9",
                "\"a\\\"b\\\\c\\n\\t\\x00\\x7f\u{e9}\"",
            ),
            (b"\x07\x08\x0b\x0c\r`'", r#""\a\b\v\f\r`'""#),
            (
                "\u{a0}\u{ad}\u{2028}\u{e000}".as_bytes(),
                r#""\u00a0\u00ad\u2028\ue000""#,
            ),
            (
                "\u{1f600}\u{301}\u{10ffff}".as_bytes(),
                "\"\u{1f600}\u{301}\\U0010ffff\"",
            ),
            (b"a\xff\xfeb\xe2\x82", r#""a\xff\xfeb\xe2\x82""#),
        ];
        for (bytes, expected) in cases {
            assert_eq!(quote(bytes), expected);
        }
    }

    #[test]
    fn numbers_print_as_f64() {
        let cases = [
            (json!(4096), "4096"),
            (json!(131072), "131072"),
            (json!(123456.7), "123456.7"),
            (json!(999999), "999999"),
            (json!(1000000), "1e+06"),
            (json!(1234567.5), "1.2345675e+06"),
            (json!(123456789012_u64), "1.23456789012e+11"),
            (json!(9007199254740993_u64), "9.007199254740992e+15"),
            (json!(1e20), "1e+20"),
            (json!(1e100), "1e+100"),
            (json!(-245_777_903_432_188.62), "-2.4577790343218862e+14"),
            (json!(0.0001), "0.0001"),
            (json!(0.00001), "1e-05"),
            (json!(0.0), "0"),
            (json!(-0.0), "-0"),
            (json!(-1), "-1"),
        ];
        for (value, expected) in cases {
            let value = Any::from(&value);
            assert_eq!(
                (plain(value.view()).as_str(), syntax(value.view()).as_str()),
                (expected, expected)
            );
        }
    }

    #[test]
    fn nested_values_have_a_plain_and_a_syntax_form() {
        let cases = [
            (json!(null), "<nil>", "<nil>"),
            (json!(true), "true", "true"),
            (json!("a b"), "a b", r#""a b""#),
            (json!([]), "[]", "[]interface {}{}"),
            (json!({}), "map[]", "map[string]interface {}{}"),
            (
                json!([1, "a", null]),
                "[1 a <nil>]",
                r#"[]interface {}{1, "a", interface {}(nil)}"#,
            ),
            (
                json!({"b": "c", "a": [1]}),
                "map[a:[1] b:c]",
                r#"map[string]interface {}{"a":[]interface {}{1}, "b":"c"}"#,
            ),
        ];
        for (value, as_plain, as_syntax) in cases {
            let value = Any::from(&value);
            assert_eq!(
                (plain(value.view()).as_str(), syntax(value.view()).as_str()),
                (as_plain, as_syntax)
            );
        }
    }

    #[test]
    fn a_code_point_shows_itself_where_it_prints() {
        let forms = ['}', '\0', '\u{a0}', '\u{1f600}'].map(code_point);
        assert_eq!(
            forms,
            ["U+007D '}'", "U+0000", "U+00A0", "U+1F600 '\u{1f600}'"]
        );
    }
}
