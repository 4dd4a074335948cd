//! Model names: `[host/][namespace/]model[:tag]`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind};

pub(crate) const DEFAULT_HOST: &str = "registry.ollama.ai";
pub(crate) const DEFAULT_NAMESPACE: &str = "library";
const DEFAULT_TAG: &str = "latest";

/// A fully qualified model name. Whoever holds one holds a valid one: no part can be empty, start
/// with a dot or contain a path separator, so the four parts are safe as names of files.
///
/// Reads `[scheme://][host/][namespace/]model[:tag]`, fills in `registry.ollama.ai`, `library` and
/// `latest`, and prints the shortest form that reads back as the same name, always with the tag.
/// Case is kept. Two names that differ only in case are different names; see
/// [`eq_ignore_case`](Self::eq_ignore_case).
///
/// ```
/// use modelkeep::ModelName;
///
/// let name: ModelName = "llama3.2".parse()?;
/// assert_eq!(name.full(), "registry.ollama.ai/library/llama3.2:latest");
/// assert_eq!(name.to_string(), "llama3.2:latest");
/// assert!("../llama".parse::<ModelName>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ModelName {
    /// `host/namespace/model:tag`: one text takes less than four.
    full: Box<str>,
    /// Where the host, the namespace and the model end in it. No part is longer than some hundreds
    /// of bytes.
    ends: [u16; 3],
}

impl ModelName {
    /// Returns a name from its four parts, as they are on disk: nothing is filled in.
    ///
    /// ```
    /// use modelkeep::ModelName;
    ///
    /// let name = ModelName::from_parts("hf.co", "team", "model", "Q4");
    /// assert_eq!(name.map(|name| name.to_string()).as_deref(), Some("hf.co/team/model:Q4"));
    /// assert_eq!(ModelName::from_parts("hf.co", "team", "..", "Q4"), None);
    /// ```
    pub fn from_parts(host: &str, namespace: &str, model: &str, tag: &str) -> Option<Self> {
        let valid = Part::Host.admits(host)
            && Part::Namespace.admits(namespace)
            && Part::Model.admits(model)
            && Part::Tag.admits(tag);
        valid.then(|| {
            let mut full = String::with_capacity(
                host.len() + namespace.len() + model.len() + tag.len() + "//:".len(),
            );
            let mut ends = [0; 3];
            let parts = [(host, '/'), (namespace, '/'), (model, ':')];
            for ((part, separator), end) in parts.into_iter().zip(&mut ends) {
                full.push_str(part);
                *end = u16::try_from(full.len()).expect("no part is longer than 350 bytes");
                full.push(separator);
            }
            full.push_str(tag);
            ModelName {
                full: full.into_boxed_str(),
                ends,
            }
        })
    }

    /// Returns the text from just behind one separator to the next.
    fn part(&self, from: Option<u16>, to: Option<u16>) -> &str {
        let from = from.map_or(0, |end| usize::from(end) + 1);
        let to = to.map_or(self.full.len(), usize::from);
        self.full.get(from..to).unwrap_or_default()
    }

    /// Returns the registry's host, as in `registry.ollama.ai`; may hold a port.
    pub fn host(&self) -> &str {
        self.part(None, Some(self.ends[0]))
    }

    /// Returns the namespace within the host, as in `library`.
    pub fn namespace(&self) -> &str {
        self.part(Some(self.ends[0]), Some(self.ends[1]))
    }

    /// Returns the model within the namespace.
    pub fn model(&self) -> &str {
        self.part(Some(self.ends[1]), Some(self.ends[2]))
    }

    /// Returns the tag within the model, as in `latest`.
    pub fn tag(&self) -> &str {
        self.part(Some(self.ends[2]), None)
    }

    /// Returns the four parts from host to tag, which are also the names of the directories and the
    /// file of its manifest.
    ///
    /// ```
    /// use modelkeep::ModelName;
    ///
    /// let name: ModelName = "team/model".parse()?;
    /// assert_eq!(name.parts(), ["registry.ollama.ai", "team", "model", "latest"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parts(&self) -> [&str; 4] {
        [self.host(), self.namespace(), self.model(), self.tag()]
    }

    /// Returns whether the two names are equal but for the case of letters.
    pub fn eq_ignore_case(&self, other: &ModelName) -> bool {
        self.parts()
            .iter()
            .zip(other.parts())
            .all(|(a, b)| a.eq_ignore_ascii_case(b))
    }

    /// Returns all four parts, `host/namespace/model:tag`.
    pub fn full(&self) -> String {
        self.as_full().to_owned()
    }

    /// As [`full`](Self::full).
    pub(crate) fn as_full(&self) -> &str {
        &self.full
    }
}

impl PartialOrd for ModelName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By the parts, one after another.
impl Ord for ModelName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl FromStr for ModelName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidName,
                format!("invalid model name {text:?}"),
            )
        })
    }
}

impl From<&ModelName> for ModelName {
    fn from(name: &ModelName) -> Self {
        name.clone()
    }
}

fn parse(text: &str) -> Option<ModelName> {
    let (rest, tag) = match (text.rfind(':'), text.rfind('/')) {
        (Some(colon), slash) if slash.is_none_or(|slash| slash < colon) => cut(text, ':')?,
        _ => (text, ""),
    };
    let (rest, model) = if rest.contains('/') {
        cut(rest, '/')?
    } else {
        ("", rest)
    };
    let (rest, namespace) = if rest.contains('/') {
        cut(rest, '/')?
    } else {
        ("", rest)
    };
    let host = rest.split_once("://").map_or(rest, |(_scheme, host)| host);
    ModelName::from_parts(
        or_default(host, DEFAULT_HOST),
        or_default(namespace, DEFAULT_NAMESPACE),
        model,
        or_default(tag, DEFAULT_TAG),
    )
}

/// Splits at the last `separator`; a side without text makes the whole name invalid.
fn cut(text: &str, separator: char) -> Option<(&str, &str)> {
    text.rsplit_once(separator)
        .filter(|(left, right)| !left.is_empty() && !right.is_empty())
}

fn or_default<'a>(part: &'a str, default: &'a str) -> &'a str {
    if part.is_empty() { default } else { part }
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Host,
    Namespace,
    Model,
    Tag,
}

impl Part {
    fn admits(self, text: &str) -> bool {
        let longest = if self == Part::Host { 350 } else { 80 };
        let starts = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let goes_on = |byte: u8| match byte {
            b'-' => true,
            b'.' => self != Part::Namespace,
            b':' => self == Part::Host,
            _ => starts(byte),
        };
        text.len() <= longest
            && text.bytes().next().is_some_and(starts)
            && text.bytes().all(goes_on)
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if !self.host().eq_ignore_ascii_case(DEFAULT_HOST) {
            None
        } else if !self.namespace().eq_ignore_ascii_case(DEFAULT_NAMESPACE) {
            Some(self.ends[0])
        } else {
            Some(self.ends[1])
        };
        f.write_str(self.part(from, None))
    }
}

impl fmt::Debug for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

impl Serialize for ModelName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_fill_what_is_not_said() {
        let cases = [
            ("m", "registry.ollama.ai/library/m:latest", "m:latest"),
            ("m:7b", "registry.ollama.ai/library/m:7b", "m:7b"),
            ("ns/m", "registry.ollama.ai/ns/m:latest", "ns/m:latest"),
            (
                "localhost:5000/ns/m:t",
                "localhost:5000/ns/m:t",
                "localhost:5000/ns/m:t",
            ),
            ("http://h/ns/m", "h/ns/m:latest", "h/ns/m:latest"),
            (
                "http:///ns/m",
                "registry.ollama.ai/ns/m:latest",
                "ns/m:latest",
            ),
            (
                "REGISTRY.ollama.AI/Library/m",
                "REGISTRY.ollama.AI/Library/m:latest",
                "m:latest",
            ),
            (
                "a..b",
                "registry.ollama.ai/library/a..b:latest",
                "a..b:latest",
            ),
        ];
        for (text, full, shown) in cases {
            let name: ModelName = text.parse().unwrap();
            assert_eq!(
                (name.full().as_str(), name.to_string().as_str()),
                (full, shown)
            );
        }
    }

    #[test]
    fn names_that_could_leave_the_store_are_refused() {
        let long = "x".repeat(81);
        let cases = [
            "",
            ":",
            ":x",
            "a:",
            "/a",
            "a/",
            "a//b",
            "..",
            "../a",
            ".a",
            "a/../b",
            "a/b/c/d",
            "http://a",
            "a@sha256:00",
            "a b",
            "n.s/m",
            "\u{e9}",
            &long,
            "a\0",
            "-a",
            "a/b:c/d:e:f",
        ];
        for text in cases {
            assert!(text.parse::<ModelName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn folding_looks_at_all_four_parts() {
        let name = |text: &str| text.parse::<ModelName>().unwrap();
        assert!(name("Foo:Q4").eq_ignore_case(&name("foo:q4")));
        assert!(!name("foo:q4").eq_ignore_case(&name("ns/foo:q4")));
    }
}
