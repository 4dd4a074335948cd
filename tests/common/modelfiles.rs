//! A directory with weights to import, and an empty store.
// Each test program uses its own part of this file, and a failure here fails the test.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use modelkeep::{Error, ErrorKind, ImportOptions, Imported, Store};

use crate::common::{Scratch, name};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny.gguf")
}

/// A directory with a Modelfile and a GGUF file beside it.
pub struct Bench {
    directory: tempfile::TempDir,
    pub scratch: Scratch,
}

impl Bench {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::copy(fixture(), directory.path().join("tiny.gguf")).unwrap();
        let scratch = Scratch::new();
        Bench { directory, scratch }
    }

    pub fn store(&self) -> Store {
        Store::open_with(self.scratch.options().create(true)).unwrap()
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    pub fn write(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("Modelfile");
        fs::write(&path, text).unwrap();
        path
    }

    pub fn import(&self, to: &str, text: impl AsRef<[u8]>) -> Result<Imported, Error> {
        let options = ImportOptions::default();
        self.store()
            .import_modelfile(self.write(text), name(to), &options)
    }

    pub fn fault(&self, text: &str) -> (ErrorKind, String) {
        let error = self.import("m", text).unwrap_err();
        assert!(self.store().list().unwrap().models.is_empty());
        (error.kind(), error.to_string())
    }
}
