//! What keeps a store in order, of the class `Store`.

use modelkeep::VerifyOptions;
use pyo3::prelude::*;

use crate::error::OrRaise;
use crate::maintain::{Collected, Diagnosis, Maintained, Repaired, Usage};
use crate::options::{Span, gc_options};
use crate::progress::watched;
use crate::store::Store;
use crate::verify::Report;

#[pymethods]
impl Store {
    /// Recomputes the SHA-256 of every blob of the store, or of the named models, in parallel, and returns a
    /// `Report`. What is damaged is a finding in it, not an exception.
    ///
    /// - `gguf=True` lets the strict reader check the GGUF files as well.
    /// - `use_cache=True` trusts what an earlier run found good and nothing touched since, and notes what
    ///   this one finds good in the store's `.modelkeep`. A write through a shared mapping may not move the
    ///   times by which that is told.
    /// - `progress` is as in `import_gguf`.
    ///
    /// >>> report = store.verify(use_cache=True)
    /// >>> report.ok, report.hashed_bytes, report.cached.blobs
    /// (True, 1002, 0)
    #[pyo3(signature = (*names, gguf=false, use_cache=false, progress=None))]
    fn verify(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        gguf: bool,
        use_cache: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Report>> {
        let report = watched(py, progress, "verifying", |observe| {
            let options = VerifyOptions::new().models(&names);
            let options = options.gguf(gguf).use_cache(use_cache);
            self.inner.verify_with(&options, observe)
        });
        Report::of(py, report?)
    }

    /// Removes the blobs that no model uses and that have not changed for the grace period, and what
    /// interrupted imports left; returns what went as `Collected`.
    ///
    /// - `grace` is that period, in seconds or as a `timedelta`: an hour, as Ollama has it.
    /// - `dry_run=True` changes nothing, and returns what would go.
    /// - `partials=True` takes interrupted downloads as well.
    /// - `quarantine=True` takes the damaged blobs that a repair set aside.
    /// - `all=True` says that a store without any model is meant to lose every blob, which is an
    ///   `ArgumentError` otherwise.
    /// - `progress` is as in `import_gguf`.
    ///
    /// Raises `CorruptError` while a manifest cannot be read: it may use any blob.
    ///
    /// >>> store.gc(dry_run=True).blobs
    /// []
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
        let options = gc_options(grace, dry_run, partials, quarantine, all).or_raise(py)?;
        Collected::of(
            py,
            self.watched(py, progress, "collecting", |store| store.gc(&options))?,
        )
    }

    /// Returns the disk usage as `Usage`: what each model alone holds, what it shares, what nobody uses.
    ///
    /// >>> usage = store.usage()
    /// >>> usage.total == usage.used + usage.orphans.bytes + usage.other.bytes
    /// True
    fn usage(&self, py: Python<'_>) -> PyResult<Py<Usage>> {
        Usage::of(py, py.detach(|| self.inner.usage()).or_raise(py)?)
    }

    /// Looks for what makes models invisible or broken, and returns it as `Diagnosis`. Hashes nothing.
    ///
    /// >>> store.doctor().issues
    /// []
    fn doctor(&self, py: Python<'_>) -> PyResult<Py<Diagnosis>> {
        Diagnosis::of(py, py.detach(|| self.inner.doctor()).or_raise(py)?)
    }

    /// Moves the damaged blobs of a report aside, as far as they still are what was verified, and renames
    /// those that are there under another name. Deletes nothing. `progress` is as in `import_gguf`.
    ///
    /// >>> store.repair(store.verify()).quarantined
    /// []
    #[pyo3(signature = (report, *, progress=None),
        text_signature = "($self, report, *, progress=None)")]
    fn repair(
        &self,
        py: Python<'_>,
        report: &Report,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Repaired>> {
        let report = report.engine().or_raise(py)?;
        let repair = |store: &modelkeep::Store| store.repair(report);
        Repaired::of(py, self.watched(py, progress, "repairing", repair)?)
    }

    /// Does what Ollama does to a store when it starts: renames old blobs, and collects as `gc`, whose
    /// options it takes.
    ///
    /// >>> store.maintain(grace=7200).renamed
    /// []
    #[pyo3(signature = (*, grace=Span::Seconds(3600.0), partials=false, quarantine=false,
        all=false, progress=None),
        text_signature = "($self, *, grace=3600.0, partials=False, quarantine=False, all=False, \
        progress=None)")]
    fn maintain(
        &self,
        py: Python<'_>,
        grace: Span,
        partials: bool,
        quarantine: bool,
        all: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Maintained> {
        let options = gc_options(grace, false, partials, quarantine, all).or_raise(py)?;
        let maintain = |store: &modelkeep::Store| store.maintain_with(&options);
        Maintained::of(py, self.watched(py, progress, "maintaining", maintain)?)
    }
}
