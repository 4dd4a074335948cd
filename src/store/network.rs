//! Calls that wait for a registry, and end when whoever watches wants them to.

use std::ops::ControlFlow;
use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::error::Result;
use crate::registry::{Registry, RegistryOptions, RemoteList};
use crate::store::handle::Store;
use crate::store::verify::Progress;
use crate::store::watch::{self, Work};

/// How soon a call that waits for a registry notices that it is to end.
const STEP: Duration = Duration::from_millis(20);

impl Store {
    /// Makes a call that waits for a registry, and ends it when whoever watches wants to stop.
    ///
    /// # Errors
    /// Those of the call, and [`Cancelled`](crate::ErrorKind::Cancelled).
    pub(super) fn ending<T: Send>(
        &self,
        registry: &Registry,
        call: impl FnOnce() -> Result<T> + Send,
    ) -> Result<T> {
        ending(self.work(), registry, call)
    }
}

/// As [`ls_remote`](crate::ls_remote); `observe` is asked 20 times a second, on the calling thread,
/// whether to go on, and may break to stop. There is no progress to tell.
///
/// ```
/// use std::ops::ControlFlow;
/// use modelkeep::{ErrorKind, RegistryOptions};
///
/// let mut stop = |_: &modelkeep::Progress| ControlFlow::Break(());
/// let list = modelkeep::ls_remote_with("localhost:1", &RegistryOptions::new(), &mut stop);
/// assert_eq!(list.map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
/// ```
///
/// # Errors
/// As [`ls_remote`](crate::ls_remote); [`Cancelled`](crate::ErrorKind::Cancelled) where `observe`
/// broke in time.
pub fn ls_remote_with(
    what: &str,
    options: &RegistryOptions,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Vec<String>> {
    let list = RemoteList::new(what, options)?;
    watch::watched(observe, |work| {
        ending(Some(work), list.registry(), || list.read())
    })
}

/// Makes a call on a thread of its own, where somebody watches.
fn ending<T: Send>(
    work: Option<&Work>,
    registry: &Registry,
    call: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let Some(work) = work else {
        return call();
    };
    thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        let caller = scope.spawn(move || {
            let _done = done;
            call()
        });
        while ended.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
            if work.check().is_err() {
                registry.stop();
            }
        }
        let called = caller.join();
        let called = called.unwrap_or_else(|cause| panic::resume_unwind(cause));
        // Where both are over, what is done is done.
        match (called, work.check()) {
            (Err(_), Err(cancelled)) => Err(cancelled),
            (called, _) => called,
        }
    })
}
