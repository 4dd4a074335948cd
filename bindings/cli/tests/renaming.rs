//! `cp`, `mv` and `rm` as people use them: what is replaced, what goes, and what is asked first.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use common::Shell;

#[test]
fn a_copy_replaces_only_by_force() {
    let shell = Shell::with_models();
    assert_eq!(
        shell
            .run(&["import", &common::fixture(), "mine", "--system", "x"])
            .status,
        0
    );
    let said = shell.run(&["cp", "tiny", "mine"]);
    assert_eq!((said.status, said.out.as_str()), (1, ""));
    assert!(
        said.err.ends_with("already exists; --force replaces it\n"),
        "{}",
        said.err
    );
    assert_eq!(shell.run(&["show", "mine", "--system"]).out, "x\n");
    let said = shell.run(&["cp", "tiny", "mine", "--force"]);
    assert_eq!(said.out, "copied tiny:latest to mine:latest (replaced)\n");
    assert_eq!(shell.run(&["show", "mine", "--system"]).out, "");
}

#[test]
fn a_model_gets_another_name() {
    let shell = Shell::with_models();
    let path = shell.run(&["path", "tiny"]).out;
    assert_eq!(
        shell.run(&["mv", "tiny", "team/small:v2"]).out,
        "renamed tiny:latest to team/small:v2\n"
    );
    assert_eq!(shell.run(&["path", "team/small:v2"]).out, path);
    let said = shell.run(&["mv", "other", "team/small:v2"]);
    assert_eq!(said.status, 1);
    assert!(
        said.err
            .ends_with("already exists; modelkeep rm removes it\n"),
        "{}",
        said.err
    );
    assert_eq!(shell.run(&["mv", "tiny", "x"]).status, 1);
    let renamed = shell.json(&["mv", "other", "another"]);
    assert_eq!(
        (&renamed["from"], &renamed["to"]),
        (&"other:latest".into(), &"another:latest".into())
    );
    assert_eq!(
        shell.run(&["list", "-q", "--sort", "name"]).out,
        "another:latest\nteam/small:v2\n"
    );
}

#[test]
fn patterns_mean_all_models_that_they_match() {
    let shell = Shell::with_models();
    for name in ["big:q4", "big:q8", "bag"] {
        assert_eq!(shell.run(&["cp", "tiny", name]).status, 0);
    }
    let planned = shell.run(&["rm", "--dry-run", "big", "b*"]);
    assert!(
        planned.err.contains("model 'big:latest' not found"),
        "{}",
        planned.err
    );
    let planned = shell.run(&["rm", "--dry-run", "b*"]).out;
    let lines: Vec<&str> = planned
        .lines()
        .filter(|line| line.starts_with("would delete"))
        .collect();
    assert_eq!(lines.len(), 3, "{planned}");
    assert!(planned.contains("would free 0 B in 0 blobs\n"), "{planned}");
    let deleted = shell.run(&["rm", "*:q?", "nothing*", "other"]);
    assert_eq!(
        (deleted.status, deleted.err.as_str()),
        (1, "modelkeep: no model is called 'nothing*'\n")
    );
    assert_eq!(
        shell.run(&["list", "-q", "--sort", "name"]).out,
        "bag:latest\ntiny:latest\n"
    );
    assert_eq!(shell.run(&["rm", "[", "tiny"]).status, 1);
    let planned = shell.json(&["rm", "-n", "*"]);
    assert_eq!(planned["dry_run"], true);
    assert!(planned["bytes"].as_u64().unwrap() > 0);
    assert_eq!(shell.run(&["rm", "-y", "*"]).status, 0);
    assert_eq!(shell.run(&["list", "-q"]).out, "");
}
