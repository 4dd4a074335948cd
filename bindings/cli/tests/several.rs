//! `--store` with several directories.
#![cfg(unix)]
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{Shell, fixture};

#[test]
fn several_stores_are_one_view() {
    let shell = Shell::with_models();
    let own = shell.directory.path().join("own");
    let (own, site) = (own.to_str().unwrap(), shell.store());
    let site = site.to_str().unwrap();
    assert_eq!(
        shell
            .run(&["--store", own, "import", &fixture(), "tiny"])
            .status,
        0
    );
    let view = |words: &[&str]| shell.run(&[&["--store", own, "--store", site], words].concat());
    let list = std::env::join_paths([own, site]).unwrap();
    let listed = shell.run(&["list", "--store", list.to_str().unwrap(), "--sort", "name"]);
    assert_eq!(view(&["list", "--sort", "name"]).out, listed.out);
    let lines: Vec<&str> = listed.out.lines().collect();
    assert!(
        lines[0].ends_with("STORE") && lines.len() == 3,
        "{}",
        listed.out
    );
    assert!(
        lines[1].starts_with("other") && lines[1].ends_with(site),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with("tiny") && lines[2].ends_with(own),
        "{}",
        lines[2]
    );
    assert!(!shell.run(&["list"]).out.contains("STORE"));
    assert!(view(&["path", "other"]).out.starts_with(site));
    assert!(view(&["du"]).out.contains(own));
    assert_eq!(view(&["verify"]).status, 0);
    assert_eq!(view(&["gc"]).status, 2);
    let deleted = view(&["rm", "tiny"]);
    let from = format!("tiny:latest: from {own}; that of {site} is shown now");
    assert!(deleted.out.contains(&from), "{}", deleted.out);
    let models = shell.run(&["list", "-q", "--store", own]).out;
    assert_eq!(models, "");
}

#[test]
fn a_model_of_a_store_that_is_closed_is_copied_into_ones_own() {
    let shell = Shell::with_models();
    let (own, site) = (shell.directory.path().join("own"), shell.store());
    fs::create_dir(&own).unwrap();
    let list = std::env::join_paths([&site, &own]).unwrap();
    let list = list.to_str().unwrap();
    let close = |mode| fs::set_permissions(&site, PermissionsExt::from_mode(mode)).unwrap();
    close(0o555);
    let copied = shell.run(&["cp", "tiny", "mine", "--store", list]);
    let imported = shell.run(&["import", &fixture(), "tiny", "--store", list]);
    let removed = shell.run(&["rm", "mine", "--store", list]);
    close(0o755);
    assert_eq!(copied.status, 0, "{}", copied.err);
    assert!(imported.err.contains("would hide"), "{}", imported.err);
    assert!(
        removed.out.contains(own.to_str().unwrap()),
        "{}",
        removed.out
    );
    assert_eq!(shell.run(&["list", "-q"]).out.lines().count(), 2);
}
