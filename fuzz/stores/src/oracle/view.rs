//! What a store means: which blobs are there and good, and which of them are in use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::oracle::disk::{self, Disk};
use crate::oracle::name::{is_dropping, is_of_the_system, is_valid, looks_valid};
use crate::oracle::reading::{self, Reading};
use crate::place::Case;

/// A store at a moment when nobody changes it.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub disk: Disk,
    /// Whether the directory of the store is there.
    pub is_there: bool,
    /// The files in `blobs`, by name, with the digest of their bytes.
    pub files: BTreeMap<String, String>,
    /// The digests whose blobs have the right bytes, in `blobs`.
    pub good: BTreeSet<String>,
    /// The digests whose blobs have the right bytes, in the trash.
    pub trashed: BTreeSet<String>,
    /// The digests of all bytes in quarantine.
    pub quarantined: BTreeSet<String>,
    /// The manifests that decode.
    pub manifests: Vec<Manifest>,
    /// Those that a mode hides from the callers: who knows the name reaches them all the same.
    pub hidden: Vec<Manifest>,
    /// Why nobody can know what is in use.
    pub blocks: Vec<Block>,
    /// Whether the callers can put nothing into `blobs`, not set aside what is in its place, or not
    /// look into a directory of our own; or a blob's place is a directory.
    pub is_shut: bool,
    /// Whether something may be taken for such a reason, and need not.
    pub is_doubtful: bool,
    /// Where `blobs` leads.
    real_blobs: Option<PathBuf>,
}

/// A manifest that decodes.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its path below `manifests`.
    pub below: PathBuf,
    /// Whether a model can have this name.
    pub is_valid: bool,
    /// Whether links make its directory and `blobs` one.
    pub is_among_blobs: bool,
    pub reading: Reading,
}

/// A reason why nobody can know what is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub path: PathBuf,
    pub why: &'static str,
    /// Which entry it is: another one of the same name is another reason.
    inode: Option<(u64, u64)>,
}

impl View {
    /// Reads a store; `closed` says whether modes shut the callers out.
    pub fn read(case: &Case, closed: bool) -> Self {
        let store = case.store();
        let mut view = View {
            disk: Disk::read(case),
            is_there: store.is_dir(),
            ..View::default()
        };
        let blobs = store.join("blobs");
        view.read_blobs(&blobs, closed);
        view.walk(&store.join("manifests"), closed);
        for beside in shared_with(&blobs, &store) {
            view.walk(&beside, closed);
        }
        for own in private(&store, &blobs) {
            let quarantine = own.join("quarantine").symlink_metadata();
            view.is_shut |= quarantine.is_ok_and(|metadata| !metadata.is_dir());
            let is_closed = |own: &Path| own.metadata().is_ok_and(|it| is_closed(&it));
            view.is_shut |= closed && is_closed(&own);
            view.trashed.extend(good_in(&own.join("trash"), closed));
            // A directory in the place of a blob is a stranger's, and stays.
            let home = |hex: &String| blobs.join(format!("sha256-{hex}"));
            view.is_shut |= view.trashed.iter().any(|hex| home(hex).is_dir());
            for quarantine in ["damaged", "quarantine"] {
                view.quarantined
                    .extend(files_in(&own.join(quarantine)).into_values());
            }
        }
        view
    }

    fn read_blobs(&mut self, blobs: &Path, closed: bool) {
        if blobs.symlink_metadata().is_ok() && !blobs.is_dir() {
            self.block(blobs, "blobs is away");
        }
        let mode = blobs.metadata().map_or(0o700, |metadata| metadata.mode());
        self.is_shut = closed && mode & 0o300 != 0o300 || blobs.is_symlink() && !blobs.is_dir();
        self.real_blobs = blobs.canonicalize().ok();
        self.files = files_in(blobs);
        self.good = good_in(blobs, closed);
    }

    fn walk(&mut self, manifests: &Path, closed: bool) {
        if manifests.symlink_metadata().is_ok() {
            match manifests.metadata() {
                Ok(metadata) if metadata.is_dir() && !(closed && hides(manifests, &metadata)) => {
                    self.descend(manifests, &mut Vec::new(), closed);
                }
                _ => {
                    self.block(manifests, "manifests is away or closed");
                    self.hide(manifests, &mut Vec::new());
                }
            }
        }
    }

    fn descend(&mut self, directory: &Path, parts: &mut Vec<String>, closed: bool) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if (parts.is_empty() && is_of_the_system(&name)) || name.starts_with(".modelkeep-") {
                continue;
            }
            parts.push(name);
            self.entry(&entry.path(), parts, closed);
            parts.pop();
        }
    }

    /// Notes what is behind a directory that the callers cannot list.
    fn hide(&mut self, directory: &Path, parts: &mut Vec<String>) {
        let mut behind = View::default();
        behind.descend(directory, parts, false);
        self.hidden.extend(behind.manifests);
    }

    fn entry(&mut self, path: &Path, parts: &mut Vec<String>, closed: bool) {
        let dropping = parts.last().is_some_and(|name| is_dropping(name));
        let is_directory = path.metadata().map(|metadata| metadata.is_dir());
        match (path.metadata(), is_directory, parts.len()) {
            (Err(_), ..) if dropping => {}
            (Err(_), ..) => self.block(path, "a link that leads nowhere"),
            (Ok(metadata), Ok(true), 1..4) => match closed && hides(path, &metadata) {
                true => {
                    self.block(path, "a closed directory");
                    self.hide(path, parts);
                }
                false => self.descend(path, parts, closed),
            },
            (_, Ok(true), _) => {}
            (_, _, 1..4) if dropping => {}
            (_, _, 1..4) if !is_valid(parts) => self.is_doubtful = true,
            (_, _, 1..4) => self.block(path, "a file in the place of a directory"),
            (Ok(metadata), ..) => self.file(path, &metadata, parts, closed),
        }
    }

    fn file(&mut self, path: &Path, metadata: &Metadata, parts: &[String], closed: bool) {
        let stranger = !is_valid(parts) || parts.last().is_some_and(|name| is_dropping(name));
        if closed && is_closed(metadata) {
            self.block(path, "a closed manifest");
            return;
        }
        let reading = match metadata.is_file() {
            true => reading::read(&fs::read(path).unwrap_or_default()),
            false => Reading::default(),
        };
        self.is_doubtful |= reading.is_odd;
        if reading.is_obscure {
            self.block(path, "a digest that is not understood");
        }
        match reading.decodes {
            true => self.manifests.push(Manifest {
                below: parts.iter().collect(),
                is_valid: !stranger,
                is_among_blobs: path
                    .canonicalize()
                    .is_ok_and(|real| real.parent() == self.real_blobs.as_deref()),
                reading,
            }),
            // The engine may take it for a damaged manifest, and keep everything.
            false if stranger => self.is_doubtful |= looks_valid(parts),
            false => self.block(path, "a manifest that does not decode"),
        }
    }

    fn block(&mut self, path: &Path, why: &'static str) {
        let entry = path.symlink_metadata();
        self.blocks.push(Block {
            path: path.to_owned(),
            why,
            inode: entry.map(|entry| (entry.dev(), entry.ino())).ok(),
        });
    }

    /// Returns the reasons in words.
    pub fn block_text(&self) -> String {
        let text = |block: &Block| format!("{}: {}", block.path.display(), block.why);
        self.blocks.iter().map(text).collect::<Vec<_>>().join("; ")
    }

    /// Returns the digests that manifests name, with who names them.
    pub fn used(&self) -> BTreeMap<String, &Manifest> {
        let mut used = BTreeMap::new();
        for manifest in &self.manifests {
            for hex in &manifest.reading.named {
                used.insert(hex.clone(), manifest);
            }
            for hex in &manifest.reading.indexed {
                used.extend(self.inside(hex).into_iter().map(|inner| (inner, manifest)));
            }
        }
        used
    }

    /// Returns what a manifest among the blobs names.
    fn inside(&self, hex: &str) -> BTreeSet<String> {
        match self.good.contains(hex) && *hex == crate::content::hex(9) {
            true => reading::read(&crate::content::blob(9)).named,
            false => BTreeSet::new(),
        }
    }

    /// Returns the digests whose blobs are there, in `blobs` or on their way out.
    pub fn present(&self) -> BTreeSet<String> {
        self.good.union(&self.trashed).cloned().collect()
    }
}

impl Manifest {
    /// Says what is peculiar about a manifest that names a digest.
    pub fn peculiarity(&self, hex: &str) -> &'static str {
        let (name, form) = (self.is_valid, self.reading.plain.contains(hex));
        match (name, form) {
            (true, true) => "",
            (false, true) => " by a name that is none",
            (true, false) => " in another form or spelling",
            (false, false) => " in another form, by a name that is none",
        }
    }
}

/// Whether a mode shuts out the owner, as whom the calls are made.
fn is_closed(metadata: &Metadata) -> bool {
    let needed = if metadata.is_dir() { 0o500 } else { 0o400 };
    metadata.mode() & needed != needed
}

/// Whether a directory has entries that the callers cannot see. One that may be listed and is empty
/// hides nothing.
fn hides(directory: &Path, metadata: &Metadata) -> bool {
    let is_listed = metadata.mode() & 0o400 != 0;
    let is_empty = || fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none());
    is_closed(metadata) && !(is_listed && is_empty())
}

/// The directories of our own: that of the store, one beside blobs that are on another device, and
/// that of the store whose blobs these are.
fn private(store: &Path, blobs: &Path) -> Vec<PathBuf> {
    let device = |path: &Path| path.metadata().map(|metadata| metadata.dev()).ok();
    let mut directories = vec![store.join(".modelkeep")];
    if device(store) != device(blobs) {
        directories.push(blobs.join(".modelkeep"));
    }
    let beside = shared_with(blobs, store).into_iter();
    directories.extend(beside.map(|manifests| manifests.with_file_name(".modelkeep")));
    directories
}

/// The manifests of the other stores that have the same blobs: those beside each link on the way to
/// the real directory, and beside that.
fn shared_with(blobs: &Path, store: &Path) -> BTreeSet<PathBuf> {
    let mut steps = Vec::new();
    let mut at = blobs.to_owned();
    while let (Ok(target), true) = (fs::read_link(&at), steps.len() < 40) {
        at = at.with_file_name("").join(target);
        steps.push(at.clone());
    }
    let roots = steps
        .iter()
        .filter_map(|step| step.parent()?.canonicalize().ok());
    let own = store.canonicalize().ok();
    let others = roots.filter(|root| own.as_ref() != Some(root));
    others.map(|root| root.join("manifests")).collect()
}

fn files_in(directory: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let digest = match (path.symlink_metadata(), path.metadata()) {
            (Ok(_), Ok(metadata)) if metadata.is_file() => disk::digest(&path, &metadata),
            (Ok(_), Ok(metadata)) if metadata.is_dir() => continue,
            _ => "no file".to_owned(),
        };
        files.insert(entry.file_name().to_string_lossy().into_owned(), digest);
    }
    files
}

/// Returns the digits in the name of a blob.
pub fn hex_in(name: &str) -> Option<String> {
    let hex = name.strip_prefix("sha256")?.strip_prefix(['-', ':'])?;
    let sound = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    sound.then(|| hex.to_lowercase())
}

fn good_in(directory: &Path, closed: bool) -> BTreeSet<String> {
    let open = |name: &str| {
        let metadata = directory.join(name).metadata();
        metadata.is_ok_and(|metadata| !closed || !is_closed(&metadata))
    };
    let files = files_in(directory)
        .into_iter()
        .filter(|(name, _)| open(name));
    let good = files.filter_map(|(name, digest)| hex_in(&name).filter(|hex| *hex == digest));
    good.collect()
}
