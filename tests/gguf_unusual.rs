//! GGUF files as people have them: cut, joined, of other programs and of other times. What can be
//! read is read, what is unusual is warned of, and what is refused is named.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

#[path = "common/headers.rs"]
mod headers;

use std::fs;

use headers::{Stated, file, header};
use modelkeep::gguf::{Index, Limits, ParseError, ParseErrorKind, Warning, WarningCode};
use modelkeep::{GgufFile, GgufOptions};

fn read(bytes: &[u8], limits: Limits) -> Result<Index, ParseError> {
    Index::parse(bytes, bytes.len() as u64, &limits)
}

fn warned(index: &Index, code: WarningCode) -> Option<&Warning> {
    index
        .warnings()
        .iter()
        .find(|warning| warning.code() == code)
}

/// Writes a file and opens it: mapped and read, which have to agree.
fn opened(bytes: &[u8]) -> Result<GgufFile, String> {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("x.gguf");
    fs::write(&path, bytes).unwrap();
    let open = |mmap| GgufFile::open(&path, &GgufOptions::default().mmap(mmap));
    let said = |error: &modelkeep::Error| error.cause_of::<ParseError>().unwrap().to_string();
    match (open(true), open(false)) {
        (Ok(mapped), Ok(read)) => {
            assert_eq!(mapped.view().warnings(), read.view().warnings());
            Ok(read)
        }
        (Err(mapped), Err(read)) => {
            assert_eq!(said(&mapped), said(&read));
            Err(said(&read))
        }
        _ => panic!("mapped and read disagree"),
    }
}

#[test]
fn a_type_without_a_size_is_carried_leniently_and_refused_by_name() {
    for (code, history) in [
        (4, "Q4_2, removed from GGML in 2023"),
        (5, "Q4_3, removed from GGML in 2023"),
        (31, "Q4_0_4_4, removed from GGML in 2024"),
        (36, "IQ4_NL_4_4, removed from GGML in 2024"),
        (38, "IQ4_NL_8_8, removed from GGML in 2024"),
        (43, "which this release does not know"),
        (u32::MAX, "which this release does not know"),
    ] {
        let bytes = file(&[("a", &[256, 2], code, 0), ("b", &[8], 0, 64)], 96);
        let fault = read(&bytes, Limits::strict()).unwrap_err();
        let expected = format!("type {code}, {history}");
        assert_eq!(fault.kind(), ParseErrorKind::BadTensorType);
        assert!(fault.to_string().contains(&expected), "{fault}");
        let index = read(&bytes, Limits::lenient()).unwrap();
        let gguf = index.view(&bytes);
        let tensor = gguf.tensor(0).unwrap();
        assert_eq!((tensor.tensor_type.name(), tensor.size), ("unknown", None));
        assert_eq!(
            (tensor.tensor_type.code(), gguf.tensor_data(&tensor)),
            (code, None)
        );
        assert_eq!(
            gguf.tensor_data(&gguf.tensor(1).unwrap()).unwrap().len(),
            32
        );
        let warning = warned(&index, WarningCode::UnknownTensorType).unwrap();
        assert!(warning.to_string().contains(&expected), "{warning}");
        assert!(warned(&index, WarningCode::OffsetsNotSequential).is_none());
        assert!(warned(&index, WarningCode::TrailingBytes).is_none());
    }
}

#[test]
fn up_to_eight_dimensions_are_read_leniently() {
    for count in 5..=9 {
        let dims = &[2, 3, 1, 2, 1, 1, 2, 1, 1][..count];
        let elements: u64 = dims.iter().product();
        let bytes = file(&[("conv", dims, 0, 0)], 96);
        let fault = read(&bytes, Limits::strict()).unwrap_err();
        assert_eq!(fault.kind(), ParseErrorKind::TooManyDims);
        let lenient = read(&bytes, Limits::lenient());
        if count == 9 {
            assert_eq!(lenient.unwrap_err().kind(), ParseErrorKind::TooManyDims);
            continue;
        }
        let index = lenient.unwrap();
        let tensor = index.view(&bytes).tensor(0).unwrap();
        assert_eq!((tensor.dims, tensor.elements()), (dims, elements));
        assert_eq!(tensor.size, Some(elements * 4));
        assert!(warned(&index, WarningCode::TooManyDims).is_some());
    }
}

#[test]
fn a_header_is_read_without_its_data() {
    let tensors: [Stated<'_>; 2] = [("a", &[8], 0, 0), ("b", &[16], 0, 32)];
    let whole = file(&tensors, 96);
    let start = header(&tensors).len();
    assert!(
        read(&whole, Limits::header_only())
            .unwrap()
            .warnings()
            .is_empty()
    );
    for missing in 1..=96 {
        let cut = &whole[..whole.len() - missing];
        for limits in [Limits::strict(), Limits::lenient()] {
            let fault = read(cut, limits).unwrap_err();
            let expected = format!(
                "incomplete: {} of at least {} bytes",
                cut.len(),
                whole.len()
            );
            assert_eq!(fault.kind(), ParseErrorKind::DataOutOfBounds);
            assert_eq!(fault.message(), expected);
        }
        let index = read(cut, Limits::header_only()).unwrap();
        let gguf = index.view(cut);
        assert_eq!((gguf.len(), gguf.tensor_count()), (1, 2));
        assert!(warned(&index, WarningCode::DataOutOfBounds).is_some());
        let is_there = gguf
            .tensors()
            .map(|tensor| gguf.tensor_data(&tensor).is_some());
        let expected = [cut.len() >= start + 32, false];
        assert!(is_there.eq(expected), "{missing} bytes are missing");
    }
    let cut = &whole[..start - 40];
    let fault = read(cut, Limits::header_only()).unwrap_err();
    assert!(fault.path().starts_with("tensor 1"), "{fault}");
}

#[test]
fn bytes_after_the_last_tensor_are_counted_and_named() {
    let whole = file(&[("a", &[4], 0, 0)], 16);
    let padded = [&whole[..], &[0; 16]].concat();
    let joined = |first: &[u8], more: &[u8]| [first, more].concat();
    let message = |bytes: &[u8]| {
        let file = opened(bytes).unwrap();
        let mut warnings = file.view().warnings().iter();
        let found = warnings.find(|warning| warning.code() == WarningCode::TrailingBytes);
        found.map_or(String::new(), |warning| warning.message().to_owned())
    };
    for clean in [&whole, &padded, &joined(&whole, &[0; 5])] {
        assert_eq!(message(clean), "");
    }
    let another = |at: usize| format!("another GGUF begins at byte {at:#x}");
    let many = vec![0xff; 100_000];
    let cases = [
        (joined(&padded, &whole), whole.len(), another(padded.len())),
        (joined(&whole, &padded), padded.len(), another(whole.len())),
        (joined(&padded, b"<html>"), 6, "HTML".to_owned()),
        (joined(&whole, b"<html>"), 6, "HTML".to_owned()),
        (joined(&padded, &[0; 7]), 7, "all zeros".to_owned()),
        (joined(&padded, &many), 100_000, String::new()),
    ];
    for (bytes, count, what) in cases {
        let found = message(&bytes);
        let expected = format!("{count} bytes after the last tensor");
        assert!(
            found.starts_with(&expected) && found.contains(&what),
            "{found}"
        );
    }
    assert_eq!(
        message(&joined(&header(&[]), b"x")),
        "1 bytes after the last tensor; they are a text"
    );
}

#[test]
fn a_fault_of_a_tensor_names_it() {
    let name = "blk.3.ffn_down.weight";
    let good: Stated<'_> = ("a", &[8], 0, 0);
    let bad: [(Stated<'_>, ParseErrorKind); 7] = [
        ((name, &[8], 99, 32), ParseErrorKind::BadTensorType),
        ((name, &[8; 5], 0, 32), ParseErrorKind::TooManyDims),
        (
            (name, &[1 << 40, 1 << 40], 0, 32),
            ParseErrorKind::DimOverflow,
        ),
        ((name, &[1 << 63], 24, 32), ParseErrorKind::DimOverflow),
        ((name, &[33], 2, 32), ParseErrorKind::RowNotBlockMultiple),
        ((name, &[8], 0, 33), ParseErrorKind::OffsetUnaligned),
        ((name, &[1 << 30], 0, 32), ParseErrorKind::DataOutOfBounds),
    ];
    for (tensor, kind) in bad {
        let fault = read(&file(&[good, tensor], 96), Limits::strict()).unwrap_err();
        assert_eq!(fault.kind(), kind, "{fault}");
        let expected = format!("tensor 1 \"{name}\"");
        assert_eq!(fault.path(), expected, "{fault}");
        assert!(
            fault
                .to_string()
                .ends_with(&format!("(byte {:#x})", fault.offset()))
        );
    }
}

#[test]
fn an_overlap_names_both_tensors_and_the_offset() {
    let bytes = file(&[("late", &[8], 0, 32), ("early", &[16], 0, 0)], 64);
    let fault = read(&bytes, Limits::strict()).unwrap_err();
    assert_eq!(fault.kind(), ParseErrorKind::TensorOverlap);
    assert_eq!(fault.path(), "tensor 0 \"late\"");
    let text = "shares bytes with tensor 1 \"early\", from 0x20 of the data on";
    assert_eq!(fault.message(), text);
}
