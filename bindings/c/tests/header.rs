//! The checked-in header is the one that the binding has. `BLESS=1` writes it.

use std::collections::BTreeSet;
use std::path::Path;

#[path = "header/sections.rs"]
mod sections;

#[test]
fn the_header_is_current() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = here.join("../../include/modelkeep.h");
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("a configuration");
    let builder = cbindgen::Builder::new().with_config(config);
    // The root names the modules, which are read with it.
    let builder = builder.with_src(here.join("src/lib.rs"));
    let bindings = builder.generate().expect("a header");
    let mut header = Vec::new();
    bindings.write(&mut header);
    let header = String::from_utf8(header).expect("a string");
    let header = sections::arrange(&header, &here.join("src"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &header).expect("written");
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == header,
        "include/modelkeep.h is not current: run with BLESS=1"
    );
}

/// The functions that the header declares.
fn functions() -> BTreeSet<&'static str> {
    let header = include_str!("../../../include/modelkeep.h");
    let code = header.lines().filter(|line| !line.starts_with(' '));
    let names = code.filter_map(|line| line.split_once('('));
    let names = names.filter_map(|(before, _)| before.rsplit([' ', '*']).next());
    names.filter(|name| name.starts_with("mkeep_")).collect()
}

#[test]
fn the_page_has_every_function() {
    let page = include_str!("../../../docs/c-api.md");
    assert!(functions().contains("mkeep_store_open"));
    for name in functions() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

/// `NotFound` as C has it: `NOT_FOUND`.
fn shouted(name: &str) -> String {
    let mut shouted = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !shouted.is_empty() {
            shouted.push('_');
        }
        shouted.push(letter.to_ascii_uppercase());
    }
    shouted
}

#[test]
fn the_statuses_agree_with_the_table_of_kinds() {
    let status = include_str!("../src/status.rs");
    let page = include_str!("../../../docs/c-api.md");
    for kind in engine::ErrorKind::ALL {
        let (name, code, http) = (kind.name(), kind.code(), kind.http_status());
        let line = format!("    {name} = {code},");
        assert!(status.contains(&line), "{line}");
        let row = format!("| `MKEEP_STATUS_{}` | {code} | {http} |", shouted(name));
        assert!(page.contains(&row), "{row}");
    }
}
