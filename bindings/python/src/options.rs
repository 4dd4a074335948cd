//! How a store and a GGUF file are opened, as Python says it.

use std::path::{PathBuf, absolute};
use std::time::Duration;

use modelkeep::gguf::{Data, Limits};
use modelkeep::{Error, ErrorKind, GcOptions, GgufOptions, Result, StoreOptions};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The options of `Store(...)`, kept to open the same store again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    pub read_only: bool,
    pub create: bool,
    pub mmap: bool,
    pub threads: usize,
    pub durability: String,
    pub delete_delay: Duration,
    pub foreign_owner: bool,
    pub go_template: Option<bool>,
    pub cache_size: u64,
}

impl Options {
    /// Opens the store at a path, or several as one view; without any, where the environment says.
    /// Its own paths are absolute, so that a change of the working directory does not move it.
    pub(crate) fn open(&self, paths: Vec<PathBuf>) -> Result<modelkeep::Store> {
        let options = self.to_core(paths)?;
        let store = modelkeep::Store::open_with(options.clone())?;
        let roots = roots(&store);
        if roots.iter().all(|root| root.is_absolute()) {
            return Ok(store);
        }
        let made = |root: &PathBuf| absolute(root).map_err(|e| Error::io("opening store", root, e));
        let roots = roots.iter().map(made).collect::<Result<Vec<_>>>()?;
        modelkeep::Store::open_with(options.paths(roots))
    }

    fn to_core(&self, paths: Vec<PathBuf>) -> Result<StoreOptions> {
        let options = StoreOptions::from_env().paths(paths);
        let options = match self.go_template {
            Some(prefer) => options.go_template(Some(prefer)),
            None => options,
        };
        Ok(options
            .read_only(self.read_only)
            .create(self.create)
            .mmap(self.mmap)
            .threads(self.threads)
            .durability(self.durability.parse()?)
            .delete_delay(self.delete_delay)
            .foreign_owner(self.foreign_owner)
            .cache_size(self.cache_size))
    }

    /// Returns the same as keyword arguments.
    pub(crate) fn to_keywords<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let keywords = PyDict::new(py);
        keywords.set_item("read_only", self.read_only)?;
        keywords.set_item("create", self.create)?;
        keywords.set_item("mmap", self.mmap)?;
        keywords.set_item("threads", self.threads)?;
        keywords.set_item("durability", &self.durability)?;
        keywords.set_item("delete_delay", self.delete_delay.as_secs_f64())?;
        keywords.set_item("foreign_owner", self.foreign_owner)?;
        keywords.set_item("go_template", self.go_template)?;
        keywords.set_item("cache_size", self.cache_size)?;
        Ok(keywords)
    }
}

/// Returns the directories of a store.
pub(crate) fn roots(store: &modelkeep::Store) -> Vec<PathBuf> {
    let stores = store.stores();
    stores.iter().map(|store| store.path().to_owned()).collect()
}

/// Returns the error of an option without a meaning.
pub(crate) fn bad(text: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, text)
}

/// A span of time: seconds, or a `timedelta`.
pub(crate) enum Span {
    Seconds(f64),
    Delta(Duration),
}

impl<'py> FromPyObject<'_, 'py> for Span {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(seconds) = object.extract() {
            return Ok(Span::Seconds(seconds));
        }
        object.extract().map(Span::Delta).or_else(|_| {
            let class = object.get_type().name()?;
            let text = format!("seconds or a positive timedelta, not {class}");
            Err(PyTypeError::new_err(text))
        })
    }
}

impl Span {
    /// Returns the same in the engine's terms; `option` is what an error names.
    pub(crate) fn duration(self, option: &str) -> Result<Duration> {
        match self {
            Span::Seconds(seconds) => {
                Duration::try_from_secs_f64(seconds).map_err(|e| bad(format!("{option}: {e}")))
            }
            Span::Delta(duration) => Ok(duration),
        }
    }
}

/// Returns what is collected.
pub(crate) fn gc_options(
    grace: Span,
    dry_run: bool,
    partials: bool,
    quarantine: bool,
    all: bool,
) -> Result<GcOptions> {
    let options = GcOptions::new().dry_run(dry_run).partials(partials);
    let options = options.quarantine(quarantine).all(all);
    Ok(options.grace(grace.duration("grace")?))
}

/// Returns how a GGUF file is opened.
pub(crate) fn gguf_options(lenient: bool, mmap: bool, header_only: bool) -> GgufOptions {
    let limits = if lenient {
        Limits::lenient()
    } else {
        Limits::strict()
    };
    let data = if header_only {
        Data::Optional
    } else {
        Data::Required
    };
    GgufOptions::new().limits(limits.data(data)).mmap(mmap)
}
