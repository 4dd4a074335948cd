//! What a registry has.

use serde::Deserialize;
use ureq::http::{Method, StatusCode};

use crate::error::{Error, ErrorKind, Result};

use super::address::RegistryReference;
use super::client::{Access, Ask, Registry, printable};
use super::options::RegistryOptions;
use super::response::{header, read_whole, refusal};

/// The longest page of a list, in bytes, and the most pages.
const LONGEST_PAGE: u64 = 4 << 20;
const MOST_PAGES: usize = 1_000;

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
    RemoteList::new(what, options)?.read()
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

    pub(crate) fn read(&self) -> Result<Vec<String>> {
        let RemoteList(registry) = self;
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

impl Registry {
    /// Returns the tags of the repository, as the registry orders them.
    pub(crate) fn tags(&self) -> Result<Vec<String>> {
        #[derive(Default, Deserialize)]
        struct Page {
            tags: Option<Vec<String>>,
        }
        let first = format!("/v2/{}/tags/list", self.reference().repository());
        self.pages(&first, |page: Page| page.tags.unwrap_or_default())
    }

    /// Returns the repositories of the registry, as it orders them.
    pub(crate) fn catalog(&self) -> Result<Vec<String>> {
        #[derive(Default, Deserialize)]
        struct Page {
            repositories: Option<Vec<String>>,
        }
        self.pages("/v2/_catalog", |page: Page| {
            page.repositories.unwrap_or_default()
        })
    }

    fn pages<P: for<'de> Deserialize<'de>>(
        &self,
        first: &str,
        entries: impl Fn(P) -> Vec<String>,
    ) -> Result<Vec<String>> {
        let doing = format!("reading {first} of {}", self.reference().host());
        let mut all = Vec::new();
        let mut next = Some(self.uri(first)?);
        for _ in 0..MOST_PAGES {
            let Some(target) = next.take() else {
                return Ok(all);
            };
            let (text, link) = self.patiently(|| {
                let response = self.ask(&Ask::new(Method::GET, target.clone()))?;
                if response.status() != StatusCode::OK {
                    return Err(refusal(response, &doing));
                }
                let link = header(&response, "link").map(str::to_owned);
                Ok((read_whole(response, LONGEST_PAGE, "a list")?, link))
            })?;
            let page = serde_json::from_slice(&text);
            let page = page.map_err(|e| Error::caused(ErrorKind::Network, doing.clone(), e))?;
            all.extend(entries(page).iter().map(|entry| printable(entry)));
            next = match link.as_deref().and_then(next_page) {
                // A list is continued where it began.
                Some(link) => {
                    Some(self.resolve(&target, link)?).filter(|it| self.agents.is_own(it))
                }
                None => None,
            };
        }
        let text = format!("{doing}: more than {MOST_PAGES} pages");
        Err(Error::new(ErrorKind::Network, text))
    }
}

/// Returns the target of a `Link` whose relation is `next`.
// RFC 5988
fn next_page(link: &str) -> Option<&str> {
    let (target, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_that_of_the_link() {
        assert_eq!(next_page("</v2/x?n=1>; rel=\"next\""), Some("/v2/x?n=1"));
        assert_eq!(next_page("</v2/x?n=1>; rel=\"prev\""), None);
        assert_eq!(next_page("/v2/x; rel=next"), None);
    }
}
