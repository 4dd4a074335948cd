//! Editing GGUF files.

use modelkeep::EditOptions;
use modelkeep::gguf::{Editor, ValueType};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::OrRaise;
use crate::gguf::GgufWarning;
use crate::json_base::each;
use crate::new_value::new_value;
use crate::path::FilePath;
use crate::progress::watched;
use crate::record::record;

record! {
    /// What an edit made.
    ///
    /// >>> edited = modelkeep.edit_gguf("llama3.2.gguf", "mine.gguf", set={"general.name": "Mine"})
    /// >>> edited.size == edited.file.stat().st_size, edited.shared_bytes, edited.replaced
    /// (True, 0, False)
    Edited(py, it: modelkeep::Edited) extends JsonBase shows [file, size] {
        /// The edited file, as it was named.
        file => it.file.clone();
        /// Its size in bytes.
        size => it.size;
        /// How many of these it shares with the file that was edited, by a reflink.
        shared_bytes => it.shared_bytes;
        /// The bytes of the key `modelkeep.padding`, without which less could be shared, or the header
        /// could not stay in its place; 0 where there is none.
        padding => it.padding;
        /// Whether a file of that name was replaced, or its header was, in place.
        replaced => it.replaced;
        /// What is unusual in it, and may be refused elsewhere, as a list of `GgufWarning`.
        warnings => each(py, &it.warnings, |warning| GgufWarning::from(warning.clone()))?;
    }
}

/// Sets, removes and renames the metadata of the GGUF file at `path`, and writes the result to `to`. The
/// data of the tensors stay as they are: their blocks are shared where the file system can, and copied
/// by the system elsewhere. The new file appears whole, or not at all.
///
/// - `set` are values by key: `bool`, `int`, `float`, `str`, and lists and arrays of them. A key keeps the
///   type that it has, and a value that does not fit is an `ArgumentError`; a new key is `u32` or another
///   integer, or `f32`.
/// - `types` are the types of keys that are set, as `{"llama.context_length": "u64"}`; of an array that of
///   its elements.
/// - `remove` are keys to remove, and `rename` are new names by key; a key that is not there is a
///   `NotFoundError`. Keys are renamed first, then removed, then set.
/// - `in_place=True` writes nothing but the header, into the file itself, where it has the room of the old
///   one; the old header is kept beside the file until the new one is durable. Nobody else should have
///   the file open.
/// - `replace=True` lets a file at `to` be replaced, `path` itself too, which is an `ExistsError` otherwise.
/// - `padding=False` does without the key `modelkeep.padding`, by which a large file shares its blocks.
/// - `durability="none"` leaves it to the system when the file is on the disk.
/// - `progress` is as in `Store.import_gguf`.
///
/// Raises `GgufError` for a file that cannot be read; what only the strict reader refuses, an edit may
/// mend.
///
/// >>> _ = modelkeep.edit_gguf(
/// ...     "llama3.2.gguf",
/// ...     "edited.gguf",
/// ...     set={"tokenizer.chat_template": "{{ messages }}", "llama.context_length": 256},
/// ...     remove=["general.name"],
/// ... )
/// >>> gguf = modelkeep.Gguf("edited.gguf")
/// >>> gguf["llama.context_length"], gguf.value_type("llama.context_length"), "general.name" in gguf
/// (256, 'u32', False)
#[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
#[pyfunction]
#[pyo3(signature = (path, to=None, *, set=None, remove=Vec::new(), rename=None, types=None,
    in_place=false, replace=false, padding=true, durability="full", progress=None),
    text_signature = "(path, to=None, *, set=None, remove=(), rename=None, types=None, \
    in_place=False, replace=False, padding=True, durability='full', progress=None)")]
pub(crate) fn edit_gguf(
    py: Python<'_>,
    path: FilePath,
    to: Option<FilePath>,
    set: Option<&Bound<'_, PyAny>>,
    remove: Vec<String>,
    rename: Option<&Bound<'_, PyAny>>,
    types: Option<&Bound<'_, PyAny>>,
    in_place: bool,
    replace: bool,
    padding: bool,
    durability: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Py<Edited>> {
    let editor = editor(py, set, remove, rename, types)?;
    let options = EditOptions::new()
        .replace(replace)
        .padding(padding)
        .durability(durability.parse().or_raise(py)?);
    let edited = match (to, in_place) {
        (None, true) => py
            .detach(|| editor.edit_in_place(&path.0, &options))
            .or_raise(py)?,
        (Some(to), false) => watched(py, progress, "editing", |observe| {
            editor.edit_file_with(&path.0, &to.0, &options, observe)
        })?,
        _ => {
            let text = "edit_gguf() takes either to or in_place=True";
            return Err(PyTypeError::new_err(text));
        }
    };
    Edited::of(py, edited)
}

/// Returns the changes that keywords of Python say.
pub(crate) fn editor(
    py: Python<'_>,
    set: Option<&Bound<'_, PyAny>>,
    remove: Vec<String>,
    rename: Option<&Bound<'_, PyAny>>,
    types: Option<&Bound<'_, PyAny>>,
) -> PyResult<Editor> {
    let mut editor = Editor::new();
    for (from, to) in pairs(rename)? {
        editor.rename(&from, &to.extract::<String>()?);
    }
    for key in &remove {
        editor.remove(key);
    }
    let types = match types {
        Some(types) => Some(PyDict::from_sequence(&types.call_method0("items")?)?),
        None => None,
    };
    for (key, value) in pairs(set)? {
        let stated = types
            .as_ref()
            .map(|types| types.get_item(&key))
            .transpose()?;
        let (value, is_typed) = new_value(&key, &value)?;
        match stated.flatten() {
            Some(stated) => {
                let stated: ValueType = stated.extract::<String>()?.parse().or_raise(py)?;
                editor.set_as(&key, stated, value)
            }
            None if is_typed => editor.set(&key, value),
            None => editor.set_untyped(&key, value),
        };
    }
    Ok(editor)
}

/// Returns the items of a mapping.
fn pairs<'py>(mapping: Option<&Bound<'py, PyAny>>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let Some(mapping) = mapping else {
        return Ok(Vec::new());
    };
    let items = mapping.call_method0("items")?.try_iter()?;
    items.map(|item| item?.extract()).collect()
}
