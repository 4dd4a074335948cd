//! Split models: several files, one table of tensors.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs::File;
use std::path::{Path, PathBuf};

use modelkeep::gguf::{TensorType, Writer};
use modelkeep::{ErrorKind, GgufOptions, GgufParts, ImportOptions};

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
fn a_part_is_not_imported_as_a_model() {
    let scratch = common::Scratch::new();
    let first = part(scratch.root(), 0, &["a", "b"]);
    let import = scratch
        .store()
        .import(&first, common::name("x"), &ImportOptions::default());
    let error = import.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("part 1 of 2"), "{error}");
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
