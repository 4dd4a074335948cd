//! What brings models into a store and out of it, of the class `Store`.

use modelkeep::{EditOptions, ExportOptions, ImportArchiveOptions, ImportOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::archive::{Exported, ImportedArchive, Place};
use crate::error::OrRaise;
use crate::gguf_edit::editor;
use crate::import::{NewMessage, json_object, with_texts};
use crate::path::FilePath;
use crate::results::Imported;
use crate::store::Store;

#[pymethods]
impl Store {
    /// Makes a model `name` of the GGUF file at `path`. Each byte is read once, and hashed while it comes
    /// in; the model is there as a whole, or not at all. Of the options,
    ///
    /// - `replace=True` lets a model of that name be replaced, which is an `ExistsError` otherwise.
    /// - `copy_mode` is how the bytes come in: `"reflink"` shares them on file systems that can, `"hardlink"`
    ///   makes the file itself a blob, `"copy"` copies, and `"auto"` shares where that can be, else copies.
    /// - `projectors` and `adapters` are paths of GGUF files that belong to the model.
    /// - `template` is the Go template of prompts; none is guessed.
    /// - `system` is the system prompt.
    /// - `licenses` are the texts of licenses.
    /// - `parameters` are those of Ollama by name, as `{"temperature": 0.5, "stop": ["</s>"]}`. An unknown
    ///   name and a value of another type are an `ArgumentError` that names what is near; of `stop`, a
    ///   single text is a list of one.
    /// - `messages` belong to the model: dictionaries of a `role`, which is `system`, `user` or `assistant`,
    ///   and a `content`.
    /// - `renderer` and `parser` name what Ollama renders prompts and parses answers with, in place of a
    ///   template.
    /// - `requires` is the oldest release of Ollama that can run the model.
    /// - `progress` is a callable that is given a `Progress`, in this thread, at most 20 times a second. It
    ///   cancels by returning `False` (`CancelledError`); what it raises is raised here, as is a Ctrl-C, and
    ///   nothing is left behind. `True` shows a bar of tqdm, or of rich, where one is installed, and else a
    ///   line on standard error.
    ///
    /// Raises `GgufError` for a file that the strict reader refuses, before anything is written.
    ///
    /// >>> imported = store.import_gguf(
    /// ...     "llama3.2.gguf", "brief", system="Be brief.", parameters={"temperature": 0.5}
    /// ... )
    /// >>> imported.name, store["brief"].system
    /// ('brief:latest', 'Be brief.')
    /// >>> store.import_gguf("llama3.2.gguf", "hot", parameters={"temprature": 2})
    /// Traceback (most recent call last):
    ///     ...
    /// modelkeep.ArgumentError: unknown parameter 'temprature'; did you mean temperature?
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

    /// Makes a model `name` as the Modelfile at `path` says, which is read as Ollama reads it: from GGUF
    /// files or directories of them, whose paths begin where the Modelfile is, or from a model of this store.
    ///
    /// `replace`, `copy_mode` and `progress` are as in `import_gguf`. A Modelfile that cannot be read so is
    /// an `ArgumentError` that names the line.
    ///
    /// >>> _ = open("Modelfile", "w").write("FROM llama3.2\nPARAMETER temperature 0.1\n")
    /// >>> store.import_modelfile("Modelfile", "cool").name, store["cool"].parameters["temperature"]
    /// ('cool:latest', 0.1)
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

    /// Makes a model `to` of `model` with edited metadata: its GGUF file is written anew and hashed, and the
    /// template, the parameters, the licenses and all else are those of `model`, which stays as it is. A
    /// model can be edited under its own name, with `replace=True`.
    ///
    /// `set`, `remove`, `rename`, `types` and `padding` are as in `edit_gguf`, and `progress` is as in
    /// `import_gguf`. `replace=True` lets a model of that name be replaced, which is an `ExistsError`
    /// otherwise. How much it has to survive is what the store was opened with.
    ///
    /// >>> edited = store.edit("llama3.2", "mine", set={"general.name": "Mine"})
    /// >>> edited.name, store["mine"].gguf["general.name"], store["llama3.2"].gguf["general.name"]
    /// ('mine:latest', 'Mine', 'Tiny')
    #[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
    #[pyo3(signature = (model, to, *, set=None, remove=Vec::new(), rename=None, types=None,
        replace=false, padding=true, progress=None),
        text_signature = "($self, model, to, *, set=None, remove=(), rename=None, types=None, \
        replace=False, padding=True, progress=None)")]
    fn edit(
        &self,
        py: Python<'_>,
        model: &str,
        to: &str,
        set: Option<&Bound<'_, PyAny>>,
        remove: Vec<String>,
        rename: Option<&Bound<'_, PyAny>>,
        types: Option<&Bound<'_, PyAny>>,
        replace: bool,
        padding: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Imported>> {
        let editor = editor(py, set, remove, rename, types)?;
        let options = EditOptions::new().replace(replace).padding(padding);
        let edit = |store: &modelkeep::Store| store.edit(model, to, &editor, &options);
        Imported::of(py, self.watched(py, progress, "editing", edit)?)
    }

    /// Writes models to `path` in the image layout of OCI: to one archive where it ends in `.tar` or is a
    /// binary file, otherwise to a directory. Every blob is hashed while it is written.
    ///
    /// `names` is one name or several. `replace` writes over an archive that is there, and in a directory
    /// over the models of these names. `progress` is as in `import_gguf`.
    ///
    /// >>> store.export(["llama3.2"], "models.tar").models
    /// ['llama3.2:latest']
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

    /// Takes in the models of an archive or a directory that `export` wrote, or of a binary file. Every blob
    /// is hashed while it comes in, what is stored is not written again, and no model is visible before all
    /// are complete.
    ///
    /// `name` is that of an archive's one model, in place of its own. `replace` lets other models of these
    /// names be replaced, which is an `ExistsError` otherwise. `progress` is as in `import_gguf`.
    ///
    /// >>> _ = store.export("llama3.2", "models.tar")
    /// >>> store.import_archive("models.tar", "copy").models[0].name
    /// 'copy:latest'
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
