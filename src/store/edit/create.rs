//! A new GGUF file of what a writer has collected.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::hash::{INTERVAL, Progress};
use crate::fs::staged::Staged;
use crate::gguf::{Index, Limits, Writer};
use crate::store::edit::{EditOptions, Edited, may_write};

impl Writer {
    /// Writes a file, which appears whole, under its name, when all of it is on the disk. `data`
    /// writes the data of each tensor that was [declared](Self::declare), as for
    /// [`write_with`](Self::write_with). What the strict reader would refuse is not written.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::gguf::{TensorType, Writer};
    /// use modelkeep::{EditOptions, GgufFile, GgufOptions};
    ///
    /// let path = directory.path().join("new.gguf");
    /// let mut writer = Writer::new();
    /// writer.set("general.architecture", "llama").declare("a", &[2], TensorType::F32);
    /// writer.write_file(&path, &EditOptions::new(), &mut |_, to| to.write_all(&[0; 8]))?;
    /// let file = GgufFile::open(&path, &GgufOptions::new())?;
    /// assert_eq!(file.view().parameter_count(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for what the strict reader would refuse and
    /// for data of another size; [`AlreadyExists`](ErrorKind::AlreadyExists) for a file that is
    /// there and was not to be replaced; those of `data` and of the system.
    pub fn write_file(
        &self,
        path: impl AsRef<Path>,
        options: &EditOptions,
        data: &mut dyn FnMut(usize, &mut dyn Write) -> io::Result<()>,
    ) -> Result<Edited> {
        let mut observe = |_: &Progress| ControlFlow::Continue(());
        self.write_file_with(path, options, data, &mut observe)
    }

    /// As [`write_file`](Self::write_file); `observe` is told how far it is, at most 20 times a second,
    /// and may break to stop, which leaves no file.
    ///
    /// # Errors
    /// As [`write_file`](Self::write_file); [`Cancelled`](ErrorKind::Cancelled) where `observe` broke.
    pub fn write_file_with(
        &self,
        path: impl AsRef<Path>,
        options: &EditOptions,
        data: &mut dyn FnMut(usize, &mut dyn Write) -> io::Result<()>,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Edited> {
        let path = path.as_ref();
        let refused = |e| failed(path, e);
        let sizes = self.sizes().map_err(refused)?;
        let header = self.header(&sizes).map_err(refused)?;
        let size = self.data_len(&sizes).saturating_add(header.len() as u64);
        let index = Index::parse(&header, size, &Limits::strict()).map_err(|fault| {
            let text = format!("writing {}: it would not be read", path.display());
            Error::caused(ErrorKind::InvalidArgument, text, fault).at(path)
        })?;
        let replaced = may_write(path, options.replace)?;
        let mut sink = Sink {
            staged: Staged::beside(path, options.durability, Error::io)?,
            progress: Progress {
                total_bytes: size,
                total_files: 1,
                ..Progress::default()
            },
            observe,
            told: Instant::now(),
        };
        sink.tell().map_err(refused)?;
        self.write_with(&mut sink, data).map_err(refused)?;
        sink.progress.files = 1;
        sink.tell().map_err(refused)?;
        sink.staged.commit_file(path, options.replace)?;
        Ok(Edited {
            file: path.to_owned(),
            size,
            shared_bytes: 0,
            padding: 0,
            replaced,
            warnings: index.warnings().to_vec(),
        })
    }
}

fn failed(path: &Path, error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            let text = format!("writing {}", path.display());
            Error::caused(ErrorKind::InvalidArgument, text, error).at(path)
        }
        Err(error) => Error::io("writing", path, error),
    }
}

/// A file that is staged, as a stream that somebody watches.
struct Sink<'o> {
    staged: Staged,
    progress: Progress,
    observe: &'o mut dyn FnMut(&Progress) -> ControlFlow<()>,
    told: Instant,
}

/// How much is written between two looks for whoever wants to stop.
const STEP: usize = 8 << 20;

impl Sink<'_> {
    fn tell(&mut self) -> io::Result<()> {
        self.told = Instant::now();
        match (self.observe)(&self.progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                let text = "writing was cancelled";
                Err(io::Error::other(Error::new(ErrorKind::Cancelled, text)))
            }
        }
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = bytes.get(..STEP).unwrap_or(bytes);
        self.staged.write(bytes).map_err(io::Error::other)?;
        self.progress.bytes += bytes.len() as u64;
        if self.told.elapsed() >= INTERVAL {
            self.tell()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
