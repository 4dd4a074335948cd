//! What the disk holds, and for whom.

use engine::{Files, Usage};

use crate::boundary::free;
use crate::growing::{get_sized, growing};
use crate::problem::mkeep_problem;
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// The disk usage of a store.
pub struct mkeep_usage {
    usage: Usage,
    models: Vec<mkeep_model_usage>,
    problems: Vec<mkeep_problem>,
    _strings: Strings,
}

/// Some files together.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_files {
    /// How many.
    pub n_files: usize,
    /// Their bytes on the disk.
    pub n_bytes: u64,
}

/// The sums of a disk usage. Bytes are real blocks on the disk; each digest counts once.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_totals {
    /// `sizeof(mkeep_totals)`.
    pub size: usize,
    /// The bytes of all blobs that models use.
    pub used: u64,
    /// Blobs that no model uses.
    pub orphans: mkeep_files,
    /// Leftovers of interrupted downloads.
    pub partials: mkeep_files,
    /// Unknown files among the blobs.
    pub unknown: mkeep_files,
    /// Files of this library's own that are being written, or that interrupted runs left.
    pub staged: mkeep_files,
    /// Blobs in the trash of an interrupted removal.
    pub trash: mkeep_files,
    /// Damaged blobs that a repair has moved into quarantine.
    pub quarantine: mkeep_files,
    /// Everything else below the store's directory, its manifests included.
    pub other: mkeep_files,
    /// All of these bytes together.
    pub total: u64,
    /// Those of these bytes that stay on the disk whatever is removed here, because the files have
    /// other names elsewhere.
    pub held_outside: u64,
}

/// The disk usage of one model.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_model_usage {
    /// `sizeof(mkeep_model_usage)`.
    pub size: usize,
    /// The model.
    pub name: mkeep_str,
    /// How many of its blobs are missing.
    pub n_missing: usize,
    /// The bytes that it alone holds: what deleting it frees.
    pub exclusive: u64,
    /// The bytes that it shares with other models.
    pub shared: u64,
}

growing!(mkeep_totals: held_outside, mkeep_model_usage: shared);

impl From<Files> for mkeep_files {
    fn from(files: Files) -> Self {
        mkeep_files {
            n_files: files.files,
            n_bytes: files.bytes,
        }
    }
}

impl From<Usage> for mkeep_usage {
    fn from(usage: Usage) -> Self {
        let mut strings = Strings::default();
        let models = usage.models.iter();
        mkeep_usage {
            models: models
                .map(|model| mkeep_model_usage {
                    size: size_of::<mkeep_model_usage>(),
                    name: strings.display(&model.name),
                    exclusive: model.exclusive,
                    shared: model.shared,
                    n_missing: model.missing,
                })
                .collect(),
            problems: mkeep_problem::all(&mut strings, &usage.problems),
            usage,
            _strings: strings,
        }
    }
}

fn totals(usage: &Usage) -> mkeep_totals {
    mkeep_totals {
        size: size_of::<mkeep_totals>(),
        used: usage.used,
        orphans: usage.orphans.into(),
        partials: usage.partials.into(),
        unknown: usage.unknown.into(),
        staged: usage.staged.into(),
        trash: usage.trash.into(),
        quarantine: usage.quarantine.into(),
        other: usage.other.into(),
        total: usage.total,
        held_outside: usage.held_outside,
    }
}

/// Measures the disk: everything below the store's directory. Reads every manifest once and
/// inspects every file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_usage(
    store: *const mkeep_store,
    usage: *mut *mut mkeep_usage,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { result_out(store, usage, error, |store| Ok(store.usage()?.into())) }
}

/// Gets the sums; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_usage_totals(
    usage: *const mkeep_usage,
    sums: *mut mkeep_totals,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(usage, sums, |usage| Some(totals(&usage.usage))) }
}

/// Gets the disk usage of a model, in the order of names; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_usage_model(
    usage: *const mkeep_usage,
    index: usize,
    model: *mut mkeep_model_usage,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(usage, model, |usage| usage.models.get(index).copied()) }
}

/// Gets what could not be read: what it uses counts as orphaned. False beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_usage_problem(
    usage: *const mkeep_usage,
    index: usize,
    problem: *mut mkeep_problem,
) -> bool {
    let nth = |usage: &mkeep_usage| usage.problems.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(usage, problem, nth) }
}

/// Makes the JSON of the result.
///
/// MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_usage_json(
    usage: *const mkeep_usage,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |usage: &mkeep_usage| engine::json::try_to_string(&usage.usage);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(usage, json, error, made) }
}

/// Frees a disk usage.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_usage_free(usage: *mut mkeep_usage) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(usage) }
}
