//! `modelkeep show` for people.

use modelkeep::{Show, gguf::Value};

use crate::output::{Outcome, Output, section};

/// Prints the facts first, then the texts, in sections.
pub(crate) fn print(show: &Show, verbose: bool, output: &mut Output) -> Outcome {
    output.lines(section("Model", facts(show)))?;
    let capabilities: Vec<_> = show
        .capabilities
        .iter()
        .map(|word| [word.to_string(), String::new()])
        .collect();
    output.lines(section("Capabilities", capabilities))?;
    let parameters = show.parameters.lines().map(|line| {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        [key.to_owned(), value.trim_start().to_owned()]
    });
    output.lines(section("Parameters", parameters.collect()))?;
    if verbose {
        output.lines(section("Metadata", metadata(show)))?;
        let tensors = show.tensors.iter().map(|tensor| {
            [
                tensor.name.clone(),
                format!("{} {:?}", tensor.r#type, tensor.shape),
            ]
        });
        output.lines(section("Tensors", tensors.collect()))?;
    }
    text(output, "System", &show.system, usize::MAX)?;
    let lines = if verbose { usize::MAX } else { 2 };
    text(output, "License", &show.license, lines)
}

fn facts(show: &Show) -> Vec<[String; 2]> {
    let details = &show.details;
    let metadata = |key: &str| {
        let gguf = show.model_info.gguf()?;
        let architecture = gguf.get("general.architecture")?.as_str()?;
        gguf.get(&format!("{architecture}.{key}"))?
            .as_u64()
            .map(|number| number.to_string())
    };
    let rows = [
        ("family", details.family.clone()),
        ("format", details.format.clone()),
        ("parameters", details.parameter_size.clone()),
        ("quantization", details.quantization_level.clone()),
        (
            "context length",
            metadata("context_length").unwrap_or_default(),
        ),
        (
            "embedding length",
            metadata("embedding_length").unwrap_or_default(),
        ),
        ("made from", details.parent_model.clone()),
        ("served by", show.remote_host.clone()),
        ("known there as", show.remote_model.clone()),
        ("requires", show.requires.clone()),
        ("modified", show.modified_at.to_string()),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    rows.map(|(key, value)| [key.to_owned(), value]).collect()
}

fn metadata(show: &Show) -> Vec<[String; 2]> {
    let Some(gguf) = show.model_info.gguf() else {
        return Vec::new();
    };
    gguf.metadata()
        .map(|(key, value)| [key.to_string(), brief(&value)])
        .collect()
}

/// Returns a value on one line: long texts and arrays are shortened.
pub(crate) fn brief(value: &Value<'_>) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Array(array) => {
            let shown: Vec<String> = array.iter().take(5).map(|item| brief(&item)).collect();
            let more = if array.len() > 5 { ", ..." } else { "" };
            let kind = array.element_type().name();
            format!("{} {kind}: [{}{more}]", array.len(), shown.join(", "))
        }
        Value::Str(text) => {
            let text = text.lossy();
            let line: String = text.chars().take(LONGEST).collect();
            let more = if line.len() < text.len() { "..." } else { "" };
            format!("{line:?}{more}")
        }
        Value::U8(v) => v.to_string(),
        Value::I8(v) => v.to_string(),
        Value::U16(v) => v.to_string(),
        Value::I16(v) => v.to_string(),
        Value::U32(v) => v.to_string(),
        Value::I32(v) => v.to_string(),
        Value::U64(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::F32(v) => v.to_string(),
        Value::F64(v) => v.to_string(),
        Value::Bool(v) => v.to_string(),
        // A type of a later release of the format.
        other => format!("{other:?}"),
    }
}

fn text(output: &mut Output, title: &str, text: &str, lines: usize) -> Outcome {
    if text.is_empty() {
        return Ok(());
    }
    output.line(title)?;
    let shown: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(lines)
        .collect();
    shown
        .iter()
        .try_for_each(|line| output.line(format!("  {}", line.replace('\t', "    "))))?;
    output.line("")
}
