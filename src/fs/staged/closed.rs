//! Staged files that wait for their names, with none of them open.

use std::io;
use std::mem;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::staged::{Staged, sync_if_there};
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::Stat;
use crate::fs::{ops, owner};

/// A staged file that is on the disk; gone when dropped before it is committed. It is not marked as
/// one that somebody writes, so it waits where nothing is collected.
pub(crate) struct StagedClosed {
    path: PathBuf,
    stamp: FileStamp,
    durability: Durability,
}

impl StagedClosed {
    pub(super) fn of(mut staged: Staged) -> Result<Self> {
        let stat = Stat::of(&staged.file);
        let stat = stat.map_err(|e| Error::io("looking at", &staged.path, e))?;
        staged.committed = true;
        Ok(StagedClosed {
            path: mem::take(&mut staged.path),
            stamp: FileStamp::of(&stat),
            durability: staged.durability,
        })
    }

    pub(crate) fn stamp(&self) -> FileStamp {
        self.stamp
    }

    /// As [`Staged::commit_file`].
    pub(crate) fn commit_file(mut self, to: &Path, replace: bool) -> Result<()> {
        match replace {
            true => {
                let renamed = ops::rename(&self.path, to);
                renamed.map_err(|e| owner::refused("writing", to, e))?;
            }
            false => rename_new(&self.path, to)?,
        }
        self.path.clear();
        sync_name(to, self.durability)
    }
}

impl Drop for StagedClosed {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = ops::unlink(&self.path);
        }
    }
}

/// Gives a file its name, where nothing has it.
pub(super) fn rename_new(from: &Path, to: &Path) -> Result<()> {
    match ops::rename_new(from, to) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let text = format!("{} already exists", to.display());
            Err(Error::new(ErrorKind::AlreadyExists, text).at(to))
        }
        renamed => renamed.map_err(|e| Error::io("writing", to, e)),
    }
}

/// Makes the name of a file durable, where it is to be.
pub(super) fn sync_name(to: &Path, durability: Durability) -> Result<()> {
    match durability {
        Durability::Full => {
            sync_if_there(owner::parent(to)).map_err(|e| Error::io("writing", to, e))
        }
        Durability::None => Ok(()),
    }
}
