//! The blobs that are on their way here, for those who read them meanwhile.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::fs::system::open;
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::pull::Flight;
use crate::sync::lock;

/// How soon a reader notices what became of a blob.
const STEP: Duration = Duration::from_millis(50);

/// The blobs on their way.
#[derive(Default)]
pub(in crate::store) struct Flights {
    known: Mutex<HashMap<Digest, Entry>>,
    changed: Condvar,
}

/// A blob that at least one pull needs.
struct Entry {
    size: u64,
    pulls: usize,
    /// Once it has begun.
    flight: Option<Arc<Flight>>,
    /// Whether somebody waits for it.
    is_asked: bool,
}

impl Flights {
    /// Notes that a pull needs these blobs, until what it returns is dropped.
    pub(super) fn expect(self: &Arc<Self>, blobs: Vec<(Digest, u64)>) -> Expected {
        let mut known = self.lock();
        for (digest, size) in &blobs {
            let entry = known.entry(*digest).or_insert(Entry {
                size: *size,
                pulls: 0,
                flight: None,
                is_asked: false,
            });
            entry.pulls += 1;
        }
        drop(known);
        Expected {
            flights: self.clone(),
            blobs,
        }
    }

    /// Notes that a blob has begun to come.
    pub(in crate::store) fn begun(&self, flight: &Arc<Flight>) {
        if let Some(entry) = self.lock().get_mut(&flight.digest) {
            entry.flight = Some(flight.clone());
        }
        self.changed.notify_all();
    }

    /// Notes that a blob comes no longer: it is in its place, or was given up.
    pub(in crate::store) fn ended(&self, flight: &Arc<Flight>) {
        if let Some(entry) = self.lock().get_mut(&flight.digest) {
            entry.flight.take_if(|known| Arc::ptr_eq(known, flight));
        }
        self.changed.notify_all();
    }

    /// Returns whether somebody waits for a blob.
    pub(in crate::store) fn is_asked(&self, digest: &Digest) -> bool {
        self.lock().get(digest).is_some_and(|entry| entry.is_asked)
    }

    /// Returns the size of a blob that is on its way.
    pub(super) fn size(&self, digest: &Digest) -> Option<u64> {
        Some(self.lock().get(digest)?.size)
    }

    /// Waits a while for a blob to begin; `None` where it is on its way no longer.
    fn wait(&self, digest: &Digest) -> Option<Option<Arc<Flight>>> {
        let mut known = self.lock();
        let entry = known.get_mut(digest)?;
        if let Some(flight) = &entry.flight {
            return Some(Some(flight.clone()));
        }
        entry.is_asked = true;
        let waited = self.changed.wait_timeout(known, STEP);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        Some(None)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Entry>> {
        lock(&self.known)
    }
}

/// The blobs of a pull that has not ended.
pub(super) struct Expected {
    flights: Arc<Flights>,
    blobs: Vec<(Digest, u64)>,
}

impl Drop for Expected {
    /// However the pull has ended, nobody waits for it any longer.
    fn drop(&mut self) {
        let mut known = self.flights.lock();
        for (digest, _) in &self.blobs {
            if let Some(entry) = known.get_mut(digest) {
                entry.pulls -= 1;
                if entry.pulls == 0 {
                    known.remove(digest);
                }
            }
        }
        self.flights.changed.notify_all();
    }
}

/// A blob that is read while it comes.
pub(crate) struct Arrival {
    store: Store,
    flights: Arc<Flights>,
    digest: Digest,
    pub size: u64,
    /// Once it is in its place.
    file: OnceLock<File>,
}

impl Arrival {
    pub(super) fn new(store: Store, flights: Arc<Flights>, digest: Digest, size: u64) -> Self {
        Arrival {
            store,
            flights,
            digest,
            size,
            file: OnceLock::new(),
        }
    }

    /// Reads bytes from a place on, as many as are there, and waits for the first.
    ///
    /// # Errors
    /// Where they will not come.
    pub(crate) fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        loop {
            if let Some(file) = self.file.get() {
                return open::read_at(file, into, at);
            }
            let waited = self.flights.wait(&self.digest);
            if let Some(Some(flight)) = &waited {
                match flight.read_at(into, at) {
                    // It is given up for another one, or at its end.
                    Err(_) if self.flights.size(&self.digest).is_some() => {}
                    read => return read,
                }
            }
            // One of the blobs of a pull is in its place before all of them are.
            match self
                .store
                .open_blob(&self.digest)
                .map_err(io::Error::other)?
            {
                Some((file, size)) if size == self.size => {
                    // Whoever was first has opened the same.
                    let _ = self.file.set(file);
                }
                _ if waited.is_none() => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        }
    }
}
