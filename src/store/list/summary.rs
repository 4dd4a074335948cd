//! A line of the list, and what it is made of.

use std::path::PathBuf;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Key;
use super::memory::Told;
use super::reading::{Reading, Source};
use crate::capability::{self, Capability};
use crate::error;
use crate::go::json;
use crate::go::time::Timestamp;
use crate::manifest::{Config, MediaType};
use crate::name::ModelName;
use crate::store::form::ManifestForm;
use crate::store::incomplete::IncompleteBlob;
use crate::store::model::Model;
use crate::store::survey::ManifestFacts;

use super::facts::ListedFacts;

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
    /// The model's name. It is printed twice, as `name` and as `model`: clients read either.
    #[serde(flatten, serialize_with = "twice")]
    pub name: ModelName,
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
    /// What the model lacks, where that was [asked for](crate::ListOptions::check_blobs).
    #[serde(skip)]
    pub incomplete: Vec<IncompleteBlob>,
    /// The directory of its store, in a view of several.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "json::optional_path"
    )]
    pub store: Option<PathBuf>,
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

fn twice<S: Serializer>(name: &ModelName, serializer: S) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_map(Some(2))?;
    fields.serialize_entry("name", name)?;
    fields.serialize_entry("model", name)?;
    fields.end()
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Summary {
    /// Returns by what it is ordered.
    pub(super) fn key(&self) -> Key<'_> {
        (self.modified_at, Some(&self.name))
    }

    /// Returns the line of a manifest whose blobs tell this; `None` where its name cannot be used.
    pub(super) fn of(facts: &ManifestFacts, told: &Told) -> Option<Self> {
        Some(Summary {
            name: facts.name()?.clone(),
            remote_model: told.remote_model.clone(),
            remote_host: told.remote_host.clone(),
            modified_at: facts.modified.into(),
            size: facts.size,
            digest: facts.id.hex(),
            details: told.details.clone(),
            capabilities: told.capabilities.clone(),
            alias_of: None,
            form: facts.form,
            incomplete: Vec::new(),
            store: None,
        })
    }
}

impl Told {
    /// Returns what the blobs of a model tell, and adds those blobs to `sources`. Fails where the
    /// config or the Go template cannot be read, or a layer of weights or of a template has a
    /// malformed digest.
    pub(super) fn of(
        model: &Model,
        reading: &Reading<'_>,
        sources: &mut Vec<Source>,
    ) -> error::Result<Self> {
        let config = reading.config(model, sources)?;
        let template = reading.template(model, sources)?;
        let is_remote = !config.remote_host.is_empty() || !config.remote_model.is_empty();
        let weights = reading.weights(model)?.filter(|_| !is_remote);
        let header = weights.and_then(|digest| reading.facts(&digest, sources));
        let header = header.as_deref();
        let has_projector = model.manifest().last(&MediaType::Projector).is_some();
        let file = header.map(|header| (header.senses.as_slice(), header.pooling));
        Ok(Told {
            details: ListedDetails::of(model, &config, header),
            capabilities: capability::listed(&config, template.as_deref(), file, has_projector),
            remote_model: config.remote_model,
            remote_host: config.remote_host,
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
