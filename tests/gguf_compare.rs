//! The hashes of a file's tensors, and what two files differ in.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use modelkeep::gguf::{Endian, Limits, TensorType, Writer};
use modelkeep::{
    Digest, ErrorKind, GgufFile, GgufHashOptions, GgufOptions, ImportOptions, ReadAt, Reference,
    SharedTensors, Store, StoreOptions,
};

/// Sizes around a block and a chunk, in floats.
const SIZES: [u64; 9] = [0, 1, 15, 16, 17, 1000, 32 << 10, (32 << 10) + 1, 200_000];

fn data(tensor: usize, floats: u64) -> Vec<u8> {
    let bytes = 0..usize::try_from(4 * floats).unwrap();
    bytes.map(|at| (at * 31 + tensor * 7) as u8).collect()
}

fn bytes_of(change: impl FnOnce(&mut Writer)) -> Vec<u8> {
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
    bytes
}

fn written(change: impl FnOnce(&mut Writer)) -> GgufFile {
    let options = GgufOptions::new().limits(Limits::lenient());
    GgufFile::from_bytes(bytes_of(change), &options).unwrap()
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

/// A file that is read at an offset, of which nobody has a map.
struct Inside(std::fs::File);

impl ReadAt for Inside {
    fn size(&mut self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&mut self, into: &mut [u8], at: u64) -> io::Result<usize> {
        self.0.seek(SeekFrom::Start(at))?;
        let most = into.len().min(10_001);
        self.0.read(&mut into[..most])
    }
}

#[test]
fn a_file_that_is_not_mapped_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("w.gguf");
    std::fs::write(&path, bytes_of(|_| ())).unwrap();
    let options = GgufOptions::new().limits(Limits::lenient());
    let mapped = GgufFile::open(&path, &options).unwrap();
    let unmapped = options.mmap(false);
    let file = std::fs::File::open(&path).unwrap();
    let kept = GgufFile::keeping_read_at(Inside(file), &unmapped).unwrap();
    for read in [GgufFile::open(&path, &unmapped).unwrap(), kept] {
        for threads in [1, 3] {
            let wanted = GgufHashOptions::new().threads(threads);
            assert_eq!(read.hash(&wanted).unwrap(), mapped.hash(&wanted).unwrap());
        }
        assert!(read.diff(&mapped).unwrap().is_empty());
        assert!(mapped.diff(&read).unwrap().is_empty());
        let changed = written(|writer| {
            let mut other = data(7, SIZES[7]);
            *other.last_mut().unwrap() ^= 1;
            writer.tensor("w.7", &[SIZES[7]], TensorType::F32, other);
        });
        let diff = read.diff(&changed).unwrap();
        let names: Vec<&str> = diff.tensors.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["w.7"]);
        for at in 0..SIZES.len() {
            let (here, there) = (read.view(), mapped.view());
            let (here, there) = (here.tensor(at).unwrap(), there.tensor(at).unwrap());
            let numbers = read.dequantize(&here, 0..1).unwrap();
            let expected = mapped.dequantize(&there, 0..1).unwrap();
            let bits = |numbers: &[f32]| numbers.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&numbers), bits(&expected));
            let mut room = vec![0.0; numbers.len() + 1];
            assert!(read.dequantize_into(&here, 0..1, &mut room).is_err());
            assert!(read.view().dequantize(&here, 0..1).is_err() || at == 0);
        }
    }
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("w.gguf");
    let bytes = bytes_of(|_| ());
    std::fs::write(&path, &bytes).unwrap();
    let options = GgufOptions::new().limits(Limits::lenient()).mmap(false);
    let read = GgufFile::open(&path, &options).unwrap();
    let whole = GgufFile::from_bytes(bytes.clone(), &options).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    // It is open by now, and cut.
    let view = read.view();
    read.dequantize(&view.tensor(5).unwrap(), 0..1).unwrap();
    file.set_len(bytes.len() as u64 - 100_000).unwrap();
    let last = SIZES.len() - 1;
    let refused = [
        read.hash(&GgufHashOptions::new()).unwrap_err(),
        read.diff(&whole).unwrap_err(),
        read.dequantize(&view.tensor(last).unwrap(), 0..1)
            .unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(
            error.to_string().contains("cut while it was read"),
            "{error}"
        );
    }
    let cut = GgufOptions::new().limits(Limits::lenient().data(modelkeep::gguf::Data::Optional));
    let read = GgufFile::open(&path, &cut.mmap(false)).unwrap();
    let tensor = || read.view().tensor(5).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    let error = read.dequantize(&tensor(), 0..1).unwrap_err();
    assert!(
        error.to_string().contains("changed since its header"),
        "{error}"
    );
    std::fs::remove_file(&path).unwrap();
    let error = read.dequantize(&tensor(), 0..1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
}

#[test]
fn of_a_stream_there_is_the_header_and_no_data() {
    let mut bytes = bytes_of(|_| ());
    bytes.resize(bytes.len() + (1 << 20), 0);
    let options = GgufOptions::new().limits(Limits::lenient());
    let file = GgufFile::from_reader(&mut &bytes[..], &options).unwrap();
    let view = file.view();
    let refused = [
        file.hash(&GgufHashOptions::new()).unwrap_err(),
        file.diff(&file).unwrap_err(),
        file.dequantize(&view.tensor(5).unwrap(), 0..1).unwrap_err(),
        view.dequantize(&view.tensor(5).unwrap(), 0..1).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("open it by its path"), "{error}");
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

/// The name of a model, and of its tensors with their last byte and their sizes.
type Weights<'a> = (&'a str, &'a [(&'a str, u8, u64)]);

/// A store with such models.
fn store_of(files: &[Weights<'_>], mmap: bool) -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(directory.path().join("models")).create(true);
    let store = Store::open_with(options.mmap(mmap)).unwrap();
    for (name, tensors) in files {
        let mut writer = Writer::new();
        writer.set("general.architecture", "llama");
        writer.set("general.name", *name);
        for (tensor, fill, len) in *tensors {
            let mut data = vec![1; usize::try_from(*len).unwrap()];
            // It shows only beyond the beginning.
            *data.last_mut().unwrap() = *fill;
            writer.tensor(tensor, &[*len], TensorType::I8, data);
        }
        let path = directory.path().join("file.gguf");
        let mut file = std::fs::File::create(&path).unwrap();
        writer.write_to(&mut file).unwrap();
        store.import(&path, *name, &ImportOptions::new()).unwrap();
    }
    (directory, store)
}

/// The models of each set, and the names of the tensors.
fn sets(shared: &SharedTensors) -> Vec<(Vec<String>, Vec<&str>)> {
    let sets = shared.sets.iter().map(|set| {
        let models = set.files.iter().flat_map(|at| &shared.files[*at].models);
        let tensors = set.tensors.iter().map(|tensor| tensor.name.as_str());
        (models.map(ToString::to_string).collect(), tensors.collect())
    });
    sets.collect()
}

#[test]
fn tensors_that_are_the_same_in_files_that_are_not_are_found() {
    let files: [Weights<'_>; 4] = [
        (
            "a",
            &[("blk.0", 1, 100_000), ("blk.1", 2, 50_000), ("own", 3, 70)],
        ),
        (
            "b",
            &[("blk.0", 1, 100_000), ("blk.1", 9, 50_000), ("x", 1, 9)],
        ),
        // Other names, another shape, other data in one byte, and what three have.
        (
            "c",
            &[("blk.7", 1, 100_000), ("blk.1", 2, 50_001), ("x", 1, 9)],
        ),
        ("d", &[("blk.1", 2, 50_000), ("x", 1, 9), ("y", 1, 64)]),
    ];
    for mmap in [true, false] {
        let (_scratch, store) = store_of(&files, mmap);
        store.copy("a", "z").unwrap();
        let mut seen = Vec::new();
        let shared = store.shared_tensors_with(&[], &mut |progress| {
            seen.push((progress.bytes, progress.total_bytes));
            ControlFlow::Continue(())
        });
        let shared = shared.unwrap();
        let expected = [
            (vec!["a:latest", "z:latest", "b:latest"], vec!["blk.0"]),
            (vec!["a:latest", "z:latest", "d:latest"], vec!["blk.1"]),
            (vec!["b:latest", "c:latest", "d:latest"], vec!["x"]),
        ];
        let found = sets(&shared);
        let found: Vec<_> = found
            .iter()
            .map(|(models, tensors)| {
                let models = models.iter().map(String::as_str).collect::<Vec<_>>();
                (models, tensors.clone())
            })
            .collect();
        assert_eq!(found, expected);
        assert_eq!(shared.repeated, 100_000 + 50_000 + 2 * 9);
        assert_eq!(shared.files.len(), 4);
        assert_eq!(shared.files[0].tensors, 3);
        let first = &shared.sets[0].tensors[0];
        let mut data = vec![1; 100_000];
        data[99_999] = 1;
        assert_eq!((first.sha256, first.size), (Digest::of(&data), 100_000));
        assert!(seen.is_sorted(), "{seen:?}");
        let (last, all) = seen.last().copied().unwrap();
        assert!(last == all && all > 0, "{seen:?}");
        let two: Vec<Reference> = ["c", "d"].map(|name| name.parse().unwrap()).to_vec();
        let shared = store.shared_tensors(&two).unwrap();
        assert_eq!(shared.sets.len(), 1);
        assert_eq!(sets(&shared)[0].1, ["x"]);
        let stopped = store.shared_tensors_with(&[], &mut |_| ControlFlow::Break(()));
        assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    }
}

#[test]
fn a_model_that_cannot_be_read_hides_no_shared_tensors() {
    let tensors: &[(&str, u8, u64)] = &[("w", 1, 1000)];
    let files = [("a", tensors), ("b", tensors), ("broken", tensors)];
    let (_scratch, store) = store_of(&files, true);
    let broken = store.model("broken").unwrap().gguf_path().unwrap();
    std::fs::write(broken, b"GGUF").unwrap();
    let shared = store.shared_tensors(&[]).unwrap();
    assert_eq!((shared.sets.len(), shared.repeated), (1, 1000));
    assert_eq!(shared.problems.len(), 1);
    assert!(
        shared.problems[0]
            .to_string()
            .starts_with("broken:latest: ")
    );
    let named: Vec<Reference> = ["a", "broken"].map(|name| name.parse().unwrap()).to_vec();
    let error = store.shared_tensors(&named).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidGguf);
    let missing: Vec<Reference> = vec!["none".parse().unwrap()];
    let error = store.shared_tensors(&missing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_diff_says_what_another_quantization_costs() {
    let file = |kinds: &[(&str, TensorType, u64)]| {
        let mut writer = Writer::new();
        for (name, kind, elements) in kinds {
            let len = elements / kind.block_elements().unwrap() * kind.block_bytes().unwrap();
            writer.tensor(
                name,
                &[*elements],
                *kind,
                vec![0; usize::try_from(len).unwrap()],
            );
        }
        let mut bytes = Vec::new();
        writer.write_to(&mut bytes).unwrap();
        GgufFile::from_bytes(bytes, &GgufOptions::new()).unwrap()
    };
    let (f16, f32, q4) = (TensorType::F16, TensorType::F32, TensorType::Q4_K);
    let before = file(&[
        ("a", f16, 512),
        ("b", f16, 1024),
        ("n", f32, 8),
        ("o", f32, 4),
    ]);
    let after = file(&[
        ("a", q4, 512),
        ("b", q4, 1024),
        ("n", f32, 8),
        ("p", f32, 2),
    ]);
    let diff = before.diff(&after).unwrap();
    let types: Vec<_> = diff
        .types
        .iter()
        .map(|it| {
            (
                it.before,
                it.after,
                it.tensors,
                it.size_before.bytes,
                it.size_after.bytes,
            )
        })
        .collect();
    let expected = [
        (Some(f16), Some(q4), 2, 3072, 864),
        (Some(f32), Some(f32), 1, 32, 32),
        (Some(f32), None, 1, 16, 0),
        (None, Some(f32), 1, 0, 8),
    ];
    assert_eq!(types, expected);
    assert!((diff.types[0].size_after.bits_per_weight() - 4.5).abs() < 1e-9);
    assert_eq!(
        (diff.size_before.elements, diff.size_before.bytes),
        (1548, 3120)
    );
    assert_eq!(
        (diff.size_after.elements, diff.size_after.bytes),
        (1546, 904)
    );
    let json: serde_json::Value = serde_json::from_str(&diff.to_json()).unwrap();
    assert_eq!(json["types"][0]["size_after"]["bits_per_weight"], 4.5);
    assert_eq!(json["types"][0]["before"], "F16");
    assert_eq!(json["size_before"]["bytes"], 3120);
}
