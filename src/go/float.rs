//! Floats in decimal as Go prints them: as few digits as tell a float from all others of its width,
//! and where two such are equally near, those that end in an even digit. (The standard library takes
//! the larger.)

/// The digits of a finite float: `-12.5` is `125` and 1.
pub(super) struct Decimal {
    is_negative: bool,
    /// Without a point, and without zeros at either end but for zero itself.
    digits: String,
    /// The power of ten that the first digit stands for.
    pub power: i32,
}

impl Decimal {
    pub(super) fn of(value: impl zmij::Float) -> Self {
        Decimal::parse(zmij::Buffer::new().format_finite(value))
    }

    /// Reads a number with or without a sign, a point and an exponent.
    pub(super) fn parse(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let unsigned = mantissa.trim_start_matches('-');
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_start_matches('0');
        let first = all.len() - digits.len();
        let power = whole.len() as i32 - 1 - first as i32 + exponent.parse().unwrap_or(0);
        let (digits, power) = match digits.trim_end_matches('0') {
            "" => ("0", 0),
            digits => (digits, power),
        };
        Decimal {
            is_negative: unsigned.len() < mantissa.len(),
            digits: digits.to_owned(),
            power,
        }
    }

    fn sign(&self) -> &'static str {
        if self.is_negative { "-" } else { "" }
    }

    /// Returns the number without an exponent.
    pub(super) fn plain(&self) -> String {
        let (sign, digits) = (self.sign(), &self.digits);
        let Ok(power) = usize::try_from(self.power) else {
            let zeros = "0".repeat(self.power.unsigned_abs() as usize - 1);
            return format!("{sign}0.{zeros}{digits}");
        };
        match digits.split_at_checked(power + 1) {
            Some((_, "")) => format!("{sign}{digits}"),
            Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
            None => format!("{sign}{digits:0<width$}", width = power + 1),
        }
    }

    /// Returns the number less its power of ten: one digit, and a point before the others.
    pub(super) fn mantissa(&self) -> String {
        let (first, others) = self.digits.split_at(1);
        let point = if others.is_empty() { "" } else { "." };
        format!("{}{first}{point}{others}", self.sign())
    }
}
