//! Blobs that models lack, among the files that nobody knows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::{BlobName, sorted_entries};
use crate::fs::system::stat::Kind;
use crate::fs::{ops, read};
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::inventory::Homes;

/// The blobs that manifests name and that are not there, with the sizes that are stated of each.
pub(crate) type Missing = BTreeMap<Digest, BTreeSet<u64>>;

/// A file that may be a blob under another name.
pub(crate) struct Misnamed {
    pub path: PathBuf,
    /// What it may be: the one blob that its name says, or those of its size.
    pub digests: Vec<Digest>,
    /// Whether its name holds the digits of the digest.
    pub is_named: bool,
}

/// How deep below `blobs/` a file may be: `blobs/sha256/ab/<hex>`.
const DEPTH: usize = 2;

impl Store {
    /// Returns the blobs that models lack.
    pub(crate) fn missing_blobs(&self) -> Result<Missing> {
        let survey = self.survey(|met| Ok(Some(met.facts.clone())))?;
        let named = survey.found.iter().flat_map(|facts| facts.named.iter());
        Ok(self.missing_among(named.copied(), &Homes::default()))
    }

    /// Returns those of the blobs, each with the size that a manifest states, that are not there.
    /// Those that are at `homes` are not looked for.
    pub(crate) fn missing_among(
        &self,
        named: impl Iterator<Item = (Digest, i64)>,
        homes: &Homes<'_>,
    ) -> Missing {
        let mut missing = Missing::new();
        for (digest, size) in named {
            if homes.get(&digest).is_none() && read::is_gone(&self.layout().blob(&digest)) {
                let sizes = missing.entry(digest).or_default();
                sizes.extend(u64::try_from(size).ok().filter(|size| *size > 0));
            }
        }
        missing
    }

    /// Returns the unknown files in `blobs/` and its directories that may be missing blobs, by
    /// path. Hashes nothing.
    pub(crate) fn misnamed(&self, missing: &Missing) -> Vec<Misnamed> {
        if missing.is_empty() {
            return Vec::new();
        }
        let mut files = Vec::new();
        self.unknown_files(&self.layout().blobs_directory(), DEPTH, &mut files);
        let found = files.into_iter().filter_map(|path| {
            let size = path.symlink_metadata().ok()?.len();
            let hex = digits(&path);
            let is_named = |digest: &&Digest| hex.as_ref() == Some(&digest.hex());
            if let Some(digest) = missing.keys().find(is_named) {
                let digests = vec![*digest];
                return Some(Misnamed {
                    path,
                    digests,
                    is_named: true,
                });
            }
            let of_size = missing.iter().filter(|(_, sizes)| sizes.contains(&size));
            let digests: Vec<Digest> = of_size.map(|(digest, _)| *digest).collect();
            (!digests.is_empty()).then_some(Misnamed {
                path,
                digests,
                is_named: false,
            })
        });
        found.collect()
    }

    fn unknown_files(&self, directory: &Path, depth: usize, files: &mut Vec<PathBuf>) {
        let is_top = depth == DEPTH;
        for (name, kind) in sorted_entries(directory).unwrap_or_default() {
            let path = self.layout().inside(directory, &name);
            let is_known = is_top && !matches!(BlobName::of(&name), BlobName::Unknown);
            if kind == Kind::File && !is_known {
                files.push(path);
            } else if kind == Kind::Directory
                && depth > 0
                && !name.as_encoded_bytes().starts_with(b".")
            {
                self.unknown_files(&path, depth - 1, files);
            }
        }
    }

    /// Gives the misnamed blobs their names, after a look at every byte; returns the new paths.
    /// Replaces nothing. The store is locked for the change.
    pub(crate) fn rename_misnamed(&self) -> Result<Vec<(Digest, PathBuf)>> {
        let missing = self.missing_blobs()?;
        let mut renamed = Vec::new();
        for file in self.misnamed(&missing) {
            let digest = match self.hash_watched(&file.path) {
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                Err(_) => continue,
                Ok(digest) => digest,
            };
            let home = self.layout().new_blob(&digest);
            if !file.digests.contains(&digest) || !read::is_gone(&home) {
                continue;
            }
            ops::rename_new(&file.path, &home)
                .map_err(|e| Error::io("renaming blob", &file.path, e))?;
            self.sync_parent(&home)?;
            renamed.push((digest, home));
        }
        Ok(renamed)
    }
}

/// Returns the 64 hexadecimal digits in the name of a file, in lower case, where it has just so
/// many in a row; those of a name that is cut by a directory, as in `sha256/ab/cdef...`, are put
/// together.
fn digits(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let parent = path.parent()?.file_name()?.to_str()?.to_ascii_lowercase();
    run(&name).or_else(|| run(&format!("{parent}{name}")))
}

fn run(name: &str) -> Option<String> {
    let mut runs = name.split(|c: char| !c.is_ascii_hexdigit());
    runs.find(|run| run.len() == 64).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_a_digest_are_found_in_any_name() {
        let hex = "0123456789abcdef".repeat(4);
        for name in [
            hex.clone(),
            hex.to_uppercase(),
            format!("sha256-:{hex}"),
            format!("sha256_{hex}"),
            format!("sha256/{hex}"),
            format!("{}/{}", &hex[..2], &hex[2..]),
            format!("model-{hex}.gguf"),
        ] {
            let path = Path::new("/m/blobs").join(&name);
            assert_eq!(digits(&path).as_ref(), Some(&hex), "{name}");
        }
        for name in ["data", &hex[1..], &format!("{hex}0")] {
            assert_eq!(digits(&Path::new("/m/blobs").join(name)), None, "{name}");
        }
    }
}
