//! How the command finds models, and what it says where it does not.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

#[path = "../../../src/skip.rs"]
#[allow(dead_code, reason = "only one of the two is called here")]
mod skip;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use modelkeep::gguf::{TensorType, Writer};
use modelkeep::{ImportOptions, Store, StoreOptions};
use skip::not_here;

/// A home with a store of the model `tiny`.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Home(tempfile::tempdir().unwrap());
        home.import(&home.store(), "tiny");
        home
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("models")
    }

    fn import(&self, store: &Path, name: &str) {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/tiny.gguf");
        let store = Store::open_with(StoreOptions::new(store).create(true)).unwrap();
        store
            .import(fixture, name, &ImportOptions::default())
            .unwrap();
    }

    fn command(&self, store: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_modelkeep"));
        command
            .args(words)
            .env("OLLAMA_MODELS", store)
            .env("HOME", self.0.path());
        command
    }

    fn run(&self, words: &[&str]) -> (i32, Vec<u8>, String) {
        said(self.command(&self.store(), words).output().unwrap())
    }
}

fn said(output: Output) -> (i32, Vec<u8>, String) {
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), output.stdout, err)
}

fn id(home: &Home) -> String {
    let store = Store::open(home.store()).unwrap();
    store.list().unwrap().models[0].digest[..12].to_owned()
}

#[test]
fn a_path_that_is_not_utf8_is_printed_byte_for_byte_and_never_as_json() {
    let home = Home::new();
    let store = home.0.path().join(OsStr::from_bytes(b"caf\xe9\xff"));
    home.import(&store, "tiny");
    for (words, end) in [
        (&["path", "tiny"][..], b'\n'),
        (&["path", "tiny", "--print0"], 0),
    ] {
        let (status, out, _) = said(home.command(&store, words).output().unwrap());
        assert_eq!((status, out.last()), (0, Some(&end)));
        let path = Path::new(OsStr::from_bytes(&out[..out.len() - 1]));
        assert!(fs::read(path).unwrap().starts_with(b"GGUF"));
    }
    for words in [
        &["path", "tiny", "--json"][..],
        &["path", "tiny", "--all", "--json"],
        &["verify", "--json"],
        &["doctor", "--json"],
    ] {
        let (status, out, err) = said(home.command(&store, words).output().unwrap());
        let failure: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let only_error = failure.as_object().unwrap().keys().eq(["error"]);
        assert!(status == 1 && only_error, "{words:?}: {failure}");
        assert!(err.contains("not UTF-8"), "{words:?}: {err}");
    }
}

#[test]
fn the_path_of_a_file_that_is_cut_is_printed_only_where_that_is_forced() {
    let home = Home::new();
    let (_, out, _) = home.run(&["path", "tiny"]);
    let path = String::from_utf8(out.clone()).unwrap();
    let file = fs::File::options().write(true).open(path.trim_end());
    file.unwrap().set_len(100).unwrap();
    for words in [&["path", "tiny"][..], &["path", "tiny", "--all"]] {
        let (status, out, err) = home.run(words);
        assert_eq!((status, out.len()), (1, 0), "{words:?}");
        assert!(err.contains("100 of ") && err.contains("--force"), "{err}");
    }
    let (status, forced, _) = home.run(&["path", "tiny", "--force"]);
    assert_eq!((status, forced), (0, out));
}

#[test]
fn a_manifest_without_layers_is_not_said_to_lack_a_projector() {
    let home = Home::new();
    let index = home
        .store()
        .join("manifests/registry.ollama.ai/library/index");
    fs::create_dir_all(&index).unwrap();
    fs::write(index.join("latest"), r#"{"manifests":[]}"#).unwrap();
    let (status, _, err) = home.run(&["path", "index", "--all"]);
    assert_eq!(status, 1);
    assert!(err.contains("names no layer"), "{err}");
}

#[test]
fn an_id_is_taken_to_look_and_not_to_remove() {
    let home = Home::new();
    let id = id(&home);
    for words in [["show", &id], ["path", &id], ["verify", &id]] {
        let (status, out, err) = home.run(&words);
        assert_eq!(status, 0, "{words:?}: {err}");
        assert!(!out.is_empty());
    }
    let (status, _, err) = home.run(&["rm", &id]);
    assert_eq!(status, 1);
    assert!(err.contains("the ID of tiny:latest"), "{err}");
    assert_eq!(home.run(&["show", "tiny"]).0, 0);
}

#[test]
fn which_names_the_models_of_a_digest_and_of_a_file() {
    let home = Home::new();
    let (_, path, _) = home.run(&["path", "tiny"]);
    let path = String::from_utf8(path).unwrap();
    let path = path.trim();
    let digest = path.rsplit_once("sha256-").unwrap().1;
    for what in [path, digest, &format!("sha256:{digest}"), &id(&home)] {
        let (status, out, err) = home.run(&["which", what]);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(status, 0, "{what}: {err}");
        assert!(out.contains("tiny:latest"), "{what}: {out}");
    }
    let (status, out, _) = home.run(&["which", "--json", digest]);
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((status, &json["uses"][0]["kind"]), (0, &"model".into()));
    assert_eq!(home.run(&["which", &"0".repeat(64)]).0, 1);
    assert_eq!(home.run(&["which", "/nonexistent"]).0, 1);
}

#[test]
fn a_missing_name_is_answered_with_near_ones() {
    let home = Home::new();
    home.import(&home.store(), "llama3:8b");
    for words in [
        &["show", "llama3"][..],
        &["path", "llama3"],
        &["rm", "llama3"],
        &["cp", "llama3", "x"],
        &["verify", "llama3"],
    ] {
        let (status, _, err) = home.run(words);
        assert_eq!(status, 1, "{words:?}");
        let expected = "model 'llama3:latest' not found; did you mean llama3:8b?";
        assert!(err.contains(expected), "{words:?}: {err}");
    }
}

#[test]
fn a_closed_directory_is_told_as_closed_and_not_as_empty() {
    let home = Home::new();
    // Only the superuser can become somebody to whom a directory is closed.
    if home.store().metadata().unwrap().permissions().readonly() || !is_root() {
        not_here("closed directories", "the user is not root");
        return;
    }
    let (binary, open) = (home.0.path().join("modelkeep"), 0o755);
    fs::copy(env!("CARGO_BIN_EXE_modelkeep"), &binary).unwrap();
    for path in [home.0.path(), &binary] {
        fs::set_permissions(path, fs::Permissions::from_mode(open)).unwrap();
    }
    let manifests = home.store().join("manifests");
    for closed in [
        manifests.clone(),
        manifests.join("registry.ollama.ai"),
        manifests.join("registry.ollama.ai/library/tiny"),
    ] {
        for mode in [0o700, 0o744] {
            fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).unwrap();
            for words in [
                &["show", "tiny"][..],
                &["path", "tiny"],
                &["cp", "tiny", "x"],
                &["rm", "tiny"],
            ] {
                let mut command = Command::new(&binary);
                command.args(words).env("OLLAMA_MODELS", home.store());
                command.uid(65534).gid(65534);
                let (status, _, err) = said(output(&mut command));
                assert_eq!(status, 1);
                assert!(err.contains("ermission denied"), "{words:?}: {err}");
                assert!(err.contains(closed.to_str().unwrap()), "{words:?}: {err}");
                assert!(!err.contains("not found"), "{words:?}: {err}");
            }
        }
        fs::set_permissions(&closed, fs::Permissions::from_mode(open)).unwrap();
    }
}

/// Runs a command that was just copied. A process that another test began meanwhile may have the file
/// open for writing still, until it becomes another program.
fn output(command: &mut Command) -> Output {
    loop {
        match command.output() {
            Err(e) if e.kind() == io::ErrorKind::ExecutableFileBusy => thread::yield_now(),
            done => return done.unwrap(),
        }
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

#[test]
fn doctor_names_every_place_where_no_store_is() {
    let home = Home::new();
    let gone = home.0.path().join("gone");
    symlink("/mnt/gone", home.0.path().join(".ollama")).unwrap();
    home.import(
        &home.0.path().join("snap/ollama/common/.ollama/models"),
        "tiny",
    );
    let (status, out, err) = said(home.command(&gone, &["doctor"]).output().unwrap());
    let out = String::from_utf8(out).unwrap();
    assert_eq!(status, 1, "{err}");
    for said in [
        "gone: does not exist",
        "a link to /mnt/gone, which is not there",
        "/usr/share/ollama/.ollama/models",
        "snap/ollama/common/.ollama/models: 1 manifest\n",
    ] {
        assert!(out.contains(said), "{said}: {out}");
    }
    let (status, out, _) = said(home.command(&gone, &["doctor", "--json"]).output().unwrap());
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(
        (status, &json["locations"][0]["state"]),
        (1, &"missing".into())
    );
}

#[test]
fn doctor_of_several_stores_names_each_place_once() {
    let home = Home::new();
    let usual = home.0.path().join(".ollama/models");
    home.import(&usual, "tiny");
    let stores = [home.store(), usual.clone()];
    let [own, other] = stores.each_ref().map(|path| path.to_str().unwrap());
    let words = ["doctor", "--json", "--store", own, "--store", other];
    let command = home.command(&home.store(), &words).output();
    let (status, out, err) = said(command.unwrap());
    assert_eq!(status, 0, "{err}");
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let places = json["locations"].as_array().unwrap();
    let opened = places.iter().filter(|place| place["opened"] == true);
    let mut opened: Vec<_> = opened
        .map(|place| place["path"].as_str().unwrap())
        .collect();
    opened.sort();
    assert_eq!(
        opened,
        [usual, home.store()].map(|path| path.display().to_string())
    );
    let paths: std::collections::HashSet<_> = places.iter().map(|place| &place["path"]).collect();
    assert_eq!(paths.len(), places.len());
}

/// A part of a split model.
fn part(directory: &Path, no: u16, count: u16) -> PathBuf {
    let mut writer = Writer::new();
    writer.set("general.architecture", "llama");
    writer.set("split.no", no);
    writer.set("split.count", count);
    let f32 = TensorType::F32;
    writer.tensor(&format!("blk.{no}.w"), &[4], f32, vec![0; 16]);
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    let path = directory.join(format!("part{no}"));
    fs::write(&path, bytes).unwrap();
    path
}

/// Stores a model of these files, one `model` layer for each.
fn store_parts(home: &Home, name: &str, files: &[PathBuf]) -> Vec<PathBuf> {
    let store = Store::open(home.store()).unwrap();
    let mut paths = Vec::new();
    let mut layers = Vec::new();
    for file in files {
        let blob = store
            .add_blob(&mut fs::File::open(file).unwrap(), None)
            .unwrap();
        let (digest, size) = (blob.digest, blob.size);
        layers.push(format!(
            r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"{digest}","size":{size}}}"#
        ));
        paths.push(store.blob_path(&digest));
    }
    let manifest = format!(r#"{{"schemaVersion":2,"layers":[{}]}}"#, layers.join(","));
    let directory = home
        .store()
        .join("manifests/registry.ollama.ai/library")
        .join(name);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("latest"), manifest).unwrap();
    paths
}

#[test]
fn of_a_split_model_every_part_is_printed_in_order_or_none() {
    let home = Home::new();
    let parts: Vec<PathBuf> = (0..3).map(|no| part(home.0.path(), no, 3)).collect();
    let shuffled = [2, 0, 1].map(|no: usize| parts[no].clone());
    let stored = store_parts(&home, "whole", &shuffled);
    let (status, out, err) = home.run(&["path", "whole"]);
    assert_eq!(status, 0, "{err}");
    let ordered = [1, 2, 0].map(|at: usize| stored[at].display().to_string());
    assert_eq!(String::from_utf8(out).unwrap().trim(), ordered.join("\n"));
    store_parts(&home, "cut", &shuffled[..2]);
    let (status, out, err) = home.run(&["path", "cut"]);
    assert_eq!((status, out.as_slice()), (1, &b""[..]));
    assert!(err.contains("only the parts 1, 3 of 3"), "{err}");
    let (_, out, _) = home.run(&["doctor"]);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("only the parts 1, 3 of 3"), "{out}");
}
