//! Equality of what reads like a sequence or a mapping: by contents.

use pyo3::prelude::*;
use pyo3::types::PyIterator;

/// Returns whether an object is of one of the classes of `collections.abc`.
pub(crate) fn is_instance(object: &Bound<'_, PyAny>, class: &str) -> PyResult<bool> {
    let class = object.py().import("collections.abc")?.getattr(class)?;
    object.is_instance(&class)
}

/// Returns whether two sequences of one length have equal elements.
pub(crate) fn all_equal(
    own: Bound<'_, PyIterator>,
    theirs: Bound<'_, PyIterator>,
) -> PyResult<bool> {
    for (one, other) in own.zip(theirs) {
        if !one?.eq(other?)? {
            return Ok(false);
        }
    }
    Ok(true)
}
