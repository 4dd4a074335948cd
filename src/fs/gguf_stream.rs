//! GGUF files that come as a stream: from standard input, a socket, an archive.

use std::io::{self, Read};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::fs::gguf_header::{FIRST, next};
use crate::gguf::{Gguf, Index, Parsed, Parser};

/// The size of a file that goes on: larger than any.
const UNKNOWN: u64 = i64::MAX as u64;

impl GgufFile {
    /// Reads the header of a GGUF file that comes as a stream, and no more than a few times as much:
    /// `reader` is left somewhere in the data of the tensors, which are not at hand then and may
    /// never come. Of a stream that ends with the header or soon after it, all is looked at.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::{GgufFile, GgufOptions};
    ///
    /// let mut stream = std::fs::File::open(directory.path().join("tiny.gguf"))?;
    /// let file = GgufFile::from_reader(&mut stream, &GgufOptions::new())?;
    /// assert_eq!(file.view().architecture(), Some("llama"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open), for what was read.
    pub fn from_reader(reader: &mut dyn Read, options: &GgufOptions) -> Result<Self> {
        let mut bytes = Vec::new();
        let mut parser = Parser::new(options.believed(), UNKNOWN);
        let mut end = FIRST;
        loop {
            if !read_to(reader, &mut bytes, end)? {
                return GgufFile::from_bytes(bytes, options);
            }
            match parser.resume(&bytes)? {
                Parsed::Index(index) => return of_header(&index, bytes, options),
                Parsed::NeedMore(more) => end = next(more, bytes.len() as u64, 4)?,
            }
        }
    }
}

/// Reads on until so many bytes are there; returns whether the stream has them.
fn read_to(reader: &mut dyn Read, bytes: &mut Vec<u8>, end: u64) -> Result<bool> {
    let more = end.saturating_sub(bytes.len() as u64);
    let read = reader.take(more).read_to_end(bytes);
    let read = read.map_err(|e: io::Error| {
        Error::caused(ErrorKind::Io, "reading a stream with a GGUF file", e)
    })?;
    Ok(read as u64 == more)
}

/// Reads the header once more, now that it says how large the file is.
fn of_header(index: &Index, mut bytes: Vec<u8>, options: &GgufOptions) -> Result<GgufFile> {
    bytes.truncate(usize::try_from(index.header_len()).unwrap_or(usize::MAX));
    let size = needed(index.view(&bytes));
    let index = Index::parse(&bytes, size, options.believed())?;
    Ok(GgufFile::of_parts(index, bytes, size, None))
}

/// Returns the size that the file has at least.
fn needed(gguf: Gguf<'_>) -> u64 {
    let ends = gguf.tensors().map(|tensor| {
        let size = tensor.size.unwrap_or(0);
        tensor.offset.saturating_add(size)
    });
    ends.fold(gguf.header_len(), u64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::{TensorType, Writer};

    /// Returns a file whose header and data both go beyond what is read at first.
    fn large() -> Vec<u8> {
        let texts: Vec<String> = (0..20_000).map(|at| format!("token {at}")).collect();
        let data = vec![7; 1 << 22];
        let mut bytes = Vec::new();
        let mut writer = Writer::new();
        writer.set("tokens", texts);
        writer.tensor("w", &[1 << 20], TensorType::F32, data);
        writer.write_to(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn of_a_stream_the_header_is_read_and_no_more() {
        let bytes = large();
        let mut stream = &bytes[..];
        let file = GgufFile::from_reader(&mut stream, &GgufOptions::new()).unwrap();
        assert_eq!(file.size(), bytes.len() as u64);
        assert!(stream.len() > bytes.len() / 2, "{} left", stream.len());
        let whole = GgufFile::from_bytes(bytes, &GgufOptions::new()).unwrap();
        assert_eq!(file.view().to_json(), whole.view().to_json());
    }

    #[test]
    fn a_stream_that_is_cut_is_refused_as_a_file_is() {
        let bytes = large();
        for end in [0, 3, 100, 70_000] {
            let cut = bytes[..end].to_vec();
            let refused = GgufFile::from_reader(&mut &cut[..], &GgufOptions::new());
            let file = GgufFile::from_bytes(cut, &GgufOptions::new());
            assert_eq!(
                refused.unwrap_err().to_string(),
                file.unwrap_err().to_string()
            );
        }
    }

    #[test]
    fn a_stream_that_promises_endlessly_much_ends() {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend([0; 8]);
        bytes.extend((1_u64 << 40).to_le_bytes());
        let mut stream = bytes.chain(io::repeat(0));
        assert!(GgufFile::from_reader(&mut stream, &GgufOptions::new()).is_err());
        let mut text = b"GGUF\x03\0\0\0".to_vec();
        text.extend([0; 8]);
        text.extend(1_u64.to_le_bytes());
        text.extend((1_u64 << 50).to_le_bytes());
        let mut stream = text.chain(io::repeat(b'a'));
        assert!(GgufFile::from_reader(&mut stream, &GgufOptions::new()).is_err());
    }
}
