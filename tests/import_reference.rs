//! What we import is what Ollama makes of the same files and the same Modelfiles.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/modelfiles.rs"]
mod modelfiles;
#[path = "common/server.rs"]
mod server;

use std::env;
use std::fs;
use std::path::PathBuf;

use common::{name, reference};
use modelfiles::Bench;
use modelkeep::gguf::{OwnedValue, TensorType, Writer};
use modelkeep::{GgufFile, GgufOptions, ImportOptions, MediaType, Store};
use server::Server;

/// Modelfiles that Ollama and we make models of.
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
        let options = ImportOptions::new().replace(true);
        let imported = store.import_modelfile(&file, name("ours"), &options);
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
    let model = store.model(reference(of)).unwrap();
    let manifest = model.manifest();
    let all = manifest.layers().iter().chain([manifest.config()]);
    all.map(|layer| (layer.media(), layer.digest_text().to_owned(), layer.size))
        .collect()
}

/// The server's answer without the time, and without the order of parameters, which is random.
fn shown(server: &Server, of: &str) -> serde_json::Value {
    let (status, body) = server.call("POST", "/api/show", &format!(r#"{{"model":"{of}"}}"#));
    if status != 200 || body.is_empty() {
        // It shows no projector by itself, and has no words for metadata that hold NaN.
        return body.replace(of, "NAME").into();
    }
    let mut answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    let object = answer.as_object_mut().unwrap();
    object.remove("modified_at");
    for field in ["parameters", "modelfile"] {
        if let Some(text) = object.get(field).and_then(|text| text.as_str()) {
            let text = text.replace(&format!("# FROM {of}:latest"), "");
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

/// A GGUF file that says so of itself, with tensors of these names.
fn written(pairs: &[(&str, OwnedValue)], tensors: &[&str]) -> Vec<u8> {
    let mut writer = Writer::new();
    for (key, value) in pairs {
        writer.set(key, value.clone());
    }
    let f32 = TensorType::F32;
    for name in tensors {
        writer.tensor(name, &[4, 2], f32, vec![0; 32]);
    }
    let mut file = Vec::new();
    writer.write_to(&mut file).unwrap();
    file
}

/// Files whose kind, family, size or quantization has to be told from what they say.
fn kinds() -> Vec<(String, Vec<u8>)> {
    let text = |text: &str| OwnedValue::from(text);
    let mut files = Vec::new();
    for architecture in [
        "llama",
        "gemma4",
        "laguna",
        "nemotron_h",
        "nemotron_h_moe",
        "nemotron_h_omni",
        "clip",
        "",
    ] {
        let pairs = [
            ("general.architecture", text(architecture)),
            ("general.file_type", 15_u32.into()),
        ];
        files.push((
            architecture.to_owned(),
            written(&pairs, &["token_embd.weight"]),
        ));
    }
    files.push(("nothing".into(), written(&[], &["token_embd.weight"])));
    for (name, kind) in [
        ("adapter", "adapter"),
        ("mmproj", "mmproj"),
        ("projector", "projector"),
        ("model", "model"),
    ] {
        let pairs = [
            ("general.architecture", text("llama")),
            ("general.type", text(kind)),
        ];
        files.push((name.into(), written(&pairs, &["token_embd.weight"])));
    }
    for (name, blocks, vision) in [("vision", 0_u32, 1_u32), ("both", 1, 1), ("neither", 0, 0)] {
        let pairs = [
            ("general.architecture", text("qwen2vl")),
            ("qwen2vl.block_count", blocks.into()),
            ("qwen2vl.vision.block_count", vision.into()),
        ];
        // By vision.block_count alone Ollama makes a projector of a file with text; we do
        // not, and its roles are compared where there is none.
        let tensors: &[&str] = match blocks + (1 - vision) {
            0 => &["v.patch_embd.weight"],
            _ => &["v.patch_embd.weight", "token_embd.weight"],
        };
        files.push((name.into(), written(&pairs, tensors)));
    }
    let pairs = [
        ("general.architecture", text("clip")),
        ("clip.has_audio_encoder", true.into()),
    ];
    files.push(("clip-audio".into(), written(&pairs, &["a.conv1d.weight"])));
    for prefix in ["a.", "mm.", "mtp.", "s.", "v.", "t.", "vv."] {
        let pairs = [("general.architecture", text("llama"))];
        let name = format!("{prefix}x");
        files.push((
            format!("with-{prefix}x"),
            written(&pairs, &["token_embd.weight", &name]),
        ));
    }
    for (name, value) in [
        ("type-0", OwnedValue::from(0_u32)),
        ("type-1", 1_u32.into()),
        ("type-32", 32_u32.into()),
        ("type-38", 38_u32.into()),
        ("type-999", 999_u32.into()),
        ("type-u64", 15_u64.into()),
        ("type-i32", 15_i32.into()),
        ("type-text", text("15")),
    ] {
        let pairs = [
            ("general.architecture", text("llama")),
            ("general.file_type", value),
        ];
        files.push((name.into(), written(&pairs, &["token_embd.weight"])));
    }
    files
}

/// The files of the shared corpora that the strict reader takes. Ollama takes seconds for
/// the large ones, so these are for long runs.
fn shared_files() -> Vec<PathBuf> {
    let Some(shared) = common::shared("gguf") else {
        return Vec::new();
    };
    let files = ["corpus", "vocab"]
        .iter()
        .flat_map(|folder| fs::read_dir(shared.join(folder)).unwrap());
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    let largest = if env::var_os("MODELKEEP_ROUNDS").is_some() {
        u64::MAX
    } else {
        1 << 20
    };
    files.retain(|file| file.metadata().unwrap().len() <= largest);
    files.retain(|file| GgufFile::open(file, &GgufOptions::default()).is_ok());
    files.sort();
    files
}

#[test]
fn the_reference_gives_a_file_beside_a_model_the_same_role() {
    let bench = Bench::new();
    let store = bench.store();
    let home = tempfile::tempdir().unwrap();
    server::give_quantizer(home.path());
    store.list().unwrap();
    let Some(server) = Server::start(bench.scratch.root(), home.path()) else {
        return;
    };
    let (mut roles, mut both) = (std::collections::BTreeSet::new(), 0);
    let mut tried = 0;
    for (name, bytes) in kinds() {
        let file = format!("{name}.gguf");
        fs::write(bench.path(&file), bytes).unwrap();
        for command in ["FROM", "ADAPTER"] {
            let text = format!("FROM tiny.gguf\n{command} {file}");
            tried += 1;
            let (ours, theirs) = (format!("ours-{tried}"), format!("theirs-{tried}"));
            let imported = bench.import(&ours, &text);
            let created = server.create(&theirs, &bench.write(&text));
            let (Ok(_), Ok(())) = (imported, created) else {
                continue;
            };
            let kinds = |of: &str| {
                let found = layers(&store, of).into_iter().map(|(media, ..)| media);
                let mut kinds: Vec<String> = found.map(|media| media.to_string()).collect();
                kinds.retain(|kind| !kind.ends_with("template") && !kind.ends_with("params"));
                kinds.sort();
                kinds
            };
            // Under ADAPTER Ollama takes a model for one; we keep the caller's word.
            if command == "ADAPTER" && !kinds(&theirs).iter().any(|k| k.ends_with("projector")) {
                continue;
            }
            assert_eq!(kinds(&ours), kinds(&theirs), "{text}");
            roles.extend(kinds(&ours));
            both += 1;
        }
    }
    println!("{both} models that both make");
    for role in ["model", "projector", "adapter"] {
        assert!(roles.iter().any(|kind| kind.ends_with(role)), "{role}");
    }
}

#[test]
fn the_reference_states_the_same_of_the_same_files() {
    let bench = Bench::new();
    let store = bench.store();
    let home = tempfile::tempdir().unwrap();
    server::give_quantizer(home.path());
    store.list().unwrap();
    let Some(server) = Server::start(bench.scratch.root(), home.path()) else {
        return;
    };
    let mut files = shared_files();
    for (name, bytes) in kinds() {
        let path = bench.path(&format!("{name}.gguf"));
        fs::write(&path, bytes).unwrap();
        files.push(path);
    }
    let mut both = 0;
    for file in files {
        let modelfile = bench.write(format!("FROM {}", file.display()));
        let options = ImportOptions::new().replace(true);
        let imported = store.import(&file, name("ours"), &options);
        let created = server.create("theirs", &modelfile);
        let (Ok(_), Ok(())) = (imported, created) else {
            continue;
        };
        both += 1;
        let weights = |of: &str| {
            let mut layers = layers(&store, of);
            // Ollama guesses templates; we do not.
            layers.retain(|(media, ..)| !matches!(media, MediaType::Template | MediaType::Params));
            layers
        };
        let said = file.display();
        assert_eq!(weights("ours"), weights("theirs"), "{said}");
        assert_eq!(listed(&server, "ours"), listed(&server, "theirs"), "{said}");
        let (ours, theirs) = (shown(&server, "ours"), shown(&server, "theirs"));
        for field in ["details", "model_info", "projector_info", "tensors"] {
            assert_eq!(ours.get(field), theirs.get(field), "{said}: {field}");
        }
    }
    println!("{both} files that both take");
    assert!(both > 25);
}
