//! Making models as Modelfiles say, and as the reference makes them of the same ones.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/server.rs"]
mod server;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use common::{Scratch, name, reference};
use modelkeep::{Command, Error, ErrorKind, ImportOptions, Imported, MediaType, Modelfile, Store};
use server::Server;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny.gguf")
}

/// A directory with a Modelfile and a GGUF file beside it.
struct Bench {
    directory: tempfile::TempDir,
    scratch: Scratch,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::copy(fixture(), directory.path().join("tiny.gguf")).unwrap();
        let scratch = Scratch::new();
        Bench { directory, scratch }
    }

    fn store(&self) -> Store {
        Store::open_with(self.scratch.options().create(true)).unwrap()
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn write(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("Modelfile");
        fs::write(&path, text).unwrap();
        path
    }

    fn import(&self, to: &str, text: impl AsRef<[u8]>) -> Result<Imported, Error> {
        let options = ImportOptions::default();
        self.store()
            .import_modelfile(self.write(text), &name(to), &options)
    }

    fn fault(&self, text: &str) -> (ErrorKind, String) {
        let error = self.import("m", text).unwrap_err();
        assert!(self.store().list().unwrap().models.is_empty());
        (error.kind(), error.to_string())
    }
}

/// The media type and the text of every layer but the weights.
fn texts(store: &Store, of: &str) -> Vec<(MediaType, String)> {
    let model = store.model(&reference(of)).unwrap();
    let layers = model.manifest().layers().iter();
    let texts = layers.filter(|layer| layer.media() != MediaType::Model);
    texts
        .map(|layer| {
            let path = store.blob_path(&layer.digest().unwrap());
            (layer.media(), fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn everything_that_a_modelfile_says_becomes_a_layer() {
    let bench = Bench::new();
    let imported = bench
        .import(
            "m",
            "FROM ./tiny.gguf\nTEMPLATE \"\"\"{{ .Prompt }}\n\"\"\"\nSYSTEM be\tbrief\n\
             LICENSE one\nlicense two\nPARAMETER stop a\nPARAMETER stop \"b c\"\n\
             PARAMETER temperature 0.7\nPARAMETER mirostat 1\nMESSAGE user hi: there\n\
             MESSAGE assistant \"\"\nREQUIRES v0.14\nRENDERER r\nPARSER p\n",
        )
        .unwrap();
    assert_eq!(imported.ignored, ["mirostat"]);
    let own = |text: &str| text.to_owned();
    let expected = [
        (MediaType::Template, own("{{ .Prompt }}\n")),
        (MediaType::System, own("be\tbrief")),
        (MediaType::License, own("one")),
        (MediaType::License, own("two")),
        (
            MediaType::Params,
            own("{\"stop\":[\"a\",\"b c\"],\"temperature\":0.7}\n"),
        ),
        (
            MediaType::Messages,
            own(
                "[{\"role\":\"user\",\"content\":\"hi: there\"},{\"role\":\"assistant\",\"content\":\"\"}]\n",
            ),
        ),
    ];
    let store = bench.store();
    assert_eq!(texts(&store, "m"), expected);
    let config = store.model(&reference("m")).unwrap();
    let config = config.config().unwrap();
    let said = (&*config.requires, &*config.renderer, &*config.parser);
    assert_eq!(said, ("0.14", "r", "p"));
}

#[test]
fn a_model_is_made_from_a_model_without_its_bytes_being_copied() {
    let bench = Bench::new();
    bench
        .import("base", "FROM tiny.gguf\nSYSTEM old\nPARAMETER top_k 1\nPARAMETER seed 2\nLICENSE l\nRENDERER r")
        .unwrap();
    bench
        .import("made", "FROM base\nSYSTEM new\nPARAMETER seed 3\nLICENSE m")
        .unwrap();
    let store = bench.store();
    let own = |text: &str| text.to_owned();
    let expected = [
        (MediaType::License, own("l")),
        (MediaType::System, own("new")),
        (MediaType::License, own("m")),
        (MediaType::Params, own("{\"seed\":3,\"top_k\":1}\n")),
    ];
    assert_eq!(texts(&store, "made"), expected);
    let config = store
        .model(&reference("made"))
        .unwrap()
        .config()
        .unwrap()
        .clone();
    assert_eq!((&*config.renderer, &*config.format), ("r", "gguf"));
    let path = |of: &str| store.model(&reference(of)).unwrap().gguf_path().unwrap();
    assert_eq!(path("made"), path("base"));
}

#[test]
fn options_win_over_the_modelfile() {
    let bench = Bench::new();
    let mut options = ImportOptions::default();
    options.system = Some("said".into());
    let file = bench.write("FROM tiny.gguf\nSYSTEM written");
    let store = bench.store();
    store.import_modelfile(file, &name("m"), &options).unwrap();
    assert_eq!(texts(&store, "m"), [(MediaType::System, "said".into())]);
}

#[test]
fn from_is_a_file_a_directory_or_a_model() {
    let bench = Bench::new();
    let absolute = format!("FROM {}", bench.path("tiny.gguf").display());
    for (to, text) in [("a", "FROM tiny.gguf"), ("b", "FROM ."), ("c", &absolute)] {
        bench.import(to, text).unwrap();
    }
    fs::rename(bench.path("tiny.gguf"), bench.path("weights.bin")).unwrap();
    bench.import("d", "FROM .").unwrap();
    bench.import("e", "FROM a").unwrap();
    let store = bench.store();
    let path = |of: &str| store.model(&reference(of)).unwrap().gguf_path().unwrap();
    for of in ["b", "c", "d", "e"] {
        assert_eq!(path(of), path("a"));
    }
}

#[test]
fn what_cannot_be_made_says_why_and_leaves_nothing() {
    let bench = Bench::new();
    fs::create_dir(bench.path("tensors")).unwrap();
    fs::write(bench.path("tensors/model.safetensors"), "").unwrap();
    fs::create_dir(bench.path("empty")).unwrap();
    fs::write(bench.path("junk.gguf"), "GGUF\x03\0\0\0").unwrap();
    let cases = [
        ("FROM nothing.gguf", ErrorKind::NotFound, "nothing.gguf"),
        ("FROM empty", ErrorKind::NotFound, "no GGUF file"),
        ("FROM tensors", ErrorKind::Unsupported, "convert"),
        ("FROM junk.gguf", ErrorKind::InvalidGguf, "junk.gguf"),
        ("FROM a//b", ErrorKind::InvalidName, "a//b"),
        ("FROM tiny.gguf\nADAPTER none", ErrorKind::NotFound, "none"),
        (
            "FROM tiny.gguf\nTEMPLATE {{",
            ErrorKind::InvalidTemplate,
            "template",
        ),
        (
            "FROM tiny.gguf\nPARAMETER nope 1",
            ErrorKind::InvalidArgument,
            "nope",
        ),
        (
            "FROM tiny.gguf\nPARAMETER top_k x",
            ErrorKind::InvalidArgument,
            "top_k",
        ),
        (
            "FROM tiny.gguf\nREQUIRES x",
            ErrorKind::InvalidArgument,
            "REQUIRES",
        ),
        (
            "FROM tiny.gguf\nFROM nothing",
            ErrorKind::InvalidArgument,
            "nothing",
        ),
        (
            "FROM tiny.gguf\n\nFRM x",
            ErrorKind::InvalidArgument,
            "line 3",
        ),
        ("SYSTEM x", ErrorKind::InvalidArgument, "FROM"),
    ];
    for (text, kind, part) in cases {
        let (found, said) = bench.fault(text);
        assert!(
            found == kind && said.contains(part),
            "{text}: {found:?} {said}"
        );
    }
}

#[test]
fn a_text_is_a_modelfile_and_everything_else_a_gguf_file() {
    let bench = Bench::new();
    let store = bench.store();
    let import = |file: &str, to: &str| {
        store.import_file(bench.path(file), &name(to), &ImportOptions::default())
    };
    bench.write("FROM tiny.gguf");
    import("Modelfile", "a").unwrap();
    import("tiny.gguf", "b").unwrap();
    fs::write(bench.path("junk"), b"\0junk").unwrap();
    assert_eq!(
        import("junk", "c").unwrap_err().kind(),
        ErrorKind::InvalidGguf
    );
}

#[test]
fn printed_commands_are_read_again() {
    let text = "FROM a\nSYSTEM \"two\nlines\"\nPARAMETER stop x\nMESSAGE user hi\n";
    let modelfile = Modelfile::parse(text.as_bytes()).unwrap();
    assert_eq!(modelfile.commands.len(), 4);
    assert!(matches!(&modelfile.commands[1], Command::System(s) if s == "two\nlines"));
    assert_eq!(modelfile.to_string(), text);
}

/// Modelfiles that the reference and we make models of.
const BOTH: &[&str] = &[
    "FROM ./tiny.gguf",
    "\u{feff}# c\r\nfrom tiny.gguf\r\nSYSTEM x\r\n",
    "FROM tiny.gguf\nTEMPLATE \"\"\"{{ .System }}\n{{ .Prompt }}\"\"\"\nSYSTEM \" a \"\nLICENSE \"\"\"l\n\n\"\"\"\nLICENSE m",
    "FROM tiny.gguf\nPARAMETER num_ctx 4096\nPARAMETER temperature 0.7\nPARAMETER top_p 1e-7\nPARAMETER stop \"<a>\"\nPARAMETER stop b\nPARAMETER use_mmap T\nPARAMETER seed 9007199254740993\nPARAMETER num_gpu -1\nPARAMETER main_gpu 1",
    "FROM tiny.gguf\nMESSAGE system a\nMESSAGE user \"b\nc\"\nMESSAGE assistant d: e\nREQUIRES v0.14.0\nRENDERER r\nPARSER q",
    "FROM tiny.gguf\nSYSTEM one\nSYSTEM two\nTEMPLATE {{ .Prompt }}\nTEMPLATE x{{ .Prompt }}",
    "FROM tiny.gguf\nSYSTEM a\u{200d}b\u{a0}c\u{e9}\u{1f600}\u{7}\nPARAMETER system from a parameter",
    "FROM tiny.gguf\nPARAMETER mirostat 2\nPARAMETER low_vram x\nPARAMETER license from a parameter",
    "FROM tiny.gguf\nSYSTEM \"\nLICENSE \"\"",
    "SYSTEM s\nFROM .",
    "FROM base\nSYSTEM other\nPARAMETER seed 7\nLICENSE more",
    "FROM base\nTEMPLATE {{ .Prompt }}!\nMESSAGE user again\nREQUIRES 1",
    "FROM tiny.gguf\nREQUIRES 01",
    "FROM tiny.gguf\nPARAMETER  stop two spaces",
    "FROM tiny.gguf\nPARAMETER stop",
    "FROM tiny.gguf\nPARAMETER num_ctx 1_000",
    "FROM tiny.gguf\nPARAMETER temperature inf",
    "FROM tiny.gguf\nPARAMETER use_mmap yes",
    "FROM tiny.gguf\nMESSAGE tool x",
    "FROM tiny.gguf\nMESSAGE User x",
    "FROM tiny.gguf\nSYSTEM \"open",
    "FROM tiny.gguf\nSYSTEM",
    "FROM tiny.gguf\nSYSTEM \n",
    "FROM tiny.gguf\n1SYSTEM x",
    "FROM tiny.gguf\n\u{200b}SYSTEM hidden",
    "FROM tiny.gguf\nTEMPLATE {{",
    "FROM missing.gguf",
    "SYSTEM x",
    "",
];

/// What the lines of random Modelfiles begin with, mostly.
const COMMANDS: &[&str] = &[
    "SYSTEM ",
    "system\t",
    "LICENSE ",
    "MESSAGE user ",
    "MESSAGE assistant\t",
    "PARAMETER stop ",
    "PARAMETER top_k ",
    "PARAMETER temperature ",
    "REQUIRES ",
    "RENDERER ",
    "TEMPLATE ",
    "#",
];

/// What they go on with.
const PIECES: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b"\r",
    b" ",
    b"\t",
    b"\"",
    b"\"\"\"",
    b"\"\"",
    b"a",
    b"b c",
    b": ",
    b"12",
    b"0.5",
    b"-3",
    b"1e3",
    b"'",
    b"\\",
    b"{{",
    b"\0",
    b"\x7f",
    b"\xff",
    b"\xe2\x80",
    b"\xc2\xa0",
    b"\xe2\x80\x8b",
    b"\xc3\xa9",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x98\x80",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xcc\x81",
    b"\xe3\x80\x80",
    b"\xee\x80\x80",
    b"PARAMETER ",
    b"MESSAGE ",
];

fn random(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % limit
    };
    let mut text = b"FROM tiny.gguf\n".to_vec();
    for _ in 0..below(4) {
        if below(8) != 0 {
            text.extend(COMMANDS[below(COMMANDS.len())].bytes());
        }
        for _ in 0..below(4) {
            text.extend(PIECES[below(PIECES.len())]);
        }
        text.push(b'\n');
    }
    text
}

/// `MODELKEEP_ROUNDS` sets how many random ones there are, `MODELKEEP_SEED` which.
#[test]
fn the_reference_makes_the_same_models_of_the_same_modelfiles() {
    let bench = Bench::new();
    let store = bench.store();
    let home = tempfile::tempdir().unwrap();
    server::give_quantizer(home.path());
    bench
        .import("base", "FROM tiny.gguf\nSYSTEM s\nTEMPLATE {{ .Prompt }}\nPARAMETER seed 1\nLICENSE l\nMESSAGE user m\nRENDERER r\nREQUIRES 0.1")
        .unwrap();
    let Some(server) = Server::start(bench.scratch.root(), home.path()) else {
        return;
    };
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("MODELKEEP_SEED").unwrap_or(1);
    let rounds = number("MODELKEEP_ROUNDS").unwrap_or(50).min(5_000);
    let random = (first..first + rounds).map(random);
    let mut both = 0;
    for text in BOTH
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .chain(random)
    {
        let said = text.escape_ascii();
        let file = bench.write(&text);
        let created = server.create("theirs", &file);
        let mut options = ImportOptions::default();
        options.replace = true;
        let imported = store.import_modelfile(&file, &name("ours"), &options);
        assert_eq!(
            created.is_ok(),
            imported.is_ok(),
            "{said}: {created:?} {imported:?}"
        );
        if created.is_ok() {
            both += 1;
            assert_eq!(layers(&store, "ours"), layers(&store, "theirs"), "{said}");
            assert_eq!(shown(&server, "ours"), shown(&server, "theirs"), "{said}");
            assert_eq!(listed(&server, "ours"), listed(&server, "theirs"), "{said}");
        }
    }
    println!("{both} models of {} Modelfiles", BOTH.len() as u64 + rounds);
}

/// What a manifest says of its layers and its config, but for the names of sources.
fn layers(store: &Store, of: &str) -> Vec<(MediaType, String, i64)> {
    let model = store.model(&reference(of)).unwrap();
    let manifest = model.manifest();
    let all = manifest.layers().iter().chain([manifest.config()]);
    all.map(|layer| (layer.media(), layer.digest_text().to_owned(), layer.size))
        .collect()
}

/// The server's answer without the time, and without the order of parameters, which is random.
fn shown(server: &Server, of: &str) -> serde_json::Value {
    let (status, body) = server.call("POST", "/api/show", &format!(r#"{{"model":"{of}"}}"#));
    assert_eq!(status, 200, "{body}");
    let mut answer: serde_json::Value = serde_json::from_str(&body.replace(of, "NAME")).unwrap();
    let object = answer.as_object_mut().unwrap();
    object.remove("modified_at");
    for field in ["parameters", "modelfile"] {
        if let Some(text) = object.get(field).and_then(|text| text.as_str()) {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            object[field] = lines.join("\n").into();
        }
    }
    answer
}

/// A model's details in the server's list.
fn listed(server: &Server, of: &str) -> serde_json::Value {
    let (status, body) = server.call("GET", "/api/tags", "");
    assert_eq!(status, 200, "{body}");
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    let mut models = answer["models"].as_array().unwrap().iter();
    let wanted = format!("{of}:latest");
    let model = models
        .find(|model| model["name"] == wanted.as_str())
        .unwrap();
    model["details"].clone()
}
