//! What a store remembers of links.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use modelkeep::{ErrorKind, LinkMode, LinkOptions, LinkState, Store, StoreOptions};

use crate::{Bench, MODES, common};

#[test]
fn from_a_store_that_may_not_be_written_to_links_are_made_and_not_remembered() {
    for mode in MODES {
        let bench = Bench::new();
        let store = Store::open_with(bench.scratch.options().read_only(true)).unwrap();
        let options = LinkOptions::new().mode(mode);
        let linked = store.link("tiny", bench.links.path(), &options).unwrap();
        assert!(linked.not_remembered.contains("read-only"), "{linked:?}");
        assert!(!bench.scratch.root().join(".modelkeep").exists());
        assert!(bench.check().links.is_empty());
        let report = store.check_links([bench.links.path()]).unwrap();
        assert!(report.is_ok(), "{report:?}");
        assert_eq!(report.links[0].name, Some(common::name("tiny")));
        bench.pull();
        let report = store.check_links([bench.links.path()]).unwrap();
        match mode {
            LinkMode::Symlink => {
                assert_eq!(report.links[0].state, LinkState::Dangling);
                let linked = store.link("tiny", bench.links.path(), &options).unwrap();
                assert!(linked.links[0].replaced);
            }
            // Nobody knows whose bytes these are.
            _ => assert!(report.links.is_empty()),
        }
        let file = store.check_links([bench.at("tiny.gguf")]).unwrap();
        assert_eq!(file.links.len(), 1);
    }
}

/// What a hostile record says is looked at and never opened, written to or believed.
#[test]
fn a_record_of_somebody_else_names_links_and_gives_no_right_to_replace() {
    let bench = Bench::new();
    let link = bench.link_by(LinkMode::Symlink);
    let path = bench.scratch.root().join(".modelkeep/links.json");
    let written = fs::read_to_string(&path).unwrap();
    let victim = bench.at("victim.gguf");
    fs::write(&victim, "theirs").unwrap();
    let stat = victim.metadata().unwrap();
    let stamp = format!(
        r#"{{"device":{},"inode":{},"size":{},"modified":[{},{}],"changed":[{},{}]}}"#,
        stat.dev(),
        stat.ino(),
        stat.size(),
        stat.mtime(),
        stat.mtime_nsec(),
        stat.ctime(),
        stat.ctime_nsec(),
    );
    let (head, _) = written.split_once(r#""stamp""#).unwrap();
    let forged = format!(r#"{head}"stamp":{stamp}}},"before":null}}}}}}"#)
        .replace(link.path.to_str().unwrap(), victim.to_str().unwrap())
        .replace(r#""mode":"symlink""#, r#""mode":"reflink""#);
    for (mode, is_ours) in [(0o666, false), (0o664, false), (0o644, true)] {
        fs::write(&path, &forged).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        assert_eq!(bench.check().links[0].path, victim, "{mode:o}");
        if !is_ours {
            let error = bench
                .store()
                .link("tiny", &victim, &LinkOptions::new())
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        }
    }
    let many: Vec<String> = (0..10_000)
        .map(|n| {
            format!(
                r#""/nonexistent/{n}":{{{}"#,
                &forged[forged.find(r#""name""#).unwrap()..forged.len() - 2]
            )
        })
        .collect();
    let hostile = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[".repeat(100_000),
        r#"{"version":2,"links":{}}"#.to_owned(),
        forged.replace("tiny", "../../tiny"),
        forged.replace("sha256:", "sha256:/../"),
        format!(r#"{{"version":1,"links":{{{}}}}}"#, many.join(",")),
    ];
    for text in hostile {
        fs::write(&path, &text).unwrap();
        assert!(bench.check().links.len() <= 4096);
        assert!(bench.store().doctor().is_ok());
    }
    fs::remove_file(&path).unwrap();
    symlink(&victim, &path).unwrap();
    assert!(bench.check().links.is_empty());
    let file = fs::File::create(bench.at("long")).unwrap();
    file.set_len(1 << 30).unwrap();
    fs::remove_file(&path).unwrap();
    fs::rename(bench.at("long"), &path).unwrap();
    assert!(bench.check().links.is_empty());
    assert_eq!(fs::read(&victim).unwrap(), b"theirs");
}

#[test]
fn a_full_record_takes_no_more_and_forgets_what_was_removed() {
    let bench = Bench::new();
    bench.link_by(LinkMode::Symlink);
    let path = bench.scratch.root().join(".modelkeep/links.json");
    let written = fs::read_to_string(&path).unwrap();
    let entry = &written[written.find(r#"{"name""#).unwrap()..written.len() - 2];
    let fill = |directory: &str| {
        let lines = (0..4096).map(|n| format!(r#""{directory}/{n}":{entry}"#));
        let lines: Vec<String> = lines.collect();
        let text = format!(r#"{{"version":1,"links":{{{}}}}}"#, lines.join(","));
        fs::write(&path, text).unwrap();
    };
    // On a disk that may be mounted again.
    fill("/nonexistent");
    let linked = bench
        .store()
        .link("tiny", bench.at("d"), &LinkOptions::new())
        .unwrap();
    assert!(linked.not_remembered.contains("4097"), "{linked:?}");
    assert!(linked.links[0].path.exists());
    fill(bench.links.path().to_str().unwrap());
    let linked = bench
        .store()
        .link("tiny", bench.at("e"), &LinkOptions::new())
        .unwrap();
    assert_eq!(linked.not_remembered, "");
    assert_eq!(bench.check().links.len(), 1);
}

#[test]
fn a_path_that_is_no_text_is_linked_and_not_remembered() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.gguf");
    let file = bench.links.path().join(name);
    let linked = bench
        .store()
        .link("tiny", &file, &LinkOptions::new())
        .unwrap();
    assert!(linked.not_remembered.contains("UTF-8"), "{linked:?}");
    assert_eq!(fs::read(&file).unwrap(), b"GGUF weights");
    assert!(linked.to_json().is_err());
}

#[test]
fn what_is_forgotten_stays_where_it_is() {
    let bench = Bench::new();
    let link = bench.link_by(LinkMode::HardLink);
    let store = bench.store();
    let forget = |path: PathBuf| store.forget_links([path]).unwrap();
    assert!(forget(bench.at("none")).is_empty());
    assert_eq!(forget(bench.links.path().to_owned()), [&*link.path]);
    assert!(link.path.exists() && bench.check().links.is_empty());
    let read_only = Store::open_with(StoreOptions::new(bench.scratch.root()).read_only(true));
    let error = read_only.unwrap().forget_links([&link.path]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
}

#[test]
fn a_symbolic_link_that_is_there_already_is_remembered_from_then_on() {
    let bench = Bench::new();
    let read_only = Store::open_with(bench.scratch.options().read_only(true)).unwrap();
    let options = LinkOptions::new().mode(LinkMode::Symlink);
    read_only
        .link("tiny", bench.links.path(), &options)
        .unwrap();
    assert!(bench.check().links.is_empty());
    assert!(bench.link_by(LinkMode::Symlink).unchanged);
    assert_eq!(bench.state(), LinkState::Current);
}
