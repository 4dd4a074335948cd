//! The results of what keeps a store in order: collecting, measuring, diagnosing, repairing.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::json_base::{JsonBase, each, texts};
use crate::listing::Problem;
use crate::repr::shown;

/// What a collection removed, or would remove.
#[pyclass(frozen, get_all, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Collected {
    /// Whether nothing was changed.
    dry_run: bool,
    /// The digests of blobs that no manifest names.
    blobs: Vec<String>,
    /// Leftovers of interrupted downloads, and what else was no blob.
    partials: Vec<PathBuf>,
    /// Files of our own that interrupted imports staged, and quarantined blobs where asked for.
    leftovers: Vec<PathBuf>,
    /// The bytes on the disk that became free, or would.
    bytes: u64,
    /// Unused blobs and leftovers that are still within the grace period.
    young: usize,
    /// The digests of blobs that somebody began to use meanwhile, and which were put back.
    restored: Vec<String>,
    /// Why blobs were kept: a manifest became unreadable, or another program has one open.
    kept: Vec<String>,
}

impl Collected {
    pub(crate) fn of(py: Python<'_>, collected: modelkeep::Collected) -> PyResult<Py<Self>> {
        let fields = Collected {
            dry_run: collected.dry_run,
            blobs: texts(&collected.blobs),
            partials: collected.partials.clone(),
            leftovers: collected.leftovers.clone(),
            bytes: collected.bytes,
            young: collected.young,
            restored: texts(&collected.restored),
            kept: collected.kept.clone(),
        };
        JsonBase::of(&Arc::new(collected)).with(py, fields)
    }
}

#[pymethods]
impl Collected {
    fn __repr__(&self) -> String {
        let blobs = self.blobs.len();
        shown(
            "Collected",
            &[
                ("blobs", &blobs),
                ("bytes", &self.bytes),
                ("young", &self.young),
            ],
        )
    }
}

/// What maintenance did.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Maintained {
    /// The blobs that had an old name, under their new one.
    renamed: Vec<PathBuf>,
    /// What was collected.
    collected: Py<Collected>,
}

impl Maintained {
    pub(crate) fn of(py: Python<'_>, maintained: modelkeep::Maintained) -> PyResult<Self> {
        Ok(Maintained {
            renamed: maintained.renamed,
            collected: Collected::of(py, maintained.collected)?,
        })
    }
}

/// The disk usage of a store, in real blocks on disk; each digest counts once.
#[pyclass(frozen, get_all, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Usage {
    /// The models, by name.
    models: Vec<Py<ModelUsage>>,
    /// The bytes of all blobs that models use.
    used: u64,
    /// Blobs that no model uses.
    orphans: Py<Files>,
    /// Leftovers of interrupted downloads.
    partials: Py<Files>,
    /// Files in `blobs/` that are neither.
    unknown: Py<Files>,
    /// Files of ours that are being written, or that interrupted runs left.
    staged: Py<Files>,
    /// Blobs in the trash of an interrupted removal.
    trash: Py<Files>,
    /// Damaged blobs that a repair set aside.
    quarantine: Py<Files>,
    /// Everything else below the store's root, its manifests included.
    other: Py<Files>,
    /// All of these bytes together.
    total: u64,
    /// Those of these bytes that files elsewhere hold as well, so that nothing here frees them.
    held_outside: u64,
    /// What could not be read: what it uses counts as orphaned.
    problems: Vec<Py<Problem>>,
}

impl Usage {
    pub(crate) fn of(py: Python<'_>, usage: modelkeep::Usage) -> PyResult<Py<Self>> {
        let fields = Usage {
            models: each(py, &usage.models, |_, model| Ok(model.into()))?,
            used: usage.used,
            orphans: Py::new(py, Files::from(usage.orphans))?,
            partials: Py::new(py, Files::from(usage.partials))?,
            unknown: Py::new(py, Files::from(usage.unknown))?,
            staged: Py::new(py, Files::from(usage.staged))?,
            trash: Py::new(py, Files::from(usage.trash))?,
            quarantine: Py::new(py, Files::from(usage.quarantine))?,
            other: Py::new(py, Files::from(usage.other))?,
            total: usage.total,
            held_outside: usage.held_outside,
            problems: each(py, &usage.problems, Problem::of)?,
        };
        JsonBase::of(&Arc::new(usage)).with(py, fields)
    }
}

#[pymethods]
impl Usage {
    fn __repr__(&self) -> String {
        let models = self.models.len();
        shown(
            "Usage",
            &[
                ("models", &models),
                ("used", &self.used),
                ("total", &self.total),
            ],
        )
    }
}

/// The disk usage of one model.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct ModelUsage {
    /// The model.
    name: String,
    /// The bytes that it alone holds: what deleting it frees.
    exclusive: u64,
    /// The bytes that it shares with other models.
    shared: u64,
    /// How many of its blobs are missing.
    missing: usize,
}

impl From<&modelkeep::ModelUsage> for ModelUsage {
    fn from(usage: &modelkeep::ModelUsage) -> Self {
        ModelUsage {
            name: usage.name.to_string(),
            exclusive: usage.exclusive,
            shared: usage.shared,
            missing: usage.missing,
        }
    }
}

#[pymethods]
impl ModelUsage {
    fn __repr__(&self) -> String {
        let fields: [(&str, &dyn std::fmt::Debug); 3] = [
            ("name", &self.name),
            ("exclusive", &self.exclusive),
            ("shared", &self.shared),
        ];
        shown("ModelUsage", &fields)
    }
}

/// Some files together.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Files {
    /// How many.
    files: usize,
    /// Their bytes on disk.
    bytes: u64,
}

impl From<modelkeep::Files> for Files {
    fn from(files: modelkeep::Files) -> Self {
        let modelkeep::Files { files, bytes, .. } = files;
        Files { files, bytes }
    }
}

#[pymethods]
impl Files {
    fn __repr__(&self) -> String {
        shown("Files", &[("files", &self.files), ("bytes", &self.bytes)])
    }
}

/// What a look at a store found.
#[pyclass(frozen, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Diagnosis {
    diagnosis: Arc<modelkeep::Diagnosis>,
}

impl Diagnosis {
    pub(crate) fn of(py: Python<'_>, diagnosis: modelkeep::Diagnosis) -> PyResult<Py<Self>> {
        let diagnosis = Arc::new(diagnosis);
        JsonBase::of(&diagnosis).with(py, Diagnosis { diagnosis })
    }
}

#[pymethods]
impl Diagnosis {
    /// Whether nothing is wrong.
    #[getter]
    fn ok(&self) -> bool {
        self.diagnosis.is_ok()
    }

    /// The places where a store may be, the opened one first.
    #[getter]
    fn locations(&self, py: Python<'_>) -> PyResult<Vec<Py<Location>>> {
        each(py, &self.diagnosis.locations, |_, root| {
            Ok(Location {
                path: root.path.clone(),
                exists: root.exists,
                manifests: root.manifests,
                opened: root.opened,
                state: root.state.as_str(),
                what: root.what.clone(),
            })
        })
    }

    /// What is wrong, by path.
    #[getter]
    fn issues(&self, py: Python<'_>) -> PyResult<Vec<Py<Issue>>> {
        each(py, &self.diagnosis.issues, |_, found| Ok(found.into()))
    }

    /// What is not wrong, and worth knowing: what can be reclaimed, aliases, unknown files.
    #[getter]
    fn notes(&self, py: Python<'_>) -> PyResult<Vec<Py<Issue>>> {
        each(py, &self.diagnosis.notes, |_, found| Ok(found.into()))
    }

    /// How many blobs the models use.
    #[getter]
    fn blobs(&self) -> usize {
        self.diagnosis.blobs
    }

    /// Those that an earlier verification found good, and nothing has touched since.
    #[getter]
    fn verified(&self) -> usize {
        self.diagnosis.verified
    }

    fn __repr__(&self) -> String {
        let issues = self.diagnosis.issues.len();
        shown("Diagnosis", &[("issues", &issues)])
    }
}

/// A place where a store may be.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Location {
    /// The directory.
    path: PathBuf,
    /// Whether it exists.
    exists: bool,
    /// How many manifests lie in it.
    manifests: usize,
    /// Whether it is the store that was opened.
    opened: bool,
    /// What is there: `store`, `no_store`, `missing`, `dangling` or `closed`.
    state: &'static str,
    /// Why no models can be seen there, and what to do; empty where some can.
    what: String,
}

#[pymethods]
impl Location {
    fn __repr__(&self) -> String {
        let fields: [(&str, &dyn std::fmt::Debug); 3] = [
            ("path", &self.path),
            ("state", &self.state),
            ("manifests", &self.manifests),
        ];
        shown("Location", &fields)
    }
}

/// Something that is wrong.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Issue {
    /// The file.
    path: PathBuf,
    /// The model, where the file is a model's.
    name: Option<String>,
    /// What is wrong.
    what: String,
    /// What to do.
    advice: String,
}

impl From<&modelkeep::Issue> for Issue {
    fn from(issue: &modelkeep::Issue) -> Self {
        Issue {
            path: issue.path.clone(),
            name: issue.name.as_ref().map(ToString::to_string),
            what: issue.what.clone(),
            advice: issue.advice.clone(),
        }
    }
}

#[pymethods]
impl Issue {
    fn __repr__(&self) -> String {
        shown("Issue", &[("path", &self.path), ("what", &self.what)])
    }
}

/// What a repair moved aside.
#[pyclass(frozen, get_all, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Repaired {
    /// The blobs that were damaged and where they lie now.
    quarantined: Vec<Py<MovedBlob>>,
    /// The blobs that were there under another name, and what they are called now.
    renamed: Vec<Py<MovedBlob>>,
    /// The digests of blobs that have changed since they were verified, and were left alone.
    changed: Vec<String>,
}

impl Repaired {
    pub(crate) fn of(py: Python<'_>, repaired: modelkeep::Repaired) -> PyResult<Py<Self>> {
        let object = |_: Python<'_>, moved: &modelkeep::MovedBlob| {
            Ok(MovedBlob {
                digest: moved.digest.to_string(),
                to: moved.to.clone(),
            })
        };
        let quarantined = each(py, &repaired.quarantined, object)?;
        let renamed = each(py, &repaired.renamed, object)?;
        let changed = texts(&repaired.changed);
        let fields = Repaired {
            quarantined,
            renamed,
            changed,
        };
        JsonBase::of(&Arc::new(repaired)).with(py, fields)
    }
}

#[pymethods]
impl Repaired {
    fn __repr__(&self) -> String {
        shown("Repaired", &[("quarantined", &self.quarantined.len())])
    }
}

/// A damaged blob that was moved aside.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct MovedBlob {
    /// The digest that its bytes do not have.
    digest: String,
    /// Where the bytes lie now.
    to: PathBuf,
}
