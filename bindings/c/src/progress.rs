//! Long calls that the caller watches and may cancel.

use std::ffi::c_void;
use std::ops::ControlFlow;

use engine::Progress;

/// Tells how far a call is: called on the calling thread before the first byte, then at most 20
/// times a second, and after the last byte. `user` is what the caller gave. Returning false
/// cancels: MKEEP_STATUS_CANCELLED, and nothing is left behind. It must return: neither longjmp nor
/// an exception may leave it.
pub type mkeep_progress =
    Option<unsafe extern "C" fn(user: *mut c_void, bytes: u64, total_bytes: u64) -> bool>;

/// Makes an observer of a callback; without one it goes on.
///
/// # Safety
/// `progress` is NULL or a function that can be called with `user`, as long as the observer lives.
pub(crate) unsafe fn observer(
    progress: mkeep_progress,
    user: *mut c_void,
) -> impl FnMut(&Progress) -> ControlFlow<()> {
    move |state| match progress {
        // SAFETY: by the contract.
        Some(progress) if !unsafe { progress(user, state.bytes, state.total_bytes) } => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    }
}

/// Makes a call of the store, and tells a callback how far it is where there is one.
///
/// # Safety
/// `progress` is NULL or a function that can be called with `user`.
pub(crate) unsafe fn watched<T: Send>(
    store: &engine::Store,
    progress: mkeep_progress,
    user: *mut c_void,
    call: impl FnOnce(&engine::Store) -> engine::Result<T> + Send,
) -> engine::Result<T> {
    if progress.is_none() {
        return call(store);
    }
    // SAFETY: by the contract.
    let mut observe = unsafe { observer(progress, user) };
    store.watch(&mut observe, call)
}
