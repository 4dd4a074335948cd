//! How a store is opened; the only place that reads the environment.

use std::env;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fs::durability::Durability;
use crate::fs::system::paths;

/// How to open a [`Store`](crate::Store). Cheap to make and to clone.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{Durability, Store, StoreOptions};
///
/// let options = StoreOptions::new(directory.path().join("new"))
///     .create(true)
///     .durability(Durability::None)
///     .threads(1);
/// assert!(Store::open_with(options)?.list()?.models.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StoreOptions {
    pub(crate) path: Option<PathBuf>,
    pub(crate) further: Vec<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) create: bool,
    pub(crate) read_only: bool,
    pub(crate) durability: Durability,
    pub(crate) mmap: bool,
    pub(crate) threads: usize,
    pub(crate) hash_streams: Option<NonZeroUsize>,
    pub(crate) delete_delay: Duration,
    pub(crate) foreign_owner: bool,
    pub(crate) go_template: Option<bool>,
    pub(crate) cache_size: u64,
}

/// How many bytes of memory a handle may take to remember, unless something else is said.
const CACHE_SIZE: u64 = 16 << 20;

impl StoreOptions {
    /// Returns options for the store at `path`, without a look at the environment.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        StoreOptions {
            path: Some(path.into()),
            further: Vec::new(),
            home: None,
            create: false,
            read_only: false,
            durability: Durability::Full,
            mmap: true,
            threads: 0,
            hash_streams: None,
            delete_delay: Duration::from_millis(50),
            foreign_owner: false,
            go_template: None,
            cache_size: CACHE_SIZE,
        }
    }

    /// Returns options from the environment, read once here: `OLLAMA_MODELS` or else
    /// `~/.ollama/models`, `OLLAMA_GO_TEMPLATE`, and `MODELKEEP_HASH_STREAMS`, which is
    /// [`hash_streams`](Self::hash_streams).
    ///
    /// ```
    /// use modelkeep::StoreOptions;
    ///
    /// let options = StoreOptions::from_env().mmap(false);
    /// assert!(!options.maps());
    /// ```
    pub fn from_env() -> Self {
        let home = env::home_dir();
        let default = home
            .as_ref()
            .map(|home| home.join(".ollama").join("models"));
        StoreOptions {
            path: path_variable("OLLAMA_MODELS").or(default),
            go_template: variable("OLLAMA_GO_TEMPLATE").map(|text| is_true(&text)),
            home,
            ..StoreOptions::new("").hash_streams(count("MODELKEEP_HASH_STREAMS"))
        }
    }

    /// Sets the directory of the store, in place of the environment's.
    #[must_use]
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Sets the directories of stores that are looked into after the first one, in this order: all
    /// together are one view, as the directories of `PATH` are. Of models of one name the first
    /// store's is meant. What is new is written to the first store that may be written to, and what
    /// is deleted goes from the store in which it is found. A directory that is named twice counts
    /// once.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{Store, StoreOptions};
    ///
    /// let mine = StoreOptions::new(directory.path().join("mine")).create(true);
    /// let view = Store::open_with(mine.further([store.path()]))?;
    /// view.copy("tiny", "my-own")?;
    /// assert_eq!(view.list()?.models.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn further<P: Into<PathBuf>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.further = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the directories of several stores, as [`path`](Self::path) and
    /// [`further`](Self::further) do; without any, what is set stays.
    #[must_use]
    pub fn paths<P: Into<PathBuf>>(self, paths: impl IntoIterator<Item = P>) -> Self {
        let mut paths = paths.into_iter();
        match paths.next() {
            Some(first) => self.path(first).further(paths),
            None => self,
        }
    }

    /// Returns the directories of a list as the system writes its `PATH`, with `:` between them, on
    /// Windows `;`. What is a directory as a whole is one, and what is empty is none.
    ///
    /// ```
    /// use modelkeep::StoreOptions;
    ///
    /// let list = std::env::join_paths(["a", "b"])?;
    /// assert_eq!(StoreOptions::split_paths(list).len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn split_paths(list: impl AsRef<std::ffi::OsStr>) -> Vec<PathBuf> {
        let list = list.as_ref();
        if Path::new(list).is_dir() {
            return vec![PathBuf::from(list)];
        }
        let paths = env::split_paths(list);
        paths.filter(|path| !path.as_os_str().is_empty()).collect()
    }

    /// Sets whether a directory that does not exist is made when the store is opened, and what is
    /// missing above it. Off by default: opening makes nothing, and a missing store is an error.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Refuses every call that would change the store.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Sets what a change has to survive; [`Durability::Full`] by default.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets whether blobs are mapped, the default, or read. Reading is right on network file
    /// systems and for files that somebody may truncate: that ends a process that has them mapped; see
    /// [`GgufFile::open`](crate::GgufFile::open). Where the file system cannot
    /// map, they are read in either case.
    #[must_use]
    pub fn mmap(mut self, mmap: bool) -> Self {
        self.mmap = mmap;
        self
    }

    /// Returns whether blobs are mapped.
    pub fn maps(&self) -> bool {
        self.mmap
    }

    /// Threads of the store's own pool; 0, the default, is one for each processor.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets how many blobs each thread hashes together, 16 at most; 0, the default, is as many as this
    /// processor is fastest with. That is measured for about a millisecond, once in a process and only
    /// before more than 256 MB are hashed. Up to 8 go by the SHA instructions of the processor, and more
    /// by AVX-512, where it has them; fewer go together where there are fewer, or where one is so large
    /// that all others would be done before it.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{Store, StoreOptions, VerifyOptions};
    ///
    /// let store = Store::open_with(StoreOptions::new(store.path()).hash_streams(4))?;
    /// assert!(store.verify(&VerifyOptions::new())?.is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn hash_streams(mut self, streams: usize) -> Self {
        self.hash_streams = NonZeroUsize::new(streams);
        self
    }

    /// Sets how long blobs that a delete removed wait in the trash for a server that is just about
    /// to use them; 50 ms by default, once for a batch. Zero is for callers who know that no server
    /// writes here.
    #[must_use]
    pub fn delete_delay(mut self, delete_delay: Duration) -> Self {
        self.delete_delay = delete_delay;
        self
    }

    /// Sets whether importing is allowed into a store of another user who could not use the new
    /// files. The server of that user fails on such blobs, so it is refused by default. Where a
    /// group or everybody may write to the blobs' directory, their owner can use what others make
    /// there.
    #[must_use]
    pub fn foreign_owner(mut self, allow: bool) -> Self {
        self.foreign_owner = allow;
        self
    }

    /// Sets whether show prefers the Go template over the one in the GGUF; `None`, the default,
    /// lets their abilities decide.
    #[must_use]
    pub fn go_template(mut self, prefer: Option<bool>) -> Self {
        self.go_template = prefer;
        self
    }

    /// Sets how many bytes of memory a handle and its clones may take to remember the manifests that
    /// they looked at, and where everything is in the GGUF files that were opened: 16 MiB by default,
    /// some ten thousand models and 60 such files. A call (a list, a delete, `usage`, `doctor`, `gc`, a
    /// show) looks whether anything changed, and reads what did; its result is the same without. Zero
    /// remembers nothing.
    ///
    /// ```
    /// use modelkeep::StoreOptions;
    ///
    /// assert_eq!(StoreOptions::new("models").cache_size(0).cached_bytes(), 0);
    /// ```
    #[must_use]
    pub fn cache_size(mut self, bytes: u64) -> Self {
        self.cache_size = bytes;
        self
    }

    /// Returns how many bytes of memory may be taken to remember; see
    /// [`cache_size`](Self::cache_size).
    pub fn cached_bytes(&self) -> u64 {
        self.cache_size
    }

    /// Returns how many of these bytes are for the indexes of GGUF files: an eighth, of some hundred
    /// files.
    pub(crate) fn cached_index_bytes(&self) -> u64 {
        self.cache_size / 8
    }

    /// Returns how many of these bytes are for manifests.
    pub(crate) fn cached_list_bytes(&self) -> u64 {
        self.cache_size - self.cached_index_bytes()
    }

    /// Returns the home of the user who runs this.
    pub(crate) fn user_home() -> Option<PathBuf> {
        env::home_dir()
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions::from_env()
    }
}

/// Returns a variable as Ollama reads it: trimmed of white space and then of quotes.
fn variable(name: &str) -> Option<String> {
    let text = env::var(name).ok()?;
    let text = text.trim().trim_matches(['"', '\'']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns a variable that is a path, which need not be UTF-8.
fn path_variable(name: &str) -> Option<PathBuf> {
    let path = env::var_os(name)?;
    if path.to_str().is_some() {
        return variable(name).map(PathBuf::from);
    }
    let is_around = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
    let bytes = path.as_encoded_bytes();
    let start = bytes.iter().position(|byte| !is_around(byte))?;
    let end = bytes.iter().rposition(|byte| !is_around(byte))?;
    let trimmed = paths::path_of_bytes(bytes.get(start..=end)?);
    Some(trimmed.unwrap_or(Path::new(&path)).to_owned())
}

/// Returns a variable that is a count; what is none counts as zero.
fn count(name: &str) -> usize {
    variable(name).map_or(0, |text| text.parse().unwrap_or_default())
}

/// Returns the truth of a variable. What is no boolean counts as true, as Ollama has it.
fn is_true(text: &str) -> bool {
    !matches!(text, "0" | "f" | "F" | "false" | "False" | "FALSE")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::rc::Rc;

    use super::*;
    use crate::fs::ops::{Change, hook};
    use crate::store::handle::Store;
    use crate::store::import::ImportOptions;
    use crate::store::show::ShowOptions;
    use crate::store::verify::VerifyOptions;

    /// Makes every call that looks into a GGUF file on this thread; returns how often one was mapped,
    /// where mapping fails with `code`.
    fn maps(mmap: bool, code: Option<i32>) -> crate::Result<usize> {
        let scratch = tempfile::tempdir().map_err(|e| crate::Error::io("", Path::new(""), e))?;
        let options = StoreOptions::new(scratch.path()).mmap(mmap);
        let store = Store::open_with(options.delete_delay(Duration::ZERO))?;
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny.gguf");
        let count = Rc::new(RefCell::new(0));
        let counted = count.clone();
        let map = move |change: &Change<'_>| match (change, code) {
            (Change::Map, code) => {
                *counted.borrow_mut() += 1;
                code.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)))
            }
            _ => Ok(()),
        };
        hook::with(map, || {
            store.import(&fixture, "a", &ImportOptions::default())?;
            store.import(&fixture, "b", &ImportOptions::default())?;
            let file = scratch.path().join("Modelfile");
            std::fs::write(&file, "FROM a\nSYSTEM x").unwrap();
            store.import_modelfile(&file, "c", &ImportOptions::default())?;
            store.show("a", &ShowOptions::default())?;
            let gguf = store.model("a")?.gguf()?;
            assert!(!gguf.view().is_empty());
            let options = VerifyOptions::default().gguf(true);
            let report = store.verify(&options)?;
            assert!(report.is_ok() && report.blobs.iter().any(|blob| blob.gguf.is_some()));
            Ok::<_, crate::Error>(())
        })?;
        let count = *count.borrow();
        Ok(count)
    }

    #[test]
    fn no_call_maps_a_file_where_the_option_says_so() {
        assert_eq!(maps(false, Some(libc::EIO)).unwrap(), 0);
        assert!(maps(true, None).unwrap() > 2);
    }

    #[test]
    fn what_cannot_be_mapped_is_read_and_what_fails_otherwise_fails() {
        let codes = [
            libc::ENODEV,
            libc::EINVAL,
            libc::EACCES,
            libc::ENOTSUP,
            libc::EOPNOTSUPP,
            libc::ENOSYS,
        ];
        for code in codes {
            assert!(maps(true, Some(code)).unwrap() > 2, "{code}");
        }
        let error = maps(true, Some(libc::EIO)).unwrap_err();
        assert_eq!(error.os_error(), Some(libc::EIO));
    }
}
