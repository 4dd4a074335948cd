//! `modelkeep gguf`: one value, the tensors, and where the file comes from.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs::{self, File};
use std::process::{Command, Stdio};

use common::{Shell, fixture};

#[test]
fn one_value_is_printed_as_it_is_stored() {
    let shell = Shell::with_models();
    for file in [fixture().as_str(), "tiny"] {
        let printed = |key: &str| shell.run(&["gguf", file, key]).out;
        assert_eq!(printed("general.architecture"), "llama\n", "{file}");
        assert_eq!(printed("llama.context_length"), "128\n");
        assert_eq!(
            printed("tokenizer.ggml.tokens").lines().last(),
            Some("world")
        );
    }
    let tokens = shell.json(&["gguf", "tiny", "tokenizer.ggml.scores"]);
    assert_eq!(tokens, serde_json::json!([0.0, -1.0, -2.0, -3.5]));
}

#[test]
fn a_key_that_is_a_slip_is_named() {
    let shell = Shell::new();
    for (slip, meant) in [
        ("llama.context_lenght", "llama.context_length"),
        ("add_bos_token", "tokenizer.ggml.add_bos_token"),
    ] {
        let said = shell.run(&["gguf", &fixture(), slip]);
        assert_eq!((said.status, said.out.as_str()), (1, ""));
        assert!(said.err.contains(meant), "{}", said.err);
    }
}

#[test]
fn the_tensors_are_listed() {
    let shell = Shell::new();
    let said = shell.run(&["gguf", &fixture(), "--tensors"]);
    assert_eq!(said.out.lines().count(), 3, "{}", said.out);
    assert!(said.out.contains("output_norm.weight"), "{}", said.out);
    let json = shell.json(&["gguf", &fixture(), "--tensors"]);
    assert_eq!(json[0]["shape"], serde_json::json!([8, 4]));
}

#[test]
fn arrays_are_printed_whole_where_that_is_wanted() {
    let shell = Shell::new();
    let json = shell.json(&["gguf", &fixture(), "--arrays"]);
    assert_eq!(json["general.architecture"], "llama");
    assert_eq!(
        json["tokenizer.ggml.scores"],
        serde_json::json!([0.0, -1.0, -2.0, -3.5])
    );
    let said = shell.run(&["gguf", &fixture(), "--arrays"]);
    assert!(said.out.contains("[0.0,-1.0,-2.0,-3.5]"), "{}", said.out);
}

#[test]
fn a_file_comes_from_standard_input_as_well() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_modelkeep"));
    command.args(["gguf", "-", "general.architecture"]);
    let file = File::open(fixture()).unwrap();
    let output = command.stdin(Stdio::from(file)).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "llama\n");
}

#[test]
fn what_is_neither_a_file_nor_a_model_is_said_to_be_neither() {
    let shell = Shell::with_models();
    let said = shell.run(&["gguf", "tinny"]);
    assert_eq!(said.status, 1);
    assert!(said.err.contains("opening tinny") && said.err.contains("tiny"));
    let said = shell.run(&["gguf", "missing.gguf"]);
    assert!(!said.err.contains("as a model"), "{}", said.err);
}

#[test]
fn a_file_comes_before_the_model_of_its_name() {
    let shell = Shell::with_models();
    let mut command = Command::new(env!("CARGO_BIN_EXE_modelkeep"));
    fs::write(shell.directory.path().join("tiny"), b"no GGUF").unwrap();
    command
        .args(["gguf", "tiny"])
        .current_dir(shell.directory.path());
    let output = command
        .env("OLLAMA_MODELS", shell.store())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}

/// What `llama-gguf-hash --xxh64 --sha256` of llama.cpp 0.7.0 prints of the fixture, as `tiny`.
const HASHES: &str = "\
xxh64     6f975641f69e7c17  tiny:token_embd.weight
sha256    38723a2e5e8a17aa7950dc008209944e898f69a7bd10a23c839d341e935fd5ca  tiny:token_embd.weight
xxh64     cbf59c5116ff32b4  tiny:output_norm.weight
sha256    630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd  tiny:output_norm.weight
xxh64     0cba93bdbc54cec2  tiny
sha256    bd1d15ef27178d3a5886365298dcb90b04b4e6c101c9665d1afde68e62f39498  tiny
";

#[test]
fn tensors_are_hashed_in_the_lines_of_the_reference() {
    let shell = Shell::with_models();
    let said = shell.run(&["gguf", "hash", "tiny"]);
    assert_eq!((said.status, said.out.as_str()), (0, HASHES));
    let lines: Vec<&str> = said.out.lines().collect();
    let json = shell.json(&["gguf", "hash", &fixture(), "--xxh64"]);
    assert_eq!(json["xxh64"].as_str(), lines[4].split_whitespace().nth(1));
    assert!(json["sha256"].is_null() && json["tensors"][1]["type"] == "F32");
}

#[test]
fn files_that_differ_end_with_status_1_as_diff_has_it() {
    let shell = Shell::with_models();
    let said = shell.run(&["gguf", "diff", "tiny", &fixture()]);
    assert_eq!(said.status, 0, "{}", said.out);
    assert!(
        said.out
            .ends_with("9 of 9 keys equal\n2 of 2 tensors equal\n")
    );
    let other = shell.directory.path().join("other.gguf");
    let mut bytes = fs::read(fixture()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let place = bytes.windows(4).position(|four| four == b"Tiny").unwrap();
    bytes[place] = b'D';
    fs::write(&other, bytes).unwrap();
    let other = other.to_str().unwrap();
    let said = shell.run(&["gguf", "diff", "tiny", other]);
    assert_eq!(said.status, 1);
    for line in [
        "- general.name  \"Tiny\" (str)",
        "+ general.name  \"Diny\" (str)",
        "! tensor output_norm.weight  F32 [8] 32 B: the data differ",
        "8 of 9 keys equal",
        "1 of 2 tensors equal",
    ] {
        assert!(
            said.out.lines().any(|it| it == line),
            "{line} in {}",
            said.out
        );
    }
    let said = shell.run(&["gguf", "diff", "tiny", other, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (said.status, &json["equal_tensors"]),
        (1, &serde_json::json!(1))
    );
}

#[test]
fn a_file_with_the_name_of_a_command_is_given_with_its_place() {
    let shell = Shell::new();
    fs::copy(fixture(), shell.directory.path().join("hash")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_modelkeep"));
    command.args(["gguf", "./hash", "general.architecture"]);
    let output = command
        .current_dir(shell.directory.path())
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"llama\n");
    let said = shell.run(&["gguf", "--tensors", "hash", &fixture()]);
    assert_eq!(said.status, 2);
}

#[test]
fn models_that_share_tensors_are_shown_with_what_that_costs() {
    let shell = Shell::with_models();
    let none = shell.run(&["gguf", "shared"]);
    assert_eq!((none.status, none.err.as_str()), (0, ""));
    assert_eq!(none.out, "0 B of the tensors in 1 file are stored again\n");
    let edit = [
        "gguf",
        "edit",
        "tiny",
        "--as",
        "edited",
        "--set",
        "general.name=E",
    ];
    assert_eq!(shell.run(&edit).status, 0);
    let said = shell.run(&["gguf", "shared"]);
    let expected = "2 tensors, 160 B: edited:latest (2), other:latest = tiny:latest (2)\n\
                    160 B of the tensors in 2 files are stored again\n";
    assert_eq!((said.status, said.out.as_str()), (0, expected));
    let said = shell.run(&["gguf", "shared", "EDITED", "tiny", "--tensors"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(
        lines[0],
        "2 tensors, 160 B: edited:latest (2), tiny:latest (2)"
    );
    assert_eq!(lines[1], "  output_norm.weight  F32 [8] 32 B");
    let json = shell.json(&["gguf", "shared"]);
    assert_eq!(json["sets"][0]["files"], serde_json::json!([0, 1]));
    assert_eq!(json["repeated"], 160);
    assert_eq!(shell.run(&["gguf", "shared", "none"]).status, 1);
    shell.damage("other");
    fs::write(shell.run(&["path", "edited"]).out.trim(), "GGUF").unwrap();
    let broken = shell.run(&["gguf", "shared"]);
    assert_eq!(broken.status, 1);
    assert!(broken.err.contains("edited:latest: "), "{}", broken.err);
}

#[test]
fn a_diff_of_two_quantizations_says_what_the_types_cost() {
    use modelkeep::gguf::{TensorType, Writer};
    let shell = Shell::new();
    let write = |name: &str, kind: TensorType, bytes: usize| {
        let mut writer = Writer::new();
        writer.tensor("w", &[1024], kind, vec![0; bytes]);
        writer.tensor("n", &[8], TensorType::F32, vec![0; 32]);
        let path = shell.directory.path().join(name);
        writer
            .write_to(&mut fs::File::create(&path).unwrap())
            .unwrap();
        path.to_str().unwrap().to_owned()
    };
    let before = write("a.gguf", TensorType::F16, 2048);
    let after = write("b.gguf", TensorType::Q4_K, 576);
    let said = shell.run(&["gguf", "diff", &before, &after]);
    assert_eq!(said.status, 1);
    let lines: Vec<&str> = said.out.lines().collect();
    let expected = [
        "! tensor w  F16 [1024] 2.05 kB -> Q4_K [1024] 576 B",
        "F16 -> Q4_K: 1 tensor, 2.05 kB -> 576 B, 16.00 -> 4.50 bits per weight",
        "all: 2 tensors, 2.08 kB -> 608 B, 16.12 -> 4.71 bits per weight",
        "0 of 0 keys equal",
        "1 of 2 tensors equal",
    ];
    assert_eq!(lines, expected);
}
