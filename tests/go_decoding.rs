//! JSON that only the rules of Go's decoder read in one way, in each place of a store.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, reference};
use modelkeep::{Show, ShowOptions, Store};
use serde_json::{Value, json};

const IMAGE: &str = "application/vnd.ollama.image.";

/// A model `x` with a config and layers of a type, a name and bytes.
fn model(config: &str, layers: &[(&str, &str, &[u8])]) -> (Scratch, Store) {
    let scratch = Scratch::new();
    let entry = |media: &str, name: &str, bytes: &[u8]| {
        let digest = scratch.blob(bytes).to_string();
        json!({"mediaType": format!("{IMAGE}{media}"), "digest": digest, "size": bytes.len(), "name": name})
    };
    let layers: Vec<Value> = layers
        .iter()
        .map(|(media, name, bytes)| entry(media, name, bytes))
        .collect();
    let manifest = json!({"config": entry("config", "", config.as_bytes()), "layers": layers});
    scratch.manifest("x", manifest.to_string().as_bytes());
    let store = scratch.store();
    (scratch, store)
}

fn show(config: &str, layers: &[(&str, &str, &[u8])]) -> modelkeep::Result<Show> {
    let (_scratch, store) = model(config, layers);
    store.show(reference("x"), &ShowOptions::default().verbose(true))
}

const SAFETENSORS: &str = r#"{"model_format":"safetensors","capabilities":["completion"]}"#;

/// What show prints of a safetensors model with this `config.json`.
fn described(config_json: &str) -> Value {
    let shown = show(
        SAFETENSORS,
        &[("json", "config.json", config_json.as_bytes())],
    )
    .unwrap();
    serde_json::from_str(&shown.to_json()).unwrap()
}

/// A file of tensors.
fn tensors(header: &str) -> Vec<u8> {
    let length = u64::try_from(header.len()).unwrap();
    [&length.to_le_bytes(), header.as_bytes()].concat()
}

#[test]
fn config_json_is_read_by_type() {
    for (text, expected) in [
        (
            r#"{"model_type":"a","vocab_size":5,"num_key_value_heads":null,"torch_dtype":null}"#,
            json!(5),
        ),
        (
            r#"{"model_type":"a","VOCAB_\u017fIZE":1,"vocab_size":6}"#,
            json!(6),
        ),
        (
            r#"{"model_type":"a","vocab_\u017fize":7,"hidden_size":-0,"x":1e999}"#,
            json!(7),
        ),
        (r#"{"model_type":"a","vocab_size":-7}"#, Value::Null),
        (
            r#"{"model_type":"a","vocab_size":7,"rope_theta":"x"}"#,
            Value::Null,
        ),
        (r#"{"model_type":"a","vocab_size":7} x"#, Value::Null),
    ] {
        assert_eq!(
            described(text)["model_info"]["a.vocab_size"],
            expected,
            "{text}"
        );
    }
}

#[test]
fn the_quantization_needs_no_valid_config_json() {
    let text = r#"{"vocab_size":"x","torch_dtype":"float32"}"#;
    assert_eq!(described(text)["details"]["quantization_level"], "float32");
    let file =
        tensors(r#"{"__metadata__":{"quant_type":"INT4"},"w":{"dtype":"U32","shape":[2,2]}}"#);
    let shown = show(SAFETENSORS, &[("tensor", "w", &file)]).unwrap();
    assert_eq!(shown.details.quantization_level, "int4");
}

#[test]
fn shapes_of_tensors_are_signed_and_may_be_missing() {
    for (header, shape) in [
        (r#"{"w":{"dtype":"F32"}}"#, Some(vec![])),
        (
            r#"{"w":{"dtype":"F32","shape":[-1,-0,null]}}"#,
            Some(vec![u64::MAX, 0, 0]),
        ),
        (
            r#"{"w":{"dtype":"F32","shape":[9223372036854775808]}}"#,
            None,
        ),
        (
            r#"{"w":{"dtype":"F32","shape":[2,3]},"__metadata__":{"quant_type":"int4","n":1}}"#,
            Some(vec![2, 3]),
        ),
    ] {
        let shown = show(SAFETENSORS, &[("tensor", "w", &tensors(header))]).unwrap();
        let shapes = shown.tensors.into_iter().map(|tensor| tensor.shape).next();
        assert_eq!(shapes, shape, "{header}");
    }
}

#[test]
fn every_field_of_a_message_has_its_type() {
    let stub = r#"{"remote_host":"h","remote_model":"m"}"#;
    let role = |message: &str| {
        let text = format!("[{message}]");
        let shown = show(stub, &[("messages", "", text.as_bytes())]).ok()?;
        Some(shown.messages.into_iter().next()?.role)
    };
    assert_eq!(
        role("{\"role\":\"\u{39f}\u{3a3}\u{130}\"}").unwrap(),
        "\u{3bf}\u{3c3}i"
    );
    assert_eq!(
        role(r#"{"images":["AGk=",[1,255],null],"tool_calls":[{"id":"x"}]}"#).unwrap(),
        ""
    );
    for wrong in [
        r#"{"thinking":1}"#,
        r#"{"images":["AGk"]}"#,
        r#"{"images":[[256]]}"#,
        r#"{"tool_name":[]}"#,
        r#"{"tool_calls":[{"function":{"index":1.5}}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":[]}}]}"#,
    ] {
        assert_eq!(role(wrong), None, "{wrong}");
    }
}

#[test]
fn parameters_are_printed_whatever_their_nesting() {
    let stub = r#"{"remote_host":"h","remote_model":"m","draft":{"architecture":null}}"#;
    let text = format!(r#"{{"a":{}1{}}}"#, "[".repeat(9_000), "]".repeat(9_000));
    let shown = show(stub, &[("params", "", text.as_bytes())]).unwrap();
    assert_eq!(shown.parameters.matches("[]interface {}{").count(), 8_999);
    let cleared = show(
        stub,
        &[("params", "", br#"{"a":1}"#), ("params", "", b"null")],
    )
    .unwrap();
    assert_eq!(cleared.parameters, "");
    assert!(show(stub, &[("params", "", br#"{"a":1e999}"#)]).is_err());
    assert!(
        show(
            r#"{"remote_host":"h","remote_model":"m","draft":{"config":1}}"#,
            &[]
        )
        .is_err()
    );
}

#[test]
fn a_host_without_a_model_is_no_stub() {
    let config =
        r#"{"model_format":"safetensors","capabilities":["completion"],"remote_host":"h"}"#;
    let (_scratch, store) = model(config, &[("json", "config.json", br#"{"model_type":"a"}"#)]);
    for name in ["x", "x:local"] {
        let shown = store
            .show(reference(name), &ShowOptions::default())
            .unwrap();
        let json = shown.to_json();
        assert!(json.contains(r#""general.architecture":"a""#), "{name}");
    }
}
