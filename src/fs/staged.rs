//! Files that become visible whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fs::layout::Layout;
use crate::fs::{ops, owner};

/// How much a change has to survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Every change is on the disk before the call returns: it survives a power cut.
    #[default]
    Full,
    /// The system writes when it likes. A crash of the process loses nothing; a power cut may
    /// lose or damage what was changed in the last seconds.
    None,
}

/// What a staged file will become; decides on which device it is staged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Blobs,
    Manifests,
    /// Our own directory.
    Own,
}

/// A file under a temporary name, gone when dropped before it is committed.
pub(crate) struct Staged {
    path: PathBuf,
    file: File,
    durability: Durability,
    committed: bool,
}

impl Staged {
    pub(crate) fn new(layout: &Layout, place: Place, durability: Durability) -> Result<Self> {
        let path = staging(layout, place)?.join(unique_name());
        let file = ops::create(&path).map_err(|e| Error::io("creating", &path, e))?;
        claim(&file);
        let staged = Staged {
            path,
            file,
            durability,
            committed: false,
        };
        staged.adopt_owner(&layout.blobs_directory())?;
        Ok(staged)
    }

    /// Stages a file that `link` makes at the path it is given. Whose it is stays as it is.
    pub(crate) fn linked(
        layout: &Layout,
        durability: Durability,
        link: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<Self> {
        let path = staging(layout, Place::Blobs)?.join(unique_name());
        link(&path).map_err(|e| Error::io("linking", &path, e))?;
        let file = File::open(&path).map_err(|e| Error::io("opening", &path, e))?;
        claim(&file);
        Ok(Staged {
            path,
            file,
            durability,
            committed: false,
        })
    }

    /// Where it lies until it is committed.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        ops::write(&mut self.file, &self.path, bytes)
            .map_err(|e| Error::io("writing", &self.path, e))
    }

    /// Renames it to `to`, replacing what is there; a link there is replaced, not followed.
    ///
    /// The bytes are on the disk before the name is: what a power cut leaves is the old file or
    /// the new one. A directory that a server's pruning removes in between is made again.
    pub(crate) fn commit(mut self, to: &Path, directories: &[PathBuf]) -> Result<()> {
        let at = |e| Error::io("writing", to, e);
        self.sync()?;
        let mut made = Vec::new();
        let mut attempts_left = 10;
        let mut is_beside = false;
        loop {
            make_directories(directories, &mut made)?;
            match ops::rename(&self.path, to) {
                Ok(()) => break,
                Err(e) if e.kind() == io::ErrorKind::NotFound && attempts_left > 0 => {
                    attempts_left -= 1;
                }
                Err(e) if e.kind() == io::ErrorKind::CrossesDevices && !is_beside => {
                    self.move_beside(to)?;
                    is_beside = true;
                }
                Err(e) => return Err(at(e)),
            }
        }
        self.committed = true;
        if self.durability == Durability::Full {
            let parents = made.iter().filter_map(|directory| directory.parent());
            for directory in to.parent().into_iter().chain(parents) {
                sync_if_there(directory).map_err(at)?;
            }
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        match self.durability {
            Durability::Full => {
                ops::sync(&self.file, &self.path).map_err(|e| Error::io("writing", &self.path, e))
            }
            Durability::None => Ok(()),
        }
    }

    /// Moves it into the directory of `to`, where a link has put that on another device than all
    /// places for staging. Its name begins with a dot, which no model's does.
    fn move_beside(&mut self, to: &Path) -> Result<()> {
        let name = format!(".modelkeep-{}", unique_name());
        let path = to.with_file_name(name);
        let file = ops::create(&path).map_err(|e| Error::io("creating", &path, e))?;
        claim(&file);
        let mut beside = Staged {
            path,
            file,
            durability: self.durability,
            committed: false,
        };
        let bytes = fs::read(&self.path).map_err(|e| Error::io("reading", &self.path, e))?;
        beside.write(&bytes)?;
        if let Some(directory) = to.parent() {
            beside.adopt_owner(directory)?;
        }
        beside.sync()?;
        // What was staged first is dropped, and gone.
        std::mem::swap(self, &mut beside);
        Ok(())
    }

    /// Gives a file that root has made to the owner of the blobs.
    pub(crate) fn adopt_owner(&self, blobs: &Path) -> Result<()> {
        owner::adopt(&self.file, blobs)
            .map_err(|e| Error::io("setting the owner of", &self.path, e))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.committed {
            // What cannot be removed now, a collection takes.
            let _ = ops::unlink(&self.path);
        }
    }
}

/// Makes the names in a directory durable; one that was pruned meanwhile has none to keep.
pub(crate) fn sync_if_there(directory: &Path) -> io::Result<()> {
    match ops::sync_directory(directory) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Makes our own directory, or one inside it. Never one behind a link: what lies there is not ours
/// to sweep and to remove.
pub(crate) fn make_own_directory(path: &Path) -> Result<()> {
    match make_directory(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && is_own(path) => Ok(()),
        made => made.map_err(|e| Error::io("creating directory", path, e)),
    }
}

/// Whether a directory is there and no link.
pub(crate) fn is_own(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|metadata| metadata.is_dir())
}

fn make_directory(path: &Path) -> io::Result<()> {
    ops::make_directory(path)?;
    owner::adopt_directory(path)
}

/// Makes directories, given innermost first, and notes which of them are new.
fn make_directories(directories: &[PathBuf], made: &mut Vec<PathBuf>) -> Result<()> {
    for directory in directories.iter().rev() {
        match make_directory(directory) {
            Ok(()) => made.push(directory.clone()),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            // The parent may just have been pruned; the rename finds out and all are made again.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io("creating directory", directory, e)),
        }
    }
    Ok(())
}

/// Marks a staged file as somebody's, for [`is_abandoned`], until it is closed. A file system
/// without locks has none; then only the age tells.
fn claim(file: &File) {
    let _ = file.try_lock_shared();
}

/// Whether a staged file's writer is gone: it is a minute old, and nobody holds it.
pub(crate) fn is_abandoned(path: &Path) -> bool {
    let age = |file: &File| {
        file.metadata()?
            .modified()?
            .elapsed()
            .map_err(io::Error::other)
    };
    match File::open(path) {
        Ok(file) => {
            age(&file).is_ok_and(|age| age > Duration::from_secs(60)) && file.try_lock().is_ok()
        }
        Err(_) => false,
    }
}

/// A directory on the device of `place` in which temporary names disturb nobody.
fn staging(layout: &Layout, place: Place) -> Result<PathBuf> {
    let own = match place {
        // A file directly under `manifests` is no manifest to anybody.
        Place::Manifests if layout.manifests_lie_elsewhere() => {
            return Ok(layout.manifests_directory());
        }
        Place::Blobs if layout.blobs_lie_elsewhere() => layout.own_beside_blobs(),
        _ => layout.own_directory(),
    };
    make_own_directory(&own)?;
    let staging = own.join("tmp");
    make_own_directory(&staging)?;
    Ok(staging)
}

/// No two of our processes or threads choose the same name.
pub(crate) fn unique_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let nanoseconds = std::time::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_nanos());
    format!(
        "{}-{}-{nanoseconds:x}",
        process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}
