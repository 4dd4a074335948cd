//! Whose new files and directories are: root writes for the owner of the place, whose server
//! could not use them otherwise. Nobody else can give anything away.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::fs::ops;

/// Gives a file or a directory that root has just made to the owner of `place`.
pub(crate) fn adopt(new: &File, place: &Path) -> io::Result<()> {
    if new.metadata()?.uid() != 0 {
        return Ok(());
    }
    match fs::metadata(place) {
        Ok(place) if place.uid() != 0 => ops::give(new, (place.uid(), place.gid())),
        _ => Ok(()),
    }
}

/// As [`adopt`], for a new directory, whose place is the directory that it is in.
pub(crate) fn adopt_directory(new: &Path) -> io::Result<()> {
    match new.parent() {
        Some(place) => adopt(&File::open(new)?, place),
        None => Ok(()),
    }
}

/// Whether a file belongs to another user than `place` does.
pub(crate) fn is_foreign(file: &File, place: &Path) -> io::Result<bool> {
    Ok(file.metadata()?.uid() != fs::metadata(place)?.uid())
}
