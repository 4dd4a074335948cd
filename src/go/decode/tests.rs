use super::*;

fn text(bytes: &[u8]) -> Option<(String, usize)> {
    let mut text = String::from("before");
    let end = first(bytes, &mut text).ok()?;
    Some((text, end))
}

fn is_json(bytes: &[u8]) -> bool {
    whole(bytes, &mut Unread).is_ok()
}

#[test]
fn what_follows_the_first_value_is_ignored_and_never_by_a_whole_text() {
    for (bytes, end) in [
        ("{\"a\": 1} trailing", 8),
        (" [1,2]]", 6),
        ("nullx", 4),
        ("12x", 2),
        ("01", 1),
        ("\"a\"\"b\"", 3),
    ] {
        assert_eq!(
            first(bytes.as_bytes(), &mut Unread).unwrap(),
            end,
            "{bytes}"
        );
        assert!(!is_json(bytes.as_bytes()), "{bytes}");
        assert!(
            is_json(format!(" {} \n", &bytes[..end]).as_bytes()),
            "{bytes}"
        );
    }
}

#[test]
fn malformed_json_is_refused() {
    for bytes in [
        "",
        " \n",
        "{",
        "{\"a\":",
        "\u{feff}{}",
        "nul",
        "{'a':1}",
        "[1,]",
        "{\"a\":1,}",
        "[,1]",
        "{,}",
        "{\"a\" 1}",
        "{\"a\",1}",
        "[1 2]",
        "[1:2]",
        "{1:2}",
        "[}",
        "{]",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "[01]",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u123\"",
        "\"a",
        "\"\u{1}\"",
        "\"\n\"",
        "tru",
        "True",
        "\u{b}1",
        "\u{a0}1",
        "[1]]]",
        "--1",
        "1e5.5",
    ] {
        assert!(!is_json(bytes.as_bytes()), "{bytes:?}");
    }
}

#[test]
fn numbers_have_any_size_where_nobody_asks_for_them() {
    for digits in ["1e999", "-0", "-0.0E-0", "1E+5", &"9".repeat(400)] {
        assert!(is_json(format!("[{digits}]").as_bytes()), "{digits}");
    }
    for (digits, expected) in [
        ("-0", Some(0)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("1e2", None),
        ("1.0", None),
        ("-0.0", None),
        ("null", Some(7)),
        ("true", None),
        ("\"1\"", None),
    ] {
        let mut number = 7_i64;
        let found = first(digits.as_bytes(), &mut number).ok();
        assert_eq!(found.map(|_| number), expected, "{digits}");
    }
}

#[test]
fn nesting_is_bounded_at_ten_thousand() {
    let brackets = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let braces = |depth: usize| "{\"a\":".repeat(depth) + "0" + &"}".repeat(depth);
    for (nested, depth) in [(brackets(10_000), 10_000), (braces(10_000), 10_000)] {
        assert!(is_json(nested.as_bytes()), "{depth}");
        let mut any = Any::default();
        whole(nested.as_bytes(), &mut any).unwrap();
        assert_eq!(any.clone(), any);
    }
    assert!(!is_json(brackets(10_001).as_bytes()));
    assert!(!is_json(braces(10_001).as_bytes()));
}

#[test]
fn bad_bytes_and_halves_of_pairs_are_replaced_one_by_one() {
    let cases: [(&[u8], &str); 9] = [
        (b"x\xff\xfe", "x\u{fffd}\u{fffd}"),
        (b"\xe2\x82\\n", "\u{fffd}\u{fffd}\n"),
        (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
        (br"\ud800", "\u{fffd}"),
        (br"\ud800\ud83d\ude00\udc00x", "\u{fffd}\u{1f600}\u{fffd}x"),
        (br"\ud800A", "\u{fffd}A"),
        (br"\\ud800", r"\ud800"),
        (b"\\ud83d\xff", "\u{fffd}\u{fffd}"),
        (br#"\"\\\/\b\f\n\r\t\u00E9"#, "\"\\/\x08\x0c\n\r\t\u{e9}"),
    ];
    for (bytes, expected) in cases {
        let quoted = [b"\"", bytes, b"\""].concat();
        assert_eq!(
            text(&quoted),
            Some((expected.into(), quoted.len())),
            "{expected:?}"
        );
    }
}

#[test]
fn names_fold_by_unicode() {
    for (key, name, expected) in [
        ("SIZE", "size", true),
        ("\u{17f}ize", "size", true),
        ("\u{212a}ey", "key", true),
        ("s\u{130}ze", "size", false),
        ("s\u{131}ze", "size", false),
        ("sizes", "size", false),
        ("\u{e9}", "e", false),
    ] {
        assert_eq!(text::is_field(key, name), expected, "{key}");
    }
}

#[test]
fn lower_case_goes_letter_by_letter() {
    assert_eq!(lower("\u{39f}\u{3a3}"), "\u{3bf}\u{3c3}");
    assert_eq!(lower("\u{130}A\u{df}"), "ia\u{df}");
}

#[test]
fn a_duplicate_array_finds_the_items_of_the_first() {
    #[derive(Default)]
    struct Pair(String, String);
    impl Decode for Pair {
        fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
            json.fields(first, &mut [("a", &mut self.0), ("b", &mut self.1)])
        }
    }
    #[derive(Default)]
    struct Pairs(Slice<Pair>);
    impl Decode for Pairs {
        fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
            json.fields(first, &mut [("x", &mut self.0)])
        }
    }
    for (text, expected) in [
        (
            r#"{"x":[{"a":"1"},{"a":"2"}],"x":[{"b":"3"}],"x":[null,{}]}"#,
            "13|2|",
        ),
        (r#"{"x":[{"a":"1"}],"x":[],"x":[{}]}"#, "|"),
        (r#"{"x":[{"a":"1"}],"x":null,"x":[{}]}"#, "|"),
    ] {
        let mut pairs = Pairs::default();
        first(text.as_bytes(), &mut pairs).unwrap();
        let items = pairs.0.into_items().unwrap();
        let joined: String = items
            .iter()
            .map(|pair| format!("{}{}|", pair.0, pair.1))
            .collect();
        assert_eq!(joined, expected, "{text}");
    }
}

#[test]
fn of_duplicate_members_the_last_counts() {
    let mut any = Any::default();
    whole(br#"{"b":1,"a":[{}],"b":{"c":null}}"#, &mut any).unwrap();
    assert_eq!(
        crate::go::plain(any.view()),
        "map[a:[map[]] b:map[c:<nil>]]"
    );
    let found = members(br#" {"a": 1 ,"b":[ 2],"a":{"x":"}"}} "#).unwrap();
    let expected: [(&str, &[u8]); 2] = [("a", br#"{"x":"}"}"#), ("b", b"[ 2]")];
    assert_eq!(
        found,
        expected.map(|(key, raw)| (key.to_owned(), raw)).into()
    );
}
