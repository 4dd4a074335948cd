//! The names alone, where nothing else of a model is wanted.

use std::collections::HashSet;

use crate::error::Result;
use crate::name::ModelName;
use crate::store::handle::Store;
use crate::store::problem::Problem;
use crate::store::survey;

/// The names in a store, and what may hide others.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let names = store.names()?;
/// assert_eq!((names.names[0].tag(), names.problems.len()), ("latest", 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Names {
    /// The names, in byte order of host, namespace, model and tag.
    pub names: Vec<ModelName>,
    /// What cannot be looked into.
    pub problems: Vec<Problem>,
}

impl Store {
    /// Returns the names under which something is stored. Walks the directories of the manifests and
    /// opens no file, so that a name may be among them whose manifest does not decode; a
    /// [`list`](Self::list) reads each. Of several stores those that the view shows.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let names: Vec<String> = store.names()?.into_iter().map(|name| name.to_string()).collect();
    /// assert_eq!(names, ["tiny:latest"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn names(&self) -> Result<Names> {
        let mut all = Names {
            names: Vec::new(),
            problems: Vec::new(),
        };
        for store in self.stores() {
            let Names { names, problems } = store.own_names()?;
            let hidden: HashSet<String> = all.names.iter().map(folded).collect();
            let seen = names.into_iter();
            all.names
                .extend(seen.filter(|name| !hidden.contains(&folded(name))));
            all.problems.extend(problems);
        }
        all.names.sort();
        Ok(all)
    }

    /// Returns the names in one store, in no order.
    fn own_names(&self) -> Result<Names> {
        let walk = self.layout().walk();
        if walk.is_missing {
            self.must_exist()?;
        }
        let blocked = walk.obstacles.blocked.into_iter();
        let problems = blocked.map(|(path, error)| survey::blocked(&path, error));
        let names = walk.files.into_iter().filter_map(|file| file.name);
        Ok(Names {
            names: names.collect(),
            problems: problems.collect::<Result<_>>()?,
        })
    }
}

/// Returns what two names have in common that are one where their case is of no account.
pub(super) fn folded(name: &ModelName) -> String {
    name.full().to_ascii_lowercase()
}
