//! Go's `text/template`, as far as a store needs it: whether a template is valid, and what it asks
//! for.
//!
//! A template is read in one pass and never executed.

mod constant;
mod lexer;
mod outline;
mod parser;
mod pipeline;
mod stream;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeSet;
use std::fmt;

use crate::error::{Error, ErrorKind};

/// A valid template: its text, and what reading it once told.
///
/// ```
/// use modelkeep::Template;
///
/// let template = Template::parse("{{ if .Tools }}{{ .Tools }}{{ end }}{{ .Prompt }}")?;
/// assert!(template.uses("tools") && !template.uses("messages"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    text: String,
    variables: BTreeSet<String>,
    thinking_tags: Option<(String, String)>,
}

impl Template {
    /// The template of a model that brings none.
    pub const DEFAULT: &'static str = "{{ .Prompt }}";

    /// Reads a template, in time linear to its text.
    ///
    /// # Errors
    /// The first fault in the words of Go's parser; becomes
    /// [`InvalidTemplate`](ErrorKind::InvalidTemplate). Parentheses nest up to 256 deep.
    pub fn parse(text: impl Into<String>) -> Result<Self, TemplateError> {
        let text = text.into();
        let (outline, main) = parser::parse(&text)?;
        let (variables, thinking_tags) = (outline.variables(), outline.thinking_tags(main));
        Ok(Template {
            text,
            variables,
            thinking_tags,
        })
    }

    /// Returns the text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns every part of every field and variable that the template and those it defines
    /// mention, in lower case: `.Messages`, `$m.Role` give `messages`, `$m`, `role`.
    ///
    /// Names inside an expression that a field follows, as in `(index .M 0).Role`, are not seen.
    pub fn variables(&self) -> &BTreeSet<String> {
        &self.variables
    }

    /// Returns whether the template mentions `name`, in lower case.
    pub fn uses(&self, name: &str) -> bool {
        self.variables.contains(name)
    }

    /// Returns the texts that enclose a message's `.Thinking`, such as `<think>` and `</think>`.
    pub fn thinking_tags(&self) -> Option<(&str, &str)> {
        self.thinking_tags
            .as_ref()
            .map(|(opening, closing)| (opening.as_str(), closing.as_str()))
    }
}

impl Default for Template {
    fn default() -> Self {
        Template {
            text: Self::DEFAULT.to_owned(),
            variables: BTreeSet::from(["prompt".to_owned()]),
            thinking_tags: None,
        }
    }
}

/// Why a text is not a template. Its text reads `template: :LINE: MESSAGE`.
///
/// ```
/// use modelkeep::Template;
///
/// let error = Template::parse("a\n{{ if }}").expect_err("a condition is missing");
/// assert_eq!(error.line(), Some(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TemplateError {
    line: Option<usize>,
    fault: String,
}

impl TemplateError {
    fn at(line: usize, fault: String) -> Self {
        TemplateError {
            line: Some(line),
            fault,
        }
    }

    fn anywhere(fault: &str) -> Self {
        TemplateError {
            line: None,
            fault: fault.to_owned(),
        }
    }

    /// Returns the line, from one, up to which the text had been read; a call without an argument
    /// has none.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "template: :{line}: {}", self.fault),
            None => f.write_str(&self.fault),
        }
    }
}

impl std::error::Error for TemplateError {}

impl From<TemplateError> for Error {
    fn from(error: TemplateError) -> Self {
        Error::new(ErrorKind::InvalidTemplate, error.to_string())
    }
}
