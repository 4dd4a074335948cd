//! Whether links still show what their models hold.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use modelkeep::{Digest, ErrorKind, LinkLayout, LinkMode, LinkOptions, LinkState, Store};

use crate::{Bench, common};

#[test]
fn after_a_pull_a_link_is_named_with_the_command_that_renews_it() {
    for (mode, state) in [
        (LinkMode::HardLink, LinkState::Outdated),
        (LinkMode::Symlink, LinkState::Dangling),
    ] {
        let bench = Bench::new();
        bench.link_by(mode);
        bench.pull();
        let report = bench.check();
        assert_eq!(report.links[0].state, state);
        let command = format!(
            "modelkeep link tiny:latest {} --mode {mode}`",
            bench.links.path().display()
        );
        assert!(report.links[0].advice.contains(&command), "{report:?}");
        let issue = bench.store().doctor().unwrap().issues.remove(0);
        assert_eq!(issue.path, bench.at("tiny.gguf"));
        assert!(bench.link_by(mode).replaced);
        assert_eq!(
            fs::read(bench.at("tiny.gguf")).unwrap(),
            b"GGUF newer weights"
        );
        assert_eq!(bench.state(), LinkState::Current);
        assert!(bench.store().doctor().unwrap().is_ok());
    }
}

/// A damaged blob is replaced by one of the same digest: who checked sizes would see nothing.
#[test]
fn a_blob_of_the_same_name_and_size_is_another_file() {
    let bench = Bench::new();
    let link = bench.link_by(LinkMode::HardLink);
    let blob = bench.scratch.blob_path(&link.digest);
    fs::remove_file(&blob).unwrap();
    fs::write(&blob, "GGUF weights").unwrap();
    assert_eq!(bench.state(), LinkState::Outdated);
    assert!(bench.link(&LinkOptions::new()).unwrap()[0].replaced);
    assert_eq!(bench.state(), LinkState::Current);
}

type Break = fn(&Bench, &Path);

#[test]
fn every_way_to_break_a_link_has_its_name() {
    let breaks: [(Break, LinkState); 6] = [
        (|_, path| fs::remove_file(path).unwrap(), LinkState::Missing),
        (
            |_, path| {
                fs::remove_file(path).unwrap();
                fs::write(path, "another file").unwrap();
            },
            LinkState::Changed,
        ),
        (
            |_, path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            LinkState::Changed,
        ),
        (
            |_, path| {
                fs::remove_file(path).unwrap();
                symlink("/nonexistent", path).unwrap();
            },
            LinkState::Dangling,
        ),
        (
            |_, path| {
                fs::remove_file(path).unwrap();
                symlink("/dev/null", path).unwrap();
            },
            LinkState::Changed,
        ),
        (
            |bench, _| drop(bench.store().delete("tiny").unwrap()),
            LinkState::Orphaned,
        ),
    ];
    for (act, expected) in breaks {
        let bench = Bench::new();
        let link = bench.link_by(LinkMode::HardLink);
        act(&bench, &link.path);
        let report = bench.check();
        assert!(!report.is_ok());
        assert_eq!(report.links[0].state, expected, "{report:?}");
        assert!(!report.links[0].advice.is_empty());
        let diagnosis = bench.store().doctor().unwrap();
        let named = diagnosis.issues.iter().chain(&diagnosis.notes);
        assert!(
            named
                .map(|issue| &issue.path)
                .any(|path| *path == link.path)
        );
    }
}

#[test]
fn a_check_of_what_is_no_link_says_so() {
    let bench = Bench::new();
    let file = bench.at("file.gguf");
    fs::write(&file, "theirs").unwrap();
    let store = bench.store();
    let report = store.check_links([&file]).unwrap();
    assert_eq!(report.links[0].state, LinkState::Foreign);
    assert!(
        store
            .check_links([bench.links.path()])
            .unwrap()
            .links
            .is_empty()
    );
    let error = store.check_links([bench.at("none")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
}

/// The advice is a command that does what it says when it is typed.
#[test]
fn the_command_of_an_advice_has_what_the_link_was_asked_for_by() {
    let bench = Bench::new();
    let options = LinkOptions::new().layout(LinkLayout::LmStudio);
    let link = bench.link(&options).unwrap().remove(0);
    fs::remove_file(&link.path).unwrap();
    let advice = || bench.check().links.remove(0).advice;
    let command = format!(
        "`modelkeep link tiny:latest {} --layout lmstudio`",
        bench.links.path().display()
    );
    assert!(advice().contains(&command), "{}", advice());
    fs::write(&link.path, "theirs").unwrap();
    let forced = command.replace("lmstudio`", "lmstudio --force`");
    assert!(advice().contains(&forced), "{}", advice());
}

#[test]
fn links_that_nobody_remembers_are_found_as_deep_as_lm_studio_has_its_files() {
    let bench = Bench::new();
    for name in ["also", "also-b"] {
        bench.scratch.model(name, &[b"GGUF weights"]);
    }
    let blob = bench.scratch.blob_path(&Digest::of(b"GGUF weights"));
    let deep = bench.at("publisher/model/a.gguf");
    fs::create_dir_all(bench.at("publisher/model/below")).unwrap();
    symlink(&blob, &deep).unwrap();
    symlink(&blob, bench.at("publisher/model/below/b.gguf")).unwrap();
    let links = || {
        bench
            .store()
            .check_links([bench.links.path()])
            .unwrap()
            .links
    };
    let found = links();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0].path, found[0].state),
        (&deep, LinkState::Current)
    );
    // Of the models that share a blob the first is named.
    assert_eq!(found[0].name, Some(common::name("also")));
    for name in ["also", "also-b", "tiny"] {
        fs::remove_file(bench.scratch.manifest_path(name)).unwrap();
    }
    assert_eq!(links()[0].state, LinkState::Orphaned);
    // A disk that is away.
    fs::rename(bench.scratch.root().join("blobs"), bench.at("blobs")).unwrap();
    assert_eq!(links()[0].state, LinkState::Dangling);
}

#[test]
fn what_is_remembered_of_a_link_below_a_directory_counts() {
    let bench = Bench::new();
    bench.link_by(LinkMode::Symlink);
    bench.scratch.model("other", &[b"GGUF weights"]);
    bench.scratch.model("tiny", &[b"GGUF newer weights"]);
    let report = bench.store().check_links([bench.links.path()]).unwrap();
    assert_eq!(report.links[0].state, LinkState::Outdated, "{report:?}");
}

#[test]
fn a_store_is_the_same_by_every_path_that_leads_to_it() {
    let bench = Bench::new();
    let link = bench.link_by(LinkMode::Symlink);
    bench.store().forget_links([&link.path]).unwrap();
    let detour = bench.at("detour");
    symlink(bench.scratch.root(), &detour).unwrap();
    let report = Store::open(&detour).unwrap().check_links([&link.path]);
    assert_eq!(report.unwrap().links[0].state, LinkState::Current);
}

#[test]
fn where_the_store_is_away_no_link_is_called_good() {
    let bench = Bench::new();
    let (store, root) = (bench.store(), bench.scratch.root());
    fs::rename(root, bench.at("moved")).unwrap();
    let checked = store.check_links::<&Path>([]);
    fs::rename(bench.at("moved"), root).unwrap();
    assert_eq!(checked.unwrap_err().kind(), ErrorKind::FileNotFound);
}
