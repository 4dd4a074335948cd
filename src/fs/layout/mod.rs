//! Where everything is. The only module that joins paths.

mod entry;
mod fold;
mod known_names;
mod room;
mod walk;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::fs::read::is_absence;
use crate::fs::system::directory::Directory;
use crate::fs::system::stat::{Kind, Stat};
use crate::name::{Digest, ModelName};

use entry::present_name;

pub(crate) use entry::{BlobFile, BlobName, ManifestFile, STAGED, is_staged};
pub(crate) use known_names::KnownNames;
pub(crate) use room::Room;
pub(crate) use walk::{Misplaced, ModelDirectory, Obstacles};

/// The paths of one store.
///
/// ```text
/// <root>/blobs/sha256-<64 hex>                       content
/// <root>/manifests/<host>/<namespace>/<model>/<tag>  models
/// <root>/.modelkeep/                                 private: lock, tmp, trash, quarantine, ...
/// ```
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// How many links systems follow on one path.
const MOST_LINKS: usize = 40;

/// Our own directory, under the root of the store.
const PRIVATE: &str = ".modelkeep";

impl Layout {
    pub(crate) fn new(root: PathBuf) -> Self {
        Layout { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn blobs_directory(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub(crate) fn manifests_directory(&self) -> PathBuf {
        self.root.join("manifests")
    }

    /// Returns our own directory: what we make is there, but for blobs and manifests.
    pub(crate) fn own_directory(&self) -> PathBuf {
        self.root.join(PRIVATE)
    }

    /// Returns the file that our processes lock for a change. Where `blobs/` is a link into
    /// another store, it is that store's: who changes the same blobs takes the same lock.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.blobs_root().join(PRIVATE).join("lock")
    }

    /// Returns the record of what verifications found good.
    pub(crate) fn verified(&self) -> PathBuf {
        self.own_directory().join("verified.json")
    }

    /// Returns the record of the links that were made outside of the store.
    pub(crate) fn links(&self) -> PathBuf {
        self.own_directory().join("links.json")
    }

    /// Returns the private directory on the device of the blobs.
    pub(crate) fn own_for_blobs(&self) -> PathBuf {
        let root = self.blobs_root();
        let blobs = self.blobs_directory();
        if is_elsewhere(&root, &blobs) {
            blobs.join(PRIVATE)
        } else {
            root.join(PRIVATE)
        }
    }

    /// Returns every private directory that this store may have used, whatever the devices were
    /// then.
    pub(crate) fn private_directories(&self) -> Vec<PathBuf> {
        let beside = self.blobs_directory().join(PRIVATE);
        let mut all = vec![self.own_directory(), beside];
        let shared = self.blobs_root().join(PRIVATE);
        if !all.contains(&shared) {
            all.push(shared);
        }
        all
    }

    /// Returns the root of the store to which the blobs belong: another one where `blobs/` is a
    /// link to a directory that has `manifests` beside it. Costs one `lstat` where it is no link.
    pub(crate) fn blobs_root(&self) -> PathBuf {
        self.shared_roots()
            .pop()
            .unwrap_or_else(|| self.root.clone())
    }

    /// Returns the roots of the other stores whose `blobs/` this store's is a link to: of each that
    /// a chain of links leads through, and last of the one where it ends.
    pub(crate) fn shared_roots(&self) -> Vec<PathBuf> {
        let mut place = self.blobs_directory();
        if !place.is_symlink() {
            return Vec::new();
        }
        let mut places = Vec::new();
        while let Ok(target) = fs::read_link(&place)
            && places.len() < MOST_LINKS
        {
            place.pop();
            place.push(target);
            places.push(place.clone());
        }
        places.extend(self.blobs_directory().canonicalize());
        let own = self.root.canonicalize().ok();
        let mut roots: Vec<PathBuf> = Vec::new();
        for root in places.iter().filter_map(|place| place.parent()) {
            let has_models = root.join("manifests").symlink_metadata().is_ok();
            let Ok(root) = root.canonicalize() else {
                continue;
            };
            if has_models && own.as_ref() != Some(&root) {
                roots.retain(|known| *known != root);
                roots.push(root);
            }
        }
        roots
    }

    /// Returns the path of an entry of one of our directories.
    pub(crate) fn inside(&self, directory: &Path, name: impl AsRef<OsStr>) -> PathBuf {
        directory.join(name.as_ref())
    }

    /// Returns where a blob belongs that has the given name outside `blobs/`: its name up to the
    /// first dot, where that is a digest.
    pub(crate) fn home(&self, aside: &Path) -> Option<(PathBuf, Digest)> {
        let name = aside.file_name()?.to_str()?.split('.').next()?;
        let digest = name.parse().ok()?;
        Some((self.blobs_directory().join(name), digest))
    }

    /// Returns whether the manifests are on another device than the root.
    pub(crate) fn manifests_are_elsewhere(&self) -> bool {
        is_elsewhere(&self.root, &self.manifests_directory())
    }

    pub(crate) fn manifest(&self, name: &ModelName) -> PathBuf {
        name.parts()
            .iter()
            .fold(self.manifests_directory(), |path, part| path.join(part))
    }

    /// Returns whether a path is as far below `manifests` as manifests are.
    pub(crate) fn is_in_place(&self, path: &Path) -> bool {
        let below = path.strip_prefix(self.manifests_directory());
        below.is_ok_and(|below| below.components().count() == 4)
    }

    /// Returns the directories above a name's manifest, innermost first, without `manifests`
    /// itself.
    pub(crate) fn manifest_directories(&self, name: &ModelName) -> Vec<PathBuf> {
        let path = self.manifest(name);
        path.ancestors()
            .skip(1)
            .take(3)
            .map(Path::to_owned)
            .collect()
    }

    /// Returns the names of a model's directory; a missing one has none.
    ///
    /// # Errors
    /// With the directory that cannot be read.
    pub(crate) fn tagged(&self, name: &ModelName) -> Result<Vec<ModelName>, (PathBuf, io::Error)> {
        let mut directory = self.manifest(name);
        directory.pop();
        let entries = match sorted_entries(&directory) {
            Err(error) if is_absence(&error) => Vec::new(),
            entries => entries.map_err(|error| (directory, error))?,
        };
        let [host, namespace, model, _] = name.parts();
        let files = entries.into_iter();
        let files = files.filter(|(_, kind)| *kind != Kind::Directory);
        let names = files
            .filter_map(|(tag, _)| ModelName::from_parts(host, namespace, model, tag.to_str()?));
        Ok(names.collect())
    }

    /// Returns the path that a blob is written to.
    pub(crate) fn new_blob(&self, digest: &Digest) -> PathBuf {
        self.blobs_directory().join(present_name(digest))
    }

    /// Returns the path under which old releases of Ollama wrote a blob.
    pub(crate) fn old_blob(&self, digest: &Digest) -> PathBuf {
        self.blobs_directory().join(digest.after("sha256:"))
    }

    /// Returns the path that a blob is read from: the old one where only that exists. Costs one
    /// `lstat` where the blob is there.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        let new = self.new_blob(digest);
        if new.symlink_metadata().is_ok() {
            return new;
        }
        let old = self.old_blob(digest);
        match old.symlink_metadata() {
            Ok(_) => old,
            Err(_) => new,
        }
    }

    /// Does something with the file of a blob, whose path [`blob`](Self::blob) would return. Looks
    /// for it only where it is not under its new name.
    ///
    /// # Errors
    /// That of the last attempt, with the path that it was about.
    pub(crate) fn with_blob<T>(
        &self,
        digest: &Digest,
        mut act: impl FnMut(&Path) -> io::Result<T>,
    ) -> Result<T, (PathBuf, io::Error)> {
        let new = self.new_blob(digest);
        let error = match act(&new) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let path = self.blob(digest);
        match path == new {
            true => Err((new, error)),
            false => act(&path).map_err(|error| (path, error)),
        }
    }

    /// Fails where `blobs/` may not be read, or what is in it may not be looked at.
    pub(crate) fn look_into_blobs(&self) -> io::Result<()> {
        let directory = self.blobs_directory();
        Directory::open(&directory)?;
        directory.join(".").metadata().map(drop)
    }

    /// Returns every entry of `blobs/` but directories, by name; a missing directory has none.
    pub(crate) fn blobs(&self) -> io::Result<Vec<BlobFile>> {
        let directory = self.blobs_directory();
        let mut files = Vec::new();
        let take = &mut |name: &OsStr, kind| {
            let is_directory = match kind {
                Kind::Link => directory.join(name).is_dir(),
                kind => kind == Kind::Directory,
            };
            if !is_directory {
                files.push(BlobFile::of(name));
            }
        };
        match Directory::open(&directory).and_then(|open| open.each(take)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read?,
        }
        files.sort_unstable_by(BlobFile::by_name);
        Ok(files)
    }

    /// Returns the path of a file in `blobs/`.
    pub(crate) fn blob_file(&self, file: &BlobFile) -> PathBuf {
        self.blobs_directory().join(file.file_name())
    }
}

/// Returns whether a directory is on another device than the root. What does not exist yet will be
/// made on the device of the root.
fn is_elsewhere(root: &Path, directory: &Path) -> bool {
    let device = |path| Some(Stat::at(path).ok()?.id()?.device);
    match (device(root), device(directory)) {
        (Some(root), Some(directory)) => root != directory,
        _ => false,
    }
}

/// Returns the names in a directory, or in one below it, in byte order, and what each is, links not
/// followed.
fn sorted(directory: &Directory, below: Option<&Path>) -> io::Result<Vec<(OsString, Kind)>> {
    let mut entries = Vec::new();
    let take = &mut |name: &OsStr, kind| entries.push((name.to_owned(), kind));
    match below {
        Some(below) => directory.each_in(below, take)?,
        None => directory.each(take)?,
    }
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

/// Returns the names in a directory in byte order, and what each is, links not followed.
pub(crate) fn sorted_entries(directory: &Path) -> io::Result<Vec<(OsString, Kind)>> {
    sorted(&Directory::open(directory)?, None)
}
