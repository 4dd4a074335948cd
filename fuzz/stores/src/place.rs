//! Where a case lies, and how its files are made.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::plan::{Content, Line, Make, Plan};

/// The unprivileged user that calls are made as.
pub const NOBODY: u32 = 65_534;

/// The directories of a case: the store, and what lies beside it.
///
/// ```text
/// store/      the store
/// elsewhere/  what links of the store may lead to, as a second disk does
/// sentinel/   what nobody may touch
/// in/         files to import
/// other/      as elsewhere, on another device
/// ```
#[derive(Clone, Debug)]
pub struct Case {
    pub root: PathBuf,
    pub other: PathBuf,
}

impl Case {
    /// Returns the path of a spot; `other/` is on another device.
    pub fn path(&self, spot: &Path) -> PathBuf {
        match spot.strip_prefix("other") {
            Ok(rest) => self.other.join(rest),
            Err(_) => self.root.join(spot),
        }
    }

    /// Returns the directory of the store.
    pub fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// Makes the directories and all that the plan says lies in them. A line that cannot be done
    /// is passed over, so that a plan stays one when lines are left out.
    pub fn build(&self, plan: &Plan) -> io::Result<()> {
        self.clear();
        for directory in ["store", "elsewhere", "sentinel/dir", "in"] {
            fs::create_dir_all(self.root.join(directory))?;
        }
        fs::create_dir_all(&self.other)?;
        fs::write(self.root.join("sentinel/dir/file"), "untouched")?;
        fs::write(self.root.join("sentinel/file"), "untouched")?;
        fs::write(self.root.join("plan"), plan.to_string())?;
        for line in &plan.lines {
            if let Line::Make(make) = line {
                let _ = self.make(make);
            }
        }
        if plan.is_nobody() {
            give(&self.root);
            give(&self.other);
        }
        Ok(())
    }

    /// Removes the case.
    pub fn clear(&self) {
        let _ = fs::remove_dir_all(&self.root);
        let _ = fs::remove_dir_all(&self.other);
    }

    /// Makes one change.
    pub fn make(&self, make: &Make) -> io::Result<()> {
        match make {
            Make::Dir(path) => fs::create_dir_all(path.path(self)),
            Make::Fifo(path) => fifo(&parented(path.path(self))),
            Make::Remove(path) => remove(&path.path(self)),
            Make::File(path, content) => write(&parented(path.path(self)), content),
            Make::Link(path, target) => {
                let target = target.raw();
                let target = match target.to_str().and_then(|text| text.strip_prefix('@')) {
                    Some(inside) => self.path(Path::new(inside)),
                    None => PathBuf::from(target),
                };
                symlink(target, parented(path.path(self)))
            }
            Make::Hard(path, from) => fs::hard_link(from.path(self), parented(path.path(self))),
            Make::Move(from, path) => fs::rename(from.path(self), parented(path.path(self))),
            Make::Mode(mode, path) => {
                fs::set_permissions(path.path(self), fs::Permissions::from_mode(*mode))
            }
            Make::Age(seconds, path) => age(&path.path(self), *seconds),
        }
    }
}

fn parented(path: PathBuf) -> PathBuf {
    if let Some(parent) = path.parent() {
        let _ = fs::create_dir_all(parent);
    }
    path
}

fn fifo(path: &Path) -> io::Result<()> {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0)?;
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata()?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// Writes a file beside its place and renames it there, as a pull does.
fn write(path: &Path, content: &Content) -> io::Result<()> {
    let mut staged = path.as_os_str().to_owned();
    if staged.len() + 4 > 255 && path.file_name().is_some_and(|name| name.len() > 240) {
        return fs::write(path, content.bytes());
    }
    staged.push(".new");
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&staged)?;
    match content {
        Content::Zeros(size) => file.set_len(*size)?,
        _ => file.write_all(&content.bytes())?,
    }
    fs::rename(&staged, path).inspect_err(|_| drop(fs::remove_file(&staged)))
}

fn age(path: &Path, seconds: i64) -> io::Result<()> {
    let moved = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    let time = if seconds < 0 {
        now + moved
    } else {
        now - moved
    };
    if !path.symlink_metadata()?.is_file() {
        return Ok(());
    }
    File::open(path)?.set_times(FileTimes::new().set_modified(time))
}

fn give(path: &Path) {
    let _ = lchown(path, Some(NOBODY), Some(NOBODY));
    if path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_dir())
    {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            give(&entry.path());
        }
    }
}
