//! Listing: a line for each model.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::capability::{self, Capability};
use crate::error::{Error, ErrorKind, Result};
use crate::fs::read::is_gone;
use crate::fs::system::stat::FileId;
use crate::go::json;
use crate::go::time::Timestamp;
use crate::manifest::{Config, Layer, MediaType};
use crate::name::ModelName;
use crate::store::form::ManifestForm;
use crate::store::handle::Store;
use crate::store::incomplete::IncompleteBlob;
use crate::store::list_facts::ListedFacts;
use crate::store::model::Model;
use crate::store::problem::Problem;
use crate::store::survey::Stored;
use crate::template::Template;

/// All models of a store, and what had to be left out.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let listing = store.list()?;
/// assert!(listing.problems.is_empty());
/// assert!(listing.to_json().starts_with(r#"{"models":[{"name":"tiny:latest""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Listing {
    /// The models, newest first, those of one nanosecond by name.
    pub models: Vec<Summary>,
    /// Why an entry is not among the models.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

impl Listing {
    pub(super) fn sort(&mut self) {
        self.models.sort_unstable_by(|one, other| {
            let newest_first = other.modified_at.cmp(&one.modified_at);
            newest_first.then_with(|| one.name.cmp(&other.name))
        });
    }

    /// Returns the body of `GET /api/tags`.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

/// A line of the list.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let line = &store.list()?.models[0];
/// assert_eq!((line.digest.len(), line.alias_of.as_ref()), (64, None));
/// assert!(line.size > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
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
    /// The digest of the manifest as Ollama computes it, 64 hexadecimal digits; see
    /// [`Manifest::id`](crate::Manifest::id).
    pub digest: String,
    /// The facts.
    pub details: ListedDetails,
    /// What the model can do, as far as its config, template and the header of its GGUF tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// The model whose manifest this is as well, where the name leads there through a link, or
    /// where the two are one file.
    #[serde(skip)]
    pub alias_of: Option<ModelName>,
    /// What kind of manifest it is: others than those of models are listed, too.
    #[serde(skip)]
    pub form: ManifestForm,
    /// What the model lacks, where that was [asked for](ListOptions::check_blobs).
    #[serde(skip)]
    pub incomplete: Vec<IncompleteBlob>,
    /// The directory of its store, in a view of several.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "json::optional_path"
    )]
    pub store: Option<PathBuf>,
}

/// What to look at for a list.
///
/// ```
/// use modelkeep::ListOptions;
///
/// assert_eq!(ListOptions::new(), ListOptions::new().check_blobs(false));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ListOptions {
    check_blobs: bool,
}

impl ListOptions {
    /// Returns the options of a plain list.
    pub fn new() -> Self {
        ListOptions::default()
    }

    /// Sets whether each model's blobs are looked at, so that an incomplete model is known as such;
    /// off by default. Costs a `stat` for each blob.
    #[must_use]
    pub fn check_blobs(mut self, check_blobs: bool) -> Self {
        self.check_blobs = check_blobs;
        self
    }
}

/// The facts of a listed model.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let details = &store.list()?.models[0].details;
/// assert_eq!((details.format.as_str(), details.context_length), ("gguf", 128));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
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

impl Store {
    /// Lists all models. Opens each manifest and each config, template and GGUF header once.
    ///
    /// An entry that cannot be read, or whose config or template cannot, is left out and named
    /// among the problems. Models with missing weights are listed.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// for model in store.list()? {
    ///     assert_eq!(model.name.to_string(), "tiny:latest");
    ///     assert_eq!(model.details.family, "llama");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](crate::ErrorKind::FileNotFound) where the store is gone, and where the
    /// process lacks the means to look at the manifests at all.
    pub fn list(&self) -> Result<Listing> {
        self.list_with(&ListOptions::default())
    }

    /// Lists all models, as [`list`](Self::list) does, and looks at more where that is asked for.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ListOptions;
    ///
    /// let weights = store.model("tiny")?.gguf_path()?;
    /// std::fs::remove_file(weights)?;
    /// let listing = store.list_with(&ListOptions::new().check_blobs(true))?;
    /// assert_eq!(listing.models[0].incomplete.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn list_with(&self, options: &ListOptions) -> Result<Listing> {
        if self.is_several() {
            return self.list_several(options);
        }
        let survey = self.survey(|stored| Line::of(self, stored, options))?;
        let mut problems = Vec::new();
        if let Some(text) = self.emptiness() {
            let error = Error::new(ErrorKind::NotFound, text);
            problems.push(Problem::new(self.path(), None, error));
        }
        if let Err(error) = self.blobs_place() {
            let blobs = self.layout().blobs_directory();
            problems.push(Problem::new(&blobs, None, error));
        }
        problems.extend(survey.problems);
        let mut lines = Vec::with_capacity(survey.found.len());
        for found in survey.found {
            match found {
                Ok(line) => lines.push(line),
                Err(problem) => problems.push(*problem),
            }
        }
        mark_aliases(&mut lines);
        let models = lines.into_iter().map(|line| line.summary).collect();
        let mut listing = Listing { models, problems };
        listing.sort();
        Ok(listing)
    }
}

/// A line, and the file that it comes from.
struct Line {
    summary: Summary,
    file: Option<FileId>,
    is_behind_link: bool,
    has_other_names: bool,
}

impl Line {
    /// `None` for a manifest under a name that cannot be used here, and for one that was deleted
    /// since it was read.
    fn of(
        store: &Store,
        stored: Stored,
        options: &ListOptions,
    ) -> Option<Result<Self, Box<Problem>>> {
        let Stored {
            file,
            manifest,
            text,
        } = stored;
        let name = file.name?;
        let model = Model::new(store, name.clone(), manifest, text.modified);
        let incomplete = match options.check_blobs {
            true => model.incomplete(),
            false => Vec::new(),
        };
        let summary = Summary::of(&model).map(|summary| Summary {
            form: ManifestForm::of(model.manifest(), &text.bytes),
            incomplete,
            ..summary
        });
        match summary {
            Ok(summary) => Some(Ok(Line {
                summary,
                file: text.identity,
                is_behind_link: file.link.is_some(),
                has_other_names: file.link.is_some() || text.links > 1,
            })),
            Err(_) if is_gone(&file.path) => None,
            Err(e) => Some(Err(Box::new(Problem::new(&file.path, Some(&name), e)))),
        }
    }
}

/// Of several names of one file the first that is behind no link is the model.
fn mark_aliases(lines: &mut [Line]) {
    if !lines.iter().any(|line| line.has_other_names) {
        return;
    }
    let mut models: HashMap<FileId, (bool, ModelName)> = HashMap::new();
    for line in lines.iter() {
        let Some(file) = line.file else { continue };
        let this = (line.is_behind_link, line.summary.name.clone());
        let model = models.entry(file).or_insert_with(|| this.clone());
        if model.0 && !this.0 {
            *model = this;
        }
    }
    for line in lines {
        let model = line.file.and_then(|file| models.get(&file));
        let model = model.map(|(_, name)| name);
        line.summary.alias_of = model.filter(|name| **name != line.summary.name).cloned();
    }
}

impl Summary {
    /// Returns the line of a model. Fails where the config or the Go template cannot be read, or a
    /// layer of weights or of a template has a malformed digest.
    pub(crate) fn of(model: &Model) -> Result<Self> {
        let config = model.config()?;
        let template = template(model)?;
        let is_remote = !config.remote_host.is_empty() || !config.remote_model.is_empty();
        let header = weights(model)?
            .filter(|_| !is_remote)
            .and_then(|path| ListedFacts::read(&path));
        let manifest = model.manifest();
        let has_projector = manifest.last(&MediaType::Projector).is_some();
        let file = header
            .as_ref()
            .map(|header| (header.senses.as_slice(), header.pooling));
        Ok(Summary {
            store: None,
            name: model.name().clone(),
            model: model.name().clone(),
            remote_model: config.remote_model.clone(),
            remote_host: config.remote_host.clone(),
            modified_at: model.modified().into(),
            size: manifest.size(),
            digest: manifest.id().to_owned(),
            details: ListedDetails::of(model, config, header.as_ref()),
            capabilities: capability::listed(config, template.as_ref(), file, has_projector),
            alias_of: None,
            form: ManifestForm::default(),
            incomplete: Vec::new(),
        })
    }
}

impl ListedDetails {
    fn of(model: &Model, config: &Config, header: Option<&ListedFacts>) -> Self {
        let parent = model.manifest().last(&MediaType::Model);
        let unless_zero = |stated: i64, read: Option<i64>| match stated {
            0 => read.unwrap_or(0),
            stated => stated,
        };
        let file_type = header.and_then(|header| header.file_type?.name());
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
                header.map(|header| header.context_length),
            ),
            embedding_length: unless_zero(
                config.embedding_length,
                header.map(|header| header.embedding_length),
            ),
        }
    }
}

/// Returns the file that the last layer of weights names, if it names one.
fn weights(model: &Model) -> Result<Option<PathBuf>> {
    let mut last = None;
    for layer in model.layers_of(&MediaType::Model) {
        last = match layer.digest_text() {
            "" => None,
            _ => Some(model.path_of(layer)?),
        };
    }
    Ok(last)
}

/// Returns the last Go template of a model. Fails where any of them has a malformed digest.
fn template(model: &Model) -> Result<Option<Template>> {
    let mut digests = model.layers_of(&MediaType::Template).map(Layer::digest);
    digests.try_for_each(|digest| digest.map(drop))?;
    model.template()
}
