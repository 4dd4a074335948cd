//! Links that are being made.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::link::{Kind, NewDirectories, NewLink, taken};
use crate::fs::system::code;
use crate::fs::{link_place, ops, owner};
use crate::name::ModelName;
use crate::store::handle::Store;

use super::found::Found;
use super::plan::{Plan, Planned};
use super::record::{self, Draft, Entry, Record};
use super::{Link, LinkMode, LinkOptions, Linked};

/// What the links of a model are made by.
pub(super) struct Making<'m> {
    pub store: &'m Store,
    pub name: &'m ModelName,
    pub plan: &'m Plan,
    pub record: &'m Record,
    pub options: &'m LinkOptions,
}

/// A link that waits for its name.
struct Waiting<'m> {
    new: NewLink,
    planned: &'m Planned,
    replaces: bool,
}

impl Waiting<'_> {
    fn has_replaced(&self, path: &Path) -> bool {
        self.replaces && self.new.is_committed() && self.planned.path == path
    }
}

/// All links of a model that wait for their names, and what is to be remembered.
#[derive(Default)]
struct Batch<'m> {
    // Dropped in this order: what waits is in the directories.
    waiting: Vec<Waiting<'m>>,
    directories: Vec<NewDirectories>,
    entries: Vec<(PathBuf, Entry)>,
}

impl<'m> Making<'m> {
    /// Returns the link that is to be in a place, beside what is there.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) where that may not be replaced.
    pub(super) fn link(&self, planned: &Planned) -> Result<Link> {
        self.must_be_outside(planned)?;
        let found = Found::at(self.store, planned, self.name, self.record)?;
        let options = self.options;
        let is_asked = |mode: LinkMode| [LinkMode::Auto, mode].contains(&options.mode);
        let (mode, replaced, unchanged) = match found {
            Found::Nothing => (options.mode, false, false),
            Found::Current(mode, _) if is_asked(mode) => (mode, false, true),
            Found::Current(_, true) | Found::Ours => (options.mode, true, false),
            Found::Current(..) | Found::File if options.replace => (options.mode, true, false),
            _ => return Err(taken(&planned.path)),
        };
        Ok(Link {
            path: planned.path.clone(),
            digest: planned.digest,
            size: planned.size,
            mode,
            replaced,
            unchanged,
        })
    }

    /// Fails for a place among what a store keeps for itself.
    fn must_be_outside(&self, planned: &Planned) -> Result<()> {
        let path = &planned.path;
        if !link_place::is_among(self.store.layout(), path) {
            return Ok(());
        }
        let text = format!(
            "linking to {}: a link belongs outside of the store",
            path.display()
        );
        Err(Error::new(ErrorKind::InvalidArgument, text).at(path))
    }

    /// Makes links beside their places, remembers them, and only then gives them their names: what a
    /// crash leaves in between is remembered and missing, never there and unknown.
    pub(super) fn run(&self, linked: &mut Linked) -> Result<()> {
        let mut batch = self.batch(&mut linked.links)?;
        let noted = match record::note(self.store, &batch.entries) {
            Err(error) if !is_without_record(&error) => return Err(error),
            noted => noted,
        };
        if let Err(error) = self.name_all(&mut batch.waiting) {
            if let Ok(mut before) = noted {
                // What was replaced already is the new link.
                let is_new = |path: &PathBuf| batch.waiting.iter().any(|it| it.has_replaced(path));
                before.retain(|(path, _)| !is_new(path));
                record::put_back(self.store, before);
            }
            return Err(error);
        }
        batch.directories.into_iter().for_each(NewDirectories::keep);
        if let Err(error) = noted {
            linked.not_remembered = error.to_string();
        }
        Ok(())
    }

    fn batch(&self, links: &mut [Link]) -> Result<Batch<'m>> {
        let durability = self.store.options().durability;
        let mut batch = Batch::default();
        for (planned, link) in self.plan.files.iter().zip(links) {
            let draft = Draft::new(self, planned);
            if link.unchanged {
                // A symbolic link speaks for itself. Another file may be the caller's own.
                let is_symbolic = link.mode == LinkMode::Symlink;
                batch
                    .entries
                    .extend(is_symbolic.then(|| draft.of_link()).flatten());
                continue;
            }
            let parent = owner::parent(&planned.path);
            batch
                .directories
                .push(NewDirectories::make(parent, durability)?);
            // A path may lead elsewhere through a directory that is there only now.
            self.must_be_outside(planned)?;
            let new = make(planned, self.options.mode)?;
            link.mode = new.kind().into();
            batch.entries.extend(draft.of(&new));
            batch.waiting.push(Waiting {
                new,
                planned,
                replaces: link.replaced,
            });
        }
        Ok(batch)
    }

    /// Gives all links their names, or none that was free.
    fn name_all(&self, waiting: &mut [Waiting<'_>]) -> Result<()> {
        let durability = self.store.options().durability;
        let mut named = Named::default();
        for waiting in waiting.iter_mut() {
            if waiting.replaces {
                // What was found there may not be there any more.
                self.link(waiting.planned)?;
            }
            let (new, path) = (&mut waiting.new, &waiting.planned.path);
            let done = new.commit(path, waiting.replaces, durability);
            if new.is_committed() && !waiting.replaces {
                named.0.push(path.clone());
            }
            done?;
        }
        named.0.clear();
        Ok(())
    }
}

/// Returns whether a store takes no record, and nothing is wrong: it is read-only or another user's,
/// another change of it takes long, or the record is full.
fn is_without_record(error: &Error) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    let refusal = error.cause_of::<std::io::Error>().map(std::io::Error::kind);
    matches!(refusal, Some(PermissionDenied | ReadOnlyFilesystem))
        || matches!(
            error.kind(),
            ErrorKind::ReadOnly | ErrorKind::Unsupported | ErrorKind::Busy
        )
}

/// Links that are there, and go again where another one of their model cannot be.
#[derive(Default)]
struct Named(Vec<PathBuf>);

impl Drop for Named {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = ops::unlink(path);
        }
    }
}

/// Makes a link in the first way of a mode that is possible.
fn make(planned: &Planned, mode: LinkMode) -> Result<NewLink> {
    let mut refusal = None;
    for kind in mode.kinds() {
        match NewLink::make(*kind, &planned.blob, &planned.path) {
            Ok(new) => return Ok(new),
            // Whatever is in the way of sharing blocks, a link may be possible.
            Err(e) if code::is_unlinkable(&e) || *kind == Kind::Reflink => {
                refusal = Some((*kind, e));
            }
            Err(e) => return Err(Error::io("linking", &planned.path, e)),
        }
    }
    let (kind, e) = refusal.expect("every mode has a kind");
    let error = Error::io("linking", &planned.path, e);
    Err(Error::caused(error.kind(), remedy(kind), error).at(&planned.path))
}

/// Says why the last kind of link that was tried is impossible, and what else may do.
fn remedy(kind: Kind) -> &'static str {
    match kind {
        Kind::Reflink => {
            "the file system cannot share the blocks of the blob; try --mode hardlink or symlink"
        }
        Kind::Hard => {
            "a hard link has to be on the device of the store, and its blob this user's; try --mode \
             symlink"
        }
        Kind::Symbolic => {
            "no link can be made here, and nothing is copied; on Windows a symbolic link needs the \
             developer mode, and a hard link the drive of the store"
        }
    }
}
