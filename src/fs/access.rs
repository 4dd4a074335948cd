//! Whose a directory is that this user may not look into, and what to do about it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::fs::system::stat::Stat;

/// Returns the directory on the way to a path, itself included, that this user may not look into.
pub(crate) fn closed_directory(path: &Path) -> Option<PathBuf> {
    let is_denied = |e: &io::Error| e.kind() == io::ErrorKind::PermissionDenied;
    if fs::read_dir(path).err().is_none_or(|e| !is_denied(&e)) {
        return None;
    }
    // What can be asked for its own facts, and not for an entry, is what is closed.
    let mut ancestors = path.ancestors();
    let closed = ancestors.find(|directory| directory.metadata().is_ok())?;
    Some(closed.to_owned())
}

/// Returns in words what to do where a path is in a closed directory.
pub(crate) fn advice(path: &Path) -> String {
    let Some(closed) = closed_directory(path) else {
        return "closed to this user".to_owned();
    };
    match Stat::at(&closed).ok().and_then(|stat| stat.owner()) {
        Some(owner) => {
            let names = Names::of_this_system();
            let remedy = names.remedy(owner.mode, owner.user, owner.group);
            format!("{} is closed to this user: {remedy}", closed.display())
        }
        None => format!("{} is closed to this user", closed.display()),
    }
}

/// The tables of users and groups.
struct Names {
    users: String,
    groups: String,
}

impl Names {
    fn of_this_system() -> Self {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        Names {
            users: text("/etc/passwd"),
            groups: text("/etc/group"),
        }
    }

    fn remedy(&self, mode: u32, user: u32, group: u32) -> String {
        const OF_GROUP: u32 = 0o050;
        if mode & OF_GROUP == OF_GROUP && group != 0 {
            let group = name(&self.groups, group);
            return format!(
                "join the group {group} (sudo usermod -aG {group} YOU, then log in again)"
            );
        }
        format!("run as the user {}", name(&self.users, user))
    }
}

/// Returns the name of a number in a table of lines `name:x:number:...`, or else the number.
fn name(table: &str, number: u32) -> String {
    let number = number.to_string();
    let mut lines = table.lines().map(|line| line.split(':'));
    let found = lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)? == number).then_some(name)
    });
    found.map_or(number.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_its_group_may_read_wants_a_member() {
        let names = Names {
            users: "root:x:0:0::/root:/bin/sh\nollama:x:997:996::/usr/share/ollama:/bin/false\n"
                .to_owned(),
            groups: "root:x:0:\nollama:x:996:me\n".to_owned(),
        };
        assert!(
            names
                .remedy(0o40750, 997, 996)
                .starts_with("join the group ollama ")
        );
        assert_eq!(names.remedy(0o40700, 997, 996), "run as the user ollama");
        assert_eq!(names.remedy(0o40710, 0, 0), "run as the user root");
        assert!(
            names
                .remedy(0o42775, 5, 77)
                .starts_with("join the group 77 ")
        );
    }
}
