//! A model as several files.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::slice;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::gguf_assemble::{self, TensorSource, TensorSources};
use crate::fs::gguf_parts::{GgufParts, PartName};
use crate::fs::hash::Progress;
use crate::fs::ops;
use crate::fs::staged::{Staged, StagedClosed};
use crate::fs::stamp::FileStamp;
use crate::gguf::{self, Assembled, PartLimits};
use crate::store::edit::{Edited, may_write};
use crate::store::watch::{self, FileWork, Work};

/// How a model is split.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{GgufParts, SplitOptions};
///
/// let (file, prefix) = (directory.path().join("tiny.gguf"), directory.path().join("parts"));
/// let options = SplitOptions::new().max_size(2_000_000_000);
/// let parts = GgufParts::split_file(&file, &prefix, &options)?;
/// assert_eq!(parts.len(), 1, "it is small");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SplitOptions {
    limits: PartLimits,
    replace: bool,
    durability: Durability,
}

impl SplitOptions {
    /// Returns options that say nothing of the size of a part, replace nothing and make what survives a
    /// power cut.
    pub fn new() -> Self {
        SplitOptions {
            limits: PartLimits::default(),
            replace: false,
            durability: Durability::Full,
        }
    }

    /// Sets the most bytes of tensors in a part, each rounded up to 32, as `llama-gguf-split` counts
    /// them: the header comes on top. A tensor that is larger has a part of its own.
    #[must_use]
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.limits.bytes = Some(bytes);
        self
    }

    /// Sets the most tensors in a part.
    #[must_use]
    pub fn max_tensors(mut self, count: u64) -> Self {
        self.limits.tensors = Some(count);
        self
    }

    /// Sets whether files of the names of the parts are replaced; otherwise they are an error.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Sets how much the parts have to survive.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    fn checked(&self) -> Result<PartLimits> {
        let limits = [self.limits.bytes, self.limits.tensors];
        let text = if limits == [None, None] {
            "splitting takes the most bytes or the most tensors of a part"
        } else if limits.contains(&Some(0)) {
            "a part of nothing"
        } else {
            return Ok(self.limits);
        };
        Err(Error::new(ErrorKind::InvalidArgument, text))
    }
}

impl Default for SplitOptions {
    fn default() -> Self {
        SplitOptions::new()
    }
}

impl GgufParts {
    /// Splits a file into `PREFIX-00001-of-0000N.gguf` and so on, laid out as those of
    /// `llama-gguf-split` where the file has the alignment of the format. The first part has all
    /// metadata; the others say which part they are, and hold tensors. Returns the parts in order.
    ///
    /// All parts are on the disk before the first of them gets its name, and the first part gets its
    /// own last. Where that fails, those that are new are removed again. The file itself stays.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{GgufOptions, GgufParts, SplitOptions};
    ///
    /// let (file, prefix) = (directory.path().join("tiny.gguf"), directory.path().join("parts"));
    /// let parts = GgufParts::split_file(&file, &prefix, &SplitOptions::new().max_tensors(1))?;
    /// assert!(parts[1].file.ends_with("parts-00002-of-00002.gguf"));
    /// let opened = GgufParts::open(&parts[0].file, &GgufOptions::new())?;
    /// assert_eq!(opened.parameter_count(), 40);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for options that say nothing of the size of a
    /// part, for a file that is a part itself, for more than 65535 parts, and for a part that the strict
    /// reader would refuse; [`AlreadyExists`](ErrorKind::AlreadyExists) for a file that is there and was
    /// not to be replaced; [`Unsupported`](ErrorKind::Unsupported) for a tensor of a type whose size is
    /// not known; those of [`GgufFile::open`](crate::GgufFile::open).
    pub fn split_file(
        from: impl AsRef<Path>,
        prefix: impl AsRef<Path>,
        options: &SplitOptions,
    ) -> Result<Vec<Edited>> {
        split(from.as_ref(), prefix.as_ref(), options, None)
    }

    /// As [`split_file`](Self::split_file); `observe` is told how far it is, 20 times a second on the
    /// calling thread, and may break to stop, which leaves no part.
    ///
    /// # Errors
    /// As [`split_file`](Self::split_file); [`Cancelled`](ErrorKind::Cancelled) where `observe` broke in
    /// time.
    pub fn split_file_with(
        from: impl AsRef<Path>,
        prefix: impl AsRef<Path>,
        options: &SplitOptions,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Edited>> {
        let (from, prefix) = (from.as_ref(), prefix.as_ref());
        watch::watched(observe, |work| split(from, prefix, options, Some(work)))
    }
}

/// A part that is on the disk, and has no name yet.
struct Part {
    staged: StagedClosed,
    edited: Edited,
}

fn split(
    from: &Path,
    prefix: &Path,
    options: &SplitOptions,
    work: Option<&Work>,
) -> Result<Vec<Edited>> {
    let limits = options.checked()?;
    let source = TensorSource::open(from)?;
    let made = plan(&source, limits)?;
    let name = PartName {
        stem: prefix.to_owned(),
        count: made.len() as u64,
    };
    let paths: Vec<PathBuf> = (0..name.count).map(|no| name.path(no)).collect();
    let may = paths.iter().map(|path| may_write(path, options.replace));
    let replaced = may.collect::<Result<Vec<bool>>>()?;
    let needed = made
        .iter()
        .fold(0_u64, |all, part| all.saturating_add(part.file_size));
    let mut file_work = FileWork::begin(work, needed);
    let mut sources = TensorSources::new(slice::from_ref(&source));
    let mut parts = Vec::new();
    for ((made, to), replaced) in made.into_iter().zip(paths).zip(replaced) {
        let mut staged = Staged::beside(&to, options.durability, Error::io)?;
        let source = sources.get(0)?;
        staged.take_mode_of(source.file())?;
        if parts.is_empty() {
            source.must_fit(&staged, needed)?;
        }
        let mut advance = |bytes| file_work.advance(bytes);
        gguf_assemble::assemble(&mut sources, &made, &mut staged, &mut advance)?;
        let edited = Edited::copied(to, made, replaced);
        // There may be more parts than a process may have open.
        let staged = staged.closed()?;
        parts.push(Part { staged, edited });
    }
    let parts = commit(parts, options.replace)?;
    file_work.finish();
    Ok(parts)
}

fn plan(source: &TensorSource, limits: PartLimits) -> Result<Vec<Assembled>> {
    let (from, gguf) = (source.path(), source.gguf().view());
    if gguf.split().is_some_and(|split| split.count > 1) {
        let text = format!("splitting {}: it is a part; merge it first", from.display());
        return Err(Error::new(ErrorKind::InvalidArgument, text).at(from));
    }
    gguf::split(gguf, limits).map_err(|error| {
        let text = format!("splitting {}", from.display());
        Error::caused(error.kind(), text, error).at(from)
    })
}

/// Names the parts, the first one last: who finds it finds all. Where one fails, the new ones go.
fn commit(mut parts: Vec<Part>, replace: bool) -> Result<Vec<Edited>> {
    let (mut named, mut new) = (Vec::new(), Vec::new());
    while let Some(Part { staged, edited }) = parts.pop() {
        let to = &edited.file;
        if !edited.replaced {
            new.push((to.clone(), staged.stamp()));
        }
        if let Err(error) = staged.commit_file(to, replace) {
            remove(&new);
            return Err(error);
        }
        named.push(edited);
    }
    named.reverse();
    Ok(named)
}

/// Removes files that we have made, and none that somebody else has put in their places.
fn remove(new: &[(PathBuf, FileStamp)]) {
    for (path, stamp) in new {
        let found = FileStamp::at(path).filter(|found| found.id().is_some());
        if found.is_some_and(|found| found.is_same_file(stamp)) {
            // What cannot be removed is a part without a first one, which no reader takes.
            let _ = ops::unlink(path);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
