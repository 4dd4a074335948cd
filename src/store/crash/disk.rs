//! A model of the disk: what of a sequence of changes survives a power cut.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::fs::ops::Change;
use crate::fs::system::open;

/// Files by path, with their bytes.
pub(super) type Image = BTreeMap<PathBuf, Vec<u8>>;

#[derive(Clone, Default)]
struct Inode {
    written: Vec<u8>,
    synced: Vec<u8>,
}

/// The disk as processes see it, and as a power cut would leave it.
#[derive(Clone, Default)]
pub(super) struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    directories: BTreeSet<PathBuf>,
    durable_directories: BTreeSet<PathBuf>,
    root: Option<PathBuf>,
}

impl Disk {
    /// Returns a disk on which everything below `root` has long been written.
    pub(super) fn of(root: &Path) -> Self {
        let mut disk = Disk {
            root: Some(root.to_owned()),
            ..Disk::default()
        };
        disk.load(root);
        disk.durable_names = disk.names.clone();
        disk.durable_directories = disk.directories.clone();
        disk
    }

    fn load(&mut self, directory: &Path) {
        self.directories.insert(directory.to_owned());
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.load(&path);
            } else {
                let bytes = fs::read(&path).unwrap();
                self.names.insert(path, self.inodes.len());
                self.inodes.push(Inode {
                    written: bytes.clone(),
                    synced: bytes,
                });
            }
        }
    }

    /// Takes over what somebody else has changed below `root`, as if it were on the disk already.
    pub(super) fn adopt(&mut self, root: &Path) {
        let foreign = Disk::of(root);
        let same = |(path, inode): (&PathBuf, &usize)| {
            let now = foreign
                .names
                .get(path)
                .map(|now| &foreign.inodes[*now].written);
            (Some(&self.inodes[*inode].written) == now).then(|| path.clone())
        };
        let kept: BTreeSet<PathBuf> = self.names.iter().filter_map(same).collect();
        self.names.retain(|path, _| kept.contains(path));
        self.durable_names
            .retain(|path, _| foreign.names.contains_key(path));
        for (path, inode) in foreign
            .names
            .iter()
            .filter(|(path, _)| !kept.contains(*path))
        {
            self.inodes.push(foreign.inodes[*inode].clone());
            let inode = self.inodes.len() - 1;
            self.names.insert(path.clone(), inode);
            self.durable_names.insert(path.clone(), inode);
        }
        self.durable_directories
            .extend(foreign.directories.difference(&self.directories).cloned());
        self.directories = foreign.directories;
    }

    pub(super) fn apply(&mut self, change: &Change<'_>) {
        match *change {
            Change::Create(path) => {
                self.names.insert(path.to_owned(), self.inodes.len());
                self.inodes.push(Inode::default());
            }
            Change::Write(path, bytes) => {
                let inode = self.names[path];
                self.inodes[inode].written.extend_from_slice(bytes);
            }
            Change::WriteAt(path, bytes, at) => self.write_at(path, bytes, at),
            Change::SetLen(path, len) => {
                let inode = self.names[path];
                let len = usize::try_from(len).unwrap();
                self.inodes[inode].written.resize(len, 0);
            }
            Change::ShareRange(path, from, range) | Change::CopyRange(path, from, range) => {
                let mut bytes = vec![0; usize::try_from(range.len).unwrap()];
                open::read_exact_at(from, &mut bytes, range.from).unwrap();
                self.write_at(path, &bytes, range.to);
            }
            Change::Sync(path) => {
                let inode = &mut self.inodes[self.names[path]];
                inode.synced = inode.written.clone();
            }
            Change::Rename(from, to) | Change::RenameNew(from, to) => {
                let inode = self.names.remove(from).unwrap();
                self.names.insert(to.to_owned(), inode);
            }
            Change::Link(from, to) => {
                let inode = self.names.get(from).copied();
                let inode = inode.unwrap_or_else(|| self.foreign(from));
                self.names.insert(to.to_owned(), inode);
            }
            Change::Symlink(from, to) | Change::Reflink(from, to) => {
                let inode = self.foreign(from);
                self.names.insert(to.to_owned(), inode);
            }
            Change::Unlink(path) => drop(self.names.remove(path)),
            Change::SyncDirectory(directory) => self.sync_directory(directory),
            Change::MakeDirectory(path) => drop(self.directories.insert(path.to_owned())),
            Change::RemoveDirectory(path) => drop(self.directories.remove(path)),
            Change::MakeLock(path) => {
                if !self.names.contains_key(path) {
                    self.names.insert(path.to_owned(), self.inodes.len());
                    self.inodes.push(Inode::default());
                }
            }
            Change::OpenLock
            | Change::OpenToWrite
            | Change::Lock
            | Change::Map
            | Change::Touch
            | Change::Give
            | Change::SetMode
            | Change::AwaitWritten(_)
            | Change::Wait(_) => {}
        }
    }

    fn write_at(&mut self, path: &Path, bytes: &[u8], at: u64) {
        let written = &mut self.inodes[self.names[path]].written;
        let at = usize::try_from(at).unwrap();
        let end = at + bytes.len();
        written.resize(written.len().max(end), 0);
        written[at..end].copy_from_slice(bytes);
    }

    /// Writes all names as they are now; the bytes that were not flushed stay where they are.
    pub(super) fn commit_names(&mut self) {
        self.durable_names = self.names.clone();
        self.durable_directories = self.directories.clone();
    }

    fn foreign(&mut self, path: &Path) -> usize {
        let bytes = fs::read(path).unwrap_or_default();
        self.inodes.push(Inode {
            written: bytes.clone(),
            synced: bytes,
        });
        self.inodes.len() - 1
    }

    /// An entry that moved into the directory leaves its old place with it, as journals have it.
    fn sync_directory(&mut self, directory: &Path) {
        let is_here = |path: &Path| path.parent() == Some(directory);
        let moved: Vec<usize> = self
            .names
            .iter()
            .filter(|(path, _)| is_here(path))
            .map(|(_, inode)| *inode)
            .collect();
        self.durable_names.retain(|path, inode| {
            !is_here(path) && (!moved.contains(inode) || is_used(&self.names, path))
        });
        let here = self.names.iter().filter(|(path, _)| is_here(path));
        self.durable_names
            .extend(here.map(|(path, inode)| (path.clone(), *inode)));
        self.durable_directories.retain(|path| !is_here(path));
        let here = self.directories.iter().filter(|path| is_here(path));
        self.durable_directories.extend(here.cloned());
    }

    /// Returns what stays when only what was made durable stays.
    pub(super) fn durable(&self) -> Image {
        let is_reachable = |path: &PathBuf| {
            let mut above = path.ancestors().skip(1);
            // Whatever is above the store has always been there.
            above
                .by_ref()
                .take_while(|path| self.is_inside(path))
                .all(|path| self.durable_directories.contains(path))
        };
        let names = self.durable_names.clone().into_iter();
        let names = names.filter(|(path, _)| is_reachable(path)).collect();
        self.image(&names, |inode| &inode.synced)
    }

    fn is_inside(&self, path: &Path) -> bool {
        self.root
            .as_ref()
            .is_some_and(|root| path.starts_with(root))
    }

    /// Returns what stays when the file system wrote all names at once, and only synced bytes.
    pub(super) fn names_first(&self) -> Image {
        self.image(&self.names, |inode| &inode.synced)
    }

    /// Returns what a killed process leaves.
    pub(super) fn live(&self) -> Image {
        self.image(&self.names, |inode| &inode.written)
    }

    fn image(&self, names: &BTreeMap<PathBuf, usize>, bytes: fn(&Inode) -> &Vec<u8>) -> Image {
        names
            .iter()
            .map(|(path, inode)| (path.clone(), bytes(&self.inodes[*inode]).clone()))
            .collect()
    }
}

fn is_used(names: &BTreeMap<PathBuf, usize>, path: &Path) -> bool {
    names.contains_key(path)
}
