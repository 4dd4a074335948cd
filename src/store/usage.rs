//! What the disk holds, and for whom.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::error::Result;
use crate::fs::layout::{BlobName, Layout, Room};
use crate::fs::private::Leftovers;
use crate::fs::system::directory::Directory;
use crate::fs::system::stat::{FileId, Kind, Stat};
use crate::go::json;
use crate::name::{Digest, ModelName};
use crate::store::handle::Store;
use crate::store::inventory::Item;
use crate::store::live::LiveBlobs;
use crate::store::problem::Problem;

/// The disk usage of a store. Bytes are real blocks on disk; each digest counts once.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// store.copy("tiny", "a")?;
/// for model in &store.usage()? {
///     assert_eq!(model.exclusive, 0, "each shares all with the other");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// The models, by name.
    pub models: Vec<ModelUsage>,
    /// The bytes of all blobs that models use, or other manifests name.
    pub used: u64,
    /// Blobs that nothing uses, as far as the manifests can be read.
    pub orphans: Files,
    /// Leftovers of interrupted downloads.
    pub partials: Files,
    /// Files in `blobs/` that are neither.
    pub unknown: Files,
    /// Files of ours that are being written, or that interrupted runs left: `gc` removes those.
    pub staged: Files,
    /// Blobs in the trash of an interrupted removal: the next change puts them back or removes
    /// them.
    pub trash: Files,
    /// Damaged blobs that a repair set aside: `gc` with `quarantine` removes them.
    pub quarantine: Files,
    /// Everything else below the store's root, its manifests included.
    pub other: Files,
    /// All of these bytes together.
    pub total: u64,
    /// Those of these bytes that stay on the disk whatever is removed here, because the files have
    /// other names elsewhere.
    pub held_outside: u64,
    /// What could not be read: what it uses counts as orphaned.
    pub problems: Vec<Problem>,
}

/// The disk usage of one model.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let model = &store.usage()?.models[0];
/// assert_eq!((model.missing, model.shared), (0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct ModelUsage {
    /// The model.
    pub name: ModelName,
    /// The bytes that it alone holds: what deleting it frees.
    pub exclusive: u64,
    /// The bytes that it shares with other models.
    pub shared: u64,
    /// How many of its blobs are missing.
    pub missing: usize,
    /// The directory of its store, in a view of several.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "json::optional_path"
    )]
    pub store: Option<PathBuf>,
}

/// Some files together.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// store.add_blob(&mut &b"of no model"[..], None)?;
/// assert_eq!(store.usage()?.orphans.files, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Files {
    /// How many.
    pub files: usize,
    /// Their bytes on disk.
    pub bytes: u64,
}

impl Files {
    fn add(&mut self, bytes: u64) {
        self.join(Files { files: 1, bytes });
    }

    /// Adds what another store has.
    pub(super) fn join(&mut self, others: Files) {
        self.files += others.files;
        self.bytes += others.bytes;
    }
}

impl Usage {
    /// Returns the result as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a path that is not UTF-8, which JSON
    /// cannot carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
    }
}

/// A digest's bytes on disk, where there are any, and how many models use it.
#[derive(Default)]
struct Holding {
    bytes: Option<u64>,
    users: usize,
}

type Holdings = HashMap<Digest, Holding, foldhash::fast::RandomState>;

impl Store {
    /// Measures the disk: everything below the store's root, links not followed but for blobs.
    /// Reads every manifest once and looks at every file.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let usage = store.usage()?;
    /// assert_eq!(usage.orphans.files, 0);
    /// assert!(usage.used <= usage.total);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where `blobs/` cannot be read, or the store is gone.
    pub fn usage(&self) -> Result<Usage> {
        if self.is_several() {
            return self.usage_several();
        }
        self.blobs_place()?;
        let mut usage = Usage::default();
        let mut tally = Tally::of(self.layout());
        let mut holdings = self.holdings(&mut usage, &mut tally)?;
        let survey = self.survey(|met| Ok(Some(met.facts.clone())))?;
        let named = survey.found.iter();
        let named = named.filter_map(|facts| Some((facts.name().cloned()?, facts.digests())));
        let models: Vec<_> = named.collect();
        let live = LiveBlobs::among(self, survey, &HashSet::new())?;
        for digest in models.iter().flat_map(|(_, digests)| digests) {
            holdings.entry(*digest).or_default().users += 1;
        }
        for (name, digests) in models {
            usage.models.push(model_usage(name, &digests, &holdings));
        }
        usage.models.sort_by(|a, b| a.name.cmp(&b.name));
        for (digest, holding) in &holdings {
            let Some(bytes) = holding.bytes else { continue };
            match live.contains(digest) {
                false => usage.orphans.add(bytes),
                true => usage.used += bytes,
            }
        }
        usage.problems = live.into_problems();
        self.measure_private(&mut usage, &mut tally);
        for stat in self.pool()?.install(|| tally.rest(self.path())) {
            usage.other.add(tally.add_file(&stat));
        }
        usage.total = usage.used + usage.groups().iter().map(|files| files.bytes).sum::<u64>();
        usage.held_outside = tally.held_outside();
        Ok(usage)
    }

    fn holdings(&self, usage: &mut Usage, tally: &mut Tally) -> Result<Holdings> {
        let mut holdings = Holdings::default();
        let items = self.inventory()?.items;
        tally.expect(&items, self.layout());
        for item in items {
            let Some(stat) = item.target(self.layout()) else {
                continue;
            };
            if !item.stat.is_file() {
                tally.count(tally.blobs.clone(), &item.file.file_name());
            }
            let bytes = tally.add_file(&stat);
            match item.file.name {
                BlobName::Digest(digest) => {
                    let held = &mut holdings.entry(digest).or_default().bytes;
                    *held = Some(held.unwrap_or(0) + bytes);
                }
                BlobName::Partial => usage.partials.add(bytes),
                BlobName::Unknown | BlobName::Dropping => usage.unknown.add(bytes),
            }
        }
        Ok(holdings)
    }

    fn measure_private(&self, usage: &mut Usage, tally: &mut Tally) {
        for file in Leftovers::of(self.layout(), &Room::ALL).files {
            let bytes = tally.add(&file.path, &file.stat);
            match file.room {
                Room::Staging => usage.staged.add(bytes),
                Room::Trash => usage.trash.add(bytes),
                Room::Quarantine => usage.quarantine.add(bytes),
            }
        }
    }
}

impl Usage {
    /// Returns everything but what models use.
    fn groups(&self) -> [Files; 7] {
        [
            self.orphans,
            self.partials,
            self.unknown,
            self.staged,
            self.trash,
            self.quarantine,
            self.other,
        ]
    }
}

/// Which names were counted, and each file once.
struct Tally {
    /// The directory of the blobs, of which all regular files were counted.
    blobs: PathBuf,
    /// The names of others, by their directories.
    counted: HashMap<PathBuf, Counted>,
    /// The files that may be met more than once: those that have several names, and those that
    /// links among the blobs lead to.
    files: HashMap<FileId, Names, foldhash::fast::RandomState>,
    /// Whether any file may, since the directory of the blobs may be met under another path.
    is_linked: bool,
}

type Counted = HashSet<OsString, foldhash::fast::RandomState>;

/// How many names of a file were met, and how many it has.
struct Names {
    met: u64,
    all: u64,
    bytes: u64,
}

impl Names {
    fn of(stat: &Stat) -> Self {
        Names {
            met: 0,
            all: stat.links(),
            bytes: stat.disk_bytes(),
        }
    }
}

impl Tally {
    fn of(layout: &Layout) -> Self {
        let blobs = layout.blobs_directory();
        Tally {
            is_linked: blobs.is_symlink(),
            blobs,
            counted: HashMap::new(),
            files: HashMap::default(),
        }
    }

    /// Notes that the files which links lead to may be met under their own names.
    fn expect(&mut self, items: &[Item], layout: &Layout) {
        let links = items.iter().filter(|item| item.stat.is_symlink());
        for stat in links.filter_map(|item| item.target(layout)) {
            if let Some(id) = stat.id() {
                self.files.insert(id, Names::of(&stat));
            }
        }
    }

    fn count(&mut self, directory: PathBuf, name: &OsStr) {
        let counted = self.counted.entry(directory).or_default();
        counted.insert(name.to_owned());
    }

    /// Returns the bytes that a name adds: none where the file was counted under another one.
    fn add(&mut self, path: &Path, stat: &Stat) -> u64 {
        if let (Some(directory), Some(name)) = (path.parent(), path.file_name()) {
            self.count(directory.to_owned(), name);
        }
        self.add_file(stat)
    }

    fn add_file(&mut self, stat: &Stat) -> u64 {
        let bytes = stat.disk_bytes();
        // What cannot be told from others is a file of its own.
        let Some(id) = stat.id() else {
            return bytes;
        };
        if stat.links() == 1 && !self.is_linked && !self.files.contains_key(&id) {
            return bytes;
        }
        let names = self.files.entry(id).or_insert_with(|| Names::of(stat));
        names.met += 1;
        if names.met == 1 { bytes } else { 0 }
    }

    /// Returns every file below a directory that was not counted yet; what cannot be read is passed
    /// over.
    fn rest(&self, directory: &Path) -> Vec<Stat> {
        let (mut stats, mut directories) = (Vec::new(), Vec::new());
        let counted = self.counted.get(directory);
        let has_blobs = directory == self.blobs;
        let is_counted = |name: &OsStr, kind| {
            has_blobs && kind == Kind::File || counted.is_some_and(|names| names.contains(name))
        };
        if let Ok(open) = Directory::open(directory) {
            let take = &mut |name: &OsStr, kind| {
                if kind == Kind::Directory {
                    directories.push(directory.join(name));
                } else if !is_counted(name, kind) {
                    stats.extend(open.stat_entry(Path::new(name)).ok());
                }
            };
            // What was read before an error counts.
            let _ = open.each(take);
        }
        let below = directories.par_iter().map(|directory| self.rest(directory));
        stats.extend(below.flatten_iter().collect::<Vec<_>>());
        stats
    }

    fn held_outside(&self) -> u64 {
        let held = self.files.values().filter(|names| names.all > names.met);
        held.map(|names| names.bytes).sum()
    }
}

fn model_usage(name: ModelName, digests: &[Digest], holdings: &Holdings) -> ModelUsage {
    let mut model = ModelUsage {
        name,
        exclusive: 0,
        shared: 0,
        missing: 0,
        store: None,
    };
    for holding in digests.iter().filter_map(|digest| holdings.get(digest)) {
        match (holding.bytes, holding.users) {
            (Some(bytes), 1) => model.exclusive += bytes,
            (Some(bytes), _) => model.shared += bytes,
            (None, _) => model.missing += 1,
        }
    }
    model
}
