//! Staged files that are found again by the call after one that broke off.

use std::fs::TryLockError;
use std::io;

use crate::error::{Error, Result};
use crate::fs::durability::Durability;
use crate::fs::layout::{Layout, STAGED};
use crate::fs::staged::{Place, Staged, staging};
use crate::fs::system::stat::Stat;
use crate::fs::{ops, owner};

/// Somebody who keeps taking the file away is no collection.
const ATTEMPTS: usize = 100;

impl Staged {
    /// Claims the staged file of a name, with what it holds by now, and makes it where it is not
    /// there. `None` where somebody else writes it. Without locks, which nobody could be told apart
    /// by, it is a new file of another name.
    ///
    /// What is found under the name is nothing to be trusted: other things than a regular file of one
    /// name are removed, and so is a file that others see under another name.
    pub(crate) fn resumable(
        layout: &Layout,
        name: &str,
        durability: Durability,
    ) -> Result<Option<Self>> {
        let directory = staging(layout, Place::Blobs)?;
        let path = layout.inside(&directory, format!("{STAGED}{name}"));
        let at = |e| owner::refused("creating", &path, e);
        for _ in 0..ATTEMPTS {
            let file = match ops::create(&path) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => match Stat::of_entry(&path) {
                    Ok(stat) if stat.is_file() && stat.links() == 1 => ops::open_to_write(&path),
                    Ok(_) => {
                        ops::unlink(&path).map_err(at)?;
                        continue;
                    }
                    Err(e) => Err(e),
                },
                made => made,
            };
            let file = match file {
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.map_err(at)?,
            };
            match ops::try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(_)) => {
                    return Staged::new(layout, Place::Blobs, durability).map(Some);
                }
            }
            // A collection may have removed it before it was locked, and another call made it anew.
            let own = Stat::of(&file).map_err(at)?;
            let named = Stat::of_entry(&path).map(|stat| stat.id());
            if own.id().is_none() || named.is_ok_and(|named| named == own.id()) {
                let staged = Staged {
                    path,
                    file,
                    durability,
                    committed: false,
                    written: own.len(),
                };
                staged.adopt_owner(&layout.blobs_directory())?;
                return Ok(Some(staged));
            }
        }
        let text = format!("creating {}: somebody keeps removing it", path.display());
        Err(Error::new(crate::error::ErrorKind::Busy, text).at(&path))
    }

    /// Closes it and leaves it where it is, for the next call.
    pub(crate) fn leave(mut self) {
        self.committed = true;
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_writer_at_a_time_has_it_and_the_next_one_finds_it() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::new(scratch.path().to_owned());
        let claim = || Staged::resumable(&layout, "x", Durability::None).unwrap();
        let mut first = claim().unwrap();
        first.write(b"bytes").unwrap();
        assert!(claim().is_none());
        first.leave();
        let second = claim().unwrap();
        let path = second.path().to_owned();
        assert_eq!(fs::read(&path).unwrap(), b"bytes");
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn what_somebody_put_there_is_not_written_through() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::new(scratch.path().to_owned());
        let claim = || Staged::resumable(&layout, "x", Durability::None).unwrap();
        let path = claim().unwrap().path().to_owned();
        let other = scratch.path().join("other");
        fs::write(&other, "kept").unwrap();
        for plant in [
            |from: &std::path::Path, to: &std::path::Path| fs::hard_link(from, to),
            |from: &std::path::Path, to: &std::path::Path| std::os::unix::fs::symlink(from, to),
        ] {
            plant(&other, &path).unwrap();
            let mut staged = claim().unwrap();
            staged.write(b"bytes of ours").unwrap();
            drop(staged);
            assert_eq!(fs::read(&other).unwrap(), b"kept");
        }
    }

    #[test]
    fn a_file_that_a_collection_takes_before_it_is_opened_is_made_anew() {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::new(scratch.path().to_owned());
        let claim = || Staged::resumable(&layout, "x", Durability::None).unwrap();
        let first = claim().unwrap();
        let path = first.path().to_owned();
        first.leave();
        let taken = path.clone();
        let hook = move |change: &ops::Change<'_>| {
            if matches!(change, ops::Change::OpenToWrite) {
                fs::remove_file(&taken)?;
            }
            Ok(())
        };
        let second = ops::hook::with(hook, claim).unwrap();
        assert_eq!(second.path(), path);
        assert!(path.exists());
    }
}
