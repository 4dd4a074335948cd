//! What a model is made of, as Python says it.

use modelkeep::{ImportOptions, Message};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Map, Value};

/// A message as clients write it: a dictionary of two texts.
pub(crate) struct NewMessage {
    role: String,
    content: String,
}

impl<'py> FromPyObject<'_, 'py> for NewMessage {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let text = |key: &str| object.get_item(key)?.extract::<String>();
        match (text("role"), text("content")) {
            (Ok(role), Ok(content)) => Ok(NewMessage { role, content }),
            _ => Err(PyTypeError::new_err(
                "a message is a dictionary with the texts 'role' and 'content'",
            )),
        }
    }
}

impl From<NewMessage> for Message {
    fn from(new: NewMessage) -> Self {
        Message::new(new.role, new.content)
    }
}

/// Sets those texts that there are: the template, the system prompt, the renderer, the parser and
/// the oldest release.
pub(crate) fn with_texts(options: ImportOptions, texts: [Option<String>; 5]) -> ImportOptions {
    let setters: [fn(ImportOptions, String) -> ImportOptions; 5] = [
        ImportOptions::template,
        ImportOptions::system,
        ImportOptions::renderer,
        ImportOptions::parser,
        ImportOptions::requires,
    ];
    let texts = texts.into_iter().zip(setters);
    texts.fold(options, |options, (text, set)| match text {
        Some(text) => set(options, text),
        None => options,
    })
}

/// Returns a dictionary whose values JSON can hold.
pub(crate) fn json_object(object: &Bound<'_, PyDict>) -> PyResult<Map<String, Value>> {
    let json = object.py().import("json")?;
    let text: String = json.call_method1("dumps", (object,))?.extract()?;
    serde_json::from_str(&text).map_err(|e| PyValueError::new_err(e.to_string()))
}
