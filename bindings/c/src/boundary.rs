//! The one way in and out: checks of pointers, the stop of panics, the report of errors.

use std::any::Any;
use std::ffi::{CStr, OsStr, c_char};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use engine::{Error, ErrorKind};

use crate::status::{mkeep_error, mkeep_status};

/// Why a call fails.
pub(crate) enum Fault {
    Engine(engine::Error),
    /// A pointer that must not be NULL is.
    Null(&'static str),
    /// A text is not UTF-8.
    Utf8(&'static str),
    /// The library is wrong, and says this.
    Panic(String),
}

impl From<engine::Error> for Fault {
    fn from(error: engine::Error) -> Self {
        Fault::Engine(error)
    }
}

impl Fault {
    fn of_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Fault::Panic(text.unwrap_or_default())
    }
}

/// Runs a body that no panic may leave.
fn contain<T>(body: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // What a panic leaves half done is the caller's handle, of which the engine keeps nothing but
    // caches that are filled in one step.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(Fault::of_panic(&*payload)))
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
    let Err(fault) = contain(body) else {
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

/// Runs the body of every function that only looks: what it cannot answer is `otherwise`.
pub(crate) fn ask<T>(otherwise: T, body: impl FnOnce() -> Result<T, Fault>) -> T {
    contain(body).unwrap_or(otherwise)
}

/// Asks a handle; what NULL answers is `otherwise`.
///
/// # Safety
/// As [`borrow`].
pub(crate) unsafe fn look<H, T>(handle: *const H, otherwise: T, body: impl FnOnce(&H) -> T) -> T {
    ask(otherwise, || {
        // SAFETY: by the contract.
        let handle = unsafe { borrow(handle, "the handle") }?;
        Ok(body(handle))
    })
}

/// Looks for one of many in a handle: writes what it finds, and answers whether it did.
///
/// # Safety
/// As [`borrow`] and [`output`].
pub(crate) unsafe fn fetch<H, T>(
    handle: *const H,
    place: *mut T,
    body: impl FnOnce(&H) -> Option<T>,
) -> bool {
    ask(false, || {
        // SAFETY: by the contract.
        let (handle, place) = unsafe { (borrow(handle, "the handle")?, output(place)?) };
        Ok(body(handle).map(|found| place.write(found)).is_some())
    })
}

/// What a pointer to a handle points to.
///
/// # Safety
/// `handle` is NULL or came from this library and was not ended, for as long as `'a`.
pub(crate) unsafe fn borrow<'a, T>(handle: *const T, name: &'static str) -> Result<&'a T, Fault> {
    // SAFETY: NULL is answered with `None`; otherwise by the contract a live object of ours.
    unsafe { handle.as_ref() }.ok_or(Fault::Null(name))
}

/// What a pointer to a place that is read and written points to.
///
/// # Safety
/// `place` is NULL or holds a value that nobody else uses for as long as `'a`.
pub(crate) unsafe fn borrow_mut<'a, T>(place: *mut T) -> Result<&'a mut T, Fault> {
    // SAFETY: NULL is answered with `None`; otherwise by the contract ours for now.
    unsafe { place.as_mut() }.ok_or(Fault::Null("the place"))
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

/// The bytes of a text that comes in.
///
/// # Safety
/// `text` is NULL or ends with a NUL and does not change for as long as `'a`.
unsafe fn bytes<'a>(text: *const c_char, name: &'static str) -> Result<&'a [u8], Fault> {
    if text.is_null() {
        return Err(Fault::Null(name));
    }
    // SAFETY: not NULL, so by the contract a text that ends with a NUL.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A text that comes in.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &'static str) -> Result<&'a str, Fault> {
    // SAFETY: by the contract.
    let text = unsafe { bytes(text, name) }?;
    std::str::from_utf8(text).map_err(|_| Fault::Utf8(name))
}

/// A path that comes in: bytes, as the system has them.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn path<'a>(path: *const c_char, name: &'static str) -> Result<&'a Path, Fault> {
    // SAFETY: by the contract.
    let path = unsafe { bytes(path, name) }?;
    Ok(Path::new(OsStr::from_bytes(path)))
}

/// A slice that comes in; NULL is an empty one, and only that.
///
/// # Safety
/// `items` is NULL or points to `count` items that do not change for as long as `'a`.
pub(crate) unsafe fn slice<'a, T>(
    items: *const T,
    count: usize,
    name: &'static str,
) -> Result<&'a [T], Fault> {
    match (items.is_null(), count) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Fault::Null(name)),
        // SAFETY: not NULL, so by the contract `count` items that stay as they are.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(items, count) }),
    }
}

/// Gives an object to the caller.
pub(crate) fn give<T>(place: &mut MaybeUninit<*mut T>, object: T) {
    place.write(Box::into_raw(Box::new(object)));
}

/// Gives an object to a caller who wants it.
///
/// # Safety
/// `place` is NULL or may be written to.
pub(crate) unsafe fn give_if<T>(place: *mut *mut T, object: impl FnOnce() -> T) {
    // SAFETY: by the contract.
    if let Ok(place) = unsafe { output(place) } {
        give(place, object());
    }
}

/// Options that come in: a struct whose first field is its size as the caller knows it. What a
/// later release has added must be zero: we would not do it.
///
/// # Safety
/// `options` is NULL or points to as many bytes as its first field says.
pub(crate) unsafe fn options<'a, T>(options: *const T) -> Result<Option<&'a T>, Fault> {
    let refuse = |text: &'static str| Err(Error::new(ErrorKind::InvalidArgument, text).into());
    // SAFETY: NULL is answered; otherwise by the contract a size can be read there.
    let Some(stated) = (unsafe { options.cast::<usize>().as_ref() }) else {
        return Ok(None);
    };
    if *stated < size_of::<T>() {
        return refuse("the size of the options is that of no release");
    }
    // SAFETY: by the contract as many bytes as stated, which are enough.
    let (known, all) = unsafe { (&*options, slice(options.cast::<u8>(), *stated, "options")?) };
    match all.iter().skip(size_of::<T>()).all(|byte| *byte == 0) {
        true => Ok(Some(known)),
        false => refuse("the options ask for what only a later release can do"),
    }
}

/// Ends an object that the caller gives back.
///
/// # Safety
/// `object` is NULL or came from [`give`] and was not ended.
pub(crate) unsafe fn end<T>(object: *mut T) {
    ask((), || {
        if !object.is_null() {
            // SAFETY: not NULL, so by the contract it came from `Box::into_raw` and is given up.
            drop(unsafe { Box::from_raw(object) });
        }
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{mkeep_error_free, mkeep_error_message, mkeep_error_status};

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[test]
    fn a_panic_becomes_a_status_and_an_object() {
        let mut error = std::ptr::null_mut();
        // SAFETY: the pointers are a local's, and those that the calls gave.
        unsafe {
            let status = enter(&raw mut error, || panic!("a {}", "bug"));
            assert_eq!(status, mkeep_status::Panic);
            assert_eq!(mkeep_error_status(error), status);
            let text = CStr::from_ptr(mkeep_error_message(error).ptr);
            assert_eq!(text, c"the library failed: a bug");
            mkeep_error_free(error);
            assert_eq!(enter(std::ptr::null_mut(), || panic!()), status);
        }
    }

    #[test]
    fn a_panic_leaves_neither_a_look_nor_an_end() {
        assert_eq!(ask(7, || panic!()), 7);
        let (handle, mut place) = (2, 1);
        // SAFETY: places of locals, and an object that is given up.
        unsafe {
            assert!(!fetch(&raw const handle, &raw mut place, |_| panic!()));
            assert_eq!(place, 1);
            assert!(fetch(&raw const handle, &raw mut place, |handle| Some(
                *handle
            )));
            assert_eq!(place, 2);
            end(Box::into_raw(Box::new(Bomb)));
        }
    }

    #[test]
    fn nothing_at_null_is_a_slice_and_something_is_not() {
        let items: *const u8 = std::ptr::null();
        // SAFETY: NULL is allowed.
        unsafe {
            assert!(slice(items, 0, "items").is_ok_and(<[u8]>::is_empty));
            assert!(matches!(
                slice(items, 1, "items"),
                Err(Fault::Null("items"))
            ));
        }
    }
}
