//! The handle of a store: how it is opened, what it holds, and what a change begins with.

use std::path::Path;
use std::sync::Arc;

use rayon::ThreadPool;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::{KnownNames, Layout};
use crate::fs::lock::StoreLock;
use crate::fs::system::stat::{FileId, Stat};
use crate::fs::{read, staged};
use crate::name::Digest;
use crate::store::index_cache::IndexCache;
use crate::store::options::StoreOptions;
use crate::store::outgoing::Recovered;
use crate::store::pool::ThreadPools;
use crate::store::problem::Problem;
use crate::store::survey::Memory;
use crate::store::{outgoing, provisional, watch};

/// A models directory, opened.
///
/// Cheap to clone and safe to share among threads. Opening and reading create nothing and take no
/// lock; every call says what the disk holds now, so a server may change the store beside
/// us. Calls that change it hold an advisory lock of our own processes while they run.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let copy = store.clone();
/// let listing = std::thread::spawn(move || copy.list());
/// assert_eq!(listing.join().expect("no panic")?.models.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// The stores that are looked into after this one.
    others: Arc<[Arc<Inner>]>,
    /// Who watches the calls of this handle, if anybody does.
    work: Option<Arc<watch::Work>>,
}

struct Inner {
    layout: Layout,
    /// The device and the inode of the root when it was opened.
    identity: Option<FileId>,
    options: StoreOptions,
    pools: ThreadPools,
    memory: Memory,
    known_names: KnownNames,
    index_cache: IndexCache,
}

/// A change under way: the lock, and what came back from the trash when it began.
pub(crate) struct Change {
    pub(in crate::store) lock: StoreLock,
    pub recovered: Recovered,
    /// What an interrupted change was about, and can be neither finished nor taken back now: nobody
    /// knows what is in use.
    pub undecided: Vec<Problem>,
}

impl Store {
    /// Opens the store at `path`; see [`StoreOptions`] for more. Costs one `stat`.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{ErrorKind, Store};
    ///
    /// let store = Store::open(directory.path().join("models"))?;
    /// assert_eq!(store.list()?.models.len(), 1);
    ///
    /// let error = Store::open(directory.path().join("nowhere")).expect_err("there is no store");
    /// assert_eq!(error.kind(), ErrorKind::FileNotFound);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where the directory does not exist; the text names
    /// the well-known places that do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Store::open_with(StoreOptions::new(path.as_ref()))
    }

    /// Opens the store that the environment names: `OLLAMA_MODELS`, or else `~/.ollama/models`; see
    /// [`StoreOptions::from_env`].
    ///
    /// ```
    /// use modelkeep::Store;
    ///
    /// match Store::open_default() {
    ///     Ok(store) => println!("{}", store.path().display()),
    ///     Err(error) => assert!(error.to_string().contains("store")),
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open); [`NotFound`](ErrorKind::NotFound) where there is no home directory.
    pub fn open_default() -> Result<Self> {
        Store::open_with(StoreOptions::from_env())
    }

    /// Opens a store by options.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{ErrorKind, Store, StoreOptions};
    ///
    /// let store = Store::open_with(StoreOptions::new(store.path()).read_only(true))?;
    /// let error = store.delete("tiny").expect_err("the store is read-only");
    /// assert_eq!(error.kind(), ErrorKind::ReadOnly);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(options: StoreOptions) -> Result<Self> {
        let further = options.further.clone();
        let first = Store::open_one(options.clone())?;
        let mut inners = vec![first.inner];
        for path in further {
            let store = Store::open_one(options.clone().path(path))?;
            let is_known =
                |it: &Arc<Inner>| it.identity.is_some() && it.identity == store.inner.identity;
            if !inners.iter().any(is_known) {
                inners.push(store.inner);
            }
        }
        let mut inners = inners.into_iter();
        Ok(Store {
            inner: inners.next().expect("the first was opened"),
            others: inners.collect(),
            work: None,
        })
    }

    fn open_one(options: StoreOptions) -> Result<Self> {
        let Some(path) = options.path.clone() else {
            let text = "neither OLLAMA_MODELS nor a home directory says where the store is";
            return Err(Error::new(ErrorKind::NotFound, text));
        };
        if options.create {
            staged::make_all(&path, options.durability)?;
        }
        let identity = match Stat::at(&path) {
            Ok(stat) if stat.is_dir() => stat.id(),
            Ok(_) => {
                let text = format!("opening store {}: not a directory", path.display());
                return Err(Error::new(ErrorKind::FileNotFound, text).at(&path));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(options.no_store(&path));
            }
            Err(e) => return Err(Error::io("opening store", &path, e)),
        };
        let known_names = KnownNames::new(options.cached_list_bytes());
        let index_cache = IndexCache::new(options.cached_index_bytes());
        Ok(Store {
            inner: Arc::new(Inner {
                layout: Layout::new(path),
                identity,
                options,
                pools: ThreadPools::default(),
                memory: Memory::default(),
                known_names,
                index_cache,
            }),
            others: Arc::default(),
            work: None,
        })
    }

    /// Returns the directory, as it was given.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert_eq!(store.path(), directory.path().join("models"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn path(&self) -> &Path {
        self.layout().root()
    }

    /// Returns where the blob of a digest is, or would be. Costs at most two `lstat`.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::Digest;
    ///
    /// let path = store.blob_path(&Digest::of(b"no blob"));
    /// assert!(path.starts_with(store.path()) && !path.exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn blob_path(&self, digest: &Digest) -> std::path::PathBuf {
        let own = self.layout().blob(digest);
        if !self.is_several() {
            return own;
        }
        let mut paths = self.layouts().map(|layout| layout.blob(digest));
        paths.find(|path| path.exists()).unwrap_or(own)
    }

    /// Returns whether the blob of a digest is there.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let digest = store.model("tiny")?.manifest().layers()[0].digest()?;
    /// assert!(store.has_blob(&digest));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.layouts().any(|layout| layout.blob(digest).exists())
    }

    /// Returns where each store of a view keeps what, in order.
    pub(super) fn layouts(&self) -> impl Iterator<Item = &Layout> {
        let others = self.others.iter().map(|other| &other.layout);
        std::iter::once(self.layout()).chain(others)
    }

    /// Returns a handle of the same store whose calls count into `work` and stop where it says so.
    pub(super) fn watched_by(&self, work: Arc<watch::Work>) -> Store {
        Store {
            inner: self.inner.clone(),
            others: self.others.clone(),
            work: Some(work),
        }
    }

    /// Returns whether this is a view of several stores.
    pub(crate) fn is_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// Returns each store of a view alone, in order.
    pub(super) fn each_alone(&self) -> Vec<Store> {
        let inners = std::iter::once(&self.inner).chain(self.others.iter());
        let alone = |inner: &Arc<Inner>| Store {
            inner: inner.clone(),
            others: Arc::default(),
            work: self.work.clone(),
        };
        inners.map(alone).collect()
    }

    /// Returns the first store of a view alone.
    pub(super) fn first_store(&self) -> Store {
        Store {
            others: Arc::default(),
            ..self.clone()
        }
    }

    pub(super) fn work(&self) -> Option<&watch::Work> {
        self.work.as_deref()
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    pub(crate) fn options(&self) -> &StoreOptions {
        &self.inner.options
    }

    pub(super) fn known_names(&self) -> &KnownNames {
        &self.inner.known_names
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.inner.memory
    }

    pub(super) fn index_cache(&self) -> &IndexCache {
        &self.inner.index_cache
    }

    /// Returns the store's own threads; see [`ThreadPools`].
    pub(crate) fn pool(&self) -> Result<Arc<ThreadPool>> {
        self.inner.pools.threads(self.options().threads)
    }

    /// Begins a change: refuses on a read-only store, waits for our other processes, and first of
    /// all puts back what an interrupted removal left in the trash and is in use, and takes back what
    /// an interrupted change has not made sure of.
    pub(crate) fn lock(&self) -> Result<Change> {
        self.must_be_one("a change")?;
        self.may_change()?;
        let lock = StoreLock::acquire(self.layout(), || self.advance(0))?;
        let recovered = outgoing::recover(self);
        let undecided = provisional::recover(self, &lock);
        Ok(Change {
            lock,
            recovered,
            undecided,
        })
    }

    /// Fails where the directory that was opened is gone, or another one is in its place, as where
    /// a disk was unmounted: it holds no models, and that says nothing about ours.
    pub(crate) fn must_exist(&self) -> Result<()> {
        let root = self.path();
        let now = Stat::at(root).map(|stat| stat.id());
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
    /// mounted, or to one that is closed to this user: what is missing then is not gone.
    pub(crate) fn blobs_place(&self) -> Result<()> {
        let blobs = self.layout().blobs_directory();
        let cause = match blobs.metadata() {
            Ok(metadata) if metadata.is_dir() => match self.layout().look_into_blobs() {
                Ok(()) => return Ok(()),
                Err(_) if read::is_gone(&blobs) => return Ok(()),
                Err(e) => e,
            },
            Ok(_) => std::io::Error::other("not a directory"),
            Err(_) if read::is_gone(&blobs) => return Ok(()),
            Err(e) => read::dangling(&blobs, e),
        };
        let text = format!("looking for blobs in {}", blobs.display());
        Err(Error::caused(ErrorKind::Io, text, cause))
    }

    /// Fails where nothing may be changed: in a store that was opened read-only, or is gone.
    pub(crate) fn may_change(&self) -> Result<()> {
        self.must_be_one("a change")?;
        self.may_write()?;
        self.must_exist()
    }

    pub(crate) fn may_write(&self) -> Result<()> {
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
