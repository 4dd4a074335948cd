//! From what a caller typed to what is stored.

use crate::error::Result;
use crate::name::ModelName;
use crate::reference::Reference;
use crate::store::Store;

impl Store {
    /// The stored spelling of a name: exactly it, or else the one that equals it but for the case
    /// of letters (the first of them in byte order), or else `None`.
    ///
    /// Costs one `stat` where the exact name is stored, and at most a directory read for each part
    /// of the name otherwise, however many models there are.
    pub fn find(&self, name: &ModelName) -> Option<ModelName> {
        if self.layout().manifest(name).symlink_metadata().is_ok() {
            return Some(name.clone());
        }
        self.layout().folded(name).into_iter().next()
    }

    /// The stored name that a reference means to show: the exact one, or the one without
    /// `:local`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), or
    /// [`InvalidName`](crate::ErrorKind::InvalidName) for a text that no model can have.
    pub fn resolve(&self, reference: &Reference) -> Result<ModelName> {
        self.look_up(reference).map(|(name, _)| name)
    }

    /// The stored name, and whether it was found only without `:local`.
    pub(crate) fn look_up(&self, reference: &Reference) -> Result<(ModelName, bool)> {
        let exact = reference
            .name()
            .and_then(|name| self.find(name))
            .map(|name| (name, false));
        let local = || Some((self.find(reference.local()?)?, true));
        exact.or_else(local).ok_or_else(|| reference.not_found())
    }

    /// The stored spelling, or the name as it is: where a new manifest goes.
    pub(crate) fn spelling(&self, name: &ModelName) -> ModelName {
        self.find(name).unwrap_or_else(|| name.clone())
    }
}
