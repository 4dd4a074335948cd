//! Equality of what reads like a sequence or a mapping: by contents.

use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

/// Returns whether an object is of one of the classes of `collections.abc`.
pub(crate) fn is_instance(object: &Bound<'_, PyAny>, class: &str) -> PyResult<bool> {
    let class = object.py().import("collections.abc")?.getattr(class)?;
    object.is_instance(&class)
}

/// Makes a class one of those of `collections.abc`.
pub(crate) fn register_as<T: PyTypeInfo>(py: Python<'_>, class: &str) -> PyResult<()> {
    // What `collections.abc` has, and loaded already, as that is not.
    let class = py.import("_collections_abc")?.getattr(class)?;
    class.call_method1("register", (py.get_type::<T>(),))?;
    Ok(())
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
