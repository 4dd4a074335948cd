//! Files of absurd sizes: every call ends soon and in little memory.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Scratch, fixture, name, reference};
use modelkeep::{
    Digest, GcOptions, ImportOptions, ShowOptions, Store, StoreOptions, VerifyOptions,
};

const STORE: &str = "MODELKEEP_HOSTILE_STORE";

const SKIPPED: &str = "MODELKEEP_HOSTILE_SKIPPED";

const CALLS: [&str; 8] = [
    "list", "show", "copy", "usage", "doctor", "verify", "gc", "delete",
];

fn call(store: &Store, call: &str) -> modelkeep::Result<()> {
    let bad = reference("bad");
    match call {
        "list" => store.list().map(drop),
        "show" => store
            .show(&bad, &ShowOptions::default().verbose(true))
            .map(drop),
        "copy" => store.copy(&name("bad"), &name("copied")).map(drop),
        "usage" => store.usage().map(drop),
        "doctor" => store.doctor().map(drop),
        "verify" => store.verify(&VerifyOptions::default()).map(drop),
        "gc" => store
            .gc(&GcOptions::default().grace(Duration::ZERO))
            .map(drop),
        _ => store.delete(&bad).map(drop),
    }
}

/// This program again, on a store of another's making; nothing when it is run as a test.
#[test]
fn a_process_of_its_own() {
    let Some(root) = env::var_os(STORE) else {
        return;
    };
    let store = Store::open_with(StoreOptions::new(root).delete_delay(Duration::ZERO)).unwrap();
    let skipped = env::var(SKIPPED).unwrap_or_default();
    for what in CALLS.into_iter().filter(|call| *call != skipped) {
        let begun = Instant::now();
        let error = call(&store, what)
            .err()
            .map_or_else(String::new, |e| format!(" ({e})"));
        let error = error.chars().take(120).collect::<String>();
        println!(
            "\n  {what}: {:.3} s, {} MiB at most{error}",
            begun.elapsed().as_secs_f64(),
            peak()
        );
    }
    println!("\npeak {}", peak());
}

/// The most memory that this process ever had, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0) / 1024
}

/// The peak memory of all calls but one on a store with the model `bad`, in MiB.
fn peak_with(what: &str, skipped: &str, spoil: impl FnOnce(&Scratch)) -> u64 {
    let scratch = Scratch::new();
    let plain = ImportOptions::default();
    scratch
        .store()
        .import(fixture(), name("good"), &plain)
        .unwrap();
    spoil(&scratch);
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["a_process_of_its_own", "--exact", "--nocapture"]);
    let output = command
        .env(STORE, scratch.root())
        .env(SKIPPED, skipped)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{what}: {text}");
    println!("{what}:");
    text.lines()
        .filter(|line| line.starts_with("  "))
        .for_each(|line| println!("{line}"));
    let peak = text.lines().find_map(|line| line.strip_prefix("peak "));
    peak.unwrap().parse().unwrap()
}

fn stretch(path: &Path, length: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}

fn layers(count: usize, layer: &str) -> String {
    format!(
        r#"{{"layers":[{}{layer}]}}"#,
        format!("{layer},").repeat(count - 1)
    )
}

#[test]
fn manifests_of_a_million_layers_are_read_in_little_memory() {
    let named = format!(r#"{{"digest":"{}"}}"#, Digest::of(b"one"));
    manifests(&[
        ("a million empty layers", layers(1_000_000, "{}")),
        ("a million layers with a digest", layers(1_000_000, &named)),
        ("eight million brackets", "[".repeat(8_000_000)),
    ]);
}

#[test]
#[ignore = "takes a minute without optimization"]
fn manifests_as_large_as_may_be_are_read_in_little_memory() {
    let named = format!(r#"{{"digest":"{}"}}"#, Digest::of(b"one"));
    let distinct = |number: u32| format!(r#"{{"digest":"{}"}}"#, Digest::of(&number.to_le_bytes()));
    let distinct: Vec<String> = (0..185_000).map(distinct).collect();
    manifests(&[
        (
            "as many layers of one digest as may be",
            layers(185_000, &named),
        ),
        (
            "as many digests as may be",
            format!(r#"{{"layers":[{}]}}"#, distinct.join(",")),
        ),
        (
            "eight million numbers",
            format!(r#"{{"x":[{}0]}}"#, "0,".repeat(8_000_000)),
        ),
        (
            "a million fields",
            format!(r#"{{{}"x":0}}"#, r#""layers":[],"#.repeat(1_000_000)),
        ),
    ]);
}

/// A manifest has at most 16 MiB, and what is decoded of it some twenty times that.
fn manifests(cases: &[(&str, String)]) {
    for (what, text) in cases {
        let peak = peak_with(what, "", |scratch| scratch.manifest("bad", text.as_bytes()));
        assert!(peak < 512, "{what}: {peak} MiB");
    }
}

#[test]
fn files_of_a_gigabyte_are_read_in_little_memory() {
    let layer = |media: &str, digest: &Digest| {
        let media = format!("application/vnd.ollama.image.{media}");
        format!(r#"{{"layers":[{{"mediaType":"{media}","digest":"{digest}"}}]}}"#)
    };
    let peak = peak_with("a manifest of 1 GB", "", |scratch| {
        scratch.manifest("bad", b"{}");
        stretch(&scratch.manifest_path("bad"), 1 << 30);
    });
    assert!(peak < 64, "{peak} MiB");
    for media in [
        "model", "template", "params", "messages", "license", "tensor",
    ] {
        let what = format!("a blob of 1 GB as {media}");
        // Hashing takes memory for its buffers only, and a program without optimization a minute.
        let peak = peak_with(&what, "verify", |scratch| {
            let digest = scratch.blob(b"GGUF\x03\0\0\0");
            stretch(&scratch.blob_path(&digest), 1 << 30);
            scratch.manifest("bad", layer(media, &digest).as_bytes());
        });
        assert!(peak < 128, "{what}: {peak} MiB");
    }
}
