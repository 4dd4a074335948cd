//! Several stores as one view: in which of them a call finds its model, and to which it writes.
//!
//! What is changed is changed in one store, by its own lock and its own rules: a view only says in
//! which. A call that does not say so refuses a view of several.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::system::user;
use crate::go::json;
use crate::name::{ModelName, Reference};
use crate::store::delete::{DeleteOptions, Deleted};
use crate::store::diagnosis::Diagnosis;
use crate::store::handle::Store;
use crate::store::link::{CheckedLink, LinkReport, LinkState};
use crate::store::list::{ListOptions, Listing};
use crate::store::names::folded;
use crate::store::usage::Usage;
use crate::store::which::Uses;

/// From which of several stores a model was deleted.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{Store, StoreOptions};
///
/// let other = directory.path().join("other");
/// std::fs::create_dir(&other)?;
/// let view = Store::open_with(StoreOptions::new(&other).further([store.path()]))?;
/// assert_eq!(view.delete("tiny")?.stores[0].store, store.path());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct DeletedFrom {
    /// The model.
    pub name: ModelName,
    /// The directory of its store.
    #[serde(serialize_with = "json::path")]
    pub store: PathBuf,
    /// The directory of the store whose model has that name now, where there is one.
    #[serde(serialize_with = "json::optional_path")]
    pub shown_from: Option<PathBuf>,
}

impl Store {
    /// Returns the stores that this is a view of, in the order in which they are looked into, each
    /// alone; of one store that itself.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{Store, StoreOptions};
    ///
    /// let other = directory.path().join("other");
    /// std::fs::create_dir(&other)?;
    /// let view = Store::open_with(StoreOptions::new(&other).further([store.path()]))?;
    /// let paths: Vec<_> = view.stores().iter().map(|store| store.path().to_owned()).collect();
    /// assert_eq!(paths, [&*other, store.path()]);
    /// assert_eq!(view.list()?.models[0].store.as_deref(), Some(store.path()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stores(&self) -> Vec<Store> {
        self.each_alone()
    }

    /// Returns what `find` finds in the first store where it finds something, and that store.
    fn first<T>(&self, find: impl Fn(&Store) -> Result<Option<T>>) -> Result<Option<(Store, T)>> {
        for store in self.stores() {
            // What cannot be looked at may be there, and would come first.
            if let Some(found) = find(&store)? {
                return Ok(Some((store, found)));
            }
        }
        Ok(None)
    }

    /// Returns the store in which a reference finds its model, or else the first, whose error says
    /// that it does not.
    pub(crate) fn holder(&self, reference: &Reference) -> Result<Store> {
        if !self.is_several() {
            return Ok(self.clone());
        }
        let found = self.first(|store| match store.look_up(reference) {
            Ok((name, _)) => Ok(Some(name)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })?;
        Ok(found.map_or_else(|| self.first_store(), |(store, _)| store))
    }

    /// As [`holder`](Self::holder), of a name as it is.
    pub(crate) fn holder_of(&self, name: &ModelName) -> Result<Store> {
        if !self.is_several() {
            return Ok(self.clone());
        }
        let found = self.first(|store| store.locate(name))?;
        Ok(found.map_or_else(|| self.first_store(), |(store, _)| store))
    }

    /// Returns the one store that holds all of these models.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) where they are in several.
    pub(crate) fn holder_of_all(&self, references: &[Reference]) -> Result<Store> {
        let mut holders = Vec::new();
        for reference in references {
            holders.push(self.holder(reference)?);
        }
        let Some(first) = holders.first() else {
            return Ok(self.first_store());
        };
        match holders.iter().find(|store| store.path() != first.path()) {
            None => Ok(first.clone()),
            Some(other) => {
                let text = format!(
                    "the models are in several stores, {} and {}: name those of one at a time",
                    first.path().display(),
                    other.path().display()
                );
                Err(Error::new(ErrorKind::InvalidArgument, text))
            }
        }
    }

    /// Returns whether anything may be written to the store, as far as its options and the rights to
    /// its directory tell.
    pub(crate) fn is_writable(&self) -> bool {
        !self.options().read_only && user::may_write(self.path())
    }

    /// Returns the first store that may be written to; where none may, the first, whose error says
    /// why.
    pub(crate) fn target(&self) -> Store {
        let found = self.stores().into_iter().find(Store::is_writable);
        found.unwrap_or_else(|| self.first_store())
    }

    /// Fails where a model that is written to `target` would not be seen, since a store before it has
    /// one of that name.
    pub(crate) fn must_show(&self, target: &Store, name: &ModelName) -> Result<()> {
        for store in self.stores() {
            if store.path() == target.path() {
                break;
            }
            if store.locate(name)?.is_some() {
                let text = format!(
                    "model '{name}' is in the store {}, which comes before {} and would hide a new \
                     one; choose another name",
                    store.path().display(),
                    target.path().display()
                );
                return Err(Error::new(ErrorKind::AlreadyExists, text));
            }
        }
        Ok(())
    }

    /// Fails for a view of several stores, of which it would not be certain which is meant.
    pub(crate) fn must_be_one(&self, doing: &str) -> Result<()> {
        if !self.is_several() {
            return Ok(());
        }
        let text =
            format!("{doing} takes one store, and this is a view of several: name one of them");
        Err(Error::new(ErrorKind::InvalidArgument, text))
    }

    /// Lists the models of all stores; of those of one name that of the first.
    pub(super) fn list_several(&self, options: &ListOptions) -> Result<Listing> {
        let mut all = Listing {
            models: Vec::new(),
            problems: Vec::new(),
        };
        let mut known = std::collections::HashSet::new();
        for store in self.stores() {
            let listing = store.list_with(options)?;
            let mut names = Vec::new();
            for mut line in listing.models {
                let name = folded(&line.name);
                if !known.contains(&name) {
                    line.store = Some(store.path().to_owned());
                    all.models.push(line);
                }
                names.push(name);
            }
            known.extend(names);
            all.problems.extend(listing.problems);
        }
        all.sort();
        Ok(all)
    }

    /// Returns the stores in which references find their models, each with its own.
    pub(super) fn by_holder(
        &self,
        references: Vec<Reference>,
    ) -> Result<Vec<(Store, Vec<Reference>)>> {
        let mut groups: Vec<(Store, Vec<Reference>)> = Vec::new();
        for reference in references {
            let store = self.holder(&reference)?;
            match groups.iter_mut().find(|(it, _)| it.path() == store.path()) {
                Some((_, group)) => group.push(reference),
                None => groups.push((store, vec![reference])),
            }
        }
        Ok(groups)
    }

    /// Deletes each model from the store in which it is found.
    pub(super) fn delete_several(
        &self,
        references: Vec<Reference>,
        options: &DeleteOptions,
    ) -> Result<Deleted> {
        let mut all = Deleted::default();
        for (store, group) in self.by_holder(references)? {
            let deleted = store.delete_with(group, options)?;
            for name in &deleted.models {
                all.stores.push(DeletedFrom {
                    name: name.clone(),
                    store: store.path().to_owned(),
                    shown_from: self.shown_beside(&store, name),
                });
            }
            all.add(deleted);
        }
        Ok(all)
    }

    /// Returns the first other store that has a model of a name.
    fn shown_beside(&self, store: &Store, name: &ModelName) -> Option<PathBuf> {
        let others = self.stores().into_iter();
        let mut others = others.filter(|other| other.path() != store.path());
        let found = others.find(|other| matches!(other.locate(name), Ok(Some(_))));
        found.map(|other| other.path().to_owned())
    }

    /// Measures all stores. A blob that two of them have counts for each.
    pub(super) fn usage_several(&self) -> Result<Usage> {
        let mut all = Usage::default();
        for store in self.stores() {
            let usage = store.usage()?;
            for mut model in usage.models {
                model.store = Some(store.path().to_owned());
                all.models.push(model);
            }
            all.used += usage.used;
            all.orphans.join(usage.orphans);
            all.partials.join(usage.partials);
            all.unknown.join(usage.unknown);
            all.staged.join(usage.staged);
            all.trash.join(usage.trash);
            all.quarantine.join(usage.quarantine);
            all.other.join(usage.other);
            all.total += usage.total;
            all.held_outside += usage.held_outside;
            all.problems.extend(usage.problems);
        }
        all.models.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    pub(super) fn doctor_several(&self) -> Result<Diagnosis> {
        let mut all = Diagnosis::default();
        for store in self.stores() {
            let found = store.doctor()?;
            for location in found.locations {
                match all.locations.iter_mut().find(|it| it.path == location.path) {
                    Some(known) if location.opened => *known = location,
                    Some(_) => {}
                    None => all.locations.push(location),
                }
            }
            all.issues.extend(found.issues);
            all.notes.extend(found.notes);
            all.blobs += found.blobs;
            all.verified += found.verified;
        }
        Ok(all)
    }

    pub(super) fn which_several(&self, what: &Path) -> Result<Uses> {
        let mut all = Uses::default();
        for store in self.stores() {
            let found = store.which(what)?;
            all.uses.extend(found.uses);
            all.problems.extend(found.problems);
        }
        Ok(all)
    }

    /// Checks the links of all stores. A path is foreign where no store knows it.
    pub(super) fn check_several(&self, paths: &[PathBuf]) -> Result<LinkReport> {
        let mut found: Vec<CheckedLink> = Vec::new();
        let mut failed = None;
        let mut is_looked_at = false;
        for store in self.stores() {
            match store.check_links(paths) {
                Ok(report) => {
                    is_looked_at = true;
                    found.extend(report.links);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed.filter(|_| !is_looked_at) {
            return Err(error);
        }
        // Of one path what a store knows comes before what it does not.
        let is_foreign = |link: &CheckedLink| link.state == LinkState::Foreign;
        found.sort_by(|a, b| (&a.path, is_foreign(a)).cmp(&(&b.path, is_foreign(b))));
        found.dedup_by(|next, kept| next.path == kept.path);
        Ok(LinkReport { links: found })
    }

    pub(super) fn forget_several(&self, paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
        let mut forgotten = Vec::new();
        for store in self.stores().iter().filter(|store| store.is_writable()) {
            forgotten.extend(store.forget_links(paths)?);
        }
        forgotten.sort();
        Ok(forgotten)
    }
}
