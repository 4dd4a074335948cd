//! What an entry of an archive is, by its path.

use crate::error::{Error, ErrorKind, Result};
use crate::name::Digest;

/// A file of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// `oci-layout`.
    Layout,
    /// `index.json`.
    Index,
    /// `blobs/sha256/<hex>`.
    Blob(Digest),
    /// Anything else that a layout may hold.
    Other,
}

/// A path is shown no longer than this.
const SHOWN: usize = 120;

impl Member {
    /// Returns what a path stands for.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) for a path that leads out of the archive, and for a blob
    /// whose name is no digest.
    pub(crate) fn of(path: &[u8]) -> Result<Self> {
        let refused = |why: &str| {
            let text = format!("the entry {} {why}", shown(path));
            Err(Error::new(ErrorKind::Corrupt, text))
        };
        let Ok(text) = std::str::from_utf8(path) else {
            return refused("is not UTF-8");
        };
        if text.starts_with('/') {
            return refused("is an absolute path");
        }
        if text.contains(['\\', '\0']) {
            return refused("has a backslash or a NUL in its path");
        }
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        match parts.as_slice() {
            parts if parts.contains(&"..") => refused("leads out of the archive"),
            ["oci-layout"] => Ok(Member::Layout),
            ["index.json"] => Ok(Member::Index),
            ["blobs", "sha256", hex] => match digest(hex) {
                Some(digest) => Ok(Member::Blob(digest)),
                None => refused("is not named by a digest"),
            },
            _ => Ok(Member::Other),
        }
    }

    /// Returns the path in the archive.
    pub(crate) fn path(&self) -> String {
        match self {
            Member::Layout => "oci-layout".to_owned(),
            Member::Index => "index.json".to_owned(),
            Member::Blob(digest) => format!("blobs/sha256/{}", digest.hex()),
            Member::Other => String::new(),
        }
    }
}

/// Returns the digest of 64 lower-case digits: the file of any other spelling is another file.
fn digest(hex: &str) -> Option<Digest> {
    let digest: Digest = format!("sha256:{hex}").parse().ok()?;
    (digest.hex() == hex).then_some(digest)
}

/// Returns a path for an error: quoted, escaped, and cut where it is long.
pub(super) fn shown(path: &[u8]) -> String {
    let start = path.get(..SHOWN).unwrap_or(path);
    let dots = if start.len() < path.len() { "..." } else { "" };
    format!("\"{}{dots}\"", start.escape_ascii())
}
