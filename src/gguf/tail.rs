//! What follows the last tensor.

use super::sniff::sniff;
use super::warning::{Warning, WarningCode};

/// A file that does not end where its last tensor does, padded or not.
#[derive(Clone, Copy)]
pub(super) struct Tail {
    /// Where the data of the last tensor end.
    from: u64,
    /// The same, padded.
    padded: u64,
    file_size: u64,
}

/// How many bytes after the last tensor are looked at.
const LOOKED_AT: u64 = 64 << 10;

impl Tail {
    /// Returns what needs a look, where data end; `None` where nothing does.
    pub(super) fn of(from: u64, alignment: u64, file_size: u64) -> Option<Self> {
        let padded = from.checked_next_multiple_of(alignment)?;
        let tail = Tail {
            from,
            padded,
            file_size,
        };
        (file_size > from && file_size != padded).then_some(tail)
    }

    /// Returns the place and the number of the bytes that are worth a look.
    pub(super) fn range(&self) -> (u64, u64) {
        let rest = self.file_size - self.from;
        (self.from, rest.min(LOOKED_AT))
    }

    /// Returns a warning of what is beyond the padding, unseen.
    pub(super) fn unseen(&self) -> Option<Warning> {
        let beyond = self.file_size.checked_sub(self.padded)?;
        Some(warning(beyond, None))
    }

    /// Returns a warning of what was seen: the bytes of [`range`](Self::range), or the first of
    /// them. Padding that is cut short is none.
    pub(super) fn seen(&self, bytes: &[u8]) -> Option<Warning> {
        let padding = usize::try_from(self.padded - self.from).unwrap_or(usize::MAX);
        let (padding, rest) = bytes.split_at_checked(padding).unwrap_or((bytes, &[]));
        let is_padded = padding.iter().all(|byte| *byte == 0);
        let (start, seen) = if is_padded {
            (self.padded, rest)
        } else {
            (self.from, bytes)
        };
        let count = self.file_size.checked_sub(start).filter(|n| *n > 0)?;
        let found = another_gguf(seen).map(|at| {
            let at = start.saturating_add(at as u64);
            format!("another GGUF begins at byte {at:#x}")
        });
        let found = found.or_else(|| {
            let format = sniff(seen).filter(|_| !seen.is_empty())?;
            Some(format!("they are {format}"))
        });
        Some(warning(count, found))
    }
}

fn warning(count: u64, found: Option<String>) -> Warning {
    let found = found.map_or(String::new(), |found| format!("; {found}"));
    let message = format!("{count} bytes after the last tensor{found}");
    Warning::saying(WarningCode::TrailingBytes, String::new(), message)
}

/// Returns where a header begins: the magic and a version, in either byte order.
fn another_gguf(bytes: &[u8]) -> Option<usize> {
    bytes.windows(8).position(|window| {
        matches!(
            window,
            [b'G', b'G', b'U', b'F', 1..=3, 0, 0, 0] | [b'G', b'G', b'U', b'F', 0, 0, 0, 1..=3]
        )
    })
}
