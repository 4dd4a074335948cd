//! A new GGUF file of what a writer has collected.

use std::io::{self, Write};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
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
        let mut staged = Staged::beside(path, options.durability, Error::io)?;
        self.write_with(&mut Sink(&mut staged), data)
            .map_err(refused)?;
        staged.commit_file(path, options.replace)?;
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
    match error.kind() {
        io::ErrorKind::InvalidInput => {
            let text = format!("writing {}", path.display());
            Error::caused(ErrorKind::InvalidArgument, text, error).at(path)
        }
        _ => Error::io("writing", path, error),
    }
}

/// A file that is staged, as a stream.
struct Sink<'s>(&'s mut Staged);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
