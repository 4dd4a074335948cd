//! `modelkeep link` as people and scripts use it.
#![cfg(unix)]
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Shell, fixture};

#[test]
fn a_model_is_linked_pulled_anew_checked_and_linked_again() {
    let shell = Shell::with_models();
    let links = shell.directory.path().join("links dir");
    let directory = links.to_str().unwrap();
    let linked = shell.json(&["link", "tiny", directory, "--mode", "hardlink"]);
    let path = links.join("tiny.gguf");
    assert_eq!(linked["links"][0]["path"], path.to_str().unwrap());
    assert_eq!(linked["links"][0]["mode"], "hardlink");
    assert_eq!(fs::read(&path).unwrap(), fs::read(fixture()).unwrap());
    assert_eq!(shell.run(&["link", "--check"]).status, 0);
    // Another model takes the name.
    let writer = shell.file("new.gguf", "");
    let mut bytes = fs::read(fixture()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&writer, bytes).unwrap();
    assert_eq!(shell.run(&["import", &writer, "tiny", "--force"]).status, 0);
    let checked = shell.run(&["link", "--check"]);
    assert_eq!(checked.status, 1);
    assert!(checked.out.starts_with("STATE"), "{}", checked.out);
    let doctor = shell.run(&["doctor"]);
    assert_eq!(doctor.status, 1);
    assert!(doctor.out.contains("tiny.gguf"), "{}", doctor.out);
    let report = shell.json(&["link", "--check", directory]);
    let link = &report["links"][0];
    assert_eq!(
        (&link["state"], &link["name"]),
        (&"outdated".into(), &"tiny:latest".into())
    );
    let advice = link["advice"].as_str().unwrap();
    let command = advice.split('`').nth(1).unwrap();
    let ended = shell.shell(command);
    assert!(
        ended.out.contains("replaced"),
        "{command}: {}{}",
        ended.out,
        ended.err
    );
    assert_eq!(shell.run(&["link", "--check"]).status, 0);
    assert_eq!(shell.run(&["doctor"]).status, 0);
}

#[test]
fn a_file_of_somebody_else_is_replaced_only_by_force() {
    let shell = Shell::with_models();
    let mine = shell.file("mine.gguf", "mine");
    let refused = shell.run(&["link", "tiny", &mine]);
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    let dry = shell.run(&["link", "tiny", &mine, "--force", "--dry-run"]);
    assert!(dry.out.starts_with("would link"), "{}", dry.out);
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    let forced = shell.run(&["link", "tiny", &mine, "--force"]);
    assert!(forced.out.contains("replaced"), "{}", forced.out);
    let forgotten = shell.run(&["link", "--forget", &mine]);
    assert_eq!(forgotten.out, format!("forgot {mine}\n"));
    assert_eq!(
        shell.json(&["link", "--check"]),
        serde_json::json!({"links": []})
    );
}

#[test]
fn lm_studio_finds_a_directory_for_each_model() {
    let shell = Shell::with_models();
    let directory = shell.directory.path().join("lmstudio");
    let words = [
        "link",
        "tiny",
        directory.to_str().unwrap(),
        "--layout",
        "lmstudio",
    ];
    assert_eq!(shell.run(&words).status, 0);
    assert!(directory.join("library/tiny/tiny.gguf").exists());
    let file = directory.join("x.gguf");
    let words = [
        "link",
        "tiny",
        file.to_str().unwrap(),
        "--layout",
        "lmstudio",
    ];
    assert_eq!(shell.run(&words).status, 2);
}

#[test]
fn a_link_of_a_read_only_store_says_that_it_is_not_remembered() {
    let shell = Shell::with_models();
    let directory = shell.directory.path().join("links");
    let words = ["link", "tiny", directory.to_str().unwrap(), "--read-only"];
    let linked = shell.run(&words);
    assert_eq!(linked.status, 0);
    assert!(linked.err.contains("not remembered"), "{}", linked.err);
    let report = shell.json(&["link", "--check", directory.to_str().unwrap()]);
    assert_eq!(report["links"][0]["state"], "current");
}

#[test]
fn words_that_are_too_few_or_too_many_are_misuse() {
    let shell = Shell::with_models();
    for words in [
        &["link"][..],
        &["link", "tiny"],
        &["link", "tiny", "a", "b"],
        &["link", "--forget"],
        &["link", "--check", "--forget", "x"],
        &["link", "--check", "--mode", "symlink"],
        &["link", "tiny", "a", "--mode", "copy"],
    ] {
        assert_eq!(shell.run(words).status, 2, "{words:?}");
    }
}
