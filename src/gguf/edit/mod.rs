//! Editing metadata: what is to change, and the header that comes of it.

mod convert;
#[cfg(feature = "internal")]
mod fuzz_edit;
mod header;
mod pairs;

use super::owned::OwnedValue;
use super::value_type::ValueType;
use super::view::Gguf;
use crate::error::Result;
use convert::Kind;
#[cfg(feature = "internal")]
pub(super) use fuzz_edit::fuzz_edit;
pub(crate) use header::{Fit, Move, NewHeader};
use pairs::Pairs;

/// The key under which bytes without a meaning stand, so that the data of the tensors begin where
/// their blocks can be shared, or where they were. Every edit takes it away and makes its own.
pub(crate) const PADDING: &str = "modelkeep.padding";

/// Changes to the metadata of a GGUF file: keys that are set, removed and renamed, in the order of
/// the calls. The tensors and their data stay as they are.
///
/// A value that is set keeps the type that the key has in the file: a number is converted where it
/// fits, and is an error of the edit where it does not. A key that is new gets the type of the value.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::gguf::Editor;
/// use modelkeep::{EditOptions, GgufFile, GgufOptions};
///
/// let (file, to) = (directory.path().join("tiny.gguf"), directory.path().join("edited.gguf"));
/// let mut editor = Editor::new();
/// editor.set("general.name", "Tiny, edited").set("llama.context_length", 256_u64);
/// editor.remove("tokenizer.chat_template").rename("general.file_type", "my.file_type");
/// editor.edit_file(&file, &to, &EditOptions::new())?;
///
/// let edited = GgufFile::open(&to, &GgufOptions::new())?;
/// let length = edited.view().get("llama.context_length");
/// assert_eq!(length, Some(modelkeep::gguf::Value::U32(256)), "its type stays");
/// assert_eq!(edited.view().chat_template(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Editor {
    changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq)]
enum Change {
    Set {
        key: String,
        value: NewValue,
        stated: Option<ValueType>,
    },
    Remove(String),
    Rename {
        from: String,
        to: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
enum NewValue {
    Typed(OwnedValue),
    /// Of a language with one type of numbers of each kind.
    Untyped(OwnedValue),
    /// As somebody has typed it.
    Text(String),
}

impl Editor {
    /// Returns an editor that changes nothing.
    pub fn new() -> Self {
        Editor::default()
    }

    /// Returns whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Sets a key, which keeps its type; a new key gets the type of the value.
    pub fn set(&mut self, key: &str, value: impl Into<OwnedValue>) -> &mut Self {
        self.change(key, NewValue::Typed(value.into()), None)
    }

    /// Sets a key to a value of a type, whatever it had before; of an array it is the type of the
    /// elements.
    pub fn set_as(
        &mut self,
        key: &str,
        value_type: ValueType,
        value: impl Into<OwnedValue>,
    ) -> &mut Self {
        self.change(key, NewValue::Typed(value.into()), Some(value_type))
    }

    /// As [`set`](Self::set), for the values of languages that have one type of integers and one of
    /// floats: a new key gets the [narrowed](OwnedValue::narrowed) type.
    pub fn set_untyped(&mut self, key: &str, value: impl Into<OwnedValue>) -> &mut Self {
        self.change(key, NewValue::Untyped(value.into()), None)
    }

    /// Sets a key to what a text says, which is read as the type of the key; arrays are JSON. A new
    /// key becomes a string, unless the text could be something else.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::gguf::Editor;
    /// use modelkeep::{EditOptions, ErrorKind};
    ///
    /// let (file, to) = (directory.path().join("tiny.gguf"), directory.path().join("edited.gguf"));
    /// let mut editor = Editor::new();
    /// editor.set_text("llama.context_length", "a lot");
    /// let edited = editor.edit_file(&file, &to, &EditOptions::new());
    /// assert_eq!(edited.map_err(|error| error.kind()).err(), Some(ErrorKind::InvalidArgument));
    /// assert!(!to.exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_text(&mut self, key: &str, text: impl Into<String>) -> &mut Self {
        self.change(key, NewValue::Text(text.into()), None)
    }

    /// Sets a key to what a text says as a value of a type; a JSON array becomes an array of them.
    pub fn set_text_as(
        &mut self,
        key: &str,
        value_type: ValueType,
        text: impl Into<String>,
    ) -> &mut Self {
        self.change(key, NewValue::Text(text.into()), Some(value_type))
    }

    /// Removes a key, which must be there.
    pub fn remove(&mut self, key: &str) -> &mut Self {
        self.changes.push(Change::Remove(key.to_owned()));
        self
    }

    /// Gives another name to a key, which must be there; the new name must be free.
    pub fn rename(&mut self, from: &str, to: &str) -> &mut Self {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.changes.push(Change::Rename { from, to });
        self
    }

    fn change(&mut self, key: &str, value: NewValue, stated: Option<ValueType>) -> &mut Self {
        let key = key.to_owned();
        self.changes.push(Change::Set { key, value, stated });
        self
    }

    /// Returns the header of the edited file and where the data of the tensors go. `file_size` is
    /// the size of the file that is edited.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for a key that is not there;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a value that is not of its type, a
    /// name that is taken, and a result that the strict reader would refuse.
    pub(crate) fn header(&self, gguf: Gguf<'_>, file_size: u64, fit: Fit) -> Result<NewHeader> {
        let mut pairs = Pairs::of(gguf);
        for change in &self.changes {
            match change {
                Change::Set { key, value, stated } => {
                    let known = pairs.kind(key);
                    let value = convert::value(key, value, *stated, known)?;
                    pairs.set(key, value);
                }
                Change::Remove(key) => pairs.remove(key)?,
                Change::Rename { from, to } => pairs.rename(from, to)?,
            }
        }
        pairs.forget(PADDING);
        header::build(gguf, &pairs, file_size, fit)
    }
}
