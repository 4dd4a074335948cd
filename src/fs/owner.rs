//! Whose new files and directories are, and who may use them.
//!
//! Root writes for the owner of the place, whose server could not use the files otherwise. Where
//! a group or everybody may write to the place, what is made there is theirs as well. Where a
//! system has no owners, nothing of this is done.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::fs::system::stat::{Owner, Stat};
use crate::fs::system::{code, open};
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
    let Some(place) = recipient(place) else {
        return Ok(());
    };
    let Some(ours) = Stat::of(new)?.owner() else {
        return Ok(());
    };
    if !is_to_be_given(&ours, &place) {
        return Ok(());
    }
    let user = is_for_owner(&ours, &place).then_some(place.user);
    match ops::give(new, user, Some(place.group)) {
        Err(e) if code::is_not_for_us(&e) && is_usable(&ours, &place) => Ok(()),
        given => given,
    }
}

/// Returns who gets what this process makes in a place; `None` where nothing is given away, and nobody
/// has to look whose it is.
fn recipient(place: &Path) -> Option<Owner> {
    nearest(place).filter(|place| {
        let is_for_group = place.mode & GROUP_WRITES != 0;
        is_for_group || (place.user != ROOT && user::effective() == Some(ROOT))
    })
}

fn is_for_owner(ours: &Owner, place: &Owner) -> bool {
    ours.user == ROOT && place.user != ROOT
}

fn is_to_be_given(ours: &Owner, place: &Owner) -> bool {
    let is_for_group = place.mode & GROUP_WRITES != 0 && ours.group != place.group;
    is_for_owner(ours, place) || is_for_group
}

/// As [`adopt`], for a new directory, whose place is the directory that it is in. One that stays whose
/// it is is not opened.
pub(crate) fn adopt_directory(new: &Path) -> io::Result<()> {
    let Some(place) = recipient(parent(new)) else {
        return Ok(());
    };
    if let Some(ours) = Stat::of_entry(new)?.owner()
        && !is_to_be_given(&ours, &place)
    {
        return Ok(());
    }
    match open::directory(new)? {
        Some(directory) => adopt(&directory, parent(new)),
        None => Ok(()),
    }
}

/// As [`share`], for a new directory of our own, whose place is the directory that it is in.
pub(crate) fn share_directory(new: &Path) -> io::Result<()> {
    match open::directory(new)? {
        Some(directory) => share(&directory, parent(new)),
        None => Ok(()),
    }
}

/// Opens a new file or directory of our own to those who may write to `place`, whatever the umask:
/// none of them could change the store otherwise.
pub(crate) fn share(new: &File, place: &Path) -> io::Result<()> {
    let ours = Stat::of(new)?;
    let (Some(place), Some(owner)) = (nearest(place), ours.owner()) else {
        return Ok(());
    };
    let execute = if ours.is_dir() { 0o7777 } else { 0o666 };
    let mode = owner.mode & 0o7777;
    let shared = mode | shared_bits(place.mode) & execute;
    if shared == mode {
        return Ok(());
    }
    match ops::set_mode(new, shared) {
        Err(e) if code::is_not_for_us(&e) => Ok(()),
        set => set,
    }
}

/// Returns the bits of a directory's mode that let others than its owner change it.
fn shared_bits(mode: u32) -> u32 {
    let group = if mode & GROUP_WRITES != 0 { 0o3070 } else { 0 };
    let others = if mode & OTHERS_WRITE != 0 { 0o1007 } else { 0 };
    mode & (group | others)
}

/// Gives a file the mode of another one, which is new.
pub(crate) fn take_mode_of(new: &File, file: &File) -> io::Result<()> {
    match Stat::of(new)?.owner() {
        Some(owner) => ops::set_mode(file, owner.mode & 0o7777),
        None => Ok(()),
    }
}

/// Leaves it to the owner alone to write to a file, whatever the umask lets others.
///
/// # Errors
/// Where it cannot be told who else may write to it.
pub(crate) fn keep_private(file: &File) -> io::Result<()> {
    let owner = Stat::of(file)?.owner().ok_or_else(unknown)?;
    ops::set_mode(file, owner.mode & 0o755)
}

/// Fails where nobody can tell who may write to what is in a directory, so that nothing in it can be
/// kept private.
pub(crate) fn must_be_known(directory: &Path) -> io::Result<()> {
    let owner = Stat::at(directory)?.owner();
    owner.map(|_| ()).ok_or_else(unknown)
}

fn unknown() -> io::Error {
    let text = "the system does not say who may write to it";
    io::Error::new(io::ErrorKind::Unsupported, text)
}

/// Returns whether the owner of `place` can use a file in it: it is the owner's, or the owner is
/// root, or all who may write to the place share it.
fn is_usable(file: &Owner, place: &Owner) -> bool {
    let is_shared = place.mode & (GROUP_WRITES | OTHERS_WRITE) != 0;
    let may_read = file.mode & 0o004 != 0
        || file.mode & 0o040 != 0 && (file.group == place.group || place.mode & 0o2000 != 0);
    file.user == place.user || place.user == ROOT || is_shared && may_read
}

/// Returns the number of the user to whom `place` belongs and who could not use a file in it.
pub(crate) fn locked_out(file: &File, place: &Path) -> io::Result<Option<u32>> {
    let Some(file) = Stat::of(file)?.owner() else {
        return Ok(None);
    };
    let place = nearest(place).filter(|place| !is_usable(&file, place));
    Ok(place.map(|place| place.user))
}

/// Returns whose a directory is or, where it is not there yet, the nearest above it.
fn nearest(directory: &Path) -> Option<Owner> {
    let mut above = directory.ancestors().map(non_empty);
    above
        .find_map(|directory| Stat::at(directory).ok())?
        .owner()
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
    let us = user::effective()?;
    if place.user == us {
        return None;
    }
    let group = match place.mode & GROUP_WRITES {
        0 => String::new(),
        _ => format!(", join {}", user::describe_group(place.group)),
    };
    Some(format!(
        "the store belongs to {} and you are {}: run as that user{group}, or open it read-only",
        user::describe(place.user),
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
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    use super::*;
    use crate::fs::ops::{Change, hook};
    use crate::skip::not_here;

    const NOT_ROOT: &str = "the user is not root";

    fn directory(mode: u32) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), PermissionsExt::from_mode(mode)).unwrap();
        directory
    }

    /// Adopts a new file in a place of some mode and of another user, where chown fails.
    fn adopt_where_chown_fails(mode: u32, code: i32) -> Option<io::Result<()>> {
        let place = directory(mode);
        if user::effective() != Some(ROOT) {
            not_here("places of another user", NOT_ROOT);
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

    #[test]
    fn a_file_is_usable_by_the_owner_of_its_place_who_has_it_or_shares_it() {
        const US: u32 = 0;
        let cases = [
            ((1, 1, 0o755), (US, US, 0o644), false),
            ((1, 1, 0o755), (1, US, 0o600), true),
            ((US, 1, 0o755), (5, 5, 0o600), true),
            ((1, 1, 0o775), (US, 1, 0o640), true),
            ((1, 1, 0o775), (US, 1, 0o600), false),
            ((1, 1, 0o775), (US, US, 0o640), false),
            ((1, 1, 0o2775), (US, US, 0o640), true),
            ((1, 1, 0o2775), (US, US, 0o600), false),
            ((1, 1, 0o777), (US, US, 0o604), true),
            ((1, 1, 0o777), (US, US, 0o600), false),
        ];
        for (place, file, expected) in cases {
            let of = |(user, group, mode)| Owner { user, group, mode };
            assert_eq!(
                is_usable(&of(file), &of(place)),
                expected,
                "{place:?}, {file:?}"
            );
        }
    }

    #[test]
    fn only_a_denial_says_whose_the_place_is_and_whose_group_to_join() {
        let place = directory(0o755);
        if chown(place.path(), Some(12345), Some(12346)).is_err() {
            not_here("places of another user", NOT_ROOT);
            return;
        }
        let path = place.path().join("file");
        let told = |kind: io::ErrorKind| refused("writing", &path, kind.into()).to_string();
        let denied = told(io::ErrorKind::PermissionDenied);
        assert!(denied.contains("the user with uid 12345"), "{denied}");
        assert!(!denied.contains("join"), "{denied}");
        assert!(!told(io::ErrorKind::NotFound).contains("belongs to"));
        fs::set_permissions(place.path(), PermissionsExt::from_mode(0o775)).unwrap();
        let denied = told(io::ErrorKind::PermissionDenied);
        assert!(
            denied.contains(", join ") && denied.contains("12346"),
            "{denied}"
        );
        chown(place.path(), user::effective(), None).unwrap();
        assert!(!told(io::ErrorKind::PermissionDenied).contains("belongs to"));
    }

    #[test]
    fn what_has_all_the_bits_is_not_changed() {
        let (place, new) = (directory(0o755), directory(0o700));
        let never = |change: &Change<'_>| {
            assert!(!matches!(change, Change::SetMode | Change::Give));
            Ok(())
        };
        let new = File::open(new.path()).unwrap();
        hook::with(never, || {
            share(&new, place.path()).unwrap();
            adopt(&new, place.path()).unwrap();
        });
    }

    #[test]
    fn only_a_group_that_may_write_to_the_place_is_given_what_is_new() {
        for (mode, group, expected) in [
            (0o755, 12346, false),
            (0o775, 12346, true),
            (0o777, 12346, true),
            (0o775, 0, false),
        ] {
            let place = directory(mode);
            if chown(place.path(), Some(ROOT), Some(group)).is_err()
                || user::effective() != Some(ROOT)
            {
                not_here("places of another group", NOT_ROOT);
                return;
            }
            fs::set_permissions(place.path(), PermissionsExt::from_mode(mode)).unwrap();
            let new = tempfile::tempfile().unwrap();
            let gave = std::rc::Rc::new(std::cell::Cell::new(false));
            let noted = gave.clone();
            let note = move |change: &Change<'_>| {
                noted.set(noted.get() || matches!(change, Change::Give));
                Ok(())
            };
            hook::with(note, || adopt(&new, place.path())).unwrap();
            assert_eq!(gave.get(), expected, "{mode:o}, {group}");
            let owner = new.metadata().unwrap();
            assert_eq!((owner.uid(), owner.gid() == 12346), (ROOT, expected));
        }
    }

    #[test]
    fn a_mode_that_is_not_ours_to_set_is_no_failure_and_a_broken_disk_is() {
        for (code, expected) in [
            (libc::EPERM, true),
            (libc::EINVAL, true),
            (libc::EIO, false),
        ] {
            let (place, new) = (directory(0o777), directory(0o700));
            let fail = move |change: &Change<'_>| match change {
                Change::SetMode => Err(io::Error::from_raw_os_error(code)),
                _ => Ok(()),
            };
            let new = File::open(new.path()).unwrap();
            let shared = hook::with(fail, || share(&new, place.path()));
            assert_eq!(shared.is_ok(), expected, "{code}");
        }
    }
}
