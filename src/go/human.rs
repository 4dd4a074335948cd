//! What people read: counts as `7.2B`, `109.48M`, `2K`, sizes as `2.00 GB`, and text from files in
//! which nothing steers a terminal or hides from the eye.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns a count of parameters in Ollama's short form.
///
/// Billions with one decimal, millions with two, both without decimals where they are whole;
/// thousands without. Ties of the binary quotient go to the even digit.
///
/// ```
/// assert_eq!(modelkeep::human_number(8_030_261_248), "8.0B");
/// ```
pub fn human_number(count: u64) -> String {
    let (unit, letter, decimals) = match count {
        1_000_000_000.. => (1e9, 'B', 1),
        1_000_000.. => (1e6, 'M', 2),
        1_000.. => (1e3, 'K', 0),
        _ => return count.to_string(),
    };
    // Only the leading digits are shown: losing the last bits of a huge count is the rule.
    let quotient = count as f64 / unit;
    let decimals = if quotient.fract() == 0.0 { 0 } else { decimals };
    format!("{quotient:.decimals$}{letter}")
}

/// Returns a number of bytes for people, in decimal units with two decimals, as the command prints
/// it.
///
/// ```
/// assert_eq!(modelkeep::human_size(2_019_393_189), "2.02 GB");
/// assert_eq!(modelkeep::human_size(100), "100 B");
/// ```
pub fn human_size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        1_000_000_000_000_000_000.. => (1e18, "EB"),
        1_000_000_000_000_000.. => (1e15, "PB"),
        1_000_000_000_000.. => (1e12, "TB"),
        1_000_000_000.. => (1e9, "GB"),
        1_000_000.. => (1e6, "MB"),
        1_000.. => (1e3, "kB"),
        _ => return format!("{bytes} B"),
    };
    // Only the leading digits are shown.
    format!("{:.2} {name}", bytes as f64 / unit)
}

/// Returns the text with every character escaped that is not to be seen: controls, line ends
/// included, and what changes the direction or the look of its neighbors. `\n`, `\r`, `\t`, and
/// `\u{1b}` for the others. What was escaped once stays as it is.
///
/// ```
/// assert_eq!(modelkeep::printable("a\u{1b}[31m"), "a\\u{1b}[31m");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            hidden if is_hidden(hidden) => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(hidden));
            }
            seen => escaped.push(seen),
        }
    }
    Cow::Owned(escaped)
}

/// Whether a character is a control, a separator of lines, a format character, or a letter without
/// a shape.
// Unicode 17, UnicodeData.txt: general categories Cc, Cf, Zl, Zp; the fillers of Hangul, and the
// invisible vowels and selectors of Khmer and Mongolian, DerivedCoreProperties.txt
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_decimal_units() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (999_999, "1000.00 kB"),
            (17_000, "17.00 kB"),
            (1_250_000, "1.25 MB"),
            (2_580_000_000, "2.58 GB"),
            (4_000_000_000_000, "4.00 TB"),
            (u64::MAX, "18.45 EB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(human_size(bytes), expected);
        }
    }

    #[test]
    fn counts_round_like_the_reference() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1K"),
            (1_500, "2K"),
            (2_500, "2K"),
            (999_999, "1000K"),
            (1_000_000, "1M"),
            (1_250_000, "1.25M"),
            (999_999_999, "1000.00M"),
            (1_000_000_000, "1B"),
            (1_050_000_000, "1.1B"),
            (1_250_000_000, "1.2B"),
            (8_030_261_248, "8.0B"),
            (u64::MAX, "18446744073.7B"),
        ];
        for (count, expected) in cases {
            assert_eq!(human_number(count), expected, "{count}");
        }
    }

    #[test]
    fn what_steers_a_terminal_or_hides_is_escaped() {
        let cases = [
            ("llama 3.2 (8B)", "llama 3.2 (8B)"),
            ("\u{1b}]52;c;ZXZpbA==\u{7}", "\\u{1b}]52;c;ZXZpbA==\\u{7}"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("c1 \u{9b}31m \u{7f}", "c1 \\u{9b}31m \\u{7f}"),
            ("\u{202e}gpj.exe\u{2069}", "\\u{202e}gpj.exe\\u{2069}"),
            (
                "a\u{200b}b\u{2028}c\u{feff}",
                "a\\u{200b}b\\u{2028}c\\u{feff}",
            ),
            ("tag \u{e0041}", "tag \\u{e0041}"),
            (
                "\u{fc}ml\u{e4}ut \u{4e2d}\u{6587}",
                "\u{fc}ml\u{e4}ut \u{4e2d}\u{6587}",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(printable(text), expected);
            assert_eq!(printable(expected), expected);
        }
    }
}
