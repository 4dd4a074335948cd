//! Editing the metadata of GGUF files.

use std::ffi::c_char;

use engine::EditOptions;
use engine::gguf::{Editor, ValueType};

use crate::boundary::{Fault, invalid, optional, path, slice, text};
use crate::growing::{Options, growing, options, reserved};
use crate::status::{call, mkeep_error, mkeep_status};

/// What becomes of one key: it is set where `value` is not NULL, renamed where `name` is not NULL, and
/// removed where neither is.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_gguf_change {
    /// The key.
    pub key: *const c_char,
    /// Its new value as text; of an array a JSON array.
    pub value: *const c_char,
    /// The type of the value, as "u32", or of the elements of an array. NULL leaves the key its type; a
    /// new key becomes a string then, unless the text could be something else.
    pub value_type: *const c_char,
    /// Its new name.
    pub name: *const c_char,
}

/// How to edit a GGUF file.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_gguf_edit_options {
    /// `sizeof(mkeep_gguf_edit_options)`.
    pub size: usize,
    /// Whether a file that is there is replaced; otherwise MKEEP_STATUS_ALREADY_EXISTS.
    pub replace: u8,
    /// Whether to do without the key `modelkeep.padding`, by which a large file shares its blocks.
    pub no_padding: u8,
    /// Zero, until a later release has fields here.
    pub reserved: [u8; 6],
}

growing!(mkeep_gguf_edit_options: reserved);
// SAFETY: numbers.
unsafe impl Options for mkeep_gguf_edit_options {}

/// Adds a change to those of an editor.
///
/// # Safety
/// The pointers of `change` are NULL or strings.
unsafe fn add(editor: &mut Editor, change: &mkeep_gguf_change) -> Result<(), Fault> {
    // SAFETY: by the contract.
    let (key, value, value_type, name) = unsafe {
        (
            text(change.key, "a key")?,
            optional(change.value, "a value")?,
            optional(change.value_type, "a type")?,
            optional(change.name, "a name")?,
        )
    };
    match (value, value_type, name) {
        (Some(value), Some(value_type), None) => {
            editor.set_text_as(key, value_type.parse::<ValueType>()?, value)
        }
        (Some(value), None, None) => editor.set_text(key, value),
        (None, None, Some(name)) => editor.rename(key, name),
        (None, None, None) => editor.remove(key),
        _ => {
            let text = format!("{key}: a value, with or without a type, or a name, or neither");
            return Err(invalid(text));
        }
    };
    Ok(())
}

/// Edits the metadata of a GGUF file, and writes the result to `to`, whole or not at all; the data of the
/// tensors stay as they are. Where `to` is NULL nothing but the header is written, into the file itself,
/// where it has the room of the old one; nobody else should have the file open then. The changes are made
/// in their order. `options` may be NULL.
///
/// MKEEP_STATUS_NOT_FOUND for a key that is not there, MKEEP_STATUS_INVALID_ARGUMENT for a value that is
/// not of its type and for a header without room, MKEEP_STATUS_ALREADY_EXISTS,
/// MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_INVALID_GGUF.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_gguf_edit(
    file: *const c_char,
    to: *const c_char,
    changes: *const mkeep_gguf_change,
    count: usize,
    options: *const mkeep_gguf_edit_options,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let file = path(file, "file")?;
            let how = self::options(options)?;
            reserved(&how.reserved)?;
            let mut editor = Editor::new();
            for change in slice(changes, count, "changes")? {
                add(&mut editor, change)?;
            }
            let with = EditOptions::new()
                .replace(how.replace != 0)
                .padding(how.no_padding == 0);
            if to.is_null() {
                editor.edit_in_place(file, &with)?;
            } else {
                editor.edit_file(file, path(to, "to")?, &with)?;
            }
            Ok(())
        })
    }
}
