//! What the writer writes, the reader reads: any value, any tensor, both byte orders.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::ControlFlow;

use modelkeep::gguf::{
    Endian, Index, Limits, OwnedArray, OwnedValue, TensorType, ValueType, Writer,
};
use modelkeep::internal::fuzz_read;
use modelkeep::{EditOptions, ErrorKind, Progress};
use proptest::prelude::*;

fn scalar() -> impl Strategy<Value = OwnedValue> {
    prop_oneof![
        any::<u8>().prop_map(OwnedValue::from),
        any::<i8>().prop_map(OwnedValue::from),
        any::<u16>().prop_map(OwnedValue::from),
        any::<i16>().prop_map(OwnedValue::from),
        any::<u32>().prop_map(OwnedValue::from),
        any::<i32>().prop_map(OwnedValue::from),
        any::<u64>().prop_map(OwnedValue::from),
        any::<i64>().prop_map(OwnedValue::from),
        any::<f32>().prop_map(OwnedValue::from),
        any::<f64>().prop_map(OwnedValue::from),
        any::<bool>().prop_map(OwnedValue::from),
        ".{0,40}".prop_map(OwnedValue::from),
    ]
}

fn array() -> impl Strategy<Value = OwnedValue> {
    let flat = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80).prop_map(OwnedValue::from),
        prop::collection::vec(any::<i16>(), 0..80).prop_map(OwnedValue::from),
        prop::collection::vec(any::<f32>(), 0..80).prop_map(OwnedValue::from),
        prop::collection::vec(any::<u64>(), 0..80).prop_map(OwnedValue::from),
        prop::collection::vec(any::<bool>(), 0..80).prop_map(OwnedValue::from),
        // Some are longer than a length byte that is ASCII can say.
        prop::collection::vec(".{0,150}", 0..20).prop_map(OwnedValue::from),
    ];
    flat.prop_recursive(3, 20, 4, |inner| {
        prop::collection::vec(inner, 0..4)
            .prop_map(|items| OwnedArray::new(ValueType::Array, items).into())
    })
}

fn metadata() -> impl Strategy<Value = BTreeMap<String, OwnedValue>> {
    prop::collection::btree_map(
        "[a-z_]{1,9}\\.[a-z0-9_]{1,9}",
        prop_oneof![scalar(), array()],
        0..12,
    )
}

fn tensors() -> impl Strategy<Value = BTreeMap<String, (Vec<u64>, TensorType)>> {
    let kinds: Vec<TensorType> = TensorType::all().collect();
    let tensor = (
        prop::sample::select(kinds),
        prop::collection::vec(0_u64..4, 0..=4),
    );
    let tensor = tensor.prop_map(|(kind, mut dims)| {
        match dims.first_mut() {
            Some(row) => *row *= kind.block_elements().unwrap(),
            // A scalar fills no block.
            None if kind.block_elements() != Some(1) => dims.push(0),
            None => {}
        }
        (dims, kind)
    });
    prop::collection::btree_map("[a-z.]{1,20}", tensor, 0..8)
}

fn size((dims, kind): &(Vec<u64>, TensorType)) -> usize {
    let elements: u64 = dims.iter().product();
    (elements / kind.block_elements().unwrap() * kind.block_bytes().unwrap())
        .try_into()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_was_written_is_read(
        metadata in metadata(),
        tensors in tensors(),
        version in 2_u32..=3,
        big in any::<bool>(),
        alignment in prop::sample::select(vec![1_u32, 8, 32, 64, 4096]),
    ) {
        let mut writer = Writer::new();
        writer.version(version).endian(if big { Endian::Big } else { Endian::Little });
        for (key, value) in &metadata {
            writer.set(key, value.clone());
        }
        writer.alignment(alignment);
        let mut filling = 0_u8;
        let mut data = Vec::new();
        for (name, tensor) in &tensors {
            filling = filling.wrapping_add(1);
            data.push(vec![filling; size(tensor)]);
            writer.tensor(name, &tensor.0, tensor.1, data.last().unwrap().clone());
        }
        let mut bytes = Vec::new();
        writer.write_to(&mut bytes).unwrap();

        let index = Index::parse(&bytes, bytes.len() as u64, &Limits::strict()).unwrap();
        let gguf = index.view(&bytes);
        prop_assert_eq!(gguf.version(), version);
        prop_assert_eq!(gguf.endian() == Endian::Big, big);
        prop_assert_eq!(gguf.alignment(), u64::from(alignment));
        prop_assert_eq!(gguf.data_offset() % u64::from(alignment), 0);
        for (key, value) in &metadata {
            // As text, in which NaN equals itself.
            let read = OwnedValue::from(gguf.get(key).unwrap());
            prop_assert_eq!(format!("{read:?}"), format!("{value:?}"));
        }
        prop_assert_eq!(gguf.len(), metadata.len() + 1);
        prop_assert_eq!(gguf.tensor_count(), tensors.len());
        for ((read, (name, tensor)), data) in gguf.tensors().zip(&tensors).zip(&data) {
            prop_assert_eq!(read.name.as_str(), Some(name.as_str()));
            prop_assert_eq!((read.dims, read.tensor_type), (tensor.0.as_slice(), tensor.1));
            prop_assert_eq!(gguf.tensor_data(&read), Some(data.as_slice()));
        }
        fuzz_read(&bytes);
    }
}

#[test]
fn what_no_reader_takes_is_not_written() {
    let write = |writer: &Writer| writer.write_to(&mut Vec::new());
    let f32 = TensorType::F32;
    let mut writer = Writer::new();
    assert!(write(writer.version(1)).is_err());
    assert!(write(Writer::new().alignment(24)).is_err());
    assert!(write(Writer::new().tensor("t", &[2], f32, vec![0; 7])).is_err());
    assert!(write(Writer::new().tensor("t", &[u64::MAX, 2], f32, vec![])).is_err());
    assert!(write(Writer::new().tensor("t", &[1; 5], f32, vec![0; 4])).is_err());
    let mixed = OwnedArray::new(ValueType::U8, vec![1_u16.into()]);
    assert!(write(Writer::new().set("a.b", mixed)).is_err());
}

/// Ten tensors of 100 kB, written in pieces.
fn ten() -> (
    Writer,
    impl FnMut(usize, &mut dyn io::Write) -> io::Result<()>,
) {
    let mut writer = Writer::new();
    writer.set("general.architecture", "llama");
    for number in 0..10 {
        writer.declare(&format!("t{number}"), &[25_000], TensorType::F32);
    }
    let data = |number: usize, to: &mut dyn io::Write| {
        let piece = vec![number as u8; 10_000];
        (0..10).try_for_each(|_| to.write_all(&piece))
    };
    (writer, data)
}

#[test]
fn a_file_appears_whole_and_who_watches_is_told_of_its_beginning_and_its_end() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("new.gguf");
    let (writer, mut data) = ten();
    let mut expected = Vec::new();
    writer.write_with(&mut expected, &mut data).unwrap();
    for replaced in [false, true] {
        let mut told = Vec::new();
        let mut observe = |progress: &Progress| {
            told.push(*progress);
            // Only the file itself appears, and not before its end.
            assert_eq!(path.exists(), replaced);
            ControlFlow::Continue(())
        };
        let options = EditOptions::new().replace(replaced);
        let made = writer.write_file_with(&path, &options, &mut data, &mut observe);
        let made = made.unwrap();
        let size = expected.len() as u64;
        assert_eq!((made.size, made.replaced), (size, replaced));
        let (first, last) = (told[0], told[told.len() - 1]);
        assert_eq!((first.bytes, first.total_bytes, first.files), (0, size, 0));
        assert_eq!((last.bytes, last.files, last.total_files), (size, 1, 1));
        assert!(fs::read(&path).unwrap() == expected);
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    let taken = writer.write_file(&path, &EditOptions::new(), &mut data);
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_file_that_is_stopped_or_lacks_data_is_none() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("new.gguf");
    let (writer, mut data) = ten();
    let options = EditOptions::new();
    // At the first look, and at the one behind a pause that is longer than looks are apart.
    for looks in [0, 1] {
        let mut left = looks;
        let mut observe = |_: &Progress| match left {
            0 => ControlFlow::Break(()),
            _ => {
                left -= 1;
                ControlFlow::Continue(())
            }
        };
        let mut slowly = |number: usize, to: &mut dyn io::Write| {
            std::thread::sleep(std::time::Duration::from_millis(60));
            assert_eq!(number, 0, "nothing is asked for after the break");
            data(number, to)
        };
        let stopped = writer.write_file_with(&path, &options, &mut slowly, &mut observe);
        assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    }
    let mut short = |_: usize, to: &mut dyn io::Write| to.write_all(b"short");
    let lacking = writer.write_file(&path, &options, &mut short).unwrap_err();
    assert_eq!(lacking.kind(), ErrorKind::InvalidArgument, "{lacking}");
    let mut broken = |_: usize, _: &mut dyn io::Write| Err(io::ErrorKind::BrokenPipe.into());
    let failed = writer.write_file(&path, &options, &mut broken).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Io, "{failed}");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}
