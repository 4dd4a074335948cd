//! What a model lacks, as far as can be seen from outside.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::fs::read;
use crate::go::json;
use crate::manifest::contradicts;
use crate::name::Digest;
use crate::store::model::Model;

/// A blob of a model that is not there as its manifest has it.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let model = store.model("tiny")?;
/// std::fs::write(model.gguf_path()?, "cut")?;
/// let incomplete = &model.incomplete()[0];
/// assert_eq!(incomplete.found, Some(3));
/// assert!(incomplete.to_string().starts_with("3 of "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct IncompleteBlob {
    /// The blob.
    pub digest: Digest,
    /// Where it is, or should be.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The bytes that the manifest states.
    pub stated: i64,
    /// The bytes that are there; `None` where no file is.
    pub found: Option<u64>,
}

impl fmt::Display for IncompleteBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found {
            None => f.write_str("missing"),
            Some(_) if self.stated < 0 => f.write_str("a negative size is stated"),
            Some(found) => write!(f, "{found} of {} bytes", self.stated),
        }
    }
}

impl Model {
    /// Returns the blobs that are missing, are no files, or have another size than the manifest
    /// states; a size that it does not state says nothing. Costs a `stat` for each blob, and hashes
    /// nothing.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// assert_eq!(store.model("tiny")?.incomplete(), []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn incomplete(&self) -> Vec<IncompleteBlob> {
        let mut known = HashSet::new();
        let mut incomplete = Vec::new();
        for layer in self.manifest().entries() {
            let Ok(digest) = layer.digest() else { continue };
            if !known.insert(digest) {
                continue;
            }
            let path = self.store().layout().blob(&digest);
            let found = match path.metadata() {
                Ok(metadata) if metadata.is_file() => Some(metadata.len()),
                Err(_) if !read::is_gone(&path) && !path.is_symlink() => continue,
                _ => None,
            };
            if found.is_none_or(|found| contradicts(layer.size, found)) {
                incomplete.push(IncompleteBlob {
                    digest,
                    path,
                    stated: layer.size,
                    found,
                });
            }
        }
        incomplete
    }
}
