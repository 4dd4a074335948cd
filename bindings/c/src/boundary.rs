//! The one way in and out: checks pointers, converts what they point to, stops panics.

use std::any::Any;
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use engine::{Error, ErrorKind, Reference};

/// Why a call fails.
pub(crate) enum Fault {
    Engine(engine::Error),
    /// A pointer that must not be NULL is.
    Null(&'static str),
    /// A string is not UTF-8.
    Utf8(&'static str),
    /// A bug of the library, with the message of its panic.
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

/// Runs a body, and turns a panic into a fault.
pub(crate) fn contain<T>(body: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // What a panic leaves half done is the caller's handle, of which the engine keeps nothing but
    // caches that are filled in one step.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(Fault::of_panic(&*payload)))
}

/// Runs the body of a function that cannot fail: returns `otherwise` where the body does not
/// succeed.
pub(crate) fn query<T>(otherwise: T, body: impl FnOnce() -> Result<T, Fault>) -> T {
    contain(body).unwrap_or(otherwise)
}

/// Reads a handle; returns `otherwise` for NULL.
///
/// # Safety
/// As [`borrow`].
pub(crate) unsafe fn with<H, T>(handle: *const H, otherwise: T, body: impl FnOnce(&H) -> T) -> T {
    query(otherwise, || {
        // SAFETY: by the contract.
        let handle = unsafe { borrow(handle, "the handle") }?;
        Ok(body(handle))
    })
}

/// Looks for one of many in a handle: writes what it finds, and returns whether it did.
///
/// # Safety
/// As [`borrow`] and [`output`].
pub(crate) unsafe fn get<H, T>(
    handle: *const H,
    place: *mut T,
    body: impl FnOnce(&H) -> Option<T>,
) -> bool {
    query(false, || {
        // SAFETY: by the contract.
        let (handle, place) = unsafe { (borrow(handle, "the handle")?, output(place)?) };
        Ok(body(handle).map(|found| place.write(found)).is_some())
    })
}

/// Borrows what a pointer to a handle points to.
///
/// # Safety
/// `handle` is NULL or came from this library and was not freed, for as long as `'a`.
pub(crate) unsafe fn borrow<'a, T>(handle: *const T, name: &'static str) -> Result<&'a T, Fault> {
    // SAFETY: NULL becomes `None`; otherwise by the contract a live object of ours.
    unsafe { handle.as_ref() }.ok_or(Fault::Null(name))
}

/// Borrows what a pointer to a place that is read and written points to.
///
/// # Safety
/// `place` is NULL or holds a value that nobody else uses for as long as `'a`.
pub(crate) unsafe fn borrow_mut<'a, T>(place: *mut T) -> Result<&'a mut T, Fault> {
    // SAFETY: NULL becomes `None`; otherwise by the contract ours for now.
    unsafe { place.as_mut() }.ok_or(Fault::Null("the place"))
}

/// Checks the place of a result before the work begins.
///
/// # Safety
/// `place` is NULL or may be written to, for as long as `'a`.
pub(crate) unsafe fn output<'a, T>(place: *mut T) -> Result<&'a mut MaybeUninit<T>, Fault> {
    // SAFETY: NULL becomes `None`; otherwise by the contract writable, and nothing is read of what
    // may not be initialized.
    unsafe { place.cast::<MaybeUninit<T>>().as_mut() }.ok_or(Fault::Null("the result"))
}

/// Borrows the bytes of a string that comes in.
///
/// # Safety
/// `string` is NULL or ends with a NUL and does not change for as long as `'a`.
unsafe fn bytes<'a>(string: *const c_char, name: &'static str) -> Result<&'a [u8], Fault> {
    if string.is_null() {
        return Err(Fault::Null(name));
    }
    // SAFETY: not NULL, so by the contract a string that ends with a NUL.
    Ok(unsafe { CStr::from_ptr(string) }.to_bytes())
}

/// Borrows a string that comes in.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(string: *const c_char, name: &'static str) -> Result<&'a str, Fault> {
    // SAFETY: by the contract.
    let text = unsafe { bytes(string, name) }?;
    std::str::from_utf8(text).map_err(|_| Fault::Utf8(name))
}

/// Borrows a string that may be missing.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn optional<'a>(
    string: *const c_char,
    name: &'static str,
) -> Result<Option<&'a str>, Fault> {
    match string.is_null() {
        true => Ok(None),
        // SAFETY: by the contract.
        false => unsafe { text(string, name) }.map(Some),
    }
}

/// Borrows a path that comes in: bytes, as the system has them; UTF-8 on Windows.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn path<'a>(path: *const c_char, name: &'static str) -> Result<&'a Path, Fault> {
    // SAFETY: by the contract.
    let path = unsafe { bytes(path, name) }?;
    engine::path_of_bytes(path).ok_or(Fault::Utf8(name))
}

/// Borrows room that results are written to; NULL is none, and only that.
///
/// # Safety
/// `items` is NULL or points to `count` values that nothing else reads or writes meanwhile.
pub(crate) unsafe fn slice_mut<'a, T>(
    items: *mut T,
    count: usize,
    name: &'static str,
) -> Result<&'a mut [T], Fault> {
    match (items.is_null(), count) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(Fault::Null(name)),
        // SAFETY: not NULL, so by the contract there are as many values, which are ours alone.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts_mut(items, count) }),
    }
}

/// Borrows a slice that comes in; NULL is an empty one, and only that.
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

/// Parses the names of models that come in.
///
/// # Safety
/// `names` is NULL or points to `count` strings.
pub(crate) unsafe fn references(
    names: *const *const c_char,
    count: usize,
) -> Result<Vec<Reference>, Fault> {
    // SAFETY: by the contract NULL or `count` pointers to strings.
    let names = unsafe { slice(names, count, "names") }?.iter();
    // SAFETY: as above.
    names
        .map(|name| Ok(unsafe { text(*name, "a name") }?.parse()?))
        .collect()
}

/// Borrows several paths, none of which may be NULL.
///
/// # Safety
/// `paths` is NULL or has `count` pointers, each of which is NULL or a string.
pub(crate) unsafe fn paths<'a>(
    paths: *const *const c_char,
    count: usize,
) -> Result<Vec<&'a Path>, Fault> {
    // SAFETY: by the contract.
    let paths = unsafe { slice(paths, count, "paths") }?;
    // SAFETY: by the contract.
    let each = paths.iter().map(|it| unsafe { path(*it, "path") });
    each.collect()
}

/// Moves an object to the caller, who frees it. Any thread may use it, and several at once.
pub(crate) fn out<T: Send + Sync>(place: &mut MaybeUninit<*mut T>, object: T) {
    place.write(Box::into_raw(Box::new(object)));
}

/// Refuses an argument.
pub(crate) fn invalid(text: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    Error::new(ErrorKind::InvalidArgument, text).into()
}

/// Frees an object that the caller gives back. That any thread may do so, while others used it, is
/// what the bounds say of every handle there is.
///
/// # Safety
/// `object` is NULL or came from [`out`] and was not freed.
pub(crate) unsafe fn free<T: Send + Sync>(object: *mut T) {
    query((), || {
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

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[test]
    fn a_panic_leaves_neither_a_query_nor_a_free() {
        assert_eq!(query(7, || panic!()), 7);
        let (handle, mut place) = (2, 1);
        // SAFETY: places of locals, and an object that is given up.
        unsafe {
            assert!(!get(&raw const handle, &raw mut place, |_| panic!()));
            assert_eq!(place, 1);
            let found = get(&raw const handle, &raw mut place, |handle| Some(*handle));
            assert!(found && place == 2);
            free(Box::into_raw(Box::new(Bomb)));
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
