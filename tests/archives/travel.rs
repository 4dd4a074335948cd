//! There and back.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;

use modelkeep::{Digest, ErrorKind, ExportOptions, ImportArchiveOptions, Store, VerifyOptions};

use crate::common::Scratch;
use crate::entries::{archive as packed, entries};
use crate::{NAMES, archive, export, import, manifests, staged, store};

#[test]
fn models_come_back_byte_for_byte() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let bytes = archive(&store(&from), &NAMES);
    let imported = import(&to.store(), &bytes).unwrap();
    assert_eq!(manifests(&from), manifests(&to));
    assert!(staged(&to).is_empty());
    let names: Vec<String> = imported.models.iter().map(|m| m.name.to_string()).collect();
    assert_eq!(names, ["hf.co/team/Tiny:Q4", "kind:latest", "tiny:latest"]);
    let blobs = fs::read_dir(to.root().join("blobs")).unwrap().count();
    assert_eq!((imported.new_blobs, imported.shared_blobs), (blobs, 0));
    let sizes = fs::read_dir(to.root().join("blobs")).unwrap();
    let sizes = sizes.map(|blob| blob.unwrap().metadata().unwrap().len());
    assert_eq!(imported.new_bytes, sizes.sum::<u64>());
    let report = to.store().verify(&VerifyOptions::new()).unwrap();
    assert!(report.is_ok() && report.blobs.len() == blobs);
    let diagnosis = to.store().doctor().unwrap();
    assert!(diagnosis.issues.is_empty(), "{:?}", diagnosis.issues);
}

#[test]
fn the_same_models_make_the_same_bytes() {
    let (one, two) = (Scratch::new(), Scratch::new());
    let first = archive(&store(&one), &NAMES);
    import(&two.store(), &first).unwrap();
    let backwards: Vec<&str> = NAMES.into_iter().rev().chain(["tiny"]).collect();
    assert_eq!(first, archive(&two.store(), &backwards));
    let file = one.root().join("models.tar");
    export(&one.store(), &NAMES, &file).unwrap();
    assert_eq!(fs::read(&file).unwrap(), first);
    let mut archive = tar::Archive::new(&*first);
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let owner = (header.uid().unwrap(), header.gid().unwrap());
        let (mode, time) = (header.mode().unwrap(), header.mtime().unwrap());
        assert_eq!((owner, mode, time), ((0, 0), 0o644, 0));
    }
}

#[test]
fn every_blob_is_there_once_and_the_index_names_the_models() {
    let scratch = Scratch::new();
    let entries = entries(&archive(&store(&scratch), &NAMES));
    let paths: BTreeSet<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths.len(), entries.len());
    assert_eq!(entries[0].path, "oci-layout");
    assert_eq!(entries[1].path, "index.json");
    let index: serde_json::Value = serde_json::from_slice(&entries[1].bytes).unwrap();
    let names: Vec<&str> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            m["annotations"]["org.opencontainers.image.ref.name"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(names, ["hf.co/team/Tiny:Q4", "kind:latest", "tiny:latest"]);
    for entry in &entries[2..] {
        let hex = entry.path.strip_prefix("blobs/sha256/").unwrap();
        assert_eq!(Digest::of(&entry.bytes).hex(), hex);
    }
}

#[test]
fn an_archive_of_any_order_is_taken_from_a_stream_of_any_pieces() {
    let from = Scratch::new();
    let mut entries = entries(&archive(&store(&from), &NAMES));
    for turn in 0..entries.len() {
        entries.rotate_left(1);
        if turn == 1 {
            entries.reverse();
        }
        let to = Scratch::new();
        let bytes = packed(&entries);
        let mut stream = Drops {
            bytes: &bytes,
            most: 100 + turn * 700,
            is_ready: false,
        };
        let options = ImportArchiveOptions::new();
        to.store().import_stream(&mut stream, &options).unwrap();
        assert_eq!(manifests(&from), manifests(&to));
        assert!(to.is_whole());
        assert!(staged(&to).is_empty());
    }
}

/// A stream that gives a few bytes at a time, and has none yet every other time.
struct Drops<'b> {
    bytes: &'b [u8],
    most: usize,
    is_ready: bool,
}

impl Read for Drops<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.is_ready = !self.is_ready;
        if !self.is_ready {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        let most = self.most.min(into.len());
        self.bytes.read(&mut into[..most])
    }
}

#[test]
fn a_name_is_given_to_the_one_model_of_an_archive() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let source = store(&from);
    let named = ImportArchiveOptions::new().name("other:x");
    let one = archive(&source, &["tiny"]);
    let imported = to.store().import_stream(&mut &*one, &named).unwrap();
    assert_eq!(imported.models[0].name.to_string(), "other:x");
    assert_eq!(manifests(&to).len(), 1);
    let two = archive(&source, &["tiny", "kind"]);
    let error = to.store().import_stream(&mut &*two, &named).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let malformed = ImportArchiveOptions::new().name("../x");
    let error = to
        .store()
        .import_stream(&mut &*one, &malformed)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
}

#[test]
fn another_model_of_the_name_is_replaced_only_where_that_is_said() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let bytes = archive(&store(&from), &NAMES);
    to.model("KIND", &[b"other"]);
    let before = to.snapshot();
    let error = import(&to.store(), &bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(to.snapshot(), before, "nothing came in");
    let options = ImportArchiveOptions::new().replace(true);
    let imported = to.store().import_stream(&mut &*bytes, &options).unwrap();
    let replaced: Vec<String> = imported
        .models
        .iter()
        .filter(|m| m.replaced)
        .map(|m| m.name.to_string())
        .collect();
    assert_eq!(replaced, ["KIND:latest"]);
    // What is there and the same is no obstacle.
    let again = import(&to.store(), &bytes).unwrap();
    assert!(again.models.iter().all(|model| !model.replaced));
}

#[test]
fn an_export_writes_over_nothing_unless_that_is_said() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let file = scratch.root().join("a.tar");
    fs::write(&file, "mine").unwrap();
    let error = export(&store, &["tiny"], &file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    store
        .export(["tiny"], &file, &ExportOptions::new().replace(true))
        .unwrap();
    assert_eq!(fs::read(&file).unwrap(), archive(&store, &["tiny"]));
    let other = scratch.root().join("a.gguf");
    fs::write(&other, "mine").unwrap();
    let options = ExportOptions::new().replace(true);
    let error = store.export(["tiny"], &other, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(fs::read(&other).unwrap(), b"mine");
}

#[test]
fn a_damaged_blob_does_not_travel_and_no_file_is_left() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let blob = store.model("tiny").unwrap().gguf_path().unwrap();
    let bytes = fs::read(&blob).unwrap();
    for damage in ["flipped", "cut", "gone"] {
        match damage {
            "flipped" => {
                let mut bytes = bytes.clone();
                bytes[100] ^= 1;
                fs::write(&blob, bytes).unwrap();
            }
            "cut" => fs::write(&blob, &bytes[1..]).unwrap(),
            _ => fs::remove_file(&blob).unwrap(),
        }
        let (file, directory) = (scratch.root().join("a.tar"), scratch.root().join("x/y"));
        for to in [&file, &directory] {
            let error = export(&store, &["tiny"], to).unwrap_err();
            let expected = match damage {
                "gone" => ErrorKind::FileNotFound,
                _ => ErrorKind::Corrupt,
            };
            assert_eq!(error.kind(), expected, "{error}");
        }
        let left = fs::read_dir(scratch.root())
            .unwrap()
            .map(|e| e.unwrap().file_name());
        let mut left: Vec<_> = left.collect();
        left.sort();
        assert_eq!(left, [".modelkeep", "blobs", "manifests"]);
        // A stream that was broken off ends without the end of an archive.
        let mut stream = Vec::new();
        store.export_to(["tiny"], &mut stream).unwrap_err();
        let to = Scratch::new();
        assert_eq!(
            import(&to.store(), &stream).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
        assert!(manifests(&to).is_empty());
    }
}

#[test]
fn what_cannot_be_exported_says_why() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    scratch.manifest("index", br#"{"schemaVersion":2,"manifests":[]}"#);
    let file = scratch.root().join("a.tar");
    let none: [&str; 0] = [];
    for (names, kind) in [
        (&["tinny"][..], ErrorKind::NotFound),
        (&["../x"], ErrorKind::InvalidName),
        (&["index"], ErrorKind::Unsupported),
        (&none, ErrorKind::InvalidArgument),
    ] {
        let error = export(&store, names, &file).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!file.exists());
    }
    let error = store.export_to(["tinny"], &mut Vec::new()).unwrap_err();
    assert_eq!(error.suggestions()[0], "tiny:latest");
}

/// A model of another making may have no config, no sizes and no media types.
#[test]
fn a_bare_manifest_travels() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let digest = from.blob(b"weights");
    from.manifest(
        "bare",
        format!(r#" {{"layers":[{{"digest":"{digest}"}}]}} "#).as_bytes(),
    );
    from.manifest("stub", br#"{"config":{"digest":""},"layers":null}"#);
    let bytes = archive(&from.store(), &["bare", "stub"]);
    import(&to.store(), &bytes).unwrap();
    assert_eq!(manifests(&from), manifests(&to));
    assert_eq!(fs::read_dir(to.root().join("blobs")).unwrap().count(), 1);
    // Other tools want the config of an image that names one.
    let packed = entries(&bytes);
    let has = |digest: &str| packed.iter().any(|entry| entry.path.ends_with(digest));
    let images = packed.iter().filter_map(|entry| {
        let image: serde_json::Value = serde_json::from_slice(&entry.bytes).ok()?;
        let config = image["config"]["digest"].as_str()?;
        Some(config.strip_prefix("sha256:")?.to_owned())
    });
    let configs: Vec<String> = images.collect();
    assert!(
        configs.len() == 2 && configs.iter().all(|hex| has(hex)),
        "{configs:?}"
    );
}

/// Far fewer parts than are refused, and far more text.
#[test]
fn a_long_manifest_travels() {
    let (from, to) = (Scratch::new(), Scratch::new());
    from.model_of("long", 500);
    let bytes = archive(&from.store(), &["long"]);
    assert_eq!(import(&to.store(), &bytes).unwrap().new_blobs, 501);
    assert_eq!(manifests(&from), manifests(&to));
}

#[test]
fn a_read_only_store_exports_and_takes_nothing() {
    let scratch = Scratch::new();
    let bytes = archive(&store(&scratch), &["tiny"]);
    let before = scratch.snapshot();
    let store = Store::open_with(scratch.options().read_only(true)).unwrap();
    assert_eq!(archive(&store, &["tiny"]), bytes);
    assert_eq!(
        import(&store, &bytes).unwrap_err().kind(),
        ErrorKind::ReadOnly
    );
    assert_eq!(scratch.snapshot(), before);
}
