//! The table of scenarios through the Rust API.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use modelkeep::gguf::{TensorType, Writer};
use modelkeep::{Error, ErrorKind, ImportOptions, Reference, ShowOptions, Store, VerifyOptions};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny.gguf")
}

/// A model of one embedding with weights of zero and a vocabulary of four words.
fn write_fixture(path: &Path) {
    let f32 = TensorType::F32;
    let words = ["<s>", "</s>", "hello", "world"]
        .map(str::to_owned)
        .to_vec();
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "llama")
        .set("general.name", "Tiny")
        .set("general.file_type", 1_u32)
        .set("llama.context_length", 128_u32)
        .set("llama.embedding_length", 8_u32)
        .set("llama.rope.freq_base", 10_000_f32)
        .set("tokenizer.ggml.tokens", words)
        .set("tokenizer.ggml.scores", vec![0.0_f32, -1.0, -2.0, -3.5])
        .set("tokenizer.ggml.add_bos_token", true)
        .tensor("token_embd.weight", &[8, 4], f32, vec![0; 128])
        .tensor("output_norm.weight", &[8], f32, (0..32).collect());
    writer.write_to(&mut File::create(path).unwrap()).unwrap();
}

#[test]
fn the_fixture_is_what_our_writer_writes() {
    if std::env::var_os("BLESS").is_some() {
        write_fixture(&fixture());
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("tiny.gguf");
    write_fixture(&path);
    assert_eq!(
        fs::read(fixture()).unwrap(),
        fs::read(path).unwrap(),
        "run with BLESS=1"
    );
}

fn call(store: &Store, words: &[&str]) -> Result<String, Error> {
    let name = |text: &str| text.parse::<Reference>();
    match *words {
        ["list"] => {
            let mut names: Vec<String> = store
                .list()?
                .models
                .iter()
                .map(|line| line.name.to_string())
                .collect();
            names.sort();
            Ok(if names.is_empty() {
                "-".to_owned()
            } else {
                names.join(" ")
            })
        }
        ["show", model] => Ok(store
            .show(&name(model)?, &ShowOptions::default())?
            .to_json()),
        ["path", model] => {
            let path = store.model(&name(model)?)?.gguf_path()?;
            assert!(fs::read(path).unwrap().starts_with(b"GGUF"));
            Ok(String::new())
        }
        ["copy", from, to] => store.copy(from, to).map(|_| String::new()),
        ["delete", model] => store.delete(&name(model)?).map(|_| String::new()),
        [import @ ("import" | "import!"), model] => {
            let options = ImportOptions::new().replace(import == "import!");
            store
                .import(fixture(), model, &options)
                .map(|_| String::new())
        }
        ["damage", model] => {
            let path = store.model(&name(model)?)?.gguf_path()?;
            let mut bytes = fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(path, bytes).unwrap();
            Ok(String::new())
        }
        ["lose", model] => {
            fs::remove_file(store.model(&name(model)?)?.gguf_path()?).unwrap();
            Ok(String::new())
        }
        ["verify"] => verify(store, ControlFlow::Continue(())),
        ["cancel"] => verify(store, ControlFlow::Break(())),
        _ => panic!("no such call: {words:?}"),
    }
}

fn verify(store: &Store, go_on: ControlFlow<()>) -> Result<String, Error> {
    let report = store.verify_with(&VerifyOptions::new(), &mut |_| go_on)?;
    let mut states = BTreeMap::new();
    for blob in &report.blobs {
        *states.entry(blob.status.as_str()).or_insert(0) += 1;
    }
    let counts: Vec<String> = states
        .iter()
        .map(|(state, n)| format!("{state}={n}"))
        .collect();
    Ok(counts.join(" "))
}

fn row(kind: ErrorKind) -> String {
    let mut row = String::new();
    for letter in kind.name().chars() {
        if letter.is_uppercase() && !row.is_empty() {
            row.push('_');
        }
        row.push(letter.to_ascii_uppercase());
    }
    row
}

#[test]
fn every_scenario_of_the_table_holds() {
    let scratch = common::Scratch::new();
    let store = scratch.store();
    let table = include_str!("scenarios.txt").lines();
    let lines = table.filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let (call_text, expected) = line.split_once(" => ").unwrap();
        let words: Vec<&str> = call_text.split_whitespace().collect();
        let (status, text) = expected.split_once(' ').unwrap_or((expected, ""));
        let (found_status, found) = match call(&store, &words) {
            Ok(text) => ("OK".to_owned(), text),
            Err(error) => (row(error.kind()), error.to_string()),
        };
        assert_eq!(found_status, status, "{line}\n{found}");
        let is_exact = matches!(words[0], "list" | "verify") && status == "OK";
        assert!(
            if is_exact {
                found == text
            } else {
                found.contains(text)
            },
            "{line}\n{found}"
        );
    }
}
