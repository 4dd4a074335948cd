//! Names of models, as paths.

use std::path::{Path, PathBuf};

/// The four parts of a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub [String; 4]);

impl Name {
    /// Reads a name as people type it; what is left out has the defaults.
    pub fn of(text: &str) -> Self {
        let (path, tag) = match text.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            _ => (text, "latest"),
        };
        let parts: Vec<&str> = path.rsplitn(3, '/').collect();
        let part = |index: usize, other: &str| (*parts.get(index).unwrap_or(&other)).to_owned();
        Name([
            part(2, "registry.ollama.ai"),
            part(1, "library"),
            part(0, "x"),
            tag.to_owned(),
        ])
    }

    /// Returns the path of its manifest.
    pub fn under(&self, manifests: &Path) -> PathBuf {
        self.0
            .iter()
            .fold(manifests.to_owned(), |path, part| path.join(part))
    }

    /// Whether a path below `manifests` is the manifest of this name, in any case of letters.
    pub fn is_at(&self, below: &Path) -> bool {
        below.components().count() == 4 && self.is_below(below)
    }

    /// Whether a path below `manifests` is on the way to the manifest of this name.
    pub fn is_below(&self, directory: &Path) -> bool {
        let lower = |part: &str| part.to_lowercase();
        let parts = directory.components();
        let parts: Vec<String> = parts
            .map(|part| lower(&part.as_os_str().to_string_lossy()))
            .collect();
        let own = self.0.clone().map(|part| lower(&part));
        own.starts_with(&parts)
    }
}

/// Whether a file is one that file managers leave in directories.
pub fn is_dropping(name: &str) -> bool {
    [".DS_Store", "Thumbs.db", "desktop.ini"].contains(&name) || name.starts_with("._")
}

/// Whether an entry is one that file systems put at the top of a volume.
pub fn is_of_the_system(name: &str) -> bool {
    let known = [
        "lost+found",
        ".snapshot",
        ".zfs",
        "$RECYCLE.BIN",
        "System Volume Information",
        ".fseventsd",
        ".Spotlight-V100",
    ];
    known.contains(&name) || name.starts_with(".Trash-")
}

/// Whether up to four parts are those of a name by the published grammar, or of one that is too
/// long for it and not for a file.
pub fn is_valid(parts: &[String]) -> bool {
    let valid = |(index, part): (usize, &String)| {
        let mut bytes = part.bytes();
        let first = bytes
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        let other = |b: u8| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'_' | b'-')
                || (b == b'.' && index != 1)
                || (b == b':' && index == 0)
        };
        part.len() <= 255 && first && bytes.all(other)
    };
    parts.iter().enumerate().all(valid)
}

/// Whether a path is none of a name by the published grammar, and yet of the letters of one.
pub fn looks_valid(parts: &[String]) -> bool {
    let letters = |part: &String| {
        let mut bytes = part.bytes();
        let first = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        bytes.next().is_some_and(first) && bytes.all(|b| first(b) || b"-.:".contains(&b))
    };
    parts.iter().all(letters)
}
