//! Stores: opening, paths.

use std::ffi::c_char;
use std::time::Duration;

use engine::{Durability, Reference, Store, StoreOptions};

use crate::boundary::{Fault, borrow, free, get, invalid, out, output, path, paths, text, with};
use crate::growing::{Options, growing, options};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::str::{OwnedStr, mkeep_str};
use crate::string::mkeep_string;

/// A models directory, opened.
pub struct mkeep_store(pub(crate) Store, Vec<OwnedStr>);

impl From<Store> for mkeep_store {
    fn from(store: Store) -> Self {
        let stores = store.stores();
        let roots = stores.iter().map(|store| OwnedStr::path(store.path()));
        let roots = roots.collect();
        mkeep_store(store, roots)
    }
}

/// How to open a store.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_store_options {
    /// `sizeof(mkeep_store_options)`.
    pub size: usize,
    /// Whether a missing directory is made.
    pub create: u8,
    /// Whether every change is refused.
    pub read_only: u8,
    /// Whether files are read instead of mapped: for network file systems.
    pub no_mmap: u8,
    /// Whether changes may be lost in a power cut, for speed.
    pub no_sync: u8,
    /// Whether a delete does not wait for a server beside us: only where none writes here.
    pub no_delete_delay: u8,
    /// Whether an import is allowed where the blobs belong to another user, whose server could not
    /// use ours again.
    pub foreign_owner: u8,
    /// Whether nothing is remembered of the manifests for the next call.
    pub no_cache: u8,
    /// Threads; 0 is one for each processor.
    pub threads: u32,
    /// The directory; NULL for OLLAMA_MODELS, or else ~/.ollama/models.
    pub path: *const c_char,
    /// Milliseconds for which a delete waits for a server beside us, in place of the default of 50;
    /// 0 is the default.
    pub delete_delay: u32,
    /// An mkeep_template_choice.
    pub template_choice: u32,
    /// How many bytes of memory the store may take to remember its manifests and the GGUF files that
    /// were opened, in place of the default of 16 MiB; 0 is the default. A call looks whether anything
    /// changed, and reads what did.
    pub cache_size: u64,
    /// The directories of stores that are looked into after the first, as those of `PATH` are: all
    /// are one view. Of models of one name the first store's is meant, and what is new goes to the
    /// first store that may be written to. NULL for none.
    pub further: *const *const c_char,
    /// How many those are.
    pub further_count: usize,
}

/// Which template mkeep_store_show takes where a model has two: a Go template of its own, and the
/// chat template of its GGUF file.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_template_choice {
    /// As OLLAMA_GO_TEMPLATE says, or else the one that can do more.
    Default = 0,
    /// The Go template.
    Go = 1,
    /// The chat template of the GGUF file.
    Gguf = 2,
}

growing!(mkeep_store_options: further_count);
// SAFETY: numbers and pointers.
unsafe impl Options for mkeep_store_options {}

impl mkeep_store_options {
    /// # Safety
    /// `path` is NULL or a string, and `further` NULL or `further_count` strings.
    pub(crate) unsafe fn read(&self) -> Result<StoreOptions, Fault> {
        let durability = match self.no_sync {
            0 => Durability::Full,
            _ => Durability::None,
        };
        let mut options = StoreOptions::from_env()
            .create(self.create != 0)
            .read_only(self.read_only != 0)
            .mmap(self.no_mmap == 0)
            .durability(durability)
            .foreign_owner(self.foreign_owner != 0)
            .threads(usize::try_from(self.threads).unwrap_or(0));
        match (self.no_delete_delay, self.delete_delay) {
            (0, 0) => {}
            (0, delay) => options = options.delete_delay(Duration::from_millis(delay.into())),
            (_, 0) => options = options.delete_delay(Duration::ZERO),
            _ => {
                return Err(invalid(
                    "no_delete_delay and delete_delay contradict each other",
                ));
            }
        }
        match (self.no_cache, self.cache_size) {
            (0, 0) => {}
            (0, bytes) => options = options.cache_size(bytes),
            (_, 0) => options = options.cache_size(0),
            _ => return Err(invalid("no_cache and cache_size contradict each other")),
        }
        match self.template_choice {
            0 => {}
            1 => options = options.go_template(Some(true)),
            2 => options = options.go_template(Some(false)),
            other => return Err(invalid(format!("{other} is not an mkeep_template_choice"))),
        }
        if !self.path.is_null() {
            // SAFETY: not NULL, so by the contract a string.
            options = options.path(unsafe { path(self.path, "path") }?);
        }
        // SAFETY: by the contract NULL or so many strings.
        let further = unsafe { paths(self.further, self.further_count) }?;
        Ok(options.further(further))
    }
}

/// Opens a store. `options` may be NULL. Opening makes nothing, unless `create` is set.
///
/// MKEEP_STATUS_FILE_NOT_FOUND where the directory does not exist, with the well-known places that
/// do in its message; MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_open(
    options: *const mkeep_store_options,
    store: *mut *mut mkeep_store,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let store = output(store)?;
            let options = self::options(options)?.read()?;
            out(store, mkeep_store::from(Store::open_with(options)?));
            Ok(())
        })
    }
}

/// Gets the directory of a store of a view, in the order in which they are looked into; of one store
/// its own. False beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_roots(
    store: *const mkeep_store,
    index: usize,
    root: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(store, root, |store| Some(store.1.get(index)?.view())) }
}

/// Returns the directory, as it was given; in a view of several that of the first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_root(store: *const mkeep_store) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live store.
    unsafe {
        with(store, mkeep_str::EMPTY, |store| {
            store.1.first().map_or(mkeep_str::EMPTY, OwnedStr::view)
        })
    }
}

/// Frees a store. Models, lists, reports and files of it live on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_free(store: *mut mkeep_store) {
    // SAFETY: by the header's contract NULL or a live store that is given up.
    unsafe { free(store) }
}

/// Makes a call of a store whose result is a handle.
///
/// # Safety
/// As the header says of every pointer.
pub(crate) unsafe fn result_out<T: Send + Sync>(
    store: *const mkeep_store,
    result: *mut *mut T,
    error: *mut *mut mkeep_error,
    body: impl FnOnce(&Store) -> Result<T, Fault>,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (store, result) = (borrow(store, "store")?, output(result)?);
            out(result, body(&store.0)?);
            Ok(())
        })
    }
}

/// As [`result_out`], for a change of the store whose result not every caller wants.
///
/// # Safety
/// As the header says of every pointer.
pub(crate) unsafe fn optional_out<T: Send + Sync>(
    store: *const mkeep_store,
    result: *mut *mut T,
    error: *mut *mut mkeep_error,
    body: impl FnOnce(&Store) -> Result<T, Fault>,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let done = body(&borrow(store, "store")?.0)?;
            if let Ok(result) = output(result) {
                out(result, done);
            }
            Ok(())
        })
    }
}

/// Finds the path of a model's GGUF file.
///
/// MKEEP_STATUS_NOT_FOUND where the model is missing, MKEEP_STATUS_FILE_NOT_FOUND where its file
/// is, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CORRUPT, MKEEP_STATUS_UNSUPPORTED where the weights
/// are in several files.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_path(
    store: *const mkeep_store,
    name: *const c_char,
    path: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, path, error, |store| {
            let reference: Reference = text(name, "name")?.parse()?;
            Ok(mkeep_string::path(&store.model(&reference)?.gguf_path()?))
        })
    }
}
