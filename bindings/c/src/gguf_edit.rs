//! Editing the metadata of GGUF files.

use std::ffi::{c_char, c_void};

use engine::EditOptions;
use engine::gguf::{Editor, ValueType};

use crate::boundary::{Fault, invalid, optional, path, slice, text};
use crate::growing::{Options, growing, options, reserved};
use crate::progress::{mkeep_progress, observer};
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
    /// Tells how far it is, or NULL. An edit in place writes so little that it is not called.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_gguf_edit_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_gguf_edit_options {}

impl mkeep_gguf_edit_options {
    pub(crate) fn read(&self) -> Result<EditOptions, Fault> {
        reserved(&self.reserved)?;
        let options = EditOptions::new().replace(self.replace != 0);
        Ok(options.padding(self.no_padding == 0))
    }
}

/// Returns an editor with the changes of a caller.
///
/// # Safety
/// `changes` is NULL or points to `count` changes, whose pointers are NULL or strings.
pub(crate) unsafe fn editor(
    changes: *const mkeep_gguf_change,
    count: usize,
) -> Result<Editor, Fault> {
    let mut editor = Editor::new();
    // SAFETY: by the contract.
    for change in unsafe { slice(changes, count, "changes") }? {
        // SAFETY: by the contract.
        unsafe { add(&mut editor, change) }?;
    }
    Ok(editor)
}

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
/// MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_CANCELLED.
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
            let (with, editor) = (how.read()?, editor(changes, count)?);
            if to.is_null() {
                editor.edit_in_place(file, &with)?;
            } else {
                let mut observe = observer(how.progress, how.user);
                editor.edit_file_with(file, path(to, "to")?, &with, &mut observe)?;
            }
            Ok(())
        })
    }
}
