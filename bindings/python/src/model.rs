//! The class `Model`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::SystemTime;
use std::vec;

use modelkeep::{ErrorKind, MediaType, ModelName, ShowOptions};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::error::{OrRaise, exception};
use crate::gguf::Gguf;
use crate::import::json_object;
use crate::repr::shown;
use crate::show::Show;

/// A snapshot of one manifest. Its blobs are read when they are asked for.
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct Model {
    model: modelkeep::Model,
    gguf: PyOnceLock<Py<Gguf>>,
}

impl From<modelkeep::Model> for Model {
    fn from(model: modelkeep::Model) -> Self {
        let gguf = PyOnceLock::new();
        Model { model, gguf }
    }
}

#[pymethods]
impl Model {
    /// The name under which it is stored.
    #[getter]
    fn name(&self) -> String {
        self.model.name().to_string()
    }

    /// The bytes of all layers and the config as the manifest states them.
    #[getter]
    fn size(&self) -> i64 {
        self.model.manifest().size()
    }

    /// The digest of the manifest, 64 hexadecimal digits.
    #[getter]
    fn digest(&self) -> &str {
        self.model.manifest().id()
    }

    /// The time of the manifest's last change.
    #[getter]
    fn modified_at(&self) -> SystemTime {
        self.model.modified()
    }

    /// The absolute path of the GGUF file with the weights.
    #[getter]
    fn path(&self, py: Python<'_>) -> PyResult<PathBuf> {
        py.detach(|| self.model.gguf_path()).or_raise(py)
    }

    /// The absolute paths of the GGUF files with the weights: one, or all parts of a split model
    /// in their order.
    #[getter]
    fn paths(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        py.detach(|| self.model.gguf_paths()).or_raise(py)
    }

    /// The absolute paths of the projectors.
    #[getter]
    fn projectors(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        self.model.paths(&MediaType::Projector).or_raise(py)
    }

    /// The absolute paths of the adapters.
    #[getter]
    fn adapters(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        self.model.paths(&MediaType::Adapter).or_raise(py)
    }

    /// The absolute paths of all blobs, the config's last, each once.
    #[getter]
    fn blobs(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        self.model.all_paths().or_raise(py)
    }

    /// The GGUF file with the weights, opened leniently when it is first asked for.
    #[getter]
    fn gguf(&self, py: Python<'_>) -> PyResult<Py<Gguf>> {
        let open = || {
            let file = py.detach(|| self.model.gguf()).or_raise(py)?;
            Gguf::of(py, file)
        };
        self.gguf
            .get_or_try_init(py, open)
            .map(|gguf| gguf.clone_ref(py))
    }

    /// Returns everything about this model, as `Store.show` returns it.
    #[pyo3(signature = (verbose=false, *, system="", options=None))]
    fn show(
        &self,
        py: Python<'_>,
        verbose: bool,
        system: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<Show>> {
        let options = show_options(verbose, system, options)?;
        let show = py.detach(|| self.model.show(&options)).or_raise(py)?;
        Show::of(py, show)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.model.name() == other.model.name() && self.digest() == other.digest()
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.digest().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        shown("Model", &[("name", &self.name()), ("size", &self.size())])
    }
}

/// Returns what `show` takes besides the model.
pub(crate) fn show_options(
    verbose: bool,
    system: &str,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<ShowOptions> {
    let options = options.map(json_object).transpose()?.unwrap_or_default();
    let show = ShowOptions::default().verbose(verbose);
    Ok(show.system(system).options(options))
}

/// The models of a listing, each opened when its turn comes.
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct Models {
    store: modelkeep::Store,
    names: Mutex<vec::IntoIter<ModelName>>,
}

impl Models {
    pub(crate) fn of(store: &modelkeep::Store) -> modelkeep::Result<Self> {
        let names: Vec<_> = store
            .list()?
            .models
            .into_iter()
            .map(|line| line.name)
            .collect();
        Ok(Models {
            store: store.clone(),
            names: Mutex::new(names.into_iter()),
        })
    }

    fn next_name(&self) -> Option<ModelName> {
        let mut names = self
            .names
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        names.next()
    }
}

#[pymethods]
impl Models {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Model>> {
        while let Some(name) = self.next_name() {
            match py.detach(|| self.store.model(name)) {
                Ok(model) => return Ok(Some(model.into())),
                // Deleted since the list was made.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(exception(py, &error)),
            }
        }
        Ok(None)
    }
}
