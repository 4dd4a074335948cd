//! Exporting: models leave the store in a form that travels.

mod directory;
mod plan;
mod tar;

use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::read;
use crate::fs::staged::Staged;
use crate::go::json;
use crate::name::{ModelName, Reference, convert};
use crate::store::handle::Store;

use plan::Plan;
use tar::Archive;

/// How models are exported.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ExportOptions;
///
/// let file = directory.path().join("tiny.tar");
/// store.export(["tiny"], &file, &ExportOptions::new())?;
/// store.export(["tiny"], &file, &ExportOptions::new().replace(true))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ExportOptions {
    replace: bool,
}

impl ExportOptions {
    /// Returns the options of an export that writes over nothing.
    pub fn new() -> Self {
        ExportOptions::default()
    }

    /// Sets whether an archive that is there is replaced, and in a directory the models that have
    /// these names; otherwise that is an error.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }
}

/// What an export wrote.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let exported = store.export_to(["tiny"], &mut Vec::new())?;
/// assert_eq!((exported.models.len(), exported.blobs), (1, 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Exported {
    /// The models, by name.
    pub models: Vec<ModelName>,
    /// How many blobs they have together, each told once.
    pub blobs: usize,
    /// The bytes of these blobs.
    pub bytes: u64,
}

impl Exported {
    /// Returns the answer as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

impl Store {
    /// Writes models to a file or a directory in the image layout of OCI, from which
    /// [`import_archive`](Self::import_archive) takes them back: manifests byte for byte, and every
    /// blob once. A path that ends in `.tar` is written as one archive; any other is a directory,
    /// which is made, or one that holds an image layout already, to which the models are added.
    ///
    /// Every blob is hashed while it is written. The same models make the same bytes, whoever
    /// exports them and when. An archive appears under its name when it is whole, and the models in
    /// a directory when all their blobs are there. What is broken off takes away what it wrote.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{ExportOptions, ImportArchiveOptions, Store, StoreOptions};
    ///
    /// let file = directory.path().join("tiny.tar");
    /// store.export(["tiny"], &file, &ExportOptions::new())?;
    ///
    /// let options = StoreOptions::new(directory.path().join("elsewhere")).create(true);
    /// let other = Store::open_with(options)?;
    /// other.import_archive(&file, &ImportArchiveOptions::new())?;
    /// assert_eq!(other.list()?.models[0].digest, store.list()?.models[0].digest);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for a model that is not stored,
    /// [`InvalidName`](ErrorKind::InvalidName) for a malformed name;
    /// [`FileNotFound`](ErrorKind::FileNotFound) where a blob is missing,
    /// [`Corrupt`](ErrorKind::Corrupt) where one is damaged;
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) where something is there and was not to be
    /// replaced; [`InvalidArgument`](ErrorKind::InvalidArgument) for no name at all, and for a path
    /// that something else is at; [`Unsupported`](ErrorKind::Unsupported) for a manifest that is not
    /// that of a model.
    pub fn export<N>(
        &self,
        names: impl IntoIterator<Item = N>,
        to: impl AsRef<Path>,
        options: &ExportOptions,
    ) -> Result<Exported>
    where
        N: TryInto<Reference, Error: Into<Error>>,
    {
        let (names, to) = (references(names)?, to.as_ref());
        if self.is_several() {
            return self.holder_of_all(&names)?.export(names, to, options);
        }
        let is_archive = to.extension().is_some_and(|extension| extension == "tar");
        if is_archive && !to.is_dir() {
            must_be_free(to, options.replace)?;
            let plan = self.plan(names)?;
            self.export_file(&plan, to, options.replace)?;
            return Ok(plan.exported());
        }
        if !read::is_gone(to) && !to.is_dir() {
            let text = format!(
                "exporting to {}: it is no directory, and only a path that ends in .tar is \
                 written as an archive",
                to.display()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, text).at(to));
        }
        let plan = self.plan(names)?;
        self.export_directory(&plan, to, options.replace)?;
        Ok(plan.exported())
    }

    /// Writes models as one archive to a stream, which needs no seeking; otherwise as
    /// [`export`](Self::export). A stream that was broken off has no end of an archive, so nobody
    /// takes it for a whole one. A stream that takes nothing just now may say so by
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), and is asked again.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let mut archive = Vec::new();
    /// store.export_to(["tiny"], &mut archive)?;
    /// assert_eq!(archive.len() % 512, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`export`](Self::export); [`Io`](ErrorKind::Io) where the stream takes no more.
    pub fn export_to<N>(
        &self,
        names: impl IntoIterator<Item = N>,
        to: &mut (dyn Write + Send),
    ) -> Result<Exported>
    where
        N: TryInto<Reference, Error: Into<Error>>,
    {
        let names = references(names)?;
        let store = self.holder_of_all(&names)?;
        let plan = store.plan(names)?;
        let mut archive = Archive::new(&store, |bytes: &[u8]| write(self, to, bytes));
        archive.write(&plan)?;
        patiently(self, || to.flush())?;
        Ok(plan.exported())
    }

    fn plan(&self, names: Vec<Reference>) -> Result<Plan> {
        let plan = Plan::of(self, &names)?;
        plan.expect(self);
        Ok(plan)
    }

    fn export_file(&self, plan: &Plan, to: &Path, replace: bool) -> Result<()> {
        let mut staged = Staged::beside(to, self.options().durability, Error::io)?;
        Archive::new(self, |bytes: &[u8]| staged.write(bytes)).write(plan)?;
        staged.commit_file(to, replace)
    }
}

fn references<N>(names: impl IntoIterator<Item = N>) -> Result<Vec<Reference>>
where
    N: TryInto<Reference, Error: Into<Error>>,
{
    names.into_iter().map(convert::name).collect()
}

/// Writes to a stream of the caller's.
fn write(store: &Store, to: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    let mut left = bytes;
    while !left.is_empty() {
        let written = patiently(store, || match to.write(left)? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            written => Ok(written),
        })?;
        left = left.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Does something to a stream of the caller's, again where it takes nothing just now, until the call
/// is to stop.
fn patiently<T>(store: &Store, mut act: impl FnMut() -> io::Result<T>) -> Result<T> {
    loop {
        let done = act();
        // Who stops the work may stop it by closing the stream.
        store.advance(0)?;
        match done {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            done => {
                return done.map_err(|e| Error::caused(ErrorKind::Io, "writing the archive", e));
            }
        }
    }
}

fn must_be_free(to: &Path, replace: bool) -> Result<()> {
    if replace || read::is_gone(to) {
        return Ok(());
    }
    let text = format!("{} already exists", to.display());
    Err(Error::new(ErrorKind::AlreadyExists, text).at(to))
}
