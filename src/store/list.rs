//! Listing: a line for each model.

use std::cmp::Reverse;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

use crate::capability::{self, Capability};
use crate::config::Config;
use crate::decode;
use crate::error::{Error, Result};
use crate::fs::layout::ManifestFile;
use crate::fs::read::is_gone;
use crate::json;
use crate::media::MediaType;
use crate::name::ModelName;
use crate::store::head::Head;
use crate::store::model::read_manifest;
use crate::store::{Model, Problem, Store};
use crate::template::Template;
use crate::timestamp::Timestamp;

/// All models of a store, and what had to be left out.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Listing {
    /// The models, newest first, those of one nanosecond by name.
    pub models: Vec<Summary>,
    /// Why an entry is not among the models.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

impl Listing {
    /// The body of `GET /api/tags`.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

/// A line of the list.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The model's name.
    pub name: ModelName,
    /// The same name once more: clients read either.
    model: ModelName,
    /// The name at the host that serves a remote model; empty for a local one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_model: String,
    /// The host that serves a remote model; empty for a local one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_host: String,
    /// The time of the manifest's last change.
    pub modified_at: Timestamp,
    /// The bytes of all layers and the config as the manifest states them; shared blobs count for
    /// each model.
    pub size: i64,
    /// The digest of the manifest as the reference computes it, 64 hexadecimal digits; see
    /// [`Manifest::listed_digest`](crate::Manifest::listed_digest).
    pub digest: String,
    /// The facts.
    pub details: ListedDetails,
    /// What the model can do, as far as its config, template and the head of its GGUF tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
}

/// The facts of a listed model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListedDetails {
    /// The model that this one was made from.
    pub parent_model: String,
    /// `gguf`, `safetensors`, or empty.
    pub format: String,
    /// The architecture's family.
    pub family: String,
    /// All families; `None` where there is none.
    pub families: Option<Vec<String>>,
    /// The size for people.
    pub parameter_size: String,
    /// The quantization's name.
    pub quantization_level: String,
    /// Tokens of context; zero when unknown.
    #[serde(skip_serializing_if = "is_zero")]
    pub context_length: i64,
    /// Width of an embedding; zero when unknown.
    #[serde(skip_serializing_if = "is_zero")]
    pub embedding_length: i64,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// From how many models on a list is made in parallel: below, handing out the work costs more
/// than it saves.
const PARALLEL: usize = 512;

impl Store {
    /// Lists all models. Opens each manifest and each config, template and GGUF head once.
    ///
    /// An entry that cannot be read, or whose config or template cannot, is left out and named
    /// among the problems. Models with missing weights are listed.
    ///
    /// # Errors
    /// Where the manifests cannot be looked through at all.
    pub fn list(&self) -> Result<Listing> {
        let mut problems = Vec::new();
        let files = self.layout().manifests(|path, e| {
            problems.push(Problem::new(
                path,
                None,
                Error::io("reading directory", path, e),
            ));
        });
        let entry = |file: &ManifestFile| {
            let name = file.name.clone()?;
            match summary(self, &name, file) {
                Ok(summary) => Some(Ok(summary)),
                // Deleted since the walk.
                Err(_) if is_gone(&file.path) => None,
                Err(e) => Some(Err(Box::new(Problem::new(&file.path, Some(&name), e)))),
            }
        };
        let entries: Vec<Result<Summary, Box<Problem>>> = if files.len() < PARALLEL {
            files.iter().filter_map(entry).collect()
        } else {
            let threads = self.pool()?;
            threads.install(|| files.par_iter().filter_map(entry).collect())
        };
        let mut models = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry {
                Ok(summary) => models.push(summary),
                Err(problem) => problems.push(*problem),
            }
        }
        models.sort_by_cached_key(|line: &Summary| (Reverse(line.modified_at), line.name.clone()));
        Ok(Listing { models, problems })
    }
}

fn summary(store: &Store, name: &ModelName, file: &ManifestFile) -> Result<Summary> {
    let (manifest, text) = read_manifest(&file.path)?;
    let model = Model::new(store, name.clone(), manifest, text.modified);
    Summary::of(&model)
}

impl Summary {
    /// The line of a model. Fails where the config or the Go template cannot be read, or a layer
    /// of weights or of a template has a malformed digest.
    pub(crate) fn of(model: &Model) -> Result<Self> {
        let config = model.config()?;
        let template = template(model)?;
        let is_remote = !config.remote_host.is_empty() || !config.remote_model.is_empty();
        let head = weights(model)?
            .filter(|_| !is_remote)
            .and_then(|path| Head::read(&path));
        let manifest = model.manifest();
        let has_projector = manifest.last(&MediaType::Projector).is_some();
        let file = head
            .as_ref()
            .map(|head| (head.senses.as_slice(), head.pooling));
        Ok(Summary {
            name: model.name().clone(),
            model: model.name().clone(),
            remote_model: config.remote_model.clone(),
            remote_host: config.remote_host.clone(),
            modified_at: model.modified().into(),
            size: manifest.size(),
            digest: manifest.listed_digest().to_owned(),
            details: ListedDetails::of(model, config, head.as_ref()),
            capabilities: capability::listed(config, template.as_ref(), file, has_projector),
        })
    }
}

impl ListedDetails {
    fn of(model: &Model, config: &Config, head: Option<&Head>) -> Self {
        let parent = model.manifest().last(&MediaType::Model);
        let unless_zero = |stated: i64, read: Option<i64>| match stated {
            0 => read.unwrap_or(0),
            stated => stated,
        };
        let file_type = head.and_then(|head| head.file_type?.name());
        let quantization = match (config.quantization.as_str(), file_type) {
            ("" | "unknown", Some(name)) => name,
            (stated, _) => stated,
        };
        ListedDetails {
            parent_model: parent.map(|layer| layer.from.clone()).unwrap_or_default(),
            format: config.format.clone(),
            family: config.family.clone(),
            families: config
                .families
                .clone()
                .filter(|families| !families.is_empty()),
            parameter_size: config.parameter_size.clone(),
            quantization_level: quantization.to_owned(),
            context_length: unless_zero(
                config.context_length,
                head.map(|head| head.context_length),
            ),
            embedding_length: unless_zero(
                config.embedding_length,
                head.map(|head| head.embedding_length),
            ),
        }
    }
}

/// The file that the last layer of weights names, if it names one.
fn weights(model: &Model) -> Result<Option<PathBuf>> {
    let layers = model.manifest().layers().iter();
    let layers = layers.filter(|layer| layer.media() == MediaType::Model);
    let mut last = None;
    for layer in layers {
        last = match layer.digest_text() {
            "" => None,
            _ => Some(model.path_of(layer)?),
        };
    }
    Ok(last)
}

/// The last Go template of a model.
fn template(model: &Model) -> Result<Option<Template>> {
    model.paths(&MediaType::Template)?;
    match model.manifest().last(&MediaType::Template) {
        Some(layer) => Ok(Some(Template::parse(decode::lossy(model.read(layer)?))?)),
        None => Ok(None),
    }
}
