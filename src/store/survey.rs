//! The manifests of a store at one moment: one walk and one rule for every call that asks.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::{Layout, ManifestFile};
use crate::fs::read::{self, Text};
use crate::manifest::Manifest;
use crate::store::handle::Store;
use crate::store::model::read_if_there;
use crate::store::problem::Problem;

/// A manifest that was read.
pub(crate) struct Stored {
    pub file: ManifestFile,
    pub manifest: Manifest,
    pub text: Text,
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
}

/// From how many manifests on they are read in parallel: below, handing out the work costs more
/// than it saves.
const PARALLEL: usize = 64;

impl Store {
    /// Reads every manifest and takes something from each; see [`survey_of`](Self::survey_of).
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where the store is gone; `Io` where this process
    /// lacks the means to look at all.
    pub(crate) fn survey<T: Send>(
        &self,
        take: impl Fn(Stored) -> Option<T> + Sync,
    ) -> Result<Survey<T>> {
        self.survey_of(self.layout(), take)
    }

    /// Reads every manifest but those of which it is known what was to be taken from them.
    pub(crate) fn survey_knowing<T: Send>(
        &self,
        known: impl Fn(&ManifestFile) -> Option<T> + Sync,
        take: impl Fn(Stored) -> Option<T> + Sync,
    ) -> Result<Survey<T>> {
        self.look_at_all(self.layout(), |file| match known(file) {
            Some(known) => Seen::Taken(Some(known)),
            None => Seen::of(file, &take),
        })
    }

    /// Reads every manifest of a layout. A file that was deleted since the walk is passed over, and
    /// so is one that is not a manifest and whose path is not a model's.
    pub(crate) fn survey_of<T: Send>(
        &self,
        layout: &Layout,
        take: impl Fn(Stored) -> Option<T> + Sync,
    ) -> Result<Survey<T>> {
        self.look_at_all(layout, |file| Seen::of(file, &take))
    }

    fn look_at_all<T: Send>(
        &self,
        layout: &Layout,
        look: impl Fn(&ManifestFile) -> Seen<T> + Sync,
    ) -> Result<Survey<T>> {
        let walk = layout.walk();
        if walk.is_missing {
            self.must_exist()?;
        }
        let mut survey = Survey {
            found: Vec::with_capacity(walk.files.len()),
            problems: Vec::new(),
            strays: walk.strays,
            staged: walk.staged,
        };
        for (path, error) in walk.blocked {
            survey.problems.push(blocked(&path, error)?);
        }
        let seen: Vec<Seen<T>> = if walk.files.len() < PARALLEL {
            walk.files.iter().map(&look).collect()
        } else {
            let threads = self.pool()?;
            threads.install(|| walk.files.par_iter().map(&look).collect())
        };
        for (file, seen) in walk.files.iter().zip(seen) {
            // What all threads together were too many for, one may do.
            let seen = if seen.is_passing() { look(file) } else { seen };
            survey.add(file, seen)?;
        }
        Ok(survey)
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

impl<T> Survey<T> {
    fn add(&mut self, file: &ManifestFile, seen: Seen<T>) -> Result<()> {
        match seen {
            Seen::Taken(taken) => self.found.extend(taken),
            Seen::Stray => self.strays.push(file.path.clone()),
            Seen::Unread(error) if is_exhaustion(&error) => return Err(error),
            Seen::Unread(error) => {
                let problem = Problem::new(&file.path, file.name.as_ref(), error);
                self.problems.push(problem);
            }
        }
        Ok(())
    }
}

/// What became of one file.
enum Seen<T> {
    Taken(Option<T>),
    Stray,
    Unread(Error),
}

impl<T> Seen<T> {
    fn of(file: &ManifestFile, take: &impl Fn(Stored) -> Option<T>) -> Self {
        match read_if_there(&file.path) {
            Ok(None) => Seen::Taken(None),
            Ok(Some((manifest, text))) => Seen::Taken(take(Stored {
                file: file.clone(),
                manifest,
                text,
            })),
            Err(error) if !file.is_plausible && error.kind() == ErrorKind::Corrupt => Seen::Stray,
            Err(error) => Seen::Unread(present(&file.path, error)),
        }
    }

    fn is_passing(&self) -> bool {
        let Seen::Unread(error) = self else {
            return false;
        };
        error.cause_of().is_some_and(read::is_passing)
    }
}

/// Returns the error of an entry that is there: of a link that leads nowhere it says where.
fn present(path: &Path, error: Error) -> Error {
    if error.kind() != ErrorKind::FileNotFound {
        return error;
    }
    let cause = read::dangling(path, std::io::ErrorKind::NotFound.into());
    let text = format!("reading manifest {}", path.display());
    Error::caused(ErrorKind::Io, text, cause)
}

fn is_exhaustion(error: &Error) -> bool {
    error.cause_of().is_some_and(read::is_exhaustion)
}
