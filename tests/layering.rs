//! The strata of the engine: a module imports only from its own stratum and those below.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// From the bottom up. A module that is missing here fails the test, and so does one that is gone.
const STRATA: &[&[&str]] = &[
    &["error"],
    &[
        "capability",
        "chat_template",
        "config",
        "decode",
        "digest",
        "gguf",
        "go",
        "human",
        "json",
        "manifest",
        "media",
        "modelfile",
        "name",
        "output_parser",
        "parameters",
        "reference",
        "sha256",
        "template",
        "timestamp",
    ],
    &["fs"],
    &["store"],
    &["wire"],
];

fn stratum(module: &str) -> usize {
    let found = STRATA.iter().position(|modules| modules.contains(&module));
    found.unwrap_or_else(|| panic!("module {module} has no stratum"))
}

fn files(path: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// What a text imports from the crate: the words after `crate::`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .filter_map(|rest| {
            let end = rest
                .find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_')
                .unwrap_or(rest.len());
            rest.get(..end).filter(|word| !word.is_empty())
        })
}

#[test]
fn every_import_points_downwards() {
    let mut seen = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if module == "lib" {
            continue;
        }
        let mut texts = Vec::new();
        match path.is_dir() {
            true => files(&path, &mut texts),
            false => texts.push(fs::read_to_string(&path).unwrap()),
        }
        for import in texts.iter().flat_map(|text| imports(text)) {
            let (from, to) = (stratum(&module), stratum(import));
            assert!(to <= from, "{module} imports {import}, which lies above it");
        }
        seen.push(module);
    }
    let known: usize = STRATA.iter().map(|modules| modules.len()).sum();
    assert_eq!(seen.len(), known, "a stratum names a module that is gone");
}

#[test]
fn one_file_changes_the_disk() {
    let changes = [
        "fs::remove_",
        "fs::rename",
        "fs::hard_link",
        "fs::write",
        "File::create",
        "OpenOptions",
        "set_len",
    ];
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // Opening reads with options, too.
    let owners = [source.join("fs/ops.rs"), source.join("fs/read.rs")];
    let mut paths = vec![source];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let found = changes.iter().find(|change| code.contains(**change));
        let is_test = path.components().any(|part| part.as_os_str() == "crash");
        assert!(
            found.is_none() || is_test || owners.contains(&path),
            "{} has {found:?}",
            path.display()
        );
    }
}
