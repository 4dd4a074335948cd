//! What a look at a store found, and how it is told.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{ErrorKind, Result};
use crate::go::json;
use crate::name::ModelName;
use crate::store::locations::Location;
use crate::store::misnamed::Misnamed;
use crate::store::problem::Problem;

/// What a look at a store found.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// for issue in &store.doctor()? {
///     println!("{}: {}", issue.path.display(), issue.what);
/// }
/// assert_eq!(store.doctor()?.blobs, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
#[must_use = "what is wrong is in the diagnosis, not an error"]
pub struct Diagnosis {
    /// The places where a store may be, the opened one first.
    pub locations: Vec<Location>,
    /// What is wrong, by path.
    pub issues: Vec<Issue>,
    /// What is not wrong, and worth knowing: what can be reclaimed, aliases, unknown files that
    /// harm nobody.
    pub notes: Vec<Issue>,
    /// How many blobs the models use.
    pub blobs: usize,
    /// Those of them that an earlier verification noted as good in the cache, and nothing has
    /// touched since. Of the others nobody knows whether their bytes are right.
    pub verified: usize,
}

/// Something that is wrong.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// std::fs::remove_file(store.model("tiny")?.gguf_path()?)?;
/// let issue = &store.doctor()?.issues[0];
/// assert_eq!(issue.name, store.find("tiny")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Issue {
    /// The file.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The model, where the file is a model's.
    pub name: Option<ModelName>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Diagnosis {
    /// Returns whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.issues.is_empty()
    }

    /// Returns the result as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a path that is not UTF-8, which JSON
    /// cannot carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
    }

    pub(super) fn add(
        &mut self,
        path: &Path,
        name: Option<&ModelName>,
        what: String,
        advice: &str,
    ) {
        self.issues.push(Issue::new(path, name, what, advice));
    }

    pub(super) fn note(
        &mut self,
        path: &Path,
        name: Option<&ModelName>,
        what: String,
        advice: &str,
    ) {
        self.notes.push(Issue::new(path, name, what, advice));
    }
}

impl Diagnosis {
    /// An advice never destroys what a remount would bring back.
    pub(super) fn add_problem(&mut self, problem: &Problem) {
        let is_damaged = problem.error().kind() == ErrorKind::Corrupt;
        let advice = match (is_damaged, problem.name()) {
            (true, Some(_)) => {
                "delete the model, or pull or import it again: nothing of it is shown, and no blob \
                 is collected while it is there"
            }
            (true, None) => {
                "look at the file: no blob is collected while nobody knows what it uses"
            }
            (false, _) => {
                "mount the disk, or make it readable: no blob is collected meanwhile, and nothing \
                 is lost"
            }
        };
        let what = problem.error().to_string();
        self.add(problem.path(), problem.name(), what, advice);
    }

    /// Adds the problems of files of which nothing was said: those of a store that shares the blobs,
    /// and of manifests among them.
    pub(super) fn add_further_problems(&mut self, problems: &[Problem]) {
        let told: HashSet<PathBuf> = self.issues.iter().map(|it| it.path.clone()).collect();
        let untold = problems.iter().filter(|it| !told.contains(it.path()));
        untold.for_each(|problem| self.add_problem(problem));
    }
}

impl Diagnosis {
    pub(super) fn add_misnamed(&mut self, file: &Misnamed) {
        let digests: Vec<String> = file.digests.iter().map(ToString::to_string).collect();
        let digests = digests.join(" or ");
        let what = match file.is_named {
            true => format!("this is the missing blob {digests} under another name"),
            false => format!("this has the size of the missing blob {digests}"),
        };
        let advice = "`modelkeep repair` renames it if its bytes are the blob's";
        self.add(&file.path, None, what, advice);
    }

    /// Makes one issue of those of several models that say the same, as where a blob that they
    /// share is missing.
    pub(super) fn group(&mut self) {
        let mut firsts: HashMap<(String, String), usize> = HashMap::new();
        let mut grouped: Vec<(Issue, Vec<ModelName>)> = Vec::new();
        for issue in std::mem::take(&mut self.issues) {
            let key = (issue.what.clone(), issue.advice.clone());
            match (issue.name.clone(), firsts.get(&key)) {
                (Some(name), Some(first)) => grouped[*first].1.push(name),
                (name, _) => {
                    if name.is_some() {
                        firsts.insert(key, grouped.len());
                    }
                    grouped.push((issue, Vec::new()));
                }
            }
        }
        let grouped = grouped.into_iter().map(|(mut issue, others)| {
            if !others.is_empty() {
                let others: Vec<String> = others.iter().map(ToString::to_string).collect();
                issue.what = format!("{}; the same in {}", issue.what, others.join(", "));
            }
            issue
        });
        self.issues = grouped.collect();
    }
}

impl Issue {
    fn new(path: &Path, name: Option<&ModelName>, what: String, advice: &str) -> Self {
        Issue {
            path: path.to_owned(),
            name: name.cloned(),
            what,
            advice: advice.to_owned(),
        }
    }
}
