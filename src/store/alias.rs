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
    /// Costs three `lstat`; where one of them finds a link a few more, and a walk over all manifests
    /// where that leads out of the store.
    pub(crate) fn alias(&self, name: &ModelName) -> Option<Alias> {
        let layout = self.layout();
        let path = layout.manifest(name);
        let is_link = |depth: &usize| above(&path, *depth).is_some_and(Path::is_symlink);
        let links: Vec<usize> = (1..=DIRECTORIES).filter(is_link).collect();
        if links.is_empty() {
            return None;
        }
        // Where it leads to is known even while the directories above cannot be listed.
        let others: Vec<ModelName> = match self.name_led_to(name) {
            Some(other) => vec![other],
            None => {
                let mut files = layout.walk().files;
                files.sort_by_key(|file| file.link.is_some());
                files.into_iter().filter_map(|file| file.name).collect()
            }
        };
        let [host, namespace, model, _] = self.other_name(&others, name, DIRECTORIES)?.parts();
        let model = ModelName::from_parts(host, namespace, model, name.tag())?;
        let target = layout.manifest(&model);
        // The outermost one, and one whose names are all names of something else.
        let mut links = links.into_iter().filter_map(|depth| {
            let link = above(&path, depth)?;
            let is_alias = self.other_name(&others, name, depth).is_some();
            (is_alias && !target.starts_with(link)).then(|| link.to_owned())
        });
        Some(Alias {
            name: name.clone(),
            link: links.next()?,
            model,
        })
    }

    /// Returns the name whose directory this one leads into, where that is among the manifests.
    fn name_led_to(&self, name: &ModelName) -> Option<ModelName> {
        let layout = self.layout();
        let directory = layout.manifest(name).parent()?.canonicalize().ok()?;
        let manifests = layout.manifests_directory().canonicalize().ok()?;
        let parts = directory.strip_prefix(manifests).ok()?.iter();
        let parts: Option<Vec<&str>> = parts.map(|part| part.to_str()).collect();
        let [host, namespace, model] = parts?.try_into().ok()?;
        ModelName::from_parts(host, namespace, model, name.tag())
    }

    /// Returns a name that differs in its first parts and leads into the same directory by them.
    fn other_name<'n>(
        &self,
        others: &'n [ModelName],
        name: &ModelName,
        depth: usize,
    ) -> Option<&'n ModelName> {
        let led_to = |name: &ModelName| identity(above(&self.layout().manifest(name), depth)?);
        let directory = led_to(name)?;
        let is_other = |other: &ModelName| {
            let (mine, its) = (name.parts(), other.parts());
            !mine.iter().take(depth).eq(its.iter().take(depth))
        };
        let mut others = others.iter();
        others.find(|other| is_other(other) && led_to(other) == Some(directory))
    }
}

/// The directories above a manifest: of its host, its namespace and its model.
const DIRECTORIES: usize = 3;

/// Returns the directory of the first `depth` parts of the name of a manifest.
fn above(manifest: &Path, depth: usize) -> Option<&Path> {
    manifest.ancestors().nth(DIRECTORIES + 1 - depth)
}

fn identity(directory: &Path) -> Option<FileId> {
    Stat::at(directory).ok()?.id()
}
