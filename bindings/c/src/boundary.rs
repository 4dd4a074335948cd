//! The one way in and out: checks of pointers, the stop of panics, the report of errors.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::status::{mkeep_error, mkeep_status};

/// Why a call fails.
pub(crate) enum Fault {
    Engine(engine::Error),
    /// A pointer that must not be NULL is.
    Null(&'static str),
    /// A text is not UTF-8.
    Utf8(&'static str),
    Panic,
}

impl From<engine::Error> for Fault {
    fn from(error: engine::Error) -> Self {
        Fault::Engine(error)
    }
}

/// Runs the body of every function that can fail: no panic leaves it, and every fault becomes a
/// status and, where the caller wants one, an object.
///
/// # Safety
/// `error` is NULL or may be written to.
pub(crate) unsafe fn enter(
    error: *mut *mut mkeep_error,
    body: impl FnOnce() -> Result<(), Fault>,
) -> mkeep_status {
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or(Err(Fault::Panic));
    let Err(fault) = result else {
        return mkeep_status::Ok;
    };
    let report = mkeep_error::new(fault);
    let status = report.status;
    if !error.is_null() {
        // SAFETY: not NULL, so by the contract it may be written to.
        unsafe { error.write(Box::into_raw(Box::new(report))) };
    }
    status
}

/// What a pointer to a handle points to.
///
/// # Safety
/// `handle` is NULL or came from this library and was not ended, for as long as `'a`.
pub(crate) unsafe fn borrow<'a, T>(handle: *const T, name: &'static str) -> Result<&'a T, Fault> {
    // SAFETY: NULL is answered with `None`; otherwise by the contract a live object of ours.
    unsafe { handle.as_ref() }.ok_or(Fault::Null(name))
}

/// A place for a result, checked before the work begins.
///
/// # Safety
/// `place` is NULL or may be written to, for as long as `'a`.
pub(crate) unsafe fn output<'a, T>(place: *mut T) -> Result<&'a mut MaybeUninit<T>, Fault> {
    // SAFETY: NULL is answered with `None`; otherwise by the contract writable, and nothing is
    // read of what may not be initialised.
    unsafe { place.cast::<MaybeUninit<T>>().as_mut() }.ok_or(Fault::Null("the result"))
}

/// A text that comes in.
///
/// # Safety
/// `text` is NULL or ends with a NUL and does not change for as long as `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &'static str) -> Result<&'a str, Fault> {
    if text.is_null() {
        return Err(Fault::Null(name));
    }
    // SAFETY: not NULL, so by the contract a text that ends with a NUL.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Fault::Utf8(name))
}

/// A slice that comes in; NULL is an empty one.
///
/// # Safety
/// `items` is NULL or points to `count` items that do not change for as long as `'a`.
pub(crate) unsafe fn slice<'a, T>(items: *const T, count: usize) -> &'a [T] {
    if items.is_null() {
        return &[];
    }
    // SAFETY: not NULL, so by the contract `count` items that stay as they are.
    unsafe { std::slice::from_raw_parts(items, count) }
}

/// Gives an object to the caller.
pub(crate) fn give<T>(place: &mut MaybeUninit<*mut T>, object: T) {
    place.write(Box::into_raw(Box::new(object)));
}

/// Ends an object that the caller gives back.
///
/// # Safety
/// `object` is NULL or came from [`give`] and was not ended.
pub(crate) unsafe fn end<T>(object: *mut T) {
    if !object.is_null() {
        // SAFETY: not NULL, so by the contract it came from `Box::into_raw` and is given up here.
        drop(unsafe { Box::from_raw(object) });
    }
}
