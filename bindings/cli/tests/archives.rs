//! Models that travel: `export`, and `import` of an archive.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A directory with a store that has the models `tiny` and `other`.
struct Shell {
    directory: tempfile::TempDir,
}

impl Shell {
    fn new() -> Self {
        let shell = Shell {
            directory: tempfile::tempdir().unwrap(),
        };
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/tiny.gguf");
        let fixture = fixture.to_str().unwrap();
        shell.done(&["import", fixture, "tiny"]);
        shell.done(&["import", fixture, "other", "--system", "Be brief."]);
        shell
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        // A shell in the background starts programs with interrupts ignored; ours are told.
        let mut command = Command::new("env");
        command
            .arg("--default-signal=INT")
            .arg(env!("CARGO_BIN_EXE_modelkeep"))
            .args(words)
            .current_dir(self.directory.path())
            .env("OLLAMA_MODELS", self.path("models"))
            .env("HOME", self.directory.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> (i32, String, String) {
        let output = self.command(words).output().unwrap();
        said(output)
    }

    /// Runs what succeeds; returns what it prints.
    fn done(&self, words: &[&str]) -> String {
        let (status, out, err) = self.run(words);
        assert_eq!(status, 0, "{words:?}: {err}");
        out
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

fn said(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap();
    (status, text(output.stdout), text(output.stderr))
}

/// Starts a command with pipes, for a test that holds their other ends.
fn started(mut command: Command) -> Child {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn models_travel_by_a_file_a_directory_and_a_pipe() {
    let shell = Shell::new();
    let out = shell.done(&["export", "tiny", "other", "models.tar"]);
    assert!(
        out.starts_with("exported other:latest, tiny:latest ("),
        "{out}"
    );
    shell.done(&["export", "tiny", "layout"]);
    shell.done(&["export", "other", "layout"]);
    let output = shell.command(&["export", "other", "tiny", "-"]).output();
    let archive = output.unwrap().stdout;
    assert!(archive == fs::read(shell.path("models.tar")).unwrap());
    let list = shell.done(&["list"]);
    for (store, from) in [("a", "models.tar"), ("b", "layout"), ("c/made", "-")] {
        let mut child = started(shell.command(&["--store", store, "import", from]));
        let mut stdin = child.stdin.take().unwrap();
        if from == "-" {
            stdin.write_all(&archive).unwrap();
        }
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let (status, out, _) = said(output);
        assert_eq!(status, 0);
        for line in [
            "imported other:latest\n",
            "imported tiny:latest\n",
            "wrote ",
        ] {
            assert!(out.contains(line), "{out}");
        }
        let ids = |list: &str| {
            let lines = list.lines().skip(1);
            let ids = lines.map(|line| line.split_whitespace().take(2).collect::<String>());
            let mut ids: Vec<String> = ids.collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&shell.done(&["--store", store, "list"])), ids(&list));
        shell.done(&["--store", store, "verify"]);
    }
}

#[test]
fn answers_are_json_where_that_is_asked_for() {
    let shell = Shell::new();
    let json = |words: &[&str]| -> serde_json::Value {
        let (_, out, _) = shell.run(&[words, &["--json"]].concat());
        serde_json::from_str(&out).unwrap()
    };
    let exported = json(&["export", "tiny", "tiny.tar"]);
    assert_eq!(exported["models"][0], "tiny:latest");
    let imported = json(&["import", "tiny.tar", "named"]);
    assert_eq!(imported["models"][0]["name"], "named:latest");
    assert_eq!(imported["new_bytes"], 0);
    let error = json(&["import", "absent.tar"]);
    assert!(error["error"].as_str().unwrap().contains("absent.tar"));
}

#[test]
fn what_is_there_is_replaced_only_by_force() {
    let shell = Shell::new();
    shell.done(&["export", "tiny", "tiny.tar"]);
    let before = fs::read(shell.path("tiny.tar")).unwrap();
    let (status, _, err) = shell.run(&["export", "other", "tiny.tar"]);
    assert_eq!(status, 1);
    assert!(err.contains("already exists; --force"), "{err}");
    assert!(fs::read(shell.path("tiny.tar")).unwrap() == before);
    let (status, _, err) = shell.run(&["import", "tiny.tar", "other"]);
    assert_eq!(status, 1);
    assert!(
        err.contains("model 'other:latest' already exists; --force"),
        "{err}"
    );
    let out = shell.done(&["import", "tiny.tar", "other", "--force"]);
    assert!(out.contains("imported other:latest (replaced)"), "{out}");
    shell.done(&["export", "other", "tiny.tar", "--force"]);
}

#[test]
fn wrong_use_has_the_status_2_and_says_what_is_right() {
    let shell = Shell::new();
    shell.done(&["export", "tiny", "tiny.tar"]);
    fs::copy(shell.path("tiny.tar"), shell.path("tiny.tar.gz")).unwrap();
    let gguf = shell.done(&["path", "tiny"]);
    for (words, part) in [
        (&["import", gguf.trim()][..], "needs a NAME"),
        (&["import", "tiny.tar", "--system", "x"], "as they are"),
        (&["import", "tiny.tar", "../x"], "invalid"),
        (&["export", "tiny", "-", "--json"], "standard output"),
        (&["export", "tiny"], "FILE.tar|DIR"),
    ] {
        let (status, _, err) = shell.run(words);
        assert_eq!(status, 2, "{words:?}: {err}");
        assert!(err.contains(part), "{words:?}: {err}");
    }
    let mut zipped = fs::File::create(shell.path("zipped.tar.gz")).unwrap();
    zipped.write_all(b"\x1f\x8b\x08").unwrap();
    let (status, _, err) = shell.run(&["import", "zipped.tar.gz"]);
    assert_eq!(status, 1);
    assert!(err.contains("gzip -dc"), "{err}");
    assert_eq!(shell.run(&["export", "nope", "x.tar"]).0, 1);
    assert!(!shell.path("x.tar").exists());
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).status();
    assert!(sent.unwrap().success());
}

/// The program at the other end stands still: an interrupt ends the command all the same.
#[test]
fn an_interrupt_ends_an_export_and_an_import_that_wait_for_a_pipe() {
    let shell = Shell::new();
    shell.done(&["export", "tiny", "tiny.tar"]);
    let archive = fs::read(shell.path("tiny.tar")).unwrap();
    let before = shell.files();
    for name in ["INT", "TERM"] {
        let mut child = started(shell.command(&["--store", "new", "import", "-"]));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&archive[..archive.len() / 2]).unwrap();
        let tmp = shell.path("new/.modelkeep/tmp");
        while !tmp.exists() {
            assert!(
                child.try_wait().unwrap().is_none(),
                "ended without a signal"
            );
            std::thread::yield_now();
        }
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{name}");
        assert_eq!(fs::read_dir(tmp).unwrap().count(), 0);
        assert!(!shell.path("new/manifests").exists());
        fs::remove_dir_all(shell.path("new")).unwrap();
    }
    // More than a pipe and what is under way hold, and sparse.
    let gguf = shell.done(&["path", "tiny"]);
    let file = fs::File::options().write(true).open(gguf.trim()).unwrap();
    file.set_len(1 << 30).unwrap();
    let mut child = started(shell.command(&["export", "tiny", "-"]));
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 1024]).unwrap();
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    for to in ["large.tar", "layout"] {
        let mut child = started(shell.command(&["export", "tiny", to]));
        while shell.files() == before {
            assert!(
                child.try_wait().unwrap().is_none(),
                "ended without a signal"
            );
            std::thread::yield_now();
        }
        signal(&child, "INT");
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(shell.files(), before, "{to}");
    }
}

#[test]
fn a_manifest_is_imported_with_files_of_other_names() {
    let shell = Shell::new();
    let downloads = shell.path("downloads");
    fs::create_dir(&downloads).unwrap();
    let manifests = shell.path("models/manifests/registry.ollama.ai/library");
    fs::copy(manifests.join("other/latest"), downloads.join("data")).unwrap();
    let blobs = shell.done(&["path", "--all", "other"]);
    for (number, blob) in blobs.lines().enumerate().skip(1) {
        fs::copy(blob, downloads.join(format!("data({number})"))).unwrap();
    }
    let words = [
        "--store",
        "new",
        "import",
        "downloads/data",
        "mine",
        "--from",
        "downloads",
    ];
    let (status, out, err) = shell.run(&words);
    assert_eq!((status, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("not in downloads: sha256:"), "{err}");
    let first = blobs.lines().next().unwrap();
    fs::copy(first, downloads.join("data(9)")).unwrap();
    let out = shell.done(&words);
    assert!(out.starts_with("imported mine:latest\n"), "{out}");
    assert_eq!(
        shell.done(&["--store", "new", "show", "mine", "--system"]),
        "Be brief.\n"
    );
    let (status, _, err) = shell.run(&["import", "downloads/data", "--from", "downloads"]);
    assert_eq!(status, 2, "{err}");
}
