//! What a test that cannot run here says, and to whom.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

#[path = "../src/skip.rs"]
mod skip;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "the next test runs it"]
fn something_is_not_installed() {
    skip::skip("one", "it is not installed");
}

#[test]
#[ignore = "the next test runs it"]
fn something_is_not_in_the_machine() {
    skip::not_here("two", "no such instruction");
}

/// Runs the tests above, and tells whether each passed.
fn run(said: &Path, required: &str) -> [bool; 2] {
    [
        "something_is_not_installed",
        "something_is_not_in_the_machine",
    ]
    .map(|test| {
        let mut run = Command::new(env::current_exe().unwrap());
        run.args(["--ignored", "--exact", test])
            .env("MODELKEEP_SKIPS", said)
            .env("MODELKEEP_REQUIRE", required);
        run.output().unwrap().status.success()
    })
}

#[test]
fn a_skip_is_recorded_and_fails_where_all_is_required_and_can_be_installed() {
    let scratch = tempfile::tempdir().unwrap();
    let said = scratch.path().join("said");
    assert_eq!(run(&said, ""), [true, true]);
    let lines = fs::read_to_string(&said).unwrap();
    let lines: Vec<_> = lines
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .collect();
    let expected = [
        "skipped: one: it is not installed",
        "skipped: two: no such instruction",
    ];
    assert_eq!(
        lines.iter().map(|line| line.1).collect::<Vec<_>>(),
        expected
    );
    let (first, second) = (lines.first().unwrap().0, lines.last().unwrap().0);
    // The thread has the test's name where there is more than one thread.
    assert!(
        first.starts_with("skips-") && first.contains("::"),
        "{first}"
    );
    assert!(
        second.starts_with("skips-") && second.contains("::"),
        "{second}"
    );
    fs::remove_file(&said).unwrap();
    assert_eq!(run(&said, "all"), [false, true]);
    assert_eq!(fs::read_to_string(&said).unwrap().lines().count(), 1);
}
