//! Stores: opening, showing, copying, deleting.

use std::ffi::c_char;
use std::time::Duration;

use engine::{Durability, ModelName, Reference, ShowOptions, Store, StoreOptions};

use crate::boundary::{
    Fault, borrow, end, enter, give, give_if, look, options, output, path, text,
};
use crate::status::{mkeep_error, mkeep_status};
use crate::text::{Terminated, mkeep_str, mkeep_text};
use crate::verify::references;

/// A models directory, opened.
pub struct mkeep_store(pub(crate) Store, Terminated);

impl From<Store> for mkeep_store {
    fn from(store: Store) -> Self {
        let root = Terminated::path(store.path());
        mkeep_store(store, root)
    }
}

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
    /// Whether an import is allowed where the blobs belong to another user, whose server could not
    /// use ours again.
    pub foreign_owner: bool,
    /// Threads; 0 is one for each processor.
    pub threads: u32,
}

impl mkeep_store_options {
    /// # Safety
    /// `path` is NULL or a text.
    unsafe fn read(&self) -> Result<StoreOptions, Fault> {
        let durability = match self.no_sync {
            true => Durability::None,
            false => Durability::Full,
        };
        let mut options = StoreOptions::from_env()
            .create(self.create)
            .read_only(self.read_only)
            .mmap(!self.no_mmap)
            .durability(durability)
            .foreign_owner(self.foreign_owner)
            .threads(usize::try_from(self.threads).unwrap_or(0));
        if self.no_settle {
            options = options.delete_delay(Duration::ZERO);
        }
        if !self.path.is_null() {
            // SAFETY: not NULL, so by the contract a text.
            options = options.path(unsafe { path(self.path, "path") }?);
        }
        Ok(options)
    }
}

/// Opens a store. `options` may be NULL. Opening makes nothing, unless `create` is set.
///
/// MKEEP_STATUS_FILE_NOT_FOUND where the directory does not exist, with the well-known places that do in
/// its message; MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
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
            let options = match self::options(options)? {
                Some(options) => options.read()?,
                None => StoreOptions::from_env(),
            };
            give(store, mkeep_store::from(Store::open_with(options)?));
            Ok(())
        })
    }
}

/// The directory, as it was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_root(store: *const mkeep_store) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live store.
    unsafe { look(store, mkeep_str::EMPTY, |store| store.1.borrow()) }
}

/// Ends a store. Models, lists, reports and files of it live on.
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
/// MKEEP_STATUS_NOT_FOUND where the model is missing, MKEEP_STATUS_FILE_NOT_FOUND where its file is,
/// MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT.
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

pub(crate) fn show_options(verbose: bool) -> ShowOptions {
    ShowOptions::default().verbose(verbose)
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
            Ok(store.show(&reference, &show_options(verbose))?.to_json())
        })
    }
}

/// Copies a model: one more name for the same blobs.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME.
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
/// Where a blob cannot be removed the model is gone all the same, and a collection takes the blob.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME.
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
            // What was deleted is gone, whatever JSON can carry of it.
            give_if(json, || {
                mkeep_text::new(&deleted.to_json().unwrap_or_default())
            });
            Ok(())
        })
    }
}

/// Deletes several models at the cost of one. Those that fail stop nothing: `json` names them.
///
/// MKEEP_STATUS_INVALID_NAME where one of them is no name: then nothing was deleted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_delete_all(
    store: *const mkeep_store,
    names: *const *const c_char,
    count: usize,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        answer(store, json, error, |store| {
            Ok(store.delete_all(&references(names, count)?)?.to_json()?)
        })
    }
}
