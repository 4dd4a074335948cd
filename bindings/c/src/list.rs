//! Lists of models.

use std::time::{SystemTime, UNIX_EPOCH};

use engine::{Listing, Summary};

use crate::boundary::{borrow, end, enter, fetch, give, look, output};
use crate::status::{mkeep_error, mkeep_status};
use crate::store::{answer, mkeep_store};
use crate::text::{Terminated, mkeep_str, mkeep_text};

/// All models of a store at one moment, newest first.
pub struct mkeep_list {
    lines: Vec<Line>,
    problems: Vec<Terminated>,
}

struct Line {
    texts: [Terminated; 6],
    size: i64,
    modified: i64,
}

/// A model of a list. Its texts live as long as the list.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_summary {
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
    /// The bytes of all blobs, as the manifest states them.
    pub size: i64,
    /// The time of the manifest's last change, in nanoseconds since 1970.
    pub modified: i64,
}

impl From<&Summary> for Line {
    fn from(line: &Summary) -> Self {
        let details = &line.details;
        let texts = [
            &line.name.to_string(),
            &line.digest,
            &details.format,
            &details.family,
            &details.parameter_size,
            &details.quantization_level,
        ];
        Line {
            texts: texts.map(|text| Terminated::new(text)),
            size: line.size,
            modified: nanoseconds(line.modified_at.system_time()),
        }
    }
}

impl Line {
    fn lend(&self) -> mkeep_summary {
        let [
            name,
            digest,
            format,
            family,
            parameter_size,
            quantization_level,
        ] = self.texts.each_ref().map(Terminated::borrow);
        mkeep_summary {
            name,
            digest,
            format,
            family,
            parameter_size,
            quantization_level,
            size: self.size,
            modified: self.modified,
        }
    }
}

impl From<Listing> for mkeep_list {
    fn from(listing: Listing) -> Self {
        let problems = listing.problems.iter();
        mkeep_list {
            lines: listing.models.iter().map(Line::from).collect(),
            problems: problems
                .map(|problem| Terminated::new(&problem.to_string()))
                .collect(),
        }
    }
}

/// Since 1970, before it negative; 0 beyond what 64 bits hold.
pub(crate) fn nanoseconds(time: SystemTime) -> i64 {
    let (since, sign) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (since, 1),
        Err(before) => (before.duration(), -1),
    };
    i64::try_from(since.as_nanos()).map_or(0, |since| sign * since)
}

/// Lists all models. What cannot be read is left out, and named among the problems.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_list(
    store: *const mkeep_store,
    list: *mut *mut mkeep_list,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        enter(error, || {
            let (store, list) = (borrow(store, "store")?, output(list)?);
            give(list, mkeep_list::from(store.0.list()?));
            Ok(())
        })
    }
}

/// Lists all models as the body of GET /api/tags.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_list_json(
    store: *const mkeep_store,
    json: *mut *mut mkeep_text,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { answer(store, json, error, |store| Ok(store.list()?.to_json())) }
}

/// How many models.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_count(list: *const mkeep_list) -> usize {
    // SAFETY: by the header's contract NULL or a live list.
    unsafe { look(list, 0, |list| list.lines.len()) }
}

/// The model at a place; false, and nothing written, beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_get(
    list: *const mkeep_list,
    index: usize,
    summary: *mut mkeep_summary,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { fetch(list, summary, |list| list.lines.get(index).map(Line::lend)) }
}

/// How many entries were left out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_problem_count(list: *const mkeep_list) -> usize {
    // SAFETY: by the header's contract NULL or a live list.
    unsafe { look(list, 0, |list| list.problems.len()) }
}

/// Why an entry was left out; empty beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_problem(list: *const mkeep_list, index: usize) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live list.
    unsafe {
        look(list, mkeep_str::EMPTY, |list| {
            let problem = list.problems.get(index);
            problem.map_or(mkeep_str::EMPTY, Terminated::borrow)
        })
    }
}

/// Ends a list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_list_free(list: *mut mkeep_list) {
    // SAFETY: by the header's contract NULL or a live list that is given up.
    unsafe { end(list) }
}
