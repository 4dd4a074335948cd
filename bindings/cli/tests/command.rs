//! The command as a user meets it: words, JSON, exit statuses.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

mod common;

use common::{Shell, fixture};

#[test]
fn a_model_is_listed_shown_copied_and_removed() {
    let shell = Shell::with_models();
    let list = shell.run(&["list"]).out;
    assert!(list.starts_with("NAME"), "{list}");
    assert!(
        list.contains("\ntiny:latest ") && list.contains("\nother:latest "),
        "{list}"
    );
    assert_eq!(shell.json(&["list"])["models"][0]["name"], "other:latest");
    let show = shell.run(&["show", "tiny"]).out;
    assert!(show.contains("context length    128"), "{show}");
    assert_eq!(shell.json(&["show", "tiny"])["details"]["family"], "llama");
    assert_eq!(
        shell.run(&["cp", "tiny", "copy:v1"]).out,
        "copied tiny:latest to copy:v1\n"
    );
    let said = shell.run(&["rm", "copy:v1", "nope", "other"]);
    assert_eq!(said.status, 1);
    assert!(
        said.out.contains("deleted copy:v1\ndeleted other:latest\n"),
        "{}",
        said.out
    );
    assert_eq!(said.err, "modelkeep: model 'nope:latest' not found\n");
    assert_eq!(shell.run(&["rm", "tiny"]).status, 0);
    assert_eq!(shell.json(&["list"])["models"].as_array().unwrap().len(), 0);
}

#[test]
fn a_path_is_absolute_and_of_what_was_asked_for() {
    let shell = Shell::with_models();
    let relative = Command::new(env!("CARGO_BIN_EXE_modelkeep"))
        .current_dir(shell.directory.path())
        .args(["--store", "models", "path", "tiny"])
        .output()
        .unwrap();
    let path = String::from_utf8(relative.stdout).unwrap();
    assert!(path.starts_with(shell.store().to_str().unwrap()), "{path}");
    assert!(fs::read(path.trim()).unwrap().starts_with(b"GGUF"));
    assert_eq!(shell.run(&["path", "tiny", "--all"]).out.lines().count(), 2);
    let said = shell.run(&["path", "tiny", "--projector"]);
    assert_eq!((said.status, said.out.as_str()), (1, ""));
}

#[test]
fn a_store_is_made_where_a_relative_name_says() {
    let directory = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/tiny.gguf");
    let made = Command::new(env!("CARGO_BIN_EXE_modelkeep"))
        .current_dir(directory.path())
        .args(["--store", "new", "import"])
        .arg(file)
        .arg("tiny")
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    assert!(directory.path().join("new/blobs").is_dir());
}

#[test]
fn options_stand_before_or_after_the_command() {
    let shell = Shell::with_models();
    let store = shell.store();
    let store = store.to_str().unwrap();
    let before = shell.run(&["--store", store, "--json", "list"]).out;
    assert_eq!(shell.run(&["list", "--json", "--store", store]).out, before);
    for words in [["--read-only", "rm", "tiny"], ["rm", "tiny", "--read-only"]] {
        let said = shell.run(&words);
        assert_eq!(said.status, 2, "{}", said.err);
        assert!(said.err.contains("read-only"), "{}", said.err);
    }
    assert_eq!(shell.run(&["show", "tiny"]).status, 0);
}

#[test]
fn wrong_use_and_missing_models_have_their_own_statuses() {
    let shell = Shell::with_models();
    for words in [
        vec![],
        vec!["cp", "tiny"],
        vec!["list", "--no-such"],
        vec!["cp", "a b", "c"],
    ] {
        assert_eq!(shell.run(&words).status, 2, "{words:?}");
    }
    for words in [
        vec!["show", "nope"],
        vec!["path", "nope"],
        vec!["cp", "nope", "x"],
    ] {
        let said = shell.run(&words);
        assert_eq!(said.status, 1, "{words:?}");
        assert_eq!(said.err, "modelkeep: model 'nope:latest' not found\n");
    }
    let said = shell.run(&["import", &fixture(), "tiny"]);
    assert_eq!(
        (said.status, said.err.contains("already exists")),
        (1, true)
    );
    assert_eq!(
        shell.run(&["import", &fixture(), "tiny", "--force"]).status,
        0
    );
    assert_eq!(shell.run(&["--help"]).status, 0);
}

#[test]
fn a_missing_store_names_the_places_that_were_tried() {
    let shell = Shell::new();
    fs::create_dir_all(shell.directory.path().join(".ollama/models")).unwrap();
    let said = shell.run(&["list"]);
    assert_eq!(said.status, 1);
    assert!(
        said.err.contains(shell.store().to_str().unwrap()),
        "{}",
        said.err
    );
    assert!(said.err.contains("/.ollama/models"), "{}", said.err);
}

#[test]
fn problems_with_other_models_do_not_change_the_status() {
    let shell = Shell::with_models();
    let broken = shell
        .store()
        .join("manifests/registry.ollama.ai/library/broken");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("latest"), "{").unwrap();
    for words in [
        vec!["list"],
        vec!["show", "tiny"],
        vec!["cp", "tiny", "x"],
        vec!["rm", "x"],
    ] {
        assert_eq!(shell.run(&words).status, 0, "{words:?}");
    }
    assert!(shell.run(&["list"]).err.contains("broken:latest"));
    let said = shell.run(&["gc", "--grace", "0s"]);
    assert_eq!(
        (said.status, said.err.contains("library/broken/latest")),
        (1, true)
    );
    assert_eq!(shell.run(&["doctor"]).status, 1);
    assert_eq!(shell.run(&["rm", "broken"]).status, 0);
    assert_eq!(
        shell.run(&["doctor"]).out.lines().last(),
        Some("nothing is wrong that can be seen without hashing (modelkeep verify)")
    );
}

#[test]
fn damage_is_found_and_moved_aside() {
    let shell = Shell::with_models();
    assert_eq!(shell.run(&["verify"]).status, 0);
    shell.damage("tiny");
    let said = shell.run(&["verify", "tiny"]);
    assert_eq!(said.status, 1);
    assert!(said.out.contains("wrong digest") && said.out.contains("broken: tiny:latest"));
    assert_eq!(
        shell.json(&["verify"])["blobs"][0]["status"],
        "wrong_digest"
    );
    assert_eq!(
        shell.json(&["repair"])["quarantined"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(shell.run(&["show", "tiny"]).status, 1);
    assert_eq!(
        shell.run(&["import", &fixture(), "tiny", "--force"]).status,
        0
    );
    assert_eq!(shell.run(&["verify"]).status, 0);
}

#[test]
fn what_a_repair_puts_back_or_cannot_read_is_no_cause_for_a_download() {
    let shell = Shell::with_models();
    let path = shell.run(&["path", "tiny"]).out;
    let weights = std::path::Path::new(path.trim_end());
    let trash = shell.store().join(".modelkeep/trash");
    fs::create_dir_all(&trash).unwrap();
    fs::rename(weights, trash.join(weights.file_name().unwrap())).unwrap();
    let said = shell.run(&["repair"]);
    assert_eq!(said.status, 0, "{}", said.err);
    assert!(said.out.contains("put back sha256:"), "{}", said.out);
    fs::rename(weights, shell.store().join("weights")).unwrap();
    std::os::unix::fs::symlink("/dev/null", weights).unwrap();
    let said = shell.run(&["repair"]);
    assert_eq!(said.status, 1);
    assert!(said.out.contains("could not be read: tiny"), "{}", said.out);
    assert!(!said.out.contains("pull"), "{}", said.out);
}

#[test]
fn what_an_earlier_run_found_good_is_trusted() {
    let shell = Shell::with_models();
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let digest = modelkeep::Digest::of(&fs::read(old).unwrap());
    let blob = format!("sha256-{}", digest.hex());
    std::os::unix::fs::symlink(old, shell.store().join("blobs").join(blob)).unwrap();
    assert!(!shell.run(&["verify", "--use-cache"]).out.contains("cached"));
    let said = shell.run(&["verify", "--use-cache"]);
    assert!(
        said.out.contains("cached by an earlier run"),
        "{}",
        said.out
    );
    assert!(shell.json(&["verify", "--use-cache"])["cached"]["blobs"].as_u64() > Some(0));
    assert_eq!(shell.json(&["verify"])["cached"]["blobs"], 0);
}

#[test]
fn what_cannot_be_noted_for_later_runs_is_told() {
    let shell = Shell::with_models();
    fs::remove_dir_all(shell.store().join(".modelkeep")).unwrap();
    // Not even root makes a directory where a file is.
    fs::write(shell.store().join(".modelkeep"), "").unwrap();
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let digest = modelkeep::Digest::of(&fs::read(old).unwrap());
    let blob = format!("sha256-{}", digest.hex());
    std::os::unix::fs::symlink(old, shell.store().join("blobs").join(blob)).unwrap();
    let said = shell.run(&["verify", "--use-cache"]);
    assert_eq!(said.status, 0);
    let note = "note: later runs hash everything again: ";
    assert!(said.err.contains(note), "{}", said.err);
    assert!(!shell.run(&["verify"]).err.contains(note));
}

#[test]
fn orphans_are_measured_and_collected() {
    let shell = Shell::with_models();
    let orphan = format!("sha256-{}", modelkeep::Digest::of(b"orphan").hex());
    fs::write(shell.store().join("blobs").join(&orphan), "orphan").unwrap();
    assert_eq!(shell.json(&["du"])["orphans"]["files"], 1);
    assert_eq!(shell.json(&["gc"])["young"], 1);
    let path = shell.store().join("blobs").join(orphan);
    assert_eq!(
        shell.json(&["gc", "--grace", "0s", "--dry-run"])["bytes"],
        path.metadata().unwrap().blocks() * 512
    );
    assert_eq!(
        shell.json(&["gc", "--grace", "0s"])["blobs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(shell.json(&["du"])["orphans"]["files"], 0);
    assert_eq!(shell.run(&["verify"]).status, 0);
}

#[test]
fn a_gguf_file_is_described_or_refused() {
    let shell = Shell::new();
    let said = shell.run(&["gguf", &fixture()]);
    assert!(said.out.contains("architecture  llama"), "{}", said.out);
    let json = shell.json(&["gguf", &fixture()]);
    assert_eq!(json["gguf"]["tensors"][1]["name"], "output_norm.weight");
    let cut = shell.directory.path().join("cut.gguf");
    let bytes = fs::read(fixture()).unwrap();
    fs::write(&cut, &bytes[..200]).unwrap();
    let said = shell.run(&["gguf", cut.to_str().unwrap(), "--json"]);
    assert_eq!(said.status, 1);
    let error: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(error["error"]["kind"], "length_out_of_bounds");
    assert!(error["error"]["offset"].is_u64() && error["error"]["path"].is_string());
    assert_eq!(shell.run(&["gguf", "/nonexistent"]).status, 1);
}

#[test]
fn who_answers_already_is_said() {
    let shell = Shell::with_models();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let said = shell.run(&["serve", "--addr", &address]);
    assert_eq!(
        (said.status, said.err.contains("already answers")),
        (1, true),
        "{}",
        said.err
    );
}

/// The modes of all files and of all directories under a path.
fn modes(path: &Path) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let (mut files, mut directories) = (BTreeSet::new(), BTreeSet::new());
    let mut left = vec![path.to_owned()];
    while let Some(next) = left.pop() {
        let metadata = next.symlink_metadata().unwrap();
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_dir() {
            directories.insert(mode);
            left.extend(
                fs::read_dir(next)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            files.insert(mode);
        }
    }
    (files, directories)
}

#[test]
fn what_is_written_follows_the_umask() {
    for (mask, file, directory) in [
        ("000", 0o666, 0o777),
        ("022", 0o644, 0o755),
        ("027", 0o640, 0o750),
        ("077", 0o600, 0o700),
    ] {
        let shell = Shell::new();
        fs::create_dir(shell.store()).unwrap();
        fs::set_permissions(shell.store(), fs::Permissions::from_mode(directory)).unwrap();
        let status = Command::new("sh")
            .args([
                "-c",
                &format!("umask {mask} && exec \"$0\" import \"$1\" tiny"),
            ])
            .args([env!("CARGO_BIN_EXE_modelkeep"), &fixture()])
            .env("OLLAMA_MODELS", shell.store())
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        let expected = (BTreeSet::from([file]), BTreeSet::from([directory]));
        assert_eq!(modes(&shell.store()), expected, "umask {mask}");
    }
}

/// Everything of ours below a store but the lock.
fn leftovers(store: &Path) -> Vec<PathBuf> {
    let rooms = ["tmp", "trash", "quarantine"].map(|room| store.join(".modelkeep").join(room));
    let entries = rooms.into_iter().filter_map(|room| fs::read_dir(room).ok());
    entries
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect()
}

/// Starts a command, and returns when it has put something into our own directories.
fn begun(shell: &Shell, words: &[&str]) -> Child {
    let before = leftovers(&shell.store());
    // A shell in the background starts programs with interrupts ignored; ours are told.
    let mut child = Command::new("env")
        .arg("--default-signal=INT")
        .args([env!("CARGO_BIN_EXE_modelkeep"), "--store"])
        .arg(shell.store())
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while leftovers(&shell.store()) == before {
        let is_running = child.try_wait().unwrap().is_none();
        assert!(is_running, "ended without a signal");
        std::thread::yield_now();
    }
    child
}

fn send(child: &Child, signal: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &id]).status();
    assert!(sent.unwrap().success());
}

/// What somebody began to use while it waited in the trash is back when the command has ended.
#[test]
fn a_removal_that_is_interrupted_leaves_nothing_in_the_trash() {
    for signal in ["INT", "TERM"] {
        let shell = Shell::new();
        assert_eq!(shell.run(&["import", &fixture(), "tiny"]).status, 0);
        let library = shell.store().join("manifests/registry.ollama.ai/library");
        let manifest = fs::read(library.join("tiny/latest")).unwrap();
        let mut removal = begun(&shell, &["rm", "-y", "tiny", "--delete-delay", "1s"]);
        fs::create_dir_all(library.join("again")).unwrap();
        fs::write(library.join("again/latest"), &manifest).unwrap();
        send(&removal, signal);
        removal.wait().unwrap();
        assert!(leftovers(&shell.store()).is_empty(), "{signal}");
        assert_eq!(shell.run(&["verify"]).status, 0, "{signal}");
    }
}

/// An interrupt and a termination end an import in order.
#[test]
fn an_import_that_is_interrupted_leaves_nothing() {
    for signal in ["INT", "TERM"] {
        let shell = Shell::with_models();
        let before = leftovers(&shell.store());
        let file = shell.store().with_file_name("large.gguf");
        fs::copy(fixture(), &file).unwrap();
        // Much more than is copied before the signal comes, and sparse.
        let sparse = fs::File::options().write(true).open(&file).unwrap();
        sparse.set_len(4 << 30).unwrap();
        let file = file.to_str().unwrap();
        let mut import = begun(&shell, &["import", file, "large", "--copy-mode", "copy"]);
        send(&import, signal);
        let status = import.wait().unwrap();
        assert_eq!(status.code(), Some(130), "{signal}: {status}");
        assert_eq!(leftovers(&shell.store()), before, "{signal}");
        assert_eq!(shell.run(&["verify"]).status, 0);
    }
}

#[test]
fn what_was_set_aside_is_told_and_goes_when_asked() {
    let shell = Shell::with_models();
    shell.damage("tiny");
    let said = shell.run(&["repair"]);
    assert!(said.out.contains("gc --quarantine"), "{}", said.out);
    assert_eq!(shell.json(&["du"])["quarantine"]["files"], 1);
    assert!(
        shell.json(&["gc", "--grace", "0s"])["leftovers"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let said = shell.run(&["gc", "--grace", "0s", "--quarantine"]);
    assert!(said.out.contains("/quarantine/"), "{}", said.out);
    assert_eq!(shell.json(&["du"])["quarantine"]["files"], 0);
}

#[test]
fn a_removal_that_frees_nothing_says_why() {
    let shell = Shell::with_models();
    assert_eq!(shell.run(&["cp", "tiny", "again"]).status, 0);
    let said = shell.run(&["rm", "tiny"]);
    assert!(said.out.contains("stay"), "{}", said.out);
    assert!(said.out.contains("again:latest"), "{}", said.out);
    let library = shell.store().join("manifests/registry.ollama.ai/library");
    std::os::unix::fs::symlink("again", library.join("alias")).unwrap();
    assert!(shell.run(&["list"]).out.contains("alias of again:latest"));
    let said = shell.run(&["rm", "alias"]);
    assert!(said.out.contains("again:latest stays"), "{}", said.out);
    assert_eq!(shell.run(&["verify", "again"]).status, 0);
}

#[test]
fn a_store_without_a_model_is_asked_for_all() {
    let shell = Shell::with_models();
    fs::remove_dir_all(shell.store().join("manifests")).unwrap();
    let said = shell.run(&["gc", "--grace", "0s"]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("gc --all"), "{}", said.err);
    assert_eq!(shell.run(&["gc", "--grace", "0s", "--all"]).status, 0);
    assert_eq!(
        fs::read_dir(shell.store().join("blobs")).unwrap().count(),
        0
    );
}
