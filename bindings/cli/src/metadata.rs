//! `modelkeep gguf`.

use std::collections::BTreeMap;
use std::path::Path;

use indicatif::DecimalBytes;
use modelkeep::gguf::{Fault, Gguf, Limits, TensorType};
use modelkeep::{GgufFile, GgufOptions, StoreOptions};

use crate::output::{Outcome, Output, table};
use crate::show::{brief, section};

pub(crate) fn run(
    file: &Path,
    lenient: bool,
    options: StoreOptions,
    output: &mut Output,
) -> Outcome {
    let limits = if lenient {
        Limits::lenient()
    } else {
        Limits::strict()
    };
    let opened = GgufFile::open(file, &GgufOptions::new(limits).mmap(options.maps()));
    let file = match opened {
        Ok(file) => file,
        Err(error) => match error.cause_of::<Fault>().filter(|_| output.json) {
            Some(fault) => {
                output.found_a_problem();
                return output.line(fault.to_json());
            }
            None => return Err(error.into()),
        },
    };
    if output.json {
        return output.line(file.view().to_json());
    }
    print(&file, output)
}

fn print(file: &GgufFile, output: &mut Output) -> Outcome {
    let gguf = file.view();
    section(output, "File", facts(file, gguf))?;
    let pairs = gguf
        .metadata()
        .map(|(key, value)| [key.to_string(), brief(&value)]);
    section(output, "Metadata", pairs.collect())?;
    if gguf.tensor_count() > 0 {
        output.line("Tensors")?;
        for line in by_type(gguf).lines() {
            output.line(format!("  {line}"))?;
        }
        output.line("")?;
    }
    let warnings = gguf.warnings().iter();
    let warnings = warnings.map(|warning| [warning.code().code().into(), warning.path().into()]);
    section(output, "Warnings", warnings.collect())
}

fn facts(file: &GgufFile, gguf: Gguf<'_>) -> Vec<[String; 2]> {
    let text = |key: &str| {
        gguf.get(key)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
    };
    let file_type = gguf
        .get("general.file_type")
        .and_then(|value| value.as_u64());
    let file_type = file_type.and_then(|code| u32::try_from(code).ok());
    let file_type = file_type.and_then(|code| modelkeep::gguf::FileType::from_code(code).name());
    let split = gguf
        .split()
        .map(|split| format!("{} of {}", split.no + 1, split.count));
    let rows = [
        ("name", text("general.name").to_owned()),
        ("architecture", text("general.architecture").to_owned()),
        (
            "parameters",
            modelkeep::human_number(gguf.parameter_count()),
        ),
        ("file type", file_type.unwrap_or_default().to_owned()),
        ("part", split.unwrap_or_default()),
        (
            "version",
            format!("{}, {:?}-endian", gguf.version(), gguf.endian()).to_lowercase(),
        ),
        ("alignment", gguf.alignment().to_string()),
        (
            "metadata",
            format!(
                "{} pairs, {}",
                gguf.len(),
                DecimalBytes(gguf.metadata_end())
            ),
        ),
        ("size", DecimalBytes(file.size()).to_string()),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    rows.map(|(key, value)| [key.to_owned(), value]).collect()
}

/// Number, parameters and bytes of the tensors of each type.
fn by_type(gguf: Gguf<'_>) -> String {
    let mut types: BTreeMap<u32, (TensorType, usize, u64, u64)> = BTreeMap::new();
    for tensor in gguf.tensors() {
        let kind = tensor.tensor_type;
        let (_, count, elements, bytes) = types.entry(kind.code()).or_insert((kind, 0, 0, 0));
        *count += 1;
        *elements = elements.saturating_add(tensor.elements());
        *bytes = bytes.saturating_add(tensor.size.unwrap_or(0));
    }
    let rows = types.values().map(|(kind, count, elements, bytes)| {
        let (elements, bytes) = (modelkeep::human_number(*elements), DecimalBytes(*bytes));
        [
            kind.to_string(),
            count.to_string(),
            elements,
            bytes.to_string(),
        ]
    });
    table(["TYPE", "TENSORS", "PARAMETERS", "SIZE"], rows, &[1, 2, 3])
}
