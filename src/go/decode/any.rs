//! A JSON value of any type: what Go decodes into an `interface{}`.

use serde_json::Value;

use super::{Decode, DecodeError, Event, Reader, reader};

/// A value in one piece, whatever its nesting: neither making nor printing nor dropping it
/// recurses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Any(Vec<Item>);

/// A scalar, or the beginning of what has parts, with the number of items in it, all levels told.
/// In an object a text stands before each value.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Array(usize),
    Object(usize),
}

/// A value inside an [`Any`]: its items come first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnyRef<'a>(&'a [Item]);

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Kind<'a> {
    Null,
    Bool(bool),
    /// Every number is an f64 to Go.
    Number(f64),
    Text(&'a str),
    Array(Vec<AnyRef<'a>>),
    /// By the bytes of their names; of duplicates the last.
    Object(Vec<(&'a str, AnyRef<'a>)>),
}

impl Default for Any {
    fn default() -> Self {
        Any(vec![Item::Null])
    }
}

impl Any {
    pub(crate) fn view(&self) -> AnyRef<'_> {
        AnyRef(&self.0)
    }
}

impl<'a> AnyRef<'a> {
    pub(crate) fn kind(self) -> Kind<'a> {
        let Some((first, parts)) = self.0.split_first() else {
            return Kind::Null;
        };
        match first {
            Item::Null => Kind::Null,
            Item::Bool(value) => Kind::Bool(*value),
            Item::Number(value) => Kind::Number(*value),
            Item::Text(text) => Kind::Text(text),
            Item::Array(count) => Kind::Array(values(parts, *count)),
            Item::Object(count) => Kind::Object(members(&values(parts, *count))),
        }
    }

    fn text(self) -> &'a str {
        match self.0.first() {
            Some(Item::Text(text)) => text,
            _ => "",
        }
    }
}

/// Returns the values, one after another, that `count` items make.
fn values(parts: &[Item], count: usize) -> Vec<AnyRef<'_>> {
    let mut values = Vec::new();
    let mut rest = parts.get(..count).unwrap_or(parts);
    while let Some(first) = rest.first() {
        values.push(AnyRef(rest));
        let parts = match first {
            Item::Array(count) | Item::Object(count) => *count,
            _ => 0,
        };
        rest = rest.get(1 + parts..).unwrap_or_default();
    }
    values
}

fn members<'a>(values: &[AnyRef<'a>]) -> Vec<(&'a str, AnyRef<'a>)> {
    let pairs = values.chunks_exact(2);
    let mut members: Vec<_> = pairs
        .filter_map(|pair| Some((pair.first()?.text(), *pair.last()?)))
        .rev()
        .collect();
    // Stable, from the last: the first of equal names is the one that counts.
    members.sort_by_key(|(name, _)| *name);
    members.dedup_by_key(|(name, _)| *name);
    members
}

impl Decode for Any {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        self.0.clear();
        let mut open = Vec::new();
        self.take(first, &mut open)?;
        while !open.is_empty() {
            let event = json.next()?;
            self.take(event, &mut open)?;
        }
        Ok(())
    }
}

impl Any {
    fn take(&mut self, event: Event<'_>, open: &mut Vec<usize>) -> Result<(), DecodeError> {
        let item = match event {
            Event::Null => Item::Null,
            Event::Bool(value) => Item::Bool(value),
            Event::Number(digits) => Item::Number(reader::float(digits)?),
            Event::Text(text) | Event::Key(text) => Item::Text(text.decoded().into_owned()),
            Event::Array => Item::Array(0),
            Event::Object => Item::Object(0),
            Event::End => {
                self.close(open.pop());
                return Ok(());
            }
        };
        if matches!(item, Item::Array(_) | Item::Object(_)) {
            open.push(self.0.len());
        }
        self.0.push(item);
        Ok(())
    }

    fn close(&mut self, start: Option<usize>) {
        let length = self.0.len();
        if let Some(start) = start
            && let Some(Item::Array(count) | Item::Object(count)) = self.0.get_mut(start)
        {
            *count = length - start - 1;
        }
    }

    /// Adds a value of the caller's; its nesting is the caller's, too.
    fn push(&mut self, value: &Value) {
        let start = self.0.len();
        match value {
            Value::Null => self.0.push(Item::Null),
            Value::Bool(value) => self.0.push(Item::Bool(*value)),
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                self.0.push(Item::Number(number));
            }
            Value::String(text) => self.0.push(Item::Text(text.clone())),
            Value::Array(items) => {
                self.0.push(Item::Array(0));
                items.iter().for_each(|item| self.push(item));
                self.close(Some(start));
            }
            Value::Object(fields) => {
                self.0.push(Item::Object(0));
                for (key, value) in fields {
                    self.0.push(Item::Text(key.clone()));
                    self.push(value);
                }
                self.close(Some(start));
            }
        }
    }
}

impl From<&Value> for Any {
    fn from(value: &Value) -> Self {
        let mut any = Any(Vec::new());
        any.push(value);
        any
    }
}
