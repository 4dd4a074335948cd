//! What is wrong with a store, and what to do.

use engine::{Diagnosis, Issue, Location, LocationState};

use crate::boundary::{free, out, output, with};
use crate::growing::{get_sized, growing, options};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::store::{mkeep_store, mkeep_store_options, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// What is wrong with a store.
pub struct mkeep_diagnosis {
    diagnosis: Diagnosis,
    locations: Vec<mkeep_location>,
    issues: Vec<mkeep_issue>,
    notes: Vec<mkeep_issue>,
    _strings: Strings,
}

/// What is in a place where a store may be. More may come.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_location_state {
    /// Something else than the others.
    Unknown = 0,
    /// A store: a directory with `manifests` or `blobs`.
    Store = 1,
    /// A file, or a directory with neither `manifests` nor `blobs`.
    NoStore = 2,
    /// Nothing.
    Missing = 3,
    /// A link, or a path through one, that leads nowhere.
    Dangling = 4,
    /// A directory that this user may not look into.
    Closed = 5,
}

impl From<LocationState> for mkeep_location_state {
    fn from(state: LocationState) -> Self {
        match state {
            LocationState::Store => mkeep_location_state::Store,
            LocationState::NoStore => mkeep_location_state::NoStore,
            LocationState::Missing => mkeep_location_state::Missing,
            LocationState::Dangling => mkeep_location_state::Dangling,
            LocationState::Closed => mkeep_location_state::Closed,
            _ => mkeep_location_state::Unknown,
        }
    }
}

/// A place where a store may be.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_location {
    /// `sizeof(mkeep_location)`.
    pub size: usize,
    /// What is there: an mkeep_location_state.
    pub state: u32,
    /// Whether it exists.
    pub exists: bool,
    /// Whether it is the store that was opened.
    pub is_opened: bool,
    /// The directory.
    pub path: mkeep_str,
    /// Why no models can be seen there, and what to do, in words; empty where some can.
    pub message: mkeep_str,
    /// How many manifests are in it.
    pub n_manifests: usize,
}

/// Something that is wrong, or worth knowing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_issue {
    /// `sizeof(mkeep_issue)`.
    pub size: usize,
    /// The file or directory.
    pub path: mkeep_str,
    /// The model, where the path is a model's; otherwise empty.
    pub name: mkeep_str,
    /// What is wrong.
    pub message: mkeep_str,
    /// What to do.
    pub advice: mkeep_str,
}

growing!(mkeep_location: n_manifests, mkeep_issue: advice);

impl mkeep_location {
    fn new(strings: &mut Strings, location: &Location) -> Self {
        mkeep_location {
            size: size_of::<Self>(),
            path: strings.path(&location.path),
            message: strings.add(&location.what),
            n_manifests: location.manifests,
            state: mkeep_location_state::from(location.state) as u32,
            exists: location.exists,
            is_opened: location.opened,
        }
    }
}

impl mkeep_issue {
    fn all(strings: &mut Strings, issues: &[Issue]) -> Vec<Self> {
        let issues = issues.iter();
        issues
            .map(|issue| mkeep_issue {
                size: size_of::<Self>(),
                path: strings.path(&issue.path),
                name: issue
                    .name
                    .as_ref()
                    .map_or(mkeep_str::EMPTY, |name| strings.display(name)),
                message: strings.add(&issue.what),
                advice: strings.add(&issue.advice),
            })
            .collect()
    }
}

impl From<Diagnosis> for mkeep_diagnosis {
    fn from(diagnosis: Diagnosis) -> Self {
        let mut strings = Strings::default();
        let locations = diagnosis.locations.iter();
        mkeep_diagnosis {
            locations: locations
                .map(|location| mkeep_location::new(&mut strings, location))
                .collect(),
            issues: mkeep_issue::all(&mut strings, &diagnosis.issues),
            notes: mkeep_issue::all(&mut strings, &diagnosis.notes),
            diagnosis,
            _strings: strings,
        }
    }
}

/// Looks for everything that makes a model invisible or broken. Opens each manifest, config and
/// template once; hashes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_doctor(
    store: *const mkeep_store,
    diagnosis: *mut *mut mkeep_diagnosis,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { result_out(store, diagnosis, error, |store| Ok(store.doctor()?.into())) }
}

/// Diagnoses the store that mkeep_store_open would open, as mkeep_store_doctor does. One that
/// cannot be opened is a diagnosis, too: why, and the places where there are models. `options` may
/// be NULL.
///
/// MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_diagnose(
    options: *const mkeep_store_options,
    diagnosis: *mut *mut mkeep_diagnosis,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let diagnosis = output(diagnosis)?;
            let found = self::options(options)?.read()?.diagnose()?;
            out(diagnosis, mkeep_diagnosis::from(found));
            Ok(())
        })
    }
}

/// Returns whether nothing is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_diagnosis_is_ok(diagnosis: *const mkeep_diagnosis) -> bool {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(diagnosis, false, |diagnosis| diagnosis.diagnosis.is_ok()) }
}

/// Returns how many blobs the models use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_diagnosis_blobs(diagnosis: *const mkeep_diagnosis) -> usize {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(diagnosis, 0, |diagnosis| diagnosis.diagnosis.blobs) }
}

/// Returns how many of them the verification cache has as good, untouched since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_diagnosis_verified(diagnosis: *const mkeep_diagnosis) -> usize {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(diagnosis, 0, |diagnosis| diagnosis.diagnosis.verified) }
}

/// Gets a place where a store may be, the opened one first; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_diagnosis_location(
    diagnosis: *const mkeep_diagnosis,
    index: usize,
    location: *mut mkeep_location,
) -> bool {
    let nth = |diagnosis: &mkeep_diagnosis| diagnosis.locations.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(diagnosis, location, nth) }
}

/// Gets what is wrong, in the order of paths; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_diagnosis_issue(
    diagnosis: *const mkeep_diagnosis,
    index: usize,
    issue: *mut mkeep_issue,
) -> bool {
    let nth = |diagnosis: &mkeep_diagnosis| diagnosis.issues.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(diagnosis, issue, nth) }
}

/// Gets what is not wrong, and worth knowing: what can be reclaimed, aliases, unknown files that
/// harm nobody; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_diagnosis_note(
    diagnosis: *const mkeep_diagnosis,
    index: usize,
    note: *mut mkeep_issue,
) -> bool {
    let nth = |diagnosis: &mkeep_diagnosis| diagnosis.notes.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(diagnosis, note, nth) }
}

/// Makes the JSON of the result.
///
/// MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_diagnosis_json(
    diagnosis: *const mkeep_diagnosis,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |diagnosis: &mkeep_diagnosis| engine::json::try_to_string(&diagnosis.diagnosis);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(diagnosis, json, error, made) }
}

/// Frees a diagnosis.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_diagnosis_free(diagnosis: *mut mkeep_diagnosis) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(diagnosis) }
}
