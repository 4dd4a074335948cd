//! Models that leave a store, and come back to one.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod beside;
#[path = "../common/mod.rs"]
mod common;
mod directory;
mod entries;
mod hostile;
mod loose;
mod outside;
mod random;
mod resumed;
mod streams;
mod travel;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Scratch, fixture};
use modelkeep::{ExportOptions, ImportArchiveOptions, ImportOptions, ImportedArchive, Store};

/// A store with a model that was imported and has texts, one that shares its weights, and one with
/// a name of a host.
fn store(scratch: &Scratch) -> Store {
    let store = scratch.store();
    let options = ImportOptions::new().system("Be brief.").licenses(["MIT"]);
    store.import(fixture(), "tiny", &options).unwrap();
    let modelfile = scratch.root().join("Modelfile");
    fs::write(&modelfile, "FROM tiny\nSYSTEM Be kind.").unwrap();
    let options = ImportOptions::new();
    store
        .import_modelfile(&modelfile, "kind", &options)
        .unwrap();
    store.copy("tiny", "hf.co/team/Tiny:Q4").unwrap();
    fs::remove_file(modelfile).unwrap();
    store
}

const NAMES: [&str; 3] = ["tiny", "kind", "hf.co/team/Tiny:Q4"];

/// The archive of some models.
fn archive(store: &Store, names: &[&str]) -> Vec<u8> {
    let mut archive = Vec::new();
    store
        .export_to(names.iter().copied(), &mut archive)
        .unwrap();
    archive
}

fn import(store: &Store, mut archive: &[u8]) -> modelkeep::Result<ImportedArchive> {
    store.import_stream(&mut archive, &ImportArchiveOptions::new())
}

/// The names of what is staged in a store.
fn staged(scratch: &Scratch) -> Vec<PathBuf> {
    let entries = fs::read_dir(scratch.root().join(".modelkeep/tmp"));
    let entries = entries.into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The models of a store, each with the bytes of its manifest.
fn manifests(scratch: &Scratch) -> Vec<(PathBuf, Vec<u8>)> {
    let files = scratch.snapshot().into_iter();
    let files = files.map(|(path, bytes)| {
        let path = path.strip_prefix(scratch.root()).unwrap();
        (path.to_owned(), bytes)
    });
    files
        .filter(|(path, _)| path.starts_with("manifests"))
        .collect()
}

fn export(store: &Store, names: &[&str], to: &Path) -> modelkeep::Result<modelkeep::Exported> {
    store.export(names.iter().copied(), to, &ExportOptions::new())
}
