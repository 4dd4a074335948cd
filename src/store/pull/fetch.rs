//! The blobs of a model, several at a time and large ones in parts: staged, hashed while they come,
//! and moved into their places.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, Scope};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::hash::hash_stream;
use crate::fs::partial::{Part, Partial};
use crate::fs::system::stat::Stat;
use crate::name::{Digest, ModelName};
use crate::registry::Registry;
use crate::store::blobs::{Blob, NewBlob};
use crate::store::handle::Store;
use crate::store::import::Pinned;
use crate::store::upstream::Flights;
use crate::sync::lock;

use super::Pulled;
use super::flight::Flight;
use super::transfer::fetch_part;

/// How often what others fetch is looked at.
const STEP: Duration = Duration::from_millis(50);

/// So many blobs are kept open: they can be put back if a program beside us removes them.
const MOST_PINNED: usize = 128;

/// So many blobs are open at most for each transfer: what came faster than it is hashed and flushed
/// waits there.
const FLIGHTS_PER_TRANSFER: usize = 4;

/// What came, and what was there.
#[derive(Default)]
pub(super) struct Fetched {
    pub pinned: Vec<Pinned>,
    pub new_blobs: usize,
    pub new_bytes: u64,
    pub shared_blobs: usize,
    /// The bytes that an earlier pull had left.
    pub resumed_bytes: u64,
}

impl Fetched {
    /// Returns what a pull did that has made a model of what was fetched.
    pub(super) fn pulled(
        &self,
        registry: &Registry,
        digest: Digest,
        name: ModelName,
        replaced: bool,
    ) -> Pulled {
        Pulled {
            reference: registry.reference().clone(),
            name,
            digest,
            replaced,
            new_blobs: self.new_blobs,
            new_bytes: self.new_bytes,
            resumed_bytes: self.resumed_bytes,
            shared_blobs: self.shared_blobs,
        }
    }
}

/// A blob that the model needs.
#[derive(Clone, Copy)]
struct Wanted {
    digest: Digest,
    size: u64,
    /// Whether it was thrown away once, as something else than what it was to be.
    is_second: bool,
}

/// The blobs on their way.
struct Fetch<'a> {
    store: &'a Store,
    registry: &'a Registry,
    transfers: usize,
    wanted: Mutex<VecDeque<Wanted>>,
    flights: Mutex<Vec<Arc<Flight>>>,
    /// Where those who read along find them.
    seen: &'a Flights,
    failure: Mutex<Option<Error>>,
    fetched: Mutex<Fetched>,
    /// How many blobs are not in their places yet.
    open: AtomicUsize,
}

/// Fetches those blobs that the store has not, each once, whoever else fetches it at the same time.
/// Returns when all of them are in their places.
///
/// # Errors
/// The first one; what was fetched until then stays, whole blobs in their places and others for the
/// next call.
pub(super) fn fetch(
    store: &Store,
    registry: &Registry,
    blobs: &[(Digest, u64)],
    transfers: usize,
    flights: &Flights,
) -> Result<Fetched> {
    let wanted = blobs.iter().map(|(digest, size)| Wanted {
        digest: *digest,
        size: *size,
        is_second: false,
    });
    let mut wanted: Vec<Wanted> = wanted.collect();
    // The longest first: what is left at the end is short.
    wanted.sort_by_key(|one| std::cmp::Reverse(one.size));
    let fetch = Fetch {
        store,
        registry,
        transfers,
        wanted: Mutex::new(wanted.into()),
        flights: Mutex::default(),
        seen: flights,
        failure: Mutex::default(),
        fetched: Mutex::default(),
        open: AtomicUsize::new(blobs.len()),
    };
    thread::scope(|scope| {
        for _ in 0..transfers {
            scope.spawn(|| fetch.work(scope));
        }
    });
    match lock(&fetch.failure).take() {
        Some(error) => Err(error),
        None => Ok(std::mem::take(&mut *lock(&fetch.fetched))),
    }
}

impl<'a> Fetch<'a> {
    fn work<'s>(&'s self, scope: &'s Scope<'s, '_>) {
        let _bug = FailOnPanic(self);
        while !self.has_failed() {
            let done = match self.next_part() {
                Some((flight, part)) => fetch_part(self.registry, &flight, part),
                None => match self.next_blob() {
                    Some(wanted) => self.begin(wanted, scope),
                    None if self.open.load(Ordering::Acquire) == 0 => return,
                    // A part may fail, or another process give up what we wait for.
                    None => {
                        thread::sleep(STEP / 10);
                        Ok(())
                    }
                },
            };
            if let Err(error) = done {
                self.fail(error);
            }
        }
    }

    fn has_failed(&self) -> bool {
        lock(&self.failure).is_some()
    }

    /// Ends all work; what ends because of it is not the reason.
    fn fail(&self, error: Error) {
        lock(&self.failure).get_or_insert(error);
        self.registry.stop();
        for flight in lock(&self.flights).iter() {
            flight.fail();
        }
    }

    fn next_part(&self) -> Option<(Arc<Flight>, Part)> {
        let flights = lock(&self.flights);
        flights
            .iter()
            .find_map(|flight| Some((flight.clone(), flight.take()?)))
    }

    /// Takes a blob to begin, unless enough are on their way or are being hashed.
    fn next_blob(&self) -> Option<Wanted> {
        if lock(&self.flights).len() >= FLIGHTS_PER_TRANSFER * self.transfers {
            return None;
        }
        let mut wanted = lock(&self.wanted);
        let asked = wanted
            .iter()
            .position(|one| self.seen.is_asked(&one.digest));
        wanted.remove(asked.unwrap_or(0))
    }

    /// Begins a blob, unless it is stored by now, or somebody else fetches it.
    fn begin<'s>(&'s self, wanted: Wanted, scope: &'s Scope<'s, '_>) -> Result<()> {
        let Wanted { digest, size, .. } = wanted;
        if self.is_stored(&wanted) {
            self.store.begin_file(size).finish();
            let pinned = Pinned::open(self.store, digest)?;
            let mut fetched = lock(&self.fetched);
            fetched.shared_blobs += 1;
            self.keep(&mut fetched, pinned);
            return Ok(());
        }
        let durability = self.store.options().durability;
        let Some(partial) = Partial::claim(self.store.layout(), &digest, size, durability)? else {
            lock(&self.wanted).push_back(wanted);
            return self.registry.pauses().pause(STEP);
        };
        if self.is_stored(&wanted) {
            partial.discard();
            lock(&self.wanted).push_front(wanted);
            return Ok(());
        }
        let there = partial.disk_bytes()?;
        let doing = format!("fetching the blob {digest}");
        self.store
            .must_have_room(size.saturating_sub(there), &doing)?;
        let flight = Arc::new(Flight::new(digest, size, partial, self.transfers)?);
        lock(&self.flights).push(flight.clone());
        self.seen.begun(&flight);
        // Whoever failed before that did not see it.
        if self.has_failed() {
            flight.fail();
        }
        scope.spawn(move || {
            let _bug = FailOnPanic(self);
            if let Err(error) = self.follow(&flight, wanted) {
                self.fail(error);
            }
            lock(&self.flights).retain(|other| !Arc::ptr_eq(other, &flight));
            self.seen.ended(&flight);
        });
        Ok(())
    }

    fn is_stored(&self, wanted: &Wanted) -> bool {
        let stat = Stat::at(&self.store.layout().blob(&wanted.digest));
        stat.is_ok_and(|stat| stat.is_file() && stat.len() == wanted.size)
    }

    /// Hashes a blob while it comes, and moves it into its place.
    fn follow(&self, flight: &Flight, wanted: Wanted) -> Result<()> {
        let mut work = self.store.begin_file(flight.size);
        let at = |e| {
            Error::caused(
                ErrorKind::Io,
                format!("reading the blob {}", flight.digest),
                e,
            )
        };
        let hashed = hash_stream(&mut flight.reader(), at, |chunk| {
            work.advance(chunk.len() as u64)
        });
        let (digest, size) = hashed?;
        if digest != flight.digest {
            return self.refuse(flight, wanted, digest);
        }
        work.finish();
        let staged = flight.partial.finish()?;
        let new = NewBlob::new(staged, Blob { digest, size });
        // Our own threads need not wait for each other in the way of processes.
        let mut fetched = lock(&self.fetched);
        let pinned = {
            let _lock = self.store.lock()?;
            self.store.place_pinned(new)?
        };
        fetched.new_blobs += 1;
        fetched.new_bytes += size;
        fetched.resumed_bytes += flight.resumed();
        self.keep(&mut fetched, pinned);
        Ok(())
    }

    /// Notes that a blob is in its place.
    fn keep(&self, fetched: &mut Fetched, pinned: Pinned) {
        if fetched.pinned.len() < MOST_PINNED {
            fetched.pinned.push(pinned);
        }
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    /// Throws away what is not the blob that it was to be. Where a part of it was there before, that
    /// may have been the fault: it is fetched once more.
    fn refuse(&self, flight: &Flight, wanted: Wanted, found: Digest) -> Result<()> {
        flight.partial.discard();
        if flight.resumed() > 0 && !wanted.is_second {
            let again = Wanted {
                is_second: true,
                ..wanted
            };
            lock(&self.wanted).push_front(again);
            return Ok(());
        }
        let text = format!(
            "{} sent bytes of {found} for the blob {}: nothing of them is kept",
            self.registry.reference().host(),
            flight.digest
        );
        Err(Error::new(ErrorKind::Corrupt, text))
    }
}

/// Ends the others, who would wait for what never comes. The panic itself goes on when they are gone.
struct FailOnPanic<'f>(&'f Fetch<'f>);

impl Drop for FailOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let text = "a thread of the pull panicked";
            self.0.fail(Error::new(ErrorKind::Cancelled, text));
        }
    }
}
