//! Every file of the corpus gives the outcome that its manifest names.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use modelkeep::gguf::{Limits, Lossless, ParseError};
use modelkeep::{GgufFile, GgufOptions};
use serde_json::Value;

/// The four kinds of a file that is shorter than it says are one class.
const SHORT: [&str; 4] = [
    "truncated",
    "length_out_of_bounds",
    "count_too_large",
    "array_too_large",
];

fn class(kind: &str) -> &str {
    if SHORT.contains(&kind) {
        SHORT[0]
    } else {
        kind
    }
}

/// The outcome of a file: its JSON and the codes of its warnings, or the kind of its fault.
fn read(path: &Path, options: &GgufOptions) -> Result<(Value, Vec<String>), String> {
    let file = GgufFile::open(path, options).map_err(|error| {
        let fault = error
            .cause_of::<ParseError>()
            .expect("a fault of the format");
        fault.kind().code().to_owned()
    })?;
    let view = file.view();
    let codes = view
        .warnings()
        .iter()
        .map(|warning| warning.code().code().to_owned());
    Ok((
        serde_json::to_value(Lossless(view)).unwrap(),
        codes.collect(),
    ))
}

fn check(
    entry: &Value,
    expect: &str,
    found: &Result<(Value, Vec<String>), String>,
) -> Result<(), String> {
    match (expect, found) {
        ("either", _) => Ok(()),
        ("ok", Ok((json, _))) => match entry.get("json") {
            Some(expected) if expected != json => Err(format!("{json}\nwhere expected {expected}")),
            _ => Ok(()),
        },
        ("error", Err(kind)) => {
            let kinds = entry["error_kinds"].as_array().into_iter().flatten();
            let mut kinds = kinds.filter_map(Value::as_str).peekable();
            if kinds.peek().is_none() || kinds.any(|expected| class(expected) == class(kind)) {
                return Ok(());
            }
            Err(format!("{kind}, where expected {}", entry["error_kinds"]))
        }
        (_, Ok(_)) => Err("it was read".to_owned()),
        (_, Err(kind)) => Err(format!("it was refused: {kind}")),
    }
}

#[test]
fn every_file_of_the_corpus_gives_its_outcome() {
    let Some(corpus) = common::shared("gguf/corpus") else {
        return;
    };
    let manifest = std::fs::read(corpus.join("manifest.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_slice(&manifest).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut failures = Vec::new();
    for entry in &entries {
        let name = entry["file"].as_str().unwrap();
        let path = prepared(entry, &corpus.join(name), scratch.path());
        let lenient = entry["lenient"].as_str();
        let expect = entry["expect"].as_str().unwrap();
        for (limits, expect) in [
            (Limits::strict(), expect),
            (Limits::lenient(), lenient.unwrap_or(expect)),
        ] {
            for mmap in [true, false] {
                let options = GgufOptions::new().limits(limits).mmap(mmap);
                if let Err(text) = check(entry, expect, &read(&path, &options)) {
                    failures.push(format!(
                        "{name} {:?} mmap={mmap}: {text}",
                        limits.strictness
                    ));
                }
            }
        }
        if let (Some(expected), Ok((_, codes))) = (
            entry["warnings"].as_array(),
            read(&path, &GgufOptions::new().limits(Limits::lenient())),
        ) {
            let missing = expected.iter().filter_map(Value::as_str);
            let missing: Vec<_> = missing
                .filter(|code| !codes.iter().any(|c| c == code))
                .collect();
            if !missing.is_empty() {
                failures.push(format!("{name}: no warnings {missing:?} among {codes:?}"));
            }
        }
    }
    println!("{} files of the corpus", entries.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The file, or a sparse copy of the size that its entry names.
fn prepared(entry: &Value, path: &Path, scratch: &Path) -> PathBuf {
    let Some(size) = entry["truncate_to"].as_u64() else {
        return path.to_owned();
    };
    let copy = scratch.join(path.file_name().unwrap());
    std::fs::copy(path, &copy).unwrap();
    let file = std::fs::File::options().write(true).open(&copy).unwrap();
    file.set_len(size).unwrap();
    copy
}
