//! Importing an archive: models come back from what an export wrote.

use std::ffi::{c_char, c_void};

use engine::{ImportArchiveOptions, ImportedArchive, Store};

use crate::boundary::{Fault, free, optional, path, query, with};
use crate::growing::{Options, get_sized, growing, options};
use crate::progress::{mkeep_progress, watched};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, optional_out};
use crate::str::{Strings, mkeep_str};
use crate::stream::{Source, mkeep_read};
use crate::string::{json_out, mkeep_string};

/// How the models of an archive are taken in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_import_archive_options {
    /// `sizeof(mkeep_import_archive_options)`.
    pub size: usize,
    /// Whether other models that have these names are replaced.
    pub replace: u8,
    /// The name of the one model of the archive, or NULL: its own.
    pub name: *const c_char,
    /// Tells how far it is, or NULL. Where it cancels, no model is visible; whole blobs stay for the
    /// next import to use.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_import_archive_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_import_archive_options {}

impl mkeep_import_archive_options {
    /// # Safety
    /// `name` is NULL or a string.
    unsafe fn read(&self) -> Result<ImportArchiveOptions, Fault> {
        let options = ImportArchiveOptions::new().replace(self.replace != 0);
        // SAFETY: by the contract.
        let name = unsafe { optional(self.name, "name") }?;
        Ok(match name {
            Some(name) => options.name(name),
            None => options,
        })
    }
}

/// What the import of an archive made.
pub struct mkeep_imported_archive {
    imported: ImportedArchive,
    models: Vec<mkeep_archived_model>,
    _strings: Strings,
}

/// A model that came out of an archive.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_archived_model {
    /// `sizeof(mkeep_archived_model)`.
    pub size: usize,
    /// Whether another model of that name was replaced.
    pub replaced: u8,
    /// The model's name, in its stored spelling.
    pub name: mkeep_str,
}

growing!(mkeep_archived_model: name);

impl From<ImportedArchive> for mkeep_imported_archive {
    fn from(imported: ImportedArchive) -> Self {
        let mut strings = Strings::default();
        let models = imported.models.iter();
        mkeep_imported_archive {
            models: models
                .map(|model| mkeep_archived_model {
                    size: size_of::<mkeep_archived_model>(),
                    replaced: u8::from(model.replaced),
                    name: strings.display(&model.name),
                })
                .collect(),
            imported,
            _strings: strings,
        }
    }
}

/// Takes in the models of an archive or a directory in the image layout of OCI. Every blob is hashed
/// while it comes in, what is stored is not written again, and no model is visible before all are
/// complete. `options` and `imported` may be NULL; `imported` is what was done. Blobs that were
/// whole when it failed stay for the next import to use, or for a garbage collection.
///
/// MKEEP_STATUS_CORRUPT for what is no archive, is cut short or was damaged on its way,
/// MKEEP_STATUS_UNSUPPORTED for images that are no models, MKEEP_STATUS_ALREADY_EXISTS where another
/// model has a name and was not to be replaced, MKEEP_STATUS_INVALID_NAME,
/// MKEEP_STATUS_FILE_NOT_FOUND, MKEEP_STATUS_CANCELLED, MKEEP_STATUS_INVALID_ARGUMENT for one name
/// and several models, and where the blobs belong to another user.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_import_archive(
    store: *const mkeep_store,
    from: *const c_char,
    options: *const mkeep_import_archive_options,
    imported: *mut *mut mkeep_imported_archive,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, imported, error, |store| {
            let from = path(from, "path")?;
            let stated = self::options(options)?;
            let options = stated.read()?;
            let call = |store: &Store| store.import_archive(from, &options);
            Ok(watched(store, stated.progress, stated.user, call)?.into())
        })
    }
}

/// Takes in the models of an archive that comes as a stream, whatever its order; otherwise as
/// mkeep_store_import_archive. What is small and not needed yet is kept in memory, up to a limit.
///
/// `read` is called until it returns 0 or the archive ends: on the calling thread, and where the
/// options have a `progress` on another one, while the calling thread waits.
///
/// As mkeep_store_import_archive; MKEEP_STATUS_IO where the stream cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_import_stream(
    store: *const mkeep_store,
    read: mkeep_read,
    user: *mut c_void,
    options: *const mkeep_import_archive_options,
    imported: *mut *mut mkeep_imported_archive,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, imported, error, |store| {
            let mut from = Source::new(read, user)?;
            let stated = self::options(options)?;
            let options = stated.read()?;
            let call = |store: &Store| store.import_stream(&mut from, &options);
            Ok(watched(store, stated.progress, stated.user, call)?.into())
        })
    }
}

/// Makes a model of a manifest that was downloaded by itself, and of those files in the directory
/// `from` that have the bytes of its blobs, whatever their names. Files of a size that the manifest
/// states are hashed; what is stored already need not be there. The options must have a `name`.
///
/// MKEEP_STATUS_FILE_NOT_FOUND, with their digests, where blobs are neither there nor stored; then
/// nothing was changed. MKEEP_STATUS_CORRUPT for what is no manifest; otherwise as
/// mkeep_store_import_archive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_import_manifest(
    store: *const mkeep_store,
    manifest: *const c_char,
    from: *const c_char,
    options: *const mkeep_import_archive_options,
    imported: *mut *mut mkeep_imported_archive,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, imported, error, |store| {
            let (manifest, from) = (path(manifest, "manifest")?, path(from, "path")?);
            let stated = self::options(options)?;
            let options = stated.read()?;
            let call = |store: &Store| store.import_manifest(manifest, from, &options);
            Ok(watched(store, stated.progress, stated.user, call)?.into())
        })
    }
}

/// Returns whether a path is that of an archive or a directory that mkeep_store_import_archive takes,
/// told from the first bytes of a file and from what is in a directory. One that ends in `.tar` is
/// meant as one in any case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_is_archive(from: *const c_char) -> bool {
    // SAFETY: by the header's contract NULL or a string.
    query(false, || unsafe {
        Ok(Store::is_archive(path(from, "path")?))
    })
}

/// Gets a model that came out of the archive, in its order; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_archive_model(
    imported: *const mkeep_imported_archive,
    index: usize,
    model: *mut mkeep_archived_model,
) -> bool {
    let nth = |imported: &mkeep_imported_archive| imported.models.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(imported, model, nth) }
}

/// Returns how many blobs were written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_archive_new_blobs(
    imported: *const mkeep_imported_archive,
) -> usize {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(imported, 0, |imported| imported.imported.new_blobs) }
}

/// Returns the bytes of the blobs that were written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_archive_new_bytes(
    imported: *const mkeep_imported_archive,
) -> u64 {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(imported, 0, |imported| imported.imported.new_bytes) }
}

/// Returns how many blobs were there already, undamaged, and were not written again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_archive_shared_blobs(
    imported: *const mkeep_imported_archive,
) -> usize {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(imported, 0, |imported| imported.imported.shared_blobs) }
}

/// Makes the JSON of the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_archive_json(
    imported: *const mkeep_imported_archive,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |imported: &mkeep_imported_archive| Ok(imported.imported.to_json());
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(imported, json, error, made) }
}

/// Frees the result of the import of an archive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_imported_archive_free(imported: *mut mkeep_imported_archive) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(imported) }
}
