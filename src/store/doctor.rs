//! What is wrong with a store, and what to do about it. Looks, and hashes nothing.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::BlobName;
use crate::fs::private::{Leftovers, Room};
use crate::fs::read::is_gone;
use crate::json;
use crate::manifest::Layer;
use crate::name::ModelName;
use crate::store::list::Summary;
use crate::store::survey::Stored;
use crate::store::{ManifestForm, Model, Problem, Store, StoreOptions};

/// What a look at a store found.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The places where a store may be, the opened one first.
    pub roots: Vec<Root>,
    /// What is wrong, by path.
    pub complaints: Vec<Complaint>,
    /// What is not wrong, and worth knowing: what can be reclaimed, aliases, unknown files that
    /// harm nobody.
    pub notes: Vec<Complaint>,
}

/// A place where a store may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Root {
    /// The directory.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// Whether it exists.
    pub exists: bool,
    /// How many manifests lie in it.
    pub manifests: usize,
    /// Whether it is the store that was opened.
    pub opened: bool,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Complaint {
    /// The file.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The model, where the file is a model's.
    pub name: Option<ModelName>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Diagnosis {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.complaints.is_empty()
    }

    /// The answer as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }

    fn add(&mut self, path: &Path, name: Option<&ModelName>, what: String, advice: &str) {
        self.complaints
            .push(Complaint::new(path, name, what, advice));
    }

    fn note(&mut self, path: &Path, name: Option<&ModelName>, what: String, advice: &str) {
        self.notes.push(Complaint::new(path, name, what, advice));
    }
}

impl Diagnosis {
    /// An advice never destroys what a remount would bring back.
    fn add_problem(&mut self, problem: &Problem) {
        let is_damaged = problem.error().kind() == ErrorKind::Corrupt;
        let advice = match (is_damaged, problem.name()) {
            (true, Some(_)) => {
                "delete the model, or pull or import it again: nothing of it is shown, and no blob \
                 is collected while it is there"
            }
            (true, None) => {
                "look at the file: no blob is collected while nobody knows what it uses"
            }
            (false, _) => {
                "mount the disk, or make it readable: no blob is collected meanwhile, and nothing \
                 is lost"
            }
        };
        let what = problem.error().to_string();
        self.add(problem.path(), problem.name(), what, advice);
    }
}

impl Complaint {
    fn new(path: &Path, name: Option<&ModelName>, what: String, advice: &str) -> Self {
        Complaint {
            path: path.to_owned(),
            name: name.cloned(),
            what,
            advice: advice.to_owned(),
        }
    }
}

impl Store {
    /// Looks for everything that makes a model invisible or broken, and for what makes a server
    /// refuse to prune. Opens each manifest, config and template once; hashes nothing, so a blob
    /// with wrong bytes of the right number is for [`verify`](Self::verify).
    ///
    /// # Errors
    /// Where `blobs/` cannot be read.
    pub fn doctor(&self) -> Result<Diagnosis> {
        self.must_exist()?;
        let mut diagnosis = Diagnosis {
            roots: self.roots(),
            ..Diagnosis::default()
        };
        let survey = self.survey(Some)?;
        for problem in &survey.problems {
            diagnosis.add_problem(problem);
        }
        for path in &survey.strays {
            let what = "an unknown file or directory, in which no model is".to_owned();
            let advice = "nothing needs to be done: it keeps no blob";
            diagnosis.note(path, None, what, advice);
        }
        let has_blobs = self.examine_place(&mut diagnosis);
        for stored in survey.found {
            self.examine(stored, has_blobs, &mut diagnosis);
        }
        if has_blobs {
            self.examine_blobs(&mut diagnosis)?;
        }
        self.examine_private(&survey.staged, &mut diagnosis);
        diagnosis.complaints.sort_by(|a, b| a.path.cmp(&b.path));
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

    /// Looks at what is in our own directories.
    fn examine_private(&self, staged: &[PathBuf], diagnosis: &mut Diagnosis) {
        let found = Leftovers::of(self.layout(), &Room::ALL);
        for file in found.files {
            let size = file.metadata.len();
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

    fn roots(&self) -> Vec<Root> {
        let mut paths = vec![self.path().to_owned()];
        paths.extend(StoreOptions::from_env().path);
        paths.extend(self.options().well_known());
        let mut roots: Vec<Root> = Vec::new();
        for path in paths {
            if roots.iter().any(|root| root.path == path) {
                continue;
            }
            let layout = crate::fs::layout::Layout::new(path.clone());
            roots.push(Root {
                exists: path.is_dir(),
                manifests: layout.walk().files.len(),
                opened: path == self.path(),
                path,
            });
        }
        roots
    }

    fn examine(&self, stored: Stored, has_blobs: bool, diagnosis: &mut Diagnosis) {
        let path = stored.file.path;
        let Some(name) = stored.file.name else {
            let what = "a manifest under a name that cannot be used here".to_owned();
            let advice = "keep it: its blobs stay while it is there; to use the model here, copy \
                          the file to a shorter name";
            return diagnosis.add(&path, None, what, advice);
        };
        if let Some(alias) = self.alias(&name) {
            let (link, model) = (alias.link.display(), &alias.model);
            let what = format!("an alias of {model}, through the link {link}");
            diagnosis.note(&path, Some(&name), what, "nothing needs to be done");
        }
        let form = ManifestForm::of(&stored.manifest, &stored.text.bytes);
        if form != ManifestForm::Model {
            let advice = "keep it, and what it names stays; or delete it: it cannot be run";
            diagnosis.note(&path, Some(&name), format!("{form}, and no model"), advice);
        }
        let model = Model::new(self, name.clone(), stored.manifest, stored.text.modified);
        if !has_blobs {
            return;
        }
        let entries = model.manifest().entries();
        for layer in entries.filter(|layer| !layer.digest_text().is_empty()) {
            if let Some(what) = broken(&model, layer).filter(|_| !is_gone(&path)) {
                let advice = "pull or import the model again, or delete it";
                diagnosis.add(&path, Some(&name), what, advice);
            }
        }
        if let Err(error) = Summary::of(&model)
            && !is_gone(&path)
        {
            let what = format!("the model is not listed: {error}");
            let advice = "pull or import the model again, or delete it";
            diagnosis.add(&path, Some(&name), what, advice);
        }
    }

    fn examine_blobs(&self, diagnosis: &mut Diagnosis) -> Result<()> {
        let directory = self.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        for file in self.layout().blobs().map_err(at)? {
            match file.name {
                BlobName::Digest(digest) if file.path == self.layout().old_blob(&digest) => {
                    let what = "a blob under the name that old releases gave it".to_owned();
                    diagnosis.add(&file.path, None, what, "run `modelkeep gc --rename-old`");
                }
                BlobName::Stranger => {
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

/// What can be seen to be wrong with a layer's blob from outside.
fn broken(model: &Model, layer: &Layer) -> Option<String> {
    let media = layer.media();
    let label = media.label();
    let path = match model.path_of(layer) {
        Ok(path) => path,
        Err(error) => return Some(format!("{label}: {error}")),
    };
    match path.metadata() {
        Err(e) => Some(format!(
            "{label}: {}",
            Error::io("looking for blob", &path, e)
        )),
        Ok(metadata) if !metadata.is_file() => Some(format!(
            "{label}: blob {} is not a regular file",
            path.display()
        )),
        Ok(metadata) if u64::try_from(layer.size) != Ok(metadata.len()) => Some(format!(
            "{label}: blob {} has {} bytes, not {}",
            path.display(),
            metadata.len(),
            layer.size
        )),
        Ok(_) => None,
    }
}
