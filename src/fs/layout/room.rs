//! The directories inside a private one.

/// A directory inside a private one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Files that are being written, and are not visible yet.
    Staging,
    /// Blobs that nobody used, until it is certain.
    Trash,
    /// Damaged blobs.
    Quarantine,
}

impl Room {
    pub(crate) const ALL: [Room; 3] = [Room::Staging, Room::Trash, Room::Quarantine];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Room::Staging => "tmp",
            Room::Trash => "trash",
            Room::Quarantine => "quarantine",
        }
    }
}
