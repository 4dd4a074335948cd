//! What one call reads of the blobs of many models: of those that models share, once.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::facts::ListedFacts;
use super::memory::{Call, KnownLine, ReadBlob, Told};
use crate::error::Result;
use crate::fs::read::{self, Text};
use crate::fs::stamp::FileStamp;
use crate::fs::system::directory::Directory;
use crate::fs::system::stat::Stat;
use crate::go::decode;
use crate::manifest::{Config, Layer, MediaType, contradicts};
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::model::Model;
use crate::store::survey::ManifestFacts;
use crate::sync::lock;
use crate::template::Template;

/// A blob that something was read from; `None` where it could not be.
pub(super) type Source = Option<Arc<ReadBlob>>;

/// What was read so far.
pub(crate) struct Reading<'s> {
    store: &'s Store,
    call: Call,
    /// What had changed shortly before may change again and look the same.
    began: SystemTime,
    /// `blobs/`, where it can be opened.
    blobs: Option<Directory>,
    templates: Shelf<(Arc<Template>, Arc<ReadBlob>)>,
    facts: Shelf<Option<(Arc<ListedFacts>, Arc<ReadBlob>)>>,
    lacks: Shelf<Option<String>>,
    /// How large blobs are that nothing was read from; `None` where no file is.
    sizes: Shelf<Option<u64>>,
    /// What the lines of this call have in common.
    told: Mutex<HashSet<Arc<Told>>>,
}

impl<'s> Reading<'s> {
    pub(crate) fn new(store: &'s Store) -> Self {
        Reading {
            store,
            call: Call::begin(),
            began: SystemTime::now(),
            blobs: Directory::open(&store.layout().blobs_directory()).ok(),
            templates: Shelf::default(),
            facts: Shelf::default(),
            lacks: Shelf::default(),
            sizes: Shelf::default(),
            told: Mutex::default(),
        }
    }

    /// Returns what the blobs of a model tell list, and from which blobs that was read; keeps both
    /// beside the facts of its manifest.
    pub(crate) fn told(
        &self,
        model: &Model,
        facts: &ManifestFacts,
    ) -> Result<(Arc<Told>, Vec<Source>)> {
        let mut blobs = Vec::new();
        let told = self.share(Told::of(model, self, &mut blobs)?);
        facts.keep_line(self.known_line(told.clone(), &blobs));
        Ok((told, blobs))
    }

    /// Returns whether every blob that a manifest names is a file of the size that it states. Looks at
    /// those that were not `read` by this call, once each.
    pub(super) fn holds<'b>(
        &self,
        facts: &ManifestFacts,
        read: impl Iterator<Item = &'b Arc<ReadBlob>> + Clone,
    ) -> bool {
        facts.named.iter().all(|(digest, stated)| {
            let known = read.clone().find(|blob| blob.digest == *digest);
            let size = known.map(|blob| blob.stamp.size());
            let size = size.or_else(|| self.sizes.get(digest, || self.size(digest)));
            size.is_some_and(|size| !contradicts(*stated, size))
        })
    }

    /// Returns the same as another line has, if one has it.
    fn share(&self, told: Told) -> Arc<Told> {
        let mut known = lock(&self.told);
        if let Some(told) = known.get(&told) {
            return told.clone();
        }
        let told = Arc::new(told);
        known.insert(told.clone());
        told
    }

    /// Returns whether all blobs that a line was made of are what they were.
    pub(super) fn is_current(&self, line: &KnownLine) -> bool {
        line.blobs.iter().all(|blob| self.is_unchanged(blob))
    }

    /// Returns whether it is known, and still holds, that a model is listed and lacks no part.
    pub(crate) fn is_whole(&self, facts: &ManifestFacts) -> bool {
        let line = facts.line();
        line.is_some_and(|line| line.has_all_parts() && self.is_current(&line))
    }

    /// Returns what a split model lacks, as [`Model::missing_parts`] does. Keeps that it lacks
    /// nothing, where that rests on no other blobs than its line does.
    pub(crate) fn missing_parts(&self, model: &Model, facts: &ManifestFacts) -> Option<String> {
        let mut weights = model.layers_of(&MediaType::Model);
        let lack = match (weights.next().map(Layer::digest), weights.next()) {
            (Some(Ok(digest)), None) => self.lacks.get(&digest, || model.missing_parts()),
            _ => return model.missing_parts(),
        };
        if let (None, Some(line)) = (&lack, facts.line()) {
            line.note_all_parts();
        }
        lack
    }

    /// Returns the config of a model. Hardly two models share one.
    pub(super) fn config(&self, model: &Model, sources: &mut Vec<Source>) -> Result<Config> {
        let layer = model.manifest().config();
        if layer.digest_text().is_empty() {
            return Ok(Config::default());
        }
        let text = self.text(model, layer)?;
        sources.push(Some(Arc::new(ReadBlob::new(layer.digest()?, text.stamp))));
        Config::parse(&text.bytes)
    }

    /// Returns the whole blob of a layer that is a text.
    fn text(&self, model: &Model, layer: &Layer) -> Result<Text> {
        let name = layer.digest()?.after("sha256-");
        let blobs = self.blobs.as_ref();
        let short = blobs.and_then(|blobs| read::read_text_in(blobs, Path::new(&name)).ok());
        short.map_or_else(|| model.read_stamped(layer), Ok)
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
        let (template, blob) = match self.templates.known(&digest) {
            Some(known) => known,
            None => self.templates.keep(&digest, read_template(model, layer)?),
        };
        sources.push(Some(blob));
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
        sources.push(read.as_ref().map(|(_, blob)| blob.clone()));
        read.map(|(facts, _)| facts)
    }

    fn read_facts(&self, digest: &Digest) -> Option<(Arc<ListedFacts>, Arc<ReadBlob>)> {
        let read = |path: &Path| ListedFacts::read(path).ok_or(ErrorKind::InvalidData.into());
        let (facts, stamp) = self.store.layout().with_blob(digest, read).ok()?;
        let blob = ReadBlob::new(*digest, stamp);
        Some((Arc::new(facts), Arc::new(blob)))
    }

    /// Returns whether a blob is still the file that something was read from.
    fn is_unchanged(&self, blob: &ReadBlob) -> bool {
        blob.is_unchanged(self.call, |blob| {
            self.stamp(&blob.digest) == Some(blob.stamp)
        })
    }

    fn stamp(&self, digest: &Digest) -> Option<FileStamp> {
        Some(FileStamp::of(&self.stat(digest)?))
    }

    fn size(&self, digest: &Digest) -> Option<u64> {
        let stat = self.stat(digest)?;
        stat.is_file().then(|| stat.len())
    }

    fn stat(&self, digest: &Digest) -> Option<Stat> {
        let name = digest.after("sha256-");
        self.blobs.as_ref()?.stat(Path::new(&name)).ok()
    }

    /// Returns what may be remembered of a line: nothing, where a change of one of its blobs might
    /// not show.
    fn known_line(&self, told: Arc<Told>, blobs: &[Source]) -> Option<Arc<KnownLine>> {
        let tells = |stamp: &FileStamp| stamp.is_complete() && stamp.is_settled(self.began);
        let telling = blobs.iter().cloned();
        let telling = telling.map(|blob| blob.filter(|blob| tells(&blob.stamp)));
        let blobs = telling.collect::<Option<_>>()?;
        Some(Arc::new(KnownLine::new(told, blobs)))
    }
}

fn read_template(model: &Model, layer: &Layer) -> Result<(Arc<Template>, Arc<ReadBlob>)> {
    let text = model.read_stamped(layer)?;
    let blob = ReadBlob::new(layer.digest()?, text.stamp);
    let template = Template::parse(decode::lossy(text.bytes))?;
    Ok((Arc::new(template), Arc::new(blob)))
}

/// Values that are made once each, by several threads: two may make one at the same time.
struct Shelf<V>(Mutex<HashMap<Digest, V, foldhash::fast::RandomState>>);

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
        let values = lock(&self.0);
        values.get(digest).cloned()
    }

    fn keep(&self, digest: &Digest, value: V) -> V {
        let mut values = lock(&self.0);
        values.insert(*digest, value.clone());
        value
    }
}
