//! Listing: a line for each model.

mod facts;
mod line;
mod memory;
mod reading;
mod summary;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::cmp::Ordering;

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};
use crate::go::json;
use crate::go::time::Timestamp;
use crate::name::ModelName;
use crate::store::handle::Store;
use crate::store::problem::Problem;

use line::{Line, Lines, mark_aliases};

pub(crate) use memory::KnownLine;
pub(crate) use reading::Reading;
pub use summary::{ListedDetails, Summary};

/// All models of a store, and what had to be left out.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let listing = store.list()?;
/// assert!(listing.problems.is_empty());
/// assert!(listing.to_json().starts_with(r#"{"models":[{"name":"tiny:latest""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Listing {
    /// The models, newest first, those of one nanosecond by name.
    pub models: Vec<Summary>,
    /// Why an entry is not among the models.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

impl Listing {
    pub(super) fn sort(&mut self) {
        let models = &mut self.models;
        models.sort_unstable_by(|one, other| newest_first(one.key(), other.key()));
    }

    /// Returns the body of `GET /api/tags`.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

/// A [`Listing`] as it is printed, of which no model was made yet.
#[derive(Serialize)]
struct Printed<'l> {
    #[serde(serialize_with = "one_by_one")]
    models: &'l [Line],
}

fn one_by_one<S: Serializer>(lines: &[Line], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(lines.iter().filter_map(Line::summary))
}

/// By what the lines of a list are ordered.
type Key<'l> = (Timestamp, Option<&'l ModelName>);

fn newest_first(one: Key<'_>, other: Key<'_>) -> Ordering {
    other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1))
}

/// What to look at for a list.
///
/// ```
/// use modelkeep::ListOptions;
///
/// assert_eq!(ListOptions::new(), ListOptions::new().check_blobs(false));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ListOptions {
    check_blobs: bool,
}

impl ListOptions {
    /// Returns the options of a plain list.
    pub fn new() -> Self {
        ListOptions::default()
    }

    /// Sets whether each model's blobs are looked at, so that an incomplete model is known as such;
    /// off by default. Costs a `stat` for each blob of which list reads nothing.
    #[must_use]
    pub fn check_blobs(mut self, check_blobs: bool) -> Self {
        self.check_blobs = check_blobs;
        self
    }
}

impl Store {
    /// Lists all models. Opens each manifest and each config, template and GGUF header once.
    ///
    /// An entry that cannot be read, or whose config or template cannot, is left out and named
    /// among the problems. Models with missing weights are listed.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// for model in store.list()? {
    ///     assert_eq!(model.name.to_string(), "tiny:latest");
    ///     assert_eq!(model.details.family, "llama");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](crate::ErrorKind::FileNotFound) where the store is gone, and where the
    /// process lacks the means to look at the manifests at all.
    pub fn list(&self) -> Result<Listing> {
        self.list_with(&ListOptions::default())
    }

    /// Lists all models, as [`list`](Self::list) does, and looks at more where that is asked for.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::ListOptions;
    ///
    /// let weights = store.model("tiny")?.gguf_path()?;
    /// std::fs::remove_file(weights)?;
    /// let listing = store.list_with(&ListOptions::new().check_blobs(true))?;
    /// assert_eq!(listing.models[0].incomplete.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn list_with(&self, options: &ListOptions) -> Result<Listing> {
        if self.is_several() {
            return self.list_several(options);
        }
        let (lines, problems) = self.lines(options)?;
        let models = lines.iter().filter_map(Line::summary).collect();
        Ok(Listing { models, problems })
    }

    /// Returns what [`Listing::to_json`] returns of [`list`](Self::list), and the problems. Of the models
    /// one at a time is made for it: that saves as much memory as a store of many models takes.
    pub(crate) fn list_json(&self) -> Result<(String, Vec<Problem>)> {
        if self.is_several() {
            let listing = self.list()?;
            return Ok((listing.to_json(), listing.problems));
        }
        let (lines, problems) = self.lines(&ListOptions::default())?;
        Ok((json::to_string(&Printed { models: &lines }), problems))
    }

    /// Returns the lines of a list, in their order, and why others are not among them.
    fn lines(&self, options: &ListOptions) -> Result<(Vec<Line>, Vec<Problem>)> {
        let making = Lines::new(self, options);
        let survey = self.survey(|met| making.of(met))?;
        let mut problems = Vec::new();
        if let Some(text) = self.emptiness() {
            let error = Error::new(ErrorKind::NotFound, text);
            problems.push(Problem::new(self.path(), None, error));
        }
        if let Err(error) = self.blobs_place() {
            let blobs = self.layout().blobs_directory();
            problems.push(Problem::new(&blobs, None, error));
        }
        problems.extend(survey.problems);
        let mut lines = Vec::with_capacity(survey.found.len());
        for found in survey.found {
            match found {
                Ok(line) => lines.push(line),
                Err(problem) => problems.push(*problem),
            }
        }
        mark_aliases(&mut lines);
        lines.sort_unstable_by(|one, other| newest_first(one.key(), other.key()));
        Ok((lines, problems))
    }
}
