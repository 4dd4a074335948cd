//! Parameters and roles that a program states are checked; those of a request are not.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/modelfiles.rs"]
mod modelfiles;

use modelfiles::Bench;
use modelkeep::http_api::{self, Basename};
use modelkeep::{Error, ErrorKind, ImportOptions, Message, ShowOptions};
use serde_json::{Map, Value, json};

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// The text and the suggestions of a refusal, which wrote nothing.
fn refusal(bench: &Bench, options: &ImportOptions) -> (String, Vec<String>) {
    let tiny = bench.path("tiny.gguf");
    let (store, before) = (bench.store(), bench.scratch.snapshot());
    let error = store.import(&tiny, "m", options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(bench.scratch.snapshot(), before);
    let same = |other: Error| assert_eq!(other.to_string(), error.to_string());
    same(store.import_file(&tiny, "m", options).unwrap_err());
    let modelfile = bench.write("FROM tiny.gguf");
    same(store.import_modelfile(modelfile, "m", options).unwrap_err());
    (error.to_string(), error.suggestions().to_vec())
}

#[test]
fn an_import_names_the_near_parameter() {
    let bench = Bench::new();
    let options = ImportOptions::new().parameters(map(json!({"temprature": 0.5})));
    let (text, suggestions) = refusal(&bench, &options);
    assert_eq!(
        text,
        "unknown parameter 'temprature'; did you mean temperature?"
    );
    assert_eq!(suggestions, ["temperature"]);
}

#[test]
fn an_import_refuses_a_value_of_another_type() {
    let options = ImportOptions::new().parameters(map(json!({"temperature": "hot"})));
    let (text, _) = refusal(&Bench::new(), &options);
    assert_eq!(text, "parameter 'temperature' is a number, not \"hot\"");
}

#[test]
fn an_import_refuses_an_unknown_role() {
    let bench = Bench::new();
    let options = |role: &str| ImportOptions::new().messages([Message::new(role, "Hello")]);
    let (text, suggestions) = refusal(&bench, &options("bot"));
    let roles = "role of a message: one of 'system', 'user', 'assistant'";
    assert_eq!(
        (text, suggestions.len()),
        (format!("{roles}, not 'bot'"), 0)
    );
    let (_, suggestions) = refusal(&bench, &options("asistant"));
    assert_eq!(suggestions, ["assistant"]);
}

#[test]
fn what_says_nothing_any_more_is_left_out_and_one_stop_is_a_list() {
    let bench = Bench::new();
    let parameters = map(json!({"mirostat": 1, "stop": "</s>", "num_ctx": 4096}));
    let options = ImportOptions::new().parameters(parameters);
    let store = bench.store();
    let imported = store
        .import(bench.path("tiny.gguf"), "m", &options)
        .unwrap();
    assert_eq!(imported.ignored, ["mirostat"]);
    let stored = store.model("m").unwrap().parameters().unwrap();
    let json = serde_json::to_value(&stored).unwrap();
    assert_eq!(json, json!({"num_ctx": 4096, "stop": ["</s>"]}));
}

#[test]
fn a_modelfile_suggests_the_near_parameter() {
    let (kind, text) = Bench::new().fault("FROM tiny.gguf\nPARAMETER top_kk 1\n");
    assert_eq!(kind, ErrorKind::InvalidArgument);
    assert!(
        text.ends_with("line 2: unknown parameter 'top_kk'; did you mean top_k?"),
        "{text}"
    );
}

#[test]
fn show_checks_its_options_and_a_request_may_have_any() {
    let bench = Bench::new();
    bench.import("m", "FROM tiny.gguf").unwrap();
    let store = bench.store();
    let options = |value| ShowOptions::new().options(map(value));
    let shown = store.show("m", &options(json!({"stop": "x"}))).unwrap();
    assert!(
        shown.modelfile.contains("PARAMETER stop x"),
        "{}",
        shown.modelfile
    );
    let shown = store.show("m", &options(json!({"num_ctx": "8192", "z": [1]})));
    assert!(shown.unwrap().modelfile.contains("PARAMETER num_ctx 8192"));
    for value in [json!({"temprature": 1}), json!({"temperature": "hot"})] {
        let error = store.show("m", &options(value)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    let body = br#"{"model": "m", "options": {"temprature": "hot"}}"#;
    let response = http_api::show(&store, body, Basename::OfFile);
    assert!(
        response.body.contains("PARAMETER temprature hot"),
        "{}",
        response.body
    );
}
