//! Walking over values without keeping them.
//!
//! This is where the time of opening a file goes: a vocabulary holds a million strings. A string
//! costs one load and one addition; UTF-8 is checked over runs of strings instead of one by one. A
//! length below 2^7 in each of its bytes is ASCII, and ASCII cannot lie inside a longer sequence,
//! so a run of strings with such lengths between them is UTF-8 if and only if each string is.

use super::cursor::{Cursor, Endian, Read};
use super::limits::Limits;
use super::parse_error::ParseErrorKind;
use super::value_type::ValueType;

/// What was seen on the way and is no fault.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    pub invalid_utf8: bool,
    pub nested: bool,
    pub bad_bool: bool,
}

/// Returns the type and the length of an array, unchecked but for the type.
pub(super) fn array_head(cursor: &mut Cursor<'_>) -> Read<(ValueType, u64)> {
    let start = cursor.clone();
    let code = cursor.u32()?;
    let kind = ValueType::from_code(code).ok_or_else(|| {
        start.fault(
            ParseErrorKind::BadArrayType,
            format!("element type {code} does not exist"),
        )
    })?;
    Ok((kind, cursor.u64()?))
}

/// Returns the bytes of elements that were checked when the file was opened.
pub(super) fn elements<'a>(cursor: &mut Cursor<'a>, kind: ValueType, len: u64) -> Read<&'a [u8]> {
    let before = cursor.rest();
    let start = cursor.position();
    Walker::new(&Limits::lenient()).elements(cursor, kind, len)?;
    let length = usize::try_from(cursor.position() - start).unwrap_or(usize::MAX);
    Ok(before.get(..length).unwrap_or_default())
}

/// Walks over values and checks them against limits.
pub(super) struct Walker<'l> {
    limits: &'l Limits,
    pub seen: Seen,
}

impl<'l> Walker<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Walker {
            limits,
            seen: Seen::default(),
        }
    }

    /// Returns a string; its length is checked before it is used.
    pub(super) fn string<'a>(&mut self, cursor: &mut Cursor<'a>) -> Read<&'a [u8]> {
        let start = cursor.clone();
        let length = cursor.u64()?;
        if length > cursor.remaining() || length > self.limits.string_bytes {
            let text = format!(
                "a string of {length} bytes, {} are left",
                cursor.remaining()
            );
            return Err(start.fault(ParseErrorKind::LengthOutOfBounds, text).into());
        }
        cursor.take(length)
    }

    /// Walks over one value of a type, array or not.
    pub(super) fn value(&mut self, cursor: &mut Cursor<'_>, kind: ValueType) -> Read<()> {
        match kind {
            ValueType::Str => {
                let bytes = self.string(cursor)?;
                self.seen.invalid_utf8 |= !is_utf8(bytes);
                Ok(())
            }
            ValueType::Array => {
                let (kind, len) = self.head(cursor)?;
                self.elements(cursor, kind, len)
            }
            ValueType::Bool => self.bools(cursor, 1),
            number => cursor.skip(number.least()),
        }
    }

    /// Returns the head of an array, its length compared with what is left.
    pub(super) fn head(&mut self, cursor: &mut Cursor<'_>) -> Read<(ValueType, u64)> {
        let start = cursor.clone();
        let (kind, len) = array_head(cursor)?;
        let least = len.checked_mul(kind.least());
        if len > self.limits.array_elements || least.is_none_or(|least| least > cursor.remaining())
        {
            let (name, left) = (kind.name(), cursor.remaining());
            let text = format!("an array of {len} {name}, {left} bytes are left");
            return Err(start.fault(ParseErrorKind::ArrayTooLarge, text).into());
        }
        Ok((kind, len))
    }

    /// Walks over the elements of an array. Arrays in arrays are walked with a stack of our own:
    /// what a file says must not decide how deep we recurse.
    pub(super) fn elements(
        &mut self,
        cursor: &mut Cursor<'_>,
        kind: ValueType,
        len: u64,
    ) -> Read<()> {
        let mut pending = Vec::new();
        let (mut kind, mut left) = (kind, len);
        loop {
            match kind {
                ValueType::Array if left > 0 => {
                    self.seen.nested = true;
                    pending.push(left - 1);
                    if pending.len() >= self.limits.array_depth {
                        let text = format!("arrays deeper than {}", self.limits.array_depth);
                        return Err(cursor.fault(ParseErrorKind::NestingTooDeep, text).into());
                    }
                    (kind, left) = self.head(cursor)?;
                    continue;
                }
                ValueType::Array => {}
                ValueType::Str => self.strings(cursor, left)?,
                ValueType::Bool => self.bools(cursor, left)?,
                number => cursor.skip(left.saturating_mul(number.least()))?,
            }
            match pending.pop() {
                Some(more) => (kind, left) = (ValueType::Array, more),
                None => return Ok(()),
            }
        }
    }

    fn bools(&mut self, cursor: &mut Cursor<'_>, count: u64) -> Read<()> {
        let start = cursor.clone();
        let bytes = cursor.take(count)?;
        match bytes.iter().position(|byte| *byte > 1) {
            Some(_) if self.limits.is_strict() => Err(start
                .fault(ParseErrorKind::BadBool, "a bool that is neither 0 nor 1")
                .into()),
            bad => {
                self.seen.bad_bool |= bad.is_some();
                Ok(())
            }
        }
    }

    fn strings(&mut self, cursor: &mut Cursor<'_>, count: u64) -> Read<()> {
        match cursor.endian {
            Endian::Little => self.strings_by(cursor, count, u64::from_le_bytes),
            Endian::Big => self.strings_by(cursor, count, u64::from_be_bytes),
        }
    }

    fn strings_by(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: u64,
        number: impl Fn([u8; 8]) -> u64,
    ) -> Read<()> {
        let all = cursor.rest();
        let mut run = Run::new(all);
        let mut rest = all;
        for index in 0..count {
            let item = rest.split_first_chunk().and_then(|(prefix, tail)| {
                let length = number(*prefix);
                let bytes = usize::try_from(length)
                    .ok()
                    .filter(|_| length <= self.limits.string_bytes)?;
                Some((length, tail.split_at_checked(bytes)?))
            });
            let Some((length, (text, tail))) = item else {
                let walked = offset_of(all, rest);
                cursor.seek(offset_of(cursor.bytes(), rest));
                let stop = self.string(cursor).err().unwrap_or_else(|| cursor.short(0));
                return Err(stop.at(format_args!("element {index}")).expecting(
                    cursor,
                    // As if the rest of the array were like what was seen of it, and a bit more.
                    (walked as u64).saturating_mul(count - index) / index.max(1) * 17 / 16,
                ));
            };
            if length & 0x8080_8080_8080_8080 != 0 {
                run.alone(rest.len(), text, tail.len());
            } else if run.is_long(tail.len()) {
                run.end(tail.len());
            }
            rest = tail;
        }
        run.end(rest.len());
        self.seen.invalid_utf8 |= !run.valid;
        cursor.seek(offset_of(cursor.bytes(), rest));
        Ok(())
    }
}

fn is_utf8(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// Returns where a tail of `all` begins.
fn offset_of(all: &[u8], tail: &[u8]) -> usize {
    all.len() - tail.len()
}

/// A run of strings that is checked at once. Positions are counted from the end.
struct Run<'a> {
    all: &'a [u8],
    from: usize,
    valid: bool,
}

/// Short enough that the bytes are still in the nearest cache when they are checked.
const RUN: usize = 16 << 10;

impl<'a> Run<'a> {
    fn new(all: &'a [u8]) -> Self {
        Run {
            all,
            from: all.len(),
            valid: true,
        }
    }

    fn is_long(&self, left: usize) -> bool {
        self.from - left >= RUN
    }

    /// Checks what is between the last end and `left` bytes before the end of all.
    fn end(&mut self, left: usize) {
        let (from, to) = (self.all.len() - self.from, self.all.len() - left);
        self.valid &= self.all.get(from..to).is_some_and(is_utf8);
        self.from = left;
    }

    /// Checks a string by itself, because its length is no ASCII.
    fn alone(&mut self, before: usize, text: &[u8], after: usize) {
        self.end(before);
        self.valid &= is_utf8(text);
        self.from = after;
    }
}
