//! What is in the place of a link.

use crate::error::{Error, Result};
use crate::fs::link_place;
use crate::fs::read;
use crate::fs::system::stat::Stat;
use crate::name::ModelName;
use crate::store::handle::Store;

use super::LinkMode;
use super::plan::Planned;
use super::record::Record;

/// What is in the place of a link, as far as it decides whether it may be replaced.
pub(super) enum Found {
    Nothing,
    /// The blob that is to be shown, and whether what shows it is a link of ours.
    Current(LinkMode, bool),
    /// Another link of the same model.
    Ours,
    /// A file or a link of somebody else.
    File,
    /// What is never replaced: a directory, a FIFO, a device.
    Other,
}

impl Found {
    /// Looks at the place of a link. What only a record says counts where nobody else could have
    /// written it.
    pub(super) fn at(
        store: &Store,
        planned: &Planned,
        name: &ModelName,
        record: &Record,
    ) -> Result<Self> {
        let path = &planned.path;
        let stat = match Stat::of_entry(path) {
            Ok(stat) => stat,
            Err(e) if read::is_absence(&e) => return Ok(Found::Nothing),
            Err(e) => return Err(Error::io("linking", path, e)),
        };
        let entry = record.trusted(path).filter(|entry| entry.name == *name);
        let mark = entry.and_then(|entry| entry.found(store, path, &stat));
        let is_ours = mark.is_some();
        if stat.is_symlink() {
            let digest = link_place::blob_of_link(store.layout(), path);
            return Ok(match digest {
                Some(digest) if digest == planned.digest => Found::Current(LinkMode::Symlink, true),
                // A link to a blob that is gone holds nothing.
                Some(digest) if is_ours || !store.has_blob(&digest) => Found::Ours,
                _ => Found::File,
            });
        }
        if !stat.is_file() {
            return Ok(Found::Other);
        }
        let blob = Stat::at(&planned.blob).ok().and_then(|stat| stat.id());
        let is_clone = mark
            .is_some_and(|mark| mark.digest == planned.digest && mark.mode == LinkMode::Reflink);
        Ok(match stat.id() {
            Some(id) if Some(id) == blob => Found::Current(LinkMode::HardLink, is_ours),
            _ if is_clone => Found::Current(LinkMode::Reflink, true),
            _ if is_ours => Found::Ours,
            _ => Found::File,
        })
    }
}
