//! The places where models may be, and what is there.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::error::{self, Error, ErrorKind, Result};
use crate::fs::access;
use crate::fs::layout::Layout;
use crate::fs::places::Places;
use crate::fs::read;
use crate::go::json;
use crate::store::handle::Store;
use crate::store::options::StoreOptions;

/// A place where a store may be.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let locations = store.doctor()?.locations;
/// assert_eq!((locations[0].opened, locations[0].manifests), (true, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Location {
    /// The directory.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// Whether it exists.
    pub exists: bool,
    /// How many manifests are in it.
    pub manifests: usize,
    /// Whether it is the store that was opened.
    pub opened: bool,
    /// What is there.
    pub state: LocationState,
    /// Why no models can be seen there, and what to do, in words; empty where some can.
    pub what: String,
}

/// What is in a place.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::LocationState;
///
/// assert_eq!(store.doctor()?.locations[0].state, LocationState::Store);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocationState {
    /// A store: a directory with `manifests` or `blobs`.
    Store,
    /// A file, or a directory with neither `manifests` nor `blobs`.
    NoStore,
    /// Nothing.
    Missing,
    /// A link, or a path through one, that leads nowhere.
    Dangling,
    /// A directory that this user may not look into.
    Closed,
}

impl LocationState {
    /// Every state.
    pub const ALL: &'static [LocationState] = &[
        LocationState::Store,
        LocationState::NoStore,
        LocationState::Missing,
        LocationState::Dangling,
        LocationState::Closed,
    ];

    /// Returns the word for it: `store`, `no_store`, `missing`, `dangling` or `closed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            LocationState::Store => "store",
            LocationState::NoStore => "no_store",
            LocationState::Missing => "missing",
            LocationState::Dangling => "dangling",
            LocationState::Closed => "closed",
        }
    }
}

impl std::fmt::Display for LocationState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for LocationState {
    type Err = Error;

    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other word.
    fn from_str(word: &str) -> Result<Self> {
        error::one_of("state of a location", LocationState::ALL, word)
    }
}

impl Serialize for LocationState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a directory that is no store lacks.
const NO_STORE: &str = "holds neither manifests nor blobs";

impl StoreOptions {
    /// Returns the places where models may be, whether or not they are there: the store of these
    /// options and of the environment, of this user, of the service, of a running server, and of
    /// packages and containers. Walks over the manifests of each.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::StoreOptions;
    ///
    /// let first = &StoreOptions::new(store.path()).locations()[0];
    /// assert_eq!(first.path, store.path());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn locations(&self) -> Vec<Location> {
        self.locations_counting(None)
    }

    /// As [`locations`](Self::locations); how many manifests the store of these options has may be
    /// known.
    pub(crate) fn locations_counting(&self, own_manifests: Option<usize>) -> Vec<Location> {
        let places = Places::of_this_system(self.home.clone());
        let own = [self.path.clone(), StoreOptions::from_env().path];
        let known = own.into_iter().flatten().chain(places.known());
        let known = known.map(|path| (path, true));
        let likely = places.likely().into_iter().map(|path| (path, false));
        let (mut locations, mut seen) = (Vec::new(), HashSet::new());
        for (path, is_known) in known.chain(likely) {
            let (mut root, identity) = Location::at(path);
            let is_worth_telling = match root.state {
                LocationState::Store => true,
                LocationState::Closed => is_known || !root.is_home_of_root(),
                _ => is_known,
            };
            if is_worth_telling && seen.insert(identity) {
                let is_own = self.path.as_ref() == Some(&root.path);
                root.count(own_manifests.filter(|_| is_own));
                locations.push(root);
            }
        }
        if let (Some(first), Some(_)) = (locations.first_mut(), &self.path) {
            first.opened = first.exists && first.state != LocationState::Closed;
        }
        locations
    }

    /// Returns the error of a store that does not exist; it names what is in other places.
    pub(crate) fn no_store(&self, path: &Path) -> Error {
        let locations = self.locations();
        let own = locations.iter().find(|root| root.path == path);
        let what = match own {
            Some(root) if root.state == LocationState::Dangling => root.what.as_str(),
            _ => "no such directory",
        };
        let others = locations
            .iter()
            .filter(|root| root.path != path && root.state != LocationState::Missing);
        let others: Vec<String> = others.map(Location::in_words).collect();
        let hint = match others.as_slice() {
            [] => String::new(),
            found => format!("; found instead: {}", found.join(", ")),
        };
        let text = format!("opening store {}: {what}{hint}", path.display());
        Error::new(ErrorKind::FileNotFound, text).at(path)
    }
}

impl Store {
    /// Returns why a store without models may be the wrong directory: it holds neither `manifests`
    /// nor `blobs`. Names the places where models are. The subject, the directory, is left out.
    pub(crate) fn emptiness(&self) -> Option<String> {
        let root = self.path();
        if is_store(root) {
            return None;
        }
        let others = self.options().locations().into_iter();
        let others = others.filter(|other| other.path != root && other.has_models());
        let others: Vec<String> = others.map(|other| other.in_words()).collect();
        let hint = match others.as_slice() {
            [] => String::new(),
            found => format!("; found elsewhere: {}", found.join(", ")),
        };
        Some(format!("{NO_STORE}{hint}"))
    }
}

/// What two paths of one place have in common.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    /// The real path, or the path itself where there is none.
    Path(PathBuf),
    /// The directory that is closed: what is in it cannot be told apart.
    Closed(PathBuf),
}

impl Location {
    fn at(path: PathBuf) -> (Self, Identity) {
        let (state, what) = look(&path);
        let identity = match access::closed_directory(&path) {
            Some(closed) if state == LocationState::Closed => Identity::Closed(closed),
            _ => Identity::Path(path.canonicalize().unwrap_or_else(|_| path.clone())),
        };
        let root = Location {
            exists: matches!(
                state,
                LocationState::Store | LocationState::NoStore | LocationState::Closed
            ),
            manifests: 0,
            opened: false,
            state,
            what,
            path,
        };
        (root, identity)
    }

    /// Counts the manifests of a store, which takes a walk over them where it is not known.
    fn count(&mut self, known: Option<usize>) {
        if self.state == LocationState::Store {
            let walked = || Layout::new(self.path.clone()).count_manifests();
            self.manifests = known.unwrap_or_else(walked);
        }
    }

    /// Returns whether models are there, or may be.
    fn has_models(&self) -> bool {
        self.manifests > 0 || self.state == LocationState::Closed
    }

    /// Returns whether it is in the home of the superuser, which is closed on every system and says
    /// nothing.
    fn is_home_of_root(&self) -> bool {
        self.path.starts_with("/root")
    }

    fn in_words(&self) -> String {
        let path = self.path.display();
        match (self.state, self.manifests) {
            (LocationState::Store, 1) => format!("{path} (1 model)"),
            (LocationState::Store, models) => format!("{path} ({models} models)"),
            _ => format!("{path} ({})", self.what),
        }
    }
}

/// Returns what is at a path, and in words why no models can be seen there.
fn look(path: &Path) -> (LocationState, String) {
    match path.metadata().and_then(|_| fs::read_dir(path)) {
        Ok(_) if is_store(path) => (LocationState::Store, String::new()),
        Ok(_) => (LocationState::NoStore, NO_STORE.to_owned()),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            (LocationState::Closed, access::advice(path))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => match broken_link(path) {
            Some(what) => (LocationState::Dangling, what),
            None => (LocationState::Missing, "does not exist".to_owned()),
        },
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            (LocationState::NoStore, "not a directory".to_owned())
        }
        Err(e) => (LocationState::Closed, e.to_string()),
    }
}

/// Returns whether a directory holds `manifests` or `blobs`, or does not let itself be asked.
fn is_store(root: &Path) -> bool {
    let layout = Layout::new(root.to_owned());
    let directories = [layout.manifests_directory(), layout.blobs_directory()];
    directories.iter().any(|path| !read::is_gone(path))
}

/// Returns which link on the way to a path leads nowhere, and where it should lead.
fn broken_link(path: &Path) -> Option<String> {
    let link = path
        .ancestors()
        .find(|path| path.is_symlink() && !path.exists())?;
    let target = link.read_link().ok()?;
    let subject = match link == path {
        true => String::new(),
        false => format!("{} is ", link.display()),
    };
    let target = target.display();
    Some(format!("{subject}a link to {target}, which is not there"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
