//! Our private directories: what is on its way in, on its way out, and set aside.
//!
//! A blob leaves `blobs/` by one way only, [`move_out`], and comes back by one, [`bring_back`].
//! Neither replaces anything, and what is found in our own directories is trusted no more than
//! what is found anywhere else: it may be a directory, a FIFO or a link.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::layout::{Layout, Room, sorted_entries};
use crate::fs::staged::{self, Place, Staged};
use crate::fs::stamp::FileStamp;
use crate::fs::system::stat::{Kind, Stat};
use crate::fs::{hash, ops, owner, read};
use crate::name::Digest;

/// A file in a room: a regular one, or a link that was a blob.
#[derive(Debug)]
pub(crate) struct Leftover {
    pub room: Room,
    pub path: PathBuf,
    pub stat: Stat,
}

/// What is in all rooms of a store.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    pub files: Vec<Leftover>,
    /// What is none of ours: directories, FIFOs and the like. Never touched.
    pub unknown: Vec<PathBuf>,
    /// The rooms that cannot be read.
    pub closed: Vec<(PathBuf, io::Error)>,
}

impl Leftovers {
    /// Looks into every room of every private directory that the store may have used. Costs a
    /// failing directory read for each room that is not there. A room behind a link is none.
    pub(crate) fn of(layout: &Layout, rooms: &[Room]) -> Self {
        let mut found = Leftovers::default();
        for private in layout.private_directories() {
            for room in rooms {
                let directory = layout.inside(&private, room.name());
                // A room is mostly not there, the directory that it belongs in mostly is.
                if staged::is_private_dir(&directory) && staged::is_private_dir(&private) {
                    found.look(layout, *room, &directory);
                }
            }
        }
        found
    }

    fn look(&mut self, layout: &Layout, room: Room, directory: &Path) {
        let entries = match sorted_entries(directory) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return,
            Err(e) => return self.closed.push((directory.to_owned(), e)),
        };
        for (name, kind) in entries {
            let path = layout.inside(directory, name);
            let is_blob = room != Room::Staging && kind == Kind::Link;
            match Stat::of_entry(&path) {
                Ok(stat) if kind == Kind::File || is_blob => {
                    self.files.push(Leftover { room, path, stat });
                }
                Ok(_) => self.unknown.push(path),
                // Somebody else has finished with it.
                Err(_) => {}
            }
        }
    }
}

/// The file on which a decision to move a blob rests.
#[derive(Clone, Copy)]
pub(crate) enum Expected<'s> {
    /// Whatever is there: its name is what nobody uses.
    Any,
    /// This file with these bytes, whatever names it has got or lost meanwhile.
    File(&'s FileStamp),
    /// This file, and nothing about it may have changed.
    Untouched(&'s FileStamp),
}

impl Expected<'_> {
    fn is_at(self, path: &Path) -> bool {
        match self {
            Expected::Any => true,
            Expected::File(stamp) => FileStamp::at(path).is_some_and(|now| now.is_same_file(stamp)),
            Expected::Untouched(stamp) => FileStamp::at(path).as_ref() == Some(stamp),
        }
    }
}

/// Makes a room in a private directory, and what is above it.
fn make_room(layout: &Layout, private: &Path, room: Room) -> Result<PathBuf> {
    staged::make_private_dir(private)?;
    let directory = layout.inside(private, room.name());
    staged::make_private_dir(&directory)?;
    Ok(directory)
}

/// Returns a free path in a room of a private directory for what is, or belongs, at `home`, and
/// makes the room.
fn place_in(layout: &Layout, private: &Path, home: &Path, room: Room) -> Result<PathBuf> {
    let directory = make_room(layout, private, room)?;
    let name = home.file_name().unwrap_or_default().to_string_lossy();
    Ok(layout.inside(&directory, format!("{name}.{}", staged::unique_id())))
}

/// Moves a blob out of `blobs/` into a room. `None` where nothing was moved: it is not there, or
/// it is not the file on which the decision rests.
///
/// What was moved is looked at again in the room. A file that somebody put in its place in the
/// last moment goes back.
pub(crate) fn move_out(
    layout: &Layout,
    home: &Path,
    expected: Expected<'_>,
    room: Room,
    durability: Durability,
) -> Result<Option<PathBuf>> {
    let at = |e| owner::refused("removing blob", home, e);
    let before = match Stat::of_entry(home) {
        Ok(stat) if !stat.is_dir() => FileStamp::of(&stat),
        Err(e) if !read::is_gone(home) => return Err(at(e)),
        _ => return Ok(None),
    };
    if !expected.is_at(home) {
        return Ok(None);
    }
    let aside = place_in(layout, &layout.own_for_blobs(), home, room)?;
    match ops::rename_new(home, &aside) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        moved => moved.map_err(at)?,
    }
    let after = Stat::of_entry(&aside).map_err(at)?;
    if !before.is_same_file(&FileStamp::of(&after)) {
        bring_back(layout, &aside, durability)?;
        return Ok(None);
    }
    if room == Room::Quarantine && durability == Durability::Full {
        ops::sync_directory(owner::parent(&aside)).map_err(at)?;
    }
    Ok(Some(aside))
}

/// Puts a blob from a room back into `blobs/`, its bytes flushed before and its name after; returns
/// its digest where it went home.
///
/// Where another file has taken its place, the bytes decide: the one at home stays if it is good,
/// or if neither is. What is not at home in the end is removed where it is the same blob again, and
/// else goes into quarantine.
///
/// # Errors
/// Where it cannot go home: then it stays in the room.
pub(crate) fn bring_back(
    layout: &Layout,
    aside: &Path,
    durability: Durability,
) -> Result<Option<Digest>> {
    let Some((home, digest)) = layout.home(aside) else {
        return Ok(None);
    };
    let at = |e| Error::io("putting back blob", &home, e);
    let blobs = layout.blobs_directory();
    if durability == Durability::Full
        && let Ok(file) = read::open_regular(aside)
    {
        ops::sync(&file, aside).map_err(at)?;
    }
    let mut moved = move_home(layout, aside, &home, durability);
    if moved.is_err() && !read::is_gone(aside) && read::is_gone(&blobs) {
        staged::make_all(&blobs, durability)?;
        moved = move_home(layout, aside, &home, durability);
    }
    match moved {
        Ok(true) => {}
        Ok(false) => return decide(layout, aside, &home, digest, durability),
        Err(_) if read::is_gone(aside) => return Ok(None),
        Err(error) => return Err(error),
    }
    if durability == Durability::Full {
        staged::sync_if_there(&blobs).map_err(at)?;
    }
    Ok(Some(digest))
}

/// Gives a blob in a room its name in `blobs/`; returns whether nothing had it yet.
///
/// `blobs/` may have moved to another disk since the room was filled. Then a copy goes home, and
/// what is in the room is removed after it.
fn move_home(layout: &Layout, aside: &Path, home: &Path, durability: Durability) -> Result<bool> {
    let is_new = |done: io::Result<()>| match done {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(Error::io("putting back blob", home, e)),
        Ok(()) => Ok(true),
    };
    match ops::rename_new(aside, home) {
        Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {}
        moved => return is_new(moved),
    }
    if home.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let is_new = match std::fs::read_link(aside) {
        Ok(target) => {
            let is_new = is_new(ops::symlink(&target, home))?;
            // As of a copy: its name is durable before the original goes.
            if durability == Durability::Full {
                let flushed = staged::sync_if_there(owner::parent(home));
                flushed.map_err(|e| Error::io("putting back blob", home, e))?;
            }
            is_new
        }
        Err(_) => {
            Staged::copied(layout, Place::Blobs, durability, aside)?.commit_new(home)?;
            true
        }
    };
    if is_new {
        remove(aside)?;
    }
    Ok(is_new)
}

/// Decides between a blob in a room and the file that has taken its place. Reads them: equal sizes
/// do not make equal bytes.
fn decide(
    layout: &Layout,
    aside: &Path,
    home: &Path,
    digest: Digest,
    durability: Durability,
) -> Result<Option<Digest>> {
    let is_good = |path: &Path| {
        let hashed = hash::hash_file(path, |_| ());
        hashed.is_ok_and(|found| found.digest == digest)
    };
    let (at_home, in_room) = (is_good(home), is_good(aside));
    if at_home && in_room {
        return remove(aside).map(|()| None);
    }
    if in_room {
        let moved = move_out(layout, home, Expected::Any, Room::Quarantine, durability)?;
        // What cannot be moved, a directory for one, is in the way.
        return match moved {
            Some(_) => bring_back(layout, aside, durability),
            None => Err(in_the_way(aside, home)),
        };
    }
    // The quarantine of its own private directory is on its device.
    let private = aside.ancestors().nth(2).unwrap_or(aside);
    let to = place_in(layout, private, home, Room::Quarantine)?;
    ops::rename_new(aside, &to).map_err(|e| Error::io("setting aside", aside, e))?;
    Ok(None)
}

fn in_the_way(aside: &Path, home: &Path) -> Error {
    let text = format!(
        "putting back blob {}: something else is in its place; the blob stays at {}",
        home.display(),
        aside.display()
    );
    Error::new(ErrorKind::AlreadyExists, text)
}

/// Removes a file for good; one that is gone already is no error.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match ops::unlink(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("removing", path, e)),
        _ => Ok(()),
    }
}
