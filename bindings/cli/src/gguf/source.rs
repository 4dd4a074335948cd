//! Where a GGUF file comes from: the disk, a model of the store, or standard input.

use std::io;
use std::path::{Path, PathBuf};

use modelkeep::gguf::Limits;
use modelkeep::{Error, GgufFile, GgufOptions, Reference, Store, StoreOptions};

use crate::output::{Failure, Outcome};

/// Opens a file; the model of that name where there is none; or what comes from standard input.
pub(super) fn open(what: &Path, limits: Limits, options: StoreOptions) -> Outcome<GgufFile> {
    let how = GgufOptions::new().limits(limits).mmap(options.maps());
    if what == Path::new("-") {
        return Ok(GgufFile::from_reader(&mut io::stdin().lock(), &how)?);
    }
    Ok(GgufFile::open(path(what, options)?, &how)?)
}

/// Returns the path of a file, or that of the model of this name where there is no such file: the
/// first, of a split one.
pub(super) fn path(what: &Path, options: StoreOptions) -> Outcome<PathBuf> {
    let Err(missing) = what.symlink_metadata() else {
        return Ok(what.to_owned());
    };
    let name = what.to_str().and_then(|text| text.parse().ok());
    let found = name
        .filter(|_| missing.kind() == io::ErrorKind::NotFound && is_bare(what))
        .map(|name| of_model(&name, options));
    match found {
        None => Ok(what.to_owned()),
        Some(Ok(path)) => Ok(path),
        Some(Err(error)) => Err(Failure::Other(format!(
            "opening {}: {missing}; and as a model: {error}",
            what.display()
        ))),
    }
}

/// Returns whether these are no words for a place: neither `./x`, nor `/x`, nor `x.gguf`.
pub(super) fn is_bare(what: &Path) -> bool {
    let ends_as_a_file = what.extension().is_some_and(|end| end == "gguf");
    !ends_as_a_file && !what.is_absolute() && !what.starts_with(".") && !what.starts_with("..")
}

fn of_model(name: &Reference, options: StoreOptions) -> Result<PathBuf, Error> {
    let store = Store::open_with(options)?;
    store.model(store.identify(name)?)?.gguf_path()
}
