//! Manifests that are in their places and not certain yet.
//!
//! A server beside us may delete at any moment, and take a blob that was there when a manifest which
//! names it was made. So what was in its place is kept until everything was looked at once more.
//! Where something is missing then, or an error comes, the manifest is taken back. Where we are
//! killed before that, the journal of the lock says so to the next change, which begins with it.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fs::journal::{self, Journal};
use crate::fs::lock::StoreLock;
use crate::fs::staged::{Place, Staged};
use crate::fs::{ops, read};
use crate::manifest::Manifest;
use crate::name::{Digest, ModelName};
use crate::store::handle::{Change, Store};
use crate::store::problem::Problem;

/// Manifests that are taken back together, or none of them.
pub(in crate::store) struct Provisional<'a> {
    store: &'a Store,
    journal: Option<Journal<'a>>,
    written: Vec<Written>,
}

/// A manifest of ours, and what was in its place.
struct Written {
    target: PathBuf,
    /// All that we have put there, the last one at the end.
    texts: Vec<Digest>,
    before: Before,
}

impl Store {
    /// Runs what writes manifests and looks whether all that they name is there. Where it fails, what
    /// was in their places is put back.
    pub(in crate::store) fn provisionally<T>(
        &self,
        change: &Change,
        write: impl FnOnce(&mut Provisional<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut provisional = Provisional {
            store: self,
            journal: change.lock.journal().map(|(journal, _)| journal),
            written: Vec::new(),
        };
        let done = write(&mut provisional);
        if done.is_err() {
            provisional.take_back()?;
        }
        provisional.settle()?;
        done
    }
}

impl Provisional<'_> {
    /// Puts a manifest in its place, as [`Store::write_manifest`] does. Costs two more small writes,
    /// and where there was one a link and an unlink.
    pub(in crate::store) fn write(&mut self, name: &ModelName, bytes: &[u8]) -> Result<()> {
        let target = self.store.layout().manifest(name);
        let known = self.written.iter().position(|it| it.target == target);
        let (mut texts, before) = match known.map(|at| self.written.remove(at)) {
            Some(written) => (written.texts, written.before),
            None => (Vec::new(), Before::keep(self.store, &target)?),
        };
        let digest = Digest::of(bytes);
        let line = Entry::line(&digest, &before, name);
        texts.push(digest);
        self.written.push(Written {
            target,
            texts,
            before,
        });
        if let Some(journal) = &mut self.journal {
            journal.add(&line)?;
        }
        self.store.write_manifest(name, bytes)
    }

    /// What could not be taken back stays in the journal, and what was kept for it in its place.
    fn take_back(&mut self) -> Result<()> {
        while let Some(written) = self.written.last() {
            match is_there(&written.target, &written.texts)? {
                true => written.before.put_back(self.store, &written.target)?,
                false => written.before.discard(),
            }
            self.written.pop();
        }
        Ok(())
    }

    /// Nothing is uncertain any more.
    fn settle(self) -> Result<()> {
        if let Some(journal) = self.journal {
            journal.take_back()?;
        }
        self.written.iter().for_each(|it| it.before.discard());
        Ok(())
    }
}

/// Returns whether one of these texts is in its place still. What somebody else has put there since
/// is theirs, and they may have removed it.
fn is_there(target: &Path, texts: &[Digest]) -> Result<bool> {
    match read::read_text(target) {
        Ok(text) => Ok(texts.contains(&Digest::of(&text.bytes))),
        Err(_) if read::is_gone(target) => Ok(false),
        Err(e) => Err(Error::io("reading manifest", target, e)),
    }
}

/// What was in the place of a manifest: the very file, whether it can be read or not.
enum Before {
    Nothing,
    /// A second name for it, where nobody looks; a copy where the file system has no links.
    Kept(PathBuf),
}

impl Before {
    /// # Errors
    /// Where there is something that could not be put back. Nothing was changed then.
    fn keep(store: &Store, target: &Path) -> Result<Self> {
        if read::is_gone(target) {
            return Ok(Before::Nothing);
        }
        let linked = Staged::place_for_link(store.layout())?;
        match ops::hard_link(target, &linked) {
            Ok(()) => Ok(Before::Kept(linked)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Before::Nothing),
            Err(_) => {
                let text = read::read_text(target)
                    .map_err(|e| Error::io("reading manifest", target, e))?;
                let mut copy =
                    Staged::new(store.layout(), Place::Manifests, store.options().durability)?;
                copy.write(&text.bytes)?;
                Ok(Before::Kept(copy.left()))
            }
        }
    }

    /// The directories stay: removing them would race with a server that is about to write into
    /// them.
    fn put_back(&self, store: &Store, target: &Path) -> Result<()> {
        match self {
            Before::Nothing => match ops::unlink(target) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(|e| Error::io("removing manifest", target, e))?,
            },
            Before::Kept(path) => match ops::rename(path, target) {
                // A directory above it is a link to another disk, or has become one.
                Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {
                    let durability = store.options().durability;
                    Staged::copied(store.layout(), Place::Manifests, durability, path)?
                        .commit(target, &[])?;
                }
                renamed => {
                    renamed.map_err(|e| Error::io("putting back manifest", target, e))?;
                }
            },
        }
        store.sync_parent(target)
    }

    fn discard(&self) {
        if let Before::Kept(path) = self {
            // It may be back in its place. What cannot be removed now, a collection takes.
            let _ = ops::unlink(path);
        }
    }
}

/// A line of the journal: a text that was about to be the manifest of a name.
struct Entry {
    name: ModelName,
    text: Digest,
    before: Before,
}

impl Entry {
    /// The digest of the text, the name of the file that is kept, and that of the model.
    fn line(text: &Digest, before: &Before, name: &ModelName) -> String {
        let kept = match before {
            Before::Nothing => None,
            Before::Kept(path) => path.file_name(),
        };
        let kept = kept.map_or(NOTHING.into(), |kept| kept.to_string_lossy());
        format!("{} {kept} {}", text.hex(), name.parts().join("/"))
    }

    fn parse(store: &Store, line: &str) -> Option<Self> {
        let [text, kept, name] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let [host, namespace, model, tag] = name.split('/').collect::<Vec<_>>().try_into().ok()?;
        let before = match kept {
            NOTHING => Before::Nothing,
            kept => Before::Kept(Staged::place_called(store.layout(), kept)?),
        };
        Some(Entry {
            name: ModelName::from_parts(host, namespace, model, tag)?,
            text: Digest::of_hex(text)?,
            before,
        })
    }

    /// Takes a manifest back that lacks a blob. One that is whole stays, and so does what somebody
    /// else has put in its place since.
    ///
    /// # Errors
    /// Where nobody can know, or it cannot be done.
    fn finish(&self, store: &Store) -> Result<()> {
        let target = store.layout().manifest(&self.name);
        if !is_there(&target, &[self.text])? || !lacks_a_blob(store, &target)? {
            return Ok(());
        }
        match &self.before {
            // A power cut took it: there is nothing better than what is there.
            Before::Kept(path) if read::is_gone(path) => Ok(()),
            // It was deleted with its blobs.
            Before::Kept(path) if lacks_a_blob(store, path)? => {
                Before::Nothing.put_back(store, &target)
            }
            before => before.put_back(store, &target),
        }
    }
}

/// In place of the name of a file: there was none.
const NOTHING: &str = "-";

/// Returns whether a manifest names a blob that is known to be absent.
fn lacks_a_blob(store: &Store, manifest: &Path) -> Result<bool> {
    let text = read::read_text(manifest);
    let text = text.map_err(|e| Error::io("reading manifest", manifest, e))?;
    let Ok(manifest) = Manifest::parse(&text.bytes) else {
        return Ok(false);
    };
    store.blobs_place()?;
    let is_absent = |digest: &Digest| read::is_gone(&store.layout().blob(digest));
    Ok(manifest.digests().iter().any(is_absent))
}

/// Finishes what a change was about that was killed, or takes it back; returns what can be neither
/// finished nor taken back now. Every change begins with this. Costs one small read where nothing is
/// left.
pub(in crate::store) fn recover(store: &Store, lock: &StoreLock) -> Vec<Problem> {
    let Some((mut journal, text)) = lock.journal().filter(|(_, text)| !text.is_empty()) else {
        return Vec::new();
    };
    let (mut left, mut stuck) = (String::new(), Vec::new());
    let mut done = Vec::new();
    // The last one first: of two texts for one name the second may not have come to be.
    for line in text.lines().rev() {
        let Some(entry) = Entry::parse(store, line) else {
            continue;
        };
        match entry.finish(store) {
            Ok(()) => done.push(entry.before),
            Err(error) => {
                left = format!("{line}\n{left}");
                let target = store.layout().manifest(&entry.name);
                stuck.push(Problem::new(&target, Some(&entry.name), error));
            }
        }
    }
    // Where it cannot say so, it is all looked at again.
    if journal.set(&left).is_ok() && stuck.is_empty() {
        done.iter().for_each(Before::discard);
    }
    stuck
}

/// Returns the names of the models of which an interrupted change has not made sure, or one that is
/// under way.
pub(in crate::store) fn uncertain(store: &Store) -> Vec<ModelName> {
    let text = journal::peek(&store.layout().lock_file());
    let entries = text.lines().filter_map(|line| Entry::parse(store, line));
    entries.map(|entry| entry.name).collect()
}

/// Says that a model is one of these, and how that ends.
pub(in crate::store) const UNCERTAIN: &str = "a change of this model is under way, or was interrupted: the next change, such as `modelkeep \
     gc`, takes it back where a blob is missing";
