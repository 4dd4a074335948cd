//! What is in `blobs/` at one moment: one look at each file for every call that asks.

use std::collections::HashMap;
use std::path::Path;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::fs::layout::{BlobFile, Layout};
use crate::fs::system::directory::Directory;
use crate::fs::system::stat::Stat;
use crate::manifest::contradicts;
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::survey::ManifestFacts;

/// A file in `blobs/`, and what it looks like.
pub(crate) struct Item {
    pub file: BlobFile,
    /// Of the entry itself, also where it is a link.
    pub stat: Stat,
}

/// The files in `blobs/`, by name.
pub(crate) struct Inventory {
    pub items: Vec<Item>,
}

/// The regular files from which blobs are read, by digest.
#[derive(Default)]
pub(crate) struct Homes<'i>(HashMap<Digest, &'i Stat, foldhash::fast::RandomState>);

/// From how many files on they are looked at in parallel.
const PARALLEL: usize = 256;

impl Store {
    /// Looks at every file in `blobs/`; what vanishes meanwhile concerns nobody any more.
    ///
    /// # Errors
    /// Where `blobs/` is there and cannot be read.
    pub(crate) fn inventory(&self) -> Result<Inventory> {
        let directory = self.layout().blobs_directory();
        let at = |e| Error::io("reading directory", &directory, e);
        let files = self.layout().blobs().map_err(at)?;
        let open = Directory::open(&directory).ok();
        let look = |file: BlobFile| {
            let stat = self.stat_of(open.as_ref(), &file)?;
            Some(Item { file, stat })
        };
        let items = match files.len() < PARALLEL {
            true => files.into_iter().filter_map(look).collect(),
            false => {
                let threads = self.pool()?;
                // All of them have their places in one list, and none has to move into another.
                let items: Vec<Option<Item>> =
                    threads.install(|| files.into_par_iter().map(look).collect());
                items.into_iter().flatten().collect()
            }
        };
        Ok(Inventory { items })
    }

    fn stat_of(&self, directory: Option<&Directory>, file: &BlobFile) -> Option<Stat> {
        let name = file.file_name();
        let short = directory.and_then(|open| open.stat_entry(Path::new(&name)).ok());
        short.or_else(|| Stat::of_entry(&self.layout().blob_file(file)).ok())
    }
}

impl Inventory {
    /// Returns the blobs that are regular files, under their present names.
    pub(crate) fn homes(&self) -> Homes<'_> {
        let is_plain = |item: &&Item| item.file.is_home() && !item.file.is_old();
        let regular = self
            .items
            .iter()
            .filter(is_plain)
            .filter(|it| it.stat.is_file());
        Homes(
            regular
                .filter_map(|it| Some((it.file.digest()?, &it.stat)))
                .collect(),
        )
    }
}

impl Item {
    /// Returns what it leads to; `None` where that is nothing.
    pub(crate) fn target(&self, layout: &Layout) -> Option<Stat> {
        match self.stat.is_symlink() {
            true => Stat::at(&layout.blob_file(&self.file)).ok(),
            false => Some(self.stat.clone()),
        }
    }
}

impl<'i> Homes<'i> {
    /// Returns what a blob looks like; `None` where only a look at it can tell.
    pub(crate) fn get(&self, digest: &Digest) -> Option<&'i Stat> {
        self.0.get(digest).copied()
    }

    /// Returns whether every blob that a manifest names is here, and has the size that it states.
    pub(crate) fn hold(&self, facts: &ManifestFacts) -> bool {
        let mut named = facts.named.iter();
        named.all(|(digest, size)| {
            let home = self.get(digest);
            home.is_some_and(|stat| !contradicts(*size, stat.len()))
        })
    }
}
