//! Lists of models.

use std::time::{SystemTime, UNIX_EPOCH};

use engine::{IncompleteBlob, ListOptions, Listing, ManifestForm, Summary};

use crate::boundary::{free, get, with};
use crate::growing::{Options, get_sized, growing, options, reserved};
use crate::problem::mkeep_problem;
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{mkeep_store, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::mkeep_string;

/// All models of a store at one moment, newest first.
pub struct mkeep_list {
    models: Vec<mkeep_summary>,
    families: Vec<Vec<mkeep_str>>,
    capabilities: Vec<Vec<mkeep_str>>,
    incomplete: Vec<Vec<mkeep_incomplete_blob>>,
    problems: Vec<mkeep_problem>,
    _strings: Strings,
}

/// What to inspect for a list.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_list_options {
    /// `sizeof(mkeep_list_options)`.
    pub size: usize,
    /// Whether each blob is inspected, so that mkeep_list_incomplete knows what a model lacks.
    /// Costs a `stat` for each.
    pub check_blobs: u8,
    /// Zero, until a later release has fields here.
    pub reserved: [u8; 7],
}

/// A blob of a model that is not there as its manifest states it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_incomplete_blob {
    /// `sizeof(mkeep_incomplete_blob)`.
    pub size: usize,
    /// Whether there is no file at all.
    pub is_missing: bool,
    /// The blob, as in `sha256:...`.
    pub digest: mkeep_str,
    /// Where it is, or should be.
    pub path: mkeep_str,
    /// The bytes that the manifest states.
    pub n_stated_bytes: i64,
    /// The bytes that are there.
    pub n_bytes: u64,
}

/// The form of a manifest. More may come.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_manifest_form {
    /// Something else than the others.
    Unknown = 0,
    /// A config and layers, as models have them.
    Model = 1,
    /// A list of other manifests, one for each platform: an index of OCI, a manifest list of
    /// Docker.
    Index = 2,
    /// An artifact of OCI: a type and blobs.
    Artifact = 3,
    /// A manifest of Docker's first schema.
    Schema1 = 4,
}

impl From<ManifestForm> for mkeep_manifest_form {
    fn from(form: ManifestForm) -> Self {
        match form {
            ManifestForm::Model => mkeep_manifest_form::Model,
            ManifestForm::Index => mkeep_manifest_form::Index,
            ManifestForm::Artifact => mkeep_manifest_form::Artifact,
            ManifestForm::Schema1 => mkeep_manifest_form::Schema1,
            _ => mkeep_manifest_form::Unknown,
        }
    }
}

/// A model of a list.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_summary {
    /// `sizeof(mkeep_summary)`.
    pub size: usize,
    /// The form of its manifest, an mkeep_manifest_form: others than those of models are listed,
    /// too.
    pub form: u32,
    /// The name, as in `llama3.2:latest`.
    pub name: mkeep_str,
    /// The digest of the manifest: 64 hexadecimal digits.
    pub digest: mkeep_str,
    /// `gguf`, `safetensors`, or empty.
    pub format: mkeep_str,
    /// The architecture's family.
    pub family: mkeep_str,
    /// The size for people, as in `8.0B`.
    pub parameter_size: mkeep_str,
    /// The quantization's name, as in `Q4_K_M`.
    pub quantization_level: mkeep_str,
    /// The name at the host that serves a remote model; empty for a local one.
    pub remote_model: mkeep_str,
    /// The host that serves a remote model; empty for a local one.
    pub remote_host: mkeep_str,
    /// The model whose manifest this is as well, where the name is an alias; otherwise empty.
    pub alias_of: mkeep_str,
    /// The bytes of all blobs, as the manifest states them.
    pub n_bytes: i64,
    /// The time of the manifest's last change, in nanoseconds since 1970.
    pub modified: i64,
    /// Tokens of context; 0 where unknown.
    pub context_length: i64,
    /// Width of an embedding; 0 where unknown.
    pub embedding_length: i64,
    /// The model that this one was made from.
    pub parent_model: mkeep_str,
    /// The directory of its store, in a view of several; otherwise empty.
    pub store: mkeep_str,
}

growing!(
    mkeep_list_options: reserved,
    mkeep_incomplete_blob: n_bytes,
    mkeep_summary: store,
);
// SAFETY: numbers.
unsafe impl Options for mkeep_list_options {}

impl mkeep_incomplete_blob {
    fn new(strings: &mut Strings, blob: &IncompleteBlob) -> Self {
        mkeep_incomplete_blob {
            size: size_of::<Self>(),
            digest: strings.display(&blob.digest),
            path: strings.path(&blob.path),
            n_stated_bytes: blob.stated,
            n_bytes: blob.found.unwrap_or(0),
            is_missing: blob.found.is_none(),
        }
    }
}

impl mkeep_summary {
    fn new(strings: &mut Strings, line: &Summary) -> Self {
        let details = &line.details;
        let (alias_of, store) = (line.alias_of.as_ref(), line.store.as_ref());
        mkeep_summary {
            size: size_of::<Self>(),
            form: mkeep_manifest_form::from(line.form) as u32,
            name: strings.display(&line.name),
            digest: strings.add(&line.digest),
            format: strings.add(&details.format),
            family: strings.add(&details.family),
            parameter_size: strings.add(&details.parameter_size),
            quantization_level: strings.add(&details.quantization_level),
            remote_model: strings.add(&line.remote_model),
            remote_host: strings.add(&line.remote_host),
            alias_of: alias_of.map_or(mkeep_str::EMPTY, |model| strings.display(model)),
            n_bytes: line.size,
            modified: nanoseconds(line.modified_at.system_time()),
            context_length: details.context_length,
            embedding_length: details.embedding_length,
            parent_model: strings.add(&details.parent_model),
            store: store.map_or(mkeep_str::EMPTY, |store| strings.path(store)),
        }
    }
}

impl From<Listing> for mkeep_list {
    fn from(listing: Listing) -> Self {
        let mut strings = Strings::default();
        let s = &mut strings;
        let lines = listing.models.iter();
        let families = |line: &Summary| line.details.families.clone().unwrap_or_default();
        mkeep_list {
            models: lines
                .clone()
                .map(|line| mkeep_summary::new(s, line))
                .collect(),
            families: lines
                .clone()
                .map(|line| s.displays(families(line)))
                .collect(),
            capabilities: lines.map(|line| s.displays(&line.capabilities)).collect(),
            incomplete: listing.models.iter().map(|line| lacks(s, line)).collect(),
            problems: mkeep_problem::all(s, &listing.problems),
            _strings: strings,
        }
    }
}

fn lacks(strings: &mut Strings, line: &Summary) -> Vec<mkeep_incomplete_blob> {
    let blobs = line.incomplete.iter();
    blobs
        .map(|blob| mkeep_incomplete_blob::new(strings, blob))
        .collect()
}

/// Converts a time: since 1970, before it negative; 0 beyond what 64 bits hold.
pub(crate) fn nanoseconds(time: SystemTime) -> i64 {
    let (since, sign) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (since, 1),
        Err(before) => (before.duration(), -1),
    };
    i64::try_from(since.as_nanos()).map_or(0, |since| sign * since)
}

/// Lists all models. What cannot be read is left out, and named among the problems. `options` may
/// be NULL.
///
/// MKEEP_STATUS_INVALID_ARGUMENT for options of a later release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_list(
    store: *const mkeep_store,
    options: *const mkeep_list_options,
    list: *mut *mut mkeep_list,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, list, error, |store| {
            let stated = self::options(options)?;
            reserved(&stated.reserved)?;
            let options = ListOptions::default().check_blobs(stated.check_blobs != 0);
            Ok(store.list_with(&options)?.into())
        })
    }
}

/// Lists all models as the body of GET /api/tags.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_list_json(
    store: *const mkeep_store,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, json, error, |store| {
            Ok(mkeep_string::new(&store.list()?.to_json()))
        })
    }
}

/// Returns how many models there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_count(list: *const mkeep_list) -> usize {
    // SAFETY: by the header's contract NULL or a live list.
    unsafe { with(list, 0, |list| list.models.len()) }
}

/// Gets a model; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_get(
    list: *const mkeep_list,
    index: usize,
    summary: *mut mkeep_summary,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(list, summary, |list| list.models.get(index).copied()) }
}

/// Gets the family at `nth` of those of the model at `index`; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_family(
    list: *const mkeep_list,
    index: usize,
    nth: usize,
    family: *mut mkeep_str,
) -> bool {
    let found = |list: &mkeep_list| list.families.get(index)?.get(nth).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(list, family, found) }
}

/// Gets what the model at `index` can do, as in `completion` or `tools`; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_capability(
    list: *const mkeep_list,
    index: usize,
    nth: usize,
    capability: *mut mkeep_str,
) -> bool {
    let found = |list: &mkeep_list| list.capabilities.get(index)?.get(nth).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(list, capability, found) }
}

/// Gets a blob that the model at `index` lacks, where that was asked for; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_incomplete(
    list: *const mkeep_list,
    index: usize,
    nth: usize,
    blob: *mut mkeep_incomplete_blob,
) -> bool {
    let found = |list: &mkeep_list| list.incomplete.get(index)?.get(nth).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(list, blob, found) }
}

/// Gets an entry that was left out, and why; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_problem(
    list: *const mkeep_list,
    index: usize,
    problem: *mut mkeep_problem,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(list, problem, |list| list.problems.get(index).copied()) }
}

/// Frees a list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_free(list: *mut mkeep_list) {
    // SAFETY: by the header's contract NULL or a live list that is given up.
    unsafe { free(list) }
}
