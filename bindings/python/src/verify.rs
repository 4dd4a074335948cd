//! Verifying: the classes of a report.

use modelkeep::human_size;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::gguf::GgufWarning;
use crate::html::{REPORT, table};
use crate::json_base::{each, texts};
use crate::listing::Problem;
use crate::options::bad;
use crate::parse_error::ParseError;
use crate::record::record;

record! {
    /// What a verification found. Iterates over its findings.
    ///
    /// >>> report = store.verify()
    /// >>> report.ok, {finding.status for finding in report}
    /// (True, {'ok'})
    Report(py, it: modelkeep::Report) extends JsonBase shows [ok, blobs, hashed_bytes] {
        /// Whether nothing is wrong.
        ok => it.is_ok();
        /// A `Finding` for each distinct digest, in the order of digests.
        blobs => each(py, &it.blobs, |finding| Finding::from(finding.clone()))?;
        /// The models that lack something, in the order of names, as a list of `BrokenModel`.
        models => each(py, &it.models, |model| BrokenModel::from(model.clone()))?;
        /// Manifests that could not be read, as a list of `Problem`.
        problems => each(py, &it.problems, |problem| Problem::from(problem.clone()))?;
        /// The bytes that were hashed.
        hashed_bytes => it.hashed_bytes;
        /// What was not hashed, because an earlier run found it good and nothing touched it since.
        cached => Cached::from(it.cached);
        /// Why what was found good could not be noted for later runs, where that was asked for, and
        /// `None` elsewhere.
        cache_error => it.cache_error.clone();
    }
}

impl Report {
    /// Returns what a repair needs.
    ///
    /// # Errors
    /// Where the report came from a pickle: what it states of files may be long past.
    pub(crate) fn engine(&self) -> modelkeep::Result<&modelkeep::Report> {
        self.0.engine().ok_or_else(|| {
            bad("a report that was pickled cannot be repaired: verify again".to_owned())
        })
    }
}

#[pymethods]
impl Report {
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.blobs(py)?.try_iter()
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let ok = if self.ok(py)?.is_truthy()? {
            "all is well"
        } else {
            "damaged"
        };
        let hashed = human_size(self.hashed_bytes(py)?.extract()?);
        table(&self.blobs(py)?, REPORT, &format!("{ok}, {hashed} hashed"))
    }
}

record! {
    /// How much a verification took an earlier one's word for.
    ///
    /// >>> store.verify().cached
    /// Cached(blobs=0, bytes=0)
    Cached(py, it: modelkeep::Cached) shows [blobs, bytes] {
        /// How many blobs.
        blobs => it.blobs;
        /// Their bytes.
        bytes => it.bytes;
    }
}

record! {
    /// What was found out about one blob.
    ///
    /// >>> finding = store.verify().blobs[0]
    /// >>> finding.status, finding.models
    /// ('ok', ['llama3.2:latest'])
    Finding(py, it: modelkeep::Finding) shows [digest, status] {
        /// The digest that names the blob.
        digest => it.digest.to_string();
        /// Where it lies, or should lie.
        path => it.path.clone();
        /// `ok`, `missing`, `wrong_size`, `wrong_digest` or `unreadable`.
        status => it.status.as_str();
        /// Its size on disk in bytes; zero where it is missing.
        size => it.size;
        /// The reason in words; empty where nothing is wrong.
        detail => it.detail.clone();
        /// The models that use it.
        models => texts(&it.models);
        /// What the strict GGUF reader says, where it was asked and the blob is a GGUF file; else
        /// `None`.
        gguf => it.gguf.clone().map(GgufFinding::from);
    }
}

record! {
    /// What the strict reader says of a GGUF file.
    ///
    /// >>> report = store.verify("llama3.2", gguf=True)
    /// >>> [finding.gguf for finding in report if finding.gguf]
    /// [GgufFinding(error=None, warnings=[])]
    GgufFinding(py, it: modelkeep::GgufFinding) shows [error, warnings] {
        /// Why it is refused; `None` where it is not.
        error => it.error.clone().map(ParseError::from);
        /// What is unusual, or would be refused elsewhere, as a list of `GgufWarning`.
        warnings => each(py, &it.warnings, |warning| GgufWarning::from(warning.clone()))?;
    }
}

record! {
    /// A model that cannot be whole.
    ///
    /// >>> for model in store.verify().models:
    /// ...     print(model.name, model.reasons)
    BrokenModel(py, it: modelkeep::BrokenModel) shows [name, reasons] {
        /// The model.
        name => it.name.to_string();
        /// What it lacks, a line for each layer.
        reasons => it.reasons.clone();
    }
}
