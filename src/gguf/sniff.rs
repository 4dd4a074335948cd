//! What a file is that is not GGUF, by its first bytes.

use std::fmt;

/// A format that files have which are taken for GGUF.
///
/// ```
/// use modelkeep::gguf::{FileFormat, sniff};
///
/// assert_eq!(sniff(b"\x1f\x8b\x08"), Some(FileFormat::Compressed("gzip")));
/// assert_eq!(sniff(b"GGUF"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileFormat {
    /// No byte.
    Empty,
    /// Zeros only: space that a download was allotted and never filled.
    Zeros,
    /// A web page.
    Html,
    /// An XML document.
    Xml,
    /// What Git holds in place of a large file, with the size of that file.
    LfsPointer(Option<u64>),
    /// A server's answer in place of the file; its first line.
    Refusal(String),
    /// Tensors of Hugging Face.
    Safetensors,
    /// A checkpoint of PyTorch, which is a zip archive.
    PyTorch,
    /// A Python pickle, as in old checkpoints of PyTorch.
    Pickle,
    /// Compressed by a program of this name.
    Compressed(&'static str),
    /// An archive of this kind.
    Archive(&'static str),
    /// A format of GGML from before August 2023, by its name.
    OldGgml(&'static str),
    /// A saved session of llama.cpp.
    Session,
    /// An executable that holds the weights.
    Llamafile,
    /// Another executable.
    Executable,
    /// Arrays or weights in a format of this name.
    Foreign(&'static str),
    /// JSON.
    Json,
    /// Text of another kind.
    Text,
}

use FileFormat::{
    Archive, Compressed, Empty, Executable, Foreign, Html, Json, LfsPointer, Llamafile, OldGgml,
    Pickle, PyTorch, Refusal, Safetensors, Session, Text, Xml, Zeros,
};

/// What binary formats begin with: the offset, the bytes, the format.
const MAGICS: [(usize, &[u8], FileFormat); 36] = [
    (0, b"\x1f\x8b", Compressed("gzip")),
    (0, b"\xfd7zXZ\0", Compressed("xz")),
    (0, b"\x28\xb5\x2f\xfd", Compressed("zstd")),
    (0, b"BZh", Compressed("bzip2")),
    (0, b"\x04\x22\x4d\x18", Compressed("lz4")),
    (0, b"7z\xbc\xaf\x27\x1c", Archive("7z")),
    (0, b"Rar!\x1a\x07", Archive("rar")),
    (257, b"ustar", Archive("tar")),
    (0, b"PK\x03\x04", Archive("zip")),
    (0, b"PK\x05\x06", Archive("zip")),
    // llama.cpp before August 2023, llama.h: numbers, so the letters are reversed
    (0, b"lmgg", OldGgml("GGML")),
    (0, b"fmgg", OldGgml("GGMF")),
    (0, b"tjgg", OldGgml("GGJT")),
    (0, b"algg", OldGgml("GGLA")),
    (0, b"ggml", OldGgml("GGML")),
    (0, b"ggmf", OldGgml("GGMF")),
    (0, b"ggjt", OldGgml("GGJT")),
    (0, b"ggla", OldGgml("GGLA")),
    (0, b"nsgg", Session),
    (0, b"qsgg", Session),
    // Cosmopolitan, ape/specification.md
    (0, b"MZqFpD=", Llamafile),
    (0, b"jartsr=", Llamafile),
    (0, b"APEDBG=", Llamafile),
    (0, b"\x7fELF", Executable),
    (0, b"MZ", Executable),
    (0, b"\xcf\xfa\xed\xfe", Executable),
    (0, b"\xca\xfe\xba\xbe", Executable),
    (0, b"\x80\x02", Pickle),
    (0, b"\x80\x03", Pickle),
    (0, b"\x80\x04", Pickle),
    (0, b"\x80\x05", Pickle),
    (0, b"\x93NUMPY", Foreign("NumPy")),
    (0, b"\x89HDF\r\n\x1a\n", Foreign("HDF5")),
    (4, b"TFL3", Foreign("TensorFlow Lite")),
    (0, b"%PDF-", Foreign("PDF")),
    (0, b"\x89PNG\r\n", Foreign("PNG")),
];

/// Returns what a file is, by its first bytes; `None` for GGUF and for what is not known. A few
/// kilobytes are enough; fewer may be taken for less.
///
/// ```
/// use modelkeep::gguf::sniff;
///
/// let page = sniff(b"<!DOCTYPE html><html>").map(|format| format.to_string());
/// assert!(page.is_some_and(|page| page.contains("HTML")));
/// ```
pub fn sniff(head: &[u8]) -> Option<FileFormat> {
    if is_gguf(head) {
        return None;
    }
    if head.iter().all(|byte| *byte == 0) {
        return Some(if head.is_empty() { Empty } else { Zeros });
    }
    let begins = |(at, magic): (usize, &[u8])| {
        head.get(at..)
            .is_some_and(|from_there| from_there.starts_with(magic))
    };
    let known = MAGICS
        .into_iter()
        .find(|(at, magic, _)| begins((*at, *magic)));
    match known {
        Some((_, _, Archive("zip"))) if holds(head, b"/data.pkl") => Some(PyTorch),
        Some((_, _, format)) => Some(format),
        None if is_safetensors(head) => Some(Safetensors),
        None => text(head),
    }
}

/// Returns a header's length in eight bytes, then its JSON.
fn is_safetensors(head: &[u8]) -> bool {
    const LARGEST: u64 = 100 << 20;
    let header = head.split_first_chunk();
    header.is_some_and(|(length, json)| {
        (2..=LARGEST).contains(&u64::from_le_bytes(*length)) && json.first() == Some(&b'{')
    })
}

fn text(head: &[u8]) -> Option<FileFormat> {
    if matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Some(Text);
    }
    let valid = head.utf8_chunks().next()?.valid();
    // What was read may end inside a character.
    if head.len() - valid.len() > 3 {
        let is_control = |byte: &u8| matches!(byte, 0..=8 | 14..=31 | 127);
        return (!head.iter().any(is_control)).then_some(Text);
    }
    if valid.contains('\0') {
        return None;
    }
    let text = valid.trim_start_matches('\u{feff}').trim_start();
    let lower = text.to_ascii_lowercase();
    Some(match text.as_bytes() {
        [b'<', b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'?', ..] => markup(&lower),
        [b'{' | b'[', ..] if is_refusal(&lower) => Refusal(first_line(text)),
        [b'{' | b'[', ..] => Json,
        _ if is_lfs_pointer(&lower) => LfsPointer(lfs_size(text)),
        _ if is_refusal(&lower) => Refusal(first_line(text)),
        _ => Text,
    })
}

fn markup(lower: &str) -> FileFormat {
    let page = [
        "<html",
        "<!doctype html",
        "<head",
        "<body",
        "<script",
        "<!--",
    ];
    match page.iter().any(|tag| lower.contains(tag)) {
        true => Html,
        false => Xml,
    }
}

// git-lfs, docs/spec.md; pointers of its first days name hawser
fn is_lfs_pointer(lower: &str) -> bool {
    lower.starts_with("version https://git-lfs.github.com/spec/")
        || lower.starts_with("version https://hawser.github.com/spec/")
}

fn lfs_size(text: &str) -> Option<u64> {
    let size = text.lines().find_map(|line| line.strip_prefix("size "));
    size?.trim().parse().ok()
}

/// Returns what servers answer with in place of a file, in lower case: JSON that begins so, and
/// texts.
fn is_refusal(lower: &str) -> bool {
    const KEYS: [&str; 5] = [
        "\"error",
        "\"errors\"",
        "\"detail\"",
        "\"message\"",
        "\"status\"",
    ];
    const TEXTS: [&str; 19] = [
        "entry not found",
        "repository not found",
        "revision not found",
        "file not found",
        "not found",
        "model not found",
        "404",
        "403",
        "401",
        "429",
        "forbidden",
        "unauthorized",
        "access denied",
        "access to ",
        "invalid username or password",
        "invalid credentials",
        "too many requests",
        "rate limit",
        "internal server error",
    ];
    let line = lower.lines().next().unwrap_or_default();
    match lower.strip_prefix(['{', '[']) {
        Some(inside) => {
            let inside = inside.trim_start_matches(['{', '[']).trim_start();
            KEYS.iter().any(|key| inside.starts_with(key)) || lower.contains("\"error\"")
        }
        None => {
            TEXTS.iter().any(|text| lower.starts_with(text)) || line.contains(" redirecting to ")
        }
    }
}

fn first_line(text: &str) -> String {
    const LONGEST: usize = 80;
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(LONGEST).collect()
}

fn holds(head: &[u8], wanted: &[u8]) -> bool {
    head.windows(wanted.len()).any(|window| window == wanted)
}

impl FileFormat {
    /// Returns whether a person may have written the file: a text that is nothing known.
    pub fn is_plain_text(&self) -> bool {
        *self == Text
    }
}

/// Completes "the file is".
impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Empty => f.write_str("empty"),
            Zeros => f.write_str("all zeros as far as it was read: an unfinished download"),
            Html => f.write_str("an HTML page: a download that was refused, or a web page saved"),
            Xml => f.write_str("an XML document, as servers refuse a download with"),
            LfsPointer(Some(size)) => write!(
                f,
                "a Git LFS pointer to a file of {size} bytes, which was not fetched (git lfs pull)"
            ),
            LfsPointer(None) => {
                f.write_str("a Git LFS pointer to a file that was not fetched (git lfs pull)")
            }
            Refusal(line) => write!(f, "a server's refusal of the download: {line:?}"),
            Safetensors => f.write_str("a safetensors file; convert it to GGUF first"),
            PyTorch => f.write_str("a PyTorch checkpoint (zip); convert it to GGUF first"),
            Pickle => f.write_str("a Python pickle, as in PyTorch checkpoints; convert it first"),
            Compressed(with) => write!(f, "compressed with {with}; unpack it first"),
            Archive(kind) => write!(f, "a {kind} archive; unpack it first"),
            OldGgml(name) => write!(
                f,
                "a {name} file, of the time before GGUF (August 2023); convert it again"
            ),
            Session => f.write_str("a saved session of llama.cpp, without weights"),
            Llamafile => f.write_str(
                "a llamafile, an executable with the weights inside; take the GGUF file out (unzip)",
            ),
            Executable => f.write_str("an executable"),
            Foreign(name) => write!(f, "a {name} file"),
            Json => f.write_str("JSON"),
            Text => f.write_str("a text"),
        }
    }
}

const MAGIC: &[u8; 4] = b"GGUF";
/// What Ollama takes for the mark of a big-endian file, though writers put [`MAGIC`] there.
pub(super) const SWAPPED: &[u8; 4] = b"FUGG";

/// Returns whether a file that begins so is to be read as GGUF.
pub(crate) fn is_gguf(head: &[u8]) -> bool {
    head.starts_with(MAGIC) || head.starts_with(SWAPPED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(head: &[u8]) -> String {
        sniff(head).map_or("unknown".to_owned(), |format| format.to_string())
    }

    #[test]
    fn what_is_taken_for_gguf_is_named_by_its_first_bytes() {
        let zip = b"PK\x03\x04\x14\0\0\0archive/data.pkl";
        let tar = [&[b'a'; 257][..], b"ustar"].concat();
        let cases: [(&[u8], &str); 25] = [
            (b"", "empty"),
            (&[0; 100], "zeros"),
            (b"\xef\xbb\xbf \n<!DOCTYPE HTML>", "HTML"),
            (b"<HTML lang=en>", "HTML"),
            (b"<?xml version='1.0'?><html>", "HTML"),
            (b"<?xml version='1.0'?><Error><Code>AccessDenied", "XML"),
            (b"<Error>", "XML"),
            (
                b"version https://git-lfs.github.com/spec/v1\r\noid x\r\nsize 77\r\n",
                "77 bytes",
            ),
            (b"Entry not found", "refusal"),
            (b"{\n \"error\": \"gated\"}", "refusal"),
            (b"{\"detail\":\"Not Found\"}", "refusal"),
            (b"Found. Redirecting to https://cdn", "refusal"),
            (b"\x40\0\0\0\0\0\0\0{\"__metadata__\":{", "safetensors"),
            (zip, "PyTorch"),
            (b"PK\x03\x04....", "zip"),
            (b"\x80\x02\x8a\x0a\x6c\xfc", "pickle"),
            (b"tjgg\x03\0\0\0", "GGJT"),
            (b"algg\x01\0\0\0", "GGLA"),
            (b"MZqFpD='\n", "llamafile"),
            (b"7z\xbc\xaf\x27\x1c", "7z"),
            (&tar, "tar"),
            (b"{\"a\":1}", "JSON"),
            (b"FROM ./x.gguf\n", "text"),
            (b"FROM x\nSYSTEM caf\xe9 noir\n", "text"),
            (b"\x99\x98\0\x01", "unknown"),
        ];
        for (head, expected) in cases {
            let found = named(head);
            assert!(found.contains(expected), "{head:?}: {found}");
        }
        assert_eq!(sniff(b"GGUF\x03\0\0\0"), None);
    }
}
