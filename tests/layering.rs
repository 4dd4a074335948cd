//! The layers of the engine: a module imports only from its own layer and those below.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// From the bottom up. A module that is missing here fails the test, and so does one that is gone.
const LAYERS: &[&[&str]] = &[
    // Only tests have `skip`.
    &["error", "near", "skip", "sync"],
    &["go", "sha256"],
    &["name", "gguf", "template", "modelfile"],
    &["manifest", "oci"],
    &["capability", "registry"],
    &["fs"],
    &["store"],
    &["http_api"],
];

fn layer(module: &str) -> usize {
    let found = LAYERS.iter().position(|modules| modules.contains(&module));
    found.unwrap_or_else(|| panic!("module {module} has no layer"))
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
            let (from, to) = (layer(&module), layer(import));
            assert!(to <= from, "{module} imports {import}, which lies above it");
        }
        seen.push(module);
    }
    let known: usize = LAYERS.iter().map(|modules| modules.len()).sum();
    assert_eq!(seen.len(), known, "a layer names a module that is gone");
}

/// The calls that change a disk, as they are written: whatever is imported, its last segment is in
/// the text.
const CHANGES: &[&str] = &[
    "remove_file",
    "remove_dir",
    "fs::rename",
    "hard_link",
    " symlink(",
    "fs::symlink(",
    "symlink_file",
    "symlink_dir",
    "soft_link",
    "fs::write",
    "fs::copy",
    "io::copy",
    "create_dir",
    "DirBuilder",
    "File::create",
    "File::options",
    "OpenOptions",
    "set_len",
    "set_permissions",
    "set_times",
    "set_modified",
    "fchown",
    "chown(",
    "lchown",
    "mkfifo",
    "sync_all",
    "sync_data",
    "reflink_copy::",
    "rustix::fs",
    "change::",
    "windows_sys::",
    "libc::open",
    "libc::unlink",
    "libc::rename",
    "libc::mkdir",
    "libc::chmod",
    "libc::ftruncate",
    "NamedTempFile",
    "tempfile_in",
];

/// Files that may call what changes a disk: the one that owns it and its helper, those that open
/// for reading with options, and those that ask the system.
const OWNERS: &[(&str, &[&str])] = &[
    ("fs/ops.rs", CHANGES),
    ("fs/system/change.rs", CHANGES),
    ("fs/read.rs", &["OpenOptions"]),
    ("fs/system/open.rs", &["OpenOptions", "windows_sys::"]),
    (
        "fs/system/stat.rs",
        &["OpenOptions", "rustix::fs", "windows_sys::"],
    ),
    ("fs/system/directory.rs", &["OpenOptions", "rustix::fs"]),
    ("fs/system/local.rs", &["rustix::fs"]),
    ("fs/system/code.rs", &["OpenOptions", "windows_sys::"]),
    ("fs/system/holes.rs", &["rustix::fs"]),
    ("fs/system/lock.rs", &["windows_sys::"]),
    ("fs/system/pages.rs", &["rustix::fs"]),
    ("fs/system/user.rs", &["rustix::fs"]),
    ("fs/system/space.rs", &["rustix::fs", "windows_sys::"]),
    // To whatever the caller writes to.
    ("gguf/write.rs", &["io::copy"]),
];

/// The code of a file without its comments, without the modules that only tests have, and without
/// the calls of the owner of all changes.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() == "#[cfg(test)]" {
            skip_item(&mut lines, indent);
        } else {
            let line = line.split_once("//").map_or(line, |(code, _)| code);
            let mut parts = line.split("ops::");
            code.push_str(parts.next().unwrap_or_default());
            for part in parts {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                code.push_str(part.trim_start_matches(is_word));
            }
            code.push('\n');
        }
    }
    code
}

/// Passes over the item that follows: up to its closing brace at the same indentation, or to the
/// end of a line that has a semicolon.
fn skip_item<'t>(lines: &mut impl Iterator<Item = &'t str>, indent: usize) {
    for line in lines {
        let depth = line.len() - line.trim_start().len();
        let text = line.trim();
        if depth == indent && (text.ends_with(';') || text == "}" || text.ends_with('}')) {
            return;
        }
    }
}

/// Whether a call such as `fs::copy` is imported with others of its module: `fs::{self, copy}`.
fn is_imported_in_a_group(code: &str, call: &str) -> bool {
    let Some((module, call)) = call.trim_end_matches('(').split_once("::") else {
        return false;
    };
    let opening = format!("{module}::{{");
    let groups = code.split(&opening).skip(1);
    let mut words = groups.flat_map(|rest| {
        let group = rest.split('}').next().unwrap_or_default();
        group
            .split(',')
            .filter_map(|one| one.split_whitespace().next())
    });
    words.any(|word| word == call)
}

/// The first call in a text that changes a disk and that the file at `path` may not make.
fn breach(path: &str, text: &str) -> Option<&'static str> {
    let allowed = OWNERS.iter().find(|(owner, _)| *owner == path);
    let allowed = allowed.map_or(&[][..], |(_, calls)| calls);
    let code = code_of(text);
    let is_there = |call: &str| code.contains(call) || is_imported_in_a_group(&code, call);
    let mut found = CHANGES.iter().filter(|call| is_there(call));
    found.find(|call| !allowed.contains(call)).copied()
}

fn sources() -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut paths, mut found) = (vec![source.clone()], Vec::new());
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            paths.extend(entries.map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&source).unwrap().to_str().unwrap();
        found.push((name.to_owned(), text));
    }
    found
}

#[test]
fn one_file_changes_the_disk() {
    // These modules are compiled for tests only.
    let is_test = |name: &str| {
        name.starts_with("store/crash/") || name.contains("/tests") || name == "skip.rs"
    };
    let sources = sources();
    let checked = sources.iter().filter(|(name, _)| !is_test(name));
    let found = checked.filter_map(|(name, text)| Some((name, breach(name, text)?)));
    assert_eq!(found.collect::<Vec<_>>(), []);
}

#[test]
fn a_planted_breach_is_found_wherever_it_is() {
    let sources = sources();
    let (_, text) = sources
        .iter()
        .find(|(name, _)| name == "fs/staged.rs")
        .unwrap();
    for call in CHANGES {
        let planted = format!("fn planted() {{\n    let _ = {call}x);\n}}\n");
        let texts = [
            format!("{planted}{text}"),
            format!("{text}\n{planted}"),
            format!("#[cfg(test)]\nmod tests {{\n    fn x() {{}}\n}}\n{planted}"),
            format!("#[cfg(test)]\nmod crash;\n{planted}"),
            format!("#[cfg(test)]\nuse std::io;\n{planted}"),
        ];
        for text in &texts {
            assert!(breach("fs/staged.rs", text).is_some(), "{call} in\n{text}");
        }
        assert!(
            breach("fs/read.rs", &planted).is_some() || *call == "OpenOptions",
            "{call}"
        );
        if let Some((module, name)) = call.trim_end_matches('(').split_once("::") {
            let planted = format!("use std::{module}::{{self, {name} as other, x}};\n");
            let found = breach("fs/lock.rs", &planted);
            assert!(found.is_some() || name.is_empty(), "{planted}");
        }
        let in_tests = format!("#[cfg(test)]\nmod tests {{\n    {planted}\n}}\n");
        assert_eq!(breach("fs/lock.rs", &in_tests), None, "{call}");
    }
}

/// What only the folder that owns the differences between systems may say.
const OF_SYSTEMS: &[&str] = &[
    "cfg(unix",
    "cfg(windows",
    "cfg!(unix",
    "cfg!(windows",
    "cfg(not(",
    "cfg(any(",
    "cfg(all(",
    "cfg!(any(",
    "cfg!(not(",
    "cfg_attr(unix",
    "cfg_attr(windows",
    "target_os",
    "target_family",
    "target_vendor",
    "target_env",
    "env::consts",
    "os::unix",
    "os::fd",
    "os::linux",
    "os::macos",
    "os::windows",
    "os::raw",
    "libc::",
    "rustix::",
    "windows_sys::",
];

/// The first word in a text by which it asks for the system it is on, or uses what only one has.
/// What the processor is, the hash kernels may ask.
fn of_a_system(path: &str, text: &str) -> Option<&'static str> {
    if path.starts_with("fs/system/") {
        return None;
    }
    let mut code = code_of(text).replace("cfg(not(test))", "");
    if path.starts_with("sha256/") {
        code = code.replace("cfg(not(target_arch", "");
    }
    OF_SYSTEMS
        .iter()
        .find(|word| code.contains(**word))
        .copied()
}

#[test]
fn one_folder_knows_which_system_it_is_on() {
    let is_test = |name: &str| {
        name.starts_with("store/crash/") || name.contains("/tests") || name == "skip.rs"
    };
    let sources = sources();
    let checked = sources.iter().filter(|(name, _)| !is_test(name));
    let found = checked.filter_map(|(name, text)| Some((name, of_a_system(name, text)?)));
    assert_eq!(found.collect::<Vec<_>>(), []);
}

#[test]
fn a_planted_question_for_the_system_is_found_but_in_its_folder() {
    let sources = sources();
    for (name, text) in &sources {
        for planted in [
            "#[cfg(unix)]\nfn x() {}\n",
            "#[cfg(not(windows))]\nfn x() {}\n",
            "#[cfg(any(target_os = \"macos\", test))]\nfn x() {}\n",
            "fn x() -> bool {\n    cfg!(windows)\n}\n",
            "use std::os::unix::fs::MetadataExt;\n",
            "use std::os::fd::AsRawFd;\n",
            "const X: i32 = libc::ENOENT;\n",
            "fn x() {\n    rustix::process::geteuid();\n}\n",
        ] {
            let found = of_a_system(name, &format!("{planted}{text}"));
            assert_eq!(
                found.is_none(),
                name.starts_with("fs/system/"),
                "{name}: {planted}"
            );
        }
    }
}
