//! What a verification found.

use engine::{BlobStatus, BrokenModel, Finding, Report};

use crate::boundary::{free, get, with};
use crate::gguf::mkeep_warning;
use crate::growing::{get_sized, growing};
use crate::problem::mkeep_problem;
use crate::status::{mkeep_error, mkeep_parse_error, mkeep_status};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// The state of a blob.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_blob_status {
    /// Its bytes have the digest that names it.
    Ok = 0,
    /// No file is there.
    Missing = 1,
    /// The file has another size than a manifest says.
    WrongSize = 2,
    /// The file's bytes have another digest.
    WrongDigest = 3,
    /// The file cannot be read.
    Unreadable = 4,
}

impl From<BlobStatus> for mkeep_blob_status {
    fn from(status: BlobStatus) -> Self {
        match status {
            BlobStatus::Ok => mkeep_blob_status::Ok,
            BlobStatus::Missing => mkeep_blob_status::Missing,
            BlobStatus::WrongSize => mkeep_blob_status::WrongSize,
            BlobStatus::WrongDigest => mkeep_blob_status::WrongDigest,
            _ => mkeep_blob_status::Unreadable,
        }
    }
}

/// One blob of a report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_finding {
    /// `sizeof(mkeep_finding)`.
    pub size: usize,
    /// What is wrong with it.
    pub status: mkeep_blob_status,
    /// Whether its bytes have the digest: then a wrong size is the manifest's error.
    pub is_intact: bool,
    /// The digest that names it, as in `sha256:...`.
    pub digest: mkeep_str,
    /// Where it is, or should be.
    pub path: mkeep_str,
    /// The reason in words; empty where nothing is wrong.
    pub detail: mkeep_str,
    /// How many models use it.
    pub n_models: usize,
    /// Its size on disk in bytes; 0 where it is missing.
    pub n_bytes: u64,
}

/// A model that lacks something.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_broken_model {
    /// `sizeof(mkeep_broken_model)`.
    pub size: usize,
    /// The model.
    pub name: mkeep_str,
    /// What it lacks, a line for each layer.
    pub reasons: mkeep_str,
}

growing!(mkeep_finding: n_bytes, mkeep_broken_model: reasons);

/// What a verification found.
pub struct mkeep_report {
    report: Report,
    findings: Vec<mkeep_finding>,
    models: Vec<Vec<mkeep_str>>,
    ggufs: Vec<OfGguf>,
    cache_error: mkeep_str,
    broken: Vec<mkeep_broken_model>,
    problems: Vec<mkeep_problem>,
    _strings: Strings,
}

impl mkeep_finding {
    fn new(strings: &mut Strings, finding: &Finding) -> Self {
        mkeep_finding {
            size: size_of::<Self>(),
            status: finding.status.into(),
            is_intact: finding.is_intact,
            digest: strings.display(&finding.digest),
            path: strings.path(&finding.path),
            detail: strings.add(&finding.detail),
            n_bytes: finding.size,
            n_models: finding.models.len(),
        }
    }
}

/// What the strict reader says of a blob, where it was asked.
#[derive(Default)]
struct OfGguf {
    error: Option<mkeep_parse_error>,
    unsupported: Option<mkeep_parse_error>,
    warnings: Vec<mkeep_warning>,
}

impl OfGguf {
    fn new(strings: &mut Strings, finding: &Finding) -> Self {
        let Some(gguf) = &finding.gguf else {
            return OfGguf::default();
        };
        let mut fault = |error| mkeep_parse_error::new(strings, error);
        OfGguf {
            error: gguf.error.as_ref().map(&mut fault),
            unsupported: gguf.unsupported.as_ref().map(&mut fault),
            warnings: gguf
                .warnings
                .iter()
                .map(|warning| mkeep_warning::new(strings, warning))
                .collect(),
        }
    }
}

fn broken(strings: &mut Strings, model: &BrokenModel) -> mkeep_broken_model {
    mkeep_broken_model {
        size: size_of::<mkeep_broken_model>(),
        name: strings.display(&model.name),
        reasons: strings.add(model.reasons.join("\n")),
    }
}

impl From<Report> for mkeep_report {
    fn from(report: Report) -> Self {
        let mut strings = Strings::default();
        let s = &mut strings;
        let blobs = report.blobs.iter();
        mkeep_report {
            findings: blobs
                .clone()
                .map(|blob| mkeep_finding::new(s, blob))
                .collect(),
            models: blobs.clone().map(|blob| s.displays(&blob.models)).collect(),
            ggufs: blobs.map(|blob| OfGguf::new(s, blob)).collect(),
            cache_error: s.add(report.cache_error.as_deref().unwrap_or_default()),
            broken: report.models.iter().map(|model| broken(s, model)).collect(),
            problems: mkeep_problem::all(s, &report.problems),
            report,
            _strings: strings,
        }
    }
}

impl mkeep_report {
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }
}

/// Returns whether nothing is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_is_ok(report: *const mkeep_report) -> bool {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { with(report, false, |report| report.report.is_ok()) }
}

/// Returns how many blobs were verified.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_count(report: *const mkeep_report) -> usize {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { with(report, 0, |report| report.findings.len()) }
}

/// Returns how many bytes were hashed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_hashed_bytes(report: *const mkeep_report) -> u64 {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { with(report, 0, |report| report.report.hashed_bytes) }
}

/// Returns how many bytes the verification cache had as good, so that they were not hashed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_cached_bytes(report: *const mkeep_report) -> u64 {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { with(report, 0, |report| report.report.cached.bytes) }
}

/// Returns how many blobs the verification cache had as good, so that they were not hashed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_cached_blobs(report: *const mkeep_report) -> usize {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { with(report, 0, |report| report.report.cached.blobs) }
}

/// Returns why the verification cache could not be written; empty where it was, and where that was
/// not asked. The next run that uses it hashes these blobs again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_cache_error(report: *const mkeep_report) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { with(report, mkeep_str::EMPTY, |report| report.cache_error) }
}

/// Gets a blob, in the order of digests; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_get(
    report: *const mkeep_report,
    index: usize,
    finding: *mut mkeep_finding,
) -> bool {
    let nth = |report: &mkeep_report| report.findings.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(report, finding, nth) }
}

/// Gets the name of the model at `nth` of those that use the blob at `index`; false beyond the
/// last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_model(
    report: *const mkeep_report,
    index: usize,
    nth: usize,
    name: *mut mkeep_str,
) -> bool {
    let found = |report: &mkeep_report| report.models.get(index)?.get(nth).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(report, name, found) }
}

/// Gets why the strict reader refuses the GGUF file at `index` of the blobs; false where it does
/// not, and where it was not asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_parse_error(
    report: *const mkeep_report,
    index: usize,
    parse_error: *mut mkeep_parse_error,
) -> bool {
    let nth = |report: &mkeep_report| report.ggufs.get(index)?.error;
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(report, parse_error, nth) }
}

/// Gets why only strict readers refuse the GGUF file at `index` of the blobs: a tensor type or a number
/// of dimensions that they do not support. Nothing is wrong with the file. False where they do not,
/// and where that was not asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_unsupported(
    report: *const mkeep_report,
    index: usize,
    reason: *mut mkeep_parse_error,
) -> bool {
    let nth = |report: &mkeep_report| report.ggufs.get(index)?.unsupported;
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(report, reason, nth) }
}

/// Gets the warning at `nth` of those about the GGUF file at `index` of the blobs; false beyond the
/// last, and where that was not asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_warning(
    report: *const mkeep_report,
    index: usize,
    nth: usize,
    warning: *mut mkeep_warning,
) -> bool {
    let found = |report: &mkeep_report| report.ggufs.get(index)?.warnings.get(nth).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(report, warning, found) }
}

/// Gets a model that lacks something, in the order of names; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_broken_model(
    report: *const mkeep_report,
    index: usize,
    model: *mut mkeep_broken_model,
) -> bool {
    let nth = |report: &mkeep_report| report.broken.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(report, model, nth) }
}

/// Gets a manifest that could not be read; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_problem(
    report: *const mkeep_report,
    index: usize,
    problem: *mut mkeep_problem,
) -> bool {
    let nth = |report: &mkeep_report| report.problems.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(report, problem, nth) }
}

/// Makes the JSON of the report.
///
/// MKEEP_STATUS_UNSUPPORTED for a path that is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_json(
    report: *const mkeep_report,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |report: &mkeep_report| engine::json::try_to_string(&report.report);
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(report, json, error, made) }
}

/// Frees a report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_report_free(report: *mut mkeep_report) {
    // SAFETY: by the header's contract NULL or a live report that is given up.
    unsafe { free(report) }
}
