//! How a store is opened, as Python says it.

use std::path::PathBuf;
use std::time::Duration;

use modelkeep::{Durability, StoreOptions};
use pyo3::exceptions::PyValueError;
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
    pub settle: f64,
}

impl Options {
    /// The same in the core's terms; a path of `None` is found by the environment.
    pub(crate) fn to_core(&self, path: Option<PathBuf>) -> PyResult<StoreOptions> {
        let settle = Duration::try_from_secs_f64(self.settle)
            .map_err(|e| PyValueError::new_err(format!("settle: {e}")))?;
        let options = match path {
            Some(path) => StoreOptions::from_env().path(path),
            None => StoreOptions::from_env(),
        };
        Ok(options
            .read_only(self.read_only)
            .create(self.create)
            .mmap(self.mmap)
            .threads(self.threads)
            .durability(durability(&self.durability)?)
            .settle(settle))
    }

    /// The same as keyword arguments.
    pub(crate) fn to_keywords<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let keywords = PyDict::new(py);
        keywords.set_item("read_only", self.read_only)?;
        keywords.set_item("create", self.create)?;
        keywords.set_item("mmap", self.mmap)?;
        keywords.set_item("threads", self.threads)?;
        keywords.set_item("durability", &self.durability)?;
        keywords.set_item("settle", self.settle)?;
        Ok(keywords)
    }
}

fn durability(text: &str) -> PyResult<Durability> {
    match text {
        "full" => Ok(Durability::Full),
        "none" => Ok(Durability::None),
        _ => Err(PyValueError::new_err(format!(
            "durability: 'full' or 'none', not '{text}'"
        ))),
    }
}
