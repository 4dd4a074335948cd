//! The walk over `manifests/`: every manifest, and whatever hides some.

use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use super::entry::{STAGED, is_dropping, is_of_the_system};
use super::{Layout, ManifestFile, sorted_entries};
use crate::fs::read;
use crate::name::ModelName;

/// What a walk over the manifests met, each in byte order of paths.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// The files at the depth of manifests.
    pub files: Vec<ManifestFile>,
    /// The entries that are there and do not lead to what belongs in their place. Manifests may be
    /// behind them.
    pub blocked: Vec<(PathBuf, io::Error)>,
    /// Entries that hold no models: what file managers and file systems leave, and files that stand
    /// where only a directory could be, under names that no directory of models has.
    pub strays: Vec<PathBuf>,
    /// Files of ours that were staged here and never became visible.
    pub staged: Vec<PathBuf>,
    /// Whether there is no `manifests` at all.
    pub is_missing: bool,
}

/// How deep a manifest is: host, namespace, model, tag.
const DEPTH: usize = 4;

impl Layout {
    /// Walks over all manifests. Costs a directory read for each directory, and a `stat` for each
    /// link.
    pub(crate) fn walk(&self) -> Walk {
        let mut walk = Walk::default();
        let top = self.manifests_directory();
        match top.symlink_metadata() {
            Err(e) if read::is_absence(&e) => walk.is_missing = true,
            Err(e) => walk.blocked.push((top, e)),
            // Where all manifests are behind one link, none of them is an alias.
            Ok(metadata) => match directory_behind(&top, metadata.file_type()) {
                Ok(true) => walk.descend(&top, &mut Vec::new(), None),
                Ok(false) => walk.block(top, not_a_directory()),
                Err(e) => walk.block(top, e),
            },
        }
        walk
    }
}

impl Walk {
    /// Notes an obstacle, unless it has vanished meanwhile.
    fn block(&mut self, path: PathBuf, error: io::Error) {
        if !read::is_gone(&path) {
            self.blocked.push((path, error));
        }
    }

    fn descend(&mut self, directory: &Path, parts: &mut Vec<OsString>, link: Option<&Path>) {
        let entries = match entries_anew(directory) {
            Ok(entries) => entries.unwrap_or_default(),
            Err(error) => return self.block(directory.to_owned(), error),
        };
        for (name, kind) in entries {
            let path = directory.join(&name);
            let own_link = kind.is_symlink().then(|| path.clone());
            let link = link.or(own_link.as_deref());
            if name.as_encoded_bytes().starts_with(STAGED.as_bytes()) && kind.is_file() {
                self.staged.push(path);
            } else if parts.is_empty() && is_of_the_system(&name) {
                self.strays.push(path);
            } else if parts.len() + 1 == DEPTH {
                self.tag(path, &name, kind, parts, link.map(Path::to_owned));
            } else {
                self.directory(&path, name, kind, parts, link);
            }
        }
    }

    /// Takes an entry in the place of a host, a namespace or a model.
    fn directory(
        &mut self,
        path: &Path,
        name: OsString,
        kind: FileType,
        parts: &mut Vec<OsString>,
        link: Option<&Path>,
    ) {
        match directory_behind(path, kind) {
            Ok(true) => {
                parts.push(name);
                self.descend(path, parts, link);
                parts.pop();
            }
            Ok(false) if is_dropping(&name) || !could_be_part(&name) => {
                self.strays.push(path.to_owned());
            }
            Ok(false) => self.block(path.to_owned(), not_a_directory()),
            Err(e) => self.block(path.to_owned(), e),
        }
    }

    /// Takes an entry in the place of a manifest. A directory there holds none.
    fn tag(
        &mut self,
        path: PathBuf,
        name: &OsStr,
        kind: FileType,
        parts: &[OsString],
        link: Option<PathBuf>,
    ) {
        if kind.is_dir() || kind.is_symlink() && path.is_dir() {
            return;
        }
        let names: Vec<&OsStr> = parts
            .iter()
            .map(OsString::as_os_str)
            .chain([name])
            .collect();
        let texts: Vec<&str> = names.iter().filter_map(|part| part.to_str()).collect();
        let name = match texts.as_slice() {
            [host, namespace, model, tag] => ModelName::from_parts(host, namespace, model, tag),
            _ => None,
        };
        let is_dropping = names.last().is_some_and(|name| is_dropping(name));
        let is_plausible = !is_dropping && names.iter().all(|part| could_be_part(part));
        self.files.push(ManifestFile {
            path,
            name,
            link,
            is_plausible,
        });
    }
}

/// Reads a directory; `None` for one that was pruned. One that was made again since is read once
/// more.
fn entries_anew(directory: &Path) -> io::Result<Option<Vec<(OsString, FileType)>>> {
    read::anew(
        directory,
        || sorted_entries(directory),
        |error| error.kind() == io::ErrorKind::NotFound,
    )
}

/// Returns whether a directory is behind an entry; an error where it cannot be told, or a link
/// leads nowhere.
fn directory_behind(path: &Path, kind: FileType) -> io::Result<bool> {
    if !kind.is_symlink() {
        return Ok(kind.is_dir());
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
