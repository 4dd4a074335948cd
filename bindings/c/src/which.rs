//! From a digest, an ID or a file to the models that it belongs to.

use std::ffi::c_char;

use engine::{Reference, Use, Uses};

use crate::boundary::{free, path, text};
use crate::growing::{get_sized, growing};
use crate::problem::mkeep_problem;
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// The models that a digest, an ID or a file belongs to.
pub struct mkeep_uses {
    uses: Vec<mkeep_use>,
    problems: Vec<mkeep_problem>,
    found: Uses,
    _strings: Strings,
}

/// A part of a model.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_use {
    /// `sizeof(mkeep_use)`.
    pub size: usize,
    /// The model.
    pub name: mkeep_str,
    /// `manifest`, or what the layer holds: `model`, `projector`, `template`, `config` and others.
    pub kind: mkeep_str,
    /// The digest: of the layer's blob, or of the manifest as a list has it.
    pub digest: mkeep_str,
}

growing!(mkeep_use: digest);

impl mkeep_use {
    fn new(strings: &mut Strings, part: &Use) -> Self {
        mkeep_use {
            size: size_of::<Self>(),
            name: strings.display(&part.name),
            kind: strings.add(&part.kind),
            digest: strings.add(&part.digest),
        }
    }
}

impl From<Uses> for mkeep_uses {
    fn from(found: Uses) -> Self {
        let mut strings = Strings::default();
        let uses = found.uses.iter();
        mkeep_uses {
            uses: uses
                .map(|part| mkeep_use::new(&mut strings, part))
                .collect(),
            problems: mkeep_problem::all(&mut strings, &found.problems),
            found,
            _strings: strings,
        }
    }
}

/// Finds the models that something belongs to: a digest or the ID of a model, in full or its first
/// digits, at least 12; or the path of a blob, of a manifest, or of any other file, which is then
/// hashed. Reads every manifest.
///
/// MKEEP_STATUS_FILE_NOT_FOUND for a path where no file is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_which(
    store: *const mkeep_store,
    what: *const c_char,
    uses: *mut *mut mkeep_uses,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, uses, error, |store| {
            Ok(store.which(path(what, "what")?)?.into())
        })
    }
}

/// Finds the stored name of a model, given by its name or by its ID, in full or its first digits,
/// at least 12. A stored name wins. Reads every manifest where the name is not stored.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_INVALID_ARGUMENT for the first
/// digits of several IDs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_identify(
    store: *const mkeep_store,
    name: *const c_char,
    stored: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, stored, error, |store| {
            let reference: Reference = text(name, "name")?.parse()?;
            Ok(mkeep_string::new(&store.identify(&reference)?.to_string()))
        })
    }
}

/// Gets a part of a model, by name and then in the manifest's order; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_uses_get(
    uses: *const mkeep_uses,
    index: usize,
    part: *mut mkeep_use,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(uses, part, |uses| uses.uses.get(index).copied()) }
}

/// Gets a manifest that cannot be read, and may name it; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_uses_problem(
    uses: *const mkeep_uses,
    index: usize,
    problem: *mut mkeep_problem,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(uses, problem, |uses| uses.problems.get(index).copied()) }
}

/// Makes the JSON of the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_uses_json(
    uses: *const mkeep_uses,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(uses, json, error, |uses| Ok(uses.found.to_json())) }
}

/// Frees what was found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_uses_free(uses: *mut mkeep_uses) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(uses) }
}
