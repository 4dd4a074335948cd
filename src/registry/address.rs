//! What a registry is asked for: `[HOST/]REPOSITORY[:TAG][@DIGEST]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};
use crate::name::convert::from_text;
use crate::name::{DEFAULT_HOST, DEFAULT_NAMESPACE, Digest, ModelName};

/// Docker Hub goes by another name than the host that serves it.
// docker distribution, reference/normalize.go and the registry of Docker Hub
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

const LONGEST_REPOSITORY: usize = 255;
const LONGEST_TAG: usize = 128;

/// A manifest in a registry, by its tag or its digest: `registry.example.com/team/model:tag`, or
/// `registry.example.com/team/model@sha256:...`.
///
/// The first part is a host where it has a dot or a colon, or is `localhost`; otherwise the host is
/// that of Ollama's registry, and the namespace of a single part is `library`. The tag is `latest`
/// where none is given.
///
/// ```
/// use modelkeep::RegistryReference;
///
/// let reference: RegistryReference = "localhost:5000/team/model".parse()?;
/// assert_eq!(reference.to_string(), "localhost:5000/team/model:latest");
/// assert_eq!((reference.host(), reference.repository()), ("localhost:5000", "team/model"));
/// assert!("http://host/team/model".parse::<RegistryReference>().is_err());
/// # Ok::<(), modelkeep::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegistryReference {
    host: String,
    repository: String,
    target: Target,
}

/// Which manifest of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Target {
    Tag(String),
    Digest(Digest),
}

impl RegistryReference {
    /// Returns the registry's host, and its port where it has one.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the repository: one name or more, with `/` between them.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the tag; `None` where the manifest goes by its digest.
    pub fn tag(&self) -> Option<&str> {
        match &self.target {
            Target::Tag(tag) => Some(tag),
            Target::Digest(_) => None,
        }
    }

    /// Returns the digest, where the manifest goes by it.
    pub fn digest(&self) -> Option<&Digest> {
        match &self.target {
            Target::Tag(_) => None,
            Target::Digest(digest) => Some(digest),
        }
    }

    /// Returns the name that Ollama gives the model: that of a repository of two parts and a tag.
    ///
    /// ```
    /// use modelkeep::RegistryReference;
    ///
    /// let reference: RegistryReference = "host.example/team/model:q4".parse()?;
    /// let name = reference.model_name().expect("it has two parts");
    /// assert_eq!(name.to_string(), "host.example/team/model:q4");
    /// # Ok::<(), modelkeep::Error>(())
    /// ```
    pub fn model_name(&self) -> Option<ModelName> {
        let (namespace, model) = self.repository.split_once('/')?;
        ModelName::from_parts(&self.host, namespace, model, self.tag()?)
    }

    /// Returns the tag or the digest, as the end of a path.
    pub(crate) fn target(&self) -> String {
        match &self.target {
            Target::Tag(tag) => tag.clone(),
            Target::Digest(digest) => digest.to_string(),
        }
    }

    /// Returns the host that serves the registry.
    pub(crate) fn served_by(&self) -> &str {
        match self.host.eq_ignore_ascii_case(DOCKER_HUB) {
            true => DOCKER_HUB_HOST,
            false => &self.host,
        }
    }

    /// Returns whether the registry is that of Ollama's.
    pub(crate) fn is_ollamas(&self) -> bool {
        self.host.eq_ignore_ascii_case(DEFAULT_HOST)
    }

    /// Reads the host of a registry, with nothing after it.
    ///
    /// # Errors
    /// [`InvalidName`](ErrorKind::InvalidName) for what is no host.
    pub(crate) fn of_host(text: &str) -> Result<Self> {
        let host = without_scheme(text)?.trim_end_matches('/');
        match is_host(host) {
            true => Ok(RegistryReference {
                host: host.to_owned(),
                repository: String::new(),
                target: Target::Tag("latest".to_owned()),
            }),
            false => Err(malformed(text)),
        }
    }
}

impl From<&ModelName> for RegistryReference {
    fn from(name: &ModelName) -> Self {
        let [host, namespace, model, tag] = name.parts();
        RegistryReference {
            host: host.to_owned(),
            repository: format!("{namespace}/{model}"),
            target: Target::Tag(tag.to_owned()),
        }
    }
}

impl FromStr for RegistryReference {
    type Err = Error;

    /// # Errors
    /// [`InvalidName`](ErrorKind::InvalidName) for a malformed reference,
    /// [`InvalidDigest`](ErrorKind::InvalidDigest) for a malformed digest at its end.
    fn from_str(text: &str) -> Result<Self> {
        let (named, digest) = match without_scheme(text)?.split_once('@') {
            Some((named, digest)) => (named, Some(digest.parse::<Digest>()?)),
            None => (without_scheme(text)?, None),
        };
        let (host, path) = match named.split_once('/') {
            Some((first, rest)) if looks_like_host(first) => (first, rest),
            _ => (DEFAULT_HOST, named),
        };
        let (path, tag) = match path.rsplit_once(':') {
            Some((path, tag)) => (path, tag),
            None => (path, "latest"),
        };
        let repository = match path.contains('/') || host != DEFAULT_HOST {
            true => path.to_owned(),
            false => format!("{DEFAULT_NAMESPACE}/{path}"),
        };
        if !(is_host(host) && is_repository(&repository) && is_tag(tag)) {
            return Err(malformed(text));
        }
        let target = digest.map_or_else(|| Target::Tag(tag.to_owned()), Target::Digest);
        Ok(RegistryReference {
            host: host.to_owned(),
            repository,
            target,
        })
    }
}

impl From<&RegistryReference> for RegistryReference {
    fn from(reference: &RegistryReference) -> Self {
        reference.clone()
    }
}

from_text!(RegistryReference: &str, RegistryReference: &String, RegistryReference: String);

impl Serialize for RegistryReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        match &self.target {
            Target::Tag(tag) => write!(f, ":{tag}"),
            Target::Digest(digest) => write!(f, "@{digest}"),
        }
    }
}

fn malformed(text: &str) -> Error {
    let text = format!("invalid reference {text:?}: it is REGISTRY/REPOSITORY[:TAG][@DIGEST]");
    Error::new(ErrorKind::InvalidName, text)
}

/// Which scheme serves a registry is no part of its name.
fn without_scheme(text: &str) -> Result<&str> {
    match text.split_once("://") {
        None => Ok(text),
        Some(("https", rest)) => Ok(rest),
        Some((scheme, rest)) => {
            let text = format!(
                "invalid reference {text:?}: leave out {scheme}://, and ask for plain HTTP with \
                 the option plain_http (--plain-http) of {rest}"
            );
            Err(Error::new(ErrorKind::InvalidName, text))
        }
    }
}

fn looks_like_host(part: &str) -> bool {
    part.contains(['.', ':']) || part.eq_ignore_ascii_case("localhost")
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) if name.parse::<IpAddr>().is_ok() => (name, port),
            _ => return false,
        },
        None => {
            let end = text.find(':').unwrap_or(text.len());
            text.split_at(end)
        }
    };
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let has_name = text.starts_with('[') || name.bytes().all(is_of_a_name);
    let has_port = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    !name.is_empty() && text.len() <= LONGEST_REPOSITORY && has_name && has_port
}

/// Wider than the specification, which has no capitals: those of Hugging Face have.
fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        let first = part.bytes().next();
        first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && part.bytes().all(is_of_a_tag)
    };
    text.len() <= LONGEST_REPOSITORY && text.split('/').all(is_part)
}

fn is_tag(text: &str) -> bool {
    let first = text.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.len() <= LONGEST_TAG
        && text.bytes().all(is_of_a_tag)
}

fn is_of_a_tag(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// Returns whether a host, with or without its port, is this machine by its name alone.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    let address: Option<IpAddr> = bare.parse().ok();
    bare.eq_ignore_ascii_case("localhost") || address.is_some_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_the_defaults_of_a_models_name() {
        let digest = Digest::of(b"x");
        for (text, host, repository, target) in [
            ("tiny", DEFAULT_HOST, "library/tiny", "latest"),
            ("llama3.2:1b", DEFAULT_HOST, "library/llama3.2", "1b"),
            ("team/tiny", DEFAULT_HOST, "team/tiny", "latest"),
            ("localhost/a/b:t", "localhost", "a/b", "t"),
            ("localhost:5000/a", "localhost:5000", "a", "latest"),
            ("[::1]:80/a/b/c/d:T", "[::1]:80", "a/b/c/d", "T"),
            ("h.x/_a/b:_t", "h.x", "_a/b", "_t"),
            (
                "https://hf.co/Team/It-GGUF:Q4_K",
                "hf.co",
                "Team/It-GGUF",
                "Q4_K",
            ),
            (
                &format!("h.x/a/b@{digest}"),
                "h.x",
                "a/b",
                &digest.to_string(),
            ),
            (
                &format!("h.x/a/b:t@{digest}"),
                "h.x",
                "a/b",
                &digest.to_string(),
            ),
        ] {
            let read: RegistryReference = text.parse().unwrap();
            assert_eq!(read.digest().is_some(), text.contains('@'), "{text}");
            assert_eq!(read.tag().is_some(), !text.contains('@'), "{text}");
            assert_eq!(
                (read.host(), read.repository(), read.target().as_str()),
                (host, repository, target),
                "{text}"
            );
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_reference() {
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "a/../b",
            "a/b:",
            "a:b:c/d",
            "u@h.x/a/b",
            "h.x/a?b",
            "h.x/a#b",
            "h.x:99999/a",
            "h.x:/a",
            "[::1/a",
            "[x]:1/a",
            "http://h.x/a",
            "ftp://h.x/a",
            "a b",
            "h.x/-a",
            "h.x/a%2fb",
            "a\0",
            "é/b",
            "h.x/a@sha256:00",
        ] {
            assert!(text.parse::<RegistryReference>().is_err(), "{text:?}");
        }
        let is_read = |text: &str| text.parse::<RegistryReference>().is_ok();
        for (start, end, most) in [("", ".x/a", 253), ("h.x/", ":t", 255), ("h.x/a:", "", 128)] {
            let long = |len: usize| format!("{start}{}{end}", "a".repeat(len));
            assert!(is_read(&long(most)), "{start} {most}");
            assert!(!is_read(&long(most + 1)), "{start} {most}");
        }
    }

    #[test]
    fn loopback_is_told_from_the_name_alone() {
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::1]",
            "[::1]:5",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.example",
            "128.0.0.1",
            "[::2]",
            "::1.x",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
