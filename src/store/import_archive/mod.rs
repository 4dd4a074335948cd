//! Importing an archive: models come back from a form that travels.

mod arrival;
mod checks;
mod commit;
mod intake;
mod loose;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::oci_layout::OciLayout;
use crate::fs::read;
use crate::go::json;
use crate::name::{ModelName, convert};
use crate::oci::{self, Entry, Member};
use crate::store::handle::Store;

#[cfg(feature = "registry")]
pub(super) use checks::refuse_bomb;
pub(super) use intake::Intake;

/// How the models of an archive are taken in.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{ExportOptions, ImportArchiveOptions};
///
/// let file = directory.path().join("tiny.tar");
/// store.export(["tiny"], &file, &ExportOptions::new())?;
/// store.import_archive(&file, &ImportArchiveOptions::new().name("other").replace(true))?;
/// assert!(store.find("other")?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportArchiveOptions {
    name: Option<ModelName>,
    /// The error of a malformed name, for the call to return.
    malformed: Option<Error>,
    replace: bool,
}

impl ImportArchiveOptions {
    /// Returns the options of an import under the names that the archive has, which replaces
    /// nothing.
    pub fn new() -> Self {
        ImportArchiveOptions::default()
    }

    /// Sets the name of the one model of the archive; by default it is the archive's own. A
    /// malformed one is the error of the import.
    #[must_use]
    pub fn name(mut self, name: impl TryInto<ModelName, Error: Into<Error>>) -> Self {
        (self.name, self.malformed) = match convert::name(name) {
            Ok(name) => (Some(name), None),
            Err(error) => (None, Some(error)),
        };
        self
    }

    /// Sets whether other models that have these names are replaced; otherwise that is an error.
    /// Their blobs stay until they are collected.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }
}

/// A model that came out of an archive.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{ExportOptions, ImportArchiveOptions};
///
/// let layout = directory.path().join("layout");
/// store.export(["tiny"], &layout, &ExportOptions::new())?;
/// let imported = store.import_archive(&layout, &ImportArchiveOptions::new())?;
/// assert_eq!(imported.models[0].name.to_string(), "tiny:latest");
/// assert!(!imported.models[0].replaced, "it was there already, and the same");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct ArchivedModel {
    /// The model's name, in its stored spelling.
    pub name: ModelName,
    /// Whether another model of that name was replaced.
    pub replaced: bool,
}

/// What the import of an archive made.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ImportArchiveOptions;
///
/// let mut archive = Vec::new();
/// store.export_to(["tiny"], &mut archive)?;
/// let imported = store.import_stream(&mut &*archive, &ImportArchiveOptions::new())?;
/// assert_eq!((imported.new_blobs, imported.new_bytes), (0, 0), "all blobs are shared");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct ImportedArchive {
    /// The models, in the order of the archive.
    pub models: Vec<ArchivedModel>,
    /// How many blobs were written.
    pub new_blobs: usize,
    /// The bytes of the blobs that were written.
    pub new_bytes: u64,
    /// How many blobs were there already, undamaged, and were not written again.
    pub shared_blobs: usize,
}

impl ImportedArchive {
    /// Returns the answer as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

impl Store {
    /// Takes in the models of an archive or of a directory in the image layout of OCI, as
    /// [`export`](Self::export) writes them, and other tools of OCI as well.
    ///
    /// Every blob is hashed while it comes in, and moved into its place when it is whole; what the
    /// store holds undamaged is compared and not written again. No model is visible before all of
    /// them are complete. Blobs that were whole when an import was broken off stay, for the next
    /// one to use, and are collected like all that nobody uses.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{ExportOptions, ImportArchiveOptions};
    ///
    /// let file = directory.path().join("tiny.tar");
    /// store.export(["tiny"], &file, &ExportOptions::new())?;
    /// store.delete("tiny")?;
    /// let imported = store.import_archive(&file, &ImportArchiveOptions::new())?;
    /// assert_eq!((imported.models.len(), imported.new_blobs), (1, 7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) for what is no archive, is cut short, lacks a blob or holds
    /// one that is not that of its digest; [`Unsupported`](ErrorKind::Unsupported) for images that
    /// are no models; [`AlreadyExists`](ErrorKind::AlreadyExists) where another model has a name and
    /// was not to be replaced; [`InvalidName`](ErrorKind::InvalidName) for a malformed name, and for
    /// a model without one; [`InvalidArgument`](ErrorKind::InvalidArgument) for one name and several
    /// models, and for a store whose blobs belong to another user.
    pub fn import_archive(
        &self,
        from: impl AsRef<Path>,
        options: &ImportArchiveOptions,
    ) -> Result<ImportedArchive> {
        let from = from.as_ref();
        if self.is_several() {
            return self.target().import_archive(from, options);
        }
        let imported = match from.is_dir() {
            true => self.import_layout(&OciLayout::new(from), options),
            false => self.import_file_of_archive(from, options),
        };
        imported.map_err(|error| {
            let text = format!("importing {}", from.display());
            Error::caused(error.kind(), text, error)
        })
    }

    /// Takes in the models of an archive that comes as a stream, whatever its order; otherwise as
    /// [`import_archive`](Self::import_archive). What is not needed yet and is small is kept in
    /// memory, up to a limit. A stream that has nothing yet may say so by
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), and is asked again.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{ErrorKind, ImportArchiveOptions};
    ///
    /// let mut archive = Vec::new();
    /// store.export_to(["tiny"], &mut archive)?;
    /// let cut = &mut &archive[..archive.len() / 2];
    /// let error = store.import_stream(cut, &ImportArchiveOptions::new()).map(drop);
    /// assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`import_archive`](Self::import_archive).
    pub fn import_stream(
        &self,
        from: &mut (dyn Read + Send),
        options: &ImportArchiveOptions,
    ) -> Result<ImportedArchive> {
        if self.is_several() {
            return self.target().import_stream(from, options);
        }
        let imported = self.import_tar(from, options);
        imported.map_err(|error| Error::caused(error.kind(), "importing the archive", error))
    }

    /// Returns whether a path is that of an archive or a directory that
    /// [`import_archive`](Self::import_archive) takes, told from the first bytes of a file and from
    /// what is in a directory. A path that ends in `.tar` is meant as one in any case.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::Store;
    ///
    /// assert!(Store::is_archive("models.tar"));
    /// assert!(!Store::is_archive(directory.path().join("tiny.gguf")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_archive(path: impl AsRef<Path>) -> bool {
        let path = path.as_ref();
        let layout = OciLayout::new(path);
        let name = path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().to_ascii_lowercase();
        // Of a compressed one the import says so.
        let is_named_so = name.ends_with(".tar") || name.contains(".tar.");
        is_named_so
            || !read::is_gone(&layout.layout_file())
            || !read::is_gone(&layout.index())
            || read::read_head(path).is_ok_and(|head| oci::is_archive(&head))
    }

    fn import_file_of_archive(
        &self,
        from: &Path,
        options: &ImportArchiveOptions,
    ) -> Result<ImportedArchive> {
        let mut file = read::open_regular(from).map_err(|e| Error::io("opening", from, e))?;
        self.expect(file.metadata().map_or(0, |metadata| metadata.len()));
        self.import_tar(&mut file, options)
    }

    fn import_tar(
        &self,
        from: &mut dyn Read,
        options: &ImportArchiveOptions,
    ) -> Result<ImportedArchive> {
        let mut intake = Intake::new(self, options)?;
        let patient = Patient { store: self, from };
        let mut buffered = BufReader::with_capacity(1 << 16, patient);
        refuse_compressed(&mut buffered)?;
        let passed = |bytes| self.advance(bytes);
        oci::each_entry(&mut buffered, passed, |entry, bytes| {
            intake.take(entry, bytes)
        })?;
        drain(self, &mut buffered)?;
        let imported = intake.finish()?;
        self.finish_file();
        Ok(imported)
    }

    fn import_layout(
        &self,
        layout: &OciLayout,
        options: &ImportArchiveOptions,
    ) -> Result<ImportedArchive> {
        let mut intake = Intake::new(self, options)?;
        for (member, path) in [
            (Member::Layout, layout.layout_file()),
            (Member::Index, layout.index()),
        ] {
            self.take_file(&mut intake, member, &path)?;
        }
        while let Some(digest) = intake.next_needed() {
            let path = layout.blob(&digest);
            if read::is_gone(&path) {
                break;
            }
            self.take_file(&mut intake, Member::Blob(digest), &path)?;
        }
        intake.finish()
    }

    fn take_file(&self, intake: &mut Intake<'_>, member: Member, path: &Path) -> Result<()> {
        let at = |e| Error::io("opening", path, e);
        if read::is_gone(path) {
            return Ok(());
        }
        let mut file: File = read::open_regular(path).map_err(at)?;
        let size = file.metadata().map_err(at)?.len();
        self.take_entry(intake, Entry { member, size }, &mut (&mut file).take(size))
    }

    fn take_entry(
        &self,
        intake: &mut Intake<'_>,
        entry: Entry,
        bytes: &mut dyn Read,
    ) -> Result<()> {
        self.expect(entry.size);
        intake.take(entry, bytes)?;
        self.finish_file();
        Ok(())
    }
}

/// Fails where an archive is compressed: it says so itself, and not what is in it.
fn refuse_compressed(from: &mut BufReader<Patient<'_>>) -> Result<()> {
    use std::io::BufRead;
    let head = from.fill_buf().map_err(oci::failed)?;
    let tool = match head {
        [0x1f, 0x8b, ..] => "gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "xz",
        [b'B', b'Z', b'h', ..] => "bzip2",
        [] => return Err(Error::new(ErrorKind::Corrupt, "it is empty")),
        _ => return Ok(()),
    };
    let text = format!("it is compressed: unpack it first ({tool} -dc FILE | modelkeep import -)");
    Err(Error::new(ErrorKind::Unsupported, text))
}

/// The zeros that may follow the end of an archive: whoever writes it need not break off.
const MOST_AFTER: u64 = 1 << 20;

fn drain(store: &Store, from: &mut dyn Read) -> Result<()> {
    let (mut left, mut buffer) = (MOST_AFTER, vec![0; 1 << 16]);
    loop {
        match from.read(&mut buffer).map_err(oci::failed)? {
            0 => return Ok(()),
            read => {
                store.advance(read as u64)?;
                left = left.saturating_sub(read as u64);
            }
        }
        if left == 0 {
            return Ok(());
        }
    }
}

/// A stream that is asked again where it has nothing yet, until the call is to stop.
struct Patient<'r> {
    store: &'r Store,
    from: &'r mut dyn Read,
}

impl Read for Patient<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.from.read(into) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
            self.store.advance(0).map_err(io::Error::other)?;
        }
    }
}
