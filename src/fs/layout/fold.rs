//! Names that a file system takes for one: some ignore case, and some drop what a name ends with.

use std::path::PathBuf;

use super::Layout;
use super::known_names::KnownNames;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::system::names;
use crate::name::ModelName;

impl Layout {
    /// # Errors
    /// [`InvalidName`](ErrorKind::InvalidName) for a name that no file of this system can have.
    pub(crate) fn admits(&self, name: &ModelName) -> Result<()> {
        for part in name.parts() {
            if let Some(why) = names::refusal(part) {
                let text = format!("model '{name}': '{part}' {why}");
                return Err(Error::new(ErrorKind::InvalidName, text));
            }
        }
        Ok(())
    }

    /// Returns the name under which is stored what `name` finds, a manifest or what is in its place:
    /// the same, but where the file system takes several for one. `None` where it finds one whose
    /// name has parts that the file system has cut; and whether every directory could be read that
    /// tells. Costs four `lstat`, and directory reads on such a file system.
    pub(crate) fn stored_as(
        &self,
        name: &ModelName,
        known: &KnownNames,
    ) -> (Option<ModelName>, bool) {
        if !self.may_alter(name) && !self.may_fold(name) {
            return (Some(name.clone()), true);
        }
        let (stored, is_certain) = self.spelled_otherwise(name, known);
        let mut names = stored.into_iter().map(|(_, stored)| stored).peekable();
        let first = names.peek().cloned();
        (names.find(|stored| stored == name).or(first), is_certain)
    }

    /// Returns whether there are file systems that would store a name under another one: FAT drops
    /// dots at the end.
    pub(crate) fn may_alter(&self, name: &ModelName) -> bool {
        name.parts().iter().any(|part| part.ends_with('.'))
    }

    /// Returns whether the manifest of a name is found when a part is spelled in the other case.
    /// Directories may differ in that.
    fn may_fold(&self, name: &ModelName) -> bool {
        let is_found = |changed: usize| {
            let parts = name.parts().into_iter().enumerate();
            let other = parts.fold(self.manifests_directory(), |path, (index, part)| {
                match index == changed {
                    true => path.join(other_case(part)),
                    false => path.join(part),
                }
            });
            // It may be another file: the directories tell. Identities do not, as some file systems
            // in user space give each spelling its own.
            other.symlink_metadata().is_ok()
        };
        let parts = name.parts().into_iter().enumerate();
        let mut with_letters = parts.filter(|(_, part)| **part != *other_case(part));
        with_letters.any(|(index, _)| is_found(index))
    }

    /// Returns the stored names that equal `name` but for case, in byte order. Reads at most one
    /// directory for each part that matches, and none that is known. Besides, whether it is certain
    /// that nothing else has such a name.
    pub(crate) fn folded(&self, name: &ModelName, known: &KnownNames) -> (Vec<ModelName>, bool) {
        let (found, were_read) = self.spelled_otherwise(name, known);
        let is_certain = were_read && found.is_empty();
        let files = found.into_iter().filter(|(path, _)| path.is_file());
        (files.map(|(_, name)| name).collect(), is_certain)
    }

    /// Returns all that has a path like that of the manifest but for case, whatever it is, and whether
    /// every directory on the way could be read.
    fn spelled_otherwise(
        &self,
        name: &ModelName,
        known: &KnownNames,
    ) -> (Vec<(PathBuf, ModelName)>, bool) {
        let mut were_read = true;
        let mut found = vec![(self.manifests_directory(), Vec::<String>::new())];
        for part in name.parts() {
            let step = |(directory, parts): (PathBuf, Vec<String>)| {
                let equal = known.equal(&directory, part);
                were_read &= equal.is_ok();
                let equal = equal.unwrap_or_default().into_iter();
                let next = equal.map(|entry| {
                    let path = directory.join(&entry);
                    (path, parts.iter().cloned().chain([entry]).collect())
                });
                next.collect::<Vec<_>>()
            };
            found = found.into_iter().flat_map(step).collect();
        }
        let named = |(path, parts): (PathBuf, Vec<String>)| match parts.as_slice() {
            [host, namespace, model, tag] => {
                ModelName::from_parts(host, namespace, model, tag).map(|name| (path, name))
            }
            _ => None,
        };
        (found.into_iter().filter_map(named).collect(), were_read)
    }
}

/// Returns a text with its capital letters small, and its small ones capital.
fn other_case(text: &str) -> String {
    let other = |c: char| match c.is_ascii_uppercase() {
        true => c.to_ascii_lowercase(),
        false => c.to_ascii_uppercase(),
    };
    text.chars().map(other).collect()
}
