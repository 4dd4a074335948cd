//! Where everything lies. The only file that joins paths.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::name::ModelName;

/// The paths of one store.
///
/// ```text
/// <root>/blobs/sha256-<64 hex>                       content
/// <root>/manifests/<host>/<namespace>/<model>/<tag>  models
/// <root>/.modelkeep/                                 our own: lock, tmp, trash, verified.json
/// ```
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// A file at the depth of manifests.
pub(crate) struct ManifestFile {
    pub path: PathBuf,
    /// `None` for a stranger: its path is not the path of a valid name.
    pub name: Option<ModelName>,
}

/// A file in `blobs/`.
pub(crate) struct BlobFile {
    pub path: PathBuf,
    pub name: BlobName,
}

/// What the name of a file in `blobs/` says that it is.
pub(crate) enum BlobName {
    /// A blob, under its present or its old name.
    Digest(Digest),
    /// The leftover of an interrupted download: `sha256-<hex>-partial` and `...-partial-<n>`.
    Partial,
    /// Somebody else's file.
    Stranger,
}

impl BlobFile {
    pub(crate) fn digest(&self) -> Option<Digest> {
        match self.name {
            BlobName::Digest(digest) => Some(digest),
            _ => None,
        }
    }
}

impl BlobName {
    fn of(file_name: &str) -> Self {
        if let Ok(digest) = file_name.parse() {
            return BlobName::Digest(digest);
        }
        let whole = file_name.split_once("-partial").filter(|(_, part)| {
            part.is_empty()
                || part
                    .strip_prefix('-')
                    .is_some_and(|n| n.parse::<u32>().is_ok())
        });
        match whole.map(|(name, _)| name.parse::<Digest>()) {
            Some(Ok(_)) => BlobName::Partial,
            _ => BlobName::Stranger,
        }
    }
}

/// Our own directory, under the root of the store.
const OWN: &str = ".modelkeep";

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

    /// Our own directory: nothing that we make lies outside it but blobs and manifests.
    pub(crate) fn own_directory(&self) -> PathBuf {
        self.root.join(OWN)
    }

    pub(crate) fn own(&self, name: &str) -> PathBuf {
        self.own_directory().join(name)
    }

    /// What verifications found good.
    pub(crate) fn verified(&self) -> PathBuf {
        self.own("verified.json")
    }

    /// Our own directory on the device of the blobs, where that is not the store's own.
    pub(crate) fn own_beside_blobs(&self) -> PathBuf {
        self.blobs_directory().join(OWN)
    }

    /// Where blobs wait that are on their way out: always on the device of the blobs.
    pub(crate) fn trash(&self) -> PathBuf {
        let own = if self.blobs_lie_elsewhere() {
            self.own_beside_blobs()
        } else {
            self.own_directory()
        };
        own.join("trash")
    }

    /// Where damaged blobs are kept, on the device of the blobs.
    pub(crate) fn damaged(&self) -> PathBuf {
        self.trash().with_file_name("damaged")
    }

    /// Whether the blobs lie on another device than the root. What does not exist yet will be
    /// made on the device of the root.
    pub(crate) fn blobs_lie_elsewhere(&self) -> bool {
        self.lies_elsewhere(&self.blobs_directory())
    }

    /// Whether the manifests lie on another device than the root.
    pub(crate) fn manifests_lie_elsewhere(&self) -> bool {
        self.lies_elsewhere(&self.manifests_directory())
    }

    fn lies_elsewhere(&self, directory: &Path) -> bool {
        match (self.root.metadata(), directory.metadata()) {
            (Ok(root), Ok(directory)) => root.dev() != directory.dev(),
            _ => false,
        }
    }

    /// The path in the trash of what lies at `home`.
    pub(crate) fn aside(&self, trash: &Path, home: &Path) -> PathBuf {
        trash.join(home.file_name().unwrap_or_default())
    }

    /// What lies in the trash: its path there, its path at home, its digest. A missing trash is
    /// empty, and what is no blob is passed over.
    pub(crate) fn trashed(&self, trash: &Path) -> io::Result<Vec<(PathBuf, PathBuf, Digest)>> {
        let names = match sorted_names(trash) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names?,
        };
        let entry = |name: String| {
            let digest = name.parse().ok()?;
            Some((
                trash.join(&name),
                self.blobs_directory().join(&name),
                digest,
            ))
        };
        Ok(names.into_iter().filter_map(entry).collect())
    }

    /// Where files are staged: our own directory, and the one beside the blobs where those lie
    /// elsewhere.
    pub(crate) fn staging_directories(&self) -> Vec<PathBuf> {
        let mut own = vec![self.own("tmp")];
        if self.blobs_lie_elsewhere() {
            own.push(self.own_beside_blobs().join("tmp"));
        }
        own
    }

    /// The paths in a directory of our own; none where it cannot be read.
    pub(crate) fn entries(&self, directory: &Path) -> Vec<PathBuf> {
        let names = sorted_names(directory).unwrap_or_default();
        names.into_iter().map(|name| directory.join(name)).collect()
    }

    pub(crate) fn manifest(&self, name: &ModelName) -> PathBuf {
        name.parts()
            .iter()
            .fold(self.manifests_directory(), |path, part| path.join(part))
    }

    /// The directories above a name's manifest, innermost first, without `manifests` itself.
    pub(crate) fn manifest_directories(&self, name: &ModelName) -> Vec<PathBuf> {
        let path = self.manifest(name);
        path.ancestors()
            .skip(1)
            .take(3)
            .map(Path::to_owned)
            .collect()
    }

    /// The path that a blob is written to.
    pub(crate) fn new_blob(&self, digest: &Digest) -> PathBuf {
        self.blobs_directory()
            .join(format!("sha256-{}", digest.hex()))
    }

    /// The path under which old releases of the reference wrote a blob.
    pub(crate) fn old_blob(&self, digest: &Digest) -> PathBuf {
        self.blobs_directory()
            .join(format!("sha256:{}", digest.hex()))
    }

    /// The path that a blob is read from: the old one where only that exists. Costs one `lstat`
    /// where the blob is there.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        let (new, old) = (self.new_blob(digest), self.old_blob(digest));
        if new.symlink_metadata().is_err() && old.symlink_metadata().is_ok() {
            old
        } else {
            new
        }
    }

    /// Every file at the depth of manifests, by path; directories and what lies at other depths
    /// are none. Unreadable directories are reported to `problem` and passed over.
    pub(crate) fn manifests(&self, mut problem: impl FnMut(&Path, io::Error)) -> Vec<ManifestFile> {
        let mut files = Vec::new();
        self.descend(
            self.manifests_directory(),
            &mut Vec::new(),
            &mut files,
            &mut problem,
        );
        files
    }

    fn descend(
        &self,
        directory: PathBuf,
        parts: &mut Vec<String>,
        files: &mut Vec<ManifestFile>,
        problem: &mut impl FnMut(&Path, io::Error),
    ) {
        let entries = match sorted_names(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                // What vanished, and what is no directory, holds no manifest.
                if !matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) {
                    problem(&directory, error);
                }
                return;
            }
        };
        for entry in entries {
            let path = directory.join(&entry);
            parts.push(entry);
            match parts.as_slice() {
                [host, namespace, model, tag] => {
                    if !path.is_dir() {
                        let name = ModelName::from_parts(host, namespace, model, tag);
                        files.push(ManifestFile { path, name });
                    }
                }
                _ => self.descend(path, parts, files, problem),
            }
            parts.pop();
        }
    }

    /// Every entry of `blobs/` but directories, by name; a missing directory has none.
    pub(crate) fn blobs(&self) -> io::Result<Vec<BlobFile>> {
        let directory = self.blobs_directory();
        let names = match sorted_names(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names?,
        };
        let file = |file_name: String| {
            let path = directory.join(&file_name);
            let name = BlobName::of(&file_name);
            (!path.is_dir()).then_some(BlobFile { path, name })
        };
        Ok(names.into_iter().filter_map(file).collect())
    }

    /// The stored names that equal `name` but for case, in byte order. Reads at most one
    /// directory for each part that matches.
    pub(crate) fn folded(&self, name: &ModelName) -> Vec<ModelName> {
        let mut found = vec![(self.manifests_directory(), Vec::<String>::new())];
        for part in name.parts() {
            let step = |(directory, parts): (PathBuf, Vec<String>)| {
                let entries = sorted_names(&directory).unwrap_or_default();
                let equal = entries
                    .into_iter()
                    .filter(|entry| entry.eq_ignore_ascii_case(part));
                let next = equal.map(|entry| {
                    let path = directory.join(&entry);
                    (path, parts.iter().cloned().chain([entry]).collect())
                });
                next.collect::<Vec<_>>()
            };
            found = found.into_iter().flat_map(step).collect();
        }
        let file = |(path, parts): (PathBuf, Vec<String>)| match parts.as_slice() {
            [host, namespace, model, tag] if path.is_file() => {
                ModelName::from_parts(host, namespace, model, tag)
            }
            _ => None,
        };
        let mut names: Vec<ModelName> = found.into_iter().filter_map(file).collect();
        names.sort();
        names
    }
}

/// The names in a directory in byte order. Names that are not UTF-8 cannot be ours or a model's
/// and show as a replacement, which no grammar admits.
fn sorted_names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
