//! What is wrong with one model, as far as can be seen from outside.

use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::fs::read::{dangling, is_gone};
use crate::manifest::{Layer, contradicts};
use crate::store::diagnosis::Diagnosis;
use crate::store::form::ManifestForm;
use crate::store::handle::Store;
use crate::store::inventory::Homes;
use crate::store::list::Reading;
use crate::store::model::Model;
use crate::store::outgoing::in_trash;
use crate::store::provisional::uncertain;
use crate::store::survey::{ManifestFacts, Met, Stored};

/// Looks at models.
pub(super) struct Examiner<'s> {
    store: &'s Store,
    /// The blobs that are there; `None` where `blobs/` leads nowhere.
    homes: Option<&'s Homes<'s>>,
    reading: Reading<'s>,
}

impl<'s> Examiner<'s> {
    pub(super) fn new(store: &'s Store, homes: Option<&'s Homes<'s>>) -> Self {
        Examiner {
            store,
            homes,
            reading: Reading::new(store),
        }
    }

    /// Returns what one manifest says, and what is wrong with its model.
    pub(super) fn examine(&self, met: Met<'_>) -> Result<Option<(Arc<ManifestFacts>, Diagnosis)>> {
        let facts = met.facts.clone();
        let mut findings = Diagnosis::default();
        if !self.is_known_good(&facts) {
            let Some(stored) = met.stored()? else {
                return Ok(None);
            };
            self.examine_model(stored, &facts, &mut findings);
        }
        Ok(Some((facts, findings)))
    }

    /// Returns whether nothing can be said of a model: it is known to be listed, and each of its
    /// blobs has the size that it states.
    fn is_known_good(&self, facts: &ManifestFacts) -> bool {
        let is_plain = facts.name().is_some() && !facts.is_behind_link;
        let is_model = facts.form == ManifestForm::Model && facts.unclear.is_none();
        let is_there = self.homes.is_some_and(|homes| homes.hold(facts));
        is_plain && is_model && is_there && self.reading.is_whole(facts)
    }

    fn examine_model(&self, stored: Stored, facts: &ManifestFacts, diagnosis: &mut Diagnosis) {
        let path = stored.file.path;
        let Some(name) = stored.file.name else {
            let what = "a manifest under a name that cannot be used here".to_owned();
            let advice = "keep it: its blobs stay while it is there; to use the model here, copy \
                          the file to a shorter name";
            return diagnosis.add(&path, None, what, advice);
        };
        let is_behind_link = stored.file.link.is_some();
        if let Some(alias) = is_behind_link.then(|| self.store.alias(&name)).flatten() {
            let (link, model) = (alias.link.display(), &alias.model);
            let what = format!("an alias of {model}, through the link {link}");
            diagnosis.note(&path, Some(&name), what, "nothing needs to be done");
        }
        let form = facts.form;
        if form != ManifestForm::Model {
            let advice = "keep it, and what it names stays; or delete it: it cannot be run";
            diagnosis.note(
                &path,
                Some(&name),
                format!("{}, and no model", form.words()),
                advice,
            );
        }
        let model = Model::new(
            self.store,
            name.clone(),
            stored.manifest,
            stored.text.modified,
        );
        if self.homes.is_none() {
            return;
        }
        let entries = model.manifest().entries();
        let named = entries.filter(|layer| !layer.digest_text().is_empty());
        let broken: Vec<Broken> = named.filter_map(|layer| broken(&model, layer)).collect();
        if is_gone(&path) {
            return;
        }
        let advice = broken.iter().map(|it| it.remedy).min();
        let advice = advice.unwrap_or(Remedy::Replace).words();
        if !broken.is_empty() {
            diagnosis.add(&path, Some(&name), shortened(&broken), advice);
        } else if let Err(error) = self.reading.told(&model, facts) {
            let what = format!("the model is not listed: {error}");
            diagnosis.add(&path, Some(&name), what, advice);
        }
        if let Some(what) = self.reading.missing_parts(&model, facts) {
            let advice = "import the model again, from all its parts";
            diagnosis.add(&path, Some(&name), what, advice);
        }
    }
}

/// What is wrong with a layer's blob.
struct Broken {
    what: String,
    remedy: Remedy,
}

/// What helps a model. The first of several is told: an advice never destroys what a remount or the
/// next change would bring back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Remedy {
    /// A blob may be whole where it cannot be seen now.
    Mount,
    /// A blob is in the trash of an interrupted removal, or the model is one that an interrupted
    /// change has not made sure of.
    Change,
    /// A blob is gone, or is not what it was.
    Replace,
}

impl Remedy {
    fn words(self) -> &'static str {
        match self {
            Remedy::Mount => "mount the disk, or make it readable: what is there is not lost",
            Remedy::Change => {
                "run `modelkeep gc`: every change begins with putting back what is to be there"
            }
            Remedy::Replace => "pull or import the model again, or delete it",
        }
    }
}

/// Returns the first few of many things that are wrong with one model.
fn shortened(broken: &[Broken]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = broken.iter().take(SHOWN).map(|it| &*it.what).collect();
    match broken.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more of its blobs", shown.join("; ")),
    }
}

/// Returns what can be seen to be wrong with a layer's blob from outside.
fn broken(model: &Model, layer: &Layer) -> Option<Broken> {
    let media = layer.media();
    let label = media.label();
    let damaged = |what: String| Broken {
        what: format!("{label}: {what}"),
        remedy: Remedy::Replace,
    };
    let digest = match layer.digest() {
        Ok(digest) => digest,
        Err(error) => return Some(damaged(error.to_string())),
    };
    let look = |path: &Path| Ok((path.to_owned(), path.metadata()?));
    let (path, metadata) = match model.store().layout().with_blob(&digest, look) {
        Ok(found) => found,
        Err((path, e)) => {
            let remedy = match in_trash(model.store(), &digest) {
                _ if !is_gone(&path) => Remedy::Mount,
                Some(_) => Remedy::Change,
                None if uncertain(model.store()).contains(model.name()) => Remedy::Change,
                None => Remedy::Replace,
            };
            let error = model.blob_error("looking for blob", &path, dangling(&path, e));
            return Some(Broken {
                remedy,
                ..damaged(error.to_string())
            });
        }
    };
    let (path, size) = (path.display(), metadata.len());
    if !metadata.is_file() {
        return Some(damaged(format!("blob {path} is not a regular file")));
    }
    contradicts(layer.size, size)
        .then(|| damaged(format!("blob {path} has {size} bytes, not {}", layer.size)))
}
