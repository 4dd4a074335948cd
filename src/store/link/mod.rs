//! Links: readable names for the GGUF files of a model, for other programs.

mod check;
mod found;
mod make;
mod plan;
mod record;
mod words;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::go::json;
use crate::name::{Digest, ModelName, Reference};
use crate::store::handle::Store;

use make::Making;
use plan::Plan;
use record::Record;

pub use check::{CheckedLink, LinkReport};
pub use words::{LinkLayout, LinkMode, LinkState};

/// How links are made.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{LinkLayout, LinkMode, LinkOptions};
///
/// let options = LinkOptions::new().mode(LinkMode::Symlink).layout(LinkLayout::LmStudio);
/// let linked = store.link("tiny", directory.path().join("lmstudio"), &options)?;
/// assert!(linked.links[0].path.ends_with("library/tiny/tiny.gguf"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LinkOptions {
    mode: LinkMode,
    layout: LinkLayout,
    replace: bool,
    dry_run: bool,
}

impl LinkOptions {
    /// Returns the options of links in the first way that the file system can, which replace nothing
    /// but older links of the same model.
    pub fn new() -> Self {
        LinkOptions::default()
    }

    /// Sets how the links show the blobs.
    #[must_use]
    pub fn mode(mut self, mode: LinkMode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets how the links are laid out in a directory.
    #[must_use]
    pub fn layout(mut self, layout: LinkLayout) -> Self {
        self.layout = layout;
        self
    }

    /// Sets whether files are replaced that are not links of this model. Directories never are.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Sets whether the call only says which links it would make.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

/// The links of a model that were made, or were there.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::LinkOptions;
///
/// let linked = store.link("tiny", directory.path().join("links"), &LinkOptions::new())?;
/// assert_eq!(linked.name.to_string(), "tiny:latest");
/// assert_eq!(linked.not_remembered, "");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Linked {
    /// The model.
    pub name: ModelName,
    /// Its links, those of the weights first and then those of projectors.
    pub links: Vec<Link>,
    /// The kinds of its other GGUF files, which have no link: `adapter`, `draft`.
    pub left_out: Vec<String>,
    /// Why the store does not remember the links, in words; empty where it does. A check has to be
    /// told their paths then, and `doctor` does not name them.
    pub not_remembered: String,
}

/// A link.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::LinkOptions;
///
/// let linked = store.link("tiny", directory.path().join("links"), &LinkOptions::new())?;
/// let link = &linked.links[0];
/// assert_eq!(std::fs::metadata(&link.path)?.len(), link.size);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Link {
    /// Where it is.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The blob that it shows.
    pub digest: Digest,
    /// The size of that in bytes.
    pub size: u64,
    /// How it shows it. Of a dry run that would make it, how it is to be made.
    pub mode: LinkMode,
    /// Whether something was replaced.
    pub replaced: bool,
    /// Whether it was there already, and stays as it is.
    pub unchanged: bool,
}

impl Linked {
    /// Returns the result as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a path that is not UTF-8, which JSON cannot carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
    }
}

impl Store {
    /// Gives the GGUF files of a model readable names for other programs: the weights, each part of
    /// split weights, and the projectors. Never copies: each name is a reflink, a hard link or a
    /// symbolic link, the first that the file system can or what the options say.
    ///
    /// `to` is a directory, which is made where it is missing and in which the links get names of
    /// their own; or the path of one link, which is or ends in `.gguf`, beside which the others are.
    /// All links appear, or none. What is there is replaced only where it is an older link of the
    /// same model, unless the options say otherwise. Where the store can be written to it remembers
    /// the links: [`check_links`](Self::check_links) and [`doctor`](Self::doctor) know them then.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{ErrorKind, LinkOptions};
    ///
    /// let links = directory.path().join("links");
    /// let linked = store.link("tiny", &links, &LinkOptions::new())?;
    /// assert_eq!(linked.links[0].path, links.join("tiny.gguf"));
    ///
    /// std::fs::write(links.join("mine.gguf"), "my own")?;
    /// let taken = store.link("tiny", links.join("mine.gguf"), &LinkOptions::new());
    /// assert_eq!(taken.map_err(|error| error.kind()), Err(ErrorKind::AlreadyExists));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`model`](Self::model) and [`Model::gguf_paths`](crate::Model::gguf_paths);
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) where something else is in the place of a link;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a place inside of a store, and for a
    /// layout with the path of one file; and where the file system can make no such link.
    pub fn link(
        &self,
        name: impl TryInto<Reference, Error: Into<Error>>,
        to: impl AsRef<Path>,
        options: &LinkOptions,
    ) -> Result<Linked> {
        let model = self.model(name)?;
        let store = model.store();
        let plan = Plan::of(&model, to.as_ref(), options.layout)?;
        let record = Record::load(store.layout());
        let making = Making {
            store,
            name: model.name(),
            plan: &plan,
            record: &record,
            options,
        };
        let links = plan.files.iter().map(|planned| making.link(planned));
        let mut linked = Linked {
            name: model.name().clone(),
            links: links.collect::<Result<Vec<Link>>>()?,
            left_out: plan.left_out.clone(),
            not_remembered: String::new(),
        };
        if !options.dry_run {
            making.run(&mut linked)?;
        }
        Ok(linked)
    }
}
