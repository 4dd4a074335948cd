//! What is wrong with a store, and what to do about it. Looks, and hashes nothing.

mod examiner;

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::access;
use crate::fs::layout::{BlobName, Room};
use crate::fs::private::Leftovers;
use crate::name::Digest;
use crate::store::diagnosis::Diagnosis;
use crate::store::handle::Store;
use crate::store::inventory::{Homes, Inventory, Item};
use crate::store::link::LinkState;
use crate::store::live::LiveBlobs;
use crate::store::misnamed::Missing;
use crate::store::options::StoreOptions;
use crate::store::provisional;
use crate::store::survey::{ManifestFacts, Survey};

use examiner::Examiner;

impl StoreOptions {
    /// Opens the store and looks at it as [`Store::doctor`] does. A store that cannot be opened is
    /// itself what is wrong, and the places where models may be are named all the same.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::StoreOptions;
    ///
    /// let diagnosis = StoreOptions::new(directory.path().join("nowhere")).diagnose()?;
    /// assert!(!diagnosis.is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Store::doctor`].
    pub fn diagnose(&self) -> Result<Diagnosis> {
        let error = match Store::open_with(self.clone()) {
            Ok(store) => return store.doctor(),
            Err(error) => error,
        };
        let mut diagnosis = Diagnosis {
            locations: self.locations(),
            ..Diagnosis::default()
        };
        let advice = match error.kind() {
            ErrorKind::PermissionDenied => access::advice(error.path().unwrap_or(Path::new(""))),
            _ => "name the right directory with --store or OLLAMA_MODELS".to_owned(),
        };
        let path = error.path().unwrap_or(Path::new("")).to_owned();
        diagnosis.add(&path, None, error.to_string(), &advice);
        Ok(diagnosis)
    }
}

impl Store {
    /// Looks for everything that makes a model invisible or broken, and for what makes a server
    /// refuse to prune. Opens each manifest, config and template once; hashes nothing, so a blob
    /// with wrong bytes of the right number is for [`verify`](Self::verify).
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert!(store.doctor()?.is_ok());
    ///
    /// std::fs::remove_file(store.model("tiny")?.gguf_path()?)?;
    /// let issue = &store.doctor()?.issues[0];
    /// println!("{}: {}", issue.what, issue.advice);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where `blobs/` cannot be read.
    pub fn doctor(&self) -> Result<Diagnosis> {
        if self.is_several() {
            return self.doctor_several();
        }
        let mut diagnosis = Diagnosis::default();
        if let Some(what) = self.emptiness() {
            let advice = "name the right directory with --store or OLLAMA_MODELS";
            diagnosis.note(self.path(), None, what, advice);
        }
        let has_blobs = self.examine_place(&mut diagnosis);
        let inventory = match has_blobs {
            true => Some(self.inventory()?),
            false => None,
        };
        let homes = inventory.as_ref().map(Inventory::homes);
        let survey = self.examine_models(homes.as_ref(), &mut diagnosis)?;
        diagnosis.locations = self.options().locations_counting(Some(survey.files));
        let staged = survey.staged.clone();
        let none = Homes::default();
        let named = survey.found.iter().flat_map(|facts| facts.named.iter());
        let used: BTreeSet<Digest> = named.clone().map(|(digest, _)| *digest).collect();
        diagnosis.blobs = used.len();
        diagnosis.verified = self.count_cached(&used, homes.as_ref().unwrap_or(&none));
        if let (Some(inventory), Some(homes)) = (&inventory, &homes) {
            let missing = self.missing_among(named.copied(), homes);
            self.examine_blobs(inventory, &missing, &mut diagnosis);
            let live = LiveBlobs::among(self, survey, &HashSet::new())?;
            match live.problems() {
                [] => self.examine_unused(inventory, &live, &mut diagnosis),
                problems => diagnosis.add_further_problems(problems),
            }
        }
        self.examine_private(&staged, &mut diagnosis);
        diagnosis.group();
        self.examine_links(&mut diagnosis);
        diagnosis.issues.sort_by(|a, b| a.path.cmp(&b.path));
        diagnosis.notes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(diagnosis)
    }

    /// Looks at every manifest, and names what hides some. Returns what each says.
    fn examine_models(
        &self,
        homes: Option<&Homes<'_>>,
        diagnosis: &mut Diagnosis,
    ) -> Result<Survey<Arc<ManifestFacts>>> {
        let examiner = Examiner::new(self, homes);
        let survey = self.survey(|met| examiner.examine(met))?;
        for problem in &survey.problems {
            diagnosis.add_problem(problem);
        }
        for path in &survey.strays {
            let what = "an unknown file or directory, in which no model is".to_owned();
            let advice = "nothing needs to be done: it keeps no blob";
            diagnosis.note(path, None, what, advice);
        }
        let (facts, findings): (Vec<_>, Vec<_>) = survey.found.into_iter().unzip();
        for found in findings {
            diagnosis.issues.extend(found.issues);
            diagnosis.notes.extend(found.notes);
        }
        Ok(Survey {
            found: facts,
            problems: survey.problems,
            strays: survey.strays,
            staged: survey.staged,
            files: survey.files,
        })
    }

    /// Looks at `blobs/` itself. `false` where it leads nowhere: then nothing can be said of any
    /// blob.
    fn examine_place(&self, diagnosis: &mut Diagnosis) -> bool {
        let blobs = self.layout().blobs_directory();
        for root in self.layout().shared_roots() {
            let what = format!("the blobs are those of the store {}", root.display());
            let advice = "nothing needs to be done here; a garbage collection there does not know \
                          this store's models, so collect only from here";
            diagnosis.note(&blobs, None, what, advice);
        }
        match self.blobs_place() {
            Ok(()) => true,
            Err(error) => {
                let advice = "mount the disk, make it readable, or restore what the link led to: all \
                              weights are there; deleting and collecting are refused meanwhile";
                diagnosis.add(&blobs, None, error.to_string(), advice);
                false
            }
        }
    }

    /// Names the links outside of the store that show something else than their models hold.
    fn examine_links(&self, diagnosis: &mut Diagnosis) {
        for link in self.broken_links() {
            let what = format!("the link {} {}", link.path.display(), link.what);
            let name = link.name.as_ref();
            match link.state {
                LinkState::Missing | LinkState::Orphaned | LinkState::Unreadable => {
                    diagnosis.note(&link.path, name, what, &link.advice);
                }
                _ => diagnosis.add(&link.path, name, what, &link.advice),
            }
        }
    }

    /// Looks at what is in our own directories.
    fn examine_private(&self, staged: &[PathBuf], diagnosis: &mut Diagnosis) {
        let found = Leftovers::of(self.layout(), &Room::ALL);
        for file in found.files {
            let size = file.stat.len();
            let (what, advice) = match file.room {
                Room::Staging => (
                    format!("{size} bytes of an import that is under way, or was interrupted"),
                    "`modelkeep gc` removes it when it is older than the grace period",
                ),
                Room::Trash => (
                    format!("a blob of {size} bytes in the trash of an interrupted removal"),
                    "the next change, such as `modelkeep gc`, puts it back if it is in use, and \
                     removes it otherwise",
                ),
                Room::Quarantine => (
                    format!("a damaged blob of {size} bytes that a repair has set aside"),
                    "`modelkeep gc --quarantine` removes it",
                ),
            };
            diagnosis.note(&file.path, None, what, advice);
        }
        for name in provisional::uncertain(self) {
            let path = self.layout().manifest(&name);
            let advice = "nothing needs to be done";
            diagnosis.note(
                &path,
                Some(&name),
                provisional::UNCERTAIN.to_owned(),
                advice,
            );
        }
        for path in staged {
            let what = "a manifest that was being written, or was left by an interrupted run";
            let advice = "`modelkeep gc` removes it when it is older than the grace period";
            diagnosis.note(path, None, what.to_owned(), advice);
        }
        for path in found.unknown {
            let what = "an entry in our own directory that is none of ours".to_owned();
            diagnosis.note(&path, None, what, "remove it: it is in nobody's way");
        }
        for (path, error) in found.closed {
            let what = Error::io("reading directory", &path, error).to_string();
            diagnosis.add(&path, None, what, "make the directory readable");
        }
    }

    /// Names what a garbage collection would free.
    fn examine_unused(&self, inventory: &Inventory, live: &LiveBlobs, diagnosis: &mut Diagnosis) {
        let directory = self.layout().blobs_directory();
        let (mut orphans, mut partials) = (Vec::new(), Vec::new());
        for Item { file, stat } in &inventory.items {
            match file.name {
                BlobName::Digest(digest) if !live.contains(&digest) => {
                    orphans.push(stat.disk_bytes());
                }
                BlobName::Partial => partials.push(stat.disk_bytes()),
                _ => {}
            }
        }
        let collects = match live.has_no_manifest() {
            true => "is the disk of the models mounted? If so, `modelkeep gc --all`",
            false => "`modelkeep gc`",
        };
        for (files, of, command) in [
            (orphans, "that no model uses", collects),
            (
                partials,
                "of interrupted downloads",
                "`modelkeep gc --partials`",
            ),
        ] {
            if !files.is_empty() {
                let (count, bytes) = (files.len(), files.iter().sum::<u64>());
                let files = if count == 1 { "file" } else { "files" };
                let what = format!("{bytes} bytes {of}, in {count} {files}");
                let advice = format!("{command} removes those that are older than an hour");
                diagnosis.note(&directory, None, what, &advice);
            }
        }
    }

    fn examine_blobs(&self, inventory: &Inventory, missing: &Missing, diagnosis: &mut Diagnosis) {
        let misnamed = self.misnamed(missing);
        for file in &misnamed {
            diagnosis.add_misnamed(file);
        }
        let is_misnamed = |path: &Path| misnamed.iter().any(|file| file.path == path);
        for Item { file, .. } in &inventory.items {
            let path = || self.layout().blob_file(file);
            match file.name {
                BlobName::Digest(_) if file.is_old() => {
                    let what = "a blob under the name that old releases gave it".to_owned();
                    diagnosis.add(&path(), None, what, "run `modelkeep gc --rename-old`");
                }
                BlobName::Unknown if is_misnamed(&path()) => {}
                BlobName::Unknown if is_of_create(&file.file_name()) => {
                    let what = "a leftover of an interrupted create of Ollama".to_owned();
                    let advice = "a starting server removes it; or remove it while no server runs";
                    diagnosis.note(&path(), None, what, advice);
                }
                BlobName::Unknown => {
                    let what = "a file among the blobs that is none".to_owned();
                    let advice = "move it elsewhere: a starting server deletes it after an hour";
                    diagnosis.add(&path(), None, what, advice);
                }
                BlobName::Dropping => {
                    let what = "a file of a file manager or of the file system".to_owned();
                    diagnosis.note(&path(), None, what, "nothing needs to be done");
                }
                BlobName::Digest(_) | BlobName::Partial => {}
            }
        }
    }
}

/// Returns whether a file is one that Ollama writes while it creates a model: `sha256-` and a
/// number.
fn is_of_create(name: &OsStr) -> bool {
    let number = name.to_str().and_then(|name| name.strip_prefix("sha256-"));
    number.is_some_and(|n| !n.is_empty() && n.len() < 64 && n.bytes().all(|b| b.is_ascii_digit()))
}
