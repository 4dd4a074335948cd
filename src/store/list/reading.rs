//! What one call reads of the blobs of many models: of those that models share, once.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::facts::ListedFacts;
use crate::error::Result;

use crate::fs::stamp::FileStamp;
use crate::go::decode;
use crate::manifest::{Config, Layer, MediaType};
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::model::Model;
use crate::template::Template;

/// A blob that something was read from, as its file was then; `None` where that cannot be said.
pub(super) type Source = (Digest, Option<FileStamp>);

/// What was read so far.
pub(crate) struct Reading<'s> {
    store: &'s Store,
    templates: Shelf<(Arc<Template>, FileStamp)>,
    facts: Shelf<Option<(Arc<ListedFacts>, FileStamp)>>,
    stamps: Shelf<Option<FileStamp>>,
    lacks: Shelf<Option<String>>,
}

impl<'s> Reading<'s> {
    pub(crate) fn new(store: &'s Store) -> Self {
        Reading {
            store,
            templates: Shelf::default(),
            facts: Shelf::default(),
            stamps: Shelf::default(),
            lacks: Shelf::default(),
        }
    }

    /// Returns why a model is not listed, if it is not.
    pub(crate) fn must_list(&self, model: &Model) -> Result<()> {
        super::Summary::of(model, self).map(drop)
    }

    /// Returns what a split model lacks, as [`Model::missing_parts`] does.
    pub(crate) fn missing_parts(&self, model: &Model) -> Option<String> {
        let mut weights = model.layers_of(&MediaType::Model);
        match (weights.next().map(Layer::digest), weights.next()) {
            (Some(Ok(digest)), None) => self.lacks.get(&digest, || model.missing_parts()),
            _ => model.missing_parts(),
        }
    }

    /// Returns the config of a model. Hardly two models share one.
    pub(super) fn config(&self, model: &Model, sources: &mut Vec<Source>) -> Result<Config> {
        let layer = model.manifest().config();
        if layer.digest_text().is_empty() {
            return Ok(Config::default());
        }
        let text = model.read_stamped(layer)?;
        sources.push((layer.digest()?, Some(text.stamp)));
        Config::parse(&text.bytes)
    }

    /// Returns the last Go template of a model. Fails where any of them has a malformed digest.
    pub(super) fn template(
        &self,
        model: &Model,
        sources: &mut Vec<Source>,
    ) -> Result<Option<Arc<Template>>> {
        let mut last = None;
        for layer in model.layers_of(&MediaType::Template) {
            last = Some((layer, layer.digest()?));
        }
        let Some((layer, digest)) = last else {
            return Ok(None);
        };
        let (template, stamp) = match self.templates.known(&digest) {
            Some(known) => known,
            None => self.templates.keep(&digest, read_template(model, layer)?),
        };
        sources.push((digest, Some(stamp)));
        Ok(Some(template))
    }

    /// Returns the blob that the last layer of weights names, if it names one.
    pub(super) fn weights(&self, model: &Model) -> Result<Option<Digest>> {
        let mut last = None;
        for layer in model.layers_of(&MediaType::Model) {
            last = match layer.digest_text() {
                "" => None,
                _ => Some(layer.digest()?),
            };
        }
        Ok(last)
    }

    /// Returns what the header of a blob tells, if anything.
    pub(super) fn facts(
        &self,
        digest: &Digest,
        sources: &mut Vec<Source>,
    ) -> Option<Arc<ListedFacts>> {
        let read = self.facts.get(digest, || self.read_facts(digest));
        sources.push((*digest, read.as_ref().map(|(_, stamp)| *stamp)));
        read.map(|(facts, _)| facts)
    }

    fn read_facts(&self, digest: &Digest) -> Option<(Arc<ListedFacts>, FileStamp)> {
        let read = |path: &Path| ListedFacts::read(path).ok_or(ErrorKind::InvalidData.into());
        let (facts, stamp) = self.store.layout().with_blob(digest, read).ok()?;
        Some((Arc::new(facts), stamp))
    }

    /// Returns whether a blob is still the file that something was read from.
    pub(super) fn is_unchanged(&self, (digest, then): &Source) -> bool {
        let now = self.stamps.get(digest, || self.stamp(digest));
        then.is_some() && now == *then
    }

    fn stamp(&self, digest: &Digest) -> Option<FileStamp> {
        FileStamp::at(&self.store.layout().new_blob(digest))
    }
}

fn read_template(model: &Model, layer: &Layer) -> Result<(Arc<Template>, FileStamp)> {
    let text = model.read_stamped(layer)?;
    let template = Template::parse(decode::lossy(text.bytes))?;
    Ok((Arc::new(template), text.stamp))
}

/// Values that are made once each, by several threads: two may make one at the same time.
struct Shelf<V>(Mutex<HashMap<Digest, V>>);

impl<V> Default for Shelf<V> {
    fn default() -> Self {
        Shelf(Mutex::default())
    }
}

impl<V: Clone> Shelf<V> {
    fn get(&self, digest: &Digest, make: impl FnOnce() -> V) -> V {
        self.known(digest)
            .unwrap_or_else(|| self.keep(digest, make()))
    }

    fn known(&self, digest: &Digest) -> Option<V> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(digest).cloned()
    }

    fn keep(&self, digest: &Digest, value: V) -> V {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.insert(*digest, value.clone());
        value
    }
}
