//! Readable names for the files of a model, outside of the store.
#![cfg(unix)]
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/devices.rs"]
mod devices;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use common::Scratch;
use devices::elsewhere;
use modelkeep::gguf::Writer;
use modelkeep::{
    ErrorKind, GcOptions, Link, LinkLayout, LinkMode, LinkOptions, LinkReport, LinkState, Store,
    StoreOptions,
};

/// A store with the model `tiny`, and a directory for links on the same device.
struct Bench {
    scratch: Scratch,
    links: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.model("tiny", &[b"GGUF weights"]);
        Bench {
            scratch,
            links: tempfile::tempdir().unwrap(),
        }
    }

    fn store(&self) -> Store {
        self.scratch.store()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.links.path().join(name)
    }

    fn link(&self, options: &LinkOptions) -> modelkeep::Result<Vec<Link>> {
        let linked = self.store().link("tiny", self.links.path(), options)?;
        Ok(linked.links)
    }

    fn link_by(&self, mode: LinkMode) -> Link {
        self.link(&LinkOptions::new().mode(mode)).unwrap().remove(0)
    }

    /// What a pull does: the name holds other weights, and the old blob is collected.
    fn pull(&self) {
        self.scratch.model("tiny", &[b"GGUF newer weights"]);
        let options = GcOptions::new().grace(std::time::Duration::ZERO);
        self.store().gc(&options).unwrap();
    }

    fn check(&self) -> LinkReport {
        self.store().check_links::<&Path>([]).unwrap()
    }

    fn state(&self) -> LinkState {
        let report = self.check();
        assert_eq!(report.links.len(), 1, "{report:?}");
        report.links[0].state
    }
}

/// The names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The modes that are possible on every file system of these tests.
const MODES: [LinkMode; 2] = [LinkMode::HardLink, LinkMode::Symlink];

#[test]
fn a_link_shows_the_blob_and_is_no_copy() {
    for mode in MODES {
        let bench = Bench::new();
        let link = bench.link_by(mode);
        assert_eq!(link.path, bench.at("tiny.gguf"));
        assert_eq!(
            (link.mode, link.replaced, link.unchanged),
            (mode, false, false)
        );
        let blob = bench.scratch.blob_path(&link.digest).metadata().unwrap();
        assert_eq!(link.path.metadata().unwrap().ino(), blob.ino());
        assert_eq!(names(bench.links.path()), ["tiny.gguf"]);
        assert_eq!(bench.state(), LinkState::Current);
        let again = bench.link_by(mode);
        assert_eq!((again.replaced, again.unchanged), (false, true));
    }
}

#[test]
fn by_default_the_first_way_that_the_file_system_can_is_taken() {
    let bench = Bench::new();
    let link = bench.link(&LinkOptions::new()).unwrap().remove(0);
    assert!([LinkMode::Reflink, LinkMode::HardLink].contains(&link.mode));
    let reflink = bench.store().link(
        "tiny",
        bench.at("clone.gguf"),
        &LinkOptions::new().mode(LinkMode::Reflink),
    );
    match (link.mode, reflink) {
        (LinkMode::Reflink, Ok(_)) => assert_eq!(bench.check().links.len(), 2),
        (LinkMode::HardLink, Err(error)) => {
            assert!(error.to_string().contains("--mode hardlink"), "{error}");
            assert_eq!(names(bench.links.path()), ["tiny.gguf"]);
        }
        (mode, reflink) => panic!("{mode}: {reflink:?}"),
    }
}

#[test]
fn across_devices_a_link_is_symbolic_and_a_hard_link_is_refused() {
    let bench = Bench::new();
    let Some(other) = elsewhere(bench.scratch.root()) else {
        return;
    };
    let link = |mode| {
        let options = LinkOptions::new().mode(mode);
        bench.store().link("tiny", other.path(), &options)
    };
    let error = link(LinkMode::HardLink).unwrap_err();
    assert!(error.to_string().contains("--mode symlink"), "{error}");
    assert_eq!(names(other.path()), [""; 0]);
    let linked = link(LinkMode::Auto).unwrap();
    assert_eq!(linked.links[0].mode, LinkMode::Symlink);
    assert_eq!(fs::read(&linked.links[0].path).unwrap(), b"GGUF weights");
}

#[test]
fn a_blob_that_is_a_link_itself_is_linked_as_the_file_behind_it() {
    for mode in MODES {
        let bench = Bench::new();
        let digest = modelkeep::Digest::of(b"GGUF weights");
        let (blob, moved) = (
            bench.scratch.blob_path(&digest),
            bench.scratch.root().join("moved"),
        );
        fs::rename(&blob, &moved).unwrap();
        symlink(&moved, &blob).unwrap();
        let link = bench.link_by(mode);
        assert_eq!(
            link.path.metadata().unwrap().ino(),
            moved.metadata().unwrap().ino()
        );
        let is_symbolic = link.path.symlink_metadata().unwrap().is_symlink();
        assert_eq!(is_symbolic, mode == LinkMode::Symlink);
        assert_eq!(bench.state(), LinkState::Current);
    }
}

#[test]
fn nothing_of_somebody_else_is_replaced_unless_that_is_said() {
    let others: [fn(&Path); 4] = [
        |path| fs::write(path, "theirs").unwrap(),
        |path| symlink("/nonexistent", path).unwrap(),
        |path| symlink(path.with_file_name("there"), path).unwrap(),
        |path| fs::create_dir(path).unwrap(),
    ];
    for (number, other) in others.into_iter().enumerate() {
        let bench = Bench::new();
        fs::write(bench.at("there"), "theirs").unwrap();
        other(&bench.at("tiny.gguf"));
        let before = names(bench.links.path());
        let error = bench.link(&LinkOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{number}");
        assert_eq!(names(bench.links.path()), before);
        let forced = bench.link(&LinkOptions::new().replace(true));
        match bench.at("tiny.gguf").is_dir() {
            true => assert_eq!(forced.unwrap_err().kind(), ErrorKind::AlreadyExists),
            false => assert!(forced.unwrap()[0].replaced),
        }
        assert_eq!(fs::read(bench.at("there")).unwrap(), b"theirs");
        assert_eq!(names(bench.links.path()), before);
    }
}

#[test]
fn a_link_of_another_model_is_somebody_elses() {
    for mode in MODES {
        let bench = Bench::new();
        bench.scratch.model("other", &[b"GGUF of another"]);
        let file = bench.at("x.gguf");
        let options = LinkOptions::new().mode(mode);
        bench.store().link("tiny", &file, &options).unwrap();
        let error = bench.store().link("other", &file, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&file).unwrap(), b"GGUF weights");
    }
}

/// A file that its owner imported by a hard link is the owner's, and not a link of ours.
#[test]
fn a_file_that_became_a_blob_is_not_replaced() {
    let bench = Bench::new();
    let digest = modelkeep::Digest::of(b"GGUF weights");
    let own = bench.at("tiny.gguf");
    fs::hard_link(bench.scratch.blob_path(&digest), &own).unwrap();
    assert!(bench.link_by(LinkMode::Auto).unchanged);
    let error = bench
        .link(&LinkOptions::new().mode(LinkMode::Symlink))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    bench.pull();
    let error = bench.link(&LinkOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&own).unwrap(), b"GGUF weights");
}

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
fn projectors_and_parts_have_names_that_other_programs_know() {
    let bench = Bench::new();
    let part = |index: u16| {
        let mut bytes = Vec::new();
        let mut writer = Writer::new();
        writer.set("split.no", index).set("split.count", 3_u16);
        writer.write_to(&mut bytes).unwrap();
        bench.scratch.blob(&bytes)
    };
    let digests = [part(2), part(0), part(1)];
    let layer = |kind: &str, digest: &modelkeep::Digest| {
        format!(r#"{{"mediaType":"application/vnd.ollama.image.{kind}","digest":"{digest}"}}"#)
    };
    let mut layers: Vec<String> = digests
        .iter()
        .map(|digest| layer("model", digest))
        .collect();
    layers.push(layer("projector", &bench.scratch.blob(b"GGUF sees")));
    layers.push(layer("adapter", &bench.scratch.blob(b"GGUF adapts")));
    let manifest = format!(r#"{{"layers":[{}]}}"#, layers.join(","));
    bench
        .scratch
        .manifest("hf.co/team/Split-GGUF:Q4", manifest.as_bytes());
    let options = LinkOptions::new().layout(LinkLayout::LmStudio);
    let name = "hf.co/team/split-gguf:q4";
    let linked = bench
        .store()
        .link(name, bench.links.path(), &options)
        .unwrap();
    assert_eq!(linked.left_out, ["adapter"]);
    let found = linked
        .links
        .iter()
        .map(|link| (link.path.clone(), link.digest));
    let directory = bench.at("hf.co+team").join("Split-GGUF-Q4");
    let expected = [
        ("Split-GGUF-Q4-00001-of-00003.gguf", digests[1]),
        ("Split-GGUF-Q4-00002-of-00003.gguf", digests[2]),
        ("Split-GGUF-Q4-00003-of-00003.gguf", digests[0]),
        (
            "mmproj-Split-GGUF-Q4.gguf",
            modelkeep::Digest::of(b"GGUF sees"),
        ),
    ];
    let expected = expected.map(|(name, digest)| (directory.join(name), digest));
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let file = bench.at("mine.gguf");
    let linked = bench
        .store()
        .link(name, &file, &LinkOptions::new())
        .unwrap();
    assert_eq!(linked.links[0].path, bench.at("mine-00001-of-00003.gguf"));
    assert_eq!(linked.links[3].path, bench.at("mmproj-mine.gguf"));
    let error = bench.store().link(name, &file, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn of_a_model_all_links_appear_or_none() {
    let bench = Bench::new();
    let layer = |kind: &str, bytes: &[u8]| {
        let digest = bench.scratch.blob(bytes);
        format!(r#"{{"mediaType":"application/vnd.ollama.image.{kind}","digest":"{digest}"}}"#)
    };
    let layers = [
        layer("model", b"GGUF both"),
        layer("projector", b"GGUF sees"),
    ]
    .join(",");
    let manifest = format!(r#"{{"layers":[{layers}]}}"#);
    bench.scratch.manifest("both", manifest.as_bytes());
    let directory = bench.at("new");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("mmproj-both.gguf"), "theirs").unwrap();
    let link = || bench.store().link("both", &directory, &LinkOptions::new());
    assert_eq!(link().unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(names(&directory), ["mmproj-both.gguf"]);
    assert!(bench.check().links.is_empty());
    fs::remove_file(directory.join("mmproj-both.gguf")).unwrap();
    assert_eq!(link().unwrap().links.len(), 2);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_changes_nothing() {
    let bench = Bench::new();
    let options = LinkOptions::new().dry_run(true);
    let linked = bench
        .store()
        .link("tiny", bench.at("new/d"), &options)
        .unwrap();
    assert_eq!(linked.links[0].path, bench.at("new/d/tiny.gguf"));
    assert_eq!(names(bench.links.path()), [""; 0]);
    assert!(!bench.scratch.root().join(".modelkeep").exists());
    fs::write(bench.at("tiny.gguf"), "theirs").unwrap();
    let error = bench.link(&options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_link_is_never_among_what_a_store_keeps() {
    let bench = Bench::new();
    let root = bench.scratch.root();
    let before = bench.scratch.snapshot();
    symlink(root.join("blobs"), bench.at("disguise")).unwrap();
    fs::create_dir(root.join(".modelkeep")).unwrap();
    let digest = modelkeep::Digest::of(b"GGUF weights");
    for to in [
        root.join("blobs"),
        root.join("blobs").join("x.gguf"),
        root.join("manifests/registry.ollama.ai/new"),
        root.join(".modelkeep/tmp"),
        bench.at("disguise"),
        bench.at("disguise/new/x.gguf"),
        bench
            .at(&format!(
                "new/../../{}",
                root.file_name().unwrap().to_str().unwrap()
            ))
            .join("blobs/x.gguf"),
        bench.scratch.blob_path(&digest),
    ] {
        let options = LinkOptions::new().replace(true);
        let error = bench.store().link("tiny", &to, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{to:?}: {error}");
        assert_eq!(bench.scratch.snapshot(), before, "{to:?}");
    }
}

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

#[test]
fn a_delete_frees_nothing_of_what_a_hard_link_holds() {
    for (mode, is_held) in [(LinkMode::HardLink, true), (LinkMode::Symlink, false)] {
        let bench = Bench::new();
        let link = bench.link_by(mode);
        let blob = bench.scratch.blob_path(&link.digest).metadata().unwrap();
        let usage = bench.store().usage().unwrap();
        assert_eq!(usage.held_outside > 0, is_held);
        let deleted = bench.store().delete("tiny").unwrap();
        assert!(deleted.blobs.contains(&link.digest));
        assert_eq!(
            deleted.bytes < blob.blocks() * 512 + 4096,
            is_held,
            "{deleted:?}"
        );
        assert_eq!(link.path.exists(), is_held);
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
fn a_model_without_gguf_files_or_with_missing_blobs_is_not_linked() {
    let bench = Bench::new();
    bench.scratch.manifest("empty", b"{}");
    let to = |name: &str| bench.store().link(name, bench.at("d"), &LinkOptions::new());
    assert_eq!(to("empty").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(to("none").unwrap_err().kind(), ErrorKind::NotFound);
    let digest = modelkeep::Digest::of(b"GGUF weights");
    fs::write(bench.scratch.blob_path(&digest), "cut").unwrap();
    assert_eq!(to("tiny").unwrap_err().kind(), ErrorKind::Corrupt);
    fs::remove_file(bench.scratch.blob_path(&digest)).unwrap();
    assert_eq!(to("tiny").unwrap_err().kind(), ErrorKind::FileNotFound);
    assert!(!bench.at("d").exists());
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
