//! Calls that wait for a registry, and end when whoever watches wants them to.

use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::error::Result;
use crate::registry::Registry;
use crate::store::handle::Store;

/// How soon a call that waits for a registry notices that it is to end.
const STEP: Duration = Duration::from_millis(20);

impl Store {
    /// Makes a call that waits for a registry on a thread of its own, where somebody watches, and ends
    /// it when they want to stop.
    ///
    /// # Errors
    /// Those of the call, and [`Cancelled`](crate::ErrorKind::Cancelled).
    pub(super) fn ending<T: Send>(
        &self,
        registry: &Registry,
        call: impl FnOnce() -> Result<T> + Send,
    ) -> Result<T> {
        if self.work().is_none() {
            return call();
        }
        thread::scope(|scope| {
            let (done, ended) = mpsc::channel::<()>();
            let caller = scope.spawn(move || {
                let _done = done;
                call()
            });
            while ended.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
                if self.advance(0).is_err() {
                    registry.stop();
                }
            }
            let called = caller.join();
            let called = called.unwrap_or_else(|cause| panic::resume_unwind(cause));
            // Where both are over, what is done is done.
            match (called, self.advance(0)) {
                (Err(_), Err(cancelled)) => Err(cancelled),
                (called, _) => called,
            }
        })
    }
}
