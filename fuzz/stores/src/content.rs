//! Bytes of blobs and of manifests, each by a short text.

use std::fmt::Write as _;

use modelkeep::gguf::{TensorType, Writer};
use sha2::{Digest as _, Sha256};

/// How many contents there are; content 9 is a manifest that lies among the blobs.
pub const CONTENTS: u8 = 12;

/// The contents that are GGUF files.
pub const WEIGHTS: [u8; 3] = [0, 1, 10];

/// Returns the lower-case hexadecimal SHA-256 of some bytes.
pub fn hex_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Returns the digits of the digest of a content.
pub fn hex(number: u8) -> String {
    hex_of(&blob(number))
}

/// Returns the bytes of a content.
pub fn blob(number: u8) -> Vec<u8> {
    match number {
        0 | 1 | 10 => weights(number),
        2 => br#"{"model_format":"gguf","model_family":"llama"}"#.to_vec(),
        3 => b"{{ .Prompt }}".to_vec(),
        4 => br#"{"temperature":1}"#.to_vec(),
        5 => b"a license".to_vec(),
        6 => Vec::new(),
        7 => (0..70_000_u32).map(|n| (n % 251) as u8).collect(),
        8 => br#"{"model_format":"gguf","remote_host":"x"}"#.to_vec(),
        9 => manifest(Form::Plain, &[0, 2]),
        _ => format!("content {number}").into_bytes(),
    }
}

fn weights(number: u8) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "llama")
        .set("llama.block_count", u32::from(number) + 1);
    let f32 = TensorType::F32;
    let rows = u64::from(number) + 2;
    let data = vec![number; 16 * (usize::from(number) + 2)];
    writer.tensor("token_embd.weight", &[4, rows], f32, data);
    let mut file = Vec::new();
    writer.write_to(&mut file).expect("a vector takes all");
    file
}

/// A form in which a manifest may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Plain,
    NoSize,
    WrongSize,
    NoConfig,
    Upper,
    UpperHex,
    Underscore,
    Bare,
    Blank,
    Dash,
    Escape,
    BadDigest,
    Sha512,
    EmptyDigest,
    Annotation,
    Duplicate,
    Index,
    DeepIndex,
    Artifact,
    Subject,
    Schema1,
    Trailing,
    Null,
    Object,
    NoLayers,
    Bom,
    Utf16,
    Gzip,
    Cut,
    Nothing,
    Garbage,
    Array,
    WrongType,
    Huge,
}

/// Every form, with its word.
pub const FORMS: [(&str, Form); 34] = [
    ("plain", Form::Plain),
    ("nosize", Form::NoSize),
    ("wrongsize", Form::WrongSize),
    ("noconfig", Form::NoConfig),
    ("upper", Form::Upper),
    ("upperhex", Form::UpperHex),
    ("underscore", Form::Underscore),
    ("bare", Form::Bare),
    ("blank", Form::Blank),
    ("dash", Form::Dash),
    ("escape", Form::Escape),
    ("baddigest", Form::BadDigest),
    ("sha512", Form::Sha512),
    ("emptydigest", Form::EmptyDigest),
    ("annotation", Form::Annotation),
    ("duplicate", Form::Duplicate),
    ("index", Form::Index),
    ("deepindex", Form::DeepIndex),
    ("artifact", Form::Artifact),
    ("subject", Form::Subject),
    ("schema1", Form::Schema1),
    ("trailing", Form::Trailing),
    ("null", Form::Null),
    ("object", Form::Object),
    ("nolayers", Form::NoLayers),
    ("bom", Form::Bom),
    ("utf16", Form::Utf16),
    ("gzip", Form::Gzip),
    ("cutjson", Form::Cut),
    ("nothing", Form::Nothing),
    ("garbage", Form::Garbage),
    ("array", Form::Array),
    ("wrongtype", Form::WrongType),
    ("huge", Form::Huge),
];

impl Form {
    /// Returns the form of a word.
    pub fn of(word: &str) -> Option<Form> {
        FORMS
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, form)| *form)
    }

    fn spell(self, hex: &str) -> String {
        match self {
            Form::Upper => format!("SHA256:{hex}"),
            Form::UpperHex => format!("sha256:{}", hex.to_uppercase()),
            Form::Underscore => format!("sha256_{hex}"),
            Form::Bare => hex.to_owned(),
            Form::Blank => format!("sha256:{hex} "),
            Form::Dash => format!("sha256-{hex}"),
            Form::Escape => format!("\\u0073ha256:{}\\u00{:02x}", &hex[..63], hex.as_bytes()[63]),
            Form::BadDigest => "sha256:xyz".to_owned(),
            Form::Sha512 => format!("sha512:{}{}", "0".repeat(64), "1".repeat(64)),
            Form::EmptyDigest => String::new(),
            _ => format!("sha256:{hex}"),
        }
    }
}

/// Returns the bytes of a manifest that names some contents in some form.
pub fn manifest(form: Form, layers: &[u8]) -> Vec<u8> {
    let config = layers.iter().find(|number| matches!(number, 2 | 8));
    let others = layers.iter().filter(|number| Some(*number) != config);
    let list: Vec<String> = others.map(|number| layer(form, *number)).collect();
    let list = list.join(",");
    let config = config.map(|number| layer(form, *number));
    let config = config.map_or(String::new(), |config| format!(",\"config\":{config}"));
    let plain = format!("{{\"schemaVersion\":2{config},\"layers\":[{list}]}}\n");
    match form {
        Form::NoConfig => format!("{{\"layers\":[{list}]}}").into_bytes(),
        Form::Annotation => format!("{{\"annotations\":{{\"x\":[{list}]}}}}").into_bytes(),
        Form::Duplicate => format!("{{\"layers\":[{list}],\"layers\":[]}}").into_bytes(),
        Form::Index => format!("{{\"schemaVersion\":2,\"manifests\":[{list}]}}").into_bytes(),
        Form::DeepIndex => {
            let inner = layer(form, 9);
            format!("{{\"schemaVersion\":2,\"manifests\":[{inner}]}}").into_bytes()
        }
        Form::Artifact => format!("{{\"blobs\":[{list}]}}").into_bytes(),
        Form::Subject => format!("{{\"subject\":[{list}],\"layers\":[]}}").into_bytes(),
        Form::Schema1 => {
            let sums = list.replace("\"digest\"", "\"blobSum\"");
            format!("{{\"schemaVersion\":1,\"fsLayers\":[{sums}]}}").into_bytes()
        }
        Form::Trailing => format!("{plain}]]] and more").into_bytes(),
        Form::Null => b"null".to_vec(),
        Form::Object => b"{}".to_vec(),
        Form::NoLayers => b"{\"schemaVersion\":2,\"layers\":null}\n".to_vec(),
        Form::Bom => [b"\xef\xbb\xbf", plain.as_bytes()].concat(),
        Form::Utf16 => plain.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Form::Gzip => [&b"\x1f\x8b\x08"[..], plain.as_bytes()].concat(),
        Form::Cut => plain.as_bytes()[..plain.len() / 2].to_vec(),
        Form::Nothing => Vec::new(),
        Form::Garbage => b"<html>".to_vec(),
        Form::Array => format!("[{list}]").into_bytes(),
        Form::WrongType => plain
            .replace("\"digest\":\"", "\"digest\":5,\"x\":\"")
            .into(),
        Form::Huge => [plain.into_bytes(), vec![b' '; 17 << 20]].concat(),
        _ => plain.into_bytes(),
    }
}

fn layer(form: Form, number: u8) -> String {
    let bytes = blob(number);
    let media = match number {
        0 | 1 | 10 => "application/vnd.ollama.image.model",
        2 | 8 => "application/vnd.docker.container.image.v1+json",
        3 => "application/vnd.ollama.image.template",
        4 => "application/vnd.ollama.image.params",
        5 => "application/vnd.ollama.image.license",
        _ => "application/octet-stream",
    };
    let digest = form.spell(&hex_of(&bytes));
    let size = match form {
        Form::NoSize => String::new(),
        Form::WrongSize => format!(",\"size\":{}", bytes.len() + 7),
        _ => format!(",\"size\":{}", bytes.len()),
    };
    format!("{{\"mediaType\":\"{media}\",\"digest\":\"{digest}\"{size}}}")
}
