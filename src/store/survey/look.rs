//! How a survey looks at the directory of a model.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::facts::{ManifestFacts, reading};
use super::memory::{KnownDirectory, Session};
use super::{Met, Stored};
use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::{Layout, ManifestFile, Misplaced, ModelDirectory, Obstacles};
use crate::fs::read::{self, Text};
use crate::manifest::Manifest;
use crate::name::Digest;
use crate::store::model::read_if_there;

/// What became of one file.
pub(super) enum Seen<T> {
    Taken(Option<T>),
    Stray(PathBuf),
    Unread(Box<(ManifestFile, Error)>),
}

/// What became of the files in one directory.
pub(super) struct Visited<T> {
    pub seen: Vec<Seen<T>>,
    pub obstacles: Obstacles,
    /// What may be remembered of it, and how many bytes that takes.
    pub known: Option<(Arc<KnownDirectory>, u64)>,
}

fn sized(known: Arc<KnownDirectory>) -> (Arc<KnownDirectory>, u64) {
    let bytes = known.bytes();
    (known, bytes)
}

/// How a survey looks at directories.
pub(super) struct Look<'a, F> {
    pub layout: &'a Layout,
    pub session: &'a Session,
    pub take: F,
}

impl<T, F: Fn(Met<'_>) -> Result<Option<T>>> Look<'_, F> {
    pub(super) fn visit(&self, directory: &ModelDirectory) -> Visited<T> {
        let known = self.session.directory(&directory.path);
        match known.and_then(|known| Some((known, known.current(directory)?))) {
            Some((known, files)) => self.visit_known(directory, known, files),
            None => self.visit_anew(directory, known),
        }
    }

    /// Looks at the files of a directory whose names are known.
    fn visit_known(
        &self,
        directory: &ModelDirectory,
        known: &Arc<KnownDirectory>,
        files: &[Arc<ManifestFacts>],
    ) -> Visited<T> {
        let mut seen = Vec::with_capacity(files.len());
        let mut kept = Vec::new();
        let mut are_same = true;
        for facts in files {
            if directory.stamp_of(facts.tag()) == Some(facts.stamp) {
                seen.push(self.known(facts));
                kept.push(facts.clone());
            } else {
                are_same = false;
                seen.push(self.read(directory, directory.file(facts.tag()), &mut kept));
            }
        }
        let is_whole = kept.len() == files.len();
        let known = match are_same {
            true => known.clone(),
            false => Arc::new(known.with(kept, is_whole)),
        };
        Visited {
            seen,
            obstacles: Obstacles::default(),
            known: Some(sized(known)),
        }
    }

    /// Reads a directory, and looks at its files.
    fn visit_anew(
        &self,
        directory: &ModelDirectory,
        known: Option<&Arc<KnownDirectory>>,
    ) -> Visited<T> {
        // Before its names are read: what changes meanwhile shows in a later look.
        let remembers = self.session.remembers() && directory.is_plain();
        let stamp = remembers.then(|| directory.stamp()).flatten();
        let tags = directory.tags();
        let (mut seen, mut kept) = (Vec::with_capacity(tags.files.len()), Vec::new());
        for file in tags.files {
            let tag = file.path.file_name().unwrap_or_default();
            let facts = known.and_then(|known| known.file(tag));
            match facts.filter(|facts| directory.stamp_of(tag) == Some(facts.stamp)) {
                Some(facts) if file.link.is_none() => {
                    seen.push(self.known(facts));
                    kept.push(facts.clone());
                }
                _ => seen.push(self.read(directory, file, &mut kept)),
            }
        }
        let is_whole = !tags.is_mixed && kept.len() == seen.len();
        let stamp = stamp.filter(|_| is_whole);
        let known = remembers.then(|| Arc::new(KnownDirectory::new(self.session, stamp, kept)));
        let known = known.map(sized);
        Visited {
            seen,
            obstacles: tags.obstacles,
            known,
        }
    }

    fn known(&self, facts: &Arc<ManifestFacts>) -> Seen<T> {
        let met = Met {
            facts,
            layout: self.layout,
            stored: None,
        };
        match (self.take)(met) {
            Ok(taken) => Seen::Taken(taken),
            Err(error) => self.failed(facts.file(self.layout), error),
        }
    }

    /// Reads a file, and keeps what is known of it, where that may be believed later.
    fn read(
        &self,
        directory: &ModelDirectory,
        file: ManifestFile,
        kept: &mut Vec<Arc<ManifestFacts>>,
    ) -> Seen<T> {
        let tag = file.path.file_name().unwrap_or_default();
        let short = directory.read(tag).ok();
        let short = short.and_then(|text| Some((Manifest::parse(&text.bytes).ok()?, text)));
        let read = short.map_or_else(|| read_if_there(&file.path), |read| Ok(Some(read)));
        self.taken(file, read, kept)
    }

    fn taken(
        &self,
        file: ManifestFile,
        read: Result<Option<(Manifest, Text)>>,
        kept: &mut Vec<Arc<ManifestFacts>>,
    ) -> Seen<T> {
        let (manifest, text) = match read {
            Ok(Some(read)) => read,
            Ok(None) => return Seen::Taken(None),
            Err(error) => return self.failed(file, error),
        };
        let stored = Stored {
            file,
            manifest,
            text,
        };
        let facts = Arc::new(ManifestFacts::of(&stored));
        let met = Met {
            facts: &facts,
            layout: self.layout,
            stored: Some(stored),
        };
        let taken = (self.take)(met);
        let seen = match taken {
            Ok(taken) => Seen::Taken(taken),
            Err(error) => self.failed(facts.file(self.layout), error),
        };
        if !facts.is_behind_link && self.session.tells(&facts.stamp) {
            kept.push(facts);
        }
        seen
    }

    /// Looks once at a file where no manifest is looked for, and which is one only if it names
    /// something.
    pub(super) fn misplaced(&self, misplaced: Misplaced) -> Seen<T> {
        let Misplaced { path, entry } = misplaced;
        let file = ManifestFile::nameless(path);
        let text = match read::read_text(&file.path) {
            Err(e) if e.kind() == io::ErrorKind::FileTooLarge => return Seen::Stray(entry),
            Err(_) if read::is_gone(&file.path) => return Seen::Taken(None),
            Err(e) => {
                let error = Error::io("reading", &file.path, e);
                return Seen::Unread(Box::new((file, error)));
            }
            Ok(text) => text,
        };
        let names_nothing = Digest::all_in(&text.bytes).is_some_and(|named| named.is_empty());
        match Manifest::parse(&text.bytes) {
            Ok(manifest) if !names_nothing => {
                self.taken(file, Ok(Some((manifest, text))), &mut Vec::new())
            }
            _ => Seen::Stray(entry),
        }
    }

    fn failed(&self, file: ManifestFile, error: Error) -> Seen<T> {
        if !file.is_plausible && error.kind() == ErrorKind::Corrupt {
            return Seen::Stray(file.path);
        }
        let error = present(&file.path, error);
        Seen::Unread(Box::new((file, error)))
    }

    /// What all threads together were too many for, one may do.
    pub(super) fn once_more(&self, seen: Seen<T>) -> Seen<T> {
        match seen {
            Seen::Unread(unread) if is_passing(&unread.1) => {
                let read = read_if_there(&unread.0.path);
                self.taken(unread.0, read, &mut Vec::new())
            }
            seen => seen,
        }
    }
}

/// Returns the error of an entry that is there: of a link that leads nowhere it says where.
fn present(path: &Path, error: Error) -> Error {
    if error.kind() != ErrorKind::FileNotFound {
        return error;
    }
    let cause = read::dangling(path, std::io::ErrorKind::NotFound.into());
    Error::caused(ErrorKind::Io, reading(path), cause)
}

fn is_passing(error: &Error) -> bool {
    error.cause_of().is_some_and(read::is_passing)
}
