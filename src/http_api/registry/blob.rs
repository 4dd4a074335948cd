//! A blob as a registry sends it.

use std::fmt;
use std::fs::File;
use std::io;

use crate::fs::system::open;
#[cfg(feature = "registry")]
use crate::store::Arrival;

/// A blob of a [`RegistryResponse`](super::RegistryResponse): as it is stored, or on its way here.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::http_api::{RegistryBody, registry};
///
/// let digest = store.model("tiny")?.manifest().config().digest()?;
/// let response = registry(&store, &format!("library/tiny/blobs/{digest}"), "");
/// let RegistryBody::Blob(blob) = response.body else { panic!("it is stored") };
/// let beyond = blob.read_exact_at(&mut [0], blob.size()).map_err(|error| error.kind());
/// assert_eq!(beyond, Err(std::io::ErrorKind::UnexpectedEof));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RegistryBlob {
    source: Source,
    size: u64,
}

enum Source {
    File(File),
    #[cfg(feature = "registry")]
    Arrival(Arrival),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(file) => file.fmt(f),
            #[cfg(feature = "registry")]
            Source::Arrival(_) => f.write_str("Arrival"),
        }
    }
}

impl RegistryBlob {
    pub(super) fn stored(file: File, size: u64) -> Self {
        let source = Source::File(file);
        RegistryBlob { source, size }
    }

    #[cfg(feature = "registry")]
    pub(super) fn arriving(arrival: Arrival) -> Self {
        RegistryBlob {
            size: arrival.size,
            source: Source::Arrival(arrival),
        }
    }

    /// Returns its length, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Fills a buffer with the bytes from a place on. Waits for those that are still on their way here.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) where it ends before, and where the rest will not
    /// come.
    pub fn read_exact_at(&self, into: &mut [u8], at: u64) -> io::Result<()> {
        match &self.source {
            Source::File(file) => open::read_exact_at(file, into, at),
            #[cfg(feature = "registry")]
            Source::Arrival(arrival) => open::fill(into, at, |into, at| arrival.read_at(into, at)),
        }
    }
}
