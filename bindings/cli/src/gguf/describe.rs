//! `modelkeep gguf FILE`: what is in a file, in sections.

use std::collections::BTreeMap;

use modelkeep::gguf::{FileType, Gguf, Index, TensorType, Value};
use modelkeep::{GgufFile, human_size};

use super::limits;
use super::tensors::type_name;
use crate::output::{Outcome, Output};
use crate::show::brief;
use crate::table::{section, table};

/// Prints what is in a file; arrays shortened, or whole.
pub(super) fn print(file: &GgufFile, arrays: bool, output: &mut Output) -> Outcome {
    if output.json {
        return output.line(file.view().to_json());
    }
    output.lines(describe(file.view(), file.size(), arrays))
}

/// Returns what the command prints of a file, given its bytes; nothing for what is no GGUF file.
/// For tests of hostile files.
#[doc(hidden)]
pub fn describe_bytes(bytes: &[u8]) -> Vec<String> {
    let size = bytes.len() as u64;
    let index = Index::parse(bytes, size, &limits(true, true));
    index.map_or(Vec::new(), |index| describe(index.view(bytes), size, false))
}

fn describe(gguf: Gguf<'_>, size: u64, arrays: bool) -> Vec<String> {
    let printed = |value: &Value<'_>| match value {
        Value::Array(_) if arrays => value.to_json(),
        value => brief(value),
    };
    let pairs = gguf
        .metadata()
        .map(|(key, value)| [key.to_string(), printed(&value)]);
    let warnings = gguf.warnings().iter().map(|warning| {
        let words = match warning.path() {
            "" => warning.message().to_owned(),
            path => format!("{path}: {}", warning.message()),
        };
        [warning.code().code().to_owned(), words]
    });
    let mut lines = section("File", facts(gguf, size));
    lines.extend(section("Metadata", pairs.collect()));
    lines.extend(tensors(gguf));
    lines.extend(section("Warnings", warnings.collect()));
    lines
}

fn facts(gguf: Gguf<'_>, size: u64) -> Vec<[String; 2]> {
    let text = |key: &str| {
        let value = gguf.get(key).and_then(|value| value.as_str());
        value.unwrap_or_default().to_owned()
    };
    let endian = format!("{:?}-endian", gguf.endian()).to_lowercase();
    let header = human_size(gguf.header_len());
    let rows = [
        ("name", text("general.name")),
        ("architecture", text("general.architecture")),
        (
            "parameters",
            modelkeep::human_number(gguf.parameter_count()),
        ),
        ("file type", file_type(gguf)),
        ("part", part(gguf)),
        ("version", format!("{}, {endian}", gguf.version())),
        ("alignment", gguf.alignment().to_string()),
        ("metadata", format!("{} pairs, {header}", gguf.len())),
        ("size", human_size(size)),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    rows.map(|(key, value)| [key.to_owned(), value]).collect()
}

fn file_type(gguf: Gguf<'_>) -> String {
    let Some(value) = gguf.get("general.file_type") else {
        return String::new();
    };
    let code = value.as_u64().and_then(|code| u32::try_from(code).ok());
    code.map_or_else(
        || format!("unknown ({})", brief(&value)),
        |code| FileType::from_code(code).to_string(),
    )
}

/// Returns the place of a part for people, who count from 1; the file may say any number.
fn part(gguf: Gguf<'_>) -> String {
    gguf.split().map_or(String::new(), |split| {
        format!("{} of {}", u128::from(split.index) + 1, split.count)
    })
}

fn tensors(gguf: Gguf<'_>) -> Vec<String> {
    if gguf.tensor_count() == 0 {
        return Vec::new();
    }
    let rows = by_type(gguf).into_iter();
    let lines = rows.map(|line| format!("  {line}"));
    ["Tensors".to_owned()]
        .into_iter()
        .chain(lines)
        .chain([String::new()])
        .collect()
}

/// What the tensors of a type have together.
#[derive(Default)]
struct Sum {
    count: usize,
    elements: u64,
    /// Not known where that of one is not.
    bytes: Option<u64>,
}

/// Returns the number, the parameters and the bytes of the tensors of each type.
fn by_type(gguf: Gguf<'_>) -> Vec<String> {
    let mut types: BTreeMap<u32, (TensorType, Sum)> = BTreeMap::new();
    for tensor in gguf.tensors() {
        let kind = tensor.tensor_type;
        let none = || {
            let bytes = Some(0);
            (
                kind,
                Sum {
                    bytes,
                    ..Sum::default()
                },
            )
        };
        let (_, sum) = types.entry(kind.code()).or_insert_with(none);
        sum.count += 1;
        sum.elements = sum.elements.saturating_add(tensor.elements());
        let bytes = sum.bytes.zip(tensor.size);
        sum.bytes = bytes.map(|(sum, more)| sum.saturating_add(more));
    }
    let rows = types.values().map(|(kind, sum)| {
        let bytes = sum.bytes.map(human_size);
        [
            type_name(*kind),
            sum.count.to_string(),
            modelkeep::human_number(sum.elements),
            bytes.unwrap_or("?".to_owned()),
        ]
    });
    table(["TYPE", "TENSORS", "PARAMETERS", "SIZE"], rows, &[1, 2, 3])
}
