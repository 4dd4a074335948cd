//! `modelkeep gguf edit`: a file, the same file, or a model.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Shell, fixture};

/// The path of a file in the shell's directory.
fn place(shell: &Shell, name: &str) -> String {
    let path = shell.directory.path().join(name);
    path.to_str().unwrap().to_owned()
}

fn value(shell: &Shell, file: &str, key: &str) -> String {
    shell.run(&["gguf", file, key]).out
}

#[test]
fn keys_are_renamed_removed_and_set_and_keep_their_types() {
    let shell = Shell::new();
    let (to, template) = (place(&shell, "edited.gguf"), place(&shell, "chat.jinja"));
    fs::write(&template, "[INST] {{ messages }}\n").unwrap();
    let edit = [
        "gguf",
        "edit",
        &fixture(),
        &to,
        "--set",
        "general.name=a=b, with spaces",
        "--set",
        "llama.length=256",
        "--set",
        "tokenizer.ggml.scores=[1, 2.5, 3, 4]",
        "--set-file",
        &format!("tokenizer.chat_template={template}"),
        "--remove",
        "general.file_type",
        "--rename",
        "llama.context_length=llama.length",
    ];
    let said = shell.run(&edit);
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{}", said.err);
    assert!(
        said.out.starts_with(&format!("edited {to} (")),
        "{}",
        said.out
    );
    for (key, expected) in [
        ("general.name", "a=b, with spaces\n"),
        ("llama.length", "256\n"),
        ("tokenizer.ggml.scores", "1\n2.5\n3\n4\n"),
        ("tokenizer.chat_template", "[INST] {{ messages }}\n"),
        ("general.file_type", ""),
    ] {
        assert_eq!(
            value(&shell, &to, key).trim_end(),
            expected.trim_end(),
            "{key}"
        );
    }
    let said = shell.run(&edit);
    assert_eq!(said.status, 1);
    assert!(said.err.contains("--force replaces it"), "{}", said.err);
    let forced = shell.json(&[&edit[..], &["--force"]].concat());
    assert_eq!(forced["replaced"], true);
    assert_eq!(forced["file"], to.as_str());
    assert_eq!(forced["size"], fs::metadata(&to).unwrap().len());
}

#[test]
fn a_slip_writes_nothing_and_says_what_is_wrong() {
    let shell = Shell::new();
    let (file, to) = (fixture(), place(&shell, "edited.gguf"));
    for (words, status, expected) in [
        (&[][..], 2, "nothing to edit"),
        (&["--set", "general.name"], 2, "a '=' is missing"),
        (&["--set", "llama.context_length=many"], 2, "is no u32"),
        (&["--set", "x.y=5"], 2, "state its type (--type str)"),
        (&["--set", "x.y=5", "--type", "u33"], 2, "u32"),
        (
            &["--set", "x.y=-5", "--type", "u32"],
            2,
            "-5 does not fit u32",
        ),
        (&["--remove", "genral.name"], 1, "general.name"),
        (
            &["--set-file", "general.name=/nonexistent"],
            1,
            "/nonexistent",
        ),
    ] {
        let words = [&["gguf", "edit", &file, &to], words].concat();
        let said = shell.run(&words);
        assert_eq!(said.status, status, "{words:?}: {}", said.err);
        assert!(said.err.contains(expected), "{words:?}: {}", said.err);
        assert!(fs::metadata(&to).is_err(), "{words:?}");
    }
    let words = [
        "gguf",
        "edit",
        &fixture(),
        &to,
        "--set",
        "x.y=5",
        "--type",
        "u16",
    ];
    assert_eq!(shell.run(&words).status, 0);
    assert_eq!(value(&shell, &to, "x.y"), "5\n");
}

#[test]
fn in_place_only_the_header_is_written() {
    let shell = Shell::new();
    let file = place(&shell, "file.gguf");
    fs::copy(fixture(), &file).unwrap();
    let (name, size) = (
        value(&shell, &file, "general.name"),
        fs::metadata(&file).unwrap().len(),
    );
    let other: String = name.trim_end().chars().rev().collect();
    let set = format!("general.name={other}");
    let said = shell.run(&["gguf", "edit", &file, "--in-place", "--set", &set]);
    assert_eq!(said.status, 0, "{}", said.err);
    assert_eq!(value(&shell, &file, "general.name").trim_end(), other);
    assert_eq!(fs::metadata(&file).unwrap().len(), size);
    let long = format!("general.name={}", "long ".repeat(100));
    let said = shell.run(&["gguf", "edit", &file, "--in-place", "--set", &long]);
    assert_eq!(said.status, 2);
    assert!(
        said.err.contains("write a new file instead"),
        "{}",
        said.err
    );
    let said = shell.run(&["gguf", "edit", &file, "--in-place"]);
    assert_eq!(said.status, 0, "{}", said.err);
}

#[test]
fn a_model_becomes_another_one_with_all_but_its_weights_the_same() {
    let shell = Shell::new();
    let words = ["import", &fixture(), "tiny", "--system", "Be brief."];
    assert_eq!(shell.run(&words).status, 0);
    let edit = [
        "gguf",
        "edit",
        "tiny",
        "--as",
        "mine",
        "--set",
        "general.name=Mine",
    ];
    let said = shell.run(&edit);
    assert_eq!(said.status, 0, "{}", said.err);
    assert!(said.out.starts_with("edited mine:latest (") || said.out.starts_with("edited mine ("));
    assert_eq!(value(&shell, "mine", "general.name"), "Mine\n");
    assert_ne!(value(&shell, "tiny", "general.name"), "Mine\n");
    let shown = |name: &str| shell.json(&["show", name]);
    let modelfile = shown("mine")["modelfile"].to_string();
    assert!(modelfile.contains("Be brief."), "{modelfile}");
    assert_eq!(shown("mine")["details"], shown("tiny")["details"]);
    assert_eq!(shell.run(&["verify"]).status, 0);
    assert_eq!(shell.run(&edit).status, 1);
    assert_eq!(shell.run(&[&edit[..], &["--force"]].concat()).status, 0);
}

#[test]
fn a_model_can_be_edited_into_a_file_whose_name_looks_like_one() {
    let shell = Shell::with_models();
    let to = place(&shell, "edited.gguf");
    let said = shell.run(&["gguf", "edit", "tiny", &to, "--set", "general.name=Mine"]);
    assert_eq!(said.status, 0, "{}", said.err);
    assert_eq!(value(&shell, &to, "general.name"), "Mine\n");
    let said = shell.run(&["gguf", "edit", "tiny", "mine", "--set", "general.name=Mine"]);
    assert!(said.err.contains("--as mine makes a model"), "{}", said.err);
    assert_eq!(said.status, 1);
}
