//! The results of copy, delete and import.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::gguf::FileWarning;
use crate::json_base::{JsonBase, each, texts};
use crate::listing::Problem;
use crate::repr::shown;

/// What a copy did.
#[pyclass(frozen, get_all, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Copied {
    /// The stored spelling of the source.
    src: String,
    /// The stored spelling of the destination.
    dst: String,
    /// Whether a model of that name was replaced. Its blobs stay until they are collected.
    replaced: bool,
}

impl Copied {
    pub(crate) fn of(py: Python<'_>, copied: modelkeep::Copied) -> PyResult<Py<Self>> {
        let fields = Copied {
            src: copied.from.to_string(),
            dst: copied.to.to_string(),
            replaced: copied.replaced,
        };
        JsonBase::of(&Arc::new(copied)).with(py, fields)
    }
}

#[pymethods]
impl Copied {
    fn __repr__(&self) -> String {
        shown("Copied", &[("src", &self.src), ("dst", &self.dst)])
    }
}

/// What a delete did.
#[pyclass(frozen, get_all, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Deleted {
    /// The models that are gone.
    models: Vec<String>,
    /// The digests of the blobs that went with them.
    blobs: Vec<String>,
    /// The bytes on the disk that became free.
    bytes: u64,
    /// The digests of blobs that somebody began to use meanwhile, and which were put back.
    restored: Vec<String>,
    /// Blobs of the models that other models use: why less became free than the models took.
    shared: Vec<Py<SharedBlob>>,
    /// Names that were aliases: only the link went, and the model stays.
    aliases: Vec<Py<Alias>>,
    /// Why blobs were kept: manifests that cannot be read may use any of them, or another program
    /// has one open.
    kept: Vec<Py<Problem>>,
}

impl Deleted {
    pub(crate) fn of(py: Python<'_>, deleted: modelkeep::Deleted) -> PyResult<Py<Self>> {
        let fields = Deleted {
            models: texts(&deleted.models),
            blobs: texts(&deleted.blobs),
            bytes: deleted.bytes,
            restored: texts(&deleted.restored),
            shared: each(py, &deleted.shared, |_, blob| Ok(blob.into()))?,
            aliases: each(py, &deleted.aliases, |_, alias| Ok(alias.into()))?,
            kept: each(py, &deleted.kept, Problem::of)?,
        };
        JsonBase::of(&Arc::new(deleted)).with(py, fields)
    }
}

#[pymethods]
impl Deleted {
    fn __repr__(&self) -> String {
        let blobs = self.blobs.len();
        shown(
            "Deleted",
            &[
                ("models", &self.models),
                ("blobs", &blobs),
                ("bytes", &self.bytes),
            ],
        )
    }
}

/// A blob that stays because other models use it.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct SharedBlob {
    /// The blob's digest.
    digest: String,
    /// Its bytes on the disk.
    bytes: u64,
    /// The models that use it.
    models: Vec<String>,
}

impl From<&modelkeep::SharedBlob> for SharedBlob {
    fn from(blob: &modelkeep::SharedBlob) -> Self {
        SharedBlob {
            digest: blob.digest.to_string(),
            bytes: blob.bytes,
            models: texts(&blob.models),
        }
    }
}

#[pymethods]
impl SharedBlob {
    fn __repr__(&self) -> String {
        shown(
            "SharedBlob",
            &[("digest", &self.digest), ("models", &self.models)],
        )
    }
}

/// A name behind a link to a directory, where the same manifests have another name as well.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Alias {
    /// The name.
    name: String,
    /// The link.
    link: PathBuf,
    /// The model that the name leads to.
    model: String,
}

impl From<&modelkeep::Alias> for Alias {
    fn from(alias: &modelkeep::Alias) -> Self {
        Alias {
            name: alias.name.to_string(),
            link: alias.link.clone(),
            model: alias.model.to_string(),
        }
    }
}

#[pymethods]
impl Alias {
    fn __repr__(&self) -> String {
        shown("Alias", &[("name", &self.name), ("model", &self.model)])
    }
}

/// What an import made.
#[pyclass(frozen, get_all, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Imported {
    /// The model's name, in its stored spelling.
    name: String,
    /// The digest of the weights.
    digest: String,
    /// The bytes of the weights.
    bytes: u64,
    /// Whether a model of that name was replaced.
    replaced: bool,
    /// The parameters of the Modelfile that say nothing any more, and are left out.
    ignored: Vec<String>,
    /// What is unusual in the files, and may be refused elsewhere.
    warnings: Vec<Py<FileWarning>>,
}

impl Imported {
    pub(crate) fn of(py: Python<'_>, imported: modelkeep::Imported) -> PyResult<Py<Self>> {
        let fields = Imported {
            name: imported.name.to_string(),
            digest: imported.digest.to_string(),
            bytes: imported.bytes,
            replaced: imported.replaced,
            ignored: imported.ignored.clone(),
            warnings: each(py, &imported.warnings, |_, warning| Ok(warning.into()))?,
        };
        JsonBase::of(&Arc::new(imported)).with(py, fields)
    }
}

#[pymethods]
impl Imported {
    fn __repr__(&self) -> String {
        shown(
            "Imported",
            &[("name", &self.name), ("digest", &self.digest)],
        )
    }
}
