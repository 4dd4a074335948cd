//! Importing: a GGUF file becomes a model.

use std::ffi::{c_char, c_void};
use std::path::{Path, PathBuf};

use engine::{CopyMode, ImportOptions, Imported, Message, ModelName, Store};

use crate::boundary::{Fault, invalid, optional, path, slice, text};
use crate::growing::{Options, growing, options};
use crate::imported::mkeep_imported;
use crate::parameters;
use crate::progress::{mkeep_progress, watched};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, optional_out};

/// How the bytes of a file come into the store.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_copy_mode {
    /// By reflink where the file system can, else by copy.
    Auto = 0,
    /// By reflink only: the blocks are shared until one of the two is written to.
    Reflink = 1,
    /// By hard link only: no second copy, but who writes to the file destroys the blob.
    HardLink = 2,
    /// By copy only.
    Copy = 3,
}

/// A message that belongs to a model.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_message {
    /// `system`, `user` or `assistant`.
    pub role: *const c_char,
    /// The text.
    pub content: *const c_char,
}

/// What a model is made of besides its weights, and how they come into the store.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_import_options {
    /// `sizeof(mkeep_import_options)`.
    pub size: usize,
    /// An mkeep_copy_mode.
    pub copy_mode: u32,
    /// Whether a model of that name is replaced.
    pub replace: u8,
    /// The Go template, or NULL: none is guessed.
    pub go_template: *const c_char,
    /// The system prompt, or NULL.
    pub system: *const c_char,
    /// The parameters as a JSON object, as in `{"temperature":0.7,"stop":["</s>"]}`, or NULL.
    pub parameters: *const c_char,
    /// The built-in renderer of prompts, or NULL.
    pub renderer: *const c_char,
    /// The built-in parser of answers, or NULL.
    pub parser: *const c_char,
    /// The oldest release of Ollama that can run the model, or NULL.
    pub required_release: *const c_char,
    /// The texts of the licenses.
    pub licenses: *const *const c_char,
    /// How many.
    pub n_licenses: usize,
    /// The paths of GGUF files with projectors.
    pub projectors: *const *const c_char,
    /// How many.
    pub n_projectors: usize,
    /// The paths of GGUF files with adapters.
    pub adapters: *const *const c_char,
    /// How many.
    pub n_adapters: usize,
    /// The messages that belong to the model.
    pub messages: *const mkeep_message,
    /// How many.
    pub n_messages: usize,
    /// Tells how far it is, or NULL.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_import_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_import_options {}

/// # Safety
/// `text` is NULL or a string.
unsafe fn stated(text: *const c_char, name: &'static str) -> Result<Option<String>, Fault> {
    // SAFETY: by the contract.
    Ok(unsafe { optional(text, name) }?.map(str::to_owned))
}

/// # Safety
/// `items` is NULL or points to `count` strings.
unsafe fn paths(
    items: *const *const c_char,
    count: usize,
    name: &'static str,
) -> Result<Vec<PathBuf>, Fault> {
    // SAFETY: by the contract.
    let items = unsafe { slice(items, count, name) }?.iter();
    // SAFETY: by the contract.
    items
        .map(|item| Ok(unsafe { path(*item, name) }?.to_owned()))
        .collect()
}

fn copy_mode(number: u32) -> Result<CopyMode, Fault> {
    match number {
        0 => Ok(CopyMode::Auto),
        1 => Ok(CopyMode::Reflink),
        2 => Ok(CopyMode::HardLink),
        3 => Ok(CopyMode::Copy),
        other => Err(invalid(format!("{other} is not an mkeep_copy_mode"))),
    }
}

/// # Safety
/// `message` holds strings or NULL.
unsafe fn message(message: &mkeep_message) -> Result<Message, Fault> {
    // SAFETY: by the contract.
    let (role, content) = unsafe {
        (
            text(message.role, "a role")?,
            text(message.content, "a message")?,
        )
    };
    Ok(Message::new(role, content))
}

impl mkeep_import_options {
    /// # Safety
    /// Every pointer is as its comment says.
    unsafe fn read(&self) -> Result<ImportOptions, Fault> {
        type Set = fn(ImportOptions, String) -> ImportOptions;
        let texts: [(_, _, Set); 5] = [
            (self.go_template, "the template", ImportOptions::template),
            (self.system, "the system prompt", ImportOptions::system),
            (self.renderer, "the renderer", ImportOptions::renderer),
            (self.parser, "the parser", ImportOptions::parser),
            (
                self.required_release,
                "the release",
                ImportOptions::requires,
            ),
        ];
        let mut options = ImportOptions::new()
            .replace(self.replace != 0)
            .copy_mode(copy_mode(self.copy_mode)?);
        // SAFETY: by the contract.
        unsafe {
            for (value, name, set) in texts {
                if let Some(text) = stated(value, name)? {
                    options = set(options, text);
                }
            }
            if let Some(text) = optional(self.parameters, "the parameters")? {
                options = options.parameters(parameters::parse(text)?);
            }
            Ok(options
                .projectors(paths(self.projectors, self.n_projectors, "projectors")?)
                .adapters(paths(self.adapters, self.n_adapters, "adapters")?)
                .licenses(self.licenses()?)
                .messages(self.messages()?))
        }
    }

    /// # Safety
    /// As [`read`](Self::read).
    unsafe fn licenses(&self) -> Result<Vec<String>, Fault> {
        // SAFETY: by the contract.
        let licenses = unsafe { slice(self.licenses, self.n_licenses, "licenses") }?.iter();
        // SAFETY: by the contract.
        licenses
            .map(|license| Ok(unsafe { text(*license, "a license") }?.to_owned()))
            .collect()
    }

    /// # Safety
    /// As [`read`](Self::read).
    unsafe fn messages(&self) -> Result<Vec<Message>, Fault> {
        // SAFETY: by the contract.
        let messages = unsafe { slice(self.messages, self.n_messages, "messages") }?.iter();
        // SAFETY: by the contract.
        messages.map(|one| unsafe { message(one) }).collect()
    }
}

/// One of the store's ways to make a model of a file.
type Way = fn(&Store, &Path, &ModelName, &ImportOptions) -> engine::Result<Imported>;

/// # Safety
/// Every pointer is NULL or good for its use.
unsafe fn import(
    way: Way,
    store: *const mkeep_store,
    file: *const c_char,
    name: *const c_char,
    options: *const mkeep_import_options,
    imported: *mut *mut mkeep_imported,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the contract.
    unsafe {
        optional_out(store, imported, error, |store| {
            let (file, name) = (path(file, "file")?, text(name, "name")?.parse()?);
            let stated = self::options(options)?;
            let options = stated.read()?;
            let call = |store: &Store| way(store, file, &name, &options);
            Ok(watched(store, stated.progress, stated.user, call)?.into())
        })
    }
}

/// Makes a model of a GGUF file. `options` and `imported` may be NULL; `imported` is what was done.
///
/// MKEEP_STATUS_ALREADY_EXISTS where the name is taken and was not to be replaced,
/// MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_UNSUPPORTED,
/// MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_INVALID_TEMPLATE, MKEEP_STATUS_CANCELLED,
/// MKEEP_STATUS_INVALID_ARGUMENT for the options, and where the blobs belong to another user. Blobs
/// that nothing uses may be left where it fails late.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_import(
    store: *const mkeep_store,
    file: *const c_char,
    name: *const c_char,
    options: *const mkeep_import_options,
    imported: *mut *mut mkeep_imported,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let way: Way = |store, file, name, options| store.import(file, name, options);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { import(way, store, file, name, options, imported, error) }
}

/// Makes a model of a file that is a Modelfile where it is a text that is nothing else, and a GGUF
/// file otherwise; then as mkeep_store_import_modelfile or mkeep_store_import.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_import_file(
    store: *const mkeep_store,
    file: *const c_char,
    name: *const c_char,
    options: *const mkeep_import_options,
    imported: *mut *mut mkeep_imported,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let way: Way = |store, file, name, options| store.import_file(file, name, options);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { import(way, store, file, name, options, imported, error) }
}

/// Makes a model as a Modelfile says, from GGUF files or from a model of this store. What the
/// options state wins over the Modelfile, and licenses add up; otherwise as mkeep_store_import.
///
/// As mkeep_store_import; MKEEP_STATUS_NOT_FOUND for a model that the Modelfile names;
/// MKEEP_STATUS_INVALID_ARGUMENT, with the line, for a malformed Modelfile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_import_modelfile(
    store: *const mkeep_store,
    file: *const c_char,
    name: *const c_char,
    options: *const mkeep_import_options,
    imported: *mut *mut mkeep_imported,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let way: Way = |store, file, name, options| store.import_modelfile(file, name, options);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { import(way, store, file, name, options, imported, error) }
}
