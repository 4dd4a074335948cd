//! SHA-256 digests: the names of blobs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Digest as _;

use crate::error::{Error, ErrorKind};
use crate::go::decode::Quoted;

/// A SHA-256 digest, 32 bytes.
///
/// Reads `sha256:` or `sha256-` and 64 hexadecimal digits of any case, and prints
/// `sha256:` with lower-case digits. Two spellings of one digest are equal.
///
/// ```
/// use modelkeep::Digest;
///
/// let digest: Digest = Digest::of(b"bytes").to_string().parse()?;
/// assert_eq!(digest, Digest::of(b"bytes"));
/// assert_eq!(digest.hex().len(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of bytes in memory. Costs one pass over them.
    ///
    /// ```
    /// use modelkeep::Digest;
    ///
    /// assert!(Digest::of(b"").to_string().starts_with("sha256:e3b0c442"));
    /// ```
    pub fn of(bytes: &[u8]) -> Self {
        Digest(sha2::Sha256::digest(bytes).into())
    }

    /// Returns every digest that a JSON text may mean: any 64 hexadecimal digits in a row, whatever
    /// is around them and however they are escaped, in order and each once. `None` where a row is so
    /// long that it is no digest.
    pub(crate) fn all_in(text: &[u8]) -> Option<Vec<Self>> {
        let text = Quoted(text).decoded();
        let (mut found, mut rest) = (Vec::new(), text.as_bytes());
        // Whatever is no digit in the next 64 bytes, a row of 64 begins behind the last of it.
        while let Some(next) = rest.first_chunk::<HEX_DIGITS>() {
            if let Some(last) = next.iter().rposition(|byte| nibble(*byte).is_none()) {
                rest = rest.get(last + 1..).unwrap_or_default();
                continue;
            }
            let end = rest.iter().position(|byte| nibble(*byte).is_none());
            let (row, behind) = rest.split_at(end.unwrap_or(rest.len()));
            if row.len() > 4 * HEX_DIGITS {
                return None;
            }
            found.extend(row.windows(HEX_DIGITS).filter_map(from_hex));
            rest = behind;
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    /// Returns the digest of 64 hexadecimal digits without a prefix.
    pub(crate) fn of_hex(digits: &str) -> Option<Self> {
        from_hex(digits.as_bytes())
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the 64 lower-case hexadecimal digits, without a prefix.
    pub fn hex(&self) -> String {
        self.after("")
    }

    /// Returns the hexadecimal digits after a prefix.
    pub(crate) fn after(&self, prefix: &str) -> String {
        let digit = |value: u8| {
            if value < 10 {
                b'0' + value
            } else {
                b'a' - 10 + value
            }
        };
        let mut digits = [0; HEX_DIGITS];
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 0xf)];
        }
        let digits = std::str::from_utf8(&digits).expect("digits are ASCII");
        let mut text = String::with_capacity(prefix.len() + HEX_DIGITS);
        text.push_str(prefix);
        text.push_str(digits);
        text
    }
}

/// Makes the digest of bytes that come in pieces.
#[derive(Clone, Debug, Default)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    /// Returns a hasher that has seen nothing.
    pub fn new() -> Self {
        Hasher::default()
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all pieces.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Digest(bytes)
    }
}

impl Digest {
    /// Reads a digest that the disk holds.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt), where [`FromStr`] blames the caller.
    pub(crate) fn stored(text: &str) -> Result<Self, Error> {
        let corrupt = || {
            Error::caused(
                ErrorKind::Corrupt,
                NO_DIGEST,
                MalformedDigest(text.to_owned()),
            )
        };
        parse(text).ok_or_else(corrupt)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            Error::caused(
                ErrorKind::InvalidDigest,
                NO_DIGEST,
                MalformedDigest(text.to_owned()),
            )
        })
    }
}

const NO_DIGEST: &str = "invalid digest format";

/// A text that is no digest.
#[derive(Debug)]
pub(crate) struct MalformedDigest(String);

impl fmt::Display for MalformedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for MalformedDigest {}

fn parse(text: &str) -> Option<Digest> {
    let hex = text
        .strip_prefix("sha256:")
        .or_else(|| text.strip_prefix("sha256-"))?;
    from_hex(hex.as_bytes())
}

/// The hexadecimal digits of a digest.
const HEX_DIGITS: usize = 64;

fn from_hex(digits: &[u8]) -> Option<Digest> {
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() {
        return None;
    }
    // What is no digit has bits that no digit has; one look at the end tells.
    let mut all = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (NIBBLES[usize::from(*high)], NIBBLES[usize::from(*low)]);
        all |= high | low;
        *byte = high << 4 | low & 0xf;
    }
    (all < 16).then_some(Digest(bytes))
}

/// What is no hexadecimal digit in [`NIBBLES`].
const NONE: u8 = 0xff;

/// The value of each byte as a hexadecimal digit.
const NIBBLES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        let [lower, upper] = [b"0123456789abcdef", b"0123456789ABCDEF"];
        values[lower[value] as usize] = value as u8;
        values[upper[value] as usize] = value as u8;
        value += 1;
    }
    values
};

fn nibble(digit: u8) -> Option<u8> {
    let value = NIBBLES[usize::from(digit)];
    (value != NONE).then_some(value)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.after("sha256:"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn every_spelling_reads_as_one_digest() {
        let colon: Digest = format!("sha256:{EMPTY}").parse().unwrap();
        let dash: Digest = format!("sha256-{}", EMPTY.to_uppercase()).parse().unwrap();
        assert_eq!((colon, colon.hex().as_str()), (dash, EMPTY));
        assert_eq!(Digest::of(b""), colon);
    }

    #[test]
    fn any_64_hexadecimal_digits_in_a_text_may_be_a_digest() {
        let expected: Digest = format!("sha256:{EMPTY}").parse().unwrap();
        let upper = EMPTY.to_uppercase();
        for text in [
            format!("SHA256:{EMPTY}"),
            format!("sha256_{upper} "),
            format!("sha256{EMPTY}"),
            format!("\"{EMPTY}\","),
            format!("0{EMPTY}f"),
            EMPTY.replace('e', r"\u0065"),
        ] {
            let found = Digest::all_in(text.as_bytes()).unwrap();
            assert!(found.contains(&expected), "{text}");
        }
        let cut = &EMPTY[1..];
        assert_eq!(
            Digest::all_in(format!("{cut} {cut}").as_bytes()),
            Some(vec![])
        );
        assert_eq!(Digest::all_in(EMPTY.repeat(5).as_bytes()), None);
    }

    #[test]
    fn anything_else_is_refused() {
        let cut = format!("sha256:{}", EMPTY.strip_suffix('5').unwrap());
        let odd = format!("sha256:{}g", EMPTY.strip_suffix('5').unwrap());
        for text in [
            "",
            "sha256:",
            "md5:00",
            EMPTY,
            &cut,
            &odd,
            "sha256:../../../etc/passwd",
        ] {
            let error = text.parse::<Digest>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidDigest, "{text}");
        }
    }
}
