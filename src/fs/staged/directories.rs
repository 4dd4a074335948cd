//! Directories that are made for files, and made durable.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fs::durability::Durability;
use crate::fs::{ops, owner, read};

/// Makes the names in a directory durable; one that was pruned meanwhile has none to keep.
pub(crate) fn sync_if_there(directory: &Path) -> io::Result<()> {
    match ops::sync_directory(directory) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Makes our own directory, or one inside it. Never one behind a link: what lies there is not ours
/// to sweep and to remove.
pub(crate) fn make_private_dir(path: &Path) -> Result<()> {
    let at = |e| owner::refused("creating directory", path, e);
    if is_private_dir(path) {
        return Ok(());
    }
    match make_directory(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && is_private_dir(path) => Ok(()),
        Err(e) => Err(at(e)),
        Ok(()) => owner::share_directory(path).map_err(at),
    }
}

/// Returns whether a directory is there and no link.
pub(crate) fn is_private_dir(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|metadata| metadata.is_dir())
}

fn make_directory(path: &Path) -> io::Result<()> {
    ops::make_directory(path)?;
    owner::adopt_directory(path)
}

/// Makes a directory and what is missing above it, each for the owner of its place.
pub(crate) fn make_all(path: &Path, durability: Durability) -> Result<()> {
    let missing = path.ancestors().take_while(|path| read::is_gone(path));
    let missing: Vec<PathBuf> = missing
        .filter(|path| !path.as_os_str().is_empty())
        .map(Path::to_owned)
        .collect();
    let mut made = Vec::new();
    make_directories(&missing, &mut made)?;
    if durability == Durability::Full {
        for new in &made {
            sync_if_there(owner::parent(new))
                .map_err(|e| Error::io("creating directory", new, e))?;
        }
    }
    Ok(())
}

/// Makes a directory, the first of these, and those above it that are missing; notes which are new.
pub(super) fn make_directories(directories: &[PathBuf], made: &mut Vec<PathBuf>) -> Result<()> {
    let Some((directory, above)) = directories.split_first() else {
        return Ok(());
    };
    let mut making = make_directory(directory);
    if making.as_ref().is_err_and(read::is_absence) {
        make_directories(above, made)?;
        making = make_directory(directory);
    }
    match making {
        Ok(()) => made.push(directory.clone()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        // The parent may just have been pruned; the rename finds out and all are made again.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(owner::refused("creating directory", directory, e)),
    }
    Ok(())
}
