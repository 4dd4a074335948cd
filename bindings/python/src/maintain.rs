//! The results of what keeps a store in order: collecting, measuring, diagnosing, repairing.

use modelkeep::human_size;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::html::{USAGE, table};
use crate::json_base::{each, texts};
use crate::listing::Problem;
use crate::record::record;

record! {
    /// What a collection removed, or would remove.
    ///
    /// >>> planned = store.gc(dry_run=True)
    /// >>> planned.blobs, planned.bytes, planned.young
    /// ([], 0, 0)
    Collected(py, it: modelkeep::Collected) extends JsonBase
        shows [dry_run, blobs, bytes, young] {
        /// Whether nothing was changed.
        dry_run => it.dry_run;
        /// The digests of blobs that no manifest names.
        blobs => texts(&it.blobs);
        /// Leftovers of interrupted downloads, and what else was no blob.
        partials => it.partials.clone();
        /// Files of our own that interrupted imports staged, and quarantined blobs where asked for.
        leftovers => it.leftovers.clone();
        /// The bytes on the disk that became free, or would.
        bytes => it.bytes;
        /// How many unused blobs and leftovers are still within the grace period.
        young => it.young;
        /// The digests of blobs that somebody began to use meanwhile, and which were put back.
        restored => texts(&it.restored);
        /// Why blobs were kept: a manifest became unreadable, or another program has one open.
        kept => it.kept.clone();
    }
}

/// What maintenance did, and what it collected.
pub(crate) struct Upkeep {
    renamed: Vec<std::path::PathBuf>,
    collected: Py<Collected>,
}

record! {
    /// What maintenance did.
    ///
    /// >>> maintained = store.maintain()
    /// >>> maintained.renamed, maintained.collected.blobs
    /// ([], [])
    Maintained(py, it: Upkeep) shows [renamed, collected] {
        /// The blobs that had an old name, under their new one.
        renamed => it.renamed.clone();
        /// What was collected, as of `Store.gc`.
        collected => it.collected.clone_ref(py);
    }
}

impl Maintained {
    pub(crate) fn of(py: Python<'_>, maintained: modelkeep::Maintained) -> PyResult<Self> {
        Ok(Maintained::from(Upkeep {
            renamed: maintained.renamed,
            collected: Collected::of(py, maintained.collected)?,
        }))
    }
}

record! {
    /// The disk usage of a store, in real blocks on disk; each digest counts once. Iterates over
    /// its models.
    ///
    /// >>> usage = store.usage()
    /// >>> [(model.name, model.shared) for model in usage], usage.orphans.files
    /// ([('llama3.2:latest', 0)], 0)
    Usage(py, it: modelkeep::Usage) extends JsonBase shows [models, used, total] {
        /// The models, by name, as a list of `ModelUsage`.
        models => each(py, &it.models, |model| ModelUsage::from(model.clone()))?;
        /// The bytes of all blobs that models use.
        used => it.used;
        /// Blobs that no model uses.
        orphans => Files::from(it.orphans);
        /// Leftovers of interrupted downloads.
        partials => Files::from(it.partials);
        /// Files in `blobs/` that are neither.
        unknown => Files::from(it.unknown);
        /// Files of ours that are being written, or that interrupted runs left.
        staged => Files::from(it.staged);
        /// Blobs in the trash of an interrupted removal.
        trash => Files::from(it.trash);
        /// Damaged blobs that a repair set aside.
        quarantine => Files::from(it.quarantine);
        /// Everything else below the store's root, its manifests included.
        other => Files::from(it.other);
        /// All of these bytes together.
        total => it.total;
        /// Those of these bytes that files elsewhere hold as well, so that nothing here frees them.
        held_outside => it.held_outside;
        /// What could not be read: what it uses counts as orphaned.
        problems => each(py, &it.problems, |problem| Problem::from(problem.clone()))?;
    }
}

#[pymethods]
impl Usage {
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.models(py)?.try_iter()
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let total = human_size(self.total(py)?.extract()?);
        let orphans: u64 = self.orphans(py)?.getattr("bytes")?.extract()?;
        let below = format!("{total} in all, {} of them orphaned", human_size(orphans));
        table(&self.models(py)?, USAGE, &below)
    }
}

record! {
    /// The disk usage of one model. Lists of them sort by name.
    ///
    /// >>> model = store.usage().models[0]
    /// >>> model.name, model.exclusive > 0, model.shared, model.missing
    /// ('llama3.2:latest', True, 0, 0)
    ModelUsage(py, it: modelkeep::ModelUsage) shows [name, exclusive, shared] {
        /// The model.
        name => it.name.to_string();
        /// The bytes that it alone holds: what deleting it frees.
        exclusive => it.exclusive;
        /// The bytes that it shares with other models.
        shared => it.shared;
        /// How many of its blobs are missing.
        missing => it.missing;
        /// The directory of its store, in a view of several; else `None`.
        store => it.store.clone();
    }
}

record! {
    /// Some files together.
    ///
    /// >>> store.usage().orphans
    /// Files(files=0, bytes=0)
    Files(py, it: modelkeep::Files) shows [files, bytes] {
        /// How many.
        files => it.files;
        /// Their bytes on disk.
        bytes => it.bytes;
    }
}

record! {
    /// What a look at a store found.
    ///
    /// >>> diagnosis = store.doctor()
    /// >>> diagnosis.ok, diagnosis.blobs
    /// (True, 7)
    Diagnosis(py, it: modelkeep::Diagnosis) extends JsonBase shows [ok, issues] {
        /// Whether nothing is wrong.
        ok => it.is_ok();
        /// The places where a store may be, the opened one first, as a list of `Location`.
        locations => each(py, &it.locations, |place| Location::from(place.clone()))?;
        /// What is wrong, by path, as a list of `Issue`.
        issues => each(py, &it.issues, |issue| Issue::from(issue.clone()))?;
        /// What is not wrong, and worth knowing: what can be reclaimed, aliases, unknown files.
        notes => each(py, &it.notes, |issue| Issue::from(issue.clone()))?;
        /// How many blobs the models use.
        blobs => it.blobs;
        /// Those that an earlier verification found good, and nothing has touched since.
        verified => it.verified;
    }
}

record! {
    /// A place where a store may be.
    ///
    /// >>> store.doctor().locations[0].state
    /// 'store'
    Location(py, it: modelkeep::Location) shows [path, state, manifests] {
        /// The directory.
        path => it.path.clone();
        /// Whether it exists.
        exists => it.exists;
        /// How many manifests lie in it.
        manifests => it.manifests;
        /// Whether it is the store that was opened.
        opened => it.opened;
        /// What is there: `store`, `no_store`, `missing`, `dangling` or `closed`.
        state => it.state.as_str();
        /// Why no models can be seen there, and what to do; empty where some can.
        what => it.what.clone();
    }
}

record! {
    /// Something that is wrong, and what to do.
    ///
    /// >>> for issue in store.doctor().issues:
    /// ...     print(issue.path, issue.what, issue.advice)
    Issue(py, it: modelkeep::Issue) shows [path, what] {
        /// The file.
        path => it.path.clone();
        /// The model, where the file is a model's; else `None`.
        name => it.name.as_ref().map(ToString::to_string);
        /// What is wrong.
        what => it.what.clone();
        /// What to do.
        advice => it.advice.clone();
    }
}

record! {
    /// What a repair moved aside.
    ///
    /// >>> store.repair(store.verify()).quarantined
    /// []
    Repaired(py, it: modelkeep::Repaired) extends JsonBase
        shows [quarantined, renamed, changed, restored] {
        /// The blobs that were damaged and where they lie now, as a list of `MovedBlob`.
        quarantined => each(py, &it.quarantined, |blob| MovedBlob::from(blob.clone()))?;
        /// The blobs that were there under another name, and what they are called now.
        renamed => each(py, &it.renamed, |blob| MovedBlob::from(blob.clone()))?;
        /// The digests of blobs that have changed since they were verified, and were left alone.
        changed => texts(&it.changed);
        /// The digests of blobs that were put back from the trash of an interrupted removal.
        restored => texts(&it.restored);
    }
}

record! {
    /// A blob that a repair moved.
    ///
    /// >>> for blob in store.repair(store.verify()).quarantined:
    /// ...     print(blob.digest, "is now", blob.to)
    MovedBlob(py, it: modelkeep::MovedBlob) shows [digest, to] {
        /// The digest that its bytes do not have.
        digest => it.digest.to_string();
        /// Where the bytes lie now.
        to => it.to.clone();
    }
}
