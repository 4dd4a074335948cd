//! What a registry has.

use crate::error::Result;

use super::address::RegistryReference;
use super::client::{Access, Registry};
use super::options::RegistryOptions;

/// Lists what a registry has: of `REGISTRY/REPOSITORY` the tags, as `REGISTRY/REPOSITORY:TAG`, and of
/// `REGISTRY` alone, where it lets that be seen, the repositories. Sorted, each as
/// [`Store::pull`](crate::Store::pull) takes it. One request for each page of the list.
///
/// ```no_run
/// use modelkeep::RegistryOptions;
///
/// for tag in modelkeep::ls_remote("registry.example.com/team/model", &RegistryOptions::new())? {
///     println!("{tag}");
/// }
/// # Ok::<(), modelkeep::Error>(())
/// ```
///
/// # Errors
/// As [`Store::pull`](crate::Store::pull).
pub fn ls_remote(what: &str, options: &RegistryOptions) -> Result<Vec<String>> {
    RemoteList::new(what, options)?.read(options)
}

/// What can be listed: the tags of a repository, or the repositories of a registry.
pub(crate) struct RemoteList(Registry);

impl RemoteList {
    pub(crate) fn new(what: &str, options: &RegistryOptions) -> Result<Self> {
        let is_registry = !what
            .trim_start_matches("https://")
            .trim_end_matches('/')
            .contains('/');
        let reference = match is_registry {
            true => RegistryReference::of_host(what)?,
            false => what.parse()?,
        };
        Ok(RemoteList(Registry::new(
            &reference,
            Access::Pull,
            &[],
            options,
        )?))
    }

    /// Returns who is asked.
    pub(crate) fn registry(&self) -> &Registry {
        &self.0
    }

    pub(crate) fn read(&self, options: &RegistryOptions) -> Result<Vec<String>> {
        let RemoteList(registry) = self;
        registry.connect(options)?;
        let reference = registry.reference();
        let (host, repository) = (reference.host(), reference.repository());
        let named = |start: &str, mut names: Vec<String>| {
            names.sort();
            names.dedup();
            let named = names.into_iter().map(|name| format!("{start}{name}"));
            named.collect()
        };
        match repository.is_empty() {
            true => Ok(named(&format!("{host}/"), registry.catalog()?)),
            false => Ok(named(&format!("{host}/{repository}:"), registry.tags()?)),
        }
    }
}
