//! The class `Store`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use modelkeep::{ModelName, Reference};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{OrRaise, exception};
use crate::options::Options;

/// A models directory, opened. Opening and reading write nothing.
#[pyclass(frozen, module = "modelkeep")]
pub(crate) struct Store {
    pub(crate) inner: modelkeep::Store,
    options: Options,
}

#[pymethods]
impl Store {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
    #[pyo3(signature = (path=None, *, read_only=false, create=false, mmap=true, threads=0, durability="full", settle=0.05))]
    fn new(
        py: Python<'_>,
        path: Option<PathBuf>,
        read_only: bool,
        create: bool,
        mmap: bool,
        threads: usize,
        durability: &str,
        settle: f64,
    ) -> PyResult<Self> {
        let durability = durability.to_owned();
        let options = Options {
            read_only,
            create,
            mmap,
            threads,
            durability,
            settle,
        };
        let core = options.to_core(path)?;
        let inner = py
            .detach(|| modelkeep::Store::open_with(core))
            .or_raise(py)?;
        Ok(Store { inner, options })
    }

    /// The store's directory.
    #[getter]
    fn root(&self) -> PathBuf {
        self.inner.path().to_owned()
    }

    /// The absolute path of a model's GGUF file.
    fn path(&self, py: Python<'_>, name: &str) -> PyResult<PathBuf> {
        py.detach(|| self.inner.model(&name.parse()?)?.gguf_path())
            .or_raise(py)
    }

    /// Copies the manifest of `src` to `dst`; blobs are shared, so this costs one small file.
    fn copy(&self, py: Python<'_>, src: &str, dst: &str) -> PyResult<Copied> {
        let copied = py.detach(|| {
            let (src, dst): (ModelName, ModelName) = (src.parse()?, dst.parse()?);
            self.inner.copy(&src, &dst)
        });
        Ok(copied.or_raise(py)?.into())
    }

    /// Deletes models, and the blobs that no other model uses.
    ///
    /// Where some cannot be deleted, the others are gone nevertheless, and the first failure is
    /// raised with what was deleted as its attribute `deleted`.
    #[pyo3(signature = (*names))]
    fn delete(&self, py: Python<'_>, names: Vec<String>) -> PyResult<Deleted> {
        let deleted = py.detach(|| {
            let names = names
                .iter()
                .map(|name| name.parse())
                .collect::<Result<Vec<Reference>, _>>();
            self.inner.delete_all(&names?)
        });
        let deleted = deleted.or_raise(py)?;
        let failure = deleted
            .failed
            .first()
            .map(|(_, error)| exception(py, error));
        let deleted = Deleted::from(deleted);
        match failure {
            None => Ok(deleted),
            Some(failure) => {
                failure.value(py).setattr("deleted", deleted)?;
                Err(failure)
            }
        }
    }

    fn __contains__(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let Ok(name) = name.parse::<Reference>() else {
            return Ok(false);
        };
        match py.detach(|| self.inner.resolve(&name)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == modelkeep::ErrorKind::NotFound => Ok(false),
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
        format!("Store({:?})", self.inner.path().display().to_string())
    }

    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let path = PyTuple::new(py, [self.inner.path()])?;
        Ok((path, self.options.to_keywords(py)?))
    }
}

/// What a copy did.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Copied {
    /// The stored spelling of the source.
    src: String,
    /// The stored spelling of the destination.
    dst: String,
    /// Whether a model of that name was replaced. Its blobs stay until they are collected.
    replaced: bool,
}

impl From<modelkeep::Copied> for Copied {
    fn from(copied: modelkeep::Copied) -> Self {
        Copied {
            src: copied.from.to_string(),
            dst: copied.to.to_string(),
            replaced: copied.replaced,
        }
    }
}

#[pymethods]
impl Copied {
    fn __repr__(&self) -> String {
        let replaced = if self.replaced { "True" } else { "False" };
        format!(
            "Copied(src='{}', dst='{}', replaced={replaced})",
            self.src, self.dst
        )
    }
}

/// What a delete did.
#[pyclass(frozen, get_all, module = "modelkeep")]
pub(crate) struct Deleted {
    /// The models that are gone.
    models: Vec<String>,
    /// The digests of the blobs that went with them.
    blobs: Vec<String>,
    /// The bytes of those blobs.
    bytes: u64,
    /// Why every blob was kept: manifests that cannot be read may use any of them.
    kept: Vec<String>,
}

impl From<modelkeep::Deleted> for Deleted {
    fn from(deleted: modelkeep::Deleted) -> Self {
        Deleted {
            models: deleted.models.iter().map(ToString::to_string).collect(),
            blobs: deleted.blobs.iter().map(ToString::to_string).collect(),
            bytes: deleted.bytes,
            kept: deleted.kept.iter().map(ToString::to_string).collect(),
        }
    }
}

#[pymethods]
impl Deleted {
    fn __repr__(&self) -> String {
        let Deleted {
            models,
            blobs,
            bytes,
            ..
        } = self;
        format!(
            "Deleted(models={models:?}, blobs={}, bytes={bytes})",
            blobs.len()
        )
    }
}
