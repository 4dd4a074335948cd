//! The words of links: how one is made, how several are laid out, and what became of one.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{self, Error, Result};
use crate::fs::link::Kind;

/// How a link shows a blob. No way of them writes a second copy.
///
/// ```
/// use modelkeep::LinkMode;
///
/// assert_eq!("symlink".parse::<LinkMode>()?, LinkMode::Symlink);
/// assert_eq!(LinkMode::default().to_string(), "auto");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkMode {
    /// By reflink where the file system can, else by hard link, else by symbolic link.
    #[default]
    Auto,
    /// By reflink only: a file of its own that shares the blocks until one of the two is written to.
    Reflink,
    /// By hard link only: the same file under a second name. Who writes to it destroys the blob.
    HardLink,
    /// By symbolic link only: the path of the blob.
    Symlink,
}

impl LinkMode {
    /// Every mode.
    pub const ALL: &'static [LinkMode] = &[
        LinkMode::Auto,
        LinkMode::Reflink,
        LinkMode::HardLink,
        LinkMode::Symlink,
    ];

    /// Returns the word for it: `auto`, `reflink`, `hardlink` or `symlink`.
    pub const fn as_str(self) -> &'static str {
        match self {
            LinkMode::Auto => "auto",
            LinkMode::Reflink => "reflink",
            LinkMode::HardLink => "hardlink",
            LinkMode::Symlink => "symlink",
        }
    }

    /// Returns the kinds of links that are tried, in order.
    pub(super) const fn kinds(self) -> &'static [Kind] {
        match self {
            LinkMode::Auto => &[Kind::Reflink, Kind::Hard, Kind::Symbolic],
            LinkMode::Reflink => &[Kind::Reflink],
            LinkMode::HardLink => &[Kind::Hard],
            LinkMode::Symlink => &[Kind::Symbolic],
        }
    }
}

impl From<Kind> for LinkMode {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Reflink => LinkMode::Reflink,
            Kind::Hard => LinkMode::HardLink,
            Kind::Symbolic => LinkMode::Symlink,
        }
    }
}

/// How the links of a model are laid out in a directory.
///
/// ```
/// use modelkeep::LinkLayout;
///
/// assert_eq!("lmstudio".parse::<LinkLayout>()?, LinkLayout::LmStudio);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkLayout {
    /// All in the directory itself: `llama3.2-3b.gguf`, and `mmproj-llama3.2-3b.gguf` beside it.
    #[default]
    Flat,
    /// As LM Studio has them: `publisher/model/file.gguf`.
    LmStudio,
}

impl LinkLayout {
    /// Every layout.
    pub const ALL: &'static [LinkLayout] = &[LinkLayout::Flat, LinkLayout::LmStudio];

    /// Returns the word for it: `flat` or `lmstudio`.
    pub const fn as_str(self) -> &'static str {
        match self {
            LinkLayout::Flat => "flat",
            LinkLayout::LmStudio => "lmstudio",
        }
    }
}

/// What a link shows now.
///
/// ```
/// use modelkeep::LinkState;
///
/// assert_eq!("outdated".parse::<LinkState>()?, LinkState::Outdated);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkState {
    /// What the model holds.
    Current,
    /// Other bytes than the model holds now, as after a pull.
    Outdated,
    /// Something else: another program wrote to it, or put another file in its place.
    Changed,
    /// Nothing: a symbolic link that leads nowhere.
    Dangling,
    /// Nothing: there is no such file.
    Missing,
    /// What it showed from the beginning, of a model that is not stored any more.
    Orphaned,
    /// What it shows, or what the model holds, cannot be looked at.
    Unreadable,
    /// A file that is no link of this store.
    Foreign,
}

impl LinkState {
    /// Every state.
    pub const ALL: &'static [LinkState] = &[
        LinkState::Current,
        LinkState::Outdated,
        LinkState::Changed,
        LinkState::Dangling,
        LinkState::Missing,
        LinkState::Orphaned,
        LinkState::Unreadable,
        LinkState::Foreign,
    ];

    /// Returns the word for it: `current`, `outdated`, `changed`, `dangling`, `missing`, `orphaned`,
    /// `unreadable` or `foreign`.
    pub const fn as_str(self) -> &'static str {
        match self {
            LinkState::Current => "current",
            LinkState::Outdated => "outdated",
            LinkState::Changed => "changed",
            LinkState::Dangling => "dangling",
            LinkState::Missing => "missing",
            LinkState::Orphaned => "orphaned",
            LinkState::Unreadable => "unreadable",
            LinkState::Foreign => "foreign",
        }
    }
}

macro_rules! words {
    ($($word:ty: $what:literal;)+) => {$(
        impl fmt::Display for $word {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $word {
            type Err = Error;

            /// # Errors
            /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other word.
            fn from_str(word: &str) -> Result<Self> {
                error::one_of($what, <$word>::ALL, word)
            }
        }

        impl Serialize for $word {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+};
}

words! {
    LinkMode: "link mode";
    LinkLayout: "layout of links";
    LinkState: "state of a link";
}
