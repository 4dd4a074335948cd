//! A name for a file of a store, outside of any store: made beside its place, and put there in one
//! step.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::staged;
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::Stat;
use crate::fs::{ops, owner, read};

/// How a link shows a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Reflink,
    Hard,
    Symbolic,
}

/// A link under a temporary name, gone when dropped before it is committed.
pub(crate) struct NewLink {
    path: PathBuf,
    kind: Kind,
    is_committed: bool,
}

impl NewLink {
    /// Makes a link of one kind to a file, beside the path that it is to have.
    pub(crate) fn make(kind: Kind, file: &Path, to: &Path) -> io::Result<Self> {
        let path = staged::place_beside(to);
        match kind {
            Kind::Reflink => ops::reflink(&read::open_regular(file)?, file, &path)?,
            // A symbolic link is followed: what is linked is the file behind it.
            Kind::Hard => ops::hard_link(&file.canonicalize()?, &path)?,
            Kind::Symbolic => ops::symlink(&std::path::absolute(file)?, &path)?,
        }
        Ok(NewLink {
            path,
            kind,
            is_committed: false,
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the fingerprint of what was made: of a symbolic link its own.
    pub(crate) fn stamp(&self) -> io::Result<FileStamp> {
        Stat::of_entry(&self.path).map(|stat| FileStamp::of(&stat))
    }

    /// Returns whether it has its name, also where that could not be made durable.
    pub(crate) fn is_committed(&self) -> bool {
        self.is_committed
    }

    /// Gives it its name, which must be free unless `replace` says that what is there may go. What
    /// a link is replaced by is there at every moment.
    pub(crate) fn commit(
        &mut self,
        to: &Path,
        replace: bool,
        durability: Durability,
    ) -> Result<()> {
        let at = |e| Error::io("linking", to, e);
        if self.kind == Kind::Reflink && durability == Durability::Full {
            let file = read::open_regular(&self.path).map_err(at)?;
            ops::sync(&file, &self.path).map_err(at)?;
        }
        let renamed = match replace {
            true => ops::rename(&self.path, to),
            false => ops::rename_new(&self.path, to),
        };
        match renamed {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(taken(to)),
            renamed => renamed.map_err(at)?,
        }
        self.is_committed = true;
        match durability {
            Durability::Full => staged::sync_if_there(owner::parent(to)).map_err(at),
            Durability::None => Ok(()),
        }
    }
}

impl Drop for NewLink {
    fn drop(&mut self) {
        if !self.is_committed {
            // It holds no bytes of its own.
            let _ = ops::unlink(&self.path);
        }
    }
}

/// Returns the error of a path at which something else is.
pub(crate) fn taken(path: &Path) -> Error {
    let text = format!("{} already exists", path.display());
    Error::new(ErrorKind::AlreadyExists, text).at(path)
}

/// Directories that were made for links, and are removed again where they stay empty.
pub(crate) struct NewDirectories(Vec<PathBuf>);

impl NewDirectories {
    /// Makes a directory and what is missing above it.
    pub(crate) fn make(path: &Path, durability: Durability) -> Result<Self> {
        let path = owner::non_empty(path);
        let missing = path.ancestors().take_while(|path| read::is_gone(path));
        let missing: Vec<PathBuf> = missing
            .filter(|path| !path.as_os_str().is_empty())
            .map(Path::to_owned)
            .collect();
        let mut made = NewDirectories(Vec::new());
        for directory in missing.iter().rev() {
            let at = |e| Error::io("creating directory", directory, e);
            match ops::make_directory(directory) {
                Ok(()) => made.0.push(directory.clone()),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(at(e)),
            }
            if durability == Durability::Full {
                staged::sync_if_there(owner::parent(directory)).map_err(at)?;
            }
        }
        match path.is_dir() {
            true => Ok(made),
            false => Err(Error::io(
                "linking into",
                path,
                io::ErrorKind::NotADirectory.into(),
            )),
        }
    }
}

impl NewDirectories {
    pub(crate) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for NewDirectories {
    fn drop(&mut self) {
        for directory in self.0.iter().rev() {
            // One that holds something stays: a directory that is not empty cannot be removed.
            let _ = ops::remove_directory(directory);
        }
    }
}
