//! Looking at everything that a reader hands out, for tests of hostile files.

use super::index::Index;
use super::limits::{Data, Limits};
use super::parse::{Parsed, Parser};
use super::sniff::sniff;
use super::value::Value;
use super::view::Gguf;

/// Reads bytes as a file would be read, strictly and leniently, looks at everything that comes out,
/// and edits, splits and merges what is read. Does not panic, whatever the bytes are: that is what it is
/// for.
pub fn fuzz_read(bytes: &[u8]) {
    super::edit::fuzz_edit(bytes);
    super::assemble::fuzz_assemble(bytes);
    let _ = sniff(bytes).map(|format| format.to_string());
    let header_only = Limits::lenient().data(Data::Optional);
    for limits in [Limits::strict(), Limits::lenient(), header_only] {
        let size = bytes.len() as u64;
        let whole = Index::parse(bytes, size, &limits);
        if let Ok(index) = &whole {
            look(index.view(bytes));
            // The index of one file over the bytes of another, as after a change on the disk.
            look(index.view(bytes.get(..bytes.len() / 2).unwrap_or_default()));
        }
        let pieces = in_pieces(bytes, &limits);
        match (&whole, &pieces) {
            (Ok(whole), Ok(pieces)) => assert!(whole.same_as(pieces), "pieces read otherwise"),
            (Err(whole), Err(pieces)) => assert_eq!(whole.kind(), pieces.kind()),
            _ => panic!("whole and in pieces disagree"),
        }
        // A size that is larger than what is there.
        let _ = Index::parse(bytes, size.saturating_mul(3), &limits);
    }
}

fn in_pieces(bytes: &[u8], limits: &Limits) -> Result<Index, super::ParseError> {
    let mut parser = Parser::new(limits, bytes.len() as u64);
    let mut end = 0_usize;
    loop {
        match parser.resume(bytes.get(..end).unwrap_or(bytes))? {
            Parsed::Index(mut index) => {
                index.look_at_tail(bytes);
                return Ok(*index);
            }
            Parsed::NeedMore(more) => {
                let more = usize::try_from(more).unwrap_or(usize::MAX);
                assert!(
                    more > end && more <= bytes.len(),
                    "{more} bytes were asked for"
                );
                end = more;
            }
        }
    }
}

fn look(gguf: Gguf<'_>) {
    for (key, value) in gguf.metadata() {
        let _ = (key.lossy(), gguf.get(&key.lossy()));
        look_at(&value);
    }
    for tensor in gguf.tensors() {
        let _ = (
            tensor.name.lossy(),
            gguf.tensor_data(&tensor),
            tensor.elements(),
        );
    }
    for tensor in gguf.tensors() {
        let (rows, kind) = (tensor.rows(), tensor.tensor_type);
        let whole = gguf.dequantize(&tensor, 0..rows);
        assert!(whole.is_err() || kind.is_dequantizable());
        let _ = (
            gguf.dequantize(&tensor, rows.saturating_sub(1)..rows),
            gguf.dequantize(&tensor, rows..u64::MAX),
        );
    }
    for warning in gguf.warnings() {
        let _ = warning.to_string();
    }
    let _ = (gguf.split(), gguf.to_json());
    let _ = (gguf.metadata_json(), gguf.tensors_json());
}

fn look_at(value: &Value<'_>) {
    let _ = (
        value.as_u64(),
        value.as_i64(),
        value.as_f64(),
        value.as_bool(),
        value.as_str(),
    );
    let Some(array) = value.as_array() else {
        return;
    };
    let count = array.iter().inspect(look_at).count() as u64;
    assert!(count <= array.len());
    if let Some(offsets) = array.offsets() {
        assert!(
            offsets
                .iter()
                .all(|offset| array.string_at(*offset).is_some())
        );
    }
    let _ = (
        array.get(0),
        array.get(array.len()),
        array.get(u64::MAX),
        array.as_bytes(),
    );
}
