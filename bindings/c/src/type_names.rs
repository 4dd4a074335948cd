//! The names of the types of tensors, with a NUL after each.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use engine::gguf::TensorType;

use crate::str::{OwnedStr, mkeep_str};

/// The names of the types that are known, by number.
static TYPE_NAMES: LazyLock<BTreeMap<u32, OwnedStr>> = LazyLock::new(|| {
    let types = TensorType::all();
    types
        .map(|kind| (kind.code(), OwnedStr::new(kind.name())))
        .collect()
});

/// Makes the names, for a file that is being opened: what reads its tensors allocates nothing.
pub(crate) fn prepare() {
    LazyLock::force(&TYPE_NAMES);
}

pub(crate) fn type_name(kind: TensorType) -> mkeep_str {
    let name = TYPE_NAMES.get(&kind.code());
    name.map_or(mkeep_str::terminated(c"unknown"), OwnedStr::view)
}
