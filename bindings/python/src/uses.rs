//! The classes of `which`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};

use crate::json_base::{JsonBase, each};
use crate::listing::Problem;
use crate::repr::shown;

/// The models that a digest, an ID or a file belongs to. Iterates over them.
#[pyclass(frozen, get_all, sequence, extends = JsonBase, module = "modelkeep")]
pub(crate) struct Uses {
    /// What of which model it is, by name and then in the manifest's order.
    uses: Vec<Py<Use>>,
    /// Manifests that cannot be read, and may name it.
    problems: Vec<Py<Problem>>,
}

impl Uses {
    pub(crate) fn of(py: Python<'_>, found: modelkeep::Uses) -> PyResult<Py<Self>> {
        let fields = Uses {
            uses: each(py, &found.uses, |_, part| Ok(part.into()))?,
            problems: each(py, &found.problems, Problem::of)?,
        };
        JsonBase::of(&Arc::new(found)).with(py, fields)
    }
}

#[pymethods]
impl Uses {
    fn __len__(&self) -> usize {
        self.uses.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        PyList::new(index.py(), &self.uses)?
            .as_any()
            .get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, &self.uses)?.try_iter()
    }

    fn __repr__(&self) -> String {
        let (uses, problems) = (self.uses.len(), self.problems.len());
        format!("<Uses: {uses} parts, {problems} problems>")
    }
}

/// A part of a model.
#[pyclass(frozen, get_all, eq, hash, module = "modelkeep")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Use {
    /// The model.
    name: String,
    /// `manifest`, or what the layer holds: `model`, `projector`, `template`, `config`, ...
    kind: String,
    /// The digest: of the layer's blob, or of the manifest as a list has it.
    digest: String,
}

impl From<&modelkeep::Use> for Use {
    fn from(part: &modelkeep::Use) -> Self {
        Use {
            name: part.name.to_string(),
            kind: part.kind.clone(),
            digest: part.digest.clone(),
        }
    }
}

#[pymethods]
impl Use {
    fn __repr__(&self) -> String {
        let fields: [(&str, &dyn std::fmt::Debug); 3] = [
            ("name", &self.name),
            ("kind", &self.kind),
            ("digest", &self.digest),
        ];
        shown("Use", &fields)
    }
}
