//! What is said of a registry, and what came of asking one.

use std::ffi::{c_char, c_void};

use crate::boundary::{free, get};
use crate::growing::{Options, get_sized, growing};
use crate::progress::mkeep_progress;
use crate::status::{mkeep_error, mkeep_status};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// How a registry is reached, and as whom.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_registry_options {
    /// `sizeof(mkeep_registry_options)`.
    pub size: usize,
    /// Whether it is reached by plain HTTP, which everybody on the way can read and change. One on
    /// this machine is without it, where it does not speak TLS.
    pub plain_http: u8,
    /// How many transfers run at a time, 64 at most; 0 is 4.
    pub connections: u32,
    /// A file of certificates, as PEM, that the registry's is checked against, in place of the
    /// system's; or NULL.
    pub ca_file: *const c_char,
    /// A file with the certificate that the registry asks for, as PEM, or NULL.
    pub client_certificate: *const c_char,
    /// A file with the key of that certificate, as PEM, or NULL.
    pub client_key: *const c_char,
    /// The user, in place of what `docker login` or `podman login` stored, or NULL.
    pub username: *const c_char,
    /// The user's password, or NULL.
    pub password: *const c_char,
    /// A token that the registry takes as it is, in place of user and password, or NULL.
    pub token: *const c_char,
}

growing!(mkeep_registry_options: token);
// SAFETY: numbers and pointers.
unsafe impl Options for mkeep_registry_options {}

/// How a model is pulled.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_pull_options {
    /// `sizeof(mkeep_pull_options)`.
    pub size: usize,
    /// Whether a model that has the name stays: MKEEP_STATUS_ALREADY_EXISTS. Otherwise it is
    /// replaced, as Ollama does.
    pub no_replace: u8,
    /// How the registry is reached, or NULL.
    pub registry: *const mkeep_registry_options,
    /// Tells how far it is, or NULL. Where it cancels, the next pull continues with what has come.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_pull_options: user);
// SAFETY: numbers and pointers; of a function, NULL is none.
unsafe impl Options for mkeep_pull_options {}

/// How a model is pushed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_push_options {
    /// `sizeof(mkeep_push_options)`.
    pub size: usize,
    /// How the registry is reached, or NULL.
    pub registry: *const mkeep_registry_options,
    /// Tells how far it is, or NULL. Where it cancels, the next push finds the whole blobs there.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_push_options: user);
// SAFETY: as above.
unsafe impl Options for mkeep_push_options {}

/// How a registry is asked what it has.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_ls_remote_options {
    /// `sizeof(mkeep_ls_remote_options)`.
    pub size: usize,
    /// How the registry is reached, or NULL.
    pub registry: *const mkeep_registry_options,
    /// Is asked whether to go on, or NULL; of bytes it is told 0.
    pub progress: mkeep_progress,
    /// What `progress` gets as `user`.
    pub user: *mut c_void,
}

growing!(mkeep_ls_remote_options: user);
// SAFETY: as above.
unsafe impl Options for mkeep_ls_remote_options {}

/// What a pull did.
pub struct mkeep_pulled {
    pub(crate) facts: mkeep_pulled_facts,
    pub(crate) json: String,
    pub(crate) _strings: Strings,
}

/// What a pull did.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_pulled_facts {
    /// `sizeof(mkeep_pulled_facts)`.
    pub size: usize,
    /// What was asked for.
    pub reference: mkeep_str,
    /// The model's name here, in its stored spelling.
    pub name: mkeep_str,
    /// The digest of the registry's manifest.
    pub digest: mkeep_str,
    /// Whether another model of that name was replaced.
    pub is_replacement: bool,
    /// How many blobs came.
    pub new_blobs: usize,
    /// The bytes of the blobs that came.
    pub new_bytes: u64,
    /// How many of these bytes an earlier pull had fetched, before it broke off.
    pub resumed_bytes: u64,
    /// How many blobs were there already.
    pub shared_blobs: usize,
}

growing!(mkeep_pulled_facts: shared_blobs);

/// What a push did.
pub struct mkeep_pushed {
    pub(crate) facts: mkeep_pushed_facts,
    pub(crate) json: String,
    pub(crate) _strings: Strings,
}

/// What a push did.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_pushed_facts {
    /// `sizeof(mkeep_pushed_facts)`.
    pub size: usize,
    /// The model's name here, in its stored spelling.
    pub name: mkeep_str,
    /// Where it is.
    pub reference: mkeep_str,
    /// The digest of its manifest.
    pub digest: mkeep_str,
    /// How many blobs were sent.
    pub sent_blobs: usize,
    /// The bytes of the blobs that were sent.
    pub sent_bytes: u64,
    /// How many blobs the registry had in another repository.
    pub mounted_blobs: usize,
    /// How many blobs were there already.
    pub shared_blobs: usize,
}

growing!(mkeep_pushed_facts: shared_blobs);

/// What a registry has: repositories, or the tags of one.
pub struct mkeep_remote_list {
    pub(crate) names: Vec<mkeep_str>,
    pub(crate) json: String,
    pub(crate) _strings: Strings,
}

/// Gets what the pull did; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_pulled_get(
    pulled: *const mkeep_pulled,
    facts: *mut mkeep_pulled_facts,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(pulled, facts, |pulled| Some(pulled.facts)) }
}

/// Makes the JSON of the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_pulled_json(
    pulled: *const mkeep_pulled,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(pulled, json, error, |pulled| Ok(pulled.json.clone())) }
}

/// Frees the result of a pull.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_pulled_free(pulled: *mut mkeep_pulled) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(pulled) }
}

/// Gets what the push did; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_pushed_get(
    pushed: *const mkeep_pushed,
    facts: *mut mkeep_pushed_facts,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(pushed, facts, |pushed| Some(pushed.facts)) }
}

/// Makes the JSON of the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_pushed_json(
    pushed: *const mkeep_pushed,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(pushed, json, error, |pushed| Ok(pushed.json.clone())) }
}

/// Frees the result of a push.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_pushed_free(pushed: *mut mkeep_pushed) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(pushed) }
}

/// Gets a name, of all that are sorted, as mkeep_store_pull takes it; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_remote_list_get(
    list: *const mkeep_remote_list,
    index: usize,
    name: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(list, name, |list| list.names.get(index).copied()) }
}

/// Makes the JSON of the names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_remote_list_json(
    list: *const mkeep_remote_list,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(list, json, error, |list| Ok(list.json.clone())) }
}

/// Frees what a registry has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_remote_list_free(list: *mut mkeep_remote_list) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(list) }
}
