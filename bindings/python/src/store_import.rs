//! What brings models into a store and out of it, of the class `Store`.

use modelkeep::{ExportOptions, ImportArchiveOptions, ImportOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::archive::{Exported, ImportedArchive, Place};
use crate::error::OrRaise;
use crate::import::{NewMessage, json_object, with_texts};
use crate::path::FilePath;
use crate::results::Imported;
use crate::store::Store;

#[pymethods]
impl Store {
    /// Makes a model of a GGUF file.
    ///
    /// `progress` is called in this thread, about 20 times a second. It cancels by returning
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
        let options = ImportOptions::new()
            .replace(replace)
            .copy_mode(copy_mode.parse().or_raise(py)?)
            .projectors(projectors.into_iter().map(|path| path.0))
            .adapters(adapters.into_iter().map(|path| path.0))
            .licenses(licenses)
            .parameters(parameters.map(json_object).transpose()?.unwrap_or_default())
            .messages(messages.into_iter().map(Into::into));
        let options = with_texts(options, [template, system, renderer, parser, requires]);
        let import = |store: &modelkeep::Store| store.import(&path.0, name, &options);
        Imported::of(py, self.watched(py, progress, "importing", import)?)
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
        Imported::of(py, self.watched(py, progress, "importing", import)?)
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
                self.watched(py, progress, "exporting", export)?
            }
            Place::File(mut file) => {
                let export = |store: &modelkeep::Store| store.export_to(&names, &mut file);
                let exported = self.watched(py, progress, "exporting", export);
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
                self.watched(py, progress, "importing", import)?
            }
            Place::File(mut file) => {
                let import = |store: &modelkeep::Store| store.import_stream(&mut file, &options);
                let imported = self.watched(py, progress, "importing", import);
                file.raised().map_or(imported, Err)?
            }
        };
        ImportedArchive::of(py, imported)
    }
}
