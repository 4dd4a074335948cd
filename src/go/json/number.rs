//! Floats in JSON.

use crate::go::float::Decimal;

/// A float of either width.
pub(super) trait Float: zmij::Float {
    fn is_finite(self) -> bool;
    /// Returns whether Go prints it without an exponent.
    fn is_plain(self) -> bool;
}

macro_rules! float {
    ($($type:ty),*) => {$(
        impl Float for $type {
            fn is_finite(self) -> bool {
                <$type>::is_finite(self)
            }

            fn is_plain(self) -> bool {
                self == 0.0 || (1e-6..1e21).contains(&self.abs())
            }
        }
    )*};
}

float!(f32, f64);

/// Writes a float: its shortest digits, with an exponent below 1e-6 and from 1e21 on. What is no
/// number is `null`.
pub(super) fn write(out: &mut String, value: impl Float) {
    if !value.is_finite() {
        return out.push_str("null");
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    match (text.contains('e'), value.is_plain()) {
        // Most are, and stand as they are.
        (false, true) => out.push_str(text.strip_suffix(".0").unwrap_or(text)),
        (_, true) => out.push_str(&Decimal::parse(text).plain()),
        (_, false) => {
            let decimal = Decimal::parse(text);
            let (mantissa, power) = (decimal.mantissa(), decimal.power);
            out.push_str(&format!("{mantissa}e{power:+}"));
        }
    }
}
