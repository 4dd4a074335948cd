//! The modules of the binding stand above one another: none imports another in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules that a text imports from the crate.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let after = code.flat_map(|line| line.split("crate::").skip(1));
    let words = after.map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next());
    words.flatten().map(str::to_owned).collect()
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let mut modules = BTreeMap::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).expect("a directory") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a string");
        let name = path.file_stem().expect("a name").to_string_lossy();
        let mut imports = imports(&text);
        imports.remove(&*name);
        modules.insert(name.into_owned(), imports);
    }
    assert!(modules["status"].contains("boundary"));
    // Takes away what imports nothing that is left, until nothing is left or all import something.
    loop {
        let left: BTreeSet<String> = modules.keys().cloned().collect();
        modules.retain(|_, imports| imports.iter().any(|import| left.contains(import)));
        if modules.len() == left.len() {
            break;
        }
    }
    assert!(modules.is_empty(), "among {:?}", modules.keys());
}
