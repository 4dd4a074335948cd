//! What an entry is, by its name and its place.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::PathBuf;

use crate::fs::system::stat::Kind;
use crate::name::{Digest, ModelName};

/// The prefix of every name under which a file waits to become visible, or was moved aside.
pub(crate) const STAGED: &str = ".modelkeep-";

/// A file at the depth of manifests.
#[derive(Clone, Debug)]
pub(crate) struct ManifestFile {
    pub path: PathBuf,
    /// The name of its model; `None` where its path is not that of a name that can be used here.
    pub name: Option<ModelName>,
    /// The outermost link on the way to it, itself included.
    pub link: Option<PathBuf>,
    /// Whether its path is a model's, or could be one in a release with longer names. A file that
    /// does not decode is then a damaged manifest, and else an unknown file.
    pub is_plausible: bool,
}

impl ManifestFile {
    /// Returns a file in no model's place.
    pub(crate) fn nameless(path: PathBuf) -> Self {
        ManifestFile {
            path,
            name: None,
            link: None,
            is_plausible: false,
        }
    }
}

/// A file in `blobs/`, of which there may be many: its directory is known.
pub(crate) struct BlobFile {
    pub name: BlobName,
    /// `None` for the present name of a blob, which its digest says.
    file_name: Option<Box<OsStr>>,
}

/// What the name of a file in `blobs/` says that it is.
#[derive(Clone, Copy)]
pub(crate) enum BlobName {
    /// A blob, under its present or its old name.
    Digest(Digest),
    /// The leftover of an interrupted download: `sha256-<hex>-partial` and `...-partial-<n>`.
    Partial,
    /// A file that a file manager or the file system itself puts into directories.
    Dropping,
    /// An unknown file.
    Unknown,
}

impl BlobFile {
    pub(super) fn of(file_name: &OsStr) -> Self {
        let name = BlobName::of(file_name);
        let is_present = match name {
            BlobName::Digest(digest) => *present_name(&digest) == *file_name,
            _ => false,
        };
        let file_name = (!is_present).then(|| file_name.into());
        BlobFile { name, file_name }
    }

    pub(crate) fn file_name(&self) -> Cow<'_, OsStr> {
        match (&self.file_name, self.digest()) {
            (None, Some(digest)) => Cow::Owned(present_name(&digest).into()),
            (file_name, _) => Cow::Borrowed(file_name.as_deref().unwrap_or_default()),
        }
    }

    /// Compares the names of files in byte order.
    pub(super) fn by_name(&self, other: &Self) -> Ordering {
        let present = |file: &Self| file.digest().filter(|_| file.file_name.is_none());
        match (present(self), present(other)) {
            // Digits of lower case have the order of what they say.
            (Some(one), Some(other)) => one.cmp(&other),
            _ => self.file_name().cmp(&other.file_name()),
        }
    }

    pub(crate) fn digest(&self) -> Option<Digest> {
        match self.name {
            BlobName::Digest(digest) => Some(digest),
            _ => None,
        }
    }

    /// Returns whether it has the name that old releases of Ollama gave blobs.
    pub(crate) fn is_old(&self) -> bool {
        let begins_old = |name: &OsStr| name.as_encoded_bytes().starts_with(b"sha256:");
        self.is_home() && self.file_name.as_deref().is_some_and(begins_old)
    }

    /// Returns whether a blob is read from there. A digest in capitals names another file, which
    /// Ollama may use.
    pub(crate) fn is_home(&self) -> bool {
        let has_capitals =
            |name: &OsStr| name.as_encoded_bytes().iter().any(u8::is_ascii_uppercase);
        self.digest().is_some() && !self.file_name.as_deref().is_some_and(has_capitals)
    }
}

/// Returns the name under which a blob is written.
pub(super) fn present_name(digest: &Digest) -> String {
    digest.after("sha256-")
}

impl BlobName {
    pub(crate) fn of(file_name: &OsStr) -> Self {
        if is_dropping(file_name) || is_of_the_system(file_name) {
            return BlobName::Dropping;
        }
        let Some(file_name) = file_name.to_str() else {
            return BlobName::Unknown;
        };
        if let Ok(digest) = file_name.parse() {
            return BlobName::Digest(digest);
        }
        let is_part = |part: &&str| {
            let number = part.strip_prefix('-');
            part.is_empty() || number.is_some_and(|n| n.parse::<u32>().is_ok())
        };
        let whole = file_name.split_once("-partial");
        let whole = whole.filter(|(_, part)| is_part(part));
        match whole.map(|(name, _)| name.parse::<Digest>()) {
            Some(Ok(_)) => BlobName::Partial,
            _ => BlobName::Unknown,
        }
    }
}

/// Returns whether an entry is a file that is being written, or was when somebody was killed.
pub(crate) fn is_staged(name: &OsStr, kind: Kind) -> bool {
    name.as_encoded_bytes().starts_with(STAGED.as_bytes()) && kind == Kind::File
}

/// Returns whether a file is one that the file managers of macOS, Windows and Linux leave in
/// directories.
pub(super) fn is_dropping(name: &OsStr) -> bool {
    const NAMES: [&str; 7] = [
        ".DS_Store",
        ".directory",
        ".localized",
        "Icon\r",
        "Thumbs.db",
        "desktop.ini",
        "ehthumbs.db",
    ];
    let name = name.as_encoded_bytes();
    let is = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
    NAMES.iter().any(is) || name.starts_with(b"._")
}

/// Returns whether an entry is one that file systems and systems put at the top of a volume.
pub(super) fn is_of_the_system(name: &OsStr) -> bool {
    const NAMES: [&str; 10] = [
        ".DocumentRevisions-V100",
        ".Spotlight-V100",
        ".TemporaryItems",
        ".Trashes",
        ".fseventsd",
        ".snapshot",
        ".zfs",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
    ];
    let name = name.as_encoded_bytes();
    let is = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
    NAMES.iter().any(is) || name.starts_with(b".Trash-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_makes_a_part_of_a_download() {
        let hex = "ab".repeat(32);
        let kind = |rest: &str| BlobName::of(OsStr::new(&format!("sha256-{hex}{rest}")));
        assert!(matches!(kind(""), BlobName::Digest(_)));
        for rest in ["-partial", "-partial-0", "-partial-17"] {
            assert!(matches!(kind(rest), BlobName::Partial), "{rest}");
        }
        for rest in [
            "-partialx",
            "-partial-",
            "-partial-x",
            "-partial-0x",
            "-partial-1-partial",
        ] {
            assert!(matches!(kind(rest), BlobName::Unknown), "{rest}");
        }
    }

    #[test]
    fn what_file_managers_leave_is_known_in_any_case() {
        for name in [".ds_store", "Desktop.ini", "THUMBS.DB", "._latest"] {
            assert!(is_dropping(OsStr::new(name)), "{name}");
        }
        for name in ["DS_Store", "latest", "thumbs.db.bak", "."] {
            assert!(!is_dropping(OsStr::new(name)), "{name}");
        }
        for name in ["lost+found", ".Trash-1000", "$recycle.bin"] {
            assert!(is_of_the_system(OsStr::new(name)), "{name}");
            assert!(matches!(BlobName::of(OsStr::new(name)), BlobName::Dropping));
        }
        assert!(!is_of_the_system(OsStr::new("Trash-1000")));
    }
}
