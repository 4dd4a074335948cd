//! What a caller calls a model: a name, perhaps with a word on where it is served.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};
use crate::name::ModelName;

/// A name as people type it to show or delete a model: white space around it is dropped, and a
/// last `:local` or `:cloud`, or an ending `-cloud`, may say where the model is to be served.
///
/// A stored model of exactly that name always wins over the suffix's meaning.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::Reference;
///
/// let reference: Reference = " llama3.2:local ".parse()?;
/// assert_eq!(reference.text(), " llama3.2:local ");
/// assert_eq!(store.resolve("tiny:local")?.tag(), "latest");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    text: String,
    name: Option<ModelName>,
    source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Source {
    Unstated,
    /// The name without the suffix, where that is one.
    Local(Option<ModelName>),
    Cloud,
    Both,
}

impl Reference {
    /// Returns the text as it was typed, white space included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the name with the suffix as a part of it, where the grammar admits that.
    pub fn name(&self) -> Option<&ModelName> {
        self.name.as_ref()
    }

    /// Returns the name that a local store looks for after the exact one: without `:local`.
    pub(crate) fn local(&self) -> Option<&ModelName> {
        match &self.source {
            Source::Local(base) => base.as_ref(),
            _ => None,
        }
    }

    /// Returns why nothing of this name can be found: the text is no name, says two things at once,
    /// or names a model that is not here.
    pub(crate) fn not_found(&self) -> Error {
        match (&self.source, &self.name) {
            (Source::Both, _) => Error::new(
                ErrorKind::InvalidName,
                format!(
                    "use either :local or :cloud, not both: {:?}",
                    self.text.trim()
                ),
            ),
            (Source::Local(Some(name)), _) | (Source::Unstated, Some(name)) => missing(name),
            (Source::Cloud, Some(name)) => missing(name),
            (Source::Cloud, None) => missing(&self.text.trim()),
            (Source::Unstated | Source::Local(None), _) => invalid(&self.text),
        }
    }
}

/// Returns the error of a name that is not stored, shown as `name`.
pub(crate) fn missing(name: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, format!("model '{name}' not found"))
}

fn invalid(text: &str) -> Error {
    Error::caused(
        ErrorKind::InvalidName,
        "invalid model name",
        format!("{text:?}"),
    )
}

/// Returns whether a text says of its model both that it is local and that it is not, or one twice.
pub(crate) fn says_both(text: &str) -> bool {
    split(text.trim()).is_some_and(|(base, _)| split(base.trim()).is_some())
}

impl From<ModelName> for Reference {
    fn from(name: ModelName) -> Self {
        Reference {
            text: name.to_string(),
            name: Some(name),
            source: Source::Unstated,
        }
    }
}

impl From<&ModelName> for Reference {
    fn from(name: &ModelName) -> Self {
        name.clone().into()
    }
}

impl From<&Reference> for Reference {
    fn from(reference: &Reference) -> Self {
        reference.clone()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Reference {
    type Err = Error;

    /// # Errors
    /// [`InvalidName`](ErrorKind::InvalidName) where no model can have the name.
    fn from_str(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(Error::new(ErrorKind::InvalidName, "model is required"));
        }
        let name = trimmed.parse().ok();
        let source = match split(trimmed) {
            None => Source::Unstated,
            Some(_) if says_both(trimmed) => Source::Both,
            Some((base, Served::Local)) => Source::Local(base.parse().ok()),
            Some((base, Served::Cloud)) => match base.parse::<ModelName>() {
                Ok(_) => Source::Cloud,
                Err(_) => Source::Unstated,
            },
        };
        let reference = Reference {
            text: text.to_owned(),
            name,
            source,
        };
        match (&reference.name, &reference.source) {
            (Some(_), _) | (None, Source::Cloud | Source::Local(Some(_))) => Ok(reference),
            _ => Err(reference.not_found()),
        }
    }
}

enum Served {
    Local,
    Cloud,
}

/// Takes the word on where it is served off the end of a name.
fn split(text: &str) -> Option<(&str, Served)> {
    let (base, tag) = text.rsplit_once(':')?;
    match tag.trim().to_lowercase().as_str() {
        "local" => Some((base, Served::Local)),
        "cloud" => Some((base, Served::Cloud)),
        tag if tag.ends_with("-cloud") && !tag.contains('/') => {
            Some((text.strip_suffix("-cloud").unwrap_or(base), Served::Cloud))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_is_a_part_of_the_name_and_a_word_on_where_it_is_served() {
        let reference: Reference = " foo:7b:local ".parse().unwrap();
        assert!(reference.name().is_none());
        assert_eq!(reference.local().unwrap().to_string(), "foo:7b");
        let reference: Reference = "foo:Local".parse().unwrap();
        assert_eq!(reference.name().unwrap().to_string(), "foo:Local");
        assert_eq!(reference.local().unwrap().to_string(), "foo:latest");
    }

    #[test]
    fn what_no_model_can_be_called_is_refused() {
        for text in [
            "",
            "  ",
            "a b",
            "foo:local:local",
            "foo:cloud:local",
            "../x:local",
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{text:?}");
        }
    }

    #[test]
    fn a_name_that_only_a_cloud_could_serve_is_not_found() {
        for text in ["foo:20b:cloud", "foo:20b-cloud", "foo:cloud"] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.not_found().kind(), ErrorKind::NotFound, "{text}");
        }
    }
}
