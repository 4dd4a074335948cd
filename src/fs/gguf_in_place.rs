//! A new header in the place of the old one.
//!
//! 1. The old header is kept beside the file, durable under its name.
//! 2. The magic is overwritten with zeros: from here on the file is no GGUF file to anybody.
//! 3. The rest of the new header is written, and then the magic.
//! 4. What was kept is removed.
//!
//! Each step is durable before the next one begins. So a file with its magic has a header that is
//! the old one or the new one, whole, and a file without it has its old header beside it.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::gguf_edit::{self, EditSource};
use crate::fs::gguf_header::LARGEST;
use crate::fs::staged::{self, Staged};
use crate::fs::system::open;
use crate::fs::system::stat::Stat;
use crate::fs::{ops, owner, read};
use crate::gguf::{Editor, Fit, NewHeader, is_gguf};
use crate::name::Digest;

/// What is written where the magic was.
const NO_MAGIC: [u8; 4] = [0; 4];

/// What the file of an old header begins with.
const KEPT: &[u8; 24] = b"modelkeep kept header 1\n";

/// A file whose header is replaced where it is.
pub(crate) struct InPlace {
    path: PathBuf,
    file: File,
    durability: Durability,
}

impl InPlace {
    /// Opens a file, alone among our processes, and puts back what an interrupted edit left.
    pub(crate) fn open(path: &Path, durability: Durability) -> Result<Self> {
        let at = |e| Error::io("opening", path, e);
        let path = path.canonicalize().map_err(at)?;
        // A FIFO or a device is refused.
        drop(read::open_regular(&path).map_err(at)?);
        let file = ops::open_to_write(&path).map_err(at)?;
        let place = InPlace {
            path,
            file,
            durability,
        };
        place.refuse_shared()?;
        if let Err(std::fs::TryLockError::WouldBlock) = ops::try_lock(&place.file) {
            let text = format!("editing {}: somebody else edits it", place.path.display());
            return Err(Error::new(ErrorKind::Busy, text).at(&place.path));
        }
        place.recover()?;
        Ok(place)
    }

    /// Refuses a file whose bytes are somebody else's as well.
    fn refuse_shared(&self) -> Result<()> {
        let stat = Stat::of(&self.file).map_err(|e| Error::io("opening", &self.path, e))?;
        let why = if gguf_edit::is_blob(&self.path) {
            "it is a blob of a store, and its bytes have to be those of its name"
        } else if stat.links() > 1 {
            "it has other names, such as that of a blob, and they would change with it"
        } else {
            return Ok(());
        };
        let text = format!("editing {} in place: {why}", self.path.display());
        let text = format!("{text}; write a new file instead");
        Err(Error::new(ErrorKind::InvalidArgument, text).at(&self.path))
    }

    /// Replaces the header; returns the new one. Where it has not the room of the old one, nothing
    /// is written.
    pub(crate) fn edit(&self, editor: &Editor) -> Result<NewHeader> {
        let at = |e| Error::io("opening", &self.path, e);
        let source = EditSource::of(self.file.try_clone().map_err(at)?, &self.path)?;
        let header = source.header(editor, Fit::InPlace)?;
        if header.file_size != source.gguf().size() {
            let text = format!(
                "editing {} in place: it would have {} bytes and has {}; write a new file instead",
                self.path.display(),
                header.file_size,
                source.gguf().size()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, text).at(&self.path));
        }
        let mut old = vec![0; header.bytes.len()];
        open::read_exact_at(&self.file, &mut old, 0).map_err(at)?;
        if old != header.bytes {
            self.keep(&old)?;
            self.replace(&header.bytes).map_err(|e| self.undone(e))?;
            self.forget()?;
        }
        Ok(header)
    }

    fn kept_path(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default();
        let mut kept = std::ffi::OsString::from(".");
        kept.push(name);
        kept.push(".modelkeep-header");
        self.path.with_file_name(kept)
    }

    /// Writes the old header beside the file.
    fn keep(&self, old: &[u8]) -> Result<()> {
        let kept = self.kept_path();
        let mut staged = Staged::beside(&kept, self.durability, Error::io)?;
        staged.take_mode_of(&self.file)?;
        staged.write(KEPT)?;
        staged.write(Digest::of(old).hex().as_bytes())?;
        staged.write(old)?;
        staged.commit(&kept, &[])
    }

    /// Writes a header over another one, the magic last.
    fn replace(&self, header: &[u8]) -> Result<()> {
        let (magic, rest) = header.split_at_checked(NO_MAGIC.len()).unwrap_or_default();
        self.write(&NO_MAGIC, 0)?;
        self.write(rest, NO_MAGIC.len() as u64)?;
        self.write(magic, 0)
    }

    fn write(&self, bytes: &[u8], at: u64) -> Result<()> {
        let failed = |e| Error::io("writing", &self.path, e);
        ops::write_at(&self.file, &self.path, bytes, at).map_err(failed)?;
        match self.durability {
            Durability::Full => ops::sync(&self.file, &self.path).map_err(failed),
            Durability::None => Ok(()),
        }
    }

    /// Puts back the old header after a failure, and says so where that fails, too.
    fn undone(&self, error: Error) -> Error {
        match self.recover() {
            Ok(()) => error,
            Err(_) => {
                let text = format!(
                    "editing {} in place was interrupted; its old header is in {}, and the next \
                     edit in place puts it back",
                    self.path.display(),
                    self.kept_path().display()
                );
                Error::caused(error.kind(), text, error).at(&self.path)
            }
        }
    }

    /// Puts back the old header, where the file has lost its magic, and removes what was kept.
    fn recover(&self) -> Result<()> {
        let path = self.kept_path();
        let Some(old) = kept(&path)? else {
            return Ok(());
        };
        let mut magic = NO_MAGIC;
        let read = open::read_exact_at(&self.file, &mut magic, 0);
        read.map_err(|e| Error::io("reading", &self.path, e))?;
        if is_interrupted(magic) {
            self.replace(&old)?;
        }
        self.forget()
    }

    fn forget(&self) -> Result<()> {
        let path = self.kept_path();
        let failed = |e| Error::io("removing", &path, e);
        ops::unlink(&path).map_err(failed)?;
        match self.durability {
            Durability::Full => staged::sync_if_there(owner::parent(&path)).map_err(failed),
            Durability::None => Ok(()),
        }
    }
}

/// Returns whether a file begins with a magic that we have overwritten, or have not written to its
/// end. A file of another kind, which somebody has put there, does not.
fn is_interrupted(found: [u8; 4]) -> bool {
    let is_ours = |(byte, magic): (&u8, &u8)| *byte == 0 || byte == magic;
    !is_gguf(&found) && found.iter().zip(b"GGUF").all(is_ours)
}

/// Returns the header that an interrupted edit has kept; `None` where there is none.
///
/// # Errors
/// Where what is there is none: it is left alone, and so is the file.
fn kept(path: &Path) -> Result<Option<Vec<u8>>> {
    if read::is_gone(path) {
        return Ok(None);
    }
    let most = LARGEST + KEPT.len() as u64 + 64;
    let bytes = read::read_kept(path, most).map_err(|e| Error::io("reading", path, e))?;
    let rest = bytes.strip_prefix(KEPT.as_slice());
    let (digest, old) = rest.and_then(|rest| rest.split_at_checked(64)).unzip();
    let is_whole = |old: &&[u8]| digest == Some(Digest::of(old).hex().as_bytes());
    match old.filter(is_whole) {
        Some(old) => Ok(Some(old.to_vec())),
        None => {
            let text = format!("reading {}: it is no header that was kept", path.display());
            Err(Error::new(ErrorKind::Corrupt, text).at(path))
        }
    }
}
