//! Copies and imports while their places come and go, links and renames fail, and blobs are taken.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::others::{beside, model};
use super::{SHARED, Scene};
use crate::error::{ErrorKind, Result};
use crate::fs::ops::{Change, hook};
use crate::store::handle::Store;
use crate::store::import::ImportOptions;

/// Renames that fail for ever; how often one was tried, and with what error the copy ended.
fn renaming(code: i32) -> (usize, Option<i32>) {
    let scene = Scene::new();
    let tries = Rc::new(RefCell::new(0));
    let counted = tries.clone();
    let fail = move |change: &Change<'_>| match change {
        Change::Rename(..) => {
            *counted.borrow_mut() += 1;
            assert!(*counted.borrow() < 100, "no end");
            Err(io::Error::from_raw_os_error(code))
        }
        _ => Ok(()),
    };
    let copy = || scene.store().copy(&model("a"), &model("c"));
    let error = hook::with(fail, copy).unwrap_err();
    let tries = *tries.borrow();
    (tries, error.os_error())
}

#[test]
fn a_rename_that_never_succeeds_ends() {
    assert_eq!(renaming(libc::ENOENT), (11, Some(libc::ENOENT)));
    assert_eq!(renaming(libc::EXDEV), (2, Some(libc::EXDEV)));
    assert_eq!(renaming(libc::EACCES), (1, Some(libc::EACCES)));
}

/// Copies `a` to `b` where the file system has no links, and something happens in the wait.
fn copying_without_links(mut act: impl FnMut(usize) + 'static, store: &Store) -> Result<()> {
    let mut waits = 0;
    let hooked = move |change: &Change<'_>| match change {
        Change::Link(..) => Err(io::Error::from_raw_os_error(libc::EPERM)),
        Change::Wait(_) => {
            waits += 1;
            act(waits);
            Ok(())
        }
        _ => Ok(()),
    };
    let copy = || store.copy(&model("a"), &model("b"));
    hook::with(hooked, copy).map(drop)
}

#[test]
fn a_copy_that_is_undone_puts_back_what_was_there_without_links_as_well() {
    let acts: [fn(&Path, usize); 2] = [
        |source, _| fs::remove_file(source).unwrap(),
        |source, wait| fs::write(source, format!(r#"{{"layers":[],"x":{wait}}}"#)).unwrap(),
    ];
    let kinds = [ErrorKind::NotFound, ErrorKind::Busy];
    for (act, kind) in acts.into_iter().zip(kinds) {
        let scene = Scene::new();
        let store = scene.store();
        let source = store.layout().manifest(&model("a"));
        let target = store.layout().manifest(&model("b"));
        let before = fs::read(&target).unwrap();
        let error = copying_without_links(move |wait| act(&source, wait), &store).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(fs::read(&target).unwrap(), before);
        let tmp = fs::read_dir(scene.root().join(".modelkeep/tmp")).unwrap();
        assert_eq!(tmp.count(), 0);
    }
}

#[test]
fn a_copy_whose_source_and_target_both_go_is_not_found() {
    let scene = Scene::new();
    let store = scene.store();
    let paths = ["a", "c"].map(|name| store.layout().manifest(&model(name)));
    let vanish = move |change: &Change<'_>| {
        if matches!(change, Change::Wait(_)) {
            paths.iter().for_each(|path| fs::remove_file(path).unwrap());
        }
    };
    let copy = || store.copy(&model("a"), &model("c"));
    assert_eq!(
        beside(vanish, copy).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn a_target_that_goes_before_it_is_replaced_is_no_failure() {
    let scene = Scene::new();
    let vanish = |change: &Change<'_>| {
        if let Change::Link(from, _) = change {
            fs::remove_file(from).unwrap();
        }
    };
    let store = scene.store();
    beside(vanish, || store.copy(&model("a"), &model("b"))).unwrap();
    assert!(store.find(model("b")).unwrap().is_some());
}

/// Imports the weights, which are stored already, while a delete elsewhere takes the blob.
#[test]
fn a_stored_blob_that_a_delete_takes_during_an_import_is_whole_again() {
    let scene = Scene::new();
    let store = scene.store();
    let file = scene.root().join("weights.gguf");
    let weights = fs::read(&file).unwrap();
    let home = store.blob_path(&scene.blob(&weights));
    let taken = home.clone();
    let take = move |change: &Change<'_>| {
        if matches!(change, Change::Wait(_)) {
            let _ = fs::remove_file(&taken);
        }
    };
    let options = ImportOptions::default();
    for name in ["new", "newer"] {
        beside(take.clone(), || store.import(&file, model(name), &options)).unwrap();
        assert_eq!(fs::read(&home).unwrap(), weights);
    }
    let waits = Rc::new(RefCell::new(Vec::new()));
    let noted = waits.clone();
    let note = move |change: &Change<'_>| {
        if let Change::Wait(time) = change {
            noted.borrow_mut().push(*time);
        }
    };
    let options = crate::StoreOptions::new(scene.root()).delete_delay(Duration::from_millis(3));
    let store = Store::open_with(options).unwrap();
    let import = || store.import(&file, model("newest"), &ImportOptions::default());
    beside(note, import).unwrap();
    assert_eq!(waits.take(), [Duration::from_millis(3)]);
}

#[test]
fn a_stored_blob_that_a_delete_takes_during_a_copy_between_stores_is_whole_again() {
    let (scene, other) = (Scene::new(), Scene::new());
    let store = scene.store();
    let home = store.blob_path(&scene.blob(SHARED));
    let (taken, waits) = (home.clone(), Rc::new(RefCell::new(0)));
    let counted = waits.clone();
    let take = move |change: &Change<'_>| {
        if matches!(change, Change::Wait(_)) {
            fs::remove_file(&taken).unwrap();
            *counted.borrow_mut() += 1;
        }
    };
    let from = other.store();
    let copy = || store.take_model(&from, &model("b"), &model("new"), false);
    beside(take, copy).unwrap();
    assert_eq!(*waits.borrow(), 1);
    assert_eq!(fs::read(&home).unwrap(), SHARED);
}

#[test]
fn a_directory_that_is_pruned_before_the_one_in_it_is_made_is_made_again() {
    let scene = Scene::new();
    let space = scene.root().join("manifests/registry.ollama.ai/ns");
    let mut is_first = true;
    let prune = move |change: &Change<'_>| {
        if let Change::MakeDirectory(path) = change
            && path.parent() == Some(&space)
            && space.is_dir()
            && std::mem::take(&mut is_first)
        {
            fs::remove_dir(&space).unwrap();
        }
    };
    let store = scene.store();
    beside(prune, || store.copy(&model("a"), &model("ns/c:t"))).unwrap();
    assert!(store.find(model("ns/c:t")).unwrap().is_some());
}

#[test]
fn a_copy_that_cannot_be_undone_says_so() {
    let scene = Scene::new();
    let store = scene.store();
    let source = store.layout().manifest(&model("a"));
    let hooked = move |change: &Change<'_>| match change {
        Change::Wait(_) => fs::remove_file(&source),
        Change::Unlink(path) if path.ends_with("c/latest") => {
            Err(io::Error::from_raw_os_error(libc::EIO))
        }
        _ => Ok(()),
    };
    let copy = || store.copy(&model("a"), &model("c"));
    let error = hook::with(hooked, copy).unwrap_err();
    assert_eq!(error.os_error(), Some(libc::EIO));
}

#[test]
fn an_import_of_bytes_that_nobody_has_does_not_wait() {
    let place = tempfile::tempdir().unwrap();
    let file = Scene::new();
    let store = Store::open(place.path()).unwrap();
    let never = |change: &Change<'_>| assert!(!matches!(change, Change::Wait(_)));
    let options = ImportOptions::default();
    let weights = file.root().join("weights.gguf");
    beside(never, || store.import(weights, model("new"), &options)).unwrap();
}
