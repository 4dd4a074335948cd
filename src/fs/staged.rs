//! Files that become visible whole or not at all.

mod closed;
mod directories;
#[cfg(feature = "registry")]
mod resumable;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fs::durability::Durability;
use crate::fs::layout::{Layout, Room, STAGED};
use crate::fs::system::stat::Stat;
use crate::fs::system::{code, lock, open, pages};
use crate::fs::{hash, ops, owner, read, stamp};

use directories::make_directories;

pub(crate) use closed::StagedClosed;
pub(crate) use directories::{is_private_dir, make_all, make_private_dir, sync_if_there};

/// What a staged file will become; decides on which device it is staged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Blobs,
    Manifests,
    /// Our own directory.
    Private,
}

/// A file under a temporary name, gone when dropped before it is committed.
pub(crate) struct Staged {
    path: PathBuf,
    file: File,
    durability: Durability,
    committed: bool,
    /// How many bytes were written so far, those that were found among them.
    written: u64,
}

/// A disk of 500 MB/s writes this in an eighth of a second.
const MOST_UNFLUSHED: u64 = 64 << 20;

/// So much is given to the disk at a time, which writes it while the next is made.
const FLUSH_STEP: u64 = 8 << 20;

impl Staged {
    pub(crate) fn new(layout: &Layout, place: Place, durability: Durability) -> Result<Self> {
        let directory = staging(layout, place)?;
        let staged = Staged::claimed(durability, || {
            let path = layout.inside(&directory, staged_name());
            let file = ops::create(&path).map_err(|e| owner::refused("creating", &path, e))?;
            Ok((path, file))
        })?;
        staged.adopt_owner(&layout.blobs_directory())?;
        Ok(staged)
    }

    /// Stages a file that `link` makes at the path it is given. Whose it is stays as it is.
    pub(crate) fn linked(
        layout: &Layout,
        durability: Durability,
        link: impl Fn(&Path) -> io::Result<()>,
    ) -> Result<Self> {
        let directory = staging(layout, Place::Blobs)?;
        Staged::claimed(durability, || {
            let path = layout.inside(&directory, staged_name());
            link(&path).map_err(|e| owner::refused("linking", &path, e))?;
            let file = open::to_adjust(&path).map_err(|e| Error::io("opening", &path, e))?;
            Ok((path, file))
        })
    }

    /// Stages a file beside the one that it will become, wherever that is, under a name that begins
    /// with a dot. `refused` makes the error of a place that takes none.
    pub(crate) fn beside(
        to: &Path,
        durability: Durability,
        refused: fn(&'static str, &Path, io::Error) -> Error,
    ) -> Result<Self> {
        Staged::claimed(durability, || {
            let path = place_beside(to);
            let file = ops::create(&path).map_err(|e| refused("creating", &path, e))?;
            Ok((path, file))
        })
    }

    /// Stages the bytes of another file, which is on whatever device. Costs its length twice.
    pub(crate) fn copied(
        layout: &Layout,
        place: Place,
        durability: Durability,
        from: &Path,
    ) -> Result<Self> {
        let at = |e| Error::io("reading", from, e);
        let mut file = read::open_regular(from).map_err(at)?;
        let mut staged = Staged::new(layout, place, durability)?;
        hash::hash_stream(&mut file, at, |piece| staged.write(piece))?;
        Ok(staged)
    }

    /// Returns a free path on the device of the manifests, for a second name of a file there.
    pub(crate) fn place_for_link(layout: &Layout) -> Result<PathBuf> {
        let directory = staging(layout, Place::Manifests)?;
        Ok(layout.inside(&directory, staged_name()))
    }

    /// Returns the path for a name that [`place_for_link`](Self::place_for_link) has returned; `None`
    /// where it is none of these.
    pub(crate) fn place_called(layout: &Layout, name: &str) -> Option<PathBuf> {
        let is_ours =
            name.starts_with(STAGED) && Path::new(name).file_name() == Some(name.as_ref());
        let (_, directory) = staging_place(layout, Place::Manifests);
        is_ours.then(|| layout.inside(&directory, name))
    }

    /// Leaves it where it lies.
    pub(crate) fn left(mut self) -> PathBuf {
        self.committed = true;
        self.path.clone()
    }

    /// Makes a file and marks it as one that somebody writes, until it is closed. A collection may
    /// have taken it in between; then it is made again.
    fn claimed(
        durability: Durability,
        mut make: impl FnMut() -> Result<(PathBuf, File)>,
    ) -> Result<Self> {
        loop {
            let (path, file) = make()?;
            // A file system without locks grants none; there only a great age tells.
            let is_taken = matches!(lock::try_shared(&file), Err(TryLockError::WouldBlock));
            let staged = Staged {
                path,
                file,
                durability,
                committed: false,
                written: 0,
            };
            if !is_taken && !read::is_gone(&staged.path) {
                return Ok(staged);
            }
        }
    }

    /// Returns where it lies until it is committed.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Returns what was written, open for reading from its beginning.
    pub(crate) fn reopened(&self) -> Result<File> {
        File::open(&self.path).map_err(|e| Error::io("opening", &self.path, e))
    }

    /// Writes more bytes. Of a large file it waits from time to time for what the disk has not written
    /// yet: a flush of everything at the end could be waited for by nobody who wants to stop.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        ops::write(&mut self.file, &self.path, bytes)
            .map_err(|e| Error::io("writing", &self.path, e))?;
        self.flush_after(bytes.len())
    }

    /// Makes it as long as it will be; what is not written is zero.
    pub(crate) fn resize(&self, len: u64) -> Result<()> {
        ops::set_len(&self.file, &self.path, len).map_err(|e| Error::io("writing", &self.path, e))
    }

    /// Writes bytes at a place, which may be beyond the end.
    pub(crate) fn write_at(&mut self, bytes: &[u8], at: u64) -> Result<()> {
        ops::write_at(&self.file, &self.path, bytes, at)
            .map_err(|e| Error::io("writing", &self.path, e))?;
        self.flush_after(bytes.len())
    }

    /// Notes that so many more bytes are in the file.
    fn flush_after(&mut self, more: usize) -> Result<()> {
        let before = self.written;
        self.written = before.saturating_add(more as u64);
        let passed = |step: u64| self.written / step > before / step;
        if self.durability == Durability::None || !passed(FLUSH_STEP) {
            return Ok(());
        }
        self.begin_flush();
        let due = self.written.saturating_sub(MOST_UNFLUSHED);
        if due == 0 {
            return Ok(());
        }
        let is_awaited = ops::await_written(&self.file, due);
        let is_awaited = is_awaited.map_err(|e| Error::io("writing", &self.path, e))?;
        match is_awaited || !passed(MOST_UNFLUSHED) {
            true => Ok(()),
            false => self.sync(),
        }
    }

    /// Renames it to `to`, replacing what is there; a link there is replaced, not followed.
    ///
    /// The bytes are on the disk before the name is: what a power cut leaves is the old file or
    /// the new one. A directory that a server's pruning removes in between is made again.
    pub(crate) fn commit(mut self, to: &Path, directories: &[PathBuf]) -> Result<()> {
        let at = |e| owner::refused("writing", to, e);
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

    /// As [`commit`](Self::commit), where nothing may be there yet:
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) where something is.
    pub(crate) fn commit_new(mut self, to: &Path) -> Result<()> {
        self.sync()?;
        closed::rename_new(&self.path, to)?;
        self.committed = true;
        closed::sync_name(to, self.durability)
    }

    /// As [`commit`](Self::commit) where a file may be replaced, else as
    /// [`commit_new`](Self::commit_new); the directory is there.
    pub(crate) fn commit_file(self, to: &Path, replace: bool) -> Result<()> {
        match replace {
            true => self.commit(to, &[]),
            false => self.commit_new(to),
        }
    }

    /// Flushes the file and closes it.
    pub(crate) fn closed(self) -> Result<StagedClosed> {
        self.sync()?;
        StagedClosed::of(self)
    }

    /// Has the disk begin with what was written, where it is to be durable.
    pub(crate) fn begin_flush(&self) {
        if self.durability == Durability::Full {
            pages::begin_flush(&self.file);
        }
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
        let mut beside = Staged::beside(to, self.durability, owner::refused)?;
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

    /// Lets the same people read and write it as another file, where the system has modes.
    pub(crate) fn take_mode_of(&self, file: &File) -> Result<()> {
        match owner::take_mode_of(file, &self.file) {
            Err(e) if !code::is_not_for_us(&e) => {
                Err(Error::io("setting the mode of", &self.path, e))
            }
            _ => Ok(()),
        }
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

/// The age from which a staged file counts as left behind where no lock can tell: no import takes
/// that long.
const LONGEST_IMPORT: Duration = Duration::from_secs(24 * 3600);

/// Returns a staged file whose writer is gone: nobody holds it, and it has not changed for the
/// grace period. Where the file system has no locks, the age alone decides. While the file is held,
/// no writer can claim it.
pub(crate) fn abandoned(path: &Path, grace: Duration) -> Option<File> {
    let file = read::open_regular(path).ok()?;
    let stat = Stat::of(&file).ok()?;
    let needed = match ops::try_lock(&file) {
        Ok(()) => grace,
        Err(TryLockError::WouldBlock) => return None,
        Err(TryLockError::Error(_)) => grace.max(LONGEST_IMPORT),
    };
    (stamp::absolute_age(&stat) >= needed).then_some(file)
}

/// Returns a directory on the device of `place` in which temporary names disturb nobody, and makes it.
fn staging(layout: &Layout, place: Place) -> Result<PathBuf> {
    let (own, staging) = staging_place(layout, place);
    if let Some(own) = own {
        make_private_dir(&own)?;
        make_private_dir(&staging)?;
    }
    Ok(staging)
}

/// Returns that directory, and the one of our own in which it is.
fn staging_place(layout: &Layout, place: Place) -> (Option<PathBuf>, PathBuf) {
    let own = match place {
        // A file directly under `manifests` is no manifest to anybody.
        Place::Manifests if layout.manifests_are_elsewhere() => {
            return (None, layout.manifests_directory());
        }
        Place::Blobs => layout.own_for_blobs(),
        _ => layout.own_directory(),
    };
    let staging = layout.inside(&own, Room::Staging.name());
    (Some(own), staging)
}

/// Returns a free path beside the one that a file is to have.
pub(crate) fn place_beside(to: &Path) -> PathBuf {
    to.with_file_name(staged_name())
}

/// Returns a name under which a file waits to become visible. No model's begins with a dot.
fn staged_name() -> String {
    format!("{STAGED}{}", unique_id())
}

/// Returns what no other of our processes or threads returns.
pub(crate) fn unique_id() -> String {
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

#[cfg(test)]
#[cfg(unix)]
mod tests;
