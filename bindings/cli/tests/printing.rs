//! What people read is safe to read: text from files steers no terminal.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use modelkeep::Digest;
use modelkeep::gguf::{TensorType, Writer};

/// Colors, the clipboard, a bell, C1 and DEL, a line of one's own, and letters from right to left.
const EVIL: &str = "e\u{1b}[31m\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}2J\u{7f}\r\nfake\u{202e}\u{200b}\t.";

struct Shell {
    directory: tempfile::TempDir,
}

impl Shell {
    /// A store whose path, files and metadata are all evil.
    fn new() -> Self {
        let shell = Shell {
            directory: tempfile::tempdir().unwrap(),
        };
        fs::write(shell.path("x.gguf"), gguf(EVIL)).unwrap();
        shell.run(&["import", shell.path("x.gguf").to_str().unwrap(), "evil"]);
        shell
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path(&format!("store {EVIL}"))
    }

    /// Standard output and standard error together.
    fn run(&self, words: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_modelkeep"))
            .args(words)
            .env("OLLAMA_MODELS", self.store())
            .env("HOME", self.directory.path())
            .output()
            .unwrap();
        assert!(
            output.status.code().is_some_and(|code| code < 3),
            "{words:?}: {output:?}"
        );
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }
}

fn gguf(text: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    let f32 = TensorType::F32;
    writer
        .set("general.architecture", text)
        .set("general.name", text)
        .set("general.type", text)
        .set(text, vec![1_u8])
        .tensor(text, &[8], f32, vec![7; 32])
        .tensor("twice", &[8], f32, vec![7; 32]);
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    bytes
}

fn assert_safe(what: &[&str], said: &str) {
    let is_unsafe = |c: char| {
        c != '\n'
            && (c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'))
    };
    assert!(!said.contains(is_unsafe), "{what:?}: {said:?}");
    assert!(
        !said.lines().any(|line| line.starts_with("fake")),
        "{what:?}: {said}"
    );
}

#[test]
fn every_command_escapes_what_files_and_directories_say() {
    let shell = Shell::new();
    let store = shell.store();
    let config = format!(
        r#"{{"model_format":{0},"model_family":{0},"model_families":[{0}],"model_type":{0},"file_type":{0},"remote_host":{0}}}"#,
        serde_json::to_string(EVIL).unwrap()
    );
    let config_digest = Digest::of(config.as_bytes());
    fs::write(
        store.join(format!("blobs/sha256-{}", config_digest.hex())),
        &config,
    )
    .unwrap();
    let place = store.join("manifests/registry.ollama.ai/library/stub");
    fs::create_dir_all(&place).unwrap();
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"x","digest":"{config_digest}","size":{}}},"layers":[]}}"#,
        config.len()
    );
    fs::write(place.join("latest"), manifest).unwrap();
    fs::write(place.join(EVIL), "torn").unwrap();
    fs::write(store.join("blobs").join(EVIL), "stranger").unwrap();
    let bad = shell.path(EVIL);
    fs::write(&bad, b"\x99").unwrap();
    let (file, bad) = (shell.path("x.gguf"), bad.to_str().unwrap().to_owned());
    let file = file.to_str().unwrap();
    let commands: [&[&str]; 16] = [
        &["list"],
        &["show", "evil"],
        &["show", "evil", "-v"],
        &["show", "stub"],
        &["gguf", file],
        &["gguf", &bad],
        &["import", &bad, "x"],
        &["import", file, "y", "--license", &bad],
        &["doctor"],
        &["du"],
        &["verify", "--gguf"],
        &["gc", "--grace", "0s", "--partials"],
        &["repair"],
        &["cp", "evil", "copy"],
        &["rm", "copy", "missing"],
        &["show", EVIL],
    ];
    for words in commands {
        let said = shell.run(words);
        assert!(!said.is_empty(), "{words:?}");
        assert_safe(words, &said);
    }
}

#[test]
fn json_keeps_the_bytes_of_a_text() {
    let shell = Shell::new();
    let file = shell.path("x.gguf");
    let said = shell.run(&["gguf", file.to_str().unwrap(), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["gguf"]["kv"][1]["value"], EVIL);
    let path = shell.run(&["path", "evil"]);
    assert!(
        Path::new(path.trim_end_matches('\n')).is_file(),
        "a path is for programs"
    );
}

#[test]
fn a_number_of_a_file_never_ends_the_command() {
    let shell = Shell::new();
    for no in [0, 1, u64::MAX - 1, u64::MAX] {
        let path = shell.path("part.gguf");
        let mut writer = Writer::new();
        writer
            .set("split.no", no)
            .set("split.count", no)
            .set("general.file_type", no);
        writer
            .write_to(&mut fs::File::create(&path).unwrap())
            .unwrap();
        let said = shell.run(&["gguf", path.to_str().unwrap()]);
        let part = format!(" {} of {no}", u128::from(no) + 1);
        assert!(said.contains(&part), "{said}");
    }
}

#[test]
fn a_failure_is_json_where_json_is_wanted() {
    let shell = Shell::new();
    for words in [
        &["gguf", "/nonexistent"][..],
        &["show", "missing"],
        &["import", "/no", "x"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_modelkeep"))
            .args(words)
            .arg("--json")
            .env("OLLAMA_MODELS", shell.store())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            json["error"].as_str().is_some_and(|text| !text.is_empty()),
            "{json}"
        );
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .starts_with("modelkeep: ")
        );
    }
}

#[test]
fn a_header_is_described_before_its_data_are_there() {
    let shell = Shell::new();
    let whole = gguf("llama");
    let cut = shell.path("cut.gguf");
    fs::write(&cut, &whole[..whole.len() - 40]).unwrap();
    let cut = cut.to_str().unwrap();
    let refused = shell.run(&["gguf", cut]);
    let expected = format!(
        "incomplete: {} of at least {} bytes",
        whole.len() - 40,
        whole.len()
    );
    assert!(refused.contains(&expected), "{refused}");
    let said = shell.run(&["gguf", cut, "--header-only"]);
    assert!(
        said.contains("architecture  llama") && said.contains("data_out_of_bounds"),
        "{said}"
    );
}
