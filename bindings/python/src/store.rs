//! The class `Store`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use modelkeep::{
    CopyOptions, DeleteOptions, Digest, ErrorKind, ListOptions, Reference, StoreOptions, http_api,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{OrRaise, exception};
use crate::http;
use crate::listing::Listing;
use crate::maintain::Diagnosis;
use crate::model::{Model, show_options};
use crate::models::{Models, Pending};
use crate::options::{Options, Span, bad, roots};
use crate::path::{FilePath, Roots};
use crate::progress::watched;
use crate::results::{Copied, Deleted};
use crate::show::Show;
use crate::stream::PyFile;
use crate::uses::Uses;

/// A models directory, opened. Opening and reading write nothing.
///
/// `path` is the directory; without one it is `$OLLAMA_MODELS`, or else the first place where Ollama
/// keeps models, as `~/.ollama/models`. Of the options,
///
/// - `read_only=True` refuses every call that would change the store.
/// - `create=True` makes the directory where it is missing, which is a `MissingFileError` otherwise.
/// - `mmap=False` reads files in place of mapping them: on network file systems, and where somebody may
///   truncate a file, which ends a process that has it mapped.
/// - `threads` is how many threads verify and list; 0, the default, is one for each processor.
/// - `durability="full"` makes a change survive a power cut before the call returns; `"none"` leaves
///   that to the system, for callers who can do their work again.
/// - `delete_delay` is how long removed blobs wait for a server that is just about to use them, in
///   seconds or as a `timedelta`; 0 is for who knows that no server writes here.
/// - `foreign_owner=True` lets an import into a store of another user who could not read what is made.
/// - `go_template` is whether a Go template counts before the chat template of a GGUF file, as
///   `$OLLAMA_GO_TEMPLATE` says; `None`, the default, leaves it to that.
/// - `cache_size` is how many bytes of memory the store may take to remember its manifests and the GGUF
///   files that were opened, 16 MiB by default; 0 remembers nothing. A call looks whether anything
///   changed, and reads what did.
///
/// A store reads like a mapping of names to `Model`, and iterates over its models, newest first. Every
/// call that touches a file lets other threads run; a store may be shared by threads, used after a fork,
/// and pickled, which keeps its options. Between calls it holds nothing open, so `with` only bounds it.
///
/// >>> with modelkeep.Store() as store:
/// ...     for model in store:
/// ...         print(model.name, model.size)
/// llama3.2:latest 1002
/// >>> "llama3.2" in store, len(store), sorted(store)[0].name
/// (True, 1, 'llama3.2:latest')
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct Store {
    pub(crate) inner: modelkeep::Store,
    options: Options,
    pub(crate) pending: Pending,
}

impl Store {
    /// Makes a call that may take long, and looks for signals and tells a callback, or a bar that
    /// says `what`, meanwhile.
    pub(crate) fn watched<T: Send>(
        &self,
        py: Python<'_>,
        progress: Option<Py<PyAny>>,
        what: &str,
        call: impl FnOnce(&modelkeep::Store) -> modelkeep::Result<T> + Send,
    ) -> PyResult<T> {
        watched(py, progress, what, |observe| {
            self.inner.watch(observe, call)
        })
    }
}

#[pymethods]
impl Store {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
    #[pyo3(signature = (path=None, *, read_only=false, create=false, mmap=true, threads=0,
        durability="full", delete_delay=Span::Seconds(0.05), foreign_owner=false, go_template=None,
        cache_size=16_777_216),
        text_signature = "(path=None, *, read_only=False, create=False, mmap=True, threads=0, \
        durability='full', delete_delay=0.05, foreign_owner=False, go_template=None, \
        cache_size=16777216)")]
    fn new(
        py: Python<'_>,
        path: Option<Roots>,
        read_only: bool,
        create: bool,
        mmap: bool,
        threads: usize,
        durability: &str,
        delete_delay: Span,
        foreign_owner: bool,
        go_template: Option<bool>,
        cache_size: u64,
    ) -> PyResult<Self> {
        let options = Options {
            read_only,
            create,
            mmap,
            threads,
            durability: durability.to_owned(),
            delete_delay: delete_delay.duration("delete_delay").or_raise(py)?,
            foreign_owner,
            go_template,
            cache_size,
        };
        let paths = path.map_or_else(Vec::new, |paths| paths.0);
        let inner = py.detach(|| options.open(paths)).or_raise(py)?;
        let pending = Pending::default();
        Ok(Store {
            inner,
            options,
            pending,
        })
    }

    /// The directories of all stores that this is a view of, in the order in which they are looked
    /// into; of one store its own.
    ///
    /// >>> store.roots == [store.root]
    /// True
    #[getter]
    fn roots(&self) -> Vec<PathBuf> {
        roots(&self.inner)
    }

    /// The store's directory, an absolute `Path`; in a view of several that of the first.
    ///
    /// >>> store.root.is_absolute()
    /// True
    #[getter]
    fn root(&self) -> PathBuf {
        self.inner.path().to_owned()
    }

    /// Returns what is wrong with a store that need not open, as `Diagnosis`; without a path, with the
    /// default one.
    ///
    /// >>> modelkeep.Store.diagnose("nowhere").ok
    /// False
    #[staticmethod]
    #[pyo3(signature = (path=None))]
    fn diagnose(py: Python<'_>, path: Option<FilePath>) -> PyResult<Py<Diagnosis>> {
        let options = StoreOptions::from_env();
        let options = path.map_or(options.clone(), |path| options.path(path.0));
        Diagnosis::of(py, py.detach(|| options.diagnose()).or_raise(py)?)
    }

    /// Returns all models as a `Listing`, newest first, and in its `problems` what had to be left out.
    ///
    /// `check_blobs` looks at each blob, at the cost of a `stat`, so that an incomplete model is known as
    /// such. Opens each manifest and config, and the header of each GGUF file.
    ///
    /// >>> [(model.name, model.details.family) for model in store.list()]
    /// [('llama3.2:latest', 'llama')]
    #[pyo3(signature = (*, check_blobs=false))]
    fn list(&self, py: Python<'_>, check_blobs: bool) -> PyResult<Py<Listing>> {
        let options = ListOptions::new().check_blobs(check_blobs);
        Listing::of(
            py,
            py.detach(|| self.inner.list_with(&options))
                .or_raise(py)?
                .into(),
        )
    }

    /// Returns everything about one model as `Show`.
    ///
    /// `verbose` gives arrays such as the vocabulary in full. `system` is a system prompt to show in place
    /// of the model's, and `options` are parameters to lay over the model's in the Modelfile; a slip among
    /// them is an `ArgumentError`. Raises `NotFoundError` where there is no such model, with the near names
    /// as its `suggestions`.
    ///
    /// >>> store.show("llama3.2").details.quantization_level
    /// 'F16'
    /// >>> try:
    /// ...     store.show("lama3.2")
    /// ... except modelkeep.NotFoundError as error:
    /// ...     print(error)
    /// model 'lama3.2:latest' not found; did you mean llama3.2:latest?
    #[pyo3(signature = (name, verbose=false, *, system="", options=None))]
    fn show(
        &self,
        py: Python<'_>,
        name: &str,
        verbose: bool,
        system: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<Show>> {
        let options = show_options(verbose, system, options)?;
        let show = py.detach(|| self.inner.show(name, &options));
        Show::of(py, show.or_raise(py)?)
    }

    /// Returns the absolute path of a model's GGUF file, for a runtime to open. Opens one manifest.
    ///
    /// Raises `NotFoundError` where there is no such model, or it has no weights, and `UnsupportedError`
    /// where its weights are several files: `Model.paths` has those.
    ///
    /// >>> open(store.path("llama3.2"), "rb").read(4)
    /// b'GGUF'
    fn path(&self, py: Python<'_>, name: &str) -> PyResult<PathBuf> {
        py.detach(|| self.inner.model(name)?.gguf_path())
            .or_raise(py)
    }

    /// Returns the stored name of a model, given by its name or by its ID, 12 digits or more.
    ///
    /// >>> store.identify("LLAMA3.2")
    /// 'llama3.2:latest'
    fn identify(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        let found = py.detach(|| self.inner.identify(name)).or_raise(py)?;
        Ok(found.to_string())
    }

    /// Returns the models that a digest, an ID (12 digits or more) or a file belongs to, as `Uses`. A file
    /// that is none of the store's is hashed.
    ///
    /// >>> store.which("llama3.2.gguf")[0].name
    /// 'llama3.2:latest'
    fn which(&self, py: Python<'_>, what: PathBuf) -> PyResult<Py<Uses>> {
        Uses::of(py, self.watched(py, None, "", |store| store.which(&what))?)
    }

    /// Copies a model: one more name for the same blobs, at the cost of one small file.
    ///
    /// A model of the new name is replaced, or, where `replace` is false, an `ExistsError`.
    ///
    /// >>> store.copy("llama3.2", "team/backup:v1").dst
    /// 'team/backup:v1'
    #[pyo3(signature = (src, dst, *, replace=true))]
    fn copy(&self, py: Python<'_>, src: &str, dst: &str, replace: bool) -> PyResult<Py<Copied>> {
        let options = CopyOptions::new().replace(replace);
        let copied = py.detach(|| self.inner.copy_with(src, dst, &options));
        Copied::of(py, copied.or_raise(py)?)
    }

    /// Gives a model another name, of which there must be none yet: `ExistsError`.
    ///
    /// >>> store.rename("llama3.2", "mine").dst, "llama3.2" in store
    /// ('mine:latest', False)
    fn rename(&self, py: Python<'_>, src: &str, dst: &str) -> PyResult<Py<Copied>> {
        let renamed = py.detach(|| self.inner.rename(src, dst));
        Copied::of(py, renamed.or_raise(py)?)
    }

    /// Deletes models, and the blobs that no other model uses; with `dry_run` only returns what would go.
    ///
    /// Where some cannot be deleted, the others are gone nevertheless, and the first failure is raised with
    /// what was deleted as its attribute `deleted`.
    ///
    /// >>> store.delete("llama3.2", dry_run=True).models, len(store)
    /// (['llama3.2:latest'], 1)
    /// >>> del store["llama3.2"]
    /// >>> len(store)
    /// 0
    #[pyo3(signature = (*names, dry_run=false))]
    fn delete(&self, py: Python<'_>, names: Vec<String>, dry_run: bool) -> PyResult<Py<Deleted>> {
        let options = DeleteOptions::new().dry_run(dry_run);
        let deleted = py.detach(|| self.inner.delete_with(&names, &options));
        let deleted = deleted.or_raise(py)?;
        let failure = deleted.failed.first();
        let failure = failure.map(|(_, error)| exception(py, error));
        let deleted = Deleted::of(py, deleted)?;
        match failure {
            None => Ok(deleted),
            Some(failure) => {
                failure.value(py).setattr("deleted", deleted)?;
                Err(failure)
            }
        }
    }

    /// Adds a blob from a binary stream, and returns its digest. With `expected`, bytes of another digest
    /// are a `CorruptError`, and nothing is kept.
    ///
    /// A blob that no model uses goes with the next collection after its grace period.
    ///
    /// >>> import io
    /// >>> store.add_blob(io.BytesIO(b"hello"))[:15]
    /// 'sha256:2cf24dba'
    #[pyo3(signature = (stream, expected=None))]
    fn add_blob(
        &self,
        py: Python<'_>,
        stream: &Bound<'_, PyAny>,
        expected: Option<&str>,
    ) -> PyResult<String> {
        let expected = expected
            .map(str::parse::<Digest>)
            .transpose()
            .or_raise(py)?;
        let mut stream = PyFile::new(stream);
        let added = py.detach(|| self.inner.add_blob(&mut stream, expected.as_ref()));
        match stream.raised() {
            Some(raised) => Err(raised),
            None => added.or_raise(py).map(|blob| blob.digest.to_string()),
        }
    }

    /// Returns where the blob of a digest is, or would be. Opens nothing.
    ///
    /// >>> store.blob_path("sha256:" + "0" * 64).exists()
    /// False
    fn blob_path(&self, py: Python<'_>, digest: &str) -> PyResult<PathBuf> {
        py.detach(|| Ok(self.inner.blob_path(&digest.parse::<Digest>()?)))
            .or_raise(py)
    }

    /// Returns whether the blob of a digest is there.
    ///
    /// Raises `InvalidDigestError` for what is no digest.
    ///
    /// >>> store.has_blob("sha256:" + "0" * 64)
    /// False
    fn has_blob(&self, py: Python<'_>, digest: &str) -> PyResult<bool> {
        py.detach(|| Ok(self.inner.has_blob(&digest.parse::<Digest>()?)))
            .or_raise(py)
    }

    /// Handles a request to an endpoint of the published API, `tags`, `show`, `copy` or `delete`, given its
    /// body, and returns the HTTP status and the body of the response. A refusal is one, too. `transport`
    /// has the whole API, for clients that speak through httpx.
    ///
    /// >>> store.handle_request("show", b'{"model": "nobody"}')
    /// (404, '{"error":"model \'nobody:latest\' not found"}')
    #[pyo3(signature = (endpoint, body=b"".as_slice(), /),
        text_signature = "($self, endpoint, body=b'', /)")]
    fn handle_request(
        &self,
        py: Python<'_>,
        endpoint: &str,
        body: &[u8],
    ) -> PyResult<(u16, String)> {
        let answer = py.detach(|| match endpoint {
            "tags" => Ok(http_api::tags(&self.inner)),
            "show" => Ok(http_api::show(
                &self.inner,
                body,
                http_api::Basename::OfFile,
            )),
            "copy" => Ok(http_api::copy(&self.inner, body)),
            "delete" => Ok(http_api::delete(&self.inner, body)),
            _ => Err(bad(format!(
                "endpoint: 'tags', 'show', 'copy' or 'delete', not '{endpoint}'"
            ))),
        });
        let answer = answer.or_raise(py)?;
        Ok((answer.status, answer.body))
    }

    /// Responds to a request as the server of the command does, in process: the status, the headers
    /// and the body.
    #[pyo3(signature = (method, target, body=b"".as_slice(), agent=""),
        text_signature = "($self, method, target, body=b'', agent='')")]
    fn _respond(
        &self,
        py: Python<'_>,
        method: &str,
        target: &str,
        body: &[u8],
        agent: &str,
    ) -> PyResult<http::Reply> {
        py.detach(|| http::respond(&self.inner, [method, target, agent], body))
            .or_raise(py)
    }

    fn __iter__(slf: &Bound<'_, Self>) -> Models {
        let this = slf.get();
        Models::new(
            slf.clone().into_any().unbind(),
            this.inner.clone(),
            &this.pending,
        )
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        py.detach(|| self.pending.count(&self.inner)).or_raise(py)
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Holds nothing open between calls, so there is nothing to close.
    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {}

    fn _ipython_key_completions_(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let listing = py.detach(|| self.inner.list()).or_raise(py)?;
        let names = listing.models.iter().map(|model| model.name.to_string());
        Ok(names.collect())
    }

    fn __getitem__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Model> {
        let (py, this) = (slf.py(), slf.get());
        let model = py.detach(|| this.inner.model(name)).or_raise(py)?;
        Ok(Model::new(slf.clone().into_any().unbind(), model))
    }

    fn __contains__(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let Ok(name) = name.parse::<Reference>() else {
            return Ok(false);
        };
        match py.detach(|| self.inner.resolve(&name)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(exception(py, &error)),
        }
    }

    fn __delitem__(&self, py: Python<'_>, name: String) -> PyResult<()> {
        self.delete(py, vec![name], false).map(drop)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.roots() == other.roots() && self.options == other.options
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.roots().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        match self.roots().as_slice() {
            [root] => format!("Store({root:?})"),
            roots => format!("Store({roots:?})"),
        }
    }

    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let path = match self.roots().as_slice() {
            [root] => PyTuple::new(py, [root])?,
            roots => PyTuple::new(py, [roots])?,
        };
        Ok((path, self.options.to_keywords(py)?))
    }
}
