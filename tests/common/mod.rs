//! Stores for tests, built by hand: what the engine reads here, it did not write.
// Each test program uses its own part of this file, and a failure here fails the test.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../src/skip.rs"]
pub mod skip;

use std::fs;
use std::path::{Path, PathBuf};

use modelkeep::{Digest, ModelName, Reference, Store, StoreOptions, VerifyOptions};

/// A store in a directory that goes with it.
pub struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    pub fn new() -> Self {
        Scratch {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    pub fn store(&self) -> Store {
        Store::open_with(self.options()).unwrap()
    }

    pub fn options(&self) -> StoreOptions {
        StoreOptions::new(self.root()).delete_delay(std::time::Duration::ZERO)
    }

    pub fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.write(&format!("blobs/sha256-{}", digest.hex()), bytes);
        digest
    }

    /// A model with a config of its own and one layer for each text.
    pub fn model(&self, name: &str, layers: &[&[u8]]) -> Vec<Digest> {
        let config = format!(r#"{{"model_format":"gguf","model_family":"{name}"}}"#);
        let config = (self.blob(config.as_bytes()), config.len());
        let layers: Vec<(Digest, usize)> = layers
            .iter()
            .map(|bytes| (self.blob(bytes), bytes.len()))
            .collect();
        let entry = |media: &str, (digest, size): &(Digest, usize)| {
            format!(r#"{{"mediaType":"{media}","digest":"{digest}","size":{size}}}"#)
        };
        let lines: Vec<String> = layers
            .iter()
            .map(|layer| entry("application/vnd.ollama.image.model", layer))
            .collect();
        let manifest = format!(
            r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#,
            entry("application/vnd.docker.container.image.v1+json", &config),
            lines.join(","),
        );
        self.manifest(name, manifest.as_bytes());
        [config]
            .into_iter()
            .chain(layers)
            .map(|(digest, _)| digest)
            .collect()
    }

    pub fn manifest(&self, name: &str, bytes: &[u8]) {
        let path = self.manifest_path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn manifest_path(&self, text: &str) -> PathBuf {
        let path = self.root().join("manifests");
        name(text)
            .parts()
            .iter()
            .fold(path, |path, part| path.join(part))
    }

    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root()
            .join("blobs")
            .join(format!("sha256-{}", digest.hex()))
    }

    pub fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Whether every blob has the bytes of its name, and no model lacks one.
    pub fn is_whole(&self) -> bool {
        let report = self.store().verify(&VerifyOptions::new());
        report.unwrap().is_ok()
    }

    /// Moves a blob into the trash, as a removal that is stopped there leaves it.
    pub fn put_aside(&self, digest: &Digest) -> PathBuf {
        let trash = self.root().join(".modelkeep/trash");
        fs::create_dir_all(&trash).unwrap();
        let home = self.blob_path(digest);
        let aside = trash.join(home.file_name().unwrap());
        fs::rename(home, &aside).unwrap();
        aside
    }

    /// A model of so many layers of a few bytes.
    pub fn model_of(&self, name: &str, layers: u32) -> Vec<Digest> {
        let layers: Vec<_> = (0..layers).map(u32::to_le_bytes).collect();
        let layers: Vec<&[u8]> = layers.iter().map(<[u8; 4]>::as_slice).collect();
        self.model(name, &layers)
    }

    /// Every file but our own, with its bytes.
    pub fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.root(), &mut files);
        files.sort();
        files
    }
}

fn collect(directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with(".modelkeep") {
            collect(&path, files);
        } else if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
}

/// A small GGUF file that the strict reader accepts.
pub fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny.gguf")
}

pub fn name(text: &str) -> ModelName {
    text.parse().unwrap()
}

pub fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// Test data of a path such as `golden/basic`: in `tests`, else in the directory that
/// `MODELKEEP_SHARED` names, else in `../shared`. Says so where there is none.
pub fn shared(path: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("MODELKEEP_SHARED").map(PathBuf::from);
    let places = [
        Some(here.join("tests")),
        named,
        here.parent().map(|p| p.join("shared")),
    ];
    let found = places
        .into_iter()
        .flatten()
        .map(|place| place.join(path))
        .find(|path| path.exists());
    if found.is_none() {
        skip::skip(path, "it is not in tests, $MODELKEEP_SHARED or ../shared");
    }
    found
}
