//! Editing the metadata of GGUF files: into a new file, in place, or as a new model.

mod create;
mod merge;
mod options;
mod split;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_edit::{self, EditSource};
use crate::fs::gguf_in_place::InPlace;
use crate::fs::hash::Progress;
use crate::fs::link;
use crate::fs::staged::Staged;
use crate::gguf::{Assembled, Editor, Fit, Warning};
use crate::go::json;
use crate::store::watch::{self, FileWork, Work};
pub use options::EditOptions;
pub use split::SplitOptions;

/// What an edit has made of a file.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::gguf::Editor;
/// use modelkeep::EditOptions;
///
/// let (file, to) = (directory.path().join("tiny.gguf"), directory.path().join("edited.gguf"));
/// let edited = Editor::new().set("general.name", "T").edit_file(&file, &to, &EditOptions::new())?;
/// assert_eq!((edited.size, edited.padding), (to.metadata()?.len(), 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Edited {
    /// The edited file, as it was named.
    #[serde(serialize_with = "json::path")]
    pub file: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// How many of these it shares with the file that was edited, by a reflink.
    pub shared_bytes: u64,
    /// The bytes of the key `modelkeep.padding`, without which less could be shared, or the header
    /// could not stay in its place; 0 where there is none.
    pub padding: u64,
    /// Whether a file of that name was replaced, or its header was, in place.
    pub replaced: bool,
    /// What is unusual in it, and may be refused elsewhere.
    pub warnings: Vec<Warning>,
}

impl Edited {
    /// Returns what was made of the tensors of other files, each byte of which was copied.
    fn copied(file: PathBuf, made: Assembled, replaced: bool) -> Self {
        Edited {
            file,
            size: made.file_size,
            shared_bytes: 0,
            padding: 0,
            replaced,
            warnings: made.index.warnings().to_vec(),
        }
    }

    /// Returns the result as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for a path that is not UTF-8, which JSON cannot
    /// carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
    }
}

impl Editor {
    /// Writes an edited copy of a GGUF file. The data of the tensors are not read where the file
    /// system can share blocks, and are copied by the system's own call elsewhere. The new file
    /// appears whole, under its name, when all of it is on the disk.
    ///
    /// What the strict reader refuses in a file, an edit may mend; an edited file that it would
    /// refuse is not written. `from` and `to` may be one file, with
    /// [`replace`](EditOptions::replace).
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::gguf::Editor;
    /// use modelkeep::{EditOptions, GgufFile};
    ///
    /// let (file, to) = (directory.path().join("tiny.gguf"), directory.path().join("edited.gguf"));
    /// let mut editor = Editor::new();
    /// editor.set("tokenizer.chat_template", "{{ messages }}");
    /// editor.edit_file(&file, &to, &EditOptions::new())?;
    /// let found = GgufFile::look_up(&to, "tokenizer.chat_template")?;
    /// assert_eq!(found, Some("{{ messages }}".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for a key that is to go and is not there;
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a value that is not of its type, a new
    /// name that is taken, and a result that the strict reader would refuse;
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) for a file that is there and was not to be
    /// replaced; those of [`GgufFile::open`](crate::GgufFile::open).
    pub fn edit_file(
        &self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        options: &EditOptions,
    ) -> Result<Edited> {
        self.write_file(from.as_ref(), to.as_ref(), options, None)
    }

    /// As [`edit_file`](Self::edit_file); `observe` is told how far it is, 20 times a second on the
    /// calling thread, and may break to stop, which leaves no new file.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use std::ops::ControlFlow;
    /// use modelkeep::gguf::Editor;
    /// use modelkeep::{EditOptions, ErrorKind};
    ///
    /// let (file, to) = (directory.path().join("tiny.gguf"), directory.path().join("edited.gguf"));
    /// let mut stop = |_: &modelkeep::Progress| ControlFlow::Break(());
    /// let edited = Editor::new().edit_file_with(&file, &to, &EditOptions::new(), &mut stop);
    /// assert_eq!(edited.map_err(|error| error.kind()).err(), Some(ErrorKind::Cancelled));
    /// assert!(!to.exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`edit_file`](Self::edit_file); [`Cancelled`](ErrorKind::Cancelled) where `observe` broke
    /// in time.
    pub fn edit_file_with(
        &self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        options: &EditOptions,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Edited> {
        let (from, to) = (from.as_ref(), to.as_ref());
        watch::watched(observe, |work| {
            self.write_file(from, to, options, Some(work))
        })
    }

    /// Replaces the header of a GGUF file where it is: nothing but the header is written, whatever
    /// the size of the file. That takes a new header that ends where the old one did, within the
    /// padding before the data, or one that is at least 50 bytes shorter, which is padded by the key
    /// `modelkeep.padding`.
    ///
    /// The old header is kept beside the file, as `.NAME.modelkeep-header`, until the new one is
    /// durable. While it is written the file is no GGUF file to any reader; who has it mapped sees
    /// it change, so nobody else should have it open. What an edit left that was interrupted, the
    /// next one puts back before it begins, one without changes too.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::gguf::Editor;
    /// use modelkeep::{EditOptions, GgufFile};
    ///
    /// let file = directory.path().join("tiny.gguf");
    /// Editor::new().set("general.name", "Mine").edit_in_place(&file, &EditOptions::new())?;
    /// assert_eq!(GgufFile::look_up(&file, "general.name")?, Some("Mine".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`edit_file`](Self::edit_file); [`InvalidArgument`](ErrorKind::InvalidArgument) where the
    /// new header has no room, for a blob of a store, and for a file with other names;
    /// [`Busy`](ErrorKind::Busy) where another process of ours edits it.
    pub fn edit_in_place(&self, file: impl AsRef<Path>, options: &EditOptions) -> Result<Edited> {
        let file = file.as_ref();
        let header = InPlace::open(file, options.durability)?.edit(self)?;
        Ok(Edited {
            file: file.to_owned(),
            size: header.file_size,
            shared_bytes: 0,
            padding: header.padding,
            replaced: true,
            warnings: header.warnings,
        })
    }

    fn write_file(
        &self,
        from: &Path,
        to: &Path,
        options: &EditOptions,
        work: Option<&Work>,
    ) -> Result<Edited> {
        let source = EditSource::open(from)?;
        // What is wrong with the changes shows before anything is written.
        let header = source.header(self, Fit::Tight)?;
        let replaced = may_write(to, options.replace)?;
        let mut staged = Staged::beside(to, options.durability, Error::io)?;
        staged.take_mode_of(source.file())?;
        let plan = source.plan(self, header, &staged, options.padding)?;
        let size = plan.header.file_size;
        let mut file_work = FileWork::begin(work, size);
        let mut advance = |bytes| file_work.advance(bytes);
        let shared_bytes = source.write(&plan, &mut staged, &mut advance)?;
        staged.commit_file(to, options.replace)?;
        file_work.finish();
        Ok(Edited {
            file: to.to_owned(),
            size,
            shared_bytes,
            padding: plan.header.padding,
            replaced,
            warnings: plan.header.warnings,
        })
    }
}

/// Returns whether a file is there that is replaced.
fn may_write(to: &Path, replace: bool) -> Result<bool> {
    if to.is_dir() {
        let cause = std::io::ErrorKind::IsADirectory.into();
        return Err(Error::io("writing", to, cause));
    }
    if gguf_edit::is_blob(to) {
        let text = format!(
            "writing {}: it has the name of a blob, which says what its bytes are",
            to.display()
        );
        return Err(Error::new(ErrorKind::InvalidArgument, text).at(to));
    }
    match to.symlink_metadata() {
        Ok(_) if !replace => Err(link::taken(to)),
        found => Ok(found.is_ok()),
    }
}
