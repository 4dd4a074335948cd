//! Models that travel: the results of export and of the import of an archive.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::path::PathBuf;

use crate::json_base::{each, texts};
use crate::path::FilePath;
use crate::record::record;
use crate::stream::PyFile;

record! {
    /// What an export wrote.
    ///
    /// >>> exported = store.export("llama3.2", "models.tar")
    /// >>> exported.models, exported.blobs
    /// (['llama3.2:latest'], 7)
    Exported(py, it: modelkeep::Exported) extends JsonBase shows [models, blobs, bytes] {
        /// The models, by name.
        models => texts(&it.models);
        /// How many blobs they have together.
        blobs => it.blobs;
        /// The bytes of these blobs.
        bytes => it.bytes;
    }
}

record! {
    /// What the import of an archive made.
    ///
    /// >>> _ = store.export("llama3.2", "models.tar")
    /// >>> imported = store.import_archive("models.tar", "copy")
    /// >>> imported.models[0].name, imported.new_blobs, imported.shared_blobs
    /// ('copy:latest', 0, 7)
    ImportedArchive(py, it: modelkeep::ImportedArchive) extends JsonBase
        shows [models, new_blobs, new_bytes] {
        /// The models, in the order of the archive, as a list of `ArchivedModel`.
        models => each(py, &it.models, |model| ArchivedModel::from(model.clone()))?;
        /// How many blobs were written.
        new_blobs => it.new_blobs;
        /// The bytes of the blobs that were written.
        new_bytes => it.new_bytes;
        /// How many blobs were there already, undamaged, and were not written again.
        shared_blobs => it.shared_blobs;
    }
}

record! {
    /// A model that came out of an archive.
    ///
    /// >>> _ = store.export("llama3.2", "models.tar")
    /// >>> store.import_archive("models.tar").models[0]
    /// ArchivedModel(name='llama3.2:latest', replaced=False)
    ArchivedModel(py, it: modelkeep::ArchivedModel) shows [name, replaced] {
        /// The name under which the model is stored.
        name => it.name.to_string();
        /// Whether another model of that name was replaced.
        replaced => it.replaced;
    }
}

/// A path, or a binary file of Python.
pub(crate) enum Place {
    Path(PathBuf),
    File(PyFile),
}

impl Place {
    /// Takes what has the method of a file for one, and anything else for a path.
    pub(crate) fn of(given: &Bound<'_, PyAny>, method: &'static str) -> PyResult<Self> {
        if let Ok(path) = given.extract::<FilePath>() {
            return Ok(Place::Path(path.0));
        }
        if !given.hasattr(method)? {
            let text = format!("a path, or a binary file with the method {method}, is needed");
            return Err(PyTypeError::new_err(text));
        }
        Ok(Place::File(PyFile::new(given)))
    }
}
