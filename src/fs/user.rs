//! Users and groups by name, from the system's files; who is in no file has a number only.

use std::path::Path;

use crate::fs::read;
pub(crate) use crate::fs::system::user::effective;

/// Returns a user's name.
pub(crate) fn name(user: u32) -> Option<String> {
    name_in(Path::new("/etc/passwd"), user)
}

/// Describes a user: `user ollama (uid 999)`.
pub(crate) fn describe(user: u32) -> String {
    match name(user) {
        Some(name) => format!("user {name} (uid {user})"),
        None => format!("the user with uid {user}"),
    }
}

/// Describes a group: `group ollama (gid 999)`.
pub(crate) fn describe_group(group: u32) -> String {
    match name_in(Path::new("/etc/group"), group) {
        Some(name) => format!("group {name} (gid {group})"),
        None => format!("the group with gid {group}"),
    }
}

/// Returns the name in the line of a number: both files have it in the third field.
fn name_in(file: &Path, number: u32) -> Option<String> {
    let text = read::read_text(file).ok()?;
    let text = String::from_utf8_lossy(&text.bytes);
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let found = fields.nth(1)?.parse() == Ok(number);
        found.then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_in_the_line_of_its_number() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = "# users\nroot:x:0:0::/root:/bin/sh\n\nollama:x:999:998:o:/o:/bin/false\n:\n";
        std::fs::write(file.path(), lines).unwrap();
        let cases = [(0, Some("root")), (999, Some("ollama")), (998, None)];
        for (number, expected) in cases {
            assert_eq!(name_in(file.path(), number).as_deref(), expected);
        }
    }
}
