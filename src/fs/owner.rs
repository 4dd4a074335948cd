//! Whose new files and directories are, and who may use them.
//!
//! Root writes for the owner of the place, whose server could not use the files otherwise. Where
//! a group or everybody may write to the place, what is made there is theirs as well.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::fs::{ops, user};

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const ROOT: u32 = 0;

/// Gives a new file or directory to the owner of `place` where root has made it, and to its group
/// where that may write there.
///
/// # Errors
/// Where the owner cannot be set and could not use what is new. A system that gives nothing away,
/// or does not know the owner, is otherwise no reason to fail: in a rootless container, for one.
pub(crate) fn adopt(new: &File, place: &Path) -> io::Result<()> {
    let Some(place) = nearest(place) else {
        return Ok(());
    };
    let ours = new.metadata()?;
    let is_for_owner = ours.uid() == ROOT && place.uid() != ROOT;
    let is_for_group = place.mode() & GROUP_WRITES != 0 && ours.gid() != place.gid();
    if !is_for_owner && !is_for_group {
        return Ok(());
    }
    let user = is_for_owner.then_some(place.uid());
    match ops::give(new, user, Some(place.gid())) {
        Err(e) if is_not_for_us(&e) && is_usable(&ours, &place) => Ok(()),
        given => given,
    }
}

/// As [`adopt`], for a new directory, whose place is the directory that it is in.
pub(crate) fn adopt_directory(new: &Path) -> io::Result<()> {
    adopt(&File::open(new)?, parent(new))
}

/// Opens a new file or directory of our own to those who may write to `place`, whatever the umask:
/// none of them could change the store otherwise.
pub(crate) fn share(new: &File, place: &Path) -> io::Result<()> {
    let Some(place) = nearest(place) else {
        return Ok(());
    };
    let ours = new.metadata()?;
    let execute = if ours.is_dir() { 0o7777 } else { 0o666 };
    let mode = ours.mode() & 0o7777;
    let shared = mode | shared_bits(place.mode()) & execute;
    if shared == mode {
        return Ok(());
    }
    match ops::set_mode(new, shared) {
        Err(e) if is_not_for_us(&e) => Ok(()),
        set => set,
    }
}

/// Returns the bits of a directory's mode that let others than its owner change it.
fn shared_bits(mode: u32) -> u32 {
    let group = if mode & GROUP_WRITES != 0 { 0o3070 } else { 0 };
    let others = if mode & OTHERS_WRITE != 0 { 0o1007 } else { 0 };
    mode & (group | others)
}

/// Whether a refusal to set an owner or a mode says only that it is not ours to set, or that there
/// is none.
fn is_not_for_us(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || matches!(error.raw_os_error(), Some(libc::EPERM | libc::EINVAL))
}

/// Whether the owner of `place` can use a file in it: it is the owner's, or the owner is root, or
/// all who may write to the place share it.
fn is_usable(file: &Metadata, place: &Metadata) -> bool {
    let is_shared = place.mode() & (GROUP_WRITES | OTHERS_WRITE) != 0;
    let may_read = file.mode() & 0o004 != 0
        || file.mode() & 0o040 != 0 && (file.gid() == place.gid() || place.mode() & 0o2000 != 0);
    file.uid() == place.uid() || place.uid() == ROOT || is_shared && may_read
}

/// Returns the number of the user to whom `place` belongs and who could not use a file in it.
pub(crate) fn locked_out(file: &File, place: &Path) -> io::Result<Option<u32>> {
    let file = file.metadata()?;
    let place = nearest(place).filter(|place| !is_usable(&file, place));
    Ok(place.map(|place| place.uid()))
}

/// Returns the metadata of a directory or, where it is not there yet, of the nearest above it.
fn nearest(directory: &Path) -> Option<Metadata> {
    let mut above = directory.ancestors().map(non_empty);
    above.find_map(|directory| directory.metadata().ok())
}

/// Returns the error of a change that the operating system refused; where it is one of
/// permission, with whose the place is and what to do.
pub(crate) fn refused(doing: &'static str, path: &Path, cause: io::Error) -> Error {
    let is_denied = cause.kind() == io::ErrorKind::PermissionDenied;
    match whose(path).filter(|_| is_denied) {
        Some(whose) => {
            let text = format!("{doing} {}: {whose}", path.display());
            Error::caused(ErrorKind::Io, text, cause)
        }
        None => Error::io(doing, path, cause),
    }
}

/// Says whose the nearest directory above a path is, where that is not we.
fn whose(path: &Path) -> Option<String> {
    let place = nearest(parent(path))?;
    let us = user::effective();
    if place.uid() == us {
        return None;
    }
    let group = match place.mode() & GROUP_WRITES {
        0 => String::new(),
        _ => format!(", join {}", user::describe_group(place.gid())),
    };
    Some(format!(
        "the store belongs to {} and you are {}: run as that user{group}, or open it read-only",
        user::describe(place.uid()),
        user::name(us).unwrap_or_else(|| format!("uid {us}")),
    ))
}

/// Returns the directory that a path is in.
pub(crate) fn parent(path: &Path) -> &Path {
    non_empty(path.parent().unwrap_or(path))
}

/// Returns a path by which the system finds the current directory, too.
pub(crate) fn non_empty(path: &Path) -> &Path {
    match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown};

    use super::*;
    use crate::fs::ops::{Change, hook};

    fn directory(mode: u32) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), PermissionsExt::from_mode(mode)).unwrap();
        directory
    }

    /// Adopts a new file in a place of some mode and of another user, where chown fails.
    fn adopt_where_chown_fails(mode: u32, code: i32) -> Option<io::Result<()>> {
        let place = directory(mode);
        if user::effective() != ROOT {
            println!("skipped: only root can make a place of another user");
            return None;
        }
        let new = File::create(place.path().join("new")).unwrap();
        chown(place.path(), Some(12345), Some(12346)).unwrap();
        let fail = move |change: &Change<'_>| match change {
            Change::Give => Err(io::Error::from_raw_os_error(code)),
            _ => Ok(()),
        };
        Some(hook::with(fail, || adopt(&new, place.path())))
    }

    #[test]
    fn an_owner_that_cannot_be_set_fails_only_where_the_owner_could_not_use_the_file() {
        let cases = [
            (0o777, libc::EINVAL, true),
            (0o777, libc::EPERM, true),
            (0o775, libc::EOPNOTSUPP, true),
            (0o1777, libc::EPERM, true),
            (0o755, libc::EPERM, false),
            (0o755, libc::EINVAL, false),
            (0o777, libc::EIO, false),
        ];
        for (mode, code, expected) in cases {
            let Some(adopted) = adopt_where_chown_fails(mode, code) else {
                return;
            };
            assert_eq!(adopted.is_ok(), expected, "{mode:o}, {code}: {adopted:?}");
        }
    }

    #[test]
    fn what_is_shared_takes_only_the_bits_of_those_who_may_write() {
        let cases = [
            (0o755, 0o700, 0o700),
            (0o750, 0o700, 0o700),
            (0o2755, 0o755, 0o755),
            (0o775, 0o755, 0o775),
            (0o2775, 0o755, 0o2775),
            (0o2770, 0o700, 0o2770),
            (0o777, 0o755, 0o777),
            (0o1777, 0o755, 0o1777),
        ];
        for (place, before, expected) in cases {
            let place = directory(place);
            let new = directory(before);
            share(&File::open(new.path()).unwrap(), place.path()).unwrap();
            let mode = new.path().metadata().unwrap().mode() & 0o7777;
            assert_eq!(mode, expected, "{:?}", place.path().metadata());
        }
    }

    #[test]
    fn a_shared_file_is_never_executable() {
        let place = directory(0o777);
        let new = File::create(place.path().join("lock")).unwrap();
        ops::set_mode(&new, 0o600).unwrap();
        share(&new, place.path()).unwrap();
        assert_eq!(new.metadata().unwrap().mode() & 0o7777, 0o666);
    }
}
