//! Readable names for the files of a model, outside of the store.
#![cfg(unix)]
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/devices.rs"]
mod devices;

mod check;
mod record;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use common::Scratch;
use devices::elsewhere;
use modelkeep::gguf::Writer;
use modelkeep::{
    Digest, ErrorKind, GcOptions, Link, LinkLayout, LinkMode, LinkOptions, LinkReport, LinkState,
    Store,
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
fn a_link_of_ours_is_replaced_by_one_of_another_mode() {
    for [before, after] in [MODES, [MODES[1], MODES[0]]] {
        let bench = Bench::new();
        bench.link_by(before);
        let link = bench.link_by(after);
        assert_eq!((link.mode, link.replaced), (after, true));
        assert_eq!(bench.state(), LinkState::Current);
    }
}

/// That it is a link to a blob does not make it ours: somebody may have led it there.
#[test]
fn a_link_that_somebody_led_to_another_blob_is_not_replaced() {
    let bench = Bench::new();
    let other = bench.scratch.blob(b"GGUF of another");
    let link = bench.link_by(LinkMode::Symlink);
    fs::remove_file(&link.path).unwrap();
    symlink(bench.scratch.blob_path(&other), &link.path).unwrap();
    let error = bench.link(&LinkOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&link.path).unwrap(), b"GGUF of another");
}

/// A symbolic link is told by where it leads: copied back from a backup it is ours as it was.
#[test]
fn a_symbolic_link_that_came_back_is_ours() {
    let bench = Bench::new();
    let link = bench.link_by(LinkMode::Symlink);
    let target = fs::read_link(&link.path).unwrap();
    fs::remove_file(&link.path).unwrap();
    symlink(target, &link.path).unwrap();
    bench.scratch.model("other", &[b"GGUF weights"]);
    bench.scratch.model("tiny", &[b"GGUF newer weights"]);
    assert!(bench.link_by(LinkMode::Symlink).replaced);
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
        bench
            .store()
            .link("tiny", other.path().join("new/d"), &options)
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
        let digest = Digest::of(b"GGUF weights");
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
    let digest = Digest::of(b"GGUF weights");
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
    let layer = |kind: &str, digest: &Digest| {
        format!(r#"{{"mediaType":"application/vnd.ollama.image.{kind}","digest":"{digest}"}}"#)
    };
    let mut layers: Vec<String> = digests
        .iter()
        .map(|digest| layer("model", digest))
        .collect();
    layers.push(layer("projector", &bench.scratch.blob(b"GGUF sees")));
    layers.push(layer("adapter", &bench.scratch.blob(b"GGUF adapts")));
    layers.push(layer("adapter", &bench.scratch.blob(b"GGUF adapts too")));
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
        ("mmproj-Split-GGUF-Q4.gguf", Digest::of(b"GGUF sees")),
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
fn weights_that_are_no_parts_are_numbered() {
    let bench = Bench::new();
    let weights = ["one", "two"].map(|name| {
        let mut bytes = Vec::new();
        let mut writer = Writer::new();
        writer.set("general.name", name);
        writer.write_to(&mut bytes).unwrap();
        bytes
    });
    let weights: Vec<&[u8]> = weights.iter().map(Vec::as_slice).collect();
    bench.scratch.model("several", &weights);
    let linked = bench
        .store()
        .link("several", bench.links.path(), &LinkOptions::new());
    assert_eq!(linked.unwrap().links.len(), 2);
    assert_eq!(
        names(bench.links.path()),
        ["several.gguf", "several~2.gguf"]
    );
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
    let digest = Digest::of(b"GGUF weights");
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

#[test]
fn a_model_without_gguf_files_or_with_missing_blobs_is_not_linked() {
    let bench = Bench::new();
    bench.scratch.manifest("empty", b"{}");
    let to = |name: &str| bench.store().link(name, bench.at("d"), &LinkOptions::new());
    assert_eq!(to("empty").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(to("none").unwrap_err().kind(), ErrorKind::NotFound);
    let digest = Digest::of(b"GGUF weights");
    fs::write(bench.scratch.blob_path(&digest), "cut").unwrap();
    assert_eq!(to("tiny").unwrap_err().kind(), ErrorKind::Corrupt);
    fs::remove_file(bench.scratch.blob_path(&digest)).unwrap();
    assert_eq!(to("tiny").unwrap_err().kind(), ErrorKind::FileNotFound);
    assert!(!bench.at("d").exists());
}
