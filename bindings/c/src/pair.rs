//! Keys of metadata with their values.

use engine::ModelInfo;

use crate::boundary::{borrow, output, query};
use crate::str::{Strings, mkeep_str};
use crate::value::mkeep_value;

/// A key and its value.
pub(crate) type Pair = (mkeep_str, mkeep_value);

/// Returns the pairs of some metadata. The values borrow from it: it must live as long as they.
pub(crate) fn pairs(strings: &mut Strings, info: &ModelInfo) -> Vec<Pair> {
    let pairs = info.iter();
    pairs
        .map(|(key, value)| (strings.add(key.as_bytes()), value.into()))
        .collect()
}

/// Looks for a pair of a handle: writes what it finds, and returns whether it did.
///
/// # Safety
/// As [`borrow`] and [`output`].
pub(crate) unsafe fn get_pair<H>(
    handle: *const H,
    key: *mut mkeep_str,
    value: *mut mkeep_value,
    body: impl FnOnce(&H) -> Option<Pair>,
) -> bool {
    // SAFETY: by the contract.
    query(false, || unsafe {
        let (handle, key, value) = (borrow(handle, "the handle")?, output(key)?, output(value)?);
        let found = body(handle).map(|pair| (key.write(pair.0), value.write(pair.1)));
        Ok(found.is_some())
    })
}
