//! Split models: several files, one table of tensors.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use common::Scratch;
use modelkeep::gguf::{TensorType, Writer};
use modelkeep::{ErrorKind, GgufOptions, GgufParts, ImportOptions, Model};

fn part(directory: &Path, no: u16, tensors: &[&str]) -> PathBuf {
    let f32 = TensorType::F32;
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "llama")
        .set("split.no", no)
        .set("split.count", 2_u16)
        .set("split.tensors.count", 3_i32);
    for name in tensors {
        writer.tensor(name, &[2], f32, vec![no as u8; 8]);
    }
    let path = directory.join(format!("m-{:05}-of-00002.gguf", no + 1));
    writer.write_to(&mut File::create(&path).unwrap()).unwrap();
    path
}

#[test]
fn the_parts_are_one_table_of_tensors() {
    let scratch = tempfile::tempdir().unwrap();
    let first = part(scratch.path(), 0, &["a", "b"]);
    let second = part(scratch.path(), 1, &["c"]);
    for path in [&first, &second] {
        let parts = GgufParts::open(path, &GgufOptions::default()).unwrap();
        assert_eq!((parts.parts().len(), parts.parameter_count()), (2, 6));
        let found: Vec<_> = parts
            .tensors()
            .map(|tensor| {
                let data = parts.tensor_data(&tensor).unwrap();
                (tensor.tensor.name.to_string(), tensor.part, data[7])
            })
            .collect();
        let expected = [("a".into(), 0, 0), ("b".into(), 0, 0), ("c".into(), 1, 1)];
        assert_eq!(found, expected);
    }
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let kind = |path: &Path| {
        GgufParts::open(path, &GgufOptions::default())
            .unwrap_err()
            .kind()
    };
    let scratch = tempfile::tempdir().unwrap();
    let first = part(scratch.path(), 0, &["a", "b"]);
    assert_eq!(
        kind(&first),
        ErrorKind::FileNotFound,
        "the second is missing"
    );
    part(scratch.path(), 1, &["c", "d"]);
    assert_eq!(kind(&first), ErrorKind::InvalidGguf, "one tensor too many");
    part(scratch.path(), 1, &["a"]);
    assert_eq!(kind(&first), ErrorKind::InvalidGguf, "a tensor twice");
    std::fs::copy(&first, scratch.path().join("m-00002-of-00002.gguf")).unwrap();
    assert_eq!(kind(&first), ErrorKind::InvalidGguf, "the first part twice");
    let renamed = scratch.path().join("other.gguf");
    std::fs::copy(&first, &renamed).unwrap();
    assert_eq!(
        kind(&renamed),
        ErrorKind::InvalidGguf,
        "a name that says nothing"
    );
}

#[test]
fn a_part_is_not_imported_without_the_others() {
    let scratch = common::Scratch::new();
    let first = part(scratch.root(), 0, &["a", "b"]);
    let import = scratch
        .store()
        .import(&first, common::name("x"), &ImportOptions::default());
    let error = import.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(
        error.to_string().contains("m-00002-of-00002.gguf"),
        "{error}"
    );
}

#[test]
fn the_parts_of_the_corpus_belong_together() {
    let Some(corpus) = common::shared("gguf/corpus") else {
        return;
    };
    let path = corpus.join("split-00002-of-00003.gguf");
    let parts = GgufParts::open(path, &GgufOptions::default()).unwrap();
    assert_eq!(parts.parts().len(), 3);
    let metadata = parts.metadata().unwrap();
    let announced = metadata.split().unwrap().tensors.unwrap();
    assert_eq!(parts.tensors().count() as u64, announced);
}

/// The bytes of a part of a split model, or of a file that is whole.
fn weights(split: Option<(u16, u16)>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.set("general.architecture", "llama");
    if let Some((no, count)) = split {
        writer.set("split.no", no).set("split.count", count);
    }
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    bytes
}

/// A stored model of these files, and the numbers of those that its paths name, in their order.
fn stored(files: &[Option<(u16, u16)>]) -> (Scratch, Model, modelkeep::Result<Vec<u64>>) {
    let scratch = Scratch::new();
    let bytes: Vec<Vec<u8>> = files.iter().map(|split| weights(*split)).collect();
    let layers: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
    scratch.model("m", &layers);
    let model = scratch.store().model("m").unwrap();
    let number = |path: &PathBuf| {
        let file = modelkeep::GgufFile::open(path, &GgufOptions::default()).unwrap();
        file.view().split().map_or(99, |split| split.index)
    };
    let numbers = model
        .gguf_paths()
        .map(|paths| paths.iter().map(number).collect());
    (scratch, model, numbers)
}

#[test]
fn the_parts_of_a_stored_model_are_in_their_order_whatever_its_manifest_has() {
    let part = |no| Some((no, 3));
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let (scratch, model, numbers) = stored(&order.map(part));
        assert_eq!(numbers.unwrap(), [0, 1, 2], "{order:?}");
        let error = model.gguf_path().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("in 3 files"), "{error}");
        let issues = scratch.store().doctor().unwrap().issues;
        assert!(
            !issues
                .iter()
                .any(|issue| issue.what.contains("split model"))
        );
    }
    // Files that are no parts are a model of their own each, in the order of the manifest.
    assert_eq!(stored(&[None, Some((0, 1))]).2.unwrap(), [99, 0]);
    assert_eq!(stored(&[Some((0, 1))]).2.unwrap(), [0]);
}

#[test]
fn a_part_that_is_missing_from_a_manifest_is_named() {
    for (files, present) in [
        (&[Some((0, 3)), Some((2, 3))][..], "1, 3 of 3"),
        (&[Some((1, 2)), None], "2 of 2"),
        (&[Some((0, 2)), Some((7, 2))], "1 of 2"),
        (&[Some((0, 2)), Some((1, 3))], "1, 2 of 3"),
    ] {
        let (scratch, _, numbers) = stored(files);
        let error = numbers.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let expected = format!("only the parts {present} of a split model are in its manifest");
        assert!(error.to_string().contains(&expected), "{error}");
        let issues = scratch.store().doctor().unwrap().issues;
        assert!(
            issues.iter().any(|issue| issue.what == expected),
            "{expected}"
        );
    }
    // One part alone is a file with a path, and yet no model.
    let (scratch, model, numbers) = stored(&[Some((1, 2))]);
    assert_eq!(numbers.unwrap(), [1]);
    assert!(fs::metadata(model.gguf_path().unwrap()).unwrap().is_file());
    // Also where a handle remembers its list, which it does of files that are at rest.
    thread::sleep(Duration::from_millis(2_100));
    let store = scratch.store();
    let expected = "only the parts 2 of 2 of a split model are in its manifest";
    for _ in 0..3 {
        assert_eq!(store.list().unwrap().models.len(), 1);
        let issues = store.doctor().unwrap().issues;
        assert!(issues.iter().any(|issue| issue.what == expected));
    }
}
