//! What an import and a verification say of GGUF files as people have them.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/headers.rs"]
mod headers;

use std::fs;

use headers::{Stated, file};
use modelkeep::gguf::{ParseError, ParseErrorKind, WarningCode};
use modelkeep::{GgufFile, GgufOptions, VerifyOptions};

/// What is taken for GGUF and is not: a name, bytes, and words by which it is called.
fn others() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4368438976\n";
    vec![
        ("empty", Vec::new(), "the file is empty"),
        ("page", b"\n<!DOCTYPE html><p>".to_vec(), "HTML"),
        ("error", b"<?xml version=\"1.0\"?><Error>".to_vec(), "XML"),
        ("lfs", lfs.into(), "4368438976 bytes"),
        ("refused", b"Entry not found".to_vec(), "refusal"),
        ("gated", b"{\"error\":\"gated\"}".to_vec(), "refusal"),
        (
            "safetensors",
            b"\x02\0\0\0\0\0\0\0{}".to_vec(),
            "safetensors",
        ),
        ("zip", b"PK\x03\x04....archive/data.pkl".to_vec(), "PyTorch"),
        ("gzip", b"\x1f\x8b\x08\x08abcdefgh".to_vec(), "gzip"),
        ("ggjt", b"tjgg\x03\0\0\0".to_vec(), "GGJT"),
        ("pickle", b"\x80\x02}q.".to_vec(), "pickle"),
        ("llamafile", b"MZqFpD='\nabc".to_vec(), "llamafile"),
        ("zeros", vec![0; 4096], "all zeros"),
        (
            "v1",
            b"GGUF\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
            "August 2023",
        ),
        (
            "swapped",
            b"FUGG\x03\0\0\0\0\0\0\0".to_vec(),
            "byte-swapped",
        ),
    ]
}

#[test]
fn a_file_that_is_something_else_is_called_what_it_is() {
    let scratch = common::Scratch::new();
    for (name, bytes, words) in others() {
        let path = scratch.root().join(name);
        fs::write(&path, &bytes).unwrap();
        for mmap in [true, false] {
            let options = GgufOptions::default().mmap(mmap);
            let said = GgufFile::open(&path, &options).unwrap_err().to_string();
            assert!(said.contains(words), "{name}: {said}");
        }
        let options = modelkeep::ImportOptions::default();
        let imported = scratch
            .store()
            .import_file(&path, common::name("x"), &options);
        let error = imported.unwrap_err().to_string();
        assert!(
            error.contains(words) && !error.contains("Modelfile"),
            "{name}: {error}"
        );
    }
}

#[test]
fn an_import_tells_what_is_unusual() {
    let scratch = common::Scratch::new();
    let path = scratch.root().join("late.gguf");
    fs::write(&path, file(&[("b", &[8], 0, 32), ("a", &[8], 0, 0)], 64)).unwrap();
    let options = modelkeep::ImportOptions::default();
    let imported = scratch.store().import(&path, common::name("x"), &options);
    let warnings = imported.unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].file, path);
    assert_eq!(
        warnings[0].warning.code(),
        WarningCode::OffsetsNotSequential
    );
    let mut editor = modelkeep::gguf::Editor::new();
    editor.set("general.name", "x");
    let options = modelkeep::EditOptions::new();
    let edited = scratch.store().edit("x", "edited", &editor, &options);
    let warnings = edited.unwrap().warnings;
    let codes: Vec<_> = warnings.iter().map(|found| found.warning.code()).collect();
    assert_eq!(codes, [WarningCode::OffsetsNotSequential]);
}

#[test]
fn an_import_of_what_says_to_be_no_model_is_warned_of() {
    let scratch = common::Scratch::new();
    for (kind, is_warned) in [("vocab", true), ("imatrix", true), ("model", false)] {
        let path = scratch.root().join(format!("{kind}.gguf"));
        let mut writer = modelkeep::gguf::Writer::new();
        writer
            .set("general.architecture", "llama")
            .set("general.type", kind);
        writer
            .write_to(&mut fs::File::create(&path).unwrap())
            .unwrap();
        let options = modelkeep::ImportOptions::default();
        let imported = scratch
            .store()
            .import(&path, common::name(kind), &options)
            .unwrap();
        let codes: Vec<_> = imported
            .warnings
            .iter()
            .map(|found| found.warning.code())
            .collect();
        assert_eq!(codes.contains(&WarningCode::NotAModel), is_warned, "{kind}");
    }
}

#[test]
fn a_file_that_says_to_be_the_only_part_is_stored_as_it_is() {
    let scratch = common::Scratch::new();
    let path = scratch.root().join("whole.gguf");
    let mut writer = modelkeep::gguf::Writer::new();
    writer
        .set("general.architecture", "llama")
        .set("split.no", 0_u16)
        .set("split.count", 1_u16);
    writer
        .write_to(&mut fs::File::create(&path).unwrap())
        .unwrap();
    let options = modelkeep::ImportOptions::default();
    let imported = scratch.store().import(&path, common::name("x"), &options);
    let bytes = fs::read(&path).unwrap();
    assert_eq!(imported.unwrap().digest, modelkeep::Digest::of(&bytes));
}

#[test]
fn from_a_missing_file_says_so_and_not_that_a_model_is_missing() {
    let scratch = common::Scratch::new();
    for text in [
        "./no.gguf",
        "../no",
        "no.gguf",
        "/no/where.gguf",
        "team/model",
        "NO.GGUF",
    ] {
        let path = scratch.root().join("Modelfile");
        fs::write(&path, format!("FROM {text}\n")).unwrap();
        let options = modelkeep::ImportOptions::default();
        let imported = scratch
            .store()
            .import_file(&path, common::name("x"), &options);
        let error = imported.unwrap_err();
        assert_eq!(error.kind(), modelkeep::ErrorKind::FileNotFound);
        assert!(
            error
                .to_string()
                .ends_with(&format!("no such file: {text}")),
            "{error}"
        );
    }
}

#[test]
fn verify_tells_what_strict_readers_do_not_support_from_what_is_damaged() {
    let scratch = common::Scratch::new();
    let removed: Stated<'_> = ("a", &[256], 31, 0);
    let video: Stated<'_> = ("a", &[2, 2, 1, 2, 2], 0, 0);
    let cases = [
        (
            "removed",
            file(&[removed], 144),
            Some(ParseErrorKind::BadTensorType),
            None,
        ),
        (
            "video",
            file(&[video], 64),
            Some(ParseErrorKind::TooManyDims),
            None,
        ),
        ("whole", file(&[("a", &[8], 0, 0)], 32), None, None),
        (
            "cut",
            file(&[removed, ("b", &[8], 0, 160)], 160),
            None,
            Some(ParseErrorKind::DataOutOfBounds),
        ),
    ];
    for (name, bytes, unsupported, fault) in cases {
        scratch.model(name, &[&bytes]);
        let options = VerifyOptions::default().gguf(true).models([name]);
        let report = scratch.store().verify(&options).unwrap();
        let found = report
            .blobs
            .iter()
            .find_map(|blob| blob.gguf.as_ref())
            .unwrap();
        let kind = |fault: &Option<ParseError>| fault.as_ref().map(ParseError::kind);
        assert_eq!(
            (kind(&found.unsupported), kind(&found.error)),
            (unsupported, fault),
            "{name}"
        );
        assert_eq!(
            (found.is_ok(), report.is_ok()),
            (fault.is_none(), fault.is_none()),
            "{name}"
        );
    }
}
