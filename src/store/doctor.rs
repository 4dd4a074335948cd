//! What is wrong with a store, and what to do about it. Looks, and hashes nothing.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::fs::layout::BlobName;
use crate::fs::read::is_gone;
use crate::json;
use crate::manifest::Layer;
use crate::name::ModelName;
use crate::store::list::Summary;
use crate::store::model::was_deleted;
use crate::store::{Model, Store, StoreOptions};

/// What a look at a store found.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The places where a store may be, the opened one first.
    pub roots: Vec<Root>,
    /// What is wrong, by path.
    pub complaints: Vec<Complaint>,
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
        let (path, name, advice) = (path.to_owned(), name.cloned(), advice.to_owned());
        self.complaints.push(Complaint {
            path,
            name,
            what,
            advice,
        });
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
        let mut diagnosis = Diagnosis {
            roots: self.roots(),
            ..Diagnosis::default()
        };
        let files = self.layout().manifests(|path, e| {
            let what = Error::io("reading directory", path, e).to_string();
            diagnosis.add(path, None, what, "make the directory readable");
        });
        for file in files {
            match file.name {
                Some(name) => self.examine(&file.path, name, &mut diagnosis),
                None => diagnosis.add(
                    &file.path,
                    None,
                    "a file among the manifests that is no model's".to_owned(),
                    "remove it: a server prunes nothing while it is there",
                ),
            }
        }
        self.examine_blobs(&mut diagnosis)?;
        diagnosis.complaints.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(diagnosis)
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
                manifests: layout.manifests(|_, _| {}).len(),
                opened: path == self.path(),
                path,
            });
        }
        roots
    }

    fn examine(&self, path: &Path, name: ModelName, diagnosis: &mut Diagnosis) {
        let model = match self.open_model(name.clone()) {
            Ok(model) => model,
            Err(error) if was_deleted(path, &error) => return,
            Err(error) => {
                let advice = "delete the model, or pull or import it again: nothing of it is \
                              shown, and no blob is collected while it is there";
                return diagnosis.add(path, Some(&name), error.to_string(), advice);
            }
        };
        for layer in model
            .manifest()
            .entries()
            .filter(|layer| !layer.digest_text().is_empty())
        {
            if let Some(what) = broken(&model, layer).filter(|_| !is_gone(path)) {
                let advice = "pull or import the model again, or delete it";
                diagnosis.add(path, Some(&name), what, advice);
            }
        }
        if let Err(error) = Summary::of(&model)
            && !is_gone(path)
        {
            let what = format!("the model is not listed: {error}");
            diagnosis.add(
                path,
                Some(&name),
                what,
                "pull or import the model again, or delete it",
            );
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
