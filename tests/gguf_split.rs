//! Models that are split into parts, and merged again.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use modelkeep::gguf::{Endian, Limits, OwnedValue, TensorType, Writer};
use modelkeep::{
    EditOptions, ErrorKind, GgufFile, GgufOptions, GgufParts, Progress, Result, SplitOptions,
};
use proptest::prelude::*;

const F32: TensorType = TensorType::F32;

/// Adds tensors of so many elements, with data that tell where they belong.
fn tensors(writer: &mut Writer, sizes: &[u64], from: usize) {
    for (at, len) in sizes.iter().enumerate() {
        let at = at + from;
        let data = (0..len * 4).map(|byte| (byte + at as u64 * 7) as u8);
        writer.tensor(&format!("blk.{at}.weight"), &[*len], F32, data.collect());
    }
}

fn metadata() -> Writer {
    let mut writer = Writer::new();
    writer.set("general.architecture", "llama");
    writer.set("tokenizer.ggml.tokens", vec!["a".to_owned(), "bc".into()]);
    writer.set("llama.context_length", 128_u32);
    writer
}

fn bytes(writer: &Writer) -> Vec<u8> {
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    bytes
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn split(from: &Path, prefix: &Path, options: &SplitOptions) -> Result<Vec<PathBuf>> {
    let parts = GgufParts::split_file(from, prefix, options)?;
    Ok(parts.into_iter().map(|part| part.file).collect())
}

#[test]
fn parts_have_the_bytes_that_llama_gguf_split_writes() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, prefix) = (scratch.path().join("m.gguf"), scratch.path().join("p"));
    let sizes = [40, 3, 100, 7, 1];
    let mut whole = metadata();
    tensors(&mut whole, &sizes, 0);
    fs::write(&from, bytes(&whole)).unwrap();
    // 160, 32, 416, 32 and 32 bytes, padded.
    let by_size = SplitOptions::new().max_size(448);
    let by_count = SplitOptions::new().max_tensors(2);
    for (options, starts) in [(by_size, &[0, 2, 4][..]), (by_count, &[0, 2, 4])] {
        let parts = split(&from, &prefix, &options.replace(true)).unwrap();
        assert_eq!(parts.len(), starts.len());
        for (no, path) in parts.iter().enumerate() {
            let name = format!("p-0000{}-of-00003.gguf", no + 1);
            assert_eq!(path, &scratch.path().join(name));
            let mut part = if no == 0 { metadata() } else { Writer::new() };
            part.set("split.no", no as u16);
            part.set("split.tensors.count", 5_i32);
            part.set("split.count", 3_u16);
            let end = starts.get(no + 1).copied().unwrap_or(sizes.len());
            tensors(&mut part, &sizes[starts[no]..end], starts[no]);
            assert_eq!(fs::read(path).unwrap(), bytes(&part), "part {no}");
        }
        // Any part is enough to find the others.
        let to = scratch.path().join("merged.gguf");
        let options = EditOptions::new().replace(true);
        let merged = GgufParts::merge_file(&parts[1], &to, &options).unwrap();
        let mut expected = metadata();
        expected.set("split.no", 0_u16);
        expected.set("split.tensors.count", 5_i32);
        expected.set("split.count", 0_u16);
        tensors(&mut expected, &sizes, 0);
        assert_eq!(fs::read(&to).unwrap(), bytes(&expected));
        assert_eq!(merged.size, to.metadata().unwrap().len());
        assert_eq!(merged.file, to);
        // What was merged is whole: it is split again into the same parts, and not merged again.
        let again = split(
            &to,
            &scratch.path().join("q"),
            &SplitOptions::new().max_tensors(2).replace(true),
        );
        for (first, second) in parts.iter().zip(again.unwrap()) {
            assert_eq!(fs::read(first).unwrap(), fs::read(second).unwrap());
        }
        let error = GgufParts::merge_file(&to, &to, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("it is whole"), "{error}");
    }
}

#[test]
fn what_cannot_be_split_or_merged_leaves_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, prefix) = (scratch.path().join("m.gguf"), scratch.path().join("p"));
    let mut whole = metadata();
    tensors(&mut whole, &[4, 4, 4], 0);
    fs::write(&from, bytes(&whole)).unwrap();
    let one = SplitOptions::new().max_tensors(1);
    for (options, expected) in [
        (
            SplitOptions::new(),
            "takes the most bytes or the most tensors",
        ),
        (SplitOptions::new().max_tensors(0), "a part of nothing"),
        (SplitOptions::new().max_size(0), "a part of nothing"),
    ] {
        let error = split(&from, &prefix, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(expected), "{error}");
    }
    let missing = split(&scratch.path().join("none"), &prefix, &one);
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::FileNotFound);
    assert_eq!(names(scratch.path()), ["m.gguf"]);
    // One of the names is taken: none is written, and what is there stays.
    let taken = scratch.path().join("p-00002-of-00003.gguf");
    fs::write(&taken, "mine").unwrap();
    let error = split(&from, &prefix, &one).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(names(scratch.path()), ["m.gguf", "p-00002-of-00003.gguf"]);
    assert_eq!(fs::read(&taken).unwrap(), b"mine");
    let parts = GgufParts::split_file(&from, &prefix, &one.clone().replace(true)).unwrap();
    let replaced: Vec<_> = parts.iter().map(|part| part.replaced).collect();
    assert_eq!(replaced, [false, true, false]);
    let error = split(&taken, &scratch.path().join("q"), &one).unwrap_err();
    assert!(error.to_string().contains("merge it first"), "{error}");

    let to = scratch.path().join("to.gguf");
    let merge = |first: &Path| GgufParts::merge_file(first, &to, &EditOptions::new());
    fs::rename(&taken, scratch.path().join("away")).unwrap();
    let error = merge(&parts[0].file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(error.to_string().contains("p-00002-of-00003"), "{error}");
    assert!(!to.exists());
    fs::rename(scratch.path().join("away"), &taken).unwrap();
    fs::write(&to, "mine").unwrap();
    assert_eq!(merge(&taken).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&to).unwrap(), b"mine");
    let left = names(scratch.path());
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
}

#[test]
fn a_tensor_that_is_larger_than_a_part_has_its_own() {
    let scratch = tempfile::tempdir().unwrap();
    let from = scratch.path().join("m.gguf");
    let mut whole = metadata();
    tensors(&mut whole, &[100, 1, 1, 100, 1], 0);
    fs::write(&from, bytes(&whole)).unwrap();
    let options = SplitOptions::new().max_size(64);
    let parts = split(&from, &scratch.path().join("p"), &options).unwrap();
    let counts = parts.iter().map(|part| {
        let part = GgufFile::open(part, &GgufOptions::new()).unwrap();
        part.view().tensor_count()
    });
    assert_eq!(counts.collect::<Vec<_>>(), [1, 2, 1, 1]);
}

type Observer<'o> = &'o mut dyn FnMut(&Progress) -> ControlFlow<()>;

#[test]
fn a_watched_split_counts_its_bytes_and_leaves_nothing_when_it_is_stopped() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, prefix) = (scratch.path().join("m.gguf"), scratch.path().join("p"));
    let mut whole = metadata();
    tensors(&mut whole, &[4, 4], 0);
    fs::write(&from, bytes(&whole)).unwrap();
    let options = SplitOptions::new().max_tensors(1);
    let mut stop = |_: &Progress| ControlFlow::Break(());
    let stopped = GgufParts::split_file_with(&from, &prefix, &options, &mut stop);
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(names(scratch.path()), ["m.gguf"]);
    let last = |call: &mut dyn FnMut(Observer<'_>)| {
        let mut last = Progress::default();
        call(&mut |progress| {
            last = *progress;
            ControlFlow::Continue(())
        });
        assert_eq!((last.files, last.total_files), (1, 1));
        assert_eq!(last.bytes, last.total_bytes);
        last.bytes
    };
    let mut parts = Vec::new();
    let told = last(&mut |observe| {
        parts = GgufParts::split_file_with(&from, &prefix, &options, observe).unwrap();
    });
    assert_eq!(told, parts.iter().map(|part| part.size).sum::<u64>());
    let (first, to) = (&parts[0].file, scratch.path().join("to"));
    let merged = GgufParts::merge_file_with(first, &to, &EditOptions::new(), &mut stop);
    assert_eq!(merged.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(!to.exists());
    let mut size = 0;
    let told = last(&mut |observe| {
        let options = EditOptions::new();
        size = GgufParts::merge_file_with(first, &to, &options, observe)
            .unwrap()
            .size;
    });
    assert_eq!(told, size);
}

/// What not everybody may read is not made readable to all.
#[test]
#[cfg(unix)]
fn parts_and_what_is_merged_of_them_have_the_mode_of_their_source() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let mut whole = metadata();
    tensors(&mut whole, &[4, 4], 0);
    fs::write(at("m.gguf"), bytes(&whole)).unwrap();
    fs::set_permissions(at("m.gguf"), PermissionsExt::from_mode(0o640)).unwrap();
    let options = SplitOptions::new().max_tensors(1);
    let parts = split(&at("m.gguf"), &at("p"), &options).unwrap();
    GgufParts::merge_file(&parts[0], at("whole"), &EditOptions::new()).unwrap();
    for path in parts.into_iter().chain([at("whole")]) {
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{}", path.display());
    }
}

/// Name, shape, type and data of the tensors of a model.
type Found = Vec<(Vec<u8>, Vec<u64>, u32, Vec<u8>)>;

fn found(parts: &GgufParts) -> Found {
    let tensors = parts.tensors().map(|it| {
        let data = parts.tensor_data(&it).unwrap().to_vec();
        let tensor = it.tensor;
        let name = tensor.name.as_bytes().to_vec();
        (name, tensor.dims.to_vec(), tensor.tensor_type.code(), data)
    });
    tensors.collect()
}

fn pairs(parts: &GgufParts) -> Vec<(Vec<u8>, String)> {
    let metadata = parts.metadata().unwrap().metadata();
    let pairs = metadata.filter(|(key, _)| !key.as_bytes().starts_with(b"split."));
    // The text tells a NaN from another number, and is equal to itself.
    let pairs = pairs.map(|(key, value)| {
        let value = format!("{:?}", OwnedValue::from(value));
        (key.as_bytes().to_vec(), value)
    });
    pairs.collect()
}

/// Splits a file and merges its parts, which are read strictly. Returns whether it could be split.
fn there_and_back(directory: &Path, from: &Path, options: SplitOptions) -> bool {
    let parts = match split(from, &directory.join("p"), &options.replace(true)) {
        Ok(parts) => parts,
        Err(error) => {
            let left = names(directory);
            assert!(left.iter().all(|name| !name.starts_with('.')), "{error}");
            return false;
        }
    };
    let lenient = GgufOptions::new().limits(Limits::lenient());
    let whole = GgufParts::open(from, &lenient).unwrap();
    let opened = GgufParts::open(&parts[0], &GgufOptions::new()).unwrap();
    assert_eq!(opened.parts().len(), parts.len());
    assert_eq!(found(&opened), found(&whole), "{from:?}");
    assert_eq!(pairs(&opened), pairs(&whole), "{from:?}");
    let to = directory.join("merged");
    let options = EditOptions::new().replace(true);
    GgufParts::merge_file(parts.last().unwrap(), &to, &options).unwrap();
    let merged = GgufParts::open(&to, &GgufOptions::new()).unwrap();
    assert_eq!(found(&merged), found(&whole), "{from:?}");
    assert_eq!(pairs(&merged), pairs(&whole), "{from:?}");
    for part in parts {
        fs::remove_file(part).unwrap();
    }
    true
}

#[test]
fn every_input_that_fuzzing_kept_is_split_and_merged_or_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/gguf");
    let (mut ran, mut whole) = (0, 0);
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        for options in [
            SplitOptions::new().max_tensors(1),
            SplitOptions::new().max_size(100),
        ] {
            let options = options.durability(modelkeep::Durability::None);
            whole += usize::from(there_and_back(scratch.path(), &path, options));
            ran += 1;
        }
        // As a part it is refused, or merged by itself.
        let to = scratch.path().join("of part");
        let _ = GgufParts::merge_file(&path, &to, &EditOptions::new().replace(true));
    }
    assert!(ran > 200 && whole > 20, "{whole} of {ran} inputs");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_model_that_is_split_and_merged_has_its_keys_and_its_tensors(
        sizes in prop::collection::vec(0_u64..80, 0..9),
        most in 1_u64..400,
        by_count in any::<bool>(),
        alignment in prop::sample::select(vec![8_u32, 32, 64, 4096]),
        is_big in any::<bool>(),
        text in ".{0,20}",
    ) {
        let scratch = tempfile::tempdir().unwrap();
        let from = scratch.path().join("m");
        let mut whole = metadata();
        whole.set("text", text).alignment(alignment);
        if is_big {
            whole.endian(Endian::Big);
        }
        tensors(&mut whole, &sizes, 0);
        fs::write(&from, bytes(&whole)).unwrap();
        let options = SplitOptions::new().durability(modelkeep::Durability::None);
        let options = match by_count {
            true => options.max_tensors(most % 4 + 1),
            false => options.max_size(most),
        };
        prop_assert!(there_and_back(scratch.path(), &from, options));
        let merged = GgufFile::open(scratch.path().join("merged"), &GgufOptions::new()).unwrap();
        prop_assert_eq!(merged.view().alignment(), u64::from(alignment));
    }
}
