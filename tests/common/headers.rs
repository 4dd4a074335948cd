//! GGUF files whose tensors are stated field by field, right or wrong.

/// A tensor as a file states it: name, dimensions, type, offset.
pub type Stated<'a> = (&'a str, &'a [u64], u32, u64);

/// The header of a file with these tensors, padded, and no data.
pub fn header(tensors: &[Stated<'_>]) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend((tensors.len() as u64).to_le_bytes());
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(text("general.architecture"));
    bytes.extend(8_u32.to_le_bytes());
    bytes.extend(text("llama"));
    for (name, dims, kind, offset) in tensors {
        bytes.extend(text(name));
        bytes.extend((dims.len() as u32).to_le_bytes());
        dims.iter().for_each(|dim| bytes.extend(dim.to_le_bytes()));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    bytes
}

pub fn file(tensors: &[Stated<'_>], data: usize) -> Vec<u8> {
    let mut bytes = header(tensors);
    bytes.resize(bytes.len() + data, 7);
    bytes
}
