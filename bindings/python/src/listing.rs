//! The classes of a listing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};

use crate::error::exception_object;
use crate::json_base::{JsonBase, each, texts};
use crate::repr::shown;

/// All models of a store, and what had to be left out. Iterates over its models.
#[pyclass(frozen, get_all, sequence, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Listing {
    /// The models, newest first, those of one nanosecond by name.
    models: Vec<Py<Summary>>,
    /// Why an entry is not among the models.
    problems: Vec<Py<Problem>>,
}

impl Listing {
    pub(crate) fn of(py: Python<'_>, listing: modelkeep::Listing) -> PyResult<Py<Self>> {
        let listing = Arc::new(listing);
        let models = (0..listing.models.len()).map(|at| Summary::of(py, &listing, at));
        let fields = Listing {
            models: models
                .filter_map(Result::transpose)
                .collect::<PyResult<_>>()?,
            problems: each(py, &listing.problems, Problem::of)?,
        };
        JsonBase::of(&listing).with(py, fields)
    }
}

#[pymethods]
impl Listing {
    fn __len__(&self) -> usize {
        self.models.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        PyList::new(index.py(), &self.models)?
            .as_any()
            .get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, &self.models)?.try_iter()
    }

    fn __repr__(&self) -> String {
        format!(
            "<Listing of {} models, {} problems>",
            self.models.len(),
            self.problems.len()
        )
    }
}

/// A line of the list.
#[pyclass(frozen, get_all, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Summary {
    /// The model's name.
    name: String,
    /// The time of the manifest's last change.
    modified_at: SystemTime,
    /// The bytes of all layers and the config as the manifest states them.
    size: i64,
    /// The digest of the manifest, 64 hexadecimal digits.
    digest: String,
    /// The facts.
    details: Py<Details>,
    /// What the model can do.
    capabilities: Vec<String>,
    /// The name at the host that serves a remote model; empty for a local one.
    remote_model: String,
    /// The host that serves a remote model; empty for a local one.
    remote_host: String,
    /// The model whose manifest this is as well, where the name is an alias.
    alias_of: Option<String>,
    /// The form of its manifest: `model`, `index`, `artifact` or `schema1`.
    form: &'static str,
    /// What the model lacks, where `check_blobs` was asked for.
    incomplete: Vec<Py<IncompleteBlob>>,
}

impl Summary {
    fn of(
        py: Python<'_>,
        listing: &Arc<modelkeep::Listing>,
        at: usize,
    ) -> PyResult<Option<Py<Self>>> {
        let Some(line) = listing.models.get(at) else {
            return Ok(None);
        };
        let fields = Summary {
            name: line.name.to_string(),
            modified_at: line.modified_at.system_time(),
            size: line.size,
            digest: line.digest.clone(),
            details: Py::new(py, Details::from(&line.details))?,
            capabilities: texts(&line.capabilities),
            remote_model: line.remote_model.clone(),
            remote_host: line.remote_host.clone(),
            alias_of: line.alias_of.as_ref().map(ToString::to_string),
            form: line.form.as_str(),
            incomplete: each(py, &line.incomplete, |_, blob| Ok(blob.into()))?,
        };
        let listing = listing.clone();
        let base = JsonBase::new(move || modelkeep::json::try_to_string(&listing.models.get(at)));
        base.with(py, fields).map(Some)
    }
}

#[pymethods]
impl Summary {
    fn __repr__(&self) -> String {
        shown("Summary", &[("name", &self.name), ("size", &self.size)])
    }
}

/// A blob of a model that is not there as its manifest states it.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct IncompleteBlob {
    /// The blob's digest.
    digest: String,
    /// Where it is, or should be.
    path: PathBuf,
    /// The bytes that the manifest states.
    stated: i64,
    /// The bytes that are there; `None` where no file is.
    found: Option<u64>,
}

impl From<&modelkeep::IncompleteBlob> for IncompleteBlob {
    fn from(blob: &modelkeep::IncompleteBlob) -> Self {
        IncompleteBlob {
            digest: blob.digest.to_string(),
            path: blob.path.clone(),
            stated: blob.stated,
            found: blob.found,
        }
    }
}

#[pymethods]
impl IncompleteBlob {
    fn __repr__(&self) -> String {
        let fields: [(&str, &dyn std::fmt::Debug); 3] = [
            ("digest", &self.digest),
            ("stated", &self.stated),
            ("found", &self.found),
        ];
        shown("IncompleteBlob", &fields)
    }
}

/// The facts of a model.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Details {
    /// The model that this one was made from.
    parent_model: String,
    /// `gguf`, `safetensors`, or empty.
    format: String,
    /// The architecture's family.
    family: String,
    /// All families; `None` where there is none.
    families: Option<Vec<String>>,
    /// The size for people.
    parameter_size: String,
    /// The quantization's name.
    quantization_level: String,
    /// Tokens of context, in a listing; zero when unknown.
    context_length: i64,
    /// Width of an embedding, in a listing; zero when unknown.
    embedding_length: i64,
}

impl From<&modelkeep::ListedDetails> for Details {
    fn from(details: &modelkeep::ListedDetails) -> Self {
        let details = details.clone();
        Details {
            parent_model: details.parent_model,
            format: details.format,
            family: details.family,
            families: details.families,
            parameter_size: details.parameter_size,
            quantization_level: details.quantization_level,
            context_length: details.context_length,
            embedding_length: details.embedding_length,
        }
    }
}

impl From<&modelkeep::ShownDetails> for Details {
    fn from(details: &modelkeep::ShownDetails) -> Self {
        let details = details.clone();
        Details {
            parent_model: details.parent_model,
            format: details.format,
            family: details.family,
            families: details.families,
            parameter_size: details.parameter_size,
            quantization_level: details.quantization_level,
            context_length: 0,
            embedding_length: 0,
        }
    }
}

#[pymethods]
impl Details {
    fn __repr__(&self) -> String {
        let fields: [(&str, &dyn std::fmt::Debug); 4] = [
            ("format", &self.format),
            ("family", &self.family),
            ("parameter_size", &self.parameter_size),
            ("quantization_level", &self.quantization_level),
        ];
        shown("Details", &fields)
    }
}

/// A file or a model that a call had to pass over.
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct Problem {
    /// The file or directory.
    #[pyo3(get)]
    path: PathBuf,
    /// The model, where the path is a model's.
    #[pyo3(get)]
    name: Option<String>,
    /// What is wrong: an exception that was not raised.
    #[pyo3(get)]
    error: Py<PyBaseException>,
    text: String,
}

impl Problem {
    pub(crate) fn of(py: Python<'_>, problem: &modelkeep::Problem) -> PyResult<Self> {
        Ok(Problem {
            path: problem.path().to_owned(),
            name: problem.name().map(ToString::to_string),
            error: exception_object(py, problem.error()),
            text: problem.to_string(),
        })
    }
}

#[pymethods]
impl Problem {
    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!("<Problem: {}>", self.text)
    }
}
