//! What a GGUF file becomes in a model that is imported, and what makes none.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/modelfiles.rs"]
mod modelfiles;

use std::fs;
use std::path::PathBuf;

use common::{name, reference};
use modelfiles::Bench;
use modelkeep::gguf::{OwnedValue, TensorType, Writer};
use modelkeep::{ErrorKind, ImportOptions, ShowOptions};

const TEXT: &[&str] = &["token_embd.weight", "blk.0.attn_q.weight"];
const VISION: &[&str] = &["v.patch_embd.weight", "mm.0.weight"];

/// A GGUF file of an architecture, with numbers and a kind, and tensors of these names.
fn written(
    bench: &Bench,
    file: &str,
    pairs: &[(&str, OwnedValue)],
    tensors: &[&[&str]],
) -> PathBuf {
    let mut writer = Writer::new();
    for (key, value) in pairs {
        writer.set(key, value.clone());
    }
    let f32 = TensorType::F32;
    for name in tensors.iter().copied().flatten() {
        writer.tensor(name, &[4, 2], f32, vec![0; 32]);
    }
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    let path = bench.path(file);
    fs::write(&path, bytes).unwrap();
    path
}

fn vision(blocks: u32) -> [(&'static str, OwnedValue); 3] {
    [
        ("general.architecture", "gemma3".into()),
        ("gemma3.block_count", blocks.into()),
        ("gemma3.vision.block_count", 27_u32.into()),
    ]
}

fn of_type(architecture: &str, kind: &str) -> [(&'static str, OwnedValue); 2] {
    [
        ("general.architecture", architecture.into()),
        ("general.type", kind.into()),
    ]
}

#[test]
fn a_file_with_text_and_vision_is_a_model_whatever_its_keys_say() {
    for blocks in [0, 1] {
        let bench = Bench::new();
        let file = written(&bench, "both.gguf", &vision(blocks), &[TEXT, VISION]);
        let store = bench.store();
        store
            .import(file, name("m"), &ImportOptions::default())
            .unwrap();
        let show = store.show(reference("m"), &ShowOptions::default());
        assert!(show.is_ok(), "{blocks} blocks: {show:?}");
    }
}

#[test]
fn what_has_no_weights_of_its_own_is_refused_with_the_way_out() {
    let bench = Bench::new();
    let clip = [
        ("general.architecture", "clip".into()),
        ("clip.has_vision_encoder", true.into()),
    ];
    for (file, way_out) in [
        (
            written(&bench, "mm1.gguf", &of_type("clip", "mmproj"), &[VISION]),
            "--projector",
        ),
        (written(&bench, "mm2.gguf", &clip, &[VISION]), "--projector"),
        (
            written(&bench, "mm3.gguf", &vision(0), &[VISION]),
            "--projector",
        ),
        (
            written(&bench, "lora.gguf", &of_type("llama", "adapter"), &[TEXT]),
            "--adapter",
        ),
    ] {
        let store = bench.store();
        let from = format!("FROM {}", file.display());
        for error in [
            store
                .import(&file, name("m"), &ImportOptions::default())
                .unwrap_err(),
            bench.import("m", from).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert!(error.to_string().contains(way_out), "{error}");
        }
        assert!(store.list().unwrap().models.is_empty());
    }
}

#[test]
fn a_projector_named_as_an_adapter_becomes_a_projector() {
    let bench = Bench::new();
    written(&bench, "mm.gguf", &of_type("clip", "mmproj"), &[VISION]);
    written(&bench, "lora.gguf", &of_type("llama", "adapter"), &[TEXT]);
    for (file, kind) in [("mm.gguf", "projector"), ("lora.gguf", "adapter")] {
        let imported = bench.import(kind, format!("FROM tiny.gguf\nADAPTER {file}"));
        imported.unwrap();
        let model = bench.store().model(reference(kind)).unwrap();
        let layers = model.manifest().layers();
        assert_eq!(layers[1].media().label(), kind);
    }
}
