//! Lines of a list that is being made.

use std::collections::HashMap;
use std::sync::Arc;

use super::memory::{ReadBlob, Told};
use super::reading::Reading;
use super::{Key, ListOptions, Summary};
use crate::error::Result;
use crate::fs::read::is_gone;
use crate::fs::system::stat::FileId;
use crate::name::ModelName;
use crate::store::handle::Store;
use crate::store::incomplete::IncompleteBlob;
use crate::store::model::Model;
use crate::store::problem::Problem;
use crate::store::survey::{ManifestFacts, Met, Stored};

/// What a line is made of.
pub(super) struct Line {
    facts: Arc<ManifestFacts>,
    told: Arc<Told>,
    incomplete: Vec<IncompleteBlob>,
    alias_of: Option<ModelName>,
}

/// Makes the lines of one list.
pub(super) struct Lines<'s> {
    pub store: &'s Store,
    pub options: &'s ListOptions,
    pub reading: Reading<'s>,
}

impl<'s> Lines<'s> {
    pub fn new(store: &'s Store, options: &'s ListOptions) -> Self {
        Lines {
            store,
            options,
            reading: Reading::new(store),
        }
    }

    /// Returns the line of a manifest: the one that is remembered, if all that it was made of is
    /// what it was. What is asked about blobs is not remembered. `None` for a manifest under a name
    /// that cannot be used here, and for one that was deleted since it was read.
    pub fn of(&self, met: Met<'_>) -> Result<Option<Result<Line, Box<Problem>>>> {
        let facts = met.facts.clone();
        if facts.name().is_none() {
            return Ok(None);
        }
        let known = facts.line().filter(|known| self.reading.is_current(known));
        if let Some(known) = known.filter(|known| self.is_complete(&facts, known.blobs.iter())) {
            let told = known.told.clone();
            return Ok(Some(Ok(Line::new(facts, told))));
        }
        Ok(met.stored()?.and_then(|stored| self.read(stored, facts)))
    }

    /// Returns whether nothing can be said of the blobs of a model, or nothing is asked.
    fn is_complete<'b>(
        &self,
        facts: &ManifestFacts,
        read: impl Iterator<Item = &'b Arc<ReadBlob>> + Clone,
    ) -> bool {
        !self.options.check_blobs || self.reading.holds(facts, read)
    }

    fn read(
        &self,
        stored: Stored,
        facts: Arc<ManifestFacts>,
    ) -> Option<Result<Line, Box<Problem>>> {
        let Stored {
            file,
            manifest,
            text,
        } = stored;
        let model = Model::new(self.store, file.name?, manifest, text.modified);
        let name = model.name();
        let (told, read) = match self.reading.told(&model, &facts) {
            Ok(told) => told,
            Err(_) if is_gone(&file.path) => return None,
            Err(e) => return Some(Err(Box::new(Problem::new(&file.path, Some(name), e)))),
        };
        let is_complete = self.is_complete(&facts, read.iter().flatten());
        let mut line = Line::new(facts, told);
        if !is_complete {
            line.incomplete = model.incomplete();
        }
        Some(Ok(line))
    }
}

impl Line {
    fn new(facts: Arc<ManifestFacts>, told: Arc<Told>) -> Self {
        Line {
            facts,
            told,
            incomplete: Vec::new(),
            alias_of: None,
        }
    }

    /// Returns the line; `None` for a manifest under a name that cannot be used here.
    pub(super) fn summary(&self) -> Option<Summary> {
        let mut summary = Summary::of(&self.facts, &self.told)?;
        summary.incomplete.clone_from(&self.incomplete);
        summary.alias_of.clone_from(&self.alias_of);
        Some(summary)
    }

    /// Returns by what it is ordered.
    pub(super) fn key(&self) -> Key<'_> {
        (self.facts.modified.into(), self.facts.name())
    }

    fn has_other_names(&self) -> bool {
        self.facts.is_behind_link || self.facts.has_other_names
    }
}

/// Of several names of one file the first that is behind no link is the model.
pub(super) fn mark_aliases(lines: &mut [Line]) {
    if !lines.iter().any(Line::has_other_names) {
        return;
    }
    let mut models: HashMap<FileId, Arc<ManifestFacts>> = HashMap::new();
    for facts in lines.iter().map(|line| &line.facts) {
        let Some(file) = facts.stamp.id() else {
            continue;
        };
        let model = models.entry(file).or_insert_with(|| facts.clone());
        if model.is_behind_link && !facts.is_behind_link {
            *model = facts.clone();
        }
    }
    for line in lines {
        let file = line.facts.stamp.id();
        let model = file.and_then(|file| models.get(&file)?.name());
        line.alias_of = model
            .filter(|name| Some(*name) != line.facts.name())
            .cloned();
    }
}
