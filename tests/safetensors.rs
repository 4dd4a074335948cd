//! What a safetensors model says of itself: its `config.json`, and the headers of its tensors.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use common::Scratch;
use modelkeep::{Show, ShowOptions};

/// A file of tensors without their data, of which only the header is read.
fn tensors(header: &str) -> Vec<u8> {
    let len = (header.len() as u64).to_le_bytes();
    [&len, header.as_bytes()].concat()
}

/// Shows a model of a `config.json` and of files of tensors, by name.
fn shown(config: &str, files: &[(&str, &str)]) -> Show {
    let scratch = Scratch::new();
    let layer = |media: &str, name: &str, bytes: &[u8]| {
        let (digest, size) = (scratch.blob(bytes), bytes.len());
        format!(
            r#"{{"mediaType":"application/vnd.{media}","digest":"{digest}","size":{size},"name":"{name}"}}"#
        )
    };
    let stated = br#"{"model_format":"safetensors","capabilities":["completion"]}"#;
    let stated = layer("docker.container.image.v1+json", "", stated);
    let mut layers = vec![layer("ollama.image.json", "config.json", config.as_bytes())];
    layers.push(layer("ollama.image.json", "other.json", b"{}"));
    let files = files.iter();
    layers.extend(files.map(|(name, header)| layer("ollama.image.tensor", name, &tensors(header))));
    let manifest = format!(r#"{{"config":{stated},"layers":[{}]}}"#, layers.join(","));
    scratch.manifest("m", manifest.as_bytes());
    let options = ShowOptions::new().verbose(true);
    scratch.store().show("m", &options).unwrap()
}

#[test]
fn a_tensor_is_as_large_as_before_it_was_packed() {
    for (header, kind, shape) in [
        (
            r#"{"w":{"dtype":"BF16","shape":[4,8]}}"#,
            "BF16",
            &[4, 8][..],
        ),
        (
            r#"{"w":{"dtype":"U32","shape":[4,8]},"w.scale":{"shape":[4,2]}}"#,
            "int4",
            &[4, 64],
        ),
        (
            r#"{"w":{"dtype":"U32","shape":[4,32]},"w.scale":{"shape":[4,2]}}"#,
            "int8",
            &[4, 128],
        ),
        // These shapes tell nothing.
        (
            r#"{"w":{"dtype":"U32","shape":[4,8]},"w.scale":{"shape":[2]}}"#,
            "U32",
            &[4, 8],
        ),
        (
            r#"{"w":{"dtype":"U32","shape":[8]},"w.scale":{"shape":[4,2]}}"#,
            "U32",
            &[8],
        ),
        (
            r#"{"w":{"dtype":"U32","shape":[4,8]},"w.scale":{"shape":[4,0]}}"#,
            "U32",
            &[4, 8],
        ),
        // What is stated counts.
        (
            r#"{"__metadata__":{"quant_type":" NVFP4 "},"w":{"dtype":"U32","shape":[4,8]}}"#,
            "nvfp4",
            &[4, 64],
        ),
        (
            r#"{"__metadata__":{"quant_type":"mxfp8"},"w":{"dtype":"U32","shape":[8]}}"#,
            "mxfp8",
            &[8],
        ),
        // It is looked up in upper case: the first of these has no other there, the second is an I.
        (
            r#"{"__metadata__":{"quant_type":"\u0130NT4"},"w":{"dtype":"U32","shape":[2,3]}}"#,
            "int4",
            &[2, 3],
        ),
        (
            r#"{"__metadata__":{"quant_type":"\u0131nt8"},"w":{"dtype":"U32","shape":[2,3]}}"#,
            "\u{131}nt8",
            &[2, 12],
        ),
        // A blank is stated, too.
        (
            r#"{"__metadata__":{"quant_type":" "},"w":{"shape":[2,4]},"w.scale":{"shape":[1,1]}}"#,
            "",
            &[2, 4],
        ),
    ] {
        let shown = shown("{}", &[("layer.name", header)]);
        let tensor = &shown.tensors[0];
        let found = (&*tensor.name, &*tensor.r#type, &*tensor.shape);
        assert_eq!(found, ("layer.name", kind, shape), "{header}");
    }
}

#[test]
fn the_quantization_with_the_fewest_bits_is_that_of_the_model() {
    let stated = |kind: &str| {
        format!(
            r#"{{"__metadata__":{{"quant_type":"{kind}"}},"w":{{"dtype":"U32","shape":[2,2]}}}}"#
        )
    };
    for (kinds, expected) in [
        (["int8", "int4", "int8"], "int4"),
        (["other", "mxfp8", "other"], "mxfp8"),
        (["mxfp8", "fp8", "nvfp4"], "nvfp4"),
    ] {
        let headers = kinds.map(stated);
        let files: Vec<_> = headers.iter().map(|header| ("w", &**header)).collect();
        assert_eq!(shown("{}", &files).details.quantization_level, expected);
    }
    // Two in one file, of which the shapes tell.
    let both = r#"{"v":{"shape":[1,16]},"v.scale":{"shape":[1,1]},
        "w":{"shape":[1,4]},"w.scale":{"shape":[1,1]}}"#;
    let of_both = shown("{}", &[("file", both)]);
    assert_eq!(of_both.details.quantization_level, "int4");
    let plain = r#"{"w":{"dtype":"BF16","shape":[2,2]}}"#;
    let shown = shown(r#"{"torch_dtype":"bfloat16"}"#, &[("w", plain)]);
    assert_eq!(shown.details.quantization_level, "bfloat16");
}

#[test]
fn of_a_model_that_also_sees_the_part_for_texts_says_its_sizes() {
    let config = r#"{"architectures":["SomeForConditionalGeneration"],
        "max_position_embeddings":4096,"hidden_size":32,"num_hidden_layers":-1,
        "text_config":{"max_position_embeddings":0,"hidden_size":64}}"#;
    let header = r#"{"b":{"dtype":"F32","shape":[2,3]},"a":{"dtype":"F32","shape":[5]}}"#;
    let shown = shown(config, &[("file", header)]);
    assert_eq!(shown.context_length(), Some(4096));
    assert_eq!(shown.embedding_length(), Some(64));
    assert_eq!(shown.details.family, "some");
    assert_eq!(shown.details.parameter_size, "11");
    let tensors = shown.tensors.iter();
    let names: Vec<&str> = tensors.map(|tensor| &*tensor.name).collect();
    assert_eq!(names, ["a", "b"]);
}

/// How many parameters a model of one file of tensors has, if that is told.
fn count(header: &str) -> Option<u64> {
    let info = shown("{}", &[("w", header)]).model_info;
    info.get("general.parameter_count")
        .map(|count| count.as_u64().unwrap())
}

#[test]
fn scalars_are_no_parameters() {
    for (header, expected) in [
        (r#"{"w":{"shape":[]},"v":{"shape":[4]}}"#, Some(4)),
        (r#"{"w":{"dtype":"F32"},"v":{"shape":[4]}}"#, Some(4)),
        (r#"{"w":{"shape":[0]},"v":{"shape":[2,3]}}"#, Some(6)),
        (r#"{"w":{"shape":[]},"v":{"shape":[]}}"#, None),
    ] {
        assert_eq!(count(header), expected, "{header}");
    }
}

#[test]
fn shapes_that_cannot_be_tell_no_number_of_parameters() {
    // 2^40 times itself, two that are too many together, and a size below zero.
    for header in [
        r#"{"w":{"shape":[1099511627776,1099511627776]},"v":{"shape":[4]}}"#,
        r#"{"w":{"shape":[9223372036854775807]},"v":{"shape":[1]}}"#,
        r#"{"w":{"shape":[-3]},"v":{"shape":[4]}}"#,
        r#"{"w":{"shape":[-3,0]},"v":{"shape":[4]}}"#,
    ] {
        assert_eq!(count(header), None, "{header}");
    }
    // What no tensor has, no size multiplies.
    assert_eq!(
        count(r#"{"w":{"shape":[0,-3]},"v":{"shape":[4]}}"#),
        Some(4)
    );
}

#[test]
fn without_headers_the_bytes_tell_how_many_parameters_there_are() {
    for (dtype, expected) in [("float32", "100"), ("int8", "400"), ("bfloat16", "200")] {
        let config = format!(r#"{{"model_type":"llama","torch_dtype":"{dtype}"}}"#);
        // No header, but a file that is longer than one: 150 bytes of it are taken for that.
        let junk = "x".repeat(550 - 8);
        let shown = shown(&config, &[("w", &junk)]);
        assert_eq!(shown.details.parameter_size, expected, "{dtype}");
    }
}
