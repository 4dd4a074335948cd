//! Making models as Modelfiles say.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/modelfiles.rs"]
mod modelfiles;

use std::fs;
use std::path::Path;

use common::{name, reference};
use modelfiles::Bench;
use modelkeep::{
    Command, CopyMode, Digest, ErrorKind, ImportOptions, MediaType, Message, Modelfile,
    ShowOptions, Store,
};

/// The media type and the bytes of every layer.
fn layers(store: &Store, of: &str) -> Vec<(MediaType, Vec<u8>)> {
    let model = store.model(reference(of)).unwrap();
    let layers = model.manifest().layers().iter();
    layers
        .map(|layer| {
            let path = store.blob_path(&layer.digest().unwrap());
            (layer.media(), fs::read(path).unwrap())
        })
        .collect()
}

/// The media type and the text of every layer but the weights.
fn texts(store: &Store, of: &str) -> Vec<(MediaType, String)> {
    let layers = layers(store, of).into_iter();
    let texts = layers.filter(|(media, _)| *media != MediaType::Model);
    texts
        .map(|(media, bytes)| (media, String::from_utf8(bytes).unwrap()))
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
    let config = store.model(reference("m")).unwrap();
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
        .model(reference("made"))
        .unwrap()
        .config()
        .unwrap()
        .clone();
    assert_eq!((&*config.renderer, &*config.format), ("r", "gguf"));
    let path = |of: &str| store.model(reference(of)).unwrap().gguf_path().unwrap();
    assert_eq!(path("made"), path("base"));
}

#[test]
fn what_is_stated_takes_the_place_of_what_a_model_brings_along() {
    let bench = Bench::new();
    let stating = |text: &str| format!("TEMPLATE {text}\nMESSAGE user {text}\nSYSTEM {text}");
    let base = format!("FROM tiny.gguf\n{}", stating("old"));
    bench.import("base", base).unwrap();
    for (to, stated, expected) in [
        ("same", String::new(), "old"),
        ("new", stating("new"), "new"),
    ] {
        bench.import(to, format!("FROM base\n{stated}")).unwrap();
        let found = texts(&bench.store(), to);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found.iter().all(|(_, text)| text.contains(expected)),
            "{found:?}"
        );
    }
}

/// The renderer, the parser and the release that the config of a model states.
fn built_in(store: &Store, model: &str) -> [String; 3] {
    let model = store.model(model).unwrap();
    let config = model.config().unwrap();
    [&config.renderer, &config.parser, &config.requires].map(Clone::clone)
}

#[test]
fn what_is_built_in_stays_with_a_model_that_is_made_from_a_model() {
    let bench = Bench::new();
    let base = "FROM tiny.gguf\nRENDERER r\nPARSER p\nREQUIRES 0.14.0";
    bench.import("base", base).unwrap();
    let store = bench.store();
    for (lines, expected) in [
        ("SYSTEM s", ["r", "p", "0.14.0"]),
        ("RENDERER own", ["own", "p", "0.14.0"]),
        ("PARSER own", ["r", "own", "0.14.0"]),
        ("REQUIRES 0.15.0", ["r", "p", "0.15.0"]),
    ] {
        let from = |base: &str| format!("FROM {base}\n{lines}");
        bench.import("made", from("base")).unwrap();
        assert_eq!(built_in(&store, "made"), expected, "{lines}");
        bench.import("again", "FROM made").unwrap();
        assert_eq!(built_in(&store, "again"), expected, "{lines}");
        store.delete_all(["made", "again"]).unwrap();
    }
    let options = ImportOptions::new().parser("said");
    let file = bench.write("FROM base\nPARSER written");
    store.import_modelfile(&file, "made", &options).unwrap();
    assert_eq!(built_in(&store, "made"), ["r", "said", "0.14.0"]);
}

#[test]
fn what_an_architecture_renders_itself_stays_with_a_model_that_is_made_from_a_model() {
    let bench = Bench::new();
    gguf(&bench, "gemma.gguf", &[("general.architecture", "gemma4")]);
    bench.import("base", "FROM gemma.gguf").unwrap();
    bench.import("made", "FROM base\nSYSTEM s").unwrap();
    let store = bench.store();
    let expected = ["gemma4", "gemma4", ""];
    assert_eq!(built_in(&store, "base"), expected);
    assert_eq!(built_in(&store, "made"), expected);
    let stop = |model: &str| store.model(model).unwrap().parameters().unwrap().text();
    assert!(stop("base").contains("<turn|>"));
    assert_eq!(stop("made"), stop("base"));
}

#[test]
fn what_an_architecture_renders_itself_is_what_is_not_said() {
    let bench = Bench::new();
    let store = bench.store();
    for (architecture, said, expected) in [
        ("laguna", "", ["laguna", "laguna", ""]),
        ("nemotron_h", "", ["nemotron-3-nano", "nemotron-3-nano", ""]),
        ("nemotron_h_moe", "RENDERER r", ["r", "nemotron-3-nano", ""]),
        ("nemotron_h_omni", "PARSER p", ["nemotron-3-nano", "p", ""]),
        ("gemma4", "RENDERER r\nPARSER p", ["r", "p", ""]),
        ("llama", "", ["", "", ""]),
    ] {
        gguf(
            &bench,
            "own.gguf",
            &[("general.architecture", architecture)],
        );
        bench.import("m", format!("FROM own.gguf\n{said}")).unwrap();
        assert_eq!(built_in(&store, "m"), expected, "{architecture} {said}");
        let has_stop = store
            .model("m")
            .unwrap()
            .parameters()
            .unwrap()
            .text()
            .contains("stop");
        assert!(!has_stop, "{architecture} {said}");
        store.delete("m").unwrap();
    }
}

/// Writes a GGUF file that states these texts, and holds nothing.
fn gguf(bench: &Bench, file: &str, texts: &[(&str, &str)]) {
    let mut writer = modelkeep::gguf::Writer::new();
    for (key, text) in texts {
        writer.set(key, *text);
    }
    let mut file = fs::File::create(bench.path(file)).unwrap();
    writer.write_to(&mut file).unwrap();
}

/// Writes a GGUF file that says to be of this type.
fn typed(bench: &Bench, file: &str, kind: &str) {
    let texts = [("general.type", kind), ("general.name", file)];
    gguf(bench, file, &texts);
}

#[test]
fn options_win_over_the_modelfile() {
    let bench = Bench::new();
    typed(&bench, "written.gguf", "adapter");
    typed(&bench, "said.gguf", "adapter");
    let file = bench.write(
        "FROM tiny.gguf\nSYSTEM written\nTEMPLATE written\nRENDERER written\nPARSER written\n\
         REQUIRES 0.1.0\nLICENSE written\nPARAMETER seed 1\nPARAMETER top_k 1\n\
         PARAMETER mirostat 1\nMESSAGE user written\nADAPTER written.gguf",
    );
    let parameters = serde_json::json!({"seed": 2, "mirostat_eta": 2});
    let message = Message::new("user", "said");
    let options = ImportOptions::new()
        .system("said")
        .template("said")
        .renderer("said")
        .parser("said")
        .requires("0.2.0")
        .licenses(["said"])
        .parameters(parameters.as_object().unwrap().clone())
        .messages([message])
        .adapters([bench.path("said.gguf")])
        .copy_mode(CopyMode::HardLink);
    let store = bench.store();
    let imported = store.import_modelfile(file, name("m"), &options).unwrap();
    assert_eq!(imported.ignored, ["mirostat", "mirostat_eta"]);
    assert_eq!(built_in(&store, "m"), ["said", "said", "0.2.0"]);
    let layers = layers(&store, "m");
    let of = |media: MediaType| -> Vec<String> {
        let found = layers.iter().filter(|(is, _)| *is == media);
        found
            .map(|(_, bytes)| String::from_utf8(bytes.clone()).unwrap())
            .collect()
    };
    assert_eq!(of(MediaType::System), ["said"]);
    assert_eq!(of(MediaType::Template), ["said"]);
    assert_eq!(of(MediaType::License), ["written", "said"]);
    assert_eq!(of(MediaType::Params), ["{\"seed\":2,\"top_k\":1}\n"]);
    assert_eq!(
        of(MediaType::Messages),
        ["[{\"role\":\"user\",\"content\":\"said\"}]\n"]
    );
    let adapters = layers
        .iter()
        .filter(|(media, _)| *media == MediaType::Adapter);
    let adapters: Vec<_> = adapters.map(|(_, bytes)| bytes.clone()).collect();
    assert_eq!(adapters, [fs::read(bench.path("said.gguf")).unwrap()]);
    let blob = store.model("m").unwrap().gguf_path().unwrap();
    let is_linked = fs::read(&blob).unwrap() == fs::read(bench.path("tiny.gguf")).unwrap();
    assert!(is_linked && has_two_names(&blob));
}

#[cfg(unix)]
fn has_two_names(path: &Path) -> bool {
    std::os::unix::fs::MetadataExt::nlink(&fs::metadata(path).unwrap()) == 2
}

#[cfg(not(unix))]
fn has_two_names(_: &Path) -> bool {
    true
}

#[test]
fn what_a_model_shows_makes_the_same_model() {
    let bench = Bench::new();
    typed(&bench, "adapter.gguf", "adapter");
    typed(&bench, "sees.gguf", "mmproj");
    gguf(&bench, "draft.gguf", &[("general.architecture", "llama")]);
    let everything = "FROM tiny.gguf\nFROM sees.gguf\nADAPTER adapter.gguf\nDRAFT draft.gguf\n\
         TEMPLATE \"\"\"{{ .Prompt }}\n\"\"\"\nSYSTEM s\nRENDERER r\nPARSER p\nREQUIRES 0.14.0\n\
         LICENSE l\nPARAMETER stop a\nPARAMETER stop b\nMESSAGE user hi\nMESSAGE assistant ho";
    bench.import("m", everything).unwrap();
    let store = bench.store();
    let shown = store.show("m", &ShowOptions::new()).unwrap().modelfile;
    bench.import("again", &shown).unwrap();
    let sorted = |of: &str| {
        let mut layers = layers(&store, of);
        layers.sort_by_key(|(media, bytes)| (media.to_string(), Digest::of(bytes).to_string()));
        layers
    };
    assert_eq!(sorted("again"), sorted("m"));
    assert_eq!(layers(&store, "m").len(), 9, "{shown}");
    assert_eq!(built_in(&store, "again")[..2], built_in(&store, "m")[..2]);
}

#[test]
fn a_file_that_is_named_twice_is_one_layer() {
    let bench = Bench::new();
    typed(&bench, "sees.gguf", "mmproj");
    bench
        .import(
            "m",
            "FROM tiny.gguf\nFROM sees.gguf\nFROM ./tiny.gguf\nFROM sees.gguf",
        )
        .unwrap();
    let media: Vec<_> = layers(&bench.store(), "m")
        .into_iter()
        .map(|(media, _)| media)
        .collect();
    assert_eq!(media.len(), 2, "{media:?}");
}

#[test]
fn from_is_a_file_a_directory_or_a_model() {
    let bench = Bench::new();
    let absolute = format!("FROM {}", bench.path("tiny.gguf").display());
    for (to, text) in [("a", "FROM tiny.gguf"), ("b", "FROM ."), ("c", &absolute)] {
        bench.import(to, text).unwrap();
    }
    fs::rename(bench.path("tiny.gguf"), bench.path("weights.bin")).unwrap();
    fs::write(bench.path("junk.bin"), "junk").unwrap();
    fs::copy(bench.path("weights.bin"), bench.path("other.dat")).unwrap();
    bench.import("d", "FROM .").unwrap();
    assert_eq!(layers(&bench.store(), "d").len(), 1);
    bench.import("e", "FROM a").unwrap();
    let store = bench.store();
    let path = |of: &str| store.model(reference(of)).unwrap().gguf_path().unwrap();
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
        ("FROM nothing.gguf", ErrorKind::FileNotFound, "nothing.gguf"),
        ("FROM empty", ErrorKind::FileNotFound, "no GGUF file"),
        ("FROM tensors", ErrorKind::Unsupported, "convert"),
        ("FROM junk.gguf", ErrorKind::InvalidGguf, "junk.gguf"),
        ("FROM a//b", ErrorKind::InvalidName, "a//b"),
        (
            "FROM tiny.gguf\nADAPTER none",
            ErrorKind::FileNotFound,
            "no such file: none",
        ),
        ("FROM ~somebody/x", ErrorKind::Unsupported, "other users"),
        (
            "FROM tiny.gguf\nTEMPLATE {{",
            ErrorKind::InvalidTemplate,
            "template",
        ),
        (
            "FROM tiny.gguf\nPARAMETER nope 1",
            ErrorKind::InvalidArgument,
            "line 2: ",
        ),
        (
            "FROM tiny.gguf\nPARAMETER top_k x",
            ErrorKind::InvalidArgument,
            "line 2: ",
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
        store.import_file(bench.path(file), name(to), &ImportOptions::default())
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

#[test]
fn every_text_that_fuzzing_kept_is_read_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/texts");
    let mut read = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        read += usize::from(Modelfile::parse(&bytes).is_ok());
        read += usize::from(modelkeep::Manifest::parse(&bytes).is_ok());
        read += usize::from(modelkeep::Config::parse(&bytes).is_ok());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        read += usize::from(modelkeep::Template::parse(text).is_ok());
    }
    assert!(read > 50, "{read}");
}
