//! New values, checked by the type that they are to have.

use std::fmt::Display;

use super::super::owned::{OwnedArray, OwnedValue};
use super::super::value_type::ValueType;
use super::NewValue;
use crate::error::{Error, ErrorKind, Result};

/// What a value is: of an array, what its elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(ValueType),
    Array(ValueType),
}

impl Kind {
    pub(super) fn of(value: &OwnedValue) -> Self {
        match value {
            OwnedValue::Array(array) => Kind::Array(array.element),
            scalar => Kind::Scalar(scalar.value_type()),
        }
    }
}

/// Returns a new value of the type that is stated or, where none is, of the kind that the key has
/// in the file.
pub(super) fn value(
    key: &str,
    new: &NewValue,
    stated: Option<ValueType>,
    known: Option<Kind>,
) -> Result<OwnedValue> {
    let made = match new {
        NewValue::Typed(value) => typed(value.clone(), stated, known),
        NewValue::Untyped(value) if known.is_none() => Ok(value.clone().narrowed()),
        NewValue::Untyped(value) => typed(value.clone(), stated, known),
        NewValue::Text(text) => read(text, stated, known),
    };
    made.map_err(|text| {
        let text = format!("setting {key}: {text}");
        Error::new(ErrorKind::InvalidArgument, text)
    })
}

fn typed(
    value: OwnedValue,
    stated: Option<ValueType>,
    known: Option<Kind>,
) -> Result<OwnedValue, String> {
    match value {
        OwnedValue::Array(array) => {
            let element = match (stated, known) {
                (None, Some(Kind::Scalar(kind))) => {
                    return Err(format!(
                        "it is a {kind}; to make it an array, state the type of the elements"
                    ));
                }
                (None | Some(ValueType::Array), Some(Kind::Array(element))) => element,
                (None | Some(ValueType::Array), _) => array.element,
                (Some(element), _) => element,
            };
            elements(array.items, element)
        }
        value => {
            let to = match (stated, known) {
                (Some(ValueType::Array), _) | (None, Some(Kind::Array(_))) => {
                    return Err("it is an array; give a list of its elements".to_owned());
                }
                (Some(to), _) | (None, Some(Kind::Scalar(to))) => to,
                (None, None) => value.value_type(),
            };
            scalar(value, to)
        }
    }
}

fn elements(items: Vec<OwnedValue>, element: ValueType) -> Result<OwnedValue, String> {
    let items = items.into_iter().enumerate();
    let items = items.map(|(at, item)| {
        let nested = element == ValueType::Array && item.value_type() == element;
        match nested {
            true => Ok(item),
            false => scalar(item, element).map_err(|text| format!("element {at}: {text}")),
        }
    });
    let items = items.collect::<Result<Vec<_>, String>>()?;
    Ok(OwnedArray::new(element, items).into())
}

/// Reads what somebody has typed.
fn read(text: &str, stated: Option<ValueType>, known: Option<Kind>) -> Result<OwnedValue, String> {
    let is_list = match (stated, known) {
        (None, Some(Kind::Array(_))) | (Some(ValueType::Array), _) => true,
        (Some(ValueType::Str), _) | (None, _) => false,
        (Some(_), _) => text.trim_start().starts_with('['),
    };
    if is_list {
        return typed(list(text)?, stated, known);
    }
    let to = match (stated, known) {
        (Some(to), _) | (None, Some(Kind::Scalar(to))) => to,
        _ if may_be_else(text) => {
            return Err(format!(
                "the key is new, and {text:?} may be a text or not: state its type (--type str)"
            ));
        }
        _ => ValueType::Str,
    };
    parse(text, to)
}

/// Returns whether a text may be meant as something that is no text.
fn may_be_else(text: &str) -> bool {
    let text = text.trim();
    let is_word = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    is_word || list(text).is_ok() || text.parse::<f64>().is_ok()
}

fn parse(text: &str, to: ValueType) -> Result<OwnedValue, String> {
    let trimmed = text.trim();
    let value = match to {
        ValueType::Str => Some(OwnedValue::from(text)),
        ValueType::Bool => trimmed.parse::<bool>().ok().map(OwnedValue::from),
        ValueType::F32 => trimmed.parse::<f32>().ok().map(OwnedValue::from),
        ValueType::F64 => trimmed.parse::<f64>().ok().map(OwnedValue::from),
        ValueType::Array => None,
        integer => {
            let number = trimmed.parse::<i128>().ok();
            return number.map_or_else(|| Err(not(text, to)), |number| of_integer(number, integer));
        }
    };
    value.ok_or_else(|| not(text, to))
}

fn not(text: &str, to: ValueType) -> String {
    match to {
        ValueType::Bool => format!("{text:?} is neither true nor false"),
        _ => format!("{text:?} is no {to}"),
    }
}

/// Reads a JSON array.
fn list(text: &str) -> Result<OwnedValue, String> {
    use serde_json::Value;
    let items: Vec<Value> = serde_json::from_str(text)
        .map_err(|e| format!("it is an array, and {text:?} is no JSON array: {e}"))?;
    let items = items.into_iter().enumerate().map(|(at, item)| match item {
        Value::Bool(value) => Ok(value.into()),
        Value::String(text) => Ok(text.into()),
        Value::Number(number) => {
            let integer = number.as_u64().map(OwnedValue::from);
            let integer = integer.or_else(|| number.as_i64().map(OwnedValue::from));
            let number = integer.or_else(|| number.as_f64().map(OwnedValue::from));
            number.ok_or_else(|| format!("element {at} is too large"))
        }
        _ => Err(format!(
            "element {at} is neither a number, a text nor a bool"
        )),
    });
    let items = items.collect::<Result<Vec<OwnedValue>, String>>()?;
    let element = common(&items);
    elements(items, element)
}

/// Returns the type that gguf-py gives to elements whose type nobody states.
fn common(items: &[OwnedValue]) -> ValueType {
    let is_all = |of: fn(&OwnedValue) -> bool| items.iter().all(of);
    if is_all(|item| scalar(item.clone(), ValueType::I32).is_ok()) {
        ValueType::I32
    } else if is_all(|item| scalar(item.clone(), ValueType::I64).is_ok()) {
        ValueType::I64
    } else if is_all(|item| item.value_type() == ValueType::Str) {
        ValueType::Str
    } else if is_all(|item| item.value_type() == ValueType::Bool) {
        ValueType::Bool
    } else {
        ValueType::F32
    }
}

impl OwnedValue {
    /// Returns the value with the type that readers expect of it: an integer as `u32`, or as `i32`,
    /// `u64` or `i64` where it does not fit; a float as `f32`; of an array all elements alike.
    ///
    /// ```
    /// use modelkeep::gguf::OwnedValue;
    ///
    /// assert_eq!(OwnedValue::from(5_i64).narrowed(), OwnedValue::U32(5));
    /// assert_eq!(OwnedValue::from(vec![0.5, 1.0]).narrowed(), OwnedValue::from(vec![0.5_f32, 1.0]));
    /// ```
    #[must_use]
    pub fn narrowed(self) -> Self {
        let types = [
            ValueType::U32,
            ValueType::I32,
            ValueType::U64,
            ValueType::I64,
            ValueType::F32,
        ];
        let fitting = types.into_iter().find_map(|to| match &self {
            OwnedValue::Array(array) => elements(array.items.clone(), to).ok(),
            value => scalar(value.clone(), to).ok(),
        });
        fitting.unwrap_or(self)
    }

    /// Returns the value as one of another type; of an array, its elements.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) where it does not fit.
    pub fn converted(self, to: ValueType) -> Result<Self> {
        let made = typed(self, Some(to), None);
        made.map_err(|text| Error::new(ErrorKind::InvalidArgument, text))
    }
}

/// Converts a value, where nothing of it is lost but the digits that a float does not hold.
fn scalar(value: OwnedValue, to: ValueType) -> Result<OwnedValue, String> {
    if value.value_type() == to {
        return Ok(value);
    }
    if let Some(number) = integer(&value) {
        return of_integer(number, to);
    }
    match (value, to) {
        (OwnedValue::F32(number), ValueType::F64) => Ok(f64::from(number).into()),
        (OwnedValue::F64(number), ValueType::F32) => {
            let single = number as f32;
            match single.is_finite() || !number.is_finite() {
                true => Ok(single.into()),
                false => Err(does_not_fit(number, to)),
            }
        }
        (value, to) => Err(format!("a {} is no {to}", value.value_type())),
    }
}

fn integer(value: &OwnedValue) -> Option<i128> {
    Some(match *value {
        OwnedValue::U8(v) => v.into(),
        OwnedValue::I8(v) => v.into(),
        OwnedValue::U16(v) => v.into(),
        OwnedValue::I16(v) => v.into(),
        OwnedValue::U32(v) => v.into(),
        OwnedValue::I32(v) => v.into(),
        OwnedValue::U64(v) => v.into(),
        OwnedValue::I64(v) => v.into(),
        _ => return None,
    })
}

fn of_integer(number: i128, to: ValueType) -> Result<OwnedValue, String> {
    let fit = match to {
        ValueType::U8 => u8::try_from(number).ok().map(OwnedValue::from),
        ValueType::I8 => i8::try_from(number).ok().map(OwnedValue::from),
        ValueType::U16 => u16::try_from(number).ok().map(OwnedValue::from),
        ValueType::I16 => i16::try_from(number).ok().map(OwnedValue::from),
        ValueType::U32 => u32::try_from(number).ok().map(OwnedValue::from),
        ValueType::I32 => i32::try_from(number).ok().map(OwnedValue::from),
        ValueType::U64 => u64::try_from(number).ok().map(OwnedValue::from),
        ValueType::I64 => i64::try_from(number).ok().map(OwnedValue::from),
        // Integers that a float holds exactly; others would be another number.
        ValueType::F32 => Some(number as f32)
            .filter(|float| *float as i128 == number)
            .map(OwnedValue::from),
        ValueType::F64 => Some(number as f64)
            .filter(|float| *float as i128 == number)
            .map(OwnedValue::from),
        _ => return Err(format!("the number {number} is no {to}")),
    };
    fit.ok_or_else(|| does_not_fit(number, to))
}

fn does_not_fit(number: impl Display, to: ValueType) -> String {
    format!("{number} does not fit {to}")
}
