//! `modelkeep gguf FILE KEY`: one value, as it is stored.

use modelkeep::gguf::{Gguf, Value};

use crate::output::{Outcome, Output};
use crate::show::brief;

pub(super) fn print(gguf: Gguf<'_>, key: &str, output: &mut Output) -> Outcome {
    let value = gguf.require(key)?;
    if output.json {
        return output.line(value.to_json());
    }
    match value.as_array() {
        Some(array) => array.iter().try_for_each(|item| one(&item, output)),
        None => one(&value, output),
    }
}

/// Prints a value that is in no array, or an element of one: on a line of its own.
fn one(value: &Value<'_>, output: &mut Output) -> Outcome {
    match value {
        Value::Str(text) => output.stored(text.as_bytes()),
        Value::Array(_) => output.line(value.to_json()),
        number => output.line(brief(number)),
    }
}
