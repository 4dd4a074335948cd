//! What a model is made of, as Python says it.

use modelkeep::Message;
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

/// A dictionary whose values JSON can hold.
pub(crate) fn json_object(object: &Bound<'_, PyDict>) -> PyResult<Map<String, Value>> {
    let json = object.py().import("json")?;
    let text: String = json.call_method1("dumps", (object,))?.extract()?;
    serde_json::from_str(&text).map_err(|e| PyValueError::new_err(e.to_string()))
}
