//! Image layouts as directories.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use modelkeep::{ErrorKind, ExportOptions, ImportArchiveOptions, Store};

use crate::common::Scratch;
use crate::{NAMES, export, manifests, staged, store};

fn import(store: &Store, from: &Path) -> modelkeep::Result<modelkeep::ImportedArchive> {
    store.import_archive(from, &ImportArchiveOptions::new())
}

/// The files below a directory, with their bytes.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

#[test]
fn a_directory_is_made_and_comes_back() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let layout = from.root().join("a/b/layout");
    export(&store(&from), &NAMES, &layout).unwrap();
    let imported = import(&to.store(), &layout).unwrap();
    assert_eq!(imported.models.len(), 3);
    assert_eq!(manifests(&from), manifests(&to));
    assert!(to.is_whole());
    assert!(Store::is_archive(&layout) && !Store::is_archive(from.root()));
    for (name, is_archive) in [
        ("a.tar", true),
        ("a.TAR.GZ", true),
        ("a.gguf", false),
        ("tar", false),
    ] {
        assert_eq!(Store::is_archive(name), is_archive, "{name}");
    }
}

#[test]
fn models_are_added_to_a_layout_and_blobs_are_not_written_twice() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let (one, two) = (scratch.root().join("one"), scratch.root().join("two"));
    export(&store, &["hf.co/team/Tiny:Q4", "kind", "tiny"], &one).unwrap();
    export(&store, &["hf.co/team/Tiny:Q4"], &two).unwrap();
    let blob = store.model("tiny").unwrap().manifest().layers()[0]
        .digest()
        .unwrap();
    let written = two.join("blobs/sha256").join(blob.hex());
    let before = written.metadata().unwrap();
    export(&store, &["kind"], &two).unwrap();
    export(&store, &["tiny"], &two).unwrap();
    let after = written.metadata().unwrap();
    assert_eq!(
        (before.ino(), before.mtime_nsec()),
        (after.ino(), after.mtime_nsec())
    );
    let relative = |root: &Path| {
        let prefix = root.display().to_string();
        let files = files(root).into_iter();
        let files = files.map(|(path, bytes)| (path.replace(&prefix, ""), bytes));
        files.collect::<Vec<_>>()
    };
    assert_eq!(relative(&one), relative(&two), "in whatever steps");
    // A damaged one is written anew.
    fs::write(&written, vec![0; usize::try_from(after.len()).unwrap()]).unwrap();
    export(&store, &["tiny"], &two).unwrap();
    assert_eq!(relative(&one), relative(&two));
}

#[test]
fn another_model_of_the_name_in_a_layout_is_replaced_only_where_that_is_said() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let layout = scratch.root().join("layout");
    export(&store, &["tiny", "kind"], &layout).unwrap();
    let before = files(&layout);
    store.copy("kind", "tiny").unwrap();
    let error = export(&store, &["tiny"], &layout).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(files(&layout), before);
    let options = ExportOptions::new().replace(true);
    store.export(["tiny"], &layout, &options).unwrap();
    let to = Scratch::new();
    import(&to.store(), &layout).unwrap();
    let models = to.store().list().unwrap().models;
    assert_eq!(models.len(), 2);
    assert_eq!(models[0].digest, models[1].digest);
}

#[test]
fn what_a_layout_says_besides_stays() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let layout = scratch.root().join("layout");
    fs::create_dir(&layout).unwrap();
    fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion": "1.1.0"}"#,
    )
    .unwrap();
    let index = r#"{"annotations":{"a":"b"},"manifests":[{"digest":"sha256:x","size":7}]}"#;
    fs::write(layout.join("index.json"), index).unwrap();
    export(&store, &["tiny"], &layout).unwrap();
    let text = fs::read_to_string(layout.join("index.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["annotations"]["a"], "b");
    assert_eq!(value["manifests"][0]["digest"], "sha256:x");
    assert_eq!(value["manifests"].as_array().unwrap().len(), 2);
    let version = fs::read_to_string(layout.join("oci-layout")).unwrap();
    assert!(version.contains("1.1.0"));
}

#[test]
fn a_layout_of_another_version_is_left_alone_and_one_without_an_index_gets_one() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let layout = scratch.root().join("layout");
    export(&store, &["kind"], &layout).unwrap();
    let before = fs::read(layout.join("oci-layout")).unwrap();
    fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion":"2.0.0"}"#,
    )
    .unwrap();
    let kept = files(&layout);
    let error = export(&store, &["tiny"], &layout).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(files(&layout), kept);
    fs::write(layout.join("oci-layout"), before).unwrap();
    fs::remove_file(layout.join("index.json")).unwrap();
    export(&store, &["tiny"], &layout).unwrap();
    let to = Scratch::new();
    assert_eq!(import(&to.store(), &layout).unwrap().models.len(), 1);
    // One that is there and cannot be read is not written over.
    fs::remove_file(layout.join("index.json")).unwrap();
    fs::create_dir(layout.join("index.json")).unwrap();
    assert!(export(&store, &["kind"], &layout).is_err());
}

#[test]
fn a_directory_of_other_things_is_left_alone() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let directory = scratch.root().join("other");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("notes"), "mine").unwrap();
    let options = ExportOptions::new().replace(true);
    let error = store.export(["tiny"], &directory, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(files(&directory).len(), 1);
    let empty = scratch.root().join("empty");
    fs::create_dir(&empty).unwrap();
    export(&store, &["tiny"], &empty).unwrap();
    // A directory may be called as it likes.
    let named = scratch.root().join("named.tar");
    fs::create_dir(&named).unwrap();
    export(&store, &["tiny"], &named).unwrap();
    assert_eq!(files(&named).len(), files(&empty).len());
}

#[test]
fn a_layout_of_hostile_making_is_refused() {
    let scratch = Scratch::new();
    let layout = scratch.root().join("layout");
    let store = store(&scratch);
    export(&store, &["tiny"], &layout).unwrap();
    let blob = store.model("tiny").unwrap().manifest().layers()[0]
        .digest()
        .unwrap();
    let blob = layout.join("blobs/sha256").join(blob.hex());
    let bytes = fs::read(&blob).unwrap();
    type Spoil = fn(&Path);
    let spoils: [(Spoil, ErrorKind); 6] = [
        (|path| fs::remove_file(path).unwrap(), ErrorKind::Corrupt),
        (|path| fs::write(path, "other").unwrap(), ErrorKind::Corrupt),
        (
            |path| {
                fs::remove_file(path).unwrap();
                symlink("/etc/passwd", path).unwrap();
            },
            ErrorKind::Corrupt,
        ),
        (
            |path| {
                fs::remove_file(path).unwrap();
                symlink("/dev/zero", path).unwrap();
            },
            ErrorKind::Io,
        ),
        (
            |path| {
                fs::remove_file(path).unwrap();
                let made = std::process::Command::new("mkfifo").arg(path).status();
                assert!(made.unwrap().success());
            },
            ErrorKind::Io,
        ),
        (
            |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            ErrorKind::Io,
        ),
    ];
    for (spoil, kind) in spoils {
        spoil(&blob);
        let to = Scratch::new();
        let error = import(&to.store(), &layout).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(manifests(&to).is_empty() && staged(&to).is_empty());
        let _ = fs::remove_file(&blob).or_else(|_| fs::remove_dir(&blob));
        fs::write(&blob, &bytes).unwrap();
    }
    for file in ["oci-layout", "index.json"] {
        let bytes = fs::read(layout.join(file)).unwrap();
        fs::remove_file(layout.join(file)).unwrap();
        let error = import(&Scratch::new().store(), &layout).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        fs::write(layout.join(file), bytes).unwrap();
    }
    import(&Scratch::new().store(), &layout).unwrap();
}
