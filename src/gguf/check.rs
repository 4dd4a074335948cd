//! What can be checked only when the whole header is known.

use std::collections::HashSet;

use super::index::{Entry, Index, Span, Tensor};
use super::limits::{Data, Limits};
use super::parse_error::{ParseError, ParseErrorKind, place};
use super::tail::Tail;
use super::value_type::ValueType;
use super::walk::Seen;
use super::warning::{Warning, WarningCode};

/// The code of a thing that strict reading refuses and lenient reading warns of.
type Violation = (ParseErrorKind, WarningCode);

/// Checks the whole, and fills in what follows from it.
pub(super) fn validate(
    index: &mut Index,
    bytes: &[u8],
    file_size: u64,
    limits: &Limits,
    seen: &[(usize, Seen)],
) -> Result<(), ParseError> {
    let mut validator = Validator {
        bytes,
        strict: limits.is_strict(),
        data: limits.data,
        warnings: Vec::new(),
    };
    if index.endian == super::Endian::Big {
        validator.warn(WarningCode::BigEndian, String::new);
    }
    validator.values(&index.entries, seen);
    validator.keys(&index.entries)?;
    index.alignment = validator.alignment(&index.entries, index.endian, file_size)?;
    validator.names(&index.tensors)?;
    let end = index.header_len;
    index.data_offset = end
        .checked_next_multiple_of(index.alignment)
        .ok_or_else(|| {
            ParseError::new(
                ParseErrorKind::AlignmentInvalid,
                end,
                "the alignment leads beyond all files",
            )
        })?;
    index.parameter_count = validator.parameters(&index.tensors)?;
    validator.data(index, file_size)?;
    index.warnings = validator.warnings;
    let data_end = index.data_end();
    index.tail = data_end.and_then(|end| Tail::of(end, index.alignment, file_size));
    index
        .warnings
        .extend(index.tail.and_then(|tail| tail.unseen()));
    Ok(())
}

pub(super) struct Validator<'a> {
    bytes: &'a [u8],
    strict: bool,
    pub(super) data: Data,
    pub(super) warnings: Vec<Warning>,
}

const LONGEST_NAME: u64 = 65_535;

impl<'a> Validator<'a> {
    /// Adds a warning, one of each code; the first place counts.
    pub(super) fn warn(&mut self, code: WarningCode, path: impl FnOnce() -> String) {
        if self.is_new(code) {
            self.warnings.push(Warning::new(code, path()));
        }
    }

    pub(super) fn is_new(&self, code: WarningCode) -> bool {
        self.warnings.iter().all(|warning| warning.code() != code)
    }

    /// Refuses a violation where reading is strict, and warns of it where it is lenient.
    pub(super) fn refuse(
        &mut self,
        (kind, code): Violation,
        offset: u64,
        path: String,
        message: &str,
    ) -> Result<(), ParseError> {
        if self.strict {
            return Err(ParseError::new(kind, offset, message).at(path));
        }
        self.warn(code, || path);
        Ok(())
    }

    pub(super) fn slice(&self, span: Span) -> &'a [u8] {
        let range = usize::try_from(span.start)
            .ok()
            .zip(usize::try_from(span.end()).ok());
        range
            .and_then(|(start, end)| self.bytes.get(start..end))
            .unwrap_or_default()
    }

    fn path(&self, index: usize, entry: &Entry) -> String {
        place("kv", index, self.slice(entry.key))
    }

    fn values(&mut self, entries: &[Entry], seen: &[(usize, Seen)]) {
        for (index, seen) in seen {
            let Some(entry) = entries.get(*index) else {
                continue;
            };
            let path = self.path(*index, entry);
            let codes = [
                (seen.invalid_utf8, WarningCode::InvalidUtf8),
                (seen.nested, WarningCode::NestedArray),
                (seen.bad_bool, WarningCode::BadBool),
            ];
            for (_, code) in codes.iter().filter(|(is, _)| *is) {
                self.warn(*code, || path.clone());
            }
        }
    }

    fn keys(&mut self, entries: &[Entry]) -> Result<(), ParseError> {
        let mut seen = Names::new(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let key = self.slice(entry.key);
            let first = seen.insert(key);
            let plain = is_plain_key(key);
            if plain && first && entry.key.len <= LONGEST_NAME {
                continue;
            }
            let (offset, path) = (entry.key.start, self.path(index, entry));
            let empty = (ParseErrorKind::EmptyKey, WarningCode::EmptyKey);
            let long = (ParseErrorKind::KeyTooLong, WarningCode::KeyTooLong);
            let utf8 = (ParseErrorKind::InvalidUtf8, WarningCode::InvalidUtf8);
            let twice = (ParseErrorKind::DuplicateKey, WarningCode::DuplicateKey);
            if key.is_empty() {
                self.refuse(empty, offset, path, "an empty key")?;
            } else if entry.key.len > LONGEST_NAME {
                self.refuse(long, offset, path, "a key of more than 65,535 bytes")?;
            } else if std::str::from_utf8(key).is_err() {
                self.refuse(utf8, offset, path, "a key that is not UTF-8")?;
            } else if !first {
                self.refuse(twice, offset, path, "a key that was there before")?;
            } else {
                self.warn(WarningCode::KeyFormat, || path);
            }
        }
        Ok(())
    }

    fn alignment(
        &mut self,
        entries: &[Entry],
        endian: super::Endian,
        file_size: u64,
    ) -> Result<u64, ParseError> {
        const DEFAULT: u64 = 32;
        let is_alignment = |entry: &&Entry| self.slice(entry.key) == b"general.alignment";
        let Some(entry) = entries.iter().rev().find(is_alignment).copied() else {
            return Ok(DEFAULT);
        };
        let (offset, path) = (entry.value.start, "general.alignment".to_owned());
        let value = self
            .slice(entry.value)
            .first_chunk()
            .filter(|_| entry.value_type == ValueType::U32);
        let Some(bytes) = value else {
            let both = (ParseErrorKind::AlignmentType, WarningCode::AlignmentType);
            self.refuse(both, offset, path, "the alignment is not a u32")?;
            return Ok(DEFAULT);
        };
        let alignment = u64::from(match endian {
            super::Endian::Little => u32::from_le_bytes(*bytes),
            super::Endian::Big => u32::from_be_bytes(*bytes),
        });
        if !alignment.is_power_of_two() {
            let text = "the alignment is not a power of two";
            if alignment == 0 || alignment > file_size {
                return Err(
                    ParseError::new(ParseErrorKind::AlignmentInvalid, offset, text).at(path),
                );
            }
            let both = (
                ParseErrorKind::AlignmentInvalid,
                WarningCode::AlignmentInvalid,
            );
            self.refuse(both, offset, path, text)?;
        } else if alignment % 8 != 0 {
            self.warn(WarningCode::AlignmentNotMultipleOf8, || path);
        }
        Ok(alignment)
    }

    fn names(&mut self, tensors: &[Tensor]) -> Result<(), ParseError> {
        let mut seen = Names::new(tensors.len());
        for (index, tensor) in tensors.iter().enumerate() {
            let name = self.slice(tensor.name);
            let first = seen.insert(name);
            if first && !name.is_empty() && name.len() < 64 && name.is_ascii() {
                continue;
            }
            let offset = tensor.name.start;
            let path = self.tensor_path(index, tensor);
            let utf8 = (ParseErrorKind::InvalidUtf8, WarningCode::InvalidUtf8);
            let twice = (
                ParseErrorKind::DuplicateTensor,
                WarningCode::DuplicateTensor,
            );
            let empty = (ParseErrorKind::EmptyName, WarningCode::EmptyName);
            let long = (ParseErrorKind::NameTooLong, WarningCode::TensorNameLong);
            if name.is_empty() {
                self.refuse(empty, offset, path, "a tensor without a name")?;
            } else if tensor.name.len > LONGEST_NAME {
                self.refuse(long, offset, path, "a name of more than 65,535 bytes")?;
            } else if std::str::from_utf8(name).is_err() {
                self.refuse(utf8, offset, path, "a name that is not UTF-8")?;
            } else if !first {
                self.refuse(twice, offset, path, "a name that was there before")?;
            } else if tensor.name.len >= 64 {
                self.warn(WarningCode::TensorNameLong, || path);
            }
        }
        Ok(())
    }

    fn parameters(&mut self, tensors: &[Tensor]) -> Result<u64, ParseError> {
        let mut sum = 0_u64;
        for (at, tensor) in tensors.iter().enumerate() {
            // Each product was checked when the tensor was read.
            let elements = tensor.dims.elements().unwrap_or(0);
            sum = sum.checked_add(elements).ok_or_else(|| {
                let text = "the sum of all elements overflows";
                ParseError::new(ParseErrorKind::DimOverflow, tensor.name.start, text)
                    .at(self.tensor_path(at, tensor))
            })?;
        }
        Ok(sum)
    }
}

/// Names that were seen. A file decides how many there are, so comparing each with each would be
/// a trap; the hash is seeded, so that a file cannot aim at it.
struct Names<'a> {
    seen: HashSet<&'a [u8], foldhash::fast::RandomState>,
}

impl<'a> Names<'a> {
    fn new(count: usize) -> Self {
        Names {
            seen: HashSet::with_capacity_and_hasher(count, foldhash::fast::RandomState::default()),
        }
    }

    /// Returns whether the name is new.
    fn insert(&mut self, name: &'a [u8]) -> bool {
        self.seen.insert(name)
    }
}

/// `lower_snake.dotted` ASCII, as the format's description has it.
fn is_plain_key(key: &[u8]) -> bool {
    let plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
    !key.is_empty() && key.iter().all(plain)
}
