//! The walk over `manifests/`: every manifest, and whatever hides some.
//!
//! It has two steps, so that the second can be taken for many directories at once, and left out for
//! those that are known: the directories of models, and the files in each.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::{is_dropping, is_of_the_system, is_staged};
use super::{Layout, ManifestFile, sorted, sorted_entries};
use crate::fs::read::{self, Text};
use crate::fs::stamp::FileStamp;
use crate::fs::system::directory::Directory;
use crate::fs::system::stat::Kind;
use crate::name::ModelName;

/// What a walk over the manifests met, each in byte order of paths.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// The files at the depth of manifests.
    pub files: Vec<ManifestFile>,
    pub obstacles: Obstacles,
    /// Whether there is no `manifests` at all.
    pub is_missing: bool,
}

/// What is met that is no manifest.
#[derive(Debug, Default)]
pub(crate) struct Obstacles {
    /// The entries that are there and do not lead to what belongs in their place. Manifests may be
    /// behind them.
    pub blocked: Vec<(PathBuf, io::Error)>,
    /// Entries that hold no models: what file systems leave at the top, and what is no file where no
    /// manifest is looked for.
    pub strays: Vec<PathBuf>,
    /// Files where no manifest is looked for: under a directory in the place of one, or where only a
    /// directory could be. What decodes as a manifest there is one all the same.
    pub misplaced: Vec<Misplaced>,
    /// Files of ours that were staged here and never became visible.
    pub staged: Vec<PathBuf>,
}

/// A file where no manifest is looked for.
#[derive(Debug)]
pub(crate) struct Misplaced {
    pub path: PathBuf,
    /// The entry that is noted where it is none: itself, or the directory that it is under.
    pub entry: PathBuf,
}

/// The first step of a walk: the directories of models, in byte order of paths.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub models: Vec<ModelDirectory>,
    pub obstacles: Obstacles,
    pub is_missing: bool,
    /// How many namespaces are held open.
    held: usize,
}

/// A directory in the place of a model, whose files are its tags.
#[derive(Debug)]
pub(crate) struct ModelDirectory {
    pub path: PathBuf,
    /// The open directory from which this one is reached, and the way from there.
    base: Arc<Directory>,
    below: PathBuf,
    parts: [OsString; 3],
    /// The outermost link on the way to it, itself included.
    link: Option<PathBuf>,
}

/// The files in the directory of a model, in byte order.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    pub files: Vec<ManifestFile>,
    pub obstacles: Obstacles,
    /// Whether there is anything but files: what they are is not known from their directory alone.
    pub is_mixed: bool,
}

/// How many namespaces are held open at most: a process has few descriptors.
const HELD: usize = 64;

impl Layout {
    /// Walks over all manifests. Costs a directory read for each directory, and a `stat` for each
    /// link.
    pub(crate) fn walk(&self) -> Walk {
        let tree = self.tree();
        let mut walk = Walk {
            files: Vec::new(),
            obstacles: tree.obstacles,
            is_missing: tree.is_missing,
        };
        for model in &tree.models {
            let tags = model.tags();
            walk.files.extend(tags.files);
            walk.obstacles.join(tags.obstacles);
        }
        walk.obstacles.sort();
        walk
    }

    /// Counts the files that a walk would find, and makes nothing of them.
    pub(crate) fn count_manifests(&self) -> usize {
        let tree = self.tree();
        tree.models.iter().map(ModelDirectory::count).sum()
    }

    /// Walks to the directories of models.
    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        let top = self.manifests_directory();
        match top.symlink_metadata() {
            Err(e) if read::is_absence(&e) => tree.is_missing = true,
            Err(e) => tree.obstacles.blocked.push((top, e)),
            // Where all manifests are behind one link, none of them is an alias.
            Ok(metadata) => match directory_behind(&top, metadata.file_type().into()) {
                Ok(true) => match Directory::open(&top) {
                    Ok(opened) => tree.descend(&top, &Arc::new(opened), &mut Vec::new(), None),
                    Err(e) => tree.obstacles.block(top, e),
                },
                Ok(false) => tree.obstacles.block(top, not_a_directory()),
                Err(e) => tree.obstacles.block(top, e),
            },
        }
        tree
    }
}

impl Obstacles {
    /// Notes the files under a directory in the place of a manifest. No link there is followed.
    fn look_under(&mut self, entry: &Path) {
        let mut left = vec![entry.to_owned()];
        while let Some(directory) = left.pop() {
            match entries_anew(&directory) {
                Err(error) => self.block(directory, error),
                Ok(entries) => {
                    for (name, kind) in entries.unwrap_or_default() {
                        let path = directory.join(name);
                        match kind {
                            Kind::Directory => left.push(path),
                            _ => self.misplace(path, entry),
                        }
                    }
                }
            }
        }
    }

    /// Notes an entry where no manifest is looked for. One that is no file is none.
    fn misplace(&mut self, path: PathBuf, entry: &Path) {
        let entry = entry.to_owned();
        match path.is_file() {
            true => self.misplaced.push(Misplaced { path, entry }),
            false => self.strays.push(entry),
        }
    }

    /// Notes an obstacle, unless it has vanished meanwhile.
    fn block(&mut self, path: PathBuf, error: io::Error) {
        if !read::is_gone(&path) {
            self.blocked.push((path, error));
        }
    }

    pub(crate) fn join(&mut self, other: Obstacles) {
        self.blocked.extend(other.blocked);
        self.strays.extend(other.strays);
        self.misplaced.extend(other.misplaced);
        self.staged.extend(other.staged);
    }

    pub(crate) fn sort(&mut self) {
        self.blocked.sort_by(|a, b| a.0.cmp(&b.0));
        self.strays.sort();
        self.staged.sort();
    }
}

impl Tree {
    /// Looks into the directory of all hosts, of a host or of a namespace, which `base` is or has
    /// below it.
    fn descend(
        &mut self,
        directory: &Path,
        base: &Arc<Directory>,
        parts: &mut Vec<OsString>,
        link: Option<&Path>,
    ) {
        let entries = match entries_anew(directory) {
            Ok(entries) => entries.unwrap_or_default(),
            Err(error) => return self.obstacles.block(directory.to_owned(), error),
        };
        let namespace = (parts.len() == 2).then(|| self.hold(directory)).flatten();
        let base = namespace.as_ref().unwrap_or(base);
        for (name, kind) in entries {
            let path = directory.join(&name);
            let own_link = (kind == Kind::Link).then(|| path.clone());
            let link = link.or(own_link.as_deref());
            if is_staged(&name, kind) {
                self.obstacles.staged.push(path);
            } else if parts.is_empty() && is_of_the_system(&name) {
                self.obstacles.strays.push(path);
            } else {
                self.directory(path, base, name, kind, parts, link);
            }
        }
    }

    /// Holds the directory of a namespace open, while there are few.
    fn hold(&mut self, directory: &Path) -> Option<Arc<Directory>> {
        let is_left = self.held < HELD;
        let opened = is_left.then(|| Directory::open(directory).ok()).flatten()?;
        self.held += 1;
        Some(Arc::new(opened))
    }

    /// Takes an entry in the place of a host, a namespace or a model.
    fn directory(
        &mut self,
        path: PathBuf,
        base: &Arc<Directory>,
        name: OsString,
        kind: Kind,
        parts: &mut Vec<OsString>,
        link: Option<&Path>,
    ) {
        match directory_behind(&path, kind) {
            Ok(true) => match parts.as_slice() {
                [host, namespace] => {
                    let below = path.strip_prefix(base.path()).unwrap_or(&path).to_owned();
                    self.models.push(ModelDirectory {
                        base: base.clone(),
                        below,
                        parts: [host.clone(), namespace.clone(), name],
                        link: link.map(Path::to_owned),
                        path,
                    });
                }
                _ => {
                    parts.push(name);
                    self.descend(&path, base, parts, link);
                    parts.pop();
                }
            },
            Ok(false) if is_dropping(&name) || !could_be_part(&name) => {
                self.obstacles.misplace(path.clone(), &path);
            }
            Ok(false) => self.obstacles.block(path, not_a_directory()),
            Err(e) => self.obstacles.block(path, e),
        }
    }
}

impl ModelDirectory {
    /// Returns whether the way to it leads through no link.
    pub(crate) fn is_plain(&self) -> bool {
        self.link.is_none()
    }

    /// Returns the fingerprint of the directory now.
    pub(crate) fn stamp(&self) -> Option<FileStamp> {
        let stat = self.base.stat(&self.below).ok()?;
        stat.is_dir().then(|| FileStamp::of(&stat))
    }

    /// Returns the fingerprint of a file in it now, links followed.
    pub(crate) fn stamp_of(&self, tag: &OsStr) -> Option<FileStamp> {
        let stat = self.base.stat(&self.below.join(tag)).ok()?;
        stat.is_file().then(|| FileStamp::of(&stat))
    }

    /// Reads a file in it.
    ///
    /// # Errors
    /// Of the short way to it: its path may tell more.
    pub(crate) fn read(&self, tag: &OsStr) -> io::Result<Text> {
        read::read_text_in(&self.base, &self.below.join(tag))
    }

    /// Returns the files in it. A directory there holds none that is looked for.
    pub(crate) fn tags(&self) -> Tags {
        let mut tags = Tags::default();
        let entries = match sorted(&self.base, Some(&self.below)) {
            Ok(entries) => entries,
            // The whole path tells what is the matter.
            Err(_) => match entries_anew(&self.path) {
                Ok(entries) => entries.unwrap_or_default(),
                Err(error) => {
                    tags.is_mixed = true;
                    tags.obstacles.block(self.path.clone(), error);
                    return tags;
                }
            },
        };
        for (name, kind) in entries {
            tags.is_mixed |= kind != Kind::File;
            if is_staged(&name, kind) {
                tags.is_mixed = true;
                tags.obstacles.staged.push(self.path.join(&name));
                continue;
            }
            let mut file = self.file(&name);
            if kind == Kind::Directory {
                tags.obstacles.look_under(&file.path);
                continue;
            }
            if kind == Kind::Link && file.path.is_dir() {
                continue;
            }
            if kind == Kind::Link && file.link.is_none() {
                file.link = Some(file.path.clone());
            }
            tags.files.push(file);
        }
        tags
    }

    fn count(&self) -> usize {
        let mut count = 0;
        let read = self.base.each_in(&self.below, &mut |name, kind| {
            count += match kind {
                Kind::Directory => 0,
                Kind::Link => usize::from(!self.path.join(name).is_dir()),
                _ => usize::from(!is_staged(name, kind)),
            };
        });
        match read {
            Ok(()) => count,
            Err(_) => self.tags().files.len(),
        }
    }

    /// Returns a file in it, which is no link.
    pub(crate) fn file(&self, tag: &OsStr) -> ManifestFile {
        let could_be = self.parts.iter().all(|part| could_be_part(part)) && could_be_part(tag);
        ManifestFile {
            name: tag.to_str().and_then(|tag| self.name(tag)),
            link: self.link.clone(),
            is_plausible: could_be && !is_dropping(tag),
            path: self.path.join(tag),
        }
    }

    /// Returns the name of the model with a tag, where a name can have all parts.
    fn name(&self, tag: &str) -> Option<ModelName> {
        let [host, namespace, model] = &self.parts;
        ModelName::from_parts(host.to_str()?, namespace.to_str()?, model.to_str()?, tag)
    }
}

/// Reads a directory; `None` for one that was pruned. One that was made again since is read once
/// more.
fn entries_anew(directory: &Path) -> io::Result<Option<Vec<(OsString, Kind)>>> {
    read::anew(
        directory,
        || sorted_entries(directory),
        |error| error.kind() == io::ErrorKind::NotFound,
    )
}

/// Returns whether a directory is behind an entry; an error where it cannot be told, or a link
/// leads nowhere.
fn directory_behind(path: &Path, kind: Kind) -> io::Result<bool> {
    if kind != Kind::Link {
        return Ok(kind == Kind::Directory);
    }
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(e) => Err(read::dangling(path, e)),
    }
}

/// Returns whether a name could be a part of a model's, whatever the longest is that a release
/// admits.
fn could_be_part(name: &OsStr) -> bool {
    let starts = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let goes_on = |byte: &u8| starts(byte) || b"-.:".contains(byte);
    let name = name.as_encoded_bytes();
    name.first().is_some_and(starts) && name.iter().all(goes_on)
}

fn not_a_directory() -> io::Error {
    io::Error::new(io::ErrorKind::NotADirectory, "not a directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_has_the_letters_of_one_whatever_its_length() {
        let long = "x".repeat(300);
        for name in ["a", "_a", "A1", "7b", "a-b.c:d_e", &long] {
            assert!(could_be_part(OsStr::new(name)), "{name}");
        }
        for name in ["", ".a", "-a", ":a", "a b", "a~", "a+b", "\u{e4}"] {
            assert!(!could_be_part(OsStr::new(name)), "{name}");
        }
    }
}
