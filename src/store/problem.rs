//! What is wrong with a part of the store while the rest of it works.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::error::Error;
use crate::go::json::PathText;
use crate::name::ModelName;

/// A file or a model that a call had to pass over. Problems are values in a result, never a
/// reason to withhold it.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// std::fs::write(store.path().join("manifests/registry.ollama.ai/library/tiny/b"), "{")?;
/// let problem = &store.list()?.problems[0];
/// assert_eq!(problem.error().kind(), modelkeep::ErrorKind::Corrupt);
/// assert!(problem.to_string().starts_with("tiny:b: "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Problem {
    path: PathBuf,
    name: Option<ModelName>,
    error: Error,
}

impl Problem {
    pub(crate) fn new(path: &Path, name: Option<&ModelName>, error: Error) -> Self {
        Problem {
            path: path.to_owned(),
            name: name.cloned(),
            error,
        }
    }

    /// Returns the file or directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the model, where the path is a model's.
    pub fn name(&self) -> Option<&ModelName> {
        self.name.as_ref()
    }

    /// Returns what is wrong.
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}: {}", self.error),
            None => write!(f, "{}: {}", self.path.display(), self.error),
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Problem", 3)?;
        fields.serialize_field("path", &PathText(&self.path))?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("error", &self.error.to_string())?;
        fields.end()
    }
}
