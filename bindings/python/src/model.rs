//! The class `Model`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::SystemTime;

use modelkeep::{MediaType, ShowOptions};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::error::OrRaise;
use crate::gguf::Gguf;
use crate::import::json_object;
use crate::json_base::{each, loads};
use crate::record::shown;
use crate::show::{Message, Show};

/// A snapshot of one manifest: what `store[name]` gives. Its blobs are read when they are asked
/// for, at most once; each attribute says what it reads.
///
/// Two models are equal where name and digest are; a list of them sorts by name. A pickle has the
/// store and the name, and the model is looked up again.
///
/// >>> model = store["llama3.2"]
/// >>> model.name, model.details.family, model.context_length, model.parameters["stop"]
/// ('llama3.2:latest', 'llama', 128, ['</s>'])
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct Model {
    /// The `Store`, for a pickle.
    store: Py<PyAny>,
    model: modelkeep::Model,
    gguf: Mutex<Option<Py<Gguf>>>,
    shown: PyOnceLock<Py<Show>>,
}

impl Model {
    pub(crate) fn new(store: Py<PyAny>, model: modelkeep::Model) -> Self {
        Model {
            store,
            model,
            gguf: Mutex::new(None),
            shown: PyOnceLock::new(),
        }
    }

    /// Returns what a plain show says, which is made once.
    fn shown<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, Show>> {
        let show = || {
            let show = py.detach(|| self.model.show(&ShowOptions::new()));
            Show::of(py, show.or_raise(py)?)
        };
        Ok(self.shown.get_or_try_init(py, show)?.bind(py))
    }
}

#[pymethods]
impl Model {
    /// The name under which the model is stored, with its tag, as in `llama3.2:latest`.
    #[getter]
    pub(crate) fn name(&self) -> String {
        self.model.name().to_string()
    }

    /// The bytes of all layers and the config as the manifest states them.
    #[getter]
    fn size(&self) -> i64 {
        self.model.manifest().size()
    }

    /// The digest of the manifest, 64 hexadecimal digits: the model's ID.
    #[getter]
    fn digest(&self) -> &str {
        self.model.manifest().id()
    }

    /// The time of the manifest's last change, an aware `datetime`.
    #[getter]
    fn modified_at(&self) -> SystemTime {
        self.model.modified()
    }

    /// The absolute path of the GGUF file with the weights, for a runtime to open. So is
    /// `os.fspath(model)`: a model can be given wherever a path can. Opens nothing.
    ///
    /// Raises `NotFoundError` for a model without weights, `UnsupportedError` for one whose weights
    /// are several files: `paths` has those.
    ///
    /// >>> model = store["llama3.2"]
    /// >>> model.path.name[:7], open(model, "rb").read(4)
    /// ('sha256-', b'GGUF')
    #[getter]
    fn path(&self, py: Python<'_>) -> PyResult<PathBuf> {
        py.detach(|| self.model.gguf_path()).or_raise(py)
    }

    fn __fspath__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let path = self.path(py)?.into_bound_py_any(py)?;
        py.import("os")?.call_method1("fspath", (path,))
    }

    /// The absolute paths of the GGUF files with the weights: one, or all parts of a split model
    /// in their order.
    #[getter]
    fn paths(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        py.detach(|| self.model.gguf_paths()).or_raise(py)
    }

    /// The absolute paths of the projectors, by which a model sees or hears. Opens nothing.
    #[getter]
    fn projectors(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        self.model.paths(&MediaType::Projector).or_raise(py)
    }

    /// The absolute paths of the adapters. Opens nothing.
    #[getter]
    fn adapters(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        self.model.paths(&MediaType::Adapter).or_raise(py)
    }

    /// The absolute paths of all blobs, the config's last, each once. Opens nothing.
    #[getter]
    fn blobs(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        self.model.all_paths().or_raise(py)
    }

    /// The GGUF file with the weights, opened leniently when it is first asked for: its metadata as
    /// a mapping, and its tensors.
    ///
    /// >>> store["llama3.2"].gguf["general.architecture"]
    /// 'llama'
    #[getter]
    fn gguf(&self, py: Python<'_>) -> PyResult<Py<Gguf>> {
        let known = |opened: &Py<Gguf>| !opened.get().is_closed();
        if let Some(opened) = lock(&self.gguf).as_ref().filter(|opened| known(opened)) {
            return Ok(opened.clone_ref(py));
        }
        let file = py.detach(|| self.model.gguf()).or_raise(py)?;
        let opened = Gguf::of(py, file)?;
        // Of two threads the first has opened it for both.
        let mut place = lock(&self.gguf);
        let place = match place.take().filter(known) {
            Some(before) => place.insert(before),
            None => place.insert(opened),
        };
        Ok(place.clone_ref(py))
    }

    /// The template that renders prompts, as `Store.show` has it. Reads the header of the weights.
    ///
    /// >>> store["llama3.2"].template
    /// '{{ .System }}{{ .Prompt }}'
    #[getter]
    fn template<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.shown(py)?.getattr("template")
    }

    /// The system prompt; empty where there is none. Reads one small blob.
    ///
    /// >>> store["llama3.2"].system
    /// 'Be brief.'
    #[getter]
    fn system(&self, py: Python<'_>) -> PyResult<String> {
        let system = py.detach(|| self.model.system()).or_raise(py)?;
        Ok(system.unwrap_or_default())
    }

    /// The parameters by key: numbers, strings, booleans, and a list for `stop`. Reads one small
    /// blob.
    ///
    /// >>> store["llama3.2"].parameters
    /// {'stop': ['</s>'], 'temperature': 0.5}
    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let parameters = py.detach(|| self.model.parameters()).or_raise(py)?;
        loads(py, &modelkeep::json::to_string(&parameters))
    }

    /// The texts of the licenses. Reads a blob for each.
    ///
    /// >>> store["llama3.2"].licenses
    /// ['MIT']
    #[getter]
    fn licenses(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        py.detach(|| self.model.licenses()).or_raise(py)
    }

    /// The messages that belong to the model, as a list of `Message`. Reads one small blob.
    ///
    /// >>> store["llama3.2"].messages[0].role
    /// 'user'
    #[getter]
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let messages = py.detach(|| self.model.messages()).or_raise(py)?;
        Ok(each(py, messages, Message::from)?.into_any())
    }

    /// What the model can do, as in `["completion", "tools"]`. Reads the header of the weights.
    ///
    /// >>> store["llama3.2"].capabilities
    /// ['completion']
    #[getter]
    fn capabilities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.shown(py)?.getattr("capabilities")
    }

    /// The facts: family, parameter size, quantization. Reads the header of the weights.
    ///
    /// >>> store["llama3.2"].details.quantization_level
    /// 'F16'
    #[getter]
    fn details<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.shown(py)?.getattr("details")
    }

    /// The tokens of context that the model was made for; `None` where nothing states them. Reads
    /// the header of the weights.
    ///
    /// >>> store["llama3.2"].context_length
    /// 128
    #[getter]
    fn context_length<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.shown(py)?.getattr("context_length")
    }

    /// Returns everything about this model, as `Store.show` does.
    ///
    /// `verbose` gives arrays in full, `system` a system prompt in place of the model's, and
    /// `options` parameters to lay over the model's in the Modelfile.
    ///
    /// >>> print(store["llama3.2"].show().modelfile.splitlines()[0])
    /// # Modelfile generated by "ollama show"
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

    fn __richcmp__(&self, other: &Self, op: CompareOp) -> bool {
        let order = self.name().cmp(&other.name());
        op.matches(order.then_with(|| self.digest().cmp(other.digest())))
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.digest().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf.as_any(), &["name", "size"])
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let look_up = py.import("operator")?.getattr("getitem")?;
        let arguments = (self.store.clone_ref(py), self.name());
        PyTuple::new(py, [look_up, arguments.into_bound_py_any(py)?])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
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
