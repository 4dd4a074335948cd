//! The modules of each binding stand above one another: none imports another in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules that a text imports from the crate.
fn imports_of(text: &str) -> BTreeSet<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let after = code.flat_map(|line| line.split("crate::").skip(1));
    let words = after.map(|rest| {
        rest.split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
            .next()
    });
    words.flatten().map(str::to_owned).collect()
}

/// The text of a module: of one that is a folder all its files.
fn text_of(path: &Path) -> String {
    if path.is_file() {
        return fs::read_to_string(path).expect("a string");
    }
    let entries = fs::read_dir(path).expect("a directory");
    let texts = entries.map(|entry| text_of(&entry.expect("an entry").path()));
    texts.collect::<Vec<_>>().join("\n")
}

/// What each module of a binding imports from the others.
fn modules(binding: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = BTreeMap::new();
    let bindings = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for entry in fs::read_dir(bindings.join(binding).join("src")).expect("a directory") {
        let path = entry.expect("an entry").path();
        let text = text_of(&path);
        let name = path.file_stem().expect("a name").to_string_lossy();
        let mut imports = imports_of(&text);
        imports.remove(&*name);
        modules.insert(name.into_owned(), imports);
    }
    modules
}

/// Takes away what imports nothing that is left, until nothing is left or all import something.
fn circles(mut modules: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    loop {
        let left: BTreeSet<String> = modules.keys().cloned().collect();
        modules.retain(|_, imports| imports.iter().any(|import| left.contains(import)));
        if modules.len() == left.len() {
            return modules;
        }
    }
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    for (binding, upper, lower) in [
        ("c", "show_info", "show"),
        ("python", "split_gguf", "parse_error"),
        ("cli", "commands", "output"),
        ("http", "server", "router"),
    ] {
        let modules = modules(binding);
        assert!(modules.contains_key(upper) && modules.contains_key(lower));
        assert!(modules.values().any(|imports| imports.contains(lower)));
        let circles = circles(modules);
        assert!(circles.is_empty(), "{binding}: {circles:?}");
    }
}

#[test]
fn a_circle_is_seen() {
    let imports = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let mut modules = BTreeMap::from([
        ("a_b".to_owned(), imports(&["c"])),
        ("c".to_owned(), imports(&["d"])),
        ("d".to_owned(), imports(&[])),
    ]);
    assert!(circles(modules.clone()).is_empty());
    modules.insert("d".to_owned(), imports_of("use crate::a_b::X;"));
    assert_eq!(circles(modules).len(), 3);
}
