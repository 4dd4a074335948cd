//! Counts and sizes for people: `7.2B`, `109.48M`, `2K`; `2.00 GB`.

/// A count of parameters in the reference's short form.
///
/// Billions with one decimal, millions with two, both without decimals where they are whole;
/// thousands without. Ties of the binary quotient go to the even digit.
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

/// A number of bytes in decimal units: `2.00 GB`, `17.00 kB`, `100 bytes`.
pub(crate) fn human_size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        1_000_000_000.. => (1e9, "GB"),
        1_000_000.. => (1e6, "MB"),
        1_000.. => (1e3, "kB"),
        _ => return format!("{bytes} bytes"),
    };
    // Only the leading digits are shown.
    format!("{:.2} {name}", bytes as f64 / unit)
}

#[cfg(test)]
mod tests {
    use super::{human_number, human_size};

    #[test]
    fn sizes_are_in_decimal_units() {
        let cases = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (17_000, "17.00 kB"),
            (1_250_000, "1.25 MB"),
            (2_580_000_000, "2.58 GB"),
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
}
