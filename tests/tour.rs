//! The tour is what a newcomer sees first: it fits a terminal, and says the same on every run.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::process::Command;

/// What it prints, in a directory for temporary files that it leaves empty.
fn tour() -> String {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--example", "tour"]);
    let output = command.env("TMPDIR", directory.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_tour_is_short_and_the_same_on_every_run() {
    let told = tour();
    assert!(told.lines().count() <= 20, "{told}");
    let widest = told.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{told}");
    assert_eq!(told, tour());
}

#[test]
fn the_tour_tells_one_type_of_its_file() {
    let told = tour();
    let types = told
        .lines()
        .filter_map(|line| line.split_once(" parameters as "));
    let types: Vec<&str> = types.filter_map(|(_, rest)| rest.get(..3)).collect();
    assert_eq!(types, ["F16"; 3], "{told}");
}
