//! JSON as Go's decoder reads it: the one way in which text of the store and of requests is read.
//!
//! Names of fields match by Unicode's simple folding, of duplicates the last counts, `null` leaves
//! a scalar as it was, and what no field asks for is checked for its grammar only: numbers of any
//! size, nesting of up to 10,000. Nothing recurses on nesting that a file chooses.

mod any;
mod reader;
mod slice;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

pub(crate) use any::{Any, AnyRef, Kind};
pub(crate) use reader::{Event, Reader};
pub(crate) use slice::Slice;
pub(crate) use text::{Quoted, lossy, lower, upper};

/// Why JSON does not decode.
#[derive(Debug)]
pub struct DecodeError(String);

impl DecodeError {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        DecodeError(why.into())
    }

    fn mismatch(found: &Event<'_>, wanted: &str) -> Self {
        DecodeError(format!("{} instead of {wanted}", found.kind()))
    }

    fn in_field(self, field: &str) -> Self {
        DecodeError(format!("field {field:?}: {}", self.0))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

/// A place that a JSON value is decoded into. What it holds already counts, as in Go.
pub(crate) trait Decode {
    /// Takes the value that begins with `first`, to its end.
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError>;
}

/// Decodes the first value of `bytes`, as a stream's reader does: what follows is ignored. Returns
/// the offset just past the value.
pub(crate) fn first(bytes: &[u8], to: &mut dyn Decode) -> Result<usize, DecodeError> {
    let mut json = Reader::new(bytes);
    let event = json.next()?;
    to.decode(event, &mut json)?;
    Ok(json.offset())
}

/// Decodes `bytes`, which hold one value and white space.
pub(crate) fn whole(bytes: &[u8], to: &mut dyn Decode) -> Result<(), DecodeError> {
    let end = first(bytes, to)?;
    let rest = bytes.get(end..).unwrap_or_default();
    match rest.iter().all(|byte| reader::is_space(*byte)) {
        true => Ok(()),
        false => Err(DecodeError::new("bytes after the value")),
    }
}

/// Returns the JSON of every member of the object that `bytes` hold; `null` has none.
pub(crate) fn members(bytes: &[u8]) -> Result<BTreeMap<String, &[u8]>, DecodeError> {
    whole(bytes, &mut Unread)?;
    let mut json = Reader::new(bytes);
    let mut found = BTreeMap::new();
    let first = json.next()?;
    json.each_member(first, |key, value, json| {
        found.insert(key.to_owned(), json.skip(value)?);
        Ok(())
    })?;
    Ok(found)
}

/// A value that is checked for its grammar only.
struct Unread;

impl Decode for Unread {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        json.skip(first).map(drop)
    }
}

impl Decode for String {
    fn decode(&mut self, first: Event<'_>, _: &mut Reader<'_>) -> Result<(), DecodeError> {
        match first {
            Event::Null => {}
            Event::Text(text) => *self = text.decoded().into_owned(),
            other => return Err(DecodeError::mismatch(&other, "a string")),
        }
        Ok(())
    }
}

impl Decode for bool {
    fn decode(&mut self, first: Event<'_>, _: &mut Reader<'_>) -> Result<(), DecodeError> {
        match first {
            Event::Null => {}
            Event::Bool(value) => *self = value,
            other => return Err(DecodeError::mismatch(&other, "a bool")),
        }
        Ok(())
    }
}

impl Decode for i64 {
    fn decode(&mut self, first: Event<'_>, _: &mut Reader<'_>) -> Result<(), DecodeError> {
        set_integer(self, &first, "a 64-bit integer")
    }
}

impl Decode for u8 {
    // No sign at all: what is unsigned has no -0.
    fn decode(&mut self, first: Event<'_>, _: &mut Reader<'_>) -> Result<(), DecodeError> {
        set_integer(self, &first, "a byte")
    }
}

/// Sets an integer, and leaves it as it is where the value is null.
fn set_integer<T: FromStr>(to: &mut T, first: &Event<'_>, wanted: &str) -> Result<(), DecodeError> {
    match first {
        Event::Null => Ok(()),
        Event::Number(digits) => match digits.parse() {
            Ok(value) => {
                *to = value;
                Ok(())
            }
            Err(_) => Err(DecodeError::mismatch(first, wanted)),
        },
        _ => Err(DecodeError::mismatch(first, wanted)),
    }
}

impl Decode for f64 {
    fn decode(&mut self, first: Event<'_>, _: &mut Reader<'_>) -> Result<(), DecodeError> {
        match first {
            Event::Null => Ok(()),
            Event::Number(digits) => {
                *self = reader::float(digits)?;
                Ok(())
            }
            other => Err(DecodeError::mismatch(&other, "a number")),
        }
    }
}

/// A pointer: `null` clears it, anything else is decoded into what it leads to.
impl<T: Decode + Default> Decode for Option<T> {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        match first {
            Event::Null => {
                *self = None;
                Ok(())
            }
            first => self.get_or_insert_default().decode(first, json),
        }
    }
}

/// A map: `null` empties it, members are added, and a member's value is decoded afresh.
impl<T: Decode + Default> Decode for BTreeMap<String, T> {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        if matches!(first, Event::Null) {
            self.clear();
        }
        json.each_member(first, |key, value, json| {
            let mut member = T::default();
            member.decode(value, json)?;
            self.insert(key.to_owned(), member);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
