//! What all connections together may hold, and which one is closed when that is used up: the one
//! whose client has been waited for the longest.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Connections and bytes, within bounds.
pub(crate) struct Budget {
    connections: usize,
    bytes: usize,
    state: Mutex<State>,
    /// Told when something was freed, or may now be.
    changed: Notify,
}

struct State {
    free_bytes: usize,
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

/// A connection.
struct Entry {
    /// Since when the client is waited for; none while it waits for us.
    waiting: Option<Instant>,
    bytes: usize,
    is_closing: bool,
    close: Arc<Notify>,
}

impl State {
    /// Closes the connection whose client has been waited for the longest, of those that fit; one
    /// at a time, so that no more are closed than are needed.
    fn close_oldest(&mut self, fits: impl Fn(&Entry) -> bool) {
        if self
            .entries
            .values()
            .any(|entry| entry.is_closing && fits(entry))
        {
            return;
        }
        let fitting = self.entries.values_mut().filter(|entry| fits(entry));
        let waiting = fitting.filter_map(|entry| Some((entry.waiting?, entry)));
        if let Some((_, entry)) = waiting.min_by_key(|(since, _)| *since) {
            entry.is_closing = true;
            entry.close.notify_one();
        }
    }
}

impl Budget {
    pub(crate) fn new(connections: usize, bytes: usize) -> Arc<Self> {
        Arc::new(Budget {
            connections,
            bytes,
            state: Mutex::new(State {
                free_bytes: bytes,
                next: 0,
                entries: BTreeMap::new(),
            }),
            changed: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `take` returns something.
    async fn until<T>(&self, mut take: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            // Before the look: a change in between is not missed.
            let changed = self.changed.notified();
            let taken = take(&mut self.state());
            if let Some(taken) = taken {
                return taken;
            }
            changed.await;
        }
    }

    /// Takes the place of a connection, another's if need be.
    pub(crate) async fn place(self: &Arc<Self>) -> Place {
        let entered = self.until(|state| {
            if state.entries.len() >= self.connections {
                state.close_oldest(|_| true);
                return None;
            }
            let close = Arc::new(Notify::new());
            let entry = Entry {
                waiting: Some(Instant::now()),
                bytes: 0,
                is_closing: false,
                close: close.clone(),
            };
            state.next += 1;
            state.entries.insert(state.next, entry);
            Some((state.next, close))
        });
        let (id, close) = entered.await;
        Place {
            budget: self.clone(),
            id,
            close,
        }
    }

    /// Closes the connection whose client has been waited for the longest.
    pub(crate) fn close_oldest(&self) {
        self.state().close_oldest(|_| true);
    }

    /// Resolves when no connection is left.
    pub(crate) async fn emptied(&self) {
        self.until(|state| state.entries.is_empty().then_some(()))
            .await;
    }
}

/// The place of one connection; freed when dropped.
pub(crate) struct Place {
    budget: Arc<Budget>,
    id: u64,
    close: Arc<Notify>,
}

impl Place {
    fn with_entry<T>(&self, with: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.budget.state().entries.get_mut(&self.id).map(with)
    }

    /// States that the client waits for us, until the value is dropped.
    pub(crate) fn busy(&self) -> Busy<'_> {
        self.with_entry(|entry| entry.waiting = None);
        Busy(self)
    }

    /// Takes bytes, those of another connection if need be: as many as there are in all at the most.
    pub(crate) async fn hold(&self, bytes: usize) -> Held {
        let bytes = bytes.min(self.budget.bytes);
        let taken = self.budget.until(|state| {
            if state.free_bytes < bytes {
                state.close_oldest(|entry| entry.bytes > 0);
                return None;
            }
            state.free_bytes -= bytes;
            if let Some(entry) = state.entries.get_mut(&self.id) {
                entry.bytes += bytes;
            }
            Some(())
        });
        taken.await;
        Held {
            budget: self.budget.clone(),
            id: self.id,
            bytes,
        }
    }

    /// Resolves when the connection is to be closed: for the sake of another, or because its
    /// client has been waited for as long as `patience`.
    pub(crate) async fn lost(&self, patience: Duration) {
        let stalled = async {
            loop {
                let now = Instant::now();
                let since = self.with_entry(|entry| entry.waiting).flatten();
                match since.unwrap_or(now).checked_add(patience) {
                    Some(end) if end <= now => return,
                    Some(end) => sleep_until(end).await,
                    None => pending().await,
                }
            }
        };
        tokio::select! {
            () = self.close.notified() => {}
            () = stalled => {}
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.budget.state().entries.remove(&self.id);
        self.budget.changed.notify_waiters();
    }
}

/// While it lives, the client waits for us.
pub(crate) struct Busy<'a>(&'a Place);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0
            .with_entry(|entry| entry.waiting = Some(Instant::now()));
        self.0.budget.changed.notify_waiters();
    }
}

/// Bytes that a connection holds; given back when dropped.
pub(crate) struct Held {
    budget: Arc<Budget>,
    id: u64,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.free_bytes += self.bytes;
        if let Some(entry) = state.entries.get_mut(&self.id) {
            entry.bytes -= self.bytes;
        }
        drop(state);
        self.budget.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let hang = Duration::from_secs(20);
        let test = async { tokio::time::timeout(hang, test).await };
        runtime.unwrap().block_on(test).expect("room is made");
    }

    async fn is_lost(place: &Place) -> bool {
        tokio::select! {
            biased;
            () = place.lost(LONG) => true,
            () = std::future::ready(()) => false,
        }
    }

    #[test]
    fn the_client_that_is_waited_for_the_longest_makes_room() {
        run(async {
            let budget = Budget::new(3, 0);
            let first = budget.place().await;
            let second = budget.place().await;
            let third = budget.place().await;
            drop(first.busy());
            let (fourth, ()) = tokio::join!(budget.place(), async {
                second.lost(LONG).await;
                drop(second);
            });
            assert!(!is_lost(&first).await && !is_lost(&third).await && !is_lost(&fourth).await);
        });
    }

    #[test]
    fn nobody_who_waits_for_us_makes_room() {
        run(async {
            let budget = Budget::new(1, 0);
            let place = budget.place().await;
            let busy = place.busy();
            let mut waiting = std::pin::pin!(budget.place());
            tokio::select! {
                biased;
                _ = &mut waiting => panic!("there was no room"),
                () = std::future::ready(()) => {}
            }
            assert!(!is_lost(&place).await);
            drop(busy);
            tokio::select! {
                _ = &mut waiting => panic!("there was no room"),
                () = place.lost(LONG) => {}
            }
            drop(place);
            waiting.await;
        });
    }

    #[test]
    fn one_that_is_told_to_go_makes_room_whatever_it_does_until_it_is_gone() {
        run(async {
            let budget = Budget::new(2, 0);
            let first = budget.place().await;
            let second = budget.place().await;
            tokio::join!(budget.place(), async {
                first.lost(LONG).await;
                let busy = first.busy();
                // Whoever waits for the place looks again, in whatever turn.
                for _ in 0..3 {
                    budget.changed.notify_waiters();
                    tokio::task::yield_now().await;
                }
                assert!(!is_lost(&second).await);
                drop(busy);
                drop(first);
            });
        });
    }

    #[test]
    fn bytes_come_from_who_has_some() {
        run(async {
            let budget = Budget::new(9, 100);
            let idle = budget.place().await;
            let greedy = budget.place().await;
            let asking = budget.place().await;
            let held = greedy.hold(60).await;
            let busy = asking.busy();
            tokio::join!(asking.hold(60), async {
                greedy.lost(LONG).await;
                drop((held, greedy));
            });
            drop(busy);
            assert!(!is_lost(&idle).await);
            // More than there is in all is all of it.
            drop(asking.hold(1000).await);
        });
    }

    #[test]
    fn bytes_that_are_given_back_are_nobodys() {
        run(async {
            let budget = Budget::new(9, 100);
            let past = budget.place().await;
            drop(past.hold(60).await);
            let holding = budget.place().await;
            let held = holding.hold(60).await;
            let asking = budget.place().await;
            let (taken, ()) = tokio::join!(asking.hold(60), async {
                holding.lost(LONG).await;
                // Bytes are enough: the connection may stay.
                drop(held);
            });
            assert!(!is_lost(&past).await);
            drop(taken);
        });
    }

    #[test]
    fn where_there_is_no_room_for_another_reason_the_oldest_goes_as_well() {
        run(async {
            let budget = Budget::new(9, 0);
            let oldest = budget.place().await;
            let other = budget.place().await;
            budget.close_oldest();
            assert!(is_lost(&oldest).await && !is_lost(&other).await);
        });
    }

    #[test]
    fn a_client_is_not_waited_for_without_end() {
        run(async {
            let budget = Budget::new(1, 0);
            let place = budget.place().await;
            place.lost(Duration::from_millis(1)).await;
        });
    }
}
