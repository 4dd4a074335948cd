//! The hashes of a file's tensors, and what two files differ in.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use modelkeep::gguf::{Endian, Limits, TensorType, Writer};
use modelkeep::{Digest, ErrorKind, GgufFile, GgufHashOptions, GgufOptions};

/// Sizes around a block and a chunk, in floats.
const SIZES: [u64; 9] = [0, 1, 15, 16, 17, 1000, 32 << 10, (32 << 10) + 1, 200_000];

fn data(tensor: usize, floats: u64) -> Vec<u8> {
    let bytes = 0..usize::try_from(4 * floats).unwrap();
    bytes.map(|at| (at * 31 + tensor * 7) as u8).collect()
}

fn written(change: impl FnOnce(&mut Writer)) -> GgufFile {
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "llama")
        .set("x.nan", f32::NAN);
    writer.set("x.list", vec![1_u32, 2, 3]);
    for (at, floats) in SIZES.into_iter().enumerate() {
        writer.tensor(
            &format!("w.{at}"),
            &[floats],
            TensorType::F32,
            data(at, floats),
        );
    }
    change(&mut writer);
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    let options = GgufOptions::new().limits(Limits::lenient());
    GgufFile::from_bytes(bytes, &options).unwrap()
}

#[test]
fn tensors_of_any_size_have_the_digests_of_their_data() {
    let file = written(|_| ());
    let all: Vec<u8> = SIZES
        .iter()
        .enumerate()
        .flat_map(|(at, size)| data(at, *size))
        .collect();
    for threads in [1, 2, 5] {
        let hash = file.hash(&GgufHashOptions::new().threads(threads)).unwrap();
        assert_eq!(hash.sha256, Some(Digest::of(&all)), "{threads} threads");
        assert_eq!(hash.tensors.len(), SIZES.len());
        for (at, tensor) in hash.tensors.iter().enumerate() {
            let data = data(at, SIZES[at]);
            assert_eq!(tensor.sha256, Some(Digest::of(&data)), "{}", tensor.name);
            assert_eq!(tensor.size, data.len() as u64);
        }
    }
}

#[test]
fn what_is_not_wanted_is_not_computed() {
    let file = written(|_| ());
    let hash = file
        .hash(&GgufHashOptions::new().tensors(false).sha256(false))
        .unwrap();
    assert!(hash.tensors.is_empty() && hash.sha256.is_none() && hash.xxh64.is_some());
}

#[test]
fn xxh64_is_that_of_its_specification() {
    let mut writer = Writer::new();
    writer.tensor(
        "w",
        &[39],
        TensorType::I8,
        b"Nobody inspects the spammish repetition".to_vec(),
    );
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    let file = GgufFile::from_bytes(bytes, &GgufOptions::new()).unwrap();
    let hash = file.hash(&GgufHashOptions::new()).unwrap();
    assert_eq!(hash.xxh64, Some(0xfbce_a83c_8a37_8bf1));
    assert_eq!(
        hash.lines("a.gguf").first().unwrap(),
        "xxh64     fbcea83c8a378bf1  a.gguf:w"
    );
}

#[test]
fn a_file_is_the_same_as_itself_in_another_layout() {
    let before = written(|_| ());
    let after = written(|writer| {
        writer.alignment(64);
    });
    let diff = before.diff(&after).unwrap();
    assert_eq!(diff.tensors, []);
    let keys: Vec<&str> = diff.keys.iter().map(|key| key.key.as_str()).collect();
    assert_eq!(
        (keys, diff.equal_keys, diff.all_keys),
        (vec!["general.alignment"], 3, 4)
    );
    assert!(before.diff(&before).unwrap().is_empty());
}

#[test]
fn each_difference_is_named() {
    let before = written(|_| ());
    let after = written(|writer| {
        writer
            .set("x.list", vec![1_u32, 2])
            .set("general.architecture", "qwen");
        writer.tensor("more", &[2], TensorType::F32, vec![0; 8]);
        let mut changed = data(8, SIZES[8]);
        *changed.last_mut().unwrap() ^= 1;
        writer.tensor("w.8", &[SIZES[8]], TensorType::F32, changed);
    });
    let diff = before.diff(&after).unwrap();
    let keys: Vec<&str> = diff.keys.iter().map(|key| key.key.as_str()).collect();
    assert_eq!(keys, ["general.architecture", "x.list"]);
    let tensors: Vec<&str> = diff.tensors.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(tensors, ["more", "w.8"]);
    assert_eq!((diff.equal_tensors, diff.all_tensors), (8, 10));
    assert_eq!(diff.tensors[1].before, diff.tensors[1].after);
}

#[test]
fn metadata_are_the_same_in_either_byte_order() {
    let before = written(|_| ());
    let after = written(|writer| {
        writer.endian(Endian::Big);
    });
    assert_eq!(before.diff(&after).unwrap().keys, []);
}

#[test]
fn either_is_stopped_by_its_observer() {
    let file = written(|_| ());
    let stop = &mut |_: &modelkeep::Progress| ControlFlow::Break(());
    let hashed = file.hash_with(&GgufHashOptions::new(), stop).unwrap_err();
    let compared = file.diff_with(&file, stop).unwrap_err();
    assert_eq!([hashed.kind(), compared.kind()], [ErrorKind::Cancelled; 2]);
}

#[test]
fn progress_ends_at_the_whole() {
    let file = written(|_| ());
    let mut last = modelkeep::Progress::default();
    let mut observe = |progress: &modelkeep::Progress| {
        last = *progress;
        ControlFlow::Continue(())
    };
    file.hash_with(&GgufHashOptions::new(), &mut observe)
        .unwrap();
    assert_eq!(
        (last.bytes, last.files),
        (last.total_bytes, last.total_files)
    );
    assert!(last.bytes > 0);
}

#[test]
fn a_file_that_is_not_mapped_is_to_be_mapped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("w.gguf");
    let mut bytes = Vec::new();
    let mut writer = Writer::new();
    writer.tensor("w", &[64], TensorType::F32, vec![0; 256]);
    writer.write_to(&mut bytes).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    let file = GgufFile::open(&path, &GgufOptions::new().mmap(false)).unwrap();
    let tensor = file.view().tensor(0).unwrap();
    let refused = [
        file.hash(&GgufHashOptions::new()).unwrap_err(),
        file.diff(&file).unwrap_err(),
        file.view().dequantize(&tensor, 0..1).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("let it be mapped"), "{error}");
    }
}

#[test]
fn data_that_are_not_there_are_not_compared() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new();
    writer.tensor("w", &[64], TensorType::F32, vec![0; 256]);
    writer.write_to(&mut bytes).unwrap();
    bytes.truncate(bytes.len() - 100);
    let limits = Limits::lenient().data(modelkeep::gguf::Data::Optional);
    let file = GgufFile::from_bytes(bytes, &GgufOptions::new().limits(limits)).unwrap();
    let refused = file.hash(&GgufHashOptions::new()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    assert!(
        refused.to_string().contains("ends before them"),
        "{refused}"
    );
    assert_eq!(file.diff(&file).unwrap_err().kind(), ErrorKind::NotFound);
}
