//! Models that come from registries and go there.

use std::ffi::c_char;

use crate::boundary::{optional, out, output, text};
use crate::growing::options;
use crate::registry_client as client;
use crate::registry_types::{
    mkeep_ls_remote_options, mkeep_pull_options, mkeep_pulled, mkeep_push_options, mkeep_pushed,
    mkeep_remote_list,
};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::store::{mkeep_store, optional_out};

/// Returns whether the library was built with the client of registries, which is asked for
/// (MODELKEEP_REGISTRY of cmake). Without it, mkeep_store_pull, mkeep_store_push and mkeep_ls_remote
/// return MKEEP_STATUS_UNSUPPORTED.
#[unsafe(no_mangle)]
pub extern "C" fn mkeep_has_registry() -> bool {
    client::IS_THERE
}

/// Fetches a model from a registry: its manifest, and those blobs that the store has not.
/// `reference` is `REGISTRY/REPOSITORY`, with `:TAG` or `@DIGEST`; `name` is the model's name here,
/// or NULL: that of the registry, of a repository of two parts. `options` and `pulled` may be NULL;
/// `pulled` is what was done.
///
/// Each blob is hashed while it comes, and the model is visible when all are there. A pull that
/// broke off, however it did, is continued by the next one.
///
/// MKEEP_STATUS_NETWORK where the registry cannot be reached or does not answer as one,
/// MKEEP_STATUS_NOT_FOUND where it has no such model, MKEEP_STATUS_PERMISSION_DENIED where it wants
/// to know who asks or does not let them, MKEEP_STATUS_CORRUPT for bytes of another digest or
/// length, MKEEP_STATUS_ALREADY_EXISTS, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_CANCELLED,
/// MKEEP_STATUS_INVALID_ARGUMENT for the options, MKEEP_STATUS_FILE_NOT_FOUND for a file that they
/// name, MKEEP_STATUS_UNSUPPORTED for what is no model, and without mkeep_has_registry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_pull(
    store: *const mkeep_store,
    reference: *const c_char,
    name: *const c_char,
    options: *const mkeep_pull_options,
    pulled: *mut *mut mkeep_pulled,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, pulled, error, |store| {
            let (reference, name) = (text(reference, "reference")?, optional(name, "name")?);
            client::pull(store, reference, name, &self::options(options)?)
        })
    }
}

/// Sends a model to a registry: those blobs that it has not, and then the manifest, as it is stored.
/// `to` is `REGISTRY/REPOSITORY:TAG`, or NULL: what its name says. `options` and `pushed` may be
/// NULL; `pushed` is what was done. Nothing is written to the store.
///
/// As mkeep_store_pull; MKEEP_STATUS_FILE_NOT_FOUND where a blob is missing,
/// MKEEP_STATUS_INVALID_ARGUMENT where the model's name says no registry that takes models this way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_push(
    store: *const mkeep_store,
    name: *const c_char,
    to: *const c_char,
    options: *const mkeep_push_options,
    pushed: *mut *mut mkeep_pushed,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, pushed, error, |store| {
            let (name, to) = (text(name, "name")?, optional(to, "reference")?);
            client::push(store, name, to, &self::options(options)?)
        })
    }
}

/// Lists what a registry has: of `REGISTRY/REPOSITORY` the tags, and of `REGISTRY` alone, where it
/// lets that be seen, the repositories. `options` may be NULL.
///
/// As mkeep_store_pull.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_ls_remote(
    what: *const c_char,
    options: *const mkeep_ls_remote_options,
    list: *mut *mut mkeep_remote_list,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (what, list) = (text(what, "registry")?, output(list)?);
            out(list, client::ls_remote(what, &self::options(options)?)?);
            Ok(())
        })
    }
}
