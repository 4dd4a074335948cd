//! Copying a model: one more name for the same blobs.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::ops;
use crate::fs::read::{self, Text};
use crate::fs::staged::{Place, Staged};
use crate::json;
use crate::name::ModelName;
use crate::reference::missing;
use crate::store::Store;

/// What a copy did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Copied {
    /// The stored spelling of the source.
    pub from: ModelName,
    /// The stored spelling of the destination; that of an existing model which differs only in
    /// case.
    pub to: ModelName,
    /// Whether a model of that name was replaced. Its blobs stay until they are collected.
    pub replaced: bool,
}

impl Copied {
    /// The answer as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

/// How often a source that somebody keeps changing is copied anew.
const ATTEMPTS: usize = 16;

impl Store {
    /// Copies the manifest of `from` to `to`; blobs are shared, so this costs one small file.
    ///
    /// The bytes are copied as they are, even those of a manifest that does not decode. The new
    /// manifest appears whole or not at all, and a link in its place is replaced. A copy to itself
    /// changes nothing.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) where the source is missing, or was deleted while it was
    /// being copied; the destination is then as it was before.
    pub fn copy(&self, from: &ModelName, to: &ModelName) -> Result<Copied> {
        let from = self.find(from).ok_or_else(|| missing(from))?;
        let to = self.spelling(to);
        let _lock = self.lock()?;
        let target = self.layout().manifest(&to);
        let before = read::read_text(&target).ok();
        let copied = Copied {
            from: from.clone(),
            to,
            replaced: before.is_some(),
        };
        if from == copied.to {
            return self.manifest_text(&from).map(|_| copied);
        }
        let mut text = self.manifest_text(&from)?;
        for _ in 0..ATTEMPTS {
            self.write_manifest(&copied.to, &text.bytes)?;
            // A delete elsewhere takes the name first and looks for users of its blobs then. If the
            // source is still what we copied, that look is yet to come and sees the copy.
            match self.manifest_text(&from) {
                Ok(now) if now.bytes == text.bytes => return Ok(copied),
                Ok(now) => text = now,
                Err(error) => {
                    self.undo(&copied.to, before)?;
                    return Err(error);
                }
            }
        }
        self.undo(&copied.to, before)?;
        let text = format!("copying model '{from}', which somebody keeps changing");
        Err(Error::new(ErrorKind::Busy, text))
    }

    fn manifest_text(&self, name: &ModelName) -> Result<Text> {
        let path = self.layout().manifest(name);
        read::read_text(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => missing(name),
            _ => Error::io("reading manifest", &path, e),
        })
    }

    /// Puts a manifest in its place, whole.
    pub(crate) fn write_manifest(&self, name: &ModelName, bytes: &[u8]) -> Result<()> {
        let durability = self.options().durability;
        let mut staged = Staged::new(self.layout(), Place::Manifests, durability)?;
        staged.write(bytes)?;
        let mut directories = self.layout().manifest_directories(name);
        directories.push(self.layout().manifests_directory());
        staged.commit(&self.layout().manifest(name), &directories)
    }

    /// Puts back what was there before. The directories stay: removing them would race with a
    /// server that is about to write into them.
    fn undo(&self, name: &ModelName, before: Option<Text>) -> Result<()> {
        match before {
            Some(text) => self.write_manifest(name, &text.bytes),
            None => {
                let path = self.layout().manifest(name);
                ops::unlink(&path).map_err(|e| Error::io("removing manifest", &path, e))
            }
        }
    }
}
