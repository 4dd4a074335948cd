//! What is wrong with a store, and what to do about it. Looks, and hashes nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::access;
use crate::fs::layout::{BlobName, Room};
use crate::fs::private::Leftovers;
use crate::fs::read::{dangling, is_gone};
use crate::fs::system::stat::Stat;
use crate::manifest::{Layer, contradicts};
use crate::name::Digest;
use crate::store::diagnosis::Diagnosis;
use crate::store::form::ManifestForm;
use crate::store::handle::Store;
use crate::store::link::LinkState;
use crate::store::list::Reading;
use crate::store::live::LiveBlobs;
use crate::store::misnamed::Missing;
use crate::store::model::Model;
use crate::store::options::StoreOptions;
use crate::store::survey::Stored;

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

/// What was seen of one manifest.
struct Examined {
    /// The digests that it names, with the sizes that it states.
    named: Vec<(Digest, i64)>,
    findings: Diagnosis,
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
        let mut diagnosis = Diagnosis {
            locations: self.options().locations(),
            ..Diagnosis::default()
        };
        if let Some(what) = self.emptiness() {
            let advice = "name the right directory with --store or OLLAMA_MODELS";
            diagnosis.note(self.path(), None, what, advice);
        }
        let has_blobs = self.examine_place(&mut diagnosis);
        let reading = Reading::new(self);
        let survey = self.survey(|stored| Some(self.examine(stored, has_blobs, &reading)))?;
        for problem in &survey.problems {
            diagnosis.add_problem(problem);
        }
        for path in &survey.strays {
            let what = "an unknown file or directory, in which no model is".to_owned();
            let advice = "nothing needs to be done: it keeps no blob";
            diagnosis.note(path, None, what, advice);
        }
        let (mut used, mut named) = (BTreeSet::new(), Vec::new());
        for examined in survey.found {
            used.extend(examined.named.iter().map(|(digest, _)| *digest));
            named.extend(examined.named);
            diagnosis.issues.extend(examined.findings.issues);
            diagnosis.notes.extend(examined.findings.notes);
        }
        diagnosis.blobs = used.len();
        diagnosis.verified = self.count_cached(&used);
        if has_blobs {
            let missing = self.missing_among(named.into_iter());
            self.examine_blobs(&missing, &mut diagnosis)?;
            let live = LiveBlobs::scan(self)?;
            if live.problems().is_empty() {
                self.examine_unused(&live, &mut diagnosis)?;
            }
        }
        self.examine_private(&survey.staged, &mut diagnosis);
        diagnosis.group();
        self.examine_links(&mut diagnosis);
        diagnosis.issues.sort_by(|a, b| a.path.cmp(&b.path));
        diagnosis.notes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(diagnosis)
    }

    /// Looks at `blobs/` itself. `false` where it leads nowhere: then nothing can be said of any
    /// blob.
    fn examine_place(&self, diagnosis: &mut Diagnosis) -> bool {
        let blobs = self.layout().blobs_directory();
        if let Some(root) = self.layout().shared_root() {
            let what = format!("the blobs are those of the store {}", root.display());
            let advice = "nothing needs to be done here; a garbage collection there does not know \
                          this store's models, so collect only from here";
            diagnosis.note(&blobs, None, what, advice);
        }
        match self.blobs_place() {
            Ok(()) => true,
            Err(error) => {
                let advice = "mount the disk, or restore what the link led to: all weights are \
                              there; deleting and collecting are refused meanwhile";
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

    fn examine(&self, stored: Stored, has_blobs: bool, reading: &Reading<'_>) -> Examined {
        let layers = stored.manifest.entries();
        let named = layers.filter_map(|layer| Some((layer.digest().ok()?, layer.size)));
        let mut examined = Examined {
            named: named.collect(),
            findings: Diagnosis::default(),
        };
        self.examine_model(stored, has_blobs, reading, &mut examined.findings);
        examined
    }

    fn examine_model(
        &self,
        stored: Stored,
        has_blobs: bool,
        reading: &Reading<'_>,
        diagnosis: &mut Diagnosis,
    ) {
        let path = stored.file.path;
        let Some(name) = stored.file.name else {
            let what = "a manifest under a name that cannot be used here".to_owned();
            let advice = "keep it: its blobs stay while it is there; to use the model here, copy \
                          the file to a shorter name";
            return diagnosis.add(&path, None, what, advice);
        };
        let is_behind_link = stored.file.link.is_some();
        if let Some(alias) = is_behind_link.then(|| self.alias(&name)).flatten() {
            let (link, model) = (alias.link.display(), &alias.model);
            let what = format!("an alias of {model}, through the link {link}");
            diagnosis.note(&path, Some(&name), what, "nothing needs to be done");
        }
        let form = ManifestForm::of(&stored.manifest, &stored.text.bytes);
        if form != ManifestForm::Model {
            let advice = "keep it, and what it names stays; or delete it: it cannot be run";
            diagnosis.note(
                &path,
                Some(&name),
                format!("{}, and no model", form.words()),
                advice,
            );
        }
        let model = Model::new(self, name.clone(), stored.manifest, stored.text.modified);
        if !has_blobs {
            return;
        }
        let entries = model.manifest().entries();
        let named = entries.filter(|layer| !layer.digest_text().is_empty());
        let broken: Vec<String> = named.filter_map(|layer| broken(&model, layer)).collect();
        if is_gone(&path) {
            return;
        }
        let advice = "pull or import the model again, or delete it";
        if !broken.is_empty() {
            diagnosis.add(&path, Some(&name), shortened(&broken), advice);
        } else if let Err(error) = reading.must_list(&model) {
            let what = format!("the model is not listed: {error}");
            diagnosis.add(&path, Some(&name), what, advice);
        }
        if let Some(what) = reading.missing_parts(&model) {
            let advice = "import the model again, from all its parts";
            diagnosis.add(&path, Some(&name), what, advice);
        }
    }

    /// Names what a garbage collection would free.
    fn examine_unused(&self, live: &LiveBlobs, diagnosis: &mut Diagnosis) -> Result<()> {
        let directory = self.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        let (mut orphans, mut partials) = (Vec::new(), Vec::new());
        for file in self.layout().blobs().map_err(at)? {
            let Ok(stat) = Stat::of_entry(&file.path) else {
                continue;
            };
            match file.name {
                BlobName::Digest(digest) if !live.contains(&digest) => {
                    orphans.push(stat.disk_bytes());
                }
                BlobName::Partial => partials.push(stat.disk_bytes()),
                _ => {}
            }
        }
        for (files, of, command) in [
            (orphans, "that no model uses", "modelkeep gc"),
            (
                partials,
                "of interrupted downloads",
                "modelkeep gc --partials",
            ),
        ] {
            if !files.is_empty() {
                let (count, bytes) = (files.len(), files.iter().sum::<u64>());
                let files = if count == 1 { "file" } else { "files" };
                let what = format!("{bytes} bytes {of}, in {count} {files}");
                let advice = format!("`{command}` removes those that are older than an hour");
                diagnosis.note(&directory, None, what, &advice);
            }
        }
        Ok(())
    }

    fn examine_blobs(&self, missing: &Missing, diagnosis: &mut Diagnosis) -> Result<()> {
        let directory = self.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        let misnamed = self.misnamed(missing);
        for file in &misnamed {
            diagnosis.add_misnamed(file);
        }
        let is_misnamed = |path: &Path| misnamed.iter().any(|file| file.path == path);
        for file in self.layout().blobs().map_err(at)? {
            match file.name {
                BlobName::Digest(digest) if file.path == self.layout().old_blob(&digest) => {
                    let what = "a blob under the name that old releases gave it".to_owned();
                    diagnosis.add(&file.path, None, what, "run `modelkeep gc --rename-old`");
                }
                BlobName::Unknown if is_misnamed(&file.path) => {}
                BlobName::Unknown if is_of_create(&file.path) => {
                    let what = "a leftover of an interrupted create of Ollama".to_owned();
                    let advice = "a starting server removes it; or remove it while no server runs";
                    diagnosis.note(&file.path, None, what, advice);
                }
                BlobName::Unknown => {
                    let what = "a file among the blobs that is none".to_owned();
                    let advice = "move it elsewhere: a starting server deletes it after an hour";
                    diagnosis.add(&file.path, None, what, advice);
                }
                BlobName::Dropping => {
                    let what = "a file of a file manager or of the file system".to_owned();
                    diagnosis.note(&file.path, None, what, "nothing needs to be done");
                }
                BlobName::Digest(_) | BlobName::Partial => {}
            }
        }
        Ok(())
    }
}

/// Returns whether a file is one that Ollama writes while it creates a model: `sha256-` and a
/// number.
fn is_of_create(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let number = name.and_then(|name| name.strip_prefix("sha256-"));
    number.is_some_and(|n| !n.is_empty() && n.len() < 64 && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Returns the first few of many things that are wrong with one model.
fn shortened(broken: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = broken.iter().take(SHOWN).map(String::as_str).collect();
    match broken.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more of its blobs", shown.join("; ")),
    }
}

/// Returns what can be seen to be wrong with a layer's blob from outside.
fn broken(model: &Model, layer: &Layer) -> Option<String> {
    let media = layer.media();
    let label = media.label();
    let digest = match layer.digest() {
        Ok(digest) => digest,
        Err(error) => return Some(format!("{label}: {error}")),
    };
    let look = |path: &Path| Ok((path.to_owned(), path.metadata()?));
    let (path, metadata) = match model.store().layout().with_blob(&digest, look) {
        Ok(found) => found,
        Err((path, e)) => {
            let error = Error::io("looking for blob", &path, dangling(&path, e));
            return Some(format!("{label}: {error}"));
        }
    };
    let (path, size) = (path.display(), metadata.len());
    if !metadata.is_file() {
        return Some(format!("{label}: blob {path} is not a regular file"));
    }
    contradicts(layer.size, size)
        .then(|| format!("{label}: blob {path} has {size} bytes, not {}", layer.size))
}
