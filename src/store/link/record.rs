//! The links that a store remembers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::Layout;
use crate::fs::link::NewLink;
use crate::fs::lock::StoreLock;
use crate::fs::staged::{Place, Staged};
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::Stat;
use crate::fs::system::{code, user};
use crate::fs::{link_place, owner, read};
use crate::go::json;
use crate::name::{Digest, ModelName};
use crate::store::handle::Store;

use super::make::Making;
use super::plan::Planned;
use super::{LinkLayout, LinkMode};

/// The form of the record; another one is none of ours.
const VERSION: u32 = 1;

/// How many links are remembered at most.
const MOST: usize = 4096;

/// How long a call waits to note what it did: the links work without the note.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a store remembers, by path.
#[derive(Default)]
pub(super) struct Record {
    pub links: BTreeMap<PathBuf, Entry>,
    /// Whether nobody but this user could have written it.
    is_trusted: bool,
}

/// A link that was made.
#[derive(Clone)]
pub(super) struct Entry {
    pub name: ModelName,
    /// How it was to be made, and where: what makes it again.
    pub asked: LinkMode,
    pub to: PathBuf,
    pub layout: LinkLayout,
    pub mark: Mark,
    /// What it replaced, which is still there where that was broken off.
    pub before: Option<Mark>,
}

/// What tells a link of ours from what others put in its place.
#[derive(Clone)]
pub(super) struct Mark {
    pub digest: Digest,
    pub mode: LinkMode,
    pub stamp: FileStamp,
}

/// An entry as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    asked: String,
    to: String,
    layout: String,
    mark: MarkLine,
    before: Option<MarkLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkLine {
    digest: Digest,
    mode: String,
    stamp: FileStamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    links: BTreeMap<String, Line>,
}

impl Mark {
    /// Returns whether what is at a path is this link, and nothing was written to it since. An inode
    /// alone would not do: its number is given to another file when it is gone.
    fn is_at(&self, store: &Store, path: &Path, now: &Stat) -> bool {
        match self.mode {
            LinkMode::Symlink => {
                now.is_symlink()
                    && link_place::blob_of_link(store.layout(), path) == Some(self.digest)
            }
            _ => self.stamp.is_same_file(&FileStamp::of(now)),
        }
    }

    fn line(&self) -> MarkLine {
        MarkLine {
            digest: self.digest,
            mode: self.mode.to_string(),
            stamp: self.stamp,
        }
    }
}

impl MarkLine {
    fn mark(self) -> Option<Mark> {
        Some(Mark {
            digest: self.digest,
            mode: self.mode.parse().ok()?,
            stamp: self.stamp,
        })
    }
}

impl Entry {
    /// Returns the link as it was made, and what it was to replace.
    pub(super) fn marks(&self) -> impl Iterator<Item = &Mark> {
        std::iter::once(&self.mark).chain(&self.before)
    }

    /// Returns which link of ours is at a path.
    pub(super) fn found(&self, store: &Store, path: &Path, now: &Stat) -> Option<&Mark> {
        self.marks().find(|mark| mark.is_at(store, path, now))
    }

    fn line(&self) -> Option<Line> {
        Some(Line {
            name: self.name.full(),
            asked: self.asked.to_string(),
            to: self.to.to_str()?.to_owned(),
            layout: self.layout.to_string(),
            mark: self.mark.line(),
            before: self.before.as_ref().map(Mark::line),
        })
    }
}

impl Line {
    fn entry(self) -> Option<Entry> {
        Some(Entry {
            name: self.name.parse().ok()?,
            asked: self.asked.parse().ok()?,
            to: PathBuf::from(self.to),
            layout: self.layout.parse().ok()?,
            mark: self.mark.mark()?,
            before: self.before.and_then(MarkLine::mark),
        })
    }
}

/// An entry without what only the link itself says.
pub(super) struct Draft {
    name: ModelName,
    digest: Digest,
    asked: LinkMode,
    path: PathBuf,
    to: PathBuf,
    layout: LinkLayout,
    before: Option<Mark>,
}

impl Draft {
    pub(super) fn new(making: &Making<'_>, planned: &Planned) -> Self {
        let (store, path) = (making.store, &planned.path);
        let entry = making.record.links.get(path);
        let before = entry.and_then(|entry| {
            let now = Stat::of_entry(path).ok()?;
            entry.found(store, path, &now).cloned()
        });
        Draft {
            before,
            name: making.name.clone(),
            digest: planned.digest,
            asked: making.options.mode,
            path: planned.path.clone(),
            to: making.plan.to.clone(),
            layout: making.plan.layout,
        }
    }

    /// Returns the entry of a link that is new; `None` where it vanished.
    pub(super) fn of(self, new: &NewLink) -> Option<(PathBuf, Entry)> {
        let stamp = new.stamp().ok()?;
        Some(self.with(new.kind().into(), stamp))
    }

    /// Returns the entry of a symbolic link that is there.
    pub(super) fn of_link(self) -> Option<(PathBuf, Entry)> {
        let stamp = FileStamp::of(&Stat::of_entry(&self.path).ok()?);
        Some(self.with(LinkMode::Symlink, stamp))
    }

    fn with(self, mode: LinkMode, stamp: FileStamp) -> (PathBuf, Entry) {
        let mark = Mark {
            digest: self.digest,
            mode,
            stamp,
        };
        let entry = Entry {
            name: self.name,
            asked: self.asked,
            to: self.to,
            layout: self.layout,
            mark,
            before: self.before,
        };
        (self.path, entry)
    }
}

impl Record {
    /// Returns what a store remembers; nothing where there is no record, or none that can be read.
    /// Bounded, whatever somebody wrote there.
    pub(super) fn load(layout: &Layout) -> Self {
        let Some((text, stat)) = read::read_own(&layout.links()) else {
            return Record::default();
        };
        let written = serde_json::from_slice::<Written>(&text).ok();
        let written = written.filter(|written| written.version == VERSION);
        let lines = written.into_iter().flat_map(|written| written.links);
        let links = lines
            .take(MOST)
            .filter_map(|(path, line)| Some((PathBuf::from(path), line.entry()?)));
        Record {
            links: links.collect(),
            is_trusted: is_ours(&stat)
                && Stat::of_entry(&layout.own_directory()).is_ok_and(|stat| is_ours(&stat)),
        }
    }

    /// Returns what is remembered of a path, where nobody else could have written it: by that it is
    /// decided what may be replaced.
    pub(super) fn trusted(&self, path: &Path) -> Option<&Entry> {
        self.links.get(path).filter(|_| self.is_trusted)
    }

    /// Forgets the links that somebody has removed since. One on a disk that is not mounted is not
    /// removed.
    fn prune(&mut self) {
        let is_removed =
            |path: &Path| read::is_gone(path) && path.parent().is_some_and(Path::is_dir);
        self.links.retain(|path, _| !is_removed(path));
    }

    fn write(&self, store: &Store) -> Result<()> {
        let layout = store.layout();
        let lines = self.links.iter().map(|(path, entry)| {
            let text = path.to_str().map(str::to_owned);
            text.zip(entry.line())
        });
        let links: Option<BTreeMap<String, Line>> = lines.collect();
        let Some(links) = links else {
            let text = "a path that is not UTF-8 cannot be remembered";
            return Err(Error::new(ErrorKind::Unsupported, text));
        };
        let written = Written {
            version: VERSION,
            links,
        };
        let text = json::to_string(&written);
        if written.links.len() > MOST || text.len() as u64 > read::LARGEST_TEXT {
            let count = written.links.len();
            let text = format!("the store remembers {count} links already, and no more");
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let mut staged = Staged::new(layout, Place::Private, store.options().durability)?;
        staged.write(text.as_bytes())?;
        match owner::keep_private(staged.file()) {
            Err(e) if !code::is_not_for_us(&e) => Err(Error::io("writing", staged.path(), e)),
            _ => staged.commit(&layout.links(), &[]),
        }
    }
}

/// Returns whether a file or a directory is this user's, and nobody else may write to it.
fn is_ours(stat: &Stat) -> bool {
    let us = user::effective();
    us.is_some() && stat.is_private() && stat.owner().map(|owner| owner.user) == us
}

/// What was remembered of some paths before.
pub(super) type Before = Vec<(PathBuf, Option<Entry>)>;

/// Remembers links; returns what was remembered of their paths before.
///
/// # Errors
/// Where nothing can be written to the store. The record is as it was.
pub(super) fn note(store: &Store, entries: &[(PathBuf, Entry)]) -> Result<Before> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut before = Vec::new();
    change(store, |record| {
        record.prune();
        for (path, entry) in entries {
            let old = record.links.insert(path.clone(), entry.clone());
            before.push((path.clone(), old));
        }
    })?;
    Ok(before)
}

/// Undoes [`note`]. What cannot be undone is told by a check.
pub(super) fn put_back(store: &Store, before: Before) {
    if before.is_empty() {
        return;
    }
    let _ = change(store, |record| {
        for (path, entry) in before {
            match entry {
                Some(entry) => record.links.insert(path, entry),
                None => record.links.remove(&path),
            };
        }
    });
}

/// Forgets what is remembered of some paths; returns those of which something was.
pub(super) fn forget(store: &Store, is_meant: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut forgotten = Vec::new();
    change(store, |record| {
        record.links.retain(|path, _| {
            let is_meant = is_meant(path);
            if is_meant {
                forgotten.push(path.clone());
            }
            !is_meant
        });
    })?;
    Ok(forgotten)
}

fn change(store: &Store, act: impl FnOnce(&mut Record)) -> Result<()> {
    store.may_change()?;
    let _lock = StoreLock::acquire_within(store.layout(), PATIENCE, || store.advance(0))?;
    let mut record = Record::load(store.layout());
    act(&mut record);
    record.write(store)
}
