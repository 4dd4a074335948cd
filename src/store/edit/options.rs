//! How an edit writes.

use crate::fs::durability::Durability;

/// How an edit writes its file.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::gguf::Editor;
/// use modelkeep::{Durability, EditOptions};
///
/// let file = directory.path().join("tiny.gguf");
/// let options = EditOptions::new().replace(true).durability(Durability::None);
/// let edited = Editor::new().remove("general.name").edit_file(&file, &file, &options)?;
/// assert!(edited.replaced);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EditOptions {
    pub(in crate::store) replace: bool,
    pub(super) durability: Durability,
    pub(in crate::store) padding: bool,
}

impl EditOptions {
    /// Returns the options of an edit that replaces nothing and survives a power cut.
    pub fn new() -> Self {
        EditOptions {
            replace: false,
            durability: Durability::Full,
            padding: true,
        }
    }

    /// Sets whether a file, or a model, of that name is replaced; otherwise it is an error.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Sets how much the new file has to survive. A model has what the store's
    /// [option](crate::StoreOptions::durability) says.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets whether the header of a large file may get the key `modelkeep.padding`, some kilobytes
    /// of zeros, where the file system can share blocks: without it they can be shared only where
    /// the length of the header happens to fit. It may, by default.
    #[must_use]
    pub fn padding(mut self, padding: bool) -> Self {
        self.padding = padding;
        self
    }
}

impl Default for EditOptions {
    fn default() -> Self {
        EditOptions::new()
    }
}
