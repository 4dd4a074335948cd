//! Whether links still show what their models hold.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::layout::{BlobName, sorted_entries};
use crate::fs::system::stat::{FileId, Kind, Stat};
use crate::fs::{link_place, read};
use crate::go::json;
use crate::name::{Digest, ModelName};
use crate::store::handle::Store;

use super::record::{Entry, Mark, Record};
use super::{LinkLayout, LinkMode, LinkState, record};

/// What a check of links found.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{LinkOptions, LinkState};
///
/// store.link("tiny", directory.path().join("links"), &LinkOptions::new())?;
/// let report = store.check_links::<&str>([])?;
/// assert!(report.is_ok() && report.links[0].state == LinkState::Current);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
#[must_use = "what is wrong is in the report, not an error"]
pub struct LinkReport {
    /// The links, by path.
    pub links: Vec<CheckedLink>,
}

/// A link, and what it shows now.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{LinkOptions, LinkState};
///
/// let linked = store.link("tiny", directory.path().join("links"), &LinkOptions::new())?;
/// std::fs::remove_file(&linked.links[0].path)?;
/// let link = &store.check_links([directory.path()])?.links[0];
/// assert_eq!(link.state, LinkState::Missing);
/// println!("{}: {}; {}", link.path.display(), link.what, link.advice);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct CheckedLink {
    /// Where it is.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The model, where it is known.
    pub name: Option<ModelName>,
    /// The blob that it shows, or showed when it was made, where it is known.
    pub digest: Option<Digest>,
    /// How it shows it, where it is known.
    pub mode: Option<LinkMode>,
    /// What it shows now.
    pub state: LinkState,
    /// The same in words.
    pub what: String,
    /// What to do; empty where nothing needs to be done.
    pub advice: String,
}

impl LinkReport {
    /// Returns whether every link shows what its model holds.
    pub fn is_ok(&self) -> bool {
        self.links.iter().all(CheckedLink::is_ok)
    }

    /// Returns the result as JSON.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for a path that is not UTF-8, which JSON cannot carry.
    pub fn to_json(&self) -> Result<String> {
        json::try_to_string(self)
    }
}

impl CheckedLink {
    /// Returns whether it shows what its model holds.
    pub fn is_ok(&self) -> bool {
        self.state == LinkState::Current
    }
}

/// How deep below a directory links are looked for that the store does not remember: as deep as LM
/// Studio has its files.
const DEPTH: usize = 3;

impl Store {
    /// Looks whether links still show what their models hold now, by the inode: those that the store
    /// remembers, or else those at these paths and below these directories. Of those it does not
    /// remember it knows the symbolic links to its blobs and the hard links of them. Opens no link,
    /// reads the manifests of their models, and changes nothing.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{LinkMode, LinkOptions, LinkState};
    ///
    /// let file = directory.path().join("links/x.gguf");
    /// store.link("tiny", &file, &LinkOptions::new().mode(LinkMode::Symlink))?;
    /// store.delete("tiny")?;
    /// let report = store.check_links([&file])?;
    /// assert_eq!(report.links[0].state, LinkState::Dangling);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) for a path at which nothing is and of which nothing
    /// is remembered.
    pub fn check_links<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<LinkReport> {
        let paths: Vec<PathBuf> = paths.into_iter().map(|it| it.as_ref().to_owned()).collect();
        if self.is_several() {
            return self.check_several(&paths);
        }
        self.must_exist()?;
        let mut check = Check::of(self);
        for path in &paths {
            check.path(path)?;
        }
        if paths.is_empty() {
            check.remembered(|_| true);
        }
        let links = check.found.into_values().collect();
        Ok(LinkReport { links })
    }

    /// Forgets links at these paths and below these directories; the files stay. Returns the paths of
    /// those that the store remembered.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::LinkOptions;
    ///
    /// let linked = store.link("tiny", directory.path().join("links"), &LinkOptions::new())?;
    /// assert_eq!(store.forget_links([directory.path()])?, [linked.links[0].path.clone()]);
    /// assert!(store.check_links::<&str>([])?.links.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where the store cannot be written to.
    pub fn forget_links<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Vec<PathBuf>> {
        let paths: Result<Vec<PathBuf>> = paths
            .into_iter()
            .map(|path| absolute(path.as_ref()))
            .collect();
        let paths = paths?;
        if self.is_several() {
            return self.forget_several(&paths);
        }
        record::forget(self, |link| paths.iter().any(|path| link.starts_with(path)))
    }

    /// Returns what is wrong with the links that the store remembers.
    pub(crate) fn broken_links(&self) -> Vec<CheckedLink> {
        let mut check = Check::of(self);
        check.remembered(|_| true);
        let links = check.found.into_values();
        links.filter(|link| !link.is_ok()).collect()
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| Error::io("looking at", path, e))
}

/// What the blobs of a model are now: of one that is not stored `None`.
type Held = Option<Vec<Digest>>;

/// A check under way, and what it has looked up so far.
struct Check<'s> {
    store: &'s Store,
    record: Record,
    found: BTreeMap<PathBuf, CheckedLink>,
    models: HashMap<ModelName, std::result::Result<Held, String>>,
    /// Which model uses a blob: the first that a survey finds.
    users: Option<HashMap<Digest, ModelName>>,
    /// Which blob a file is.
    blobs: Option<HashMap<FileId, Digest>>,
}

impl<'s> Check<'s> {
    fn of(store: &'s Store) -> Self {
        Check {
            store,
            record: Record::load(store.layout()),
            found: BTreeMap::new(),
            models: HashMap::new(),
            users: None,
            blobs: None,
        }
    }

    fn path(&mut self, path: &Path) -> Result<()> {
        let path = absolute(path)?;
        if self.remembered(|link| link == path) > 0 {
            return Ok(());
        }
        let below = self.remembered(|link| link.starts_with(&path));
        match Stat::of_entry(&path) {
            Ok(_) if path.is_dir() => self.directory(&path, DEPTH),
            Ok(stat) => {
                let link = self.unknown(&path, &stat)?;
                let link = link.unwrap_or_else(|| foreign(&path));
                self.found.insert(path, link);
            }
            Err(e) if below == 0 => return Err(Error::io("looking at", &path, e)),
            Err(_) => {}
        }
        Ok(())
    }

    /// Looks at the links that are remembered and meant; returns how many those are.
    fn remembered(&mut self, is_meant: impl Fn(&Path) -> bool) -> usize {
        let links = self.record.links.iter();
        let links: Vec<(PathBuf, Entry)> = links
            .filter(|(path, _)| is_meant(path))
            .map(|(path, entry)| (path.clone(), entry.clone()))
            .collect();
        let count = links.len();
        for (path, entry) in links {
            let link = self.known(&path, &entry);
            self.found.insert(path, link);
        }
        count
    }

    /// Looks for links that nobody remembers. What cannot be read has none that can be found.
    fn directory(&mut self, directory: &Path, depth: usize) {
        for (name, kind) in sorted_entries(directory).unwrap_or_default() {
            let path = self.store.layout().inside(directory, name);
            if kind == Kind::Directory && depth > 1 {
                self.directory(&path, depth - 1);
            } else if kind != Kind::Directory && !self.found.contains_key(&path) {
                let stat = Stat::of_entry(&path).ok();
                let link = stat.and_then(|stat| self.unknown(&path, &stat).ok()?);
                self.found.extend(link.map(|link| (path, link)));
            }
        }
    }

    fn known(&mut self, path: &Path, entry: &Entry) -> CheckedLink {
        let shown = Shown::at(self.store, path, entry);
        let (state, what) = match self.held(&entry.name) {
            Err(what) => (LinkState::Unreadable, what.clone()),
            Ok(held) => shown.state(entry, held),
        };
        let advice = advice(path, entry, state, shown.needs_force(&self.record, path));
        CheckedLink {
            path: path.to_owned(),
            name: Some(entry.name.clone()),
            digest: Some(entry.mark.digest),
            mode: Some(entry.mark.mode),
            state,
            what,
            advice,
        }
    }

    /// Returns which blobs a model has now.
    fn held(&mut self, name: &ModelName) -> &std::result::Result<Held, String> {
        let store = self.store;
        let look = || match store.model(name.clone()) {
            Ok(model) => Ok(Some(model.manifest().digests())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        self.models.entry(name.clone()).or_insert_with(look)
    }

    /// Looks at a file that nobody remembers; `None` where it is no link of this store.
    fn unknown(&mut self, path: &Path, stat: &Stat) -> Result<Option<CheckedLink>> {
        let (digest, mode) = if stat.is_symlink() {
            (
                link_place::blob_of_link(self.store.layout(), path),
                LinkMode::Symlink,
            )
        } else if stat.is_file() && stat.links() > 1 {
            (self.blob_of(stat)?, LinkMode::HardLink)
        } else {
            return Ok(None);
        };
        let Some(digest) = digest else {
            return Ok(None);
        };
        let name = self.user_of(&digest)?;
        let is_there = self.store.has_blob(&digest);
        let (state, what, advice) = match &name {
            _ if !is_there => (
                LinkState::Dangling,
                "leads nowhere: the blob is gone".to_owned(),
                "remove it, or link the model there again".to_owned(),
            ),
            Some(name) => (LinkState::Current, format!("shows {name}"), String::new()),
            None => (
                LinkState::Orphaned,
                "shows a blob that no model uses".to_owned(),
                "remove it, or link the model there again".to_owned(),
            ),
        };
        Ok(Some(CheckedLink {
            path: path.to_owned(),
            name,
            digest: Some(digest),
            mode: Some(mode),
            state,
            what,
            advice,
        }))
    }

    fn user_of(&mut self, digest: &Digest) -> Result<Option<ModelName>> {
        if self.users.is_none() {
            let survey = self.store.survey(|met| {
                let name = met.facts.name().cloned();
                Ok(name.map(|name| (name, met.facts.digests())))
            })?;
            let mut users: HashMap<Digest, ModelName> = HashMap::new();
            for (name, digests) in survey.found {
                for digest in digests {
                    users.entry(digest).or_insert_with(|| name.clone());
                }
            }
            self.users = Some(users);
        }
        let users = self.users.as_ref();
        Ok(users.and_then(|users| users.get(digest)).cloned())
    }

    fn blob_of(&mut self, stat: &Stat) -> Result<Option<Digest>> {
        if self.blobs.is_none() {
            let directory = self.store.layout().blobs_directory();
            let files = self.store.layout().blobs();
            let files = files.map_err(|e| Error::io("reading directory", &directory, e))?;
            let ids = files.into_iter().filter_map(|file| match file.name {
                BlobName::Digest(digest) => Some((
                    Stat::at(&self.store.layout().blob_file(&file)).ok()?.id()?,
                    digest,
                )),
                _ => None,
            });
            self.blobs = Some(ids.collect());
        }
        let blobs = self.blobs.as_ref().zip(stat.id());
        Ok(blobs.and_then(|(blobs, id)| blobs.get(&id)).copied())
    }
}

/// What a remembered link shows.
enum Shown {
    /// The file that a store has for a digest now.
    Blob(Digest),
    /// The bytes of the time at which it was made. The store has another file for them now, or none.
    Old,
    /// These bytes in a file of its own.
    Clone(Digest),
    Nothing(LinkState, String),
}

impl Shown {
    fn at(store: &Store, path: &Path, entry: &Entry) -> Self {
        let stat = match Stat::of_entry(path) {
            Ok(stat) => stat,
            Err(e) if read::is_absence(&e) => {
                return Shown::Nothing(LinkState::Missing, "is not there".to_owned());
            }
            Err(e) => {
                let what = Error::io("looking at", path, e).to_string();
                return Shown::Nothing(LinkState::Unreadable, what);
            }
        };
        if stat.is_symlink() {
            return Shown::behind(store, path);
        }
        let id = |path: &Path| Stat::at(path).ok().and_then(|stat| stat.id());
        let is_blob =
            |mark: &Mark| stat.id().is_some() && stat.id() == id(&store.blob_path(&mark.digest));
        if let Some(mark) = entry.marks().find(|mark| is_blob(mark)) {
            return Shown::Blob(mark.digest);
        }
        match entry.found(store, path, &stat) {
            Some(mark) if mark.mode == LinkMode::Reflink => Shown::Clone(mark.digest),
            Some(_) => Shown::Old,
            None => Shown::changed(),
        }
    }

    fn behind(store: &Store, path: &Path) -> Self {
        if let Err(e) = Stat::at(path) {
            let e = read::dangling(path, e);
            return Shown::Nothing(LinkState::Dangling, format!("leads nowhere: {e}"));
        }
        match link_place::blob_of_link(store.layout(), path) {
            Some(digest) => Shown::Blob(digest),
            None => Shown::changed(),
        }
    }

    fn changed() -> Self {
        let what = "was written to, or replaced, by another program";
        Shown::Nothing(LinkState::Changed, what.to_owned())
    }

    /// Returns the state of a link, beside what its model holds.
    fn state(&self, entry: &Entry, held: &Held) -> (LinkState, String) {
        let name = &entry.name;
        let is_held = |digest: &Digest| held.as_ref().is_some_and(|held| held.contains(digest));
        match self {
            Shown::Nothing(state, what) => (*state, what.clone()),
            Shown::Blob(digest) | Shown::Clone(digest) if is_held(digest) => {
                (LinkState::Current, format!("shows {name}"))
            }
            _ if held.is_none() => {
                let what = format!("shows what {name} held, which is not stored any more");
                (LinkState::Orphaned, what)
            }
            _ => {
                let what = format!("shows what {name} held before, and not what it holds now");
                (LinkState::Outdated, what)
            }
        }
    }

    /// Returns whether only `--force` replaces what is there.
    fn needs_force(&self, record: &Record, path: &Path) -> bool {
        match self {
            Shown::Nothing(LinkState::Changed, _) => true,
            Shown::Nothing(..) => false,
            _ => record.trusted(path).is_none(),
        }
    }
}

fn foreign(path: &Path) -> CheckedLink {
    CheckedLink {
        path: path.to_owned(),
        name: None,
        digest: None,
        mode: None,
        state: LinkState::Foreign,
        what: "no link that this store knows".to_owned(),
        advice: String::new(),
    }
}

/// Returns what to do about a link, as commands where there are any.
fn advice(path: &Path, entry: &Entry, state: LinkState, needs_force: bool) -> String {
    let again = again(entry, needs_force);
    let remove = format!("remove it, and `modelkeep link --forget {}`", word(path));
    match state {
        LinkState::Current | LinkState::Foreign => String::new(),
        LinkState::Outdated | LinkState::Dangling => format!("`{again}` links it again"),
        LinkState::Changed => format!("move it away if it is yours; `{again}` replaces it"),
        LinkState::Missing => {
            format!(
                "`{again}` links it again, `modelkeep link --forget {}` forgets it",
                word(path)
            )
        }
        LinkState::Orphaned => format!("pull or import {} again; or {remove}", entry.name),
        LinkState::Unreadable => "make it readable, or mount its disk".to_owned(),
    }
}

/// Returns the command that makes a link again.
fn again(entry: &Entry, needs_force: bool) -> String {
    let mut command = format!("modelkeep link {} {}", entry.name, word(&entry.to));
    if entry.layout != LinkLayout::default() {
        command.push_str(&format!(" --layout {}", entry.layout));
    }
    if entry.asked != LinkMode::default() {
        command.push_str(&format!(" --mode {}", entry.asked));
    }
    if needs_force {
        command.push_str(" --force");
    }
    command
}

/// Returns a path as a shell takes it for one word.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/\\:._-+=~@,%".contains(c);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
