//! What an export leaves outside of the store, wherever it is broken off.

use std::path::Path;
use std::sync::OnceLock;

use super::disk::Image;
use super::{Operation, SHARED, Scene};
use crate::manifest::Manifest;
use crate::name::Digest;
use crate::store::export::ExportOptions;
use crate::store::handle::Store;
use crate::store::import_archive::ImportArchiveOptions;

/// An archive with a model that is new, and another one of a name that is taken.
fn archive() -> &'static [u8] {
    static ARCHIVE: OnceLock<Vec<u8>> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let scene = Scene::empty();
        scene.model("a", &[SHARED, b"other of a"]);
        scene.model("c", &[SHARED, b"own of c", br#"{"a":"config"}"#]);
        exported(&scene.store(), &["a", "c"])
    })
}

fn exported(store: &Store, names: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.export_to(names.iter().copied(), &mut bytes).unwrap();
    bytes
}

pub(super) fn operations() -> Vec<(&'static str, Operation)> {
    fn import(store: &Store, options: &ImportArchiveOptions) -> crate::Result<()> {
        store.import_stream(&mut archive(), options).map(drop)
    }
    fn export(store: &Store, to: &str, replace: bool) -> crate::Result<()> {
        let to = store.path().join(to);
        let options = ExportOptions::new().replace(replace);
        store.export(["a", "b"], to, &options).map(drop)
    }
    vec![
        ("import an archive over a model", |store| {
            import(store, &ImportArchiveOptions::new().replace(true))
        }),
        ("export to a file", |store| export(store, "out.tar", false)),
        ("export over a file", |store| export(store, "old.tar", true)),
        ("export to a directory", |store| {
            export(store, "above/layout", false)
        }),
        ("export into a layout", |store| {
            store.export(["b"], store.path().join("layout"), &ExportOptions::new())?;
            export(store, "layout", false)
        }),
    ]
}

/// An archive under its name is whole, and of what the index of a layout names nothing is missing.
pub(super) fn check(image: &Image, place: &str) {
    let expected = || {
        static EXPECTED: OnceLock<Vec<u8>> = OnceLock::new();
        EXPECTED.get_or_init(|| exported(&Scene::new().store(), &["a", "b"]))
    };
    for (path, bytes) in image {
        if path.extension().is_some_and(|extension| extension == "tar") {
            assert!(
                bytes == expected() || bytes == super::OLD,
                "{place}: {path:?} is partial"
            );
        }
        if path.ends_with("index.json") {
            let layout = path.parent().unwrap();
            assert!(image.contains_key(&layout.join("oci-layout")), "{place}");
            check_index(image, layout, bytes, place);
        }
    }
}

fn check_index(image: &Image, layout: &Path, index: &[u8], place: &str) {
    for digest in Digest::all_in(index).unwrap() {
        let manifest = blob(image, layout, &digest, place);
        for digest in Manifest::parse(manifest).unwrap().digests() {
            blob(image, layout, &digest, place);
        }
    }
}

fn blob<'i>(image: &'i Image, layout: &Path, digest: &Digest, place: &str) -> &'i [u8] {
    let path = layout.join("blobs/sha256").join(digest.hex());
    let bytes = image.get(&path).map(Vec::as_slice);
    let bytes = bytes.unwrap_or_else(|| panic!("{place}: {layout:?} lacks {digest}"));
    assert_eq!(Digest::of(bytes), *digest, "{place}");
    bytes
}

/// A failure of the second manifest takes back the first: no model of an archive comes alone.
#[test]
fn of_an_archive_all_models_come_or_none() {
    use crate::fs::ops::{Change, hook};
    use std::io;

    for replace in [false, true] {
        let scene = Scene::empty();
        if replace {
            scene.model("a", &[b"mine"]);
        }
        let store = scene.store();
        let target = |name: &str| store.layout().manifest(&name.parse().unwrap());
        let (first, second) = (target("a"), target("c"));
        let before = std::fs::read(&first).ok();
        let is_there = first.clone();
        let fail = move |change: &Change<'_>| match change {
            Change::Rename(_, to) if *to == second => {
                assert_eq!(
                    Manifest::parse(&std::fs::read(&is_there).unwrap())
                        .unwrap()
                        .layers()
                        .len(),
                    2
                );
                Err(io::Error::from_raw_os_error(libc::ENOSPC))
            }
            _ => Ok(()),
        };
        let options = ImportArchiveOptions::new().replace(replace);
        let import = || store.import_stream(&mut archive(), &options);
        let error = hook::with(fail, import).unwrap_err();
        assert_eq!(error.os_error(), Some(libc::ENOSPC));
        assert_eq!(std::fs::read(&first).ok(), before);
        store.import_stream(&mut archive(), &options).unwrap();
    }
}

/// What somebody collects before a manifest names it is put back from the open file.
#[test]
fn a_blob_that_is_collected_before_its_model_is_there_is_put_back() {
    use super::others::beside;
    use crate::fs::ops::Change;

    let scene = Scene::empty();
    let store = scene.store();
    let blobs = store.layout().blobs_directory();
    let manifests = store.layout().manifests_directory();
    let mut is_done = false;
    let collect = move |change: &Change<'_>| {
        // Before the first manifest, and again when one is there.
        if let Change::Create(_) = change
            && !is_done
            && std::fs::read_dir(&blobs).is_ok_and(|blobs| blobs.count() >= 3)
        {
            is_done = true;
            for entry in std::fs::read_dir(&blobs).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
        let _ = &manifests;
    };
    let options = ImportArchiveOptions::new();
    beside(collect, || store.import_stream(&mut archive(), &options)).unwrap();
    super::check(&super::Disk::of(scene.root()).durable(), "collected");
}
