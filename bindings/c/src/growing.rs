//! Structs of the header that may grow at their end: each begins with its size as the caller knows
//! it, so that programs and libraries of different releases understand each other.

use std::mem::MaybeUninit;
use std::ptr;

use crate::boundary::{Fault, borrow, invalid, query, slice};

/// A struct of the header that may grow at its end.
///
/// # Safety
/// It is `repr(C)`, and its first field is a `usize`: its size as the caller knows it.
pub(crate) unsafe trait Growing: Copy {}

/// Marks structs of the header that may grow, each with its last field. Nothing follows that: a
/// later field would otherwise be in bytes that an older program or library left as they were.
macro_rules! growing {
    ($($Type:ident: $last:ident),+ $(,)?) => {$(
        const _: () = {
            const fn size_of_field<T, F>(_: fn(&T) -> &F) -> usize {
                size_of::<F>()
            }
            let first: fn(&$Type) -> &usize = |it| &it.size;
            assert!(std::mem::offset_of!($Type, size) == 0 && size_of_field(first) > 0);
            let end = std::mem::offset_of!($Type, $last) + size_of_field(|it: &$Type| &it.$last);
            assert!(end == size_of::<$Type>());
        };
        // SAFETY: the field `size` is first and a `usize`, as was just checked; that the struct is
        // `repr(C)` the programs of `tests/c` prove, which could not declare one otherwise.
        unsafe impl $crate::growing::Growing for $Type {}
    )+};
}
pub(crate) use growing;

/// Writes as much of a struct as the caller has room for, and says in its `size` how much that is.
/// False where the caller has not stated its size.
///
/// # Safety
/// `place` is NULL, or begins with a size that may be read and as many bytes may be written.
pub(crate) unsafe fn fill<T: Growing>(place: *mut T, value: &T) -> Result<bool, Fault> {
    if place.is_null() {
        return Err(Fault::Null("the result"));
    }
    let size = place.cast::<usize>();
    // SAFETY: not NULL, so by the contract a size may be read there, and bytes may be written up
    // to the smaller of that size and the struct's own.
    unsafe {
        let known = size.read().min(size_of::<T>());
        if known < size_of::<usize>() {
            return Ok(false);
        }
        ptr::copy_nonoverlapping(ptr::from_ref(value).cast::<u8>(), place.cast::<u8>(), known);
        size.write(known);
    }
    Ok(true)
}

/// Options that come in.
///
/// # Safety
/// Besides [`Growing`]: of its fields, any bytes are a value, and zero is the default.
pub(crate) unsafe trait Options: Growing {}

/// Reads options; those of NULL are all zero. What an older caller does not know is zero, and what
/// only a later release knows must be.
///
/// # Safety
/// `options` is NULL or points to as many bytes as its first field says.
pub(crate) unsafe fn options<T: Options>(options: *const T) -> Result<T, Fault> {
    let mut known = MaybeUninit::<T>::zeroed();
    // SAFETY: NULL becomes `None`; otherwise by the contract a size can be read there, and then as
    // many bytes as it says.
    let stated = unsafe { options.cast::<usize>().as_ref() }.copied();
    // SAFETY: as above.
    let bytes = unsafe { slice(options.cast::<u8>(), stated.unwrap_or(0), "options") }?;
    if stated.is_some_and(|stated| stated < size_of::<usize>()) {
        return Err(invalid("the size of the options is that of no release"));
    }
    reserved(bytes.get(size_of::<T>()..).unwrap_or_default())?;
    let count = bytes.len().min(size_of::<T>());
    // SAFETY: both have as many bytes; every byte of `known` is then the caller's or zero, of which
    // by `Options` any is a value.
    unsafe {
        ptr::copy_nonoverlapping(bytes.as_ptr(), known.as_mut_ptr().cast::<u8>(), count);
        Ok(known.assume_init())
    }
}

/// Looks for one of many in a handle, as [`get`](crate::boundary::get) does, and fills a struct.
///
/// # Safety
/// As [`borrow`] and [`fill`].
pub(crate) unsafe fn get_sized<H, T: Growing>(
    handle: *const H,
    place: *mut T,
    body: impl FnOnce(&H) -> Option<T>,
) -> bool {
    query(false, || {
        // SAFETY: by the contract.
        let handle = unsafe { borrow(handle, "the handle") }?;
        match body(handle) {
            // SAFETY: by the contract.
            Some(found) => unsafe { fill(place, &found) },
            None => Ok(false),
        }
    })
}

/// Refuses options of a later release: the bytes that only that knows are not zero.
pub(crate) fn reserved(bytes: &[u8]) -> Result<(), Fault> {
    match bytes.iter().all(|byte| *byte == 0) {
        true => Ok(()),
        false => Err(invalid(
            "the options ask for what only a later release can do",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Now {
        size: usize,
        old: u64,
        new: u64,
    }

    growing!(Now: new);
    // SAFETY: numbers.
    unsafe impl Options for Now {}

    /// A caller's struct of three words, of which the first is its size.
    fn filled(size: usize) -> (bool, [usize; 4]) {
        let mut place = [size, 7, 7, 7];
        let value = Now {
            size: size_of::<Now>(),
            old: 1,
            new: 2,
        };
        // SAFETY: the place has the bytes of the largest size that is asked for.
        let done = unsafe { fill(place.as_mut_ptr().cast::<Now>(), &value) };
        (done.is_ok_and(|done| done), place)
    }

    #[test]
    fn a_struct_is_filled_as_far_as_the_caller_knows_it() {
        assert_eq!(filled(24), (true, [24, 1, 2, 7]));
        assert_eq!(filled(16), (true, [16, 1, 7, 7]));
        assert_eq!(filled(32), (true, [24, 1, 2, 7]));
        assert_eq!(filled(0), (false, [0, 7, 7, 7]));
    }

    /// What is read of a caller's options of so many words.
    fn read(words: &[usize]) -> Option<(u64, u64)> {
        // SAFETY: the first word says how many bytes there are.
        let read = unsafe { options(words.as_ptr().cast::<Now>()) };
        read.ok().map(|now| (now.old, now.new))
    }

    #[test]
    fn options_of_an_older_and_a_later_caller_are_read() {
        assert_eq!(read(&[24, 1, 2]), Some((1, 2)));
        assert_eq!(read(&[16, 1]), Some((1, 0)));
        assert_eq!(read(&[32, 1, 2, 0]), Some((1, 2)));
        assert_eq!(read(&[32, 1, 2, 3]), None);
        assert_eq!(read(&[3]), None);
        // SAFETY: NULL is allowed.
        let none = unsafe { options(ptr::null::<Now>()) };
        assert!(none.is_ok_and(|now| now.old == 0 && now.new == 0));
    }
}
