//! Every file of a case, as it is on the disk.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::content;
use crate::place::Case;

/// The files of a case, by their path in it.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub entries: BTreeMap<PathBuf, Entry>,
}

/// What lies at a path; links are not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub mode: u32,
    pub inode: (u64, u64),
    pub modified: (i64, i64),
}

/// The kinds of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Directory,
    /// The digest of its bytes.
    File(String),
    Link(PathBuf),
    Special,
}

impl Disk {
    /// Reads all of a case.
    pub fn read(case: &Case) -> Self {
        let mut disk = Disk::default();
        for top in ["store", "elsewhere", "sentinel", "other"] {
            disk.descend(&case.path(Path::new(top)), PathBuf::from(top));
        }
        disk
    }

    fn descend(&mut self, path: &Path, name: PathBuf) {
        let Ok(metadata) = path.symlink_metadata() else {
            return;
        };
        let kind = kind_of(path, &metadata);
        if kind == Kind::Directory {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                self.descend(&entry.path(), name.join(entry.file_name()));
            }
        }
        let entry = Entry {
            kind,
            mode: metadata.mode(),
            inode: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        };
        self.entries.insert(name, entry);
    }

    /// Returns what lies below a directory of the case.
    pub fn below<'a>(
        &'a self,
        top: &'a str,
    ) -> impl Iterator<Item = (&'a PathBuf, &'a Entry)> + Clone {
        self.entries
            .iter()
            .filter(move |(path, _)| path.starts_with(top))
    }
}

fn kind_of(path: &Path, metadata: &Metadata) -> Kind {
    if metadata.is_dir() {
        Kind::Directory
    } else if metadata.is_symlink() {
        Kind::Link(fs::read_link(path).unwrap_or_default())
    } else if metadata.is_file() {
        Kind::File(digest(path, metadata))
    } else {
        Kind::Special
    }
}

/// The size above which a file counts by its size alone.
const LARGE: u64 = 1 << 20;

/// Returns the digest of a file's bytes; of a large one its size.
pub fn digest(path: &Path, metadata: &Metadata) -> String {
    match metadata.len() {
        0..LARGE => fs::read(path).map_or_else(|e| e.to_string(), |bytes| content::hex_of(&bytes)),
        size => format!("{size} bytes"),
    }
}
