//! Deleting models.

use std::ffi::c_char;

use engine::{DeleteOptions, Deleted, Reference};

use crate::boundary::{free, get, references, text, with};
use crate::growing::{Options, get_sized, growing, options, reserved};
use crate::problem::mkeep_problem;
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, optional_out, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// What a delete did.
pub struct mkeep_deleted {
    deleted: Deleted,
    models: Vec<mkeep_str>,
    failures: Vec<mkeep_failure>,
    blobs: Vec<mkeep_str>,
    restored: Vec<mkeep_str>,
    shared: Vec<mkeep_shared_blob>,
    shared_models: Vec<Vec<mkeep_str>>,
    aliases: Vec<mkeep_alias>,
    kept: Vec<mkeep_problem>,
    _strings: Strings,
}

/// How to delete.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_delete_options {
    /// `sizeof(mkeep_delete_options)`.
    pub size: usize,
    /// Whether nothing is changed, and the result is what would be deleted.
    pub dry_run: u8,
    /// Zero, until a later release has fields here.
    pub reserved: [u8; 7],
}

growing!(mkeep_delete_options: reserved);
// SAFETY: numbers.
unsafe impl Options for mkeep_delete_options {}

/// A model that was not deleted.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_failure {
    /// `sizeof(mkeep_failure)`.
    pub size: usize,
    /// Why: the status that a call for it alone would have.
    pub status: mkeep_status,
    /// The name as the caller gave it.
    pub name: mkeep_str,
    /// Why, in words.
    pub message: mkeep_str,
}

/// A blob that stays because other models use it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_shared_blob {
    /// `sizeof(mkeep_shared_blob)`.
    pub size: usize,
    /// The blob, as in `sha256:...`.
    pub digest: mkeep_str,
    /// How many models use it.
    pub n_models: usize,
    /// Its bytes on the disk.
    pub n_bytes: u64,
}

/// A name that was an alias: only the link went, and the model stays.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_alias {
    /// `sizeof(mkeep_alias)`.
    pub size: usize,
    /// The name.
    pub name: mkeep_str,
    /// The link. Other names may lead through it, too.
    pub link: mkeep_str,
    /// The model that the name leads to.
    pub model: mkeep_str,
}

growing!(mkeep_failure: message, mkeep_shared_blob: n_bytes, mkeep_alias: model);

impl From<Deleted> for mkeep_deleted {
    fn from(deleted: Deleted) -> Self {
        let mut strings = Strings::default();
        let shared = deleted.shared.iter();
        mkeep_deleted {
            models: strings.displays(&deleted.models),
            failures: failures(&mut strings, &deleted),
            blobs: strings.displays(&deleted.blobs),
            restored: strings.displays(&deleted.restored),
            shared: shared
                .clone()
                .map(|blob| mkeep_shared_blob {
                    size: size_of::<mkeep_shared_blob>(),
                    digest: strings.display(&blob.digest),
                    n_bytes: blob.bytes,
                    n_models: blob.models.len(),
                })
                .collect(),
            shared_models: shared.map(|blob| strings.displays(&blob.models)).collect(),
            aliases: aliases(&mut strings, &deleted),
            kept: mkeep_problem::all(&mut strings, &deleted.kept),
            deleted,
            _strings: strings,
        }
    }
}

fn failures(strings: &mut Strings, deleted: &Deleted) -> Vec<mkeep_failure> {
    let failed = deleted.failed.iter();
    failed
        .map(|(reference, error)| mkeep_failure {
            size: size_of::<mkeep_failure>(),
            status: mkeep_status::of(error.kind()),
            name: strings.add(reference.text()),
            message: strings.display(error),
        })
        .collect()
}

fn aliases(strings: &mut Strings, deleted: &Deleted) -> Vec<mkeep_alias> {
    let aliases = deleted.aliases.iter();
    aliases
        .map(|alias| mkeep_alias {
            size: size_of::<mkeep_alias>(),
            name: strings.display(&alias.name),
            link: strings.path(&alias.link),
            model: strings.display(&alias.model),
        })
        .collect()
}

/// Deletes a model, and the blobs that only it uses. `deleted`, which may be NULL, is what was
/// done. Where a blob cannot be removed the model is gone all the same, and a garbage collection
/// takes the blob.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_delete(
    store: *const mkeep_store,
    name: *const c_char,
    deleted: *mut *mut mkeep_deleted,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, deleted, error, |store| {
            let reference: Reference = text(name, "name")?.parse()?;
            Ok(store.delete(&reference)?.into())
        })
    }
}

/// Deletes several models at the cost of one. Those that fail stop nothing: they are the failures
/// of `deleted`.
///
/// MKEEP_STATUS_INVALID_NAME where one of the names is malformed: then nothing was deleted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_delete_all(
    store: *const mkeep_store,
    names: *const *const c_char,
    count: usize,
    deleted: *mut *mut mkeep_deleted,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, deleted, error, |store| {
            Ok(store.delete_all(&references(names, count)?)?.into())
        })
    }
}

/// Deletes several models at the cost of one, or says what would be deleted. `options` and `deleted`
/// may be NULL. How long it waits for a server beside us is an option of the store.
///
/// As mkeep_store_delete_all; MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_delete_with(
    store: *const mkeep_store,
    names: *const *const c_char,
    count: usize,
    options: *const mkeep_delete_options,
    deleted: *mut *mut mkeep_deleted,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, deleted, error, |store| {
            let stated = self::options(options)?;
            reserved(&stated.reserved)?;
            let options = DeleteOptions::new().dry_run(stated.dry_run != 0);
            Ok(store
                .delete_with(references(names, count)?, &options)?
                .into())
        })
    }
}

/// Returns whether nothing was changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_is_dry_run(deleted: *const mkeep_deleted) -> bool {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(deleted, false, |deleted| deleted.deleted.dry_run) }
}

/// Returns the bytes on the disk that became free, or would.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_bytes(deleted: *const mkeep_deleted) -> u64 {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(deleted, 0, |deleted| deleted.deleted.bytes) }
}

/// Gets the name of a model that is gone; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_model(
    deleted: *const mkeep_deleted,
    index: usize,
    name: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(deleted, name, |deleted| deleted.models.get(index).copied()) }
}

/// Gets a name that was not deleted, and why; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_failure(
    deleted: *const mkeep_deleted,
    index: usize,
    failure: *mut mkeep_failure,
) -> bool {
    let nth = |deleted: &mkeep_deleted| deleted.failures.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(deleted, failure, nth) }
}

/// Gets the digest of a blob that went with the models; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_blob(
    deleted: *const mkeep_deleted,
    index: usize,
    digest: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(deleted, digest, |deleted| deleted.blobs.get(index).copied()) }
}

/// Gets the digest of a blob that was put back, because somebody began to use it while it was being
/// removed; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_restored(
    deleted: *const mkeep_deleted,
    index: usize,
    digest: *mut mkeep_str,
) -> bool {
    let nth = |deleted: &mkeep_deleted| deleted.restored.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(deleted, digest, nth) }
}

/// Gets a blob that other models use, and that stays: why less became free than the models took;
/// false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_shared(
    deleted: *const mkeep_deleted,
    index: usize,
    blob: *mut mkeep_shared_blob,
) -> bool {
    let nth = |deleted: &mkeep_deleted| deleted.shared.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(deleted, blob, nth) }
}

/// Gets the name of the model at `nth` of those that use the shared blob at `index`; false beyond
/// the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_shared_model(
    deleted: *const mkeep_deleted,
    index: usize,
    nth: usize,
    name: *mut mkeep_str,
) -> bool {
    let found = |deleted: &mkeep_deleted| deleted.shared_models.get(index)?.get(nth).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(deleted, name, found) }
}

/// Gets a name that was an alias; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_alias(
    deleted: *const mkeep_deleted,
    index: usize,
    alias: *mut mkeep_alias,
) -> bool {
    let nth = |deleted: &mkeep_deleted| deleted.aliases.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(deleted, alias, nth) }
}

/// Gets a reason why blobs were kept: a manifest that cannot be read may use any of them, or another
/// program has one open; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_kept(
    deleted: *const mkeep_deleted,
    index: usize,
    problem: *mut mkeep_problem,
) -> bool {
    let nth = |deleted: &mkeep_deleted| deleted.kept.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(deleted, problem, nth) }
}

/// Makes the JSON of the result.
///
/// MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_json(
    deleted: *const mkeep_deleted,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |deleted: &mkeep_deleted| engine::json::try_to_string(&deleted.deleted);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(deleted, json, error, made) }
}

/// Frees the result of a delete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_deleted_free(deleted: *mut mkeep_deleted) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(deleted) }
}
