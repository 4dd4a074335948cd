//! A shell with a store of its own.
#![allow(dead_code, reason = "each program of tests uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub struct Shell {
    pub directory: tempfile::TempDir,
}

pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Shell {
    pub fn new() -> Self {
        Shell {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// A shell on a store with the models `tiny` and `other`.
    pub fn with_models() -> Self {
        let shell = Shell::new();
        for name in ["tiny", "other"] {
            assert_eq!(shell.run(&["import", &fixture(), name]).status, 0);
        }
        shell
    }

    pub fn store(&self) -> PathBuf {
        self.directory.path().join("models")
    }

    pub fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_modelkeep"));
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .args(words)
            .env("OLLAMA_MODELS", self.store())
            .env("HOME", self.directory.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said {
            status: status.code().unwrap(),
            out: text(stdout),
            err: text(stderr),
        }
    }

    /// Runs a line as a shell does, in which `modelkeep` is the command.
    pub fn shell(&self, line: &str) -> Said {
        let program = Path::new(env!("CARGO_BIN_EXE_modelkeep"));
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new("/bin/sh")
            .args(["-c", line])
            .env("OLLAMA_MODELS", self.store())
            .env("HOME", self.directory.path())
            .env("PATH", program.parent().unwrap())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said {
            status: status.code().unwrap(),
            out: text(stdout),
            err: text(stderr),
        }
    }

    pub fn json(&self, words: &[&str]) -> serde_json::Value {
        let said = self.run(&[words, &["--json"]].concat());
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.out))
    }

    /// Writes a file beside the store, and returns its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn damage(&self, name: &str) {
        let path = self.run(&["path", name]).out;
        let mut bytes = fs::read(path.trim()).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path.trim(), bytes).unwrap();
    }
}

pub fn fixture() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../../tests/data/tiny.gguf")
        .to_str()
        .unwrap()
        .to_owned()
}
