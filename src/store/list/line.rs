//! Lines of a list that is being made.

use std::collections::HashMap;
use std::sync::Arc;

use super::memory::{Known, Memory};
use super::reading::Reading;
use super::{ListOptions, Summary};
use crate::fs::layout::ManifestFile;
use crate::fs::read::is_gone;
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::FileId;
use crate::name::ModelName;
use crate::store::form::ManifestForm;
use crate::store::handle::Store;
use crate::store::model::Model;
use crate::store::problem::Problem;
use crate::store::survey::Stored;

/// A line, and the file that it comes from.
pub(super) struct Line {
    pub summary: Summary,
    /// What may be remembered of it.
    pub known: Option<Arc<Known>>,
    file: Option<FileId>,
    is_behind_link: bool,
    has_other_names: bool,
}

/// Makes the lines of one list.
pub(super) struct Lines<'s> {
    pub store: &'s Store,
    pub options: &'s ListOptions,
    pub memory: &'s Memory,
    pub reading: Reading<'s>,
}

impl Lines<'_> {
    /// Returns the line of a manifest that is remembered, if it and all that it was made of is what
    /// it was. What is asked about blobs is not remembered.
    pub fn known(&self, file: &ManifestFile) -> Option<Result<Line, Box<Problem>>> {
        let known = self
            .memory
            .get(&file.path)
            .filter(|_| !self.options.check_blobs)?;
        let is_unchanged = FileStamp::at(&file.path) == Some(known.manifest)
            && known
                .blobs
                .iter()
                .all(|blob| self.reading.is_unchanged(blob));
        is_unchanged.then(|| {
            Ok(Line {
                summary: known.summary.clone(),
                file: known.manifest.id(),
                is_behind_link: file.link.is_some(),
                has_other_names: file.link.is_some() || known.has_other_names,
                known: Some(known.clone()),
            })
        })
    }

    /// `None` for a manifest under a name that cannot be used here, and for one that was deleted
    /// since it was read.
    pub fn read(&self, stored: Stored) -> Option<Result<Line, Box<Problem>>> {
        let Stored {
            file,
            manifest,
            text,
        } = stored;
        let name = file.name?;
        let model = Model::new(self.store, name.clone(), manifest, text.modified);
        let (mut summary, blobs) = match Summary::of(&model, &self.reading) {
            Ok(made) => made,
            Err(_) if is_gone(&file.path) => return None,
            Err(e) => return Some(Err(Box::new(Problem::new(&file.path, Some(&name), e)))),
        };
        summary.form = ManifestForm::of(model.manifest(), &text.bytes);
        let has_other_names = text.links > 1;
        let known = self
            .memory
            .known(&file.path, text.stamp, blobs, &summary, has_other_names);
        if self.options.check_blobs {
            summary.incomplete = model.incomplete();
        }
        Some(Ok(Line {
            summary,
            known,
            file: text.stamp.id(),
            is_behind_link: file.link.is_some(),
            has_other_names: file.link.is_some() || has_other_names,
        }))
    }
}

/// Of several names of one file the first that is behind no link is the model.
pub(super) fn mark_aliases(lines: &mut [Line]) {
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
