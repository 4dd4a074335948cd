//! A reader of JSON, one event at a time, over bytes in memory.

use memchr::memchr2;

use super::text::{Quoted, is_field};
use super::{Decode, DecodeError};

/// The deepest nesting, of arrays and objects, that is read.
// encoding/json, maxNestingDepth
const DEEPEST: usize = 10_000;

/// A scalar, or the beginning or the end of what has parts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a str),
    Text(Quoted<'a>),
    Array,
    Object,
    /// The name of a member, whose value comes next.
    Key(Quoted<'a>),
    /// The end of the innermost array or object.
    End,
}

impl Event<'_> {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Event::Null => "null",
            Event::Bool(_) => "a bool",
            Event::Number(_) => "a number",
            Event::Text(_) | Event::Key(_) => "a string",
            Event::Array => "an array",
            Event::Object => "an object",
            Event::End => "nothing",
        }
    }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    ItemOrEnd,
    KeyOrEnd,
    CommaOrEnd,
}

/// The events of a text's first value. Memory is one byte for each level of nesting.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the value of the last event began.
    start: usize,
    /// The closing brackets of what is open.
    open: Vec<u8>,
    expected: Expected,
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns a number as an f64; one beyond its range is an error.
pub(super) fn float(digits: &str) -> Result<f64, DecodeError> {
    let value = digits.parse().ok().filter(|value: &f64| value.is_finite());
    value.ok_or_else(|| DecodeError::new(format!("{digits} is beyond 64 bits")))
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader {
            bytes,
            at: 0,
            start: 0,
            open: Vec::new(),
            expected: Expected::Value,
        }
    }

    /// Returns the offset just past the last event.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Reads the next event. After the first value has ended there is none to be read.
    pub(crate) fn next(&mut self) -> Result<Event<'a>, DecodeError> {
        let mut byte = self.peek()?;
        if self.open.last() == Some(&byte) && self.expected != Expected::Value {
            return Ok(self.close());
        }
        if self.expected == Expected::CommaOrEnd {
            self.expect(b',')?;
            byte = self.peek()?;
        }
        let in_object = self.open.last() == Some(&b'}');
        match self.expected {
            Expected::KeyOrEnd => self.key(),
            Expected::CommaOrEnd if in_object => self.key(),
            _ => self.value(byte),
        }
    }

    /// Reads past the value that begins with `first`; returns its bytes.
    pub(crate) fn skip(&mut self, first: Event<'_>) -> Result<&'a [u8], DecodeError> {
        let start = self.start;
        if matches!(first, Event::Array | Event::Object) {
            let depth = self.open.len();
            while self.open.len() >= depth {
                self.next()?;
            }
        }
        Ok(self.bytes.get(start..self.at).unwrap_or_default())
    }

    /// Hands every member of an object to `take`, which reads its value to the end; `null` has
    /// none.
    pub(crate) fn each_member(
        &mut self,
        first: Event<'_>,
        mut take: impl FnMut(&str, Event<'a>, &mut Self) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        match first {
            Event::Null => return Ok(()),
            Event::Object => {}
            other => return Err(DecodeError::mismatch(&other, "an object")),
        }
        while let Event::Key(key) = self.next()? {
            let key = key.decoded();
            let value = self.next()?;
            take(&key, value, self).map_err(|e| e.in_field(&key))?;
        }
        Ok(())
    }

    /// Decodes the members of an object into the places of `table`, by their names.
    pub(crate) fn fields(
        &mut self,
        first: Event<'_>,
        table: &mut [(&str, &mut dyn Decode)],
    ) -> Result<(), DecodeError> {
        self.each_member(first, |key, value, json| {
            let is_spelled = |wanted: &(&str, _)| wanted.0 == key;
            let at = table.iter().position(is_spelled);
            let at = at.or_else(|| table.iter().position(|(name, _)| is_field(key, name)));
            match at.and_then(|at| table.get_mut(at)) {
                Some((_, place)) => place.decode(value, json),
                None => json.skip(value).map(drop),
            }
        })
    }

    /// Returns the next byte that is no white space.
    fn peek(&mut self) -> Result<u8, DecodeError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let spaces = rest.iter().take_while(|byte| is_space(**byte)).count();
        self.at += spaces;
        rest.get(spaces)
            .copied()
            .ok_or_else(|| DecodeError::new("the text ends too early"))
    }

    fn expect(&mut self, byte: u8) -> Result<(), DecodeError> {
        if self.peek()? != byte {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    fn unexpected(&self) -> DecodeError {
        match self.bytes.get(self.at) {
            Some(byte) => {
                let byte = byte.escape_ascii();
                DecodeError::new(format!("unexpected '{byte}' at byte {}", self.at))
            }
            None => DecodeError::new("the text ends too early"),
        }
    }

    fn close(&mut self) -> Event<'a> {
        self.open.pop();
        self.at += 1;
        self.expected = Expected::CommaOrEnd;
        Event::End
    }

    fn key(&mut self) -> Result<Event<'a>, DecodeError> {
        self.peek()?;
        let key = self.quoted()?;
        self.expect(b':')?;
        self.expected = Expected::Value;
        Ok(Event::Key(key))
    }

    fn value(&mut self, byte: u8) -> Result<Event<'a>, DecodeError> {
        self.start = self.at;
        self.expected = Expected::CommaOrEnd;
        match byte {
            b'{' => self.open(b'}', Expected::KeyOrEnd, Event::Object),
            b'[' => self.open(b']', Expected::ItemOrEnd, Event::Array),
            b'"' => Ok(Event::Text(self.quoted()?)),
            b'n' => self.word("null", Event::Null),
            b't' => self.word("true", Event::Bool(true)),
            b'f' => self.word("false", Event::Bool(false)),
            _ => self.number(),
        }
    }

    fn open(
        &mut self,
        closing: u8,
        expected: Expected,
        event: Event<'a>,
    ) -> Result<Event<'a>, DecodeError> {
        if self.open.len() == DEEPEST {
            return Err(DecodeError::new("nested too deeply"));
        }
        self.open.push(closing);
        self.at += 1;
        self.expected = expected;
        Ok(event)
    }

    fn word(&mut self, word: &str, event: Event<'a>) -> Result<Event<'a>, DecodeError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.unexpected());
        }
        self.at += word.len();
        Ok(event)
    }

    fn number(&mut self) -> Result<Event<'a>, DecodeError> {
        let start = self.at;
        self.skip_if(b"-");
        // A number that begins with a zero ends with it, or goes on with its fraction.
        if !self.skip_if(b"0") {
            self.digits()?;
        }
        if self.skip_if(b".") {
            self.digits()?;
        }
        if self.skip_if(b"eE") {
            self.skip_if(b"+-");
            self.digits()?;
        }
        let digits = self.bytes.get(start..self.at).unwrap_or_default();
        let digits = std::str::from_utf8(digits).expect("signs and digits are ASCII");
        Ok(Event::Number(digits))
    }

    fn skip_if(&mut self, wanted: &[u8]) -> bool {
        let byte = self.bytes.get(self.at);
        let is_there = byte.is_some_and(|byte| wanted.contains(byte));
        self.at += usize::from(is_there);
        is_there
    }

    fn digits(&mut self) -> Result<(), DecodeError> {
        if !self.skip_if(b"0123456789") {
            return Err(self.unexpected());
        }
        while self.skip_if(b"0123456789") {}
        Ok(())
    }

    fn quoted(&mut self) -> Result<Quoted<'a>, DecodeError> {
        if !self.skip_if(b"\"") {
            return Err(self.unexpected());
        }
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let end = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            let plain = rest.get(..end).unwrap_or_default();
            // The least of all bytes is found sixteen at a time, the first of some kind is not.
            if plain.iter().fold(u8::MAX, |least, byte| least.min(*byte)) < b' ' {
                self.at += plain.iter().take_while(|byte| **byte >= b' ').count();
                return Err(self.unexpected());
            }
            self.at += end;
            match rest.get(end) {
                Some(b'"') => break,
                Some(_) => self.escape()?,
                None => return Err(self.unexpected()),
            }
        }
        let quoted = self.bytes.get(start..self.at).unwrap_or_default();
        self.at += 1;
        Ok(Quoted(quoted))
    }

    fn escape(&mut self) -> Result<(), DecodeError> {
        self.at += 1;
        if self.skip_if(b"\"\\/bfnrt") {
            return Ok(());
        }
        let is_unit = self.skip_if(b"u");
        for _ in 0..4 {
            if !is_unit || !self.skip_if(b"0123456789abcdefABCDEF") {
                return Err(self.unexpected());
            }
        }
        Ok(())
    }
}
