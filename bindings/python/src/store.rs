//! The class `Store`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use modelkeep::{
    Digest, ErrorKind, ExportOptions, GcOptions, ImportArchiveOptions, ImportOptions, Reference,
    VerifyOptions, wire,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::archive::{Exported, ImportedArchive, Place};
use crate::error::{OrRaise, exception};
use crate::import::{NewMessage, json_object};
use crate::listing::Listing;
use crate::maintain::{Collected, Diagnosis, Maintained, Repaired, Usage};
use crate::model::{Model, Models, show_options};
use crate::options::{Options, Span, bad};
use crate::path::FilePath;
use crate::results::{Copied, Deleted, Imported};
use crate::show::Show;
use crate::verify::{Observer, Report};

/// A models directory, opened. Opening and reading write nothing.
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct Store {
    inner: modelkeep::Store,
    options: Options,
}

impl Store {
    /// Makes a call that may take long, and looks for signals and tells a callback meanwhile.
    fn watched<T: Send>(
        &self,
        py: Python<'_>,
        progress: Option<Py<PyAny>>,
        call: impl FnOnce(&modelkeep::Store) -> modelkeep::Result<T> + Send,
    ) -> PyResult<T> {
        let mut observer = Observer::new(progress);
        let answer = py.detach(|| {
            self.inner
                .watch(&mut |progress| observer.observe(progress), call)
        });
        match observer.raised {
            Some(raised) => Err(raised),
            None => answer.or_raise(py),
        }
    }
}

#[pymethods]
impl Store {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
    #[pyo3(signature = (path=None, *, read_only=false, create=false, mmap=true, threads=0,
        durability="full", delete_delay=Span::Seconds(0.05), foreign_owner=false, go_template=None),
        text_signature = "(path=None, *, read_only=False, create=False, mmap=True, threads=0, \
        durability='full', delete_delay=0.05, foreign_owner=False, go_template=None)")]
    fn new(
        py: Python<'_>,
        path: Option<FilePath>,
        read_only: bool,
        create: bool,
        mmap: bool,
        threads: usize,
        durability: &str,
        delete_delay: Span,
        foreign_owner: bool,
        go_template: Option<bool>,
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
        };
        let path = path.map(|path| path.0);
        let inner = py.detach(|| options.open(path)).or_raise(py)?;
        Ok(Store { inner, options })
    }

    /// The store's directory.
    #[getter]
    fn root(&self) -> PathBuf {
        self.inner.path().to_owned()
    }

    /// Lists all models, and names what had to be left out.
    fn list(&self, py: Python<'_>) -> PyResult<Py<Listing>> {
        Listing::of(py, py.detach(|| self.inner.list()).or_raise(py)?)
    }

    /// Everything about one model; `verbose` prints arrays in full.
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

    /// The absolute path of a model's GGUF file.
    fn path(&self, py: Python<'_>, name: &str) -> PyResult<PathBuf> {
        py.detach(|| self.inner.model(name)?.gguf_path())
            .or_raise(py)
    }

    /// The models that a digest, an ID (12 digits or more) or a file belongs to: the name of each,
    /// what of it that is, and the digest.
    fn which(&self, py: Python<'_>, what: PathBuf) -> PyResult<Vec<(String, String, String)>> {
        let found = py.detach(|| self.inner.which(&what)).or_raise(py)?;
        let part = |part: modelkeep::Use| (part.name.to_string(), part.kind, part.digest);
        Ok(found.uses.into_iter().map(part).collect())
    }

    /// Copies a model: one more name for the same blobs, at the cost of one small file.
    fn copy(&self, py: Python<'_>, src: &str, dst: &str) -> PyResult<Py<Copied>> {
        let copied = py.detach(|| self.inner.copy(src, dst));
        Copied::of(py, copied.or_raise(py)?)
    }

    /// Deletes models, and the blobs that no other model uses.
    ///
    /// Where some cannot be deleted, the others are gone nevertheless, and the first failure is
    /// raised with what was deleted as its attribute `deleted`.
    #[pyo3(signature = (*names))]
    fn delete(&self, py: Python<'_>, names: Vec<String>) -> PyResult<Py<Deleted>> {
        let deleted = py.detach(|| self.inner.delete_all(&names));
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

    /// Recomputes the SHA-256 of every blob of the store, or of the named models, in parallel.
    ///
    /// `use_cache` trusts the verification cache for what an earlier run found good and nothing
    /// touched since, and notes what this one finds good in the store's `.modelkeep`. A write
    /// through a shared mapping may not move the times by which that is told.
    ///
    /// `progress` is called in this thread, at most 20 times a second. It cancels by answering
    /// `False`; what it raises is raised here, as is a Ctrl-C.
    #[pyo3(signature = (*names, gguf=false, use_cache=false, progress=None))]
    fn verify(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        gguf: bool,
        use_cache: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Report>> {
        let mut observer = Observer::new(progress);
        let report = py.detach(|| {
            let options = VerifyOptions::new().models(&names);
            let options = options.gguf(gguf).use_cache(use_cache);
            self.inner
                .verify_with(&options, &mut |progress| observer.observe(progress))
        });
        match observer.raised {
            Some(raised) => Err(raised),
            None => Report::of(py, report.or_raise(py)?),
        }
    }

    /// Makes a model of a GGUF file.
    ///
    /// `progress` is called in this thread, about 20 times a second. It cancels by answering
    /// `False`; what it raises is raised here, as is a Ctrl-C, and nothing is left behind.
    #[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
    #[pyo3(signature = (path, name, *, replace=false, copy_mode="auto", projectors=Vec::new(),
        adapters=Vec::new(), template=None, system=None, licenses=Vec::new(), parameters=None,
        messages=Vec::new(), renderer=None, parser=None, requires=None, progress=None),
        text_signature = "($self, path, name, *, replace=False, copy_mode='auto', projectors=(), \
        adapters=(), template=None, system=None, licenses=(), parameters=None, messages=(), \
        renderer=None, parser=None, requires=None, progress=None)")]
    fn import_gguf(
        &self,
        py: Python<'_>,
        path: FilePath,
        name: &str,
        replace: bool,
        copy_mode: &str,
        projectors: Vec<FilePath>,
        adapters: Vec<FilePath>,
        template: Option<String>,
        system: Option<String>,
        licenses: Vec<String>,
        parameters: Option<&Bound<'_, PyDict>>,
        messages: Vec<NewMessage>,
        renderer: Option<String>,
        parser: Option<String>,
        requires: Option<String>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Imported>> {
        let mut options = ImportOptions::new()
            .replace(replace)
            .copy_mode(copy_mode.parse().or_raise(py)?)
            .projectors(projectors.into_iter().map(|path| path.0))
            .adapters(adapters.into_iter().map(|path| path.0))
            .licenses(licenses)
            .parameters(parameters.map(json_object).transpose()?.unwrap_or_default())
            .messages(messages.into_iter().map(Into::into));
        type Set = fn(ImportOptions, String) -> ImportOptions;
        let texts: [(_, Set); 5] = [
            (template, ImportOptions::template),
            (system, ImportOptions::system),
            (renderer, ImportOptions::renderer),
            (parser, ImportOptions::parser),
            (requires, ImportOptions::requires),
        ];
        for (text, set) in texts {
            if let Some(text) = text {
                options = set(options, text);
            }
        }
        let import = |store: &modelkeep::Store| store.import(&path.0, name, &options);
        Imported::of(py, self.watched(py, progress, import)?)
    }

    /// Makes a model as a Modelfile says, from GGUF files or from a model of this store.
    /// `progress` is as in `import_gguf`.
    #[pyo3(signature = (path, name, *, replace=false, copy_mode="auto", progress=None),
        text_signature = "($self, path, name, *, replace=False, copy_mode='auto', progress=None)")]
    fn import_modelfile(
        &self,
        py: Python<'_>,
        path: FilePath,
        name: &str,
        replace: bool,
        copy_mode: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Imported>> {
        let options = ImportOptions::new()
            .replace(replace)
            .copy_mode(copy_mode.parse().or_raise(py)?);
        let import = |store: &modelkeep::Store| store.import_modelfile(&path.0, name, &options);
        Imported::of(py, self.watched(py, progress, import)?)
    }

    /// Writes models to `path` in the image layout of OCI: to one archive where it ends in `.tar` or
    /// is a binary file, otherwise to a directory. Every blob is hashed while it is written.
    /// `replace` writes over an archive that is there, and in a directory over the models of these
    /// names. `progress` is as in `import_gguf`.
    #[pyo3(signature = (names, path, *, replace=false, progress=None),
        text_signature = "($self, names, path, *, replace=False, progress=None)")]
    fn export(
        &self,
        py: Python<'_>,
        names: &Bound<'_, PyAny>,
        path: &Bound<'_, PyAny>,
        replace: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Exported>> {
        let names = match names.extract::<String>() {
            Ok(name) => vec![name],
            Err(_) => names
                .try_iter()?
                .map(|name| name?.extract())
                .collect::<PyResult<_>>()?,
        };
        let options = ExportOptions::new().replace(replace);
        let exported = match Place::of(path, "write")? {
            Place::Path(path) => {
                let export = |store: &modelkeep::Store| store.export(&names, &path, &options);
                self.watched(py, progress, export)?
            }
            Place::File(mut file) => {
                let export = |store: &modelkeep::Store| store.export_to(&names, &mut file);
                let exported = self.watched(py, progress, export);
                file.raised().map_or(exported, Err)?
            }
        };
        Exported::of(py, exported)
    }

    /// Takes in the models of an archive or a directory that `export` wrote, or of a binary file.
    /// Every blob is hashed while it comes in, what is stored is not written again, and no model is
    /// visible before all are complete. `name` is that of an archive's one model; `replace` lets
    /// other models of these names be replaced. `progress` is as in `import_gguf`.
    #[pyo3(signature = (path, name=None, *, replace=false, progress=None),
        text_signature = "($self, path, name=None, *, replace=False, progress=None)")]
    fn import_archive(
        &self,
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        name: Option<&str>,
        replace: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<ImportedArchive>> {
        let mut options = ImportArchiveOptions::new().replace(replace);
        if let Some(name) = name {
            options = options.name(name);
        }
        let imported = match Place::of(path, "read")? {
            Place::Path(path) => {
                let import = |store: &modelkeep::Store| store.import_archive(&path, &options);
                self.watched(py, progress, import)?
            }
            Place::File(mut file) => {
                let import = |store: &modelkeep::Store| store.import_stream(&mut file, &options);
                let imported = self.watched(py, progress, import);
                file.raised().map_or(imported, Err)?
            }
        };
        ImportedArchive::of(py, imported)
    }

    /// Removes the blobs that no model uses and that have not changed for the grace period, and
    /// what interrupted imports left. `partials` takes interrupted downloads as well, `quarantine`
    /// the damaged blobs that a repair set aside, and `all` says that a store without any model is
    /// meant to lose every blob.
    #[pyo3(signature = (*, grace=Span::Seconds(3600.0), dry_run=false, partials=false,
        quarantine=false, all=false, progress=None),
        text_signature = "($self, *, grace=3600.0, dry_run=False, partials=False, \
        quarantine=False, all=False, progress=None)")]
    #[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
    fn gc(
        &self,
        py: Python<'_>,
        grace: Span,
        dry_run: bool,
        partials: bool,
        quarantine: bool,
        all: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Collected>> {
        let options = GcOptions::default().dry_run(dry_run).partials(partials);
        let options = options.quarantine(quarantine).all(all);
        let options = options.grace(grace.duration("grace").or_raise(py)?);
        Collected::of(py, self.watched(py, progress, |store| store.gc(&options))?)
    }

    /// Measures the disk: what each model alone holds, what it shares, what nobody uses.
    fn usage(&self, py: Python<'_>) -> PyResult<Py<Usage>> {
        Usage::of(py, py.detach(|| self.inner.usage()).or_raise(py)?)
    }

    /// Looks for what makes models invisible or broken. Hashes nothing.
    fn doctor(&self, py: Python<'_>) -> PyResult<Py<Diagnosis>> {
        Diagnosis::of(py, py.detach(|| self.inner.doctor()).or_raise(py)?)
    }

    /// Moves the damaged blobs of a report aside, as far as they still are what was verified.
    /// Deletes nothing.
    #[pyo3(signature = (report, *, progress=None),
        text_signature = "($self, report, *, progress=None)")]
    fn repair(
        &self,
        py: Python<'_>,
        report: &Report,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Repaired>> {
        let repair = |store: &modelkeep::Store| store.repair(&report.report);
        Repaired::of(py, self.watched(py, progress, repair)?)
    }

    /// Does what Ollama does to a store when it starts: renames old blobs, and collects.
    fn maintain(&self, py: Python<'_>) -> PyResult<Maintained> {
        Maintained::of(py, py.detach(|| self.inner.maintain()).or_raise(py)?)
    }

    /// Where the blob of a digest lies, or would lie.
    fn blob_path(&self, py: Python<'_>, digest: &str) -> PyResult<PathBuf> {
        py.detach(|| Ok(self.inner.blob_path(&digest.parse::<Digest>()?)))
            .or_raise(py)
    }

    /// Whether the blob of a digest is there.
    fn has_blob(&self, py: Python<'_>, digest: &str) -> PyResult<bool> {
        py.detach(|| Ok(self.inner.has_blob(&digest.parse::<Digest>()?)))
            .or_raise(py)
    }

    /// Answers a call of the published API, `tags`, `show`, `copy` or `delete`, from the body of
    /// its request: the HTTP status and the body of the response. A refusal is an answer, too.
    #[pyo3(signature = (call, body=b"".as_slice(), /), text_signature = "($self, call, body=b'', /)")]
    fn answer(&self, py: Python<'_>, call: &str, body: &[u8]) -> PyResult<(u16, String)> {
        let answer = py.detach(|| match call {
            "tags" => Ok(wire::tags(&self.inner)),
            "show" => Ok(wire::show(&self.inner, body, wire::Basename::OfFile)),
            "copy" => Ok(wire::copy(&self.inner, body)),
            "delete" => Ok(wire::delete(&self.inner, body)),
            _ => Err(bad(format!(
                "call: 'tags', 'show', 'copy' or 'delete', not '{call}'"
            ))),
        });
        let answer = answer.or_raise(py)?;
        Ok((answer.status, answer.body))
    }

    fn __iter__(&self, py: Python<'_>) -> PyResult<Models> {
        py.detach(|| Models::of(&self.inner)).or_raise(py)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        py.detach(|| Ok(self.inner.list()?.models.len()))
            .or_raise(py)
    }

    fn __getitem__(&self, py: Python<'_>, name: &str) -> PyResult<Model> {
        let model = py.detach(|| self.inner.model(name));
        Ok(model.or_raise(py)?.into())
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
        self.delete(py, vec![name]).map(drop)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.inner.path() == other.inner.path() && self.options == other.options
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.inner.path().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("Store({:?})", self.inner.path())
    }

    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let path = PyTuple::new(py, [self.inner.path()])?;
        Ok((path, self.options.to_keywords(py)?))
    }
}
