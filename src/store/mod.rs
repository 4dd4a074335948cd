//! The engine: a models directory and what can be done with it.

mod alias;
mod blobs;
mod copy;
#[cfg(test)]
mod crash;
mod delete;
mod diagnosis;
mod doctor;
mod find;
mod form;
mod gc;
mod head;
mod import;
mod incomplete;
mod list;
mod live;
mod locations;
mod maintain;
mod misnamed;
mod model;
mod options;
mod outgoing;
mod problem;
mod repair;
mod show;
mod suggest;
mod survey;
mod usage;
mod verify;
mod watch;
mod which;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{mem, process};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::Layout;
use crate::fs::lock::StoreLock;
use crate::fs::{read, staged};
use crate::name::Digest;

pub use alias::Alias;
pub use blobs::{Blob, Transfer};
pub use copy::Copied;
pub use delete::{Deleted, SharedBlob};
pub use diagnosis::{Complaint, Diagnosis};
pub use form::ManifestForm;
pub use gc::{Collected, GcOptions};
pub use import::{FileWarning, ImportOptions, Imported};
pub use incomplete::IncompleteBlob;
pub use list::{ListOptions, ListedDetails, Listing, Summary};
pub use locations::{Root, RootState};
pub use maintain::Maintained;
pub use model::Model;
pub use options::StoreOptions;
pub use problem::Problem;
pub use repair::{Moved, Repaired};
pub use show::{Fact, Message, ModelInfo, Show, ShowOptions, ShownDetails, ShownTensor};
pub use usage::{Files, ModelUsage, Usage};
pub use verify::{
    BlobStatus, BrokenModel, Finding, GgufFinding, Progress, Report, Trusted, VerifyOptions,
};
pub use which::{Use, Uses};

/// A models directory, opened.
///
/// Cheap to clone and safe to share among threads. Opening and reading create nothing and take no
/// lock; every call answers from the disk's current state, so a server may change the store beside
/// us. Calls that change it hold an advisory lock of our own processes while they run.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// Who watches the calls of this handle, if anybody does.
    work: Option<Arc<watch::Work>>,
}

struct Inner {
    layout: Layout,
    /// The device and the inode of the root when it was opened.
    identity: (u64, u64),
    options: StoreOptions,
    pool: Mutex<Option<Pool>>,
}

/// A change under way: the lock, and what was put back when it began.
pub(crate) struct Change {
    _lock: StoreLock,
    pub restored: Vec<Digest>,
}

/// A thread pool and the process that made it: the threads of a parent are not its child's.
struct Pool {
    process: u32,
    threads: Arc<ThreadPool>,
}

impl Pool {
    /// Whether its threads run in this process, and not in the one that this was forked from.
    fn is_ours(&self) -> bool {
        self.process == process::id()
    }
}

impl Store {
    /// Opens the store at `path`; see [`StoreOptions`] for more. Costs one `stat`.
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where the directory does not exist; the text names the
    /// well-known places that do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Store::open_with(StoreOptions::new(path.as_ref()))
    }

    /// Opens a store by options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(options: StoreOptions) -> Result<Self> {
        let Some(path) = options.path.clone() else {
            let text = "neither OLLAMA_MODELS nor a home directory says where the store is";
            return Err(Error::new(ErrorKind::NotFound, text));
        };
        if options.create {
            staged::make_all(&path, options.durability)?;
        }
        let identity = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => (metadata.dev(), metadata.ino()),
            Ok(_) => {
                let text = format!("opening store {}: not a directory", path.display());
                return Err(Error::new(ErrorKind::FileNotFound, text).at(&path));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(options.no_store(&path));
            }
            Err(e) => return Err(Error::io("opening store", &path, e)),
        };
        Ok(Store {
            inner: Arc::new(Inner {
                layout: Layout::new(path),
                identity,
                options,
                pool: Mutex::new(None),
            }),
            work: None,
        })
    }

    /// The directory, as it was given.
    pub fn path(&self) -> &Path {
        self.layout().root()
    }

    /// Where the blob of a digest lies, or would lie. Costs at most two `lstat`.
    pub fn blob_path(&self, digest: &Digest) -> std::path::PathBuf {
        self.layout().blob(digest)
    }

    /// Whether the blob of a digest is there.
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.layout().blob(digest).exists()
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    pub(crate) fn options(&self) -> &StoreOptions {
        &self.inner.options
    }

    /// The store's own threads, made when they are first needed and again after a fork. The
    /// host's global pool is not ours.
    ///
    /// The lock is only tried: one that another thread holds while the process forks is held in
    /// the child for ever. Who does not get it makes threads for one use.
    pub(crate) fn pool(&self) -> Result<Arc<ThreadPool>> {
        if let Ok(slot) = self.inner.pool.try_lock()
            && let Some(pool) = slot.as_ref().filter(|pool| pool.is_ours())
        {
            return Ok(pool.threads.clone());
        }
        let builder = ThreadPoolBuilder::new().num_threads(self.options().threads);
        let named = builder.thread_name(|index| format!("modelkeep-{index}"));
        let threads = Arc::new(
            named
                .build()
                .map_err(|e| Error::caused(ErrorKind::Io, "starting threads", e))?,
        );
        if let Ok(mut slot) = self.inner.pool.try_lock()
            && !slot.as_ref().is_some_and(Pool::is_ours)
        {
            // Threads of the parent are not ours to end.
            mem::forget(slot.replace(Pool {
                process: process::id(),
                threads: threads.clone(),
            }));
        }
        Ok(threads)
    }

    /// Begins a change: refuses on a read-only store, waits for our other processes, and first of
    /// all puts back what an interrupted removal left in the trash and is in use.
    pub(crate) fn lock(&self) -> Result<Change> {
        self.may_write()?;
        self.must_exist()?;
        let lock = StoreLock::acquire(self.layout(), || self.advance(0))?;
        let restored = outgoing::recover(self);
        Ok(Change {
            _lock: lock,
            restored,
        })
    }

    /// Fails where the directory that was opened is gone, or another one is in its place, as where
    /// a disk was unmounted: it holds no models, and that says nothing about ours.
    pub(crate) fn must_exist(&self) -> Result<()> {
        let root = self.path();
        let now = fs::metadata(root).map(|metadata| (metadata.dev(), metadata.ino()));
        match now {
            Ok(identity) if identity == self.inner.identity => Ok(()),
            // A directory that was made anew and holds a store again is that store.
            Ok(_)
                if self
                    .layout()
                    .manifests_directory()
                    .symlink_metadata()
                    .is_ok() =>
            {
                Ok(())
            }
            Ok(_) => {
                let text = format!(
                    "the store {} is gone: another directory is in its place, without models; \
                     is the disk mounted?",
                    root.display()
                );
                Err(Error::new(ErrorKind::FileNotFound, text).at(root))
            }
            Err(e) => Err(Error::io("looking for store", root, e)),
        }
    }

    /// Fails where `blobs/` is there and leads to no directory, as a link to a disk that is not
    /// mounted: what is missing then is not gone.
    pub(crate) fn blobs_place(&self) -> Result<()> {
        let blobs = self.layout().blobs_directory();
        let cause = match blobs.metadata() {
            Ok(metadata) if metadata.is_dir() => return Ok(()),
            Ok(_) => std::io::Error::other("not a directory"),
            Err(_) if read::is_gone(&blobs) => return Ok(()),
            Err(e) => read::dangling(&blobs, e),
        };
        let text = format!("looking for blobs in {}", blobs.display());
        Err(Error::caused(ErrorKind::Io, text, cause))
    }

    fn may_write(&self) -> Result<()> {
        if self.options().read_only {
            let text = format!("the store {} was opened read-only", self.path().display());
            return Err(Error::new(ErrorKind::ReadOnly, text).at(self.path()));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}
