//! Tables for notebooks.

use modelkeep::human_size;
use pyo3::prelude::*;

/// A column: its head, and the attribute that it shows.
pub(crate) enum Column {
    Text(&'static str, &'static str),
    Bytes(&'static str, &'static str),
}

use Column::{Bytes, Text};

pub(crate) const LISTING: &[Column] = &[
    Text("name", "name"),
    Bytes("size", "size"),
    Text("family", "details.family"),
    Text("parameters", "details.parameter_size"),
    Text("quantization", "details.quantization_level"),
    Text("capabilities", "capabilities"),
];
pub(crate) const USAGE: &[Column] = &[
    Text("name", "name"),
    Bytes("own", "exclusive"),
    Bytes("shared", "shared"),
    Text("missing", "missing"),
];
pub(crate) const REPORT: &[Column] = &[
    Text("digest", "digest"),
    Text("status", "status"),
    Bytes("size", "size"),
    Text("models", "models"),
    Text("detail", "detail"),
];

/// Returns the objects of a list as a table, whose texts are escaped, and below it a line.
pub(crate) fn table(rows: &Bound<'_, PyAny>, columns: &[Column], below: &str) -> PyResult<String> {
    let heads: String = columns
        .iter()
        .map(|(Text(head, _) | Bytes(head, _))| format!("<th>{head}</th>"))
        .collect();
    let mut html = format!("<table><thead><tr>{heads}</tr></thead><tbody>");
    for row in rows.try_iter()? {
        let row = row?;
        html.push_str("<tr>");
        for column in columns {
            html.push_str(&format!("<td>{}</td>", escaped(&cell(&row, column)?)));
        }
        html.push_str("</tr>");
    }
    html.push_str(&format!("</tbody></table><p>{}</p>", escaped(below)));
    Ok(html)
}

fn cell(row: &Bound<'_, PyAny>, column: &Column) -> PyResult<String> {
    let (Text(_, path) | Bytes(_, path)) = column;
    let mut value = row.clone();
    for name in path.split('.') {
        value = value.getattr(name)?;
    }
    if matches!(column, Bytes(..)) {
        // What a manifest states may be negative.
        let bytes: i128 = value.extract()?;
        return Ok(u64::try_from(bytes).map_or_else(|_| bytes.to_string(), human_size));
    }
    match value.extract::<Vec<String>>() {
        Ok(texts) if !value.is_instance_of::<pyo3::types::PyString>() => Ok(texts.join(", ")),
        _ => Ok(value.str()?.to_string()),
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('>', "&gt;").replace('"', "&quot;");
    text.replace('\'', "&#39;")
}
