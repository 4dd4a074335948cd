//! Aliases: names that lead through a link to the manifest of another model.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::fs::system::stat::{FileId, Stat};
use crate::go::json;
use crate::name::ModelName;
use crate::store::handle::Store;

/// A name behind a link to a directory, where the same manifests have another name as well.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let library = store.path().join("manifests/registry.ollama.ai/library");
/// std::os::unix::fs::symlink(library.join("tiny"), library.join("short"))?;
/// let deleted = store.delete("short")?;
/// assert_eq!(deleted.aliases[0].model.to_string(), "tiny:latest");
/// assert!(store.find("tiny")?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Alias {
    /// The name.
    pub name: ModelName,
    /// The link. Other names may lead through it, too.
    #[serde(serialize_with = "json::path")]
    pub link: PathBuf,
    /// The model that the name leads to.
    pub model: ModelName,
}

impl Store {
    /// Returns what a name is an alias of. A link to a directory that has no other name, such as
    /// one on another disk, makes no alias: it is how the models there are reached.
    ///
    /// Costs three `lstat`, and a walk over all manifests where one of them finds a link.
    pub(crate) fn alias(&self, name: &ModelName) -> Option<Alias> {
        let layout = self.layout();
        let path = layout.manifest(name);
        let links: Vec<PathBuf> = path
            .ancestors()
            .skip(1)
            .take(3)
            .filter(|directory| directory.is_symlink())
            .map(Path::to_owned)
            .collect();
        let directory = identity(path.parent().filter(|_| !links.is_empty())?)?;
        let mut files = layout.walk().files;
        files.sort_by_key(|file| file.link.is_some());
        let others = files.into_iter().filter_map(|file| file.name);
        let mut others = others.filter(|other| other.parts()[..3] != name.parts()[..3]);
        let other = others.find(|other| {
            let path = layout.manifest(other);
            path.parent().and_then(identity) == Some(directory)
        })?;
        let [host, namespace, model, _] = other.parts();
        let model = ModelName::from_parts(host, namespace, model, name.tag())?;
        let target = layout.manifest(&model);
        // The outermost link that is not also on the way to the model.
        let link = links
            .into_iter()
            .rev()
            .find(|link| !target.starts_with(link))?;
        Some(Alias {
            name: name.clone(),
            link,
            model,
        })
    }
}

fn identity(directory: &Path) -> Option<FileId> {
    Stat::at(directory).ok()?.id()
}
