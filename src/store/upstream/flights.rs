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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    const BYTES: &[u8] = b"bytes of a blob";

    /// Reads a blob that a pull needs and nobody has begun, has `end` end that, and returns what was
    /// read.
    fn read_while(end: impl FnOnce(&Store, Expected)) -> io::Result<Vec<u8>> {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let flights = Arc::new(Flights::default());
        let digest = Digest::of(BYTES);
        let size = BYTES.len() as u64;
        let expected = flights.expect(vec![(digest, size)]);
        assert!(!flights.is_asked(&digest));
        let arrival = Arrival::new(store.clone(), flights.clone(), digest, size);
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut into = [0; 100];
            let read = arrival.read_at(&mut into, 6);
            let _ = tell.send(read.map(|count| into[..count].to_owned()));
        });
        while !flights.is_asked(&digest) {
            thread::yield_now();
        }
        end(&store, expected);
        told.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    #[test]
    fn a_blob_that_comes_by_another_way_is_read_from_its_place() {
        let read = read_while(|store, expected| {
            store.add_blob(&mut &*BYTES, None).unwrap();
            drop(expected);
        });
        assert_eq!(read.unwrap(), &BYTES[6..]);
        // Its pull has not ended yet, and is looked for several times before it is there.
        let mut kept = None;
        let read = read_while(|store, expected| {
            thread::sleep(4 * STEP);
            store.add_blob(&mut &*BYTES, None).unwrap();
            kept = Some(expected);
        });
        assert_eq!(read.unwrap(), &BYTES[6..]);
    }

    #[test]
    fn a_blob_that_comes_no_longer_is_an_error_and_nobody_waits_for_it() {
        let read = read_while(|_, expected| drop(expected));
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        // Another pull needs it still, and then no more.
        let read = read_while(|_, expected| {
            let flights = expected.flights.clone();
            let other = flights.expect(expected.blobs.clone());
            drop(expected);
            assert_eq!(flights.size(&Digest::of(BYTES)), Some(BYTES.len() as u64));
            drop(other);
            assert_eq!(flights.size(&Digest::of(BYTES)), None);
        });
        assert!(read.is_err());
    }
}
