//! What the system says of a file.

use std::fs::{File, FileType};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What a file looks like from outside: what every system says, and what each has in a way of its
/// own.
#[derive(Clone, Debug)]
pub(crate) struct Stat {
    kind: Kind,
    size: u64,
    facts: Facts,
}

/// What an entry of a directory is, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
    /// A FIFO, a device or the like.
    Other,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            kind if kind.is_file() => Kind::File,
            kind if kind.is_dir() => Kind::Directory,
            kind if kind.is_symlink() => Kind::Link,
            _ => Kind::Other,
        }
    }
}

/// What is one file for as long as it exists, whatever its names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    pub device: u64,
    pub index: FileIndex,
}

/// What tells a file from the others of its device. Stores have many, and only Windows needs so much.
#[cfg(not(unix))]
pub(crate) type FileIndex = u128;
#[cfg(unix)]
pub(crate) type FileIndex = u64;

/// Whose a file is, and who may use it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub user: u32,
    pub group: u32,
    pub mode: u32,
}

/// Seconds and nanoseconds since 1970.
pub(crate) type Moment = (i64, i64);

#[derive(Clone, Debug)]
struct Facts {
    id: Option<FileId>,
    links: u64,
    disk_bytes: u64,
    modified: Moment,
    changed: Option<Moment>,
    owner: Option<Owner>,
}

impl Stat {
    /// Looks at what a path leads to, links followed.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        system::at(path)
    }

    /// Looks at what is at a path: at the link, where there is one.
    pub(crate) fn of_entry(path: &Path) -> io::Result<Self> {
        system::of_entry(path)
    }

    /// Looks at an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        system::of(file)
    }

    /// Returns how many bytes it has.
    pub(crate) fn len(&self) -> u64 {
        self.size
    }

    pub(crate) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.kind == Kind::Directory
    }

    pub(crate) fn is_symlink(&self) -> bool {
        self.kind == Kind::Link
    }

    /// Returns when the bytes were changed.
    ///
    /// # Errors
    /// Where that is a time that no clock here can hold.
    pub(crate) fn modified(&self) -> io::Result<SystemTime> {
        time(self.facts.modified).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// Returns what tells the file from all others; `None` where the file system does not say.
    pub(crate) fn id(&self) -> Option<FileId> {
        self.facts.id
    }

    /// Returns how many names the file has, as far as is known.
    pub(crate) fn links(&self) -> u64 {
        self.facts.links
    }

    /// Returns the bytes that the file takes on the disk or, where that is not known, its size.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.facts.disk_bytes
    }

    /// Returns when the bytes were changed, as its writer has it.
    pub(crate) fn modified_at(&self) -> Moment {
        self.facts.modified
    }

    /// Returns when anything about the file was changed, as the system has it; `None` where it does
    /// not say.
    pub(crate) fn changed_at(&self) -> Option<Moment> {
        self.facts.changed
    }

    /// Returns whose the file is; `None` where the system has no owners and modes.
    pub(crate) fn owner(&self) -> Option<Owner> {
        self.facts.owner
    }

    /// Returns whether it is known that only the owner may write to the file.
    pub(crate) fn is_private(&self) -> bool {
        self.facts
            .owner
            .is_some_and(|owner| owner.mode & 0o022 == 0)
    }
}

/// Returns a time since the epoch or before it.
fn time((seconds, nanoseconds): Moment) -> Option<SystemTime> {
    let nanoseconds = Duration::from_nanos(nanoseconds.try_into().ok()?);
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let second = match seconds {
        0.. => epoch.checked_add(whole),
        _ => epoch.checked_sub(whole),
    };
    second?.checked_add(nanoseconds)
}

#[cfg(unix)]
mod system {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt;

    use super::{Facts, File, FileId, Kind, Owner, Path, Stat, io};

    pub(super) fn at(path: &Path) -> io::Result<Stat> {
        path.metadata().map(stat)
    }

    pub(super) fn of_entry(path: &Path) -> io::Result<Stat> {
        path.symlink_metadata().map(stat)
    }

    pub(super) fn of(file: &File) -> io::Result<Stat> {
        file.metadata().map(stat)
    }

    fn stat(metadata: Metadata) -> Stat {
        let facts = Facts {
            id: Some(FileId {
                device: metadata.dev(),
                index: metadata.ino(),
            }),
            links: metadata.nlink(),
            // stat(2): st_blocks counts 512-byte blocks, whatever the file system's are.
            disk_bytes: metadata.blocks().saturating_mul(512),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: Some((metadata.ctime(), metadata.ctime_nsec())),
            owner: Some(Owner {
                user: metadata.uid(),
                group: metadata.gid(),
                mode: metadata.mode(),
            }),
        };
        Stat {
            kind: Kind::from(metadata.file_type()),
            size: metadata.len(),
            facts,
        }
    }

    #[cfg(target_os = "linux")]
    impl From<rustix::fs::FileType> for Kind {
        fn from(kind: rustix::fs::FileType) -> Self {
            use rustix::fs::FileType;

            match kind {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Directory,
                FileType::Symlink => Kind::Link,
                _ => Kind::Other,
            }
        }
    }

    /// Takes what the system call returns.
    #[cfg(target_os = "linux")]
    impl From<rustix::fs::Statx> for Stat {
        fn from(found: rustix::fs::Statx) -> Self {
            let mode = u32::from(found.stx_mode);
            let moment = |time: rustix::fs::StatxTimestamp| (time.tv_sec, time.tv_nsec.into());
            let facts = Facts {
                id: Some(FileId {
                    device: rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor),
                    index: found.stx_ino,
                }),
                links: found.stx_nlink.into(),
                disk_bytes: found.stx_blocks.saturating_mul(512),
                modified: moment(found.stx_mtime),
                changed: Some(moment(found.stx_ctime)),
                owner: Some(Owner {
                    user: found.stx_uid,
                    group: found.stx_gid,
                    mode,
                }),
            };
            Stat {
                kind: Kind::from(rustix::fs::FileType::from_raw_mode(mode)),
                size: found.stx_size,
                facts,
            }
        }
    }
}

/// The metadata of the standard library lack most facts here: a handle is asked for them.
#[cfg(windows)]
mod system {
    use std::fs::OpenOptions;
    use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
    use std::os::windows::io::AsRawHandle;

    use windows_sys::Win32::Storage::FileSystem::{
        FILE_BASIC_INFO, FILE_COMPRESSION_INFO, FILE_FLAG_BACKUP_SEMANTICS,
        FILE_FLAG_OPEN_REPARSE_POINT, FILE_ID_INFO, FILE_INFO_BY_HANDLE_CLASS,
        FILE_READ_ATTRIBUTES, FILE_STANDARD_INFO, FileBasicInfo, FileCompressionInfo, FileIdInfo,
        FileStandardInfo, GetFileInformationByHandleEx,
    };

    use super::{Facts, File, FileId, Kind, Path, Stat, io, moment};

    pub(super) fn at(path: &Path) -> io::Result<Stat> {
        of(&open(path, FILE_FLAG_BACKUP_SEMANTICS)?)
    }

    pub(super) fn of_entry(path: &Path) -> io::Result<Stat> {
        let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
        of(&open(path, flags)?)
    }

    /// Opens a file or a directory to ask about it, whatever others do with it.
    fn open(path: &Path, flags: u32) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let options = options.access_mode(FILE_READ_ATTRIBUTES);
        options.custom_flags(flags).open(path)
    }

    pub(super) fn of(file: &File) -> io::Result<Stat> {
        let metadata = file.metadata()?;
        let size = metadata.len();
        let standard: Option<FILE_STANDARD_INFO> = information(file);
        let compression: Option<FILE_COMPRESSION_INFO> = information(file);
        let basic: Option<FILE_BASIC_INFO> = information(file);
        let on_disk = compression.map(|found| found.CompressedFileSize);
        let facts = Facts {
            id: information(file).and_then(|found| id(&found)),
            links: standard.map_or(1, |found| found.NumberOfLinks.into()),
            disk_bytes: on_disk.map_or(size, |bytes| u64::try_from(bytes).unwrap_or(size)),
            modified: moment(metadata.last_write_time().cast_signed()),
            changed: basic
                .map(|found| found.ChangeTime)
                .filter(|ticks| *ticks != 0)
                .map(moment),
            owner: None,
        };
        Ok(Stat {
            kind: Kind::from(metadata.file_type()),
            size,
            facts,
        })
    }

    /// Returns the identity of a file, unless the file system has none to give: zeros or ones.
    fn id(found: &FILE_ID_INFO) -> Option<FileId> {
        let index = u128::from_le_bytes(found.FileId.Identifier);
        let id = FileId {
            device: found.VolumeSerialNumber,
            index,
        };
        (index != 0 && index != u64::MAX.into() && index != u128::MAX).then_some(id)
    }

    /// A structure of numbers that the system fills when it is asked for its class.
    trait Information: Default {
        const CLASS: FILE_INFO_BY_HANDLE_CLASS;
    }

    impl Information for FILE_BASIC_INFO {
        const CLASS: FILE_INFO_BY_HANDLE_CLASS = FileBasicInfo;
    }

    impl Information for FILE_STANDARD_INFO {
        const CLASS: FILE_INFO_BY_HANDLE_CLASS = FileStandardInfo;
    }

    impl Information for FILE_COMPRESSION_INFO {
        const CLASS: FILE_INFO_BY_HANDLE_CLASS = FileCompressionInfo;
    }

    impl Information for FILE_ID_INFO {
        const CLASS: FILE_INFO_BY_HANDLE_CLASS = FileIdInfo;
    }

    fn information<T: Information>(file: &File) -> Option<T> {
        let mut found = T::default();
        let size = u32::try_from(size_of::<T>()).ok()?;
        // SAFETY: the handle is open, and the pointer is to a structure of the class and its size,
        // of which all bytes are initialized and any are valid.
        #[expect(unsafe_code, reason = "the standard library does not ask")]
        let answered = unsafe {
            let place = (&raw mut found).cast();
            GetFileInformationByHandleEx(file.as_raw_handle(), T::CLASS, place, size)
        };
        (answered != 0).then_some(found)
    }
}

/// Returns the moment of a time that Windows gives: units of 100 ns since 1601.
#[cfg(any(windows, test))]
fn moment(ticks: i64) -> Moment {
    const A_SECOND: i64 = 10_000_000;
    const FROM_1601_TO_1970: i64 = 11_644_473_600;
    let seconds = ticks.div_euclid(A_SECOND) - FROM_1601_TO_1970;
    (seconds, ticks.rem_euclid(A_SECOND) * 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_windows_count_from_1601() {
        for (ticks, expected) in [
            (116_444_736_000_000_000, (0, 0)),
            (116_444_736_000_000_001, (0, 100)),
            (116_444_735_999_999_999, (-1, 999_999_900)),
            (0, (-11_644_473_600, 0)),
        ] {
            assert_eq!(moment(ticks), expected);
        }
    }

    #[test]
    fn a_file_has_one_identity_under_all_its_names() {
        let scratch = tempfile::tempdir().unwrap();
        let [one, two, other] = ["one", "two", "other"].map(|name| scratch.path().join(name));
        std::fs::write(&one, "bytes").unwrap();
        std::fs::write(&other, "bytes").unwrap();
        std::fs::hard_link(&one, &two).unwrap();
        let stat = |path: &Path| Stat::at(path).unwrap();
        assert_eq!(stat(&one).id(), stat(&two).id());
        assert_ne!(stat(&one).id(), stat(&other).id());
        assert_eq!((stat(&one).links(), stat(&other).links()), (2, 1));
        let opened = Stat::of(&File::open(&two).unwrap()).unwrap();
        assert_eq!((opened.id(), opened.len()), (stat(&one).id(), 5));
    }
}
