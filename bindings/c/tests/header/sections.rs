//! The sections of the header: what belongs together stands together, in an order to read, and
//! Doxygen makes a page of each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A section: its name, its title, what is in it, and the modules of the binding that declare that.
/// What one takes by value from another stands before it.
struct Section {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    modules: &'static [&'static str],
}

const fn section(
    name: &'static str,
    title: &'static str,
    about: &'static str,
    modules: &'static [&'static str],
) -> Section {
    Section {
        name,
        title,
        about,
        modules,
    }
}

const SECTIONS: &[Section] = &[
    section(
        "strings",
        "Strings",
        "What is borrowed, what the caller owns, and sizes and counts for people.",
        &["str", "string", "human"],
    ),
    section(
        "errors",
        "Errors",
        "How a call ended, why it failed, and what it had to pass over.",
        &["status", "problem"],
    ),
    section("library", "Library", "Which library is linked.", &["lib"]),
    section(
        "callbacks",
        "Callbacks",
        "How far a call is, and streams of the caller's.",
        &["progress", "stream"],
    ),
    section(
        "stores",
        "Stores",
        "Opening a models directory.",
        &["store"],
    ),
    section(
        "lists",
        "Lists",
        "All models of a store at one moment.",
        &["list"],
    ),
    section(
        "values",
        "Values",
        "The values of metadata, and arrays of them.",
        &["value"],
    ),
    section(
        "gguf",
        "GGUF files",
        "Metadata and tensors of a file, borrowed from where they are; files that are edited, split, merged \
         and written.",
        &["gguf", "gguf_edit", "gguf_split", "gguf_writer"],
    ),
    section(
        "tensors",
        "Tensors",
        "Tensors, their numbers, and models whose tensors are in several files.",
        &["tensor", "dequantize"],
    ),
    section(
        "comparing",
        "Comparing files",
        "The hashes of tensors, what two files differ in, and which models share tensors.",
        &["compare", "shared"],
    ),
    section(
        "shows",
        "Shown models",
        "Everything about one model: template, parameters, metadata, what it can do.",
        &["show", "show_info", "parameters"],
    ),
    section(
        "models",
        "Models",
        "A snapshot of one model: its layers, its paths, its config.",
        &["model", "config"],
    ),
    section(
        "finding",
        "Finding models",
        "By a digest, an ID, or a file.",
        &["which"],
    ),
    section(
        "copying",
        "Copying and renaming",
        "One more name for the same blobs, or another one.",
        &["copy"],
    ),
    section(
        "deleting",
        "Deleting",
        "Models, and the blobs that only they use.",
        &["delete"],
    ),
    section(
        "importing",
        "Importing",
        "A GGUF file, what a Modelfile says, or a model with edited metadata becomes a model.",
        &["import", "imported", "store_edit"],
    ),
    section(
        "archives",
        "Archives",
        "Models leave a store in the image layout of OCI, and come back.",
        &["export", "archive"],
    ),
    section(
        "registries",
        "Registries",
        "Models come from a registry of OCI images and go there, where the library was built with that.",
        &["registry_types", "registry"],
    ),
    section(
        "links",
        "Links",
        "Readable names for the files of a model, for other programs.",
        &["link"],
    ),
    section("blobs", "Blobs", "Single files by their digest.", &["blob"]),
    section(
        "verifying",
        "Verifying and repairing",
        "Every blob is compared with its digest, and what is damaged moves aside.",
        &["verify", "report", "repair"],
    ),
    section(
        "cleaning",
        "Collecting garbage",
        "Blobs that no model uses, and what Ollama does when it starts.",
        &["gc", "maintain"],
    ),
    section(
        "usage",
        "Disk usage",
        "What the disk holds, and for which models.",
        &["usage"],
    ),
    section(
        "diagnosis",
        "Diagnosis",
        "What is wrong with a store, and what to do.",
        &["doctor"],
    ),
    section(
        "api",
        "The HTTP API",
        "Requests of Ollama's clients, handled in process.",
        &["request"],
    ),
];

/// The name that a line of Rust declares for C.
fn declared(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ")?;
    let words = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names = words.filter(|word| word.starts_with("mkeep_") || word.starts_with("MKEEP_"));
    names.into_iter().next()
}

/// The module of each name.
fn modules(source: &Path) -> BTreeMap<String, String> {
    let mut modules = BTreeMap::new();
    for entry in fs::read_dir(source).expect("a directory") {
        let path = entry.expect("an entry").path();
        let module = path.file_stem().expect("a name").to_string_lossy();
        let text = fs::read_to_string(&path).expect("a string");
        let names = text.lines().filter_map(declared);
        modules.extend(names.map(|name| (name.to_owned(), module.clone().into_owned())));
    }
    modules
}

/// An item of the header without its comments.
fn code_of(item: &str) -> String {
    let after = item.split("/**").map(|part| match part.split_once("*/") {
        Some((_, code)) => code,
        None => part,
    });
    after.collect::<String>().trim().to_owned()
}

/// The name that an item of the header declares.
fn name_of(item: &str) -> String {
    let code = code_of(item);
    let before = match (code.split_once("(*"), code.strip_prefix("#define ")) {
        // A pointer to a function.
        (Some((_, name)), _) => name.split(')').next(),
        (_, Some(constant)) => constant.split(' ').next(),
        _ if code.starts_with("typedef") => code.strip_suffix(';'),
        // The name of a function stands before its parameters.
        _ => code.split('(').next(),
    };
    let name = before.and_then(|text| text.rsplit([' ', '*']).next());
    name.expect("a name").to_owned()
}

/// What a function says of threads.
fn threads(item: &str, name: &str, watched: &[String]) -> &'static str {
    if name.ends_with("_free") {
        return "Threads: any, as the last use of the handle.";
    }
    if watched
        .iter()
        .any(|options| item.contains(&format!("{options} *")))
    {
        return match item.contains("mkeep_read ") || item.contains("mkeep_write ") {
            true => "Threads: any, at any time.",
            false => "Threads: any, at any time; `progress` is called on the calling one.",
        };
    }
    "Threads: any, at any time."
}

/// Adds a paragraph to the comment of an item.
fn with_paragraph(item: &str, paragraph: &str) -> String {
    item.replacen("\n */\n", &format!("\n *\n * {paragraph}\n */\n"), 1)
}

fn is_function(item: &str) -> bool {
    let code = code_of(item);
    !code.starts_with("typedef") && !code.starts_with('#')
}

/// Puts the items of a header, each of which begins with a comment, into sections.
pub fn arrange(header: &str, source: &Path) -> String {
    let modules = modules(source);
    let (top, rest) = header.split_once("\n\n/**\n").expect("an item");
    let body = rest
        .replace(
            "#ifdef __cplusplus\nextern \"C\" {\n#endif // __cplusplus\n\n",
            "",
        )
        .replace(
            "\n\n#ifdef __cplusplus\n}  // extern \"C\"\n#endif  // __cplusplus\n",
            "",
        );
    let (body, end) = body.split_once("\n#endif  /*").expect("an end");
    let items: Vec<String> = body
        .split("\n\n/**\n")
        .map(|item| format!("/**\n{item}"))
        .collect();
    let watched = items
        .iter()
        .filter(|item| item.contains("  mkeep_progress progress;"));
    let watched: Vec<String> = watched.map(|item| name_of(item)).collect();
    let mut text = format!("{top}\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n");
    let mut placed = 0;
    for section in SECTIONS {
        let title = format!("@defgroup {} {}", section.name, section.title);
        text.push_str(&format!(
            "\n/**\n * {title}\n * {}\n * @{{\n */\n",
            section.about
        ));
        for item in &items {
            let name = name_of(item);
            let module = modules
                .get(&name)
                .unwrap_or_else(|| panic!("nobody declares {name}"));
            if section.modules.contains(&module.as_str()) {
                placed += 1;
                let item = match is_function(item) {
                    true => with_paragraph(item, threads(item, &name, &watched)),
                    false => item.clone(),
                };
                text.push_str(&format!("\n{}\n", item.trim_end()));
            }
        }
        text.push_str("\n/** @} */\n");
    }
    for module in modules.values() {
        let known = SECTIONS
            .iter()
            .any(|section| section.modules.contains(&module.as_str()));
        assert!(
            known,
            "the module {module} is in no section of tests/header/sections.rs"
        );
    }
    assert_eq!(placed, items.len(), "items without a section");
    text.push_str("\n#ifdef __cplusplus\n}\n#endif\n");
    format!("{text}\n#endif  /*{end}")
}
