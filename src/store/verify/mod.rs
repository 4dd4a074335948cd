//! Verification: does every blob have the bytes that its name promises?

mod blob_check;
mod cache;
mod checks;
mod report;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::fs::stamp::FileStamp;
use crate::name::{Digest, Reference, convert};
use crate::store::handle::Store;
use crate::store::inventory::Homes;

pub use crate::fs::hash::Progress;
use blob_check::GgufInspection;
use cache::{CacheUpdate, VerifyCache};
use checks::Checks;
pub use report::{BlobStatus, BrokenModel, Cached, Finding, GgufFinding, Report};

/// What to verify, and how.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::VerifyOptions;
///
/// let options = VerifyOptions::new().models(["tiny"]).gguf(true).use_cache(true);
/// let report = store.verify(&options)?;
/// assert!(report.is_ok() && report.cache_error.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct VerifyOptions {
    models: Vec<Reference>,
    /// The error of the first malformed name among them, for the call to return.
    malformed: Option<Error>,
    gguf: bool,
    use_cache: bool,
}

impl VerifyOptions {
    /// Returns the options of a verification of all blobs, which reads each of them.
    pub fn new() -> Self {
        VerifyOptions::default()
    }

    /// Restricts the verification to the blobs of these models; where none is named, it is of all
    /// blobs of the store. A malformed name is the error of the verification.
    #[must_use]
    pub fn models<N>(mut self, names: impl IntoIterator<Item = N>) -> Self
    where
        N: TryInto<Reference, Error: Into<Error>>,
    {
        let names: Result<_> = names.into_iter().map(convert::name).collect();
        (self.models, self.malformed) = match names {
            Ok(models) => (models, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        self
    }

    /// Sets whether GGUF files are also read strictly.
    #[must_use]
    pub fn gguf(mut self, gguf: bool) -> Self {
        self.gguf = gguf;
        self
    }

    /// Sets whether blobs that an earlier run found good are taken for good again, without a look
    /// at their bytes, where device, inode, size and both times of change are what they were; and
    /// whether what this run finds good is noted in the store's `.modelkeep/` for later ones.
    ///
    /// That shows every write by a call of the system, but neither what a failing disk does to
    /// bytes that nobody writes, nor every write through a shared mapping: the system may set the
    /// times at the first write to a page, and not at the ones that follow. Where the note cannot
    /// be written, on a read-only store for one, or while another process changes the store, there
    /// is none.
    #[must_use]
    pub fn use_cache(mut self, use_cache: bool) -> Self {
        self.use_cache = use_cache;
        self
    }
}

impl Store {
    /// Recomputes the SHA-256 of every blob of the store, or of some models, in parallel on the
    /// store's own pool. Reads every byte; one bad blob stops nothing.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{BlobStatus, VerifyOptions};
    ///
    /// assert!(store.verify(&VerifyOptions::new())?.is_ok());
    ///
    /// std::fs::write(store.model("tiny")?.gguf_path()?, "damaged")?;
    /// let report = store.verify(&VerifyOptions::new().models(["tiny"]))?;
    /// assert!(report.blobs.iter().any(|blob| blob.status == BlobStatus::WrongSize));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) where a named model is not stored, and
    /// [`InvalidName`](crate::ErrorKind::InvalidName) for a malformed name. What is wrong with a blob is a
    /// finding, not an error.
    pub fn verify(&self, options: &VerifyOptions) -> Result<Report> {
        self.verify_with(options, &mut |_| ControlFlow::Continue(()))
    }

    /// Verifies as [`verify`](Self::verify) does, and tells how far it is.
    ///
    /// `observe` is called on the calling thread, before the first byte, then at most 20 times a
    /// second, and after the last; it may break to stop.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use std::ops::ControlFlow;
    ///
    /// use modelkeep::{ErrorKind, VerifyOptions};
    ///
    /// let mut stop = |_: &modelkeep::Progress| ControlFlow::Break(());
    /// let stopped = store.verify_with(&VerifyOptions::new(), &mut stop);
    /// assert_eq!(stopped.map_err(|error| error.kind()).err(), Some(ErrorKind::Cancelled));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`verify`](Self::verify); [`Cancelled`](crate::ErrorKind::Cancelled) where `observe` broke.
    pub fn verify_with(
        &self,
        options: &VerifyOptions,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        if let Some(error) = &options.malformed {
            return Err(error.clone());
        }
        if self.is_several() {
            return self.verify_several(options, observe);
        }
        self.blobs_place()?;
        let mut checks = Checks::of(self, &options.models)?;
        let started = SystemTime::now();
        let pool = self.pool()?;
        pool.install(|| checks.stat())?;
        if options.use_cache {
            checks.apply_cache(&VerifyCache::load(self.layout()));
        }
        let inspection = options
            .gguf
            .then(|| GgufInspection::new(self.options().mmap));
        checks.hash(
            &pool,
            self.options().hash_streams,
            inspection.as_ref(),
            observe,
        )?;
        checks.hash_again(inspection.as_ref());
        checks.refuse_exhaustion()?;
        checks.forget_deleted(self);
        checks.find_missing(self);
        let cache_error = self.update_cache(options, checks.update(started));
        if let Some(inspection) = inspection {
            checks.take_gguf(inspection);
        }
        Ok(Report {
            hashed_bytes: checks.hashed_bytes(),
            cache_error,
            ..checks.into_report(started)
        })
    }

    /// Verifies one store after another; what is done adds up.
    fn verify_several(
        &self,
        options: &VerifyOptions,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let groups = match options.models.is_empty() {
            true => self
                .stores()
                .into_iter()
                .map(|it| (it, Vec::new()))
                .collect(),
            false => self.by_holder(options.models.clone())?,
        };
        let (mut all, mut before) = (Report::default(), Progress::default());
        for (store, models) in groups {
            let options = VerifyOptions {
                models,
                ..options.clone()
            };
            let mut now = before;
            let report = store.verify_with(&options, &mut |progress| {
                now = before.and(progress);
                observe(&now)
            })?;
            all.add(report);
            before = now;
        }
        Ok(all)
    }

    /// Returns how many of these blobs an earlier run noted as good in the cache, and nothing has
    /// touched since. Costs a `stat` for each.
    pub(crate) fn count_cached(&self, digests: &BTreeSet<Digest>, homes: &Homes<'_>) -> usize {
        let cache = VerifyCache::load(self.layout());
        let is_good = |digest: &&Digest| {
            let home = homes.get(digest).map(FileStamp::of);
            let stamp = home.or_else(|| FileStamp::at(&self.layout().blob(digest)));
            stamp.is_some_and(|stamp| cache.holds(digest, &stamp))
        };
        digests.iter().filter(is_good).count()
    }

    /// Notes what a run learned; one that does not use the cache still makes later ones forget what
    /// is bad. Returns why nothing could be noted, where it was asked for: that costs a later run
    /// time, and this one nothing.
    fn update_cache(&self, options: &VerifyOptions, mut update: CacheUpdate) -> Option<String> {
        if !options.use_cache {
            update.good.clear();
            if update.bad.is_empty() {
                return None;
            }
        }
        let written = self
            .may_write()
            .and_then(|()| update.write(self.layout(), self.options().durability));
        let error = written.err().filter(|_| options.use_cache)?;
        Some(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::{fs, io};

    use super::*;
    use crate::fs::ops::{Change, hook};
    use crate::fs::read::opened;
    use crate::gguf::Writer;
    use crate::store::import::ImportOptions;
    use crate::store::options::StoreOptions;

    /// A store of a model, whose blobs are as old as a cache wants them, and of an orphan.
    fn store(directory: &tempfile::TempDir) -> (Store, Vec<PathBuf>) {
        let file = directory.path().join("model.gguf");
        let mut bytes = Vec::new();
        let mut writer = Writer::new();
        writer.set("general.architecture", "llama");
        writer.write_to(&mut bytes).unwrap();
        fs::write(&file, bytes).unwrap();
        let store = Store::open(directory.path()).unwrap();
        let options = ImportOptions::new().system("s");
        store.import(&file, "a", &options).unwrap();
        store.add_blob(&mut &b"orphan"[..], None).unwrap();
        let blobs = store.layout().blobs().unwrap();
        let paths = blobs.iter().map(|blob| store.layout().blob_file(blob));
        let paths = paths.collect();
        (store, paths)
    }

    /// Writes a cache of all blobs as they are.
    fn remember(store: &Store, blobs: &[PathBuf]) {
        let cache = VerifyCache::of(blobs.iter().filter_map(|blob| {
            let digest = Digest::of(&fs::read(blob).unwrap());
            Some((digest, FileStamp::at(blob)?))
        }));
        let text = crate::go::json::to_string(&cache);
        fs::write(store.layout().verified(), text).unwrap();
    }

    /// Verifies; returns how often each blob was opened.
    fn opens(store: &Store, blobs: &[PathBuf], options: &VerifyOptions) -> Vec<usize> {
        let count = || blobs.iter().map(|blob| opened::count(blob));
        let before: Vec<usize> = count().collect();
        assert!(store.verify(options).unwrap().is_ok());
        count().zip(before).map(|(now, then)| now - then).collect()
    }

    #[test]
    #[cfg(unix)]
    fn a_blob_is_opened_once_and_a_cached_one_only_for_its_header() {
        let directory = tempfile::tempdir().unwrap();
        let (store, blobs) = store(&directory);
        assert_eq!(blobs.len(), 4);
        for options in [VerifyOptions::new(), VerifyOptions::new().gguf(true)] {
            assert_eq!(opens(&store, &blobs, &options), [1; 4], "{options:?}");
        }
        let cache = VerifyCache::of(blobs.iter().filter_map(|blob| {
            let digest = Digest::of(&fs::read(blob).unwrap());
            Some((digest, FileStamp::at(blob)?))
        }));
        fs::write(
            store.layout().verified(),
            crate::go::json::to_string(&cache),
        )
        .unwrap();
        let cached = VerifyOptions::new().use_cache(true);
        assert_eq!(opens(&store, &blobs, &cached), [0; 4]);
        let model = store.model("a").unwrap().gguf_path().unwrap();
        let expected: Vec<usize> = blobs
            .iter()
            .map(|blob| usize::from(*blob == model))
            .collect();
        assert_eq!(opens(&store, &blobs, &cached.gguf(true)), expected);
    }

    #[test]
    #[cfg(unix)]
    fn a_stale_handle_is_tried_again_and_makes_no_blob_bad() {
        let directory = tempfile::tempdir().unwrap();
        let (store, blobs) = store(&directory);
        remember(&store, &blobs);
        for blob in blobs.iter().step_by(2) {
            opened::fail(blob, 1, libc::ESTALE);
        }
        assert!(store.verify(&VerifyOptions::new()).unwrap().is_ok());
        for blob in &blobs {
            opened::fail(blob, usize::MAX, libc::ESTALE);
        }
        let report = store.verify(&VerifyOptions::new()).unwrap();
        for found in &report.blobs {
            assert_eq!(found.status, BlobStatus::Unreadable);
            assert!(found.detail.contains("try again"), "{}", found.detail);
        }
        let repaired = store.repair(&report).unwrap();
        assert_eq!(repaired, crate::Repaired::default());
        // What earlier runs found good is still known: nothing is opened.
        let cached = store.verify(&VerifyOptions::new().use_cache(true)).unwrap();
        assert!(cached.is_ok() && cached.cached.blobs == blobs.len());
    }

    #[test]
    #[cfg(unix)]
    fn a_header_is_mapped_only_where_the_option_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let (store, blobs) = store(&directory);
        remember(&store, &blobs);
        for mmap in [true, false] {
            let options = StoreOptions::new(store.path()).mmap(mmap);
            let store = Store::open_with(options).unwrap();
            let fail = |change: &Change<'_>| match change {
                Change::Map => Err(io::Error::from_raw_os_error(libc::EIO)),
                _ => Ok(()),
            };
            // What is cached is read on this thread, which has the hook.
            let options = VerifyOptions::new().use_cache(true).gguf(true);
            let report = hook::with(fail, || store.verify(&options)).unwrap();
            let is_read = report.blobs.iter().any(|blob| blob.gguf.is_some());
            assert_eq!(is_read, !mmap);
        }
    }

    #[test]
    #[cfg(unix)]
    fn want_of_descriptors_is_an_error_of_the_call_and_costs_no_memory_of_good_blobs() {
        let directory = tempfile::tempdir().unwrap();
        let (store, blobs) = store(&directory);
        remember(&store, &blobs);
        for code in [libc::EMFILE, libc::ENFILE, libc::ENOMEM] {
            opened::fail(&blobs[1], usize::MAX, code);
            let error = store.verify(&VerifyOptions::new()).unwrap_err();
            assert_eq!(error.os_error(), Some(code), "{error}");
            opened::fail(&blobs[1], 1, code);
            assert!(store.verify(&VerifyOptions::new()).unwrap().is_ok());
        }
        let cached = store.verify(&VerifyOptions::new().use_cache(true)).unwrap();
        assert_eq!(cached.cached.blobs, blobs.len());
    }

    #[test]
    fn every_finding_says_when_it_was_made() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = store(&directory);
        let before = SystemTime::now();
        let report = store.verify(&VerifyOptions::new()).unwrap();
        let after = SystemTime::now();
        let mut moments = report.blobs.iter().map(|blob| blob.verified_at.unwrap());
        assert!(moments.all(|moment| (before..=after).contains(&moment)));
    }

    #[test]
    fn a_file_that_was_replaced_before_it_was_read_is_judged_by_what_was_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("blob");
        let digest = Digest::of(b"all of the bytes");
        let mut check = blob_check::BlobCheck::new(digest, path.clone());
        let name = "a".parse().unwrap();
        check.sizes.push((name, 16));
        fs::write(&path, "all of").unwrap();
        check.stat();
        fs::write(&path, "all of the bytes").unwrap();
        check.record(crate::fs::hash::hash_file(&path, |_| ()));
        assert!(check.is_ok(), "{:?}", check.verdict);
        assert_eq!(check.stamp, FileStamp::at(&path));
    }

    #[test]
    fn a_store_that_is_gone_is_not_one_without_blobs() {
        let directory = tempfile::tempdir().unwrap();
        let [root, other] = ["store", "other"].map(|name| directory.path().join(name));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&other).unwrap();
        let store = Store::open(&root).unwrap();
        assert!(store.verify(&VerifyOptions::new()).unwrap().is_ok());
        fs::remove_dir(&root).unwrap();
        for options in [VerifyOptions::new(), VerifyOptions::new().models(["a"])] {
            let error = store.verify(&options).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::FileNotFound, "{error}");
        }
        // An empty directory where a disk was mounted.
        fs::rename(&other, &root).unwrap();
        let error = store.verify(&VerifyOptions::new()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::FileNotFound, "{error}");
    }
}
