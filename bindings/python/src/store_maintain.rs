//! What keeps a store in order, of the class `Store`.

use modelkeep::VerifyOptions;
use pyo3::prelude::*;

use crate::error::OrRaise;
use crate::maintain::{Collected, Diagnosis, Maintained, Repaired, Usage};
use crate::options::{Span, gc_options};
use crate::progress::Observer;
use crate::store::Store;
use crate::verify::Report;

#[pymethods]
impl Store {
    /// Recomputes the SHA-256 of every blob of the store, or of the named models, in parallel.
    ///
    /// `use_cache` trusts the verification cache for what an earlier run found good and nothing
    /// touched since, and notes what this one finds good in the store's `.modelkeep`. A write
    /// through a shared mapping may not move the times by which that is told.
    ///
    /// `progress` is called in this thread, at most 20 times a second. It cancels by returning
    /// `False`; what it raises is raised here, as is a Ctrl-C.
    #[pyo3(signature = (*names, gguf=false, use_cache=false, progress=None))]
    fn verify(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        gguf: bool,
        use_cache: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<Report>> {
        let mut observer = Observer::new(py, progress, "verifying")?;
        let report = py.detach(|| {
            let options = VerifyOptions::new().models(&names);
            let options = options.gguf(gguf).use_cache(use_cache);
            self.inner
                .verify_with(&options, &mut |progress| observer.observe(progress))
        });
        Report::of(py, observer.end(py, report)?)
    }

    /// Removes the blobs that no model uses and that have not changed for the grace period, and
    /// what interrupted imports left. `partials` takes interrupted downloads as well, `quarantine`
    /// the damaged blobs that a repair set aside, and `all` says that a store without any model is
    /// meant to lose every blob.
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

    /// Measures the disk: what each model alone holds, what it shares, what nobody uses.
    fn usage(&self, py: Python<'_>) -> PyResult<Py<Usage>> {
        Usage::of(py, py.detach(|| self.inner.usage()).or_raise(py)?)
    }

    /// Looks for what makes models invisible or broken. Hashes nothing.
    fn doctor(&self, py: Python<'_>) -> PyResult<Py<Diagnosis>> {
        Diagnosis::of(py, py.detach(|| self.inner.doctor()).or_raise(py)?)
    }

    /// Moves the damaged blobs of a report aside, as far as they still are what was verified.
    /// Deletes nothing.
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

    /// Does what Ollama does to a store when it starts: renames old blobs, and collects as `gc`.
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
