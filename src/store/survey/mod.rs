//! The manifests of a store at one moment: one walk and one rule for every call that asks.

mod facts;
mod look;
mod memory;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::{Layout, ManifestFile, ModelDirectory, Obstacles};
use crate::fs::read::{self, Text};
use crate::fs::system::local;
use crate::manifest::Manifest;
use crate::store::handle::Store;
use crate::store::model::read_if_there;
use crate::store::problem::Problem;

use look::{Look, Seen, Visited};
use memory::{Found, Session};

pub(crate) use facts::{ManifestFacts, reading};
pub(crate) use memory::Memory;

/// A manifest that was read.
pub(crate) struct Stored {
    pub file: ManifestFile,
    pub manifest: Manifest,
    pub text: Text,
}

/// A manifest as a survey meets it: what is known of it, and the whole where it was just read.
pub(crate) struct Met<'a> {
    pub facts: &'a Arc<ManifestFacts>,
    layout: &'a Layout,
    stored: Option<Stored>,
}

/// What a survey found.
pub(crate) struct Survey<T> {
    /// What was made of each manifest, in byte order of paths.
    pub found: Vec<T>,
    /// Whatever may be a manifest, or hide some, and could not be read. Nobody knows what these
    /// use: while there is one, no blob may be removed.
    pub problems: Vec<Problem>,
    /// Unknown files, which hold no models.
    pub strays: Vec<PathBuf>,
    /// Files of ours that never became visible.
    pub staged: Vec<PathBuf>,
    /// How many files there were in the places of manifests, whatever became of them.
    pub files: usize,
}

/// From how many directories of models on they are looked into in parallel: below, handing out the
/// work costs more than it saves.
const PARALLEL: usize = 16;

impl Store {
    /// Looks at every manifest and takes something from each, reading those of which the last survey
    /// knows nothing that still holds. A file that was deleted since the walk is passed over, and so
    /// is one that is not a manifest and whose path is not a model's.
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where the store is gone; `Io` where this process
    /// lacks the means to look at all.
    pub(crate) fn survey<T: Send>(
        &self,
        take: impl Fn(Met<'_>) -> Result<Option<T>> + Sync,
    ) -> Result<Survey<T>> {
        self.survey_in(
            self.memory().begin(self.options().cached_list_bytes()),
            take,
        )
    }

    /// As [`survey`](Self::survey), for what is going to be removed: where a file system may show a
    /// change later than it happens, nothing that is remembered is believed.
    pub(crate) fn survey_to_remove<T: Send>(
        &self,
        take: impl Fn(Met<'_>) -> Result<Option<T>> + Sync,
    ) -> Result<Survey<T>> {
        let session = self.memory().begin(self.options().cached_list_bytes());
        let is_known_first = local::shows_changes(&self.layout().manifests_directory());
        let session = match is_known_first {
            true => session,
            false => session.believing_nothing(),
        };
        self.survey_in(session, take)
    }

    fn survey_in<T: Send>(
        &self,
        session: Session,
        take: impl Fn(Met<'_>) -> Result<Option<T>> + Sync,
    ) -> Result<Survey<T>> {
        let (survey, known) = self.look_at_all(self.layout(), &session, take)?;
        if session.remembers() {
            self.memory().end(&session, known);
        }
        Ok(survey)
    }

    /// Reads every manifest of another layout.
    pub(crate) fn survey_of<T: Send>(
        &self,
        layout: &Layout,
        take: impl Fn(Met<'_>) -> Result<Option<T>> + Sync,
    ) -> Result<Survey<T>> {
        let session = Session::without_memory();
        Ok(self.look_at_all(layout, &session, take)?.0)
    }

    fn look_at_all<T: Send>(
        &self,
        layout: &Layout,
        session: &Session,
        take: impl Fn(Met<'_>) -> Result<Option<T>> + Sync,
    ) -> Result<(Survey<T>, Vec<Found>)> {
        let tree = layout.tree();
        if tree.is_missing {
            self.must_exist()?;
        }
        let look = Look {
            layout,
            session,
            take,
        };
        let visit = |directory: &ModelDirectory| look.visit(directory);
        let visited: Vec<Visited<T>> = match tree.models.len() < PARALLEL {
            true => tree.models.iter().map(visit).collect(),
            false => {
                let threads = self.pool()?;
                threads.install(|| tree.models.par_iter().map(visit).collect())
            }
        };
        let files = visited.iter().map(|it| it.seen.len()).sum();
        let mut survey = Survey {
            found: Vec::with_capacity(files),
            problems: Vec::new(),
            strays: Vec::new(),
            staged: Vec::new(),
            files,
        };
        let (mut obstacles, mut known) = (tree.obstacles, Vec::new());
        for (directory, visited) in tree.models.into_iter().zip(visited) {
            obstacles.join(visited.obstacles);
            let seen = visited.known;
            known.extend(seen.map(|(known, bytes)| (directory.path, known, bytes)));
            for seen in visited.seen {
                survey.add(look.once_more(seen))?;
            }
        }
        for file in std::mem::take(&mut obstacles.misplaced) {
            survey.add(look.misplaced(file))?;
        }
        survey.close(obstacles)?;
        Ok((survey, known))
    }
}

/// Returns the problem of an entry that a walk could not look into.
///
/// # Errors
/// Where this process lacks the means to look at all.
pub(crate) fn blocked(path: &Path, cause: std::io::Error) -> Result<Problem> {
    let is_exhaustion = read::is_exhaustion(&cause);
    // Whatever the cause, what is behind the entry is not known to be absent.
    let text = format!("looking for models in {}", path.display());
    let error = Error::caused(ErrorKind::Io, text, cause);
    match is_exhaustion {
        true => Err(error),
        false => Ok(Problem::new(path, None, error)),
    }
}

impl Met<'_> {
    /// Returns the whole manifest, read now where it was not just read; `None` where it was deleted
    /// meanwhile.
    pub(crate) fn stored(self) -> Result<Option<Stored>> {
        if self.stored.is_some() {
            return Ok(self.stored);
        }
        let file = self.facts.file(self.layout);
        let read = read_if_there(&file.path)?;
        Ok(read.map(|(manifest, text)| Stored {
            file,
            manifest,
            text,
        }))
    }
}

impl<T> Survey<T> {
    fn add(&mut self, seen: Seen<T>) -> Result<()> {
        match seen {
            Seen::Taken(taken) => self.found.extend(taken),
            Seen::Stray(path) => self.strays.push(path),
            Seen::Unread(unread) if is_exhaustion(&unread.1) => return Err(unread.1),
            Seen::Unread(unread) => {
                let (file, error) = *unread;
                let problem = Problem::new(&file.path, file.name.as_ref(), error);
                self.problems.push(problem);
            }
        }
        Ok(())
    }

    fn close(&mut self, obstacles: Obstacles) -> Result<()> {
        for (path, error) in obstacles.blocked {
            self.problems.push(blocked(&path, error)?);
        }
        self.strays.extend(obstacles.strays);
        self.staged = obstacles.staged;
        self.problems.sort_by(|a, b| a.path().cmp(b.path()));
        self.strays.sort();
        self.strays.dedup();
        self.staged.sort();
        Ok(())
    }
}

fn is_exhaustion(error: &Error) -> bool {
    error.cause_of().is_some_and(read::is_exhaustion)
}
