//! Damaged GGUF files never panic, hang or lead outside of their bytes.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use modelkeep::gguf::{Limits, OwnedArray, OwnedValue, TensorType, ValueType, Writer};
use modelkeep::internal::{fuzz_compare, fuzz_read};
use modelkeep::{ErrorKind, GgufFile, GgufOptions};

/// A small file in which every type of value stands.
fn small() -> Vec<u8> {
    let text = |text: &str| OwnedValue::from(text);
    let nested = vec![vec![1_u8, 2].into(), Vec::<u8>::new().into()];
    let f16 = TensorType::F16;
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "llama")
        .set("a.u8", 1_u8)
        .set("a.i8", -1_i8)
        .set("a.u16", 2_u16)
        .set("a.i16", -2_i16)
        .set("a.i32", -3_i32)
        .set("a.u64", u64::MAX)
        .set("a.i64", i64::MIN)
        .set("a.f32", f32::NAN)
        .set("a.f64", 1e300)
        .set("a.bool", vec![true, false])
        .set(
            "a.strs",
            OwnedArray::new(ValueType::Str, vec![text("x"), text(""), text("\u{e9}")]),
        )
        .set("a.nested", OwnedArray::new(ValueType::Array, nested))
        .set("split.no", 0_u16)
        .set("split.count", 2_u16)
        .alignment(16)
        .tensor("t", &[2, 3], f16, vec![7; 12])
        .tensor("u", &[], f16, vec![8; 2]);
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_file_that_is_cut_at_any_byte_is_read_or_refused() {
    let bytes = small();
    for end in 0..=bytes.len() {
        fuzz_read(&bytes[..end]);
    }
}

#[test]
fn a_file_with_any_byte_changed_is_read_or_refused() {
    let bytes = small();
    for at in 0..bytes.len() {
        let old = bytes[at];
        for new in [
            0,
            1,
            0x7f,
            0x80,
            0xff,
            old ^ 1,
            old ^ 0x80,
            old.wrapping_add(1),
        ] {
            let mut changed = bytes.clone();
            changed[at] = new;
            fuzz_read(&changed);
            fuzz_compare(&changed);
        }
    }
}

#[test]
fn every_input_that_fuzzing_kept_is_read_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/gguf");
    let mut ran = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        fuzz_read(&bytes);
        fuzz_compare(&bytes);
        ran += 1;
    }
    assert!(ran > 100, "{ran} inputs");
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let scratch = tempfile::tempdir().unwrap();
    let fifo = scratch.path().join("fifo");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let missing = scratch.path().join("missing");
    let cases: [(PathBuf, ErrorKind); 4] = [
        (fifo, ErrorKind::Io),
        (scratch.path().to_owned(), ErrorKind::Io),
        ("/dev/zero".into(), ErrorKind::Io),
        (missing, ErrorKind::FileNotFound),
    ];
    for (path, kind) in cases {
        for mmap in [true, false] {
            let options = GgufOptions::default().mmap(mmap);
            assert_eq!(
                GgufFile::open(&path, &options).unwrap_err().kind(),
                kind,
                "{path:?}"
            );
        }
    }
}

#[test]
fn a_file_that_is_cut_or_replaced_after_it_was_read_stays_as_it_was() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a.gguf");
    fs::write(&path, small()).unwrap();
    let options = GgufOptions::new().limits(Limits::strict());
    let read = GgufFile::open(&path, &options.mmap(false)).unwrap();
    let mapped = GgufFile::open(&path, &options).unwrap();
    let before = mapped.view().to_json();
    // A new file in its place leaves the old one to those who have it mapped.
    fs::rename(&path, scratch.path().join("old")).unwrap();
    File::create(&path).unwrap().write_all(b"other").unwrap();
    assert_eq!(mapped.view().to_json(), before);
    drop(mapped);
    File::options()
        .write(true)
        .open(scratch.path().join("old"))
        .unwrap()
        .set_len(1)
        .unwrap();
    assert_eq!(read.view().to_json(), before);
}

#[test]
fn one_file_serves_many_threads_and_outlives_its_first_holder() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a.gguf");
    fs::write(&path, small()).unwrap();
    let file = GgufFile::open(&path, &GgufOptions::default()).unwrap();
    let expected = file.view().to_json();
    let threads: Vec<_> = (0..64)
        .map(|_| {
            let (file, path) = (file.clone(), path.clone());
            std::thread::spawn(move || {
                let own = GgufFile::open(path, &GgufOptions::default()).unwrap();
                (file.view().to_json(), own.view().to_json())
            })
        })
        .collect();
    drop(file);
    for thread in threads {
        assert_eq!(thread.join().unwrap(), (expected.clone(), expected.clone()));
    }
}
