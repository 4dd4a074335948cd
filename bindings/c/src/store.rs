//! Stores: opening, showing, copying, deleting, importing.

use std::ffi::c_char;
use std::mem::size_of;
use std::time::Duration;

use engine::{
    Durability, Error, ErrorKind, ImportOptions, ModelName, Reference, ShowOptions, Store,
    StoreOptions,
};

use crate::boundary::{Fault, borrow, end, enter, give, output, path, text};
use crate::status::{mkeep_error, mkeep_status};
use crate::text::mkeep_text;

/// A models directory, opened.
pub struct mkeep_store(pub(crate) Store);

/// How to open a store. Set all of it to zero, then `size`, then what you want.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_store_options {
    /// `sizeof(mkeep_store_options)`, by which later releases know what you know.
    pub size: usize,
    /// The directory; NULL for OLLAMA_MODELS, or else ~/.ollama/models.
    pub path: *const c_char,
    /// Whether a missing directory is made.
    pub create: bool,
    /// Whether every change is refused.
    pub read_only: bool,
    /// Whether files are read instead of mapped: for network file systems.
    pub no_mmap: bool,
    /// Whether changes may be lost in a power cut, for speed.
    pub no_sync: bool,
    /// Whether a delete does not wait for a server beside us: only where none writes here.
    pub no_settle: bool,
    /// Threads; 0 is one for each processor.
    pub threads: u32,
}

/// # Safety
/// `options` is NULL or points to as many bytes as its `size` says.
unsafe fn read(options: *const mkeep_store_options) -> Result<StoreOptions, Fault> {
    let core = StoreOptions::from_env();
    // SAFETY: NULL is answered; otherwise by the contract at least `size` can be read, and the
    // rest where `size` says so, which is checked before it is.
    let size = unsafe { borrow(options.cast::<usize>(), "options") };
    let Ok(size) = size else {
        return Ok(core);
    };
    if *size < size_of::<mkeep_store_options>() {
        let text = format!("the options have {size} bytes, too few for any release");
        return Err(Error::new(ErrorKind::InvalidArgument, text).into());
    }
    // SAFETY: as large as it must be, see above.
    let options = unsafe { borrow(options, "options") }?;
    let durability = if options.no_sync {
        Durability::None
    } else {
        Durability::Full
    };
    let core = core
        .create(options.create)
        .read_only(options.read_only)
        .mmap(!options.no_mmap)
        .durability(durability)
        .threads(usize::try_from(options.threads).unwrap_or(0));
    let core = if options.no_settle {
        core.settle(Duration::ZERO)
    } else {
        core
    };
    if options.path.is_null() {
        return Ok(core);
    }
    // SAFETY: not NULL, so by the header's contract a text.
    Ok(core.path(unsafe { path(options.path, "path") }?))
}

/// Opens a store. `options` may be NULL. Opening makes nothing, unless `create` is set.
///
/// MKEEP_STATUS_NOT_FOUND where the directory does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_open(
    options: *const mkeep_store_options,
    store: *mut *mut mkeep_store,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let store = output(store)?;
            give(store, mkeep_store(Store::open_with(read(options)?)?));
            Ok(())
        })
    }
}

/// Ends a store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_free(store: *mut mkeep_store) {
    // SAFETY: by the header's contract NULL or a live store that is given up.
    unsafe { end(store) }
}

/// Runs a call whose result is a text.
///
/// # Safety
/// As the header says of every pointer.
pub(crate) unsafe fn answer(
    store: *const mkeep_store,
    answer: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
    body: impl FnOnce(&Store) -> Result<String, Fault>,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (store, answer) = (borrow(store, "store")?, output(answer)?);
            give(answer, mkeep_text::new(&body(&store.0)?));
            Ok(())
        })
    }
}

/// The path of a model's GGUF file.
///
/// MKEEP_STATUS_NOT_FOUND where the model or its file is missing, MKEEP_STATUS_INVALID_NAME,
/// MKEEP_STATUS_CORRUPT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_path(
    store: *const mkeep_store,
    name: *const c_char,
    path: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (store, path) = (borrow(store, "store")?, output(path)?);
            let reference: Reference = text(name, "name")?.parse()?;
            give(
                path,
                mkeep_text::path(&store.0.model(&reference)?.gguf_path()?),
            );
            Ok(())
        })
    }
}

/// Everything about a model, as the body of POST /api/show. `verbose` prints arrays in full.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT,
/// MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_INVALID_TEMPLATE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_show_json(
    store: *const mkeep_store,
    name: *const c_char,
    verbose: bool,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        answer(store, json, error, |store| {
            let reference: Reference = text(name, "name")?.parse()?;
            Ok(store
                .show(&reference, &ShowOptions::default().verbose(verbose))?
                .to_json())
        })
    }
}

/// Copies a model: one more name for the same blobs.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_BUSY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_copy(
    store: *const mkeep_store,
    source: *const c_char,
    destination: *const c_char,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let store = borrow(store, "store")?;
            let source: ModelName = text(source, "source")?.parse()?;
            let destination: ModelName = text(destination, "destination")?.parse()?;
            store.0.copy(&source, &destination)?;
            Ok(())
        })
    }
}

/// Deletes a model, and the blobs that only it uses. `json`, which may be NULL, is what was done.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_BUSY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_delete(
    store: *const mkeep_store,
    name: *const c_char,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let store = borrow(store, "store")?;
            let reference: Reference = text(name, "name")?.parse()?;
            let deleted = store.0.delete(&reference)?;
            if let Ok(json) = output(json) {
                give(json, mkeep_text::new(&deleted.to_json()));
            }
            Ok(())
        })
    }
}

/// Makes a model of a GGUF file. `json`, which may be NULL, is what was done.
///
/// MKEEP_STATUS_ALREADY_EXISTS where the name is taken and `replace` is false,
/// MKEEP_STATUS_INVALID_GGUF, MKEEP_STATUS_UNSUPPORTED, MKEEP_STATUS_NOT_FOUND for the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_import(
    store: *const mkeep_store,
    file: *const c_char,
    name: *const c_char,
    replace: bool,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let store = borrow(store, "store")?;
            let (file, name) = (path(file, "file")?, text(name, "name")?.parse()?);
            let mut options = ImportOptions::default();
            options.replace = replace;
            let imported = store.0.import(file, &name, &options)?;
            if let Ok(json) = output(json) {
                give(json, mkeep_text::new(&imported.to_json()));
            }
            Ok(())
        })
    }
}
