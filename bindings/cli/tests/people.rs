//! What people read: on a terminal and through a pipe, in color or not, and what is said of a slip.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../../src/skip.rs"]
#[allow(dead_code, reason = "not every skip is here")]
mod skip;

use std::fs;
use std::process::Command;

use common::{Shell, fixture};

/// Returns what a terminal of eighty columns shows of a command, both streams together, without
/// colors; nothing where there is no way to make one.
fn terminal(shell: &Shell, words: &str) -> Option<Vec<String>> {
    if Command::new("script").arg("--version").output().is_err() {
        skip::skip("a command on a terminal", "no script on the path");
        return None;
    }
    let command = env!("CARGO_BIN_EXE_modelkeep");
    let typed = format!("stty cols 80 rows 40; {command} --color never {words}");
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &typed, "/dev/null"]);
    terminal.env("OLLAMA_MODELS", shell.store());
    let shown = terminal
        .env("HOME", shell.directory.path())
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    Some(
        shown
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect(),
    )
}

/// A store with a model of a long name, a broken one, and one that shares with it.
fn broken() -> Shell {
    let shell = Shell::with_models();
    let long = format!("hf.co/{}/{}:Q4_K_M", "team-".repeat(4), "model-".repeat(5));
    let license = shell.file("license", &"do what you want ".repeat(100));
    let words = ["import", &fixture(), &long, "--license", &license];
    assert_eq!(shell.run(&words).status, 0);
    shell.damage("tiny");
    shell
}

#[test]
fn what_a_terminal_shows_fits_into_its_lines() {
    let shell = broken();
    for words in [
        "list",
        "du",
        "verify",
        "show hf.co/*",
        "which 0000",
        "gc --dry-run",
        "serve --help",
        "--help",
    ] {
        let name = "hf.co/".to_owned() + &"team-".repeat(4) + "/" + &"model-".repeat(5) + ":Q4_K_M";
        let path = shell.run(&["path", "tiny"]).out;
        let digits = path.trim().rsplit_once('-').unwrap().1;
        let words = words.replace("hf.co/*", &name).replace("0000", digits);
        let Some(lines) = terminal(&shell, &words) else {
            return;
        };
        assert!(!lines.is_empty(), "{words}");
        for line in lines {
            assert!(line.chars().count() <= 80, "{words}: {line}");
        }
    }
}

#[test]
fn a_terminal_shows_ages_and_a_pipe_times() {
    let shell = Shell::with_models();
    let year = |text: &str| text.contains(" 20") || text.contains(" 19");
    for words in ["list", "show tiny"] {
        let split: Vec<&str> = words.split(' ').collect();
        assert!(year(&shell.run(&split).out), "{words}");
        let Some(lines) = terminal(&shell, words) else {
            return;
        };
        let shown = lines.join("\n");
        assert!(shown.contains(" ago") && !year(&shown), "{shown}");
    }
}

#[test]
fn the_line_that_matters_is_the_last() {
    let shell = broken();
    let last = |words: &[&str]| {
        let said = shell.run(words);
        said.out.lines().last().unwrap_or_default().to_owned()
    };
    let verified = last(&["verify"]);
    assert!(
        verified.contains("1 bad (`modelkeep repair` moves"),
        "{verified}"
    );
    let freed = last(&["rm", "--dry-run", "other"]);
    assert!(freed.starts_with("would free "), "{freed}");
    let total = last(&["du"]);
    assert!(total.starts_with("total "), "{total}");
    let moved = last(&["repair"]);
    assert_eq!(moved, "1 damaged blob moved aside, 3 models broken");
    let verified = last(&["verify"]);
    assert!(
        verified.contains("1 bad (`modelkeep doctor` says"),
        "{verified}"
    );
}

#[test]
fn du_is_sorted_cut_and_counted_as_list_is() {
    let shell = Shell::new();
    for (name, words) in [("b", 9_000), ("a", 1), ("c", 4_000)] {
        let system = "word ".repeat(words);
        let words = ["import", &fixture(), name, "--system", &system];
        assert_eq!(shell.run(&words).status, 0);
    }
    let names = |words: &[&str]| {
        let usage = shell.json(&[&["du"], words].concat());
        let models = usage["models"].as_array().unwrap().clone();
        let name = |model: &serde_json::Value| model["name"].as_str().unwrap().to_owned();
        models.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["b:latest", "c:latest", "a:latest"]);
    assert_eq!(names(&["--sort", "alone"]), names(&["--sort", "size"]));
    assert_eq!(
        names(&["--sort", "name"]),
        ["a:latest", "b:latest", "c:latest"]
    );
    assert_eq!(names(&["--limit", "1"]), ["b:latest"]);
    let said = shell.run(&["du", "--limit", "1", "--bytes"]).out;
    let exclusive = shell.json(&["du"])["models"][0]["exclusive"].to_string();
    assert!(
        said.contains(&exclusive) && said.contains("... and 2 more models"),
        "{said}"
    );
    let total = shell.json(&["du"])["total"].to_string();
    assert_eq!(
        said.lines().last().unwrap().split_whitespace().last(),
        Some(&*total)
    );
}

#[test]
fn colors_are_where_they_are_wanted() {
    let shell = Shell::with_models();
    let is_colored = |words: &[&str], set: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_modelkeep"));
        command.args(words).env("OLLAMA_MODELS", shell.store());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        let output = command.envs(set.iter().copied()).output().unwrap();
        [output.stdout, output.stderr].concat().contains(&0x1b)
    };
    for words in [&["list"][..], &["lst"]] {
        let always = [&["--color", "always"], words].concat();
        let never = [&["--color=never"], words].concat();
        let forced = ("CLICOLOR_FORCE", "1");
        assert!(!is_colored(words, &[]), "{words:?}");
        assert!(is_colored(words, &[forced]), "{words:?}");
        assert!(
            !is_colored(words, &[forced, ("NO_COLOR", "1")]),
            "{words:?}"
        );
        assert!(is_colored(&always, &[("NO_COLOR", "1")]), "{words:?}");
        assert!(!is_colored(&never, &[forced]), "{words:?}");
    }
}

#[test]
fn wrong_use_is_json_where_json_is_wanted() {
    let shell = Shell::with_models();
    let cases = [
        (
            &["lst"][..],
            "unrecognized subcommand 'lst'; some similar subcommands exist: 'ls', 'list'",
        ),
        (
            &["list", "--sotr", "size"],
            "unexpected argument '--sotr' found; a similar argument exists: '--sort'",
        ),
        (
            &["cp", "tiny"],
            "the following required arguments were not provided: <DESTINATION>",
        ),
        (
            &[],
            "'modelkeep' requires a subcommand but one was not provided",
        ),
        (
            &["serve", "--addr", "a:b"],
            "invalid value 'a:b' for '--addr <ADDRESS>': \"b\" is no port",
        ),
    ];
    for (words, error) in cases {
        let said = shell.run(&[words, &["--json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(said.status, 2, "{words:?}");
        let told = json["error"].as_str().unwrap();
        assert!(told.starts_with(error), "{told}");
        assert!(!said.err.is_empty());
    }
    for (words, status) in [
        (&["show", "a b"][..], 2),
        (&["show", "none"], 1),
        (&["cp", "tiny", "other"], 1),
        (&["import", &fixture()], 2),
        (&["path", "none"], 1),
        (&["export", "none", "x.tar"], 1),
        (&["--store", "/nonexistent", "doctor"], 1),
        (&["rm", "tiny", "--read-only"], 2),
    ] {
        let said = shell.run(&[words, &["--json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&said.out).expect(&said.out);
        assert_eq!(said.status, status, "{words:?}");
        let is_told = json["error"].is_string() || json["issues"].is_array();
        assert!(is_told, "{words:?}: {json}");
    }
    let said = shell.run(&["rm", "--", "--json", "tiny"]);
    assert!(
        serde_json::from_str::<serde_json::Value>(&said.out).is_err(),
        "{}",
        said.out
    );
}

#[test]
fn completions_and_patterns_take_names_from_directories_alone() {
    let shell = Shell::with_models();
    let library = shell.store().join("manifests/registry.ollama.ai/library");
    fs::write(library.join("tiny/torn"), "{").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_modelkeep"));
    command.args(["--", "modelkeep", "show", "ti"]);
    command
        .env("MODELKEEP_COMPLETE", "fish")
        .env("OLLAMA_MODELS", shell.store());
    let completed = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert_eq!(
        completed.lines().collect::<Vec<_>>(),
        ["tiny:latest", "tiny:torn"]
    );
    // What does not decode may be anything, and so a pattern does not mean it.
    let said = shell.run(&["rm", "ti*"]);
    assert!(said.out.contains("deleted tiny:latest"), "{}", said.out);
    assert!(
        said.err.contains("'tiny:torn' was passed over"),
        "{}",
        said.err
    );
    assert!(library.join("tiny/torn").exists() && library.join("other/latest").exists());
    assert_eq!(shell.run(&["rm", "tiny:torn"]).status, 0);
    assert!(!library.join("tiny").exists());
}
