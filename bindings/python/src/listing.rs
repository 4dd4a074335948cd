//! The classes of a listing.

use std::sync::Arc;

use modelkeep::ListedDetails;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyList};
use serde::{Serialize, Serializer};

use crate::error::exception_object;
use crate::html::{LISTING, table};
use crate::json_base::{each, texts};
use crate::record::record;

/// A listing, and its lines as objects from the first look at them on.
pub(crate) struct Lines {
    listing: Arc<modelkeep::Listing>,
    objects: PyOnceLock<Py<PyList>>,
}

impl Lines {
    fn objects<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyList>> {
        let objects = self.objects.get_or_try_init(py, || {
            let lines = 0..self.listing.models.len();
            let lines = lines.map(|at| Line(self.listing.clone(), at));
            Ok::<_, PyErr>(PyList::new(py, lines)?.unbind())
        })?;
        Ok(objects.bind(py))
    }
}

impl Serialize for Lines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.listing.serialize(serializer)
    }
}

record! {
    /// All models of a store, newest first, and what had to be left out. Reads like a list of
    /// `Summary`.
    ///
    /// >>> listing = store.list()
    /// >>> [model.name for model in listing], len(listing), listing.problems
    /// (['llama3.2:latest'], 1, [])
    Listing(py, it: Lines) extends JsonBase shows [models, problems] {
        /// The models as a list of `Summary`, newest first, those of one nanosecond by name.
        ///
        /// >>> store.list().models[0].size
        /// 1002
        models => it.objects(py)?.as_sequence().to_list()?;
        /// Why entries are not among the models, as a list of `Problem`; empty where all is well.
        ///
        /// >>> for problem in store.list().problems:
        /// ...     print(problem)
        problems => each(py, &it.listing.problems, |problem| Problem::from(problem.clone()))?;
    }
}

impl From<modelkeep::Listing> for Lines {
    fn from(listing: modelkeep::Listing) -> Self {
        Lines {
            listing: Arc::new(listing),
            objects: PyOnceLock::new(),
        }
    }
}

impl Listing {
    /// Returns the models: the list that the listing keeps, unless it came from a pickle.
    fn kept<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.0.engine() {
            Some(lines) => Ok(lines.objects(py)?.clone().into_any()),
            None => self.models(py),
        }
    }
}

#[pymethods]
impl Listing {
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        match self.0.engine() {
            Some(lines) => Ok(lines.listing.models.len()),
            None => self.models(py)?.len(),
        }
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.kept(index.py())?.get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.kept(py)?.try_iter()
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let (models, problems) = (self.models(py)?, self.problems(py)?.len()?);
        let below = format!("{} models, {problems} problems", models.len()?);
        table(&models, LISTING, &below)
    }
}

/// A line of a listing, by its number.
pub(crate) struct Line(Arc<modelkeep::Listing>, usize);

impl std::ops::Deref for Line {
    type Target = modelkeep::Summary;

    fn deref(&self) -> &modelkeep::Summary {
        let Line(listing, number) = self;
        &listing.models[*number]
    }
}

impl<'py> IntoPyObject<'py> for Line {
    type Target = Summary;
    type Output = Bound<'py, Summary>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        Ok(Summary::of(py, self)?.into_bound(py))
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

record! {
    /// A model as `Store.list` names it. Lists of them sort by name.
    ///
    /// >>> model = store.list()[0]
    /// >>> model.name, model.details.quantization_level, model.capabilities
    /// ('llama3.2:latest', 'F16', ['completion'])
    Summary(py, it: Line) extends JsonBase shows [name, size] {
        /// The name under which the model is stored, with its tag, as in `llama3.2:latest`.
        name => it.name.to_string();
        /// The time of the manifest's last change, an aware `datetime`.
        modified_at => it.modified_at.system_time();
        /// The bytes of all layers and the config as the manifest states them; a blob that models
        /// share counts for each.
        size => it.size;
        /// The digest of the manifest, 64 hexadecimal digits: the model's ID.
        digest => it.digest.clone();
        /// The facts: family, parameter size, quantization.
        details => Details::from(it.details.clone());
        /// What the model can do, as in `["completion", "tools"]`.
        capabilities => texts(&it.capabilities);
        /// The model's name at the host that serves it; empty for a local one.
        remote_model => it.remote_model.clone();
        /// The host that serves the model; empty for a local one.
        remote_host => it.remote_host.clone();
        /// The model whose manifest this is as well, where the name is an alias; else `None`.
        alias_of => it.alias_of.as_ref().map(ToString::to_string);
        /// The form of its manifest: `model`, `index`, `artifact` or `schema1`.
        form => it.form.as_str();
        /// What the model lacks, where `check_blobs` was asked for, as a list of `IncompleteBlob`.
        incomplete => each(py, &it.incomplete, |blob| IncompleteBlob::from(blob.clone()))?;
        /// The directory of its store, in a view of several; else `None`.
        store => it.store.clone();
    }
}

record! {
    /// A blob of a model that is not there as its manifest states it.
    ///
    /// >>> for model in store.list(check_blobs=True):
    /// ...     for blob in model.incomplete:
    /// ...         print(model.name, blob.path, blob.found, "of", blob.stated, "bytes")
    IncompleteBlob(py, it: modelkeep::IncompleteBlob) shows [digest, stated, found] {
        /// The blob's digest, `sha256:` and 64 hexadecimal digits.
        digest => it.digest.to_string();
        /// Where it is, or should be.
        path => it.path.clone();
        /// The bytes that the manifest states.
        stated => it.stated;
        /// The bytes that are there; `None` where no file is.
        found => it.found;
    }
}

record! {
    /// The facts of a model.
    ///
    /// >>> details = store.show("llama3.2").details
    /// >>> details.format, details.family, details.parameter_size, details.context_length
    /// ('gguf', 'llama', '40', 128)
    Details(py, it: ListedDetails) shows [format, family, parameter_size, quantization_level] {
        /// The model that this one was made from; mostly empty.
        parent_model => it.parent_model.clone();
        /// `gguf`, `safetensors`, or empty.
        format => it.format.clone();
        /// The architecture's family, as in `llama`.
        family => it.family.clone();
        /// All families; `None` where there is none.
        families => it.families.clone();
        /// The number of parameters for people, as in `3.2B`.
        parameter_size => it.parameter_size.clone();
        /// The quantization's name, as in `Q4_K_M`.
        quantization_level => it.quantization_level.clone();
        /// Tokens of context that the model was made for; zero where nothing states them.
        context_length => it.context_length;
        /// The width of an embedding; zero where nothing states it.
        embedding_length => it.embedding_length;
    }
}

impl Details {
    /// Returns the facts of a show, which states the two lengths elsewhere.
    pub(crate) fn shown(
        shown: &modelkeep::ShownDetails,
        context_length: Option<u64>,
        embedding_length: Option<u64>,
    ) -> Self {
        let length = |length: Option<u64>| length.and_then(|length| length.try_into().ok());
        let mut details = ListedDetails::default();
        details.parent_model.clone_from(&shown.parent_model);
        details.format.clone_from(&shown.format);
        details.family.clone_from(&shown.family);
        details.families.clone_from(&shown.families);
        details.parameter_size.clone_from(&shown.parameter_size);
        details
            .quantization_level
            .clone_from(&shown.quantization_level);
        details.context_length = length(context_length).unwrap_or(0);
        details.embedding_length = length(embedding_length).unwrap_or(0);
        Details::from(details)
    }
}

record! {
    /// A file or a model that a call had to pass over.
    ///
    /// >>> for problem in store.list().problems:
    /// ...     print(problem.path, type(problem.error).__name__, problem)
    Problem(py, it: modelkeep::Problem) shows [path, name, error] {
        /// The file or directory.
        path => it.path().to_owned();
        /// The model, where the path is a model's; else `None`.
        name => it.name().map(ToString::to_string);
        /// What is wrong: an exception that was not raised.
        error => exception_object(py, it.error());
    }
}

#[pymethods]
impl Problem {
    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        let (path, name, error) = (self.path(py)?, self.name(py)?, self.error(py)?);
        let what = if name.is_none() { path } else { name };
        Ok(format!("{what}: {error}"))
    }
}
