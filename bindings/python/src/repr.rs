//! How objects show themselves.

use std::fmt::Debug;

/// Returns how an object shows itself: `Class(field=value, ...)`.
pub(crate) fn shown(class: &str, fields: &[(&str, &dyn Debug)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{class}({})", fields.join(", "))
}
