//! The parts of a split model as one file.

use std::ops::ControlFlow;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_assemble::{self, Merge, TensorSource, TensorSources};
use crate::fs::gguf_parts::GgufParts;
use crate::fs::hash::Progress;
use crate::fs::staged::Staged;
use crate::store::edit::{EditOptions, Edited, may_write};
use crate::store::watch::{self, FileWork, Work};

impl GgufParts {
    /// Writes the parts of a split model as one file, laid out as that of `llama-gguf-split --merge`
    /// where the file has the alignment of the format. Any part may be named. The metadata are those
    /// of the first part, with a `split.count` of 0, which says that the model is whole; the tensors are
    /// in the order of the parts. The data are copied by the system's own call. The new file appears
    /// whole, under its name, when all of it is on the disk; the parts stay.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{EditOptions, GgufFile, GgufOptions, GgufParts, SplitOptions};
    ///
    /// let (file, prefix) = (directory.path().join("tiny.gguf"), directory.path().join("parts"));
    /// GgufParts::split_file(&file, &prefix, &SplitOptions::new().max_tensors(1))?;
    ///
    /// let to = directory.path().join("whole.gguf");
    /// let merged = GgufParts::merge_file(
    ///     directory.path().join("parts-00001-of-00002.gguf"),
    ///     &to,
    ///     &EditOptions::new(),
    /// )?;
    /// assert_eq!(merged.size, to.metadata()?.len());
    /// assert_eq!(GgufFile::open(&to, &GgufOptions::new())?.view().parameter_count(), 40);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a file that is whole, and for a result that
    /// the strict reader would refuse; [`AlreadyExists`](ErrorKind::AlreadyExists) for a file that is
    /// there and was not to be replaced; [`Unsupported`](ErrorKind::Unsupported) for a tensor of a type
    /// whose size is not known; those of [`GgufParts::open`].
    pub fn merge_file(
        first: impl AsRef<Path>,
        to: impl AsRef<Path>,
        options: &EditOptions,
    ) -> Result<Edited> {
        merge(first.as_ref(), to.as_ref(), options, None)
    }

    /// As [`merge_file`](Self::merge_file); `observe` is told how far it is, 20 times a second on the
    /// calling thread, and may break to stop, which leaves no new file.
    ///
    /// # Errors
    /// As [`merge_file`](Self::merge_file); [`Cancelled`](ErrorKind::Cancelled) where `observe` broke
    /// in time.
    pub fn merge_file_with(
        first: impl AsRef<Path>,
        to: impl AsRef<Path>,
        options: &EditOptions,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Edited> {
        let (first, to) = (first.as_ref(), to.as_ref());
        watch::watched(observe, |work| merge(first, to, options, Some(work)))
    }
}

fn merge(first: &Path, to: &Path, options: &EditOptions, work: Option<&Work>) -> Result<Edited> {
    let part = TensorSource::open(first)?;
    let split = part.gguf().view().split();
    if split.is_none_or(|split| split.count == 0) {
        let text = format!("merging {}: it is whole, and no part", first.display());
        return Err(Error::new(ErrorKind::InvalidArgument, text).at(first));
    }
    let merge = Merge::of(part)?;
    let replaced = may_write(to, options.replace)?;
    let mut staged = Staged::beside(to, options.durability, Error::io)?;
    let size = merge.made().file_size;
    let mut sources = TensorSources::new(merge.parts());
    let first = sources.get(0)?;
    staged.take_mode_of(first.file())?;
    first.must_fit(&staged, size)?;
    let mut file_work = FileWork::begin(work, size);
    let mut advance = |bytes| file_work.advance(bytes);
    gguf_assemble::assemble(&mut sources, merge.made(), &mut staged, &mut advance)?;
    staged.commit_file(to, options.replace)?;
    file_work.finish();
    Ok(Edited::copied(to.to_owned(), merge.into_made(), replaced))
}
