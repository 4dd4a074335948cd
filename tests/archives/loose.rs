//! A manifest and its blobs as a browser leaves them: `data`, `data(1)`, and what else is there.

use std::fs;
use std::path::{Path, PathBuf};

use modelkeep::{ErrorKind, ImportArchiveOptions, ImportedArchive, Store};

use crate::common::Scratch;
use crate::{manifests, staged, store};

/// What somebody downloaded of the model `tiny`.
struct Downloads {
    directory: tempfile::TempDir,
    manifest: PathBuf,
    blobs: Vec<PathBuf>,
}

impl Downloads {
    fn of(from: &Scratch) -> Self {
        let store = store(from);
        let directory = tempfile::tempdir().unwrap();
        let manifest = directory.path().join("latest");
        fs::copy(from.manifest_path("tiny"), &manifest).unwrap();
        fs::write(directory.path().join("a letter"), "of another size").unwrap();
        fs::create_dir(directory.path().join("more")).unwrap();
        let mut blobs = Vec::new();
        for (number, blob) in store
            .model("tiny")
            .unwrap()
            .all_paths()
            .unwrap()
            .iter()
            .enumerate()
        {
            let name = match number {
                0 => "data".to_owned(),
                number => format!("data({number})"),
            };
            fs::copy(blob, directory.path().join(&name)).unwrap();
            blobs.push(directory.path().join(name));
        }
        Downloads {
            directory,
            manifest,
            blobs,
        }
    }

    fn import(&self, store: &Store) -> modelkeep::Result<ImportedArchive> {
        let options = ImportArchiveOptions::new().name("mine");
        store.import_manifest(&self.manifest, self.directory.path(), &options)
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn files_are_known_by_their_bytes() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let downloads = Downloads::of(&from);
    let imported = downloads.import(&to.store()).unwrap();
    assert_eq!(imported.models[0].name.to_string(), "mine:latest");
    assert_eq!(imported.new_blobs, downloads.blobs.len());
    assert_eq!(bytes(&to.manifest_path("mine")), bytes(&downloads.manifest));
    assert!(to.is_whole());
    assert!(staged(&to).is_empty());
    let error = downloads.import(&from.store());
    assert_eq!(error.unwrap().new_blobs, 0, "all of them were stored");
}

#[test]
fn what_is_missing_is_named_and_nothing_is_changed() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let downloads = Downloads::of(&from);
    let digest = modelkeep::Digest::of(&bytes(&downloads.blobs[0]));
    let spoil: [fn(&Path); 3] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, vec![0; bytes(path).len()]).unwrap(),
        |path| fs::write(path, &bytes(path)[1..]).unwrap(),
    ];
    let whole = bytes(&downloads.blobs[0]);
    for spoil in spoil {
        fs::write(&downloads.blobs[0], &whole).unwrap();
        spoil(&downloads.blobs[0]);
        let error = downloads.import(&to.store()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileNotFound, "{error}");
        let text = format!("{error:?}");
        assert!(text.contains(&digest.to_string()), "{text}");
        assert!(manifests(&to).is_empty() && staged(&to).is_empty());
        assert!(!to.blob_path(&digest).exists());
    }
    // What the store has need not be there.
    to.blob(&whole);
    assert_eq!(downloads.import(&to.store()).unwrap().shared_blobs, 1);
}

#[test]
fn a_name_is_wanted_and_is_not_taken_from_another_model() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let downloads = Downloads::of(&from);
    let unnamed = ImportArchiveOptions::new();
    let directory = downloads.directory.path();
    let error = to
        .store()
        .import_manifest(&downloads.manifest, directory, &unnamed);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidName);
    to.model("mine", &[b"another"]);
    let before = manifests(&to);
    let error = downloads.import(&to.store()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(manifests(&to), before);
    for text in ["", "{", "<html>", "[]"] {
        fs::write(&downloads.manifest, text).unwrap();
        let error = downloads.import(&to.store()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{text}: {error}");
    }
}
