//! Directories that are held open: what is below one is reached without the way to it.
//!
//! An error from here says only that the short way failed. Whoever gets one takes the whole path,
//! and what that gives counts.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::stat::{Kind, Stat};

/// A directory, and what keeps it open where the system reaches files through that.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "the path is all that the system takes")
    )]
    handle: system::Handle,
}

impl Directory {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Directory {
            path: path.to_owned(),
            handle: system::open(path)?,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at what is `below` it, links followed.
    pub(crate) fn stat(&self, below: &Path) -> io::Result<Stat> {
        system::stat(self, below)
    }

    /// Looks at the entry `below` it itself, also where it is a link.
    pub(crate) fn stat_entry(&self, below: &Path) -> io::Result<Stat> {
        system::stat_entry(self, below)
    }

    /// Opens a file for reading, and never waits for the other end of a FIFO.
    pub(crate) fn open_file(&self, below: &Path) -> io::Result<File> {
        system::open_file(self, below)
    }

    /// Hands its entries to `take`, in no order. Two threads at once would each get some.
    pub(crate) fn each(&self, take: &mut dyn FnMut(&OsStr, Kind)) -> io::Result<()> {
        system::each(self, take)
    }

    /// Hands the entries of a directory `below` it to `take`, in no order.
    pub(crate) fn each_in(
        &self,
        below: &Path,
        take: &mut dyn FnMut(&OsStr, Kind),
    ) -> io::Result<()> {
        system::each_in(self, below, take)
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;

    use rustix::fs::{
        AtFlags, CWD, FileType, Mode, OFlags, RawDir, SeekFrom, StatxFlags, openat, seek, statx,
    };
    use rustix::io::Errno;

    use super::{Directory, File, Kind, OsStr, Path, Stat, io};

    pub(super) type Handle = OwnedFd;

    const DIRECTORY: OFlags = OFlags::RDONLY
        .union(OFlags::DIRECTORY)
        .union(OFlags::CLOEXEC);

    pub(super) fn open(path: &Path) -> io::Result<Handle> {
        Ok(openat(CWD, path, DIRECTORY, Mode::empty())?)
    }

    pub(super) fn stat(directory: &Directory, below: &Path) -> io::Result<Stat> {
        stat_by(directory, below, AtFlags::empty())
    }

    pub(super) fn stat_entry(directory: &Directory, below: &Path) -> io::Result<Stat> {
        stat_by(directory, below, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn stat_by(directory: &Directory, below: &Path, flags: AtFlags) -> io::Result<Stat> {
        let found = statx(&directory.handle, below, flags, StatxFlags::BASIC_STATS)?;
        let is_whole =
            found.stx_mask & StatxFlags::BASIC_STATS.bits() == StatxFlags::BASIC_STATS.bits();
        match is_whole {
            true => Ok(found.into()),
            false => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    pub(super) fn open_file(directory: &Directory, below: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat(&directory.handle, below, flags, Mode::empty())?.into())
    }

    pub(super) fn each(
        directory: &Directory,
        take: &mut dyn FnMut(&OsStr, Kind),
    ) -> io::Result<()> {
        seek(&directory.handle, SeekFrom::Start(0))?;
        read(&directory.handle, take)
    }

    pub(super) fn each_in(
        directory: &Directory,
        below: &Path,
        take: &mut dyn FnMut(&OsStr, Kind),
    ) -> io::Result<()> {
        read(
            &openat(&directory.handle, below, DIRECTORY, Mode::empty())?,
            take,
        )
    }

    fn read(open: &OwnedFd, take: &mut dyn FnMut(&OsStr, Kind)) -> io::Result<()> {
        // Large enough that most directories are read at one go, and small enough for a stack.
        let mut buffer = [MaybeUninit::uninit(); 16 << 10];
        let mut entries = RawDir::new(open, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => {
                    let flags = AtFlags::SYMLINK_NOFOLLOW;
                    match statx(open, name, flags, StatxFlags::TYPE) {
                        Ok(found) => FileType::from_raw_mode(found.stx_mode.into()).into(),
                        // It has vanished since.
                        Err(Errno::NOENT) => continue,
                        Err(e) => return Err(e.into()),
                    }
                }
                known => known.into(),
            };
            take(OsStr::from_bytes(name.to_bytes()), kind);
        }
        Ok(())
    }
}

/// By whole paths: what holds on every system.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::{self, OpenOptions};

    use super::{Directory, File, Kind, OsStr, Path, Stat, io};
    use crate::fs::system::patience::patiently;
    use crate::fs::system::{code, open};

    pub(super) type Handle = ();

    pub(super) fn open(path: &Path) -> io::Result<Handle> {
        read_dir(path).map(drop)
    }

    /// On Windows a directory cannot be read for the moment in which somebody removes or renames it.
    fn read_dir(path: &Path) -> io::Result<fs::ReadDir> {
        patiently(|| fs::read_dir(path), |e| code::is_in_use(e, path))
    }

    pub(super) fn stat(directory: &Directory, below: &Path) -> io::Result<Stat> {
        Stat::at(&directory.path.join(below))
    }

    pub(super) fn stat_entry(directory: &Directory, below: &Path) -> io::Result<Stat> {
        Stat::of_entry(&directory.path.join(below))
    }

    pub(super) fn open_file(directory: &Directory, below: &Path) -> io::Result<File> {
        let path = directory.path.join(below);
        open::without_waiting(&path, OpenOptions::new().read(true))
    }

    pub(super) fn each(
        directory: &Directory,
        take: &mut dyn FnMut(&OsStr, Kind),
    ) -> io::Result<()> {
        each_in(directory, Path::new(""), take)
    }

    pub(super) fn each_in(
        directory: &Directory,
        below: &Path,
        take: &mut dyn FnMut(&OsStr, Kind),
    ) -> io::Result<()> {
        for entry in read_dir(&directory.path.join(below))? {
            let entry = entry?;
            match entry.file_type() {
                Ok(kind) => take(&entry.file_name(), kind.into()),
                // Only where the directory does not tell the type: it has vanished since.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}
