//! Verifying: the classes of a report, and the way from the engine to a Python callback.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::gguf::GgufWarning;
use crate::json_base::{JsonBase, each, texts};
use crate::listing::Problem;
use crate::parse_error::ParseError;
use crate::repr::shown;

/// What a verification found.
#[pyclass(frozen, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Report {
    pub(crate) report: Arc<modelkeep::Report>,
    blobs: Vec<Py<Finding>>,
}

impl Report {
    pub(crate) fn of(py: Python<'_>, report: modelkeep::Report) -> PyResult<Py<Self>> {
        let blobs = each(py, &report.blobs, Finding::of)?;
        let report = Arc::new(report);
        JsonBase::of(&report).with(py, Report { report, blobs })
    }
}

#[pymethods]
impl Report {
    /// Whether nothing is wrong.
    #[getter]
    fn ok(&self) -> bool {
        self.report.is_ok()
    }

    /// One finding for each distinct digest, in the order of digests.
    #[getter]
    fn blobs(&self, py: Python<'_>) -> Vec<Py<Finding>> {
        self.blobs.iter().map(|blob| blob.clone_ref(py)).collect()
    }

    /// The models that lack something, in the order of names.
    #[getter]
    fn models(&self, py: Python<'_>) -> PyResult<Vec<Py<BrokenModel>>> {
        each(py, &self.report.models, |_, model| {
            Ok(BrokenModel {
                name: model.name.to_string(),
                reasons: model.reasons.clone(),
            })
        })
    }

    /// Manifests that could not be read.
    #[getter]
    fn problems(&self, py: Python<'_>) -> PyResult<Vec<Py<Problem>>> {
        each(py, &self.report.problems, Problem::of)
    }

    /// The bytes that were hashed.
    #[getter]
    fn hashed_bytes(&self) -> u64 {
        self.report.hashed_bytes
    }

    /// What was not hashed, because an earlier run found it good and nothing touched it since.
    #[getter]
    fn cached(&self) -> Cached {
        let cached = self.report.cached;
        Cached {
            blobs: cached.blobs,
            bytes: cached.bytes,
        }
    }

    fn __repr__(&self) -> String {
        let (report, blobs) = (&self.report, self.blobs.len());
        let ok = if report.is_ok() { "ok" } else { "not ok" };
        format!(
            "<Report: {ok}, {blobs} blobs, {} bytes hashed>",
            report.hashed_bytes
        )
    }
}

/// How much a verification took an earlier one's word for.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Cached {
    /// The blobs.
    blobs: usize,
    /// Their bytes.
    bytes: u64,
}

#[pymethods]
impl Cached {
    fn __repr__(&self) -> String {
        format!("<Cached: {} blobs, {} bytes>", self.blobs, self.bytes)
    }
}

/// One blob.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Finding {
    /// The digest that names the blob.
    digest: String,
    /// Where it lies, or should lie.
    path: PathBuf,
    /// `ok`, `missing`, `wrong_size`, `wrong_digest` or `unreadable`.
    status: &'static str,
    /// Its size on disk in bytes; zero where it is missing.
    size: u64,
    /// The reason in words; empty where nothing is wrong.
    detail: String,
    /// The models that use it.
    models: Vec<String>,
    /// What the strict GGUF reader says, where it was asked and the blob is a GGUF file.
    gguf: Option<Py<GgufFinding>>,
}

impl Finding {
    fn of(py: Python<'_>, finding: &modelkeep::Finding) -> PyResult<Self> {
        let gguf = finding.gguf.as_ref().map(|gguf| GgufFinding::of(py, gguf));
        Ok(Finding {
            digest: finding.digest.to_string(),
            path: finding.path.clone(),
            status: finding.status.as_str(),
            size: finding.size,
            detail: finding.detail.clone(),
            models: texts(&finding.models),
            gguf: gguf.transpose()?,
        })
    }
}

#[pymethods]
impl Finding {
    fn __repr__(&self) -> String {
        shown(
            "Finding",
            &[("digest", &self.digest), ("status", &self.status)],
        )
    }
}

/// What the strict reader says of a GGUF file.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct GgufFinding {
    /// Why it is refused.
    error: Option<Py<ParseError>>,
    /// What is unusual, or would be refused elsewhere.
    warnings: Vec<Py<GgufWarning>>,
}

impl GgufFinding {
    fn of(py: Python<'_>, finding: &modelkeep::GgufFinding) -> PyResult<Py<Self>> {
        let error = finding.error.clone();
        let finding = GgufFinding {
            error: error
                .map(|error| Py::new(py, ParseError::from(error)))
                .transpose()?,
            warnings: each(py, &finding.warnings, |_, warning| Ok(warning.into()))?,
        };
        Py::new(py, finding)
    }
}

#[pymethods]
impl GgufFinding {
    fn __repr__(&self) -> String {
        let ok = if self.error.is_none() {
            "ok"
        } else {
            "refused"
        };
        format!("<GgufFinding: {ok}, {} warnings>", self.warnings.len())
    }
}

/// A model that cannot be whole.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct BrokenModel {
    /// The model.
    name: String,
    /// What it lacks, a line for each layer.
    reasons: Vec<String>,
}

#[pymethods]
impl BrokenModel {
    fn __repr__(&self) -> String {
        shown(
            "BrokenModel",
            &[("name", &self.name), ("reasons", &self.reasons)],
        )
    }
}

/// How far a verification is.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Progress {
    /// The bytes hashed so far.
    bytes: u64,
    /// The bytes to hash.
    total_bytes: u64,
    /// The files done so far.
    files: usize,
    /// The files to hash.
    total_files: usize,
}

impl From<&modelkeep::Progress> for Progress {
    fn from(progress: &modelkeep::Progress) -> Self {
        Progress {
            bytes: progress.bytes,
            total_bytes: progress.total_bytes,
            files: progress.files,
            total_files: progress.total_files,
        }
    }
}

#[pymethods]
impl Progress {
    fn __repr__(&self) -> String {
        format!(
            "<Progress: {} of {} bytes, {} of {} files>",
            self.bytes, self.total_bytes, self.files, self.total_files
        )
    }
}

/// Looks for signals and tells a callback, as often as the engine says how far it is.
pub(crate) struct Observer {
    callback: Option<Py<PyAny>>,
    /// What the callback or a signal raised.
    pub(crate) raised: Option<PyErr>,
}

impl Observer {
    pub(crate) fn new(callback: Option<Py<PyAny>>) -> Self {
        let raised = None;
        Observer { callback, raised }
    }

    pub(crate) fn observe(&mut self, progress: &modelkeep::Progress) -> ControlFlow<()> {
        match Python::attach(|py| self.tell(py, progress)) {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => ControlFlow::Break(()),
            Err(raised) => {
                self.raised = Some(raised);
                ControlFlow::Break(())
            }
        }
    }

    /// Returns whether to go on: only `False` itself says no, so that `None` need not be thought
    /// of.
    fn tell(&self, py: Python<'_>, progress: &modelkeep::Progress) -> PyResult<bool> {
        py.check_signals()?;
        let Some(callback) = &self.callback else {
            return Ok(true);
        };
        let answer = callback.bind(py).call1((Progress::from(progress),))?;
        Ok(!answer.is(&*PyBool::new(py, false)))
    }
}
